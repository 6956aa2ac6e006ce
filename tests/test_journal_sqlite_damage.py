"""A store in a file of SQLite, after the worst: what was acknowledged is there, and what is wrong is said."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from journal_rows import filled, in_child, opened, row, seqs
from journaled import rows_of

from tinysmith.errors import JournalError
from tinysmith.journal._sqlite import sqlite_store

COMMITS = """
import sys
from pathlib import Path
from tinysmith.journal._rows import Row
from tinysmith.journal._sqlite import sqlite_store

store = sqlite_store(Path(sys.argv[1]), "FULL", read_only=False)
for seq in range(1, 10**6):
    store.write([Row(1, seq, "event", b"", b'["%d"]' % seq, b"")])
    print(seq, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file for a store."""
    return tmp_path / "runs.db"


def crashed(path: Path, count: int) -> tuple[bytes, bytes]:
    """A file, and its log, as a process leaves them that is killed after so many transactions."""
    filled(path, 0)
    with opened(path) as store:
        for seq in range(1, count + 1):
            store.write([row(1, seq, "x" * 30)])
        return path.read_bytes(), Path(f"{path}-wal").read_bytes()


@contextmanager
def noted(told: list[str]) -> Iterator[None]:
    """Notes what a journal says is wrong."""
    try:
        yield
    except JournalError as error:
        told.append(str(error))


class TestLocked:
    def test_by_another_process(self, path: Path) -> None:
        """Another's transaction is waited for, and then it is said who is in the way; later all goes on."""
        filled(path)
        with closing(rows_of(path)) as other, opened(path, busy_s=0.02) as store:
            other.execute("BEGIN IMMEDIATE")
            for count in (1, 2):
                with pytest.raises(JournalError, match="another process keeps it locked"):
                    store.write([row(1, 3 + number) for number in range(1, count + 1)])
            with pytest.raises(JournalError, match="another process keeps it locked"):
                sqlite_store(path, "FULL", read_only=False, busy_s=0.02)
            assert seqs(store, 1) == [1, 2, 3]
            other.execute("ROLLBACK")
            store.write([row(1, 4)])

    def test_until_it_is_free(self, path: Path) -> None:
        """A new file is opened as soon as the process that keeps it locked lets it go."""
        with closing(rows_of(path)) as other:
            other.execute("BEGIN IMMEDIATE")

            def let_go(frame: FrameType, event: str, function: Any) -> None:
                if event == "c_call" and function is time.sleep and other.in_transaction:
                    other.execute("ROLLBACK")

            sys.setprofile(let_go)
            try:
                filled(path)
            finally:
                sys.setprofile(None)
        with opened(path, read_only=True) as store:
            assert seqs(store, 1) == [1, 2, 3]

    @pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
    def test_at_the_beginning(self, path: Path, kind: str) -> None:
        """A file that another process is about to make something of is waited for as well."""
        with closing(rows_of(path)) as other:
            other.execute(f"BEGIN {kind}")
            with pytest.raises(JournalError, match="another process keeps it locked"):
                sqlite_store(path, "FULL", read_only=False, busy_s=0.05)
            other.execute("ROLLBACK")
        filled(path)


class TestDiskFull:
    def test_keeps_what_was_committed(self, path: Path) -> None:
        """Where the file cannot grow this is said, all that was acknowledged is there, and later all goes on."""
        filled(path)
        reader, writer = os.pipe()

        def work() -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
            with opened(path) as store:
                seq = 3
                try:
                    while True:
                        store.write([row(1, seq + 1, "x" * 30), row(2, seq + 1)])
                        seq += 1
                except JournalError as error:
                    os.write(writer, f"{seq} {error}".encode())
                assert seqs(store, 1)[-1] == seq
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
                store.write([row(1, seq + 1)])
            return 0

        assert in_child(work) == 0
        os.close(writer)
        with os.fdopen(reader) as pipe:
            last, _, said = pipe.read().partition(" ")
        assert "What was committed is kept" in said
        with opened(path, read_only=True) as store:
            assert seqs(store, 1) == list(range(1, int(last) + 2))
            assert seqs(store, 2) == list(range(4, int(last) + 1))


class TestDamage:
    def test_a_truncated_log(self, path: Path) -> None:
        """Of a log that was cut anywhere the whole transactions before the cut are there."""
        data, log = crashed(path, 12)
        found = []
        for size in [*range(0, len(log), 4093), len(log)]:
            path.write_bytes(data)
            Path(f"{path}-wal").write_bytes(log[:size])
            with opened(path, read_only=True) as store:
                found.append(seqs(store, 1))
            with opened(path) as store:
                assert seqs(store, 1) == found[-1]
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in found)
        assert found == sorted(found)
        assert (len(found[0]), len(found[-1])) == (0, 12)

    def test_a_damaged_page(self, path: Path) -> None:
        """A page that was overwritten is told, at the latest when its rows are read, or was of no importance."""
        filled(path, 300)
        whole = path.read_bytes()
        told: list[str] = []
        for page in range(0, len(whole), 4096):
            path.write_bytes(whole[:page] + b"\xa5" * 4096 + whole[page + 4096 :])
            with noted(told), opened(path, read_only=True) as store:
                assert list(store.rows(1)) == [row(1, seq, f"{seq}") for seq in range(1, 301)]
        assert len(told) >= len(whole) // 4096 // 2
        assert all(said.startswith(str(path)) for said in told)

    def test_names_the_row(self, path: Path) -> None:
        """Where a page of rows is damaged, the error names the run and the first row that cannot be read."""
        filled(path, 300)
        data = path.read_bytes()
        page = data.index(row(1, 290, "290").body) // 4096 * 4096
        path.write_bytes(data[:page] + b"\xa5" * 4096 + data[page + 4096 :])
        with opened(path) as store, pytest.raises(JournalError, match="the file is damaged") as caught:
            store.rows(1, 100)
        assert caught.value.run == "000000000000001"
        assert 100 < caught.value.row <= 290
        with opened(path) as store:
            assert len(list(store.rows(1, 1, caught.value.row - 1))) == caught.value.row - 1


class TestKilled:
    def test_keeps_what_was_acknowledged(self, path: Path) -> None:
        """Whenever a process is killed, every row that was acknowledged is there, and at most one more."""
        for least in (1, 30):
            before = 0
            path.unlink(missing_ok=True)
            with subprocess.Popen([sys.executable, "-c", COMMITS, path], stdout=subprocess.PIPE) as child:
                assert child.stdout is not None
                while before < least:
                    before = int(child.stdout.readline())
                child.kill()
                acknowledged = [before, *map(int, child.stdout.read().split(b"\n")[:-1])][-1]
            with opened(path) as store:
                numbers = seqs(store, 1)
            assert numbers == list(range(1, len(numbers) + 1))
            assert acknowledged <= len(numbers) <= acknowledged + 1
