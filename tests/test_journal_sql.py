"""`SqlStore`: what is written is read, all or nothing, and what is damaged is named."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_rows import ME, head, kept, opened, row, seqs, texts_of
from journaled import rows_of

from tinysmith.errors import JournalError
from tinysmith.journal._rows import Entry, Taken
from tinysmith.journal._sql import SqlStore

LARGE, OTHER = "large " * 300, "other " * 300


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file for a store."""
    return tmp_path / "runs.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    """A store in that file."""
    with opened(path) as store:
        yield store


class TestWrite:
    def test_one_row(self, store: SqlStore) -> None:
        """A row that is written is read again, without its texts."""
        store.write([row(1, 1, "hello")])
        assert list(store.rows(1)) == [row(1, 1, "hello")]

    def test_many(self, store: SqlStore) -> None:
        """Heads, rows and texts of many runs are written together."""
        heads = [head(1, LARGE, owner="me"), head(2, OTHER, parent=1, shared=1)]
        entries: list[Entry] = [heads[0], row(1, 1, LARGE), heads[1], row(2, 2)]
        store.write(entries)
        assert sorted(store.heads(), key=lambda each: each.run) == [
            evolve(head(1, LARGE, owner="me"), texts=()),
            evolve(head(2, OTHER, parent=1, shared=1), texts=()),
        ]
        assert store.head(2) == evolve(head(2, OTHER, parent=1, shared=1), texts=())
        assert list(store.rows(1)) == [kept(row(1, 1, LARGE))]
        assert store.texts(texts_of(entries)) == texts_of(entries)

    @given(st.data())
    @settings(max_examples=10)
    def test_any_number(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Any number of rows in any order is written, and read in order."""
        count = data.draw(st.integers(0, 600))
        with opened(tmp_path_factory.mktemp("rows") / "runs.db") as store:
            store.write(data.draw(st.permutations([row(1, number + 1) for number in range(count)])))
            assert seqs(store, 1) == list(range(1, count + 1))

    @pytest.mark.parametrize("entry", [row(1, 1), row(1, 1, LARGE), head(1)])
    def test_taken(self, store: SqlStore, entry: Any) -> None:
        """What is there already is not written again, and nothing beside it."""
        store.write([head(1), row(1, 1)])
        with pytest.raises(Taken):
            store.write([entry])
        with pytest.raises(Taken):
            store.write([head(2), row(2, 1, OTHER), entry])
        assert store.head(2) is None
        assert (seqs(store, 1), seqs(store, 2)) == ([1], [])
        assert not store.texts(texts_of([row(2, 1, OTHER)]))

    def test_a_text_twice(self, store: SqlStore, path: Path) -> None:
        """A large text is there once, whoever says it."""
        store.write([row(1, 1, LARGE), row(1, 2, LARGE)])
        store.write([row(2, 1, LARGE)])
        assert rows_of(path).execute("SELECT count(*) FROM texts").fetchone() == (1,)

    def test_letting_go(self, store: SqlStore) -> None:
        """A row that lets its run go takes the owner away, in the same transaction."""
        store.write([head(1, owner="me"), head(2, owner="me")])
        store.write([row(1, 1, lets_go=True)])
        assert [each.owner for each in (store.head(1), store.head(2)) if each] == [None, "me"]
        with pytest.raises(Taken):
            store.write([row(2, 1, lets_go=True), row(1, 1)])
        assert store.head(2) == head(2, owner="me")


class TestReading:
    def test_a_part(self, store: SqlStore) -> None:
        """Rows are read from a first to a last one; others' rows are not among them."""
        store.write([row(run, seq) for run in (1, 2) for seq in range(1, 6)])
        assert [each.seq for each in store.rows(1, 2, 4)] == [2, 3, 4]
        assert [each.seq for each in store.rows(1, 4)] == [4, 5]
        assert list(store.rows(3)) == []

    def test_the_last_rows(self, store: SqlStore) -> None:
        """Of every run that has rows the last one is found."""
        assert store.last_rows() == {}
        store.write([head(3), row(1, 1), row(1, 2, "last"), row(2, 7, "fork")])
        assert store.last_rows() == {1: row(1, 2, "last"), 2: row(2, 7, "fork")}

    def test_what_is_not_there(self, store: SqlStore) -> None:
        """A run, an owner and a text that are not there are not found."""
        assert (store.head(1), store.owner("me"), store.texts([b"x"] * 1200)) == (None, None, {})


