"""The conformance suite, second half: stores that are shared, shortened, closed or killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest
from stores import Opened, at_once, head, kept, opened_at, row

from tinysmith.errors import JournalError
from tinysmith.journal._rows import Head, Store, Taken, Text

WRITER = """
import sys
from pathlib import Path
from tinysmith.journal._postgres import postgres_store
from tinysmith.journal._rows import Head, Row, Text
from tinysmith.journal._sqlite import sqlite_store

place = sys.argv[1]
is_url = place.startswith("postgresql:")
store = postgres_store(place, read_only=False) if is_url else sqlite_store(Path(place), "NORMAL", read_only=False)
store.write([Head(1, b"h", b"s")])
for batch in range(100_000):
    digest = batch.to_bytes(16, "big")
    texts = (Text(digest, b"t" * 500, False),)
    store.write([Row(1, batch * 3 + n, "event", b"", b"b" * 200, b"s", texts) for n in (1, 2, 3)])
    print(batch, flush=True)
"""


class TestDelete:
    def test_deleted(self, store: Store) -> None:
        """Deleted runs leave nothing but the texts that others refer to, in a header or in a row."""
        only, lone = kept("a" * 2000)
        both, shared = kept("b" * 2000)
        also, headed = kept("c" * 2000)
        store.write(
            [
                head(1, texts=(headed,)),
                row(1, 1, body=only, texts=(lone,)),
                row(1, 2, body=both, texts=(shared,)),
                Head(2, also, b"seal", texts=(headed,)),
                row(2, 1, body=both, texts=(shared,)),
            ]
        )
        store.delete([1, 77])
        assert [each.run for each in store.heads()] == [2]
        assert (list(store.rows(1)), list(store.rows(2))) == ([], [row(2, 1, body=both)])
        assert {*store.texts([lone.digest, shared.digest, headed.digest])} == {shared.digest, headed.digest}

    def test_damaged(self, store: Store) -> None:
        """Where a row that stays cannot be read, nothing is deleted: who knows to which texts it refers."""
        store.write([head(1), head(2), row(2, 1, body=b"\xff")])
        with pytest.raises(JournalError, match=r"a row is damaged: .* Export what can be read"):
            store.delete([1])
        assert len(store.heads()) == 2

    def test_many(self, store: Store) -> None:
        """More runs than one statement takes are deleted, too."""
        store.write([head(run) for run in range(1, 1200)])
        store.delete(range(1, 1199))
        assert [each.run for each in store.heads()] == [1199]

    def test_written_meanwhile(self, open_one: Opened) -> None:
        """What others write while runs are deleted is whole: every text that it refers to is there."""
        deleting, writing = open_one(), open_one()
        body, large = kept("x" * 3000)

        def write() -> None:
            for run in range(100, 140):
                writing.write([head(run), row(run, 1, body=body, texts=(large,))])

        def delete() -> None:
            for run in range(1, 6):
                deleting.write([head(run), row(run, 1, body=body, texts=(large,))])
                deleting.delete([run])

        at_once([write, delete])
        assert len(writing.heads()) == 40
        assert writing.texts([large.digest]) == {large.digest: large}


class TestConnections:
    def test_two(self, open_one: Opened) -> None:
        """What one connection writes, another reads, and cannot write once more."""
        first, second = open_one(), open_one()
        first.write([head(1), row(1, 1)])
        assert list(second.rows(1)) == [row(1, 1)]
        with pytest.raises(Taken):
            second.write([row(1, 1)])

    def test_same_texts(self, open_one: Opened) -> None:
        """Those who write the same texts in any order, and let runs go, never wait for each other for good."""
        texts = [Text(bytes([number]) * 16, b"x" * 100, False) for number in range(40)]
        stores = [open_one() for _ in range(3)]
        stores[0].write([head(run, owner="me") for run in range(1, 4)])

        def write(store: Store, run: int) -> None:
            for seq in range(1, 21):
                some = texts if run % 2 else texts[::-1]
                store.write([row(run, seq, texts=tuple(some[seq % 7 :]), lets_go=True), row(run + 10, seq)])

        at_once([partial(write, each, run) for run, each in enumerate(stores, start=1)])
        assert len(stores[0].texts(text.digest for text in texts)) == 40

    def test_new_at_once(self, place: str) -> None:
        """Several that open a journal that is not there yet all have the same one."""

        def begin(run: int) -> None:
            with closing(opened_at(place)) as store:
                store.write([head(run)])

        at_once([partial(begin, run) for run in range(1, 5)])
        with closing(opened_at(place, read_only=True)) as store:
            assert sorted(each.run for each in store.heads()) == [1, 2, 3, 4]

    def test_read_only(self, place: str) -> None:
        """What is opened to be read is read, and cannot be written."""
        with closing(opened_at(place)) as store:
            store.write([head(1), row(1, 1)])
        with closing(opened_at(place, read_only=True)) as store:
            assert list(store.rows(1)) == [row(1, 1)]
            for write in (partial(store.write, [row(1, 2)]), partial(store.delete, [1])):
                with pytest.raises(JournalError, match="written"):
                    write()
        with closing(opened_at(place)) as store:
            assert list(store.rows(1)) == [row(1, 1)]

    def test_closed(self, store: Store) -> None:
        """What is closed says so, whatever is asked of it, and can be closed once more."""
        store.close()
        store.close()
        asks: list[Callable[[], object]] = [
            store.heads,
            lambda: store.rows(1),
            lambda: store.write([row(1, 1)]),
            lambda: store.write([head(1), row(1, 1)]),
            lambda: store.delete([1]),
        ]
        for ask in asks:
            with pytest.raises(JournalError, match=r"it is closed\. Open it again\."):
                ask()

    def test_interrupted(self, store: Store) -> None:
        """What is interrupted in the middle leaves nothing, and the store goes on."""

        def runs() -> Iterator[int]:
            yield from range(1, 501)
            raise KeyboardInterrupt

        store.write([head(1)])
        with pytest.raises(KeyboardInterrupt):
            store.delete(runs())  # type: ignore[arg-type]  # any iterable would do
        store.write([head(2)])
        assert len(store.heads()) == 2


class TestKilled:
    def test_acknowledged(self, place: str) -> None:
        """What a process wrote before it was killed is there: every batch that it knew of, and none by half."""
        command = [sys.executable, "-c", WRITER, place]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                if int(line) == 50:
                    os.kill(writer.pid, signal.SIGKILL)
                    break
            left = writer.stdout.read().split()
        known = int(left[-1]) if left else 50
        with closing(opened_at(place)) as store:
            rows = list(store.rows(1))
            assert [each.seq for each in rows] == list(range(1, len(rows) + 1))
            assert len(rows) % 3 == 0
            assert len(rows) >= 3 * (known + 1)
            digests = [batch.to_bytes(16, "big") for batch in range(len(rows) // 3)]
            assert len(store.texts(digests)) == len(digests)