class TestOwners:
    def test_comes_and_goes(self, store: SqlStore) -> None:
        """An owner is known, beats, and gives its runs back when it goes; others keep theirs."""
        store.add_owner(ME)
        store.add_owner(evolve(ME, name="other"))
        store.beat("me")
        store.beat("me")
        store.write([head(1, owner="me"), head(2, owner="other")])
        assert store.owner("me") == evolve(ME, beat=2)
        store.remove_owner("me")
        assert store.owner("me") is None
        assert [each.owner for each in (store.head(1), store.head(2)) if each] == [None, "other"]
        assert store.owner("other") == evolve(ME, name="other")

    @pytest.mark.parametrize("owner", [None, "dead"])
    def test_a_claim(self, store: SqlStore, owner: str | None) -> None:
        """A run is handed over, with a row, by whom it belongs to."""
        store.write([head(1, owner=owner)])
        assert store.claim(row(1, 1, LARGE), "me", owner)
        assert store.head(1) == evolve(head(1, owner="me"), known=1)
        assert list(store.rows(1)) == [kept(row(1, 1, LARGE))]
        assert store.texts(texts_of([row(1, 1, LARGE)]))

    @pytest.mark.parametrize("instead_of", [None, "wrong"])
    def test_a_wrong_claim(self, store: SqlStore, instead_of: str | None) -> None:
        """A run that is somebody else's, or not there, stays as it is."""
        store.write([head(1, owner="other")])
        assert not store.claim(row(1, 1), "me", instead_of)
        assert not store.claim(row(2, 1), "me", instead_of)
        assert store.head(1) == head(1, owner="other")
        assert seqs(store, 1) == []

    def test_a_taken_claim(self, store: SqlStore) -> None:
        """Where the row is there already, the run is not handed over."""
        store.write([head(1), row(1, 1)])
        with pytest.raises(Taken):
            store.claim(row(1, 1), "me", None)
        assert store.head(1) == head(1)


class TestDelete:
    def test_texts_in_use_stay(self, store: SqlStore) -> None:
        """With a run go its rows, and those texts that no head and no row of another run says."""
        gone: list[Entry] = [head(1, LARGE), row(1, 1, OTHER), row(1, 2, LARGE * 2)]
        left: list[Entry] = [head(2, LARGE), row(2, 1, OTHER)]
        store.write(gone + left)
        store.delete([1])
        assert [each.run for each in store.heads()] == [2]
        assert (seqs(store, 1), seqs(store, 2)) == ([], [1])
        assert store.texts(texts_of(gone + left)) == texts_of(left)

    def test_gives_space_back(self, store: SqlStore, path: Path) -> None:
        """After a deletion the file is smaller."""
        store.write([row(1, seq, "x" * 30 * seq) for seq in range(1, 300)])
        store.write([head(2)])
        store.delete([7])
        before = path.stat().st_size
        store.delete([1])
        assert path.stat().st_size < before / 2
        assert path.with_name("runs.db-wal").stat().st_size == 0

    def test_beside_a_reader(self, path: Path) -> None:
        """Those who read meanwhile go on reading what they saw."""
        with opened(path, busy_s=0.05) as store, closing(rows_of(path)) as reader:
            store.write([head(1), row(1, 1), row(1, 2)])
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM log").fetchone() == (2,)
            store.delete([1])
            assert reader.execute("SELECT count(*) FROM log").fetchone() == (2,)
            assert store.heads() == []

    def test_a_damaged_row(self, store: SqlStore, path: Path) -> None:
        """Where it cannot be told which texts are in use, nothing is deleted."""
        store.write([head(1, LARGE), head(2)])
        rows_of(path).execute("UPDATE runs SET body = 'x' WHERE run = 2")
        with pytest.raises(JournalError, match="a row is damaged: its body cannot be read"):
            store.delete([1])
        assert store.head(1) is not None


class TestDamage:
    @pytest.mark.parametrize("change", ["kind = x'00'", "asked = 'a'", "body = 7", "seal = 1.5"])
    def test_a_row(self, store: SqlStore, path: Path, change: str) -> None:
        """A row with a column that holds something else is named."""
        store.write([head(1), row(1, 1), row(1, 2), row(1, 3)])
        rows_of(path).execute(f"UPDATE log SET {change} WHERE seq = 3")
        for read in (lambda: store.rows(1), store.last_rows):
            with pytest.raises(JournalError, match="this row is damaged") as caught:
                read()
            assert (caught.value.run, caught.value.row) == (f"{1:015x}", 3)
            assert str(caught.value).startswith(f"{path}, run 000000000000001, row 3: this row")

    def test_a_row_without_numbers(self, store: SqlStore, path: Path) -> None:
        """A row whose own numbers are none is refused as well."""
        rows_of(path).execute("INSERT INTO log VALUES ('x', 'y', 'event', x'', x'', x'')")
        with pytest.raises(JournalError, match=r"run \?: this row is damaged") as caught:
            store.last_rows()
        assert caught.value.row == 0

    @pytest.mark.parametrize("change", ["body = 'x'", "seal = 1", "shared = 'x'", "owner = x'00'", "parent = 'x'"])
    def test_a_head(self, store: SqlStore, path: Path, change: str) -> None:
        """A head with a column that holds something else is named."""
        store.write([head(1)])
        rows_of(path).execute(f"UPDATE runs SET {change}")
        for read in (lambda: store.head(1), store.heads):
            with pytest.raises(JournalError, match=r"run 000000000000001: its header is damaged"):
                read()

    def test_a_text(self, store: SqlStore, path: Path) -> None:
        """A text with something else for a content is named by its digest."""
        (digest,) = texts_of([row(1, 1, LARGE)])
        store.write([row(1, 1, LARGE)])
        rows_of(path).execute("UPDATE texts SET content = 'x'")
        with pytest.raises(JournalError, match=f"the text {digest.hex()} is damaged"):
            store.texts([digest])

    def test_an_owner(self, store: SqlStore, path: Path) -> None:
        """An owner with something else in a column is refused."""
        store.add_owner(ME)
        rows_of(path).execute("UPDATE owners SET beat = 'often'")
        with pytest.raises(JournalError, match="what it has of an owner is damaged"):
            store.owner("me")

    def test_a_kind_that_is_no_text(self, store: SqlStore, path: Path) -> None:
        """Bytes that are no UTF-8 are read as something that is no kind of row."""
        store.write([row(1, 1)])
        rows_of(path).execute("UPDATE log SET kind = CAST(x'ff' AS TEXT)")
        assert [each.kind for each in store.rows(1)] == ["\ufffd"]


class TestClosed:
    @pytest.mark.parametrize(
        "use",
        [
            lambda store: store.write([row(1, 1)]),
            lambda store: store.write([head(1), row(1, 1)]),
            lambda store: store.rows(1),
            lambda store: store.heads(),
            lambda store: store.delete([1]),
        ],
    )
    def test_refuses(self, path: Path, use: Callable[[SqlStore], object]) -> None:
        """A store that is closed says so."""
        with opened(path) as store:
            pass
        with pytest.raises(JournalError, match=r"it is closed\. Open it again"):
            use(store)
        store.close()


def test_two_connections(path: Path) -> None:
    """What one connection has written, another one reads, and refuses to write again."""
    with opened(path) as one, opened(path) as other:
        one.write([head(1), row(1, 1)])
        assert seqs(other, 1) == [1]
        with pytest.raises(Taken):
            other.write([row(1, 1)])
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
