"""What an index's file says of itself, and what is refused."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysmith.errors import DataError
from tinysmith.retrieval._file import Header, IndexFile, finish, header_of, make_index, open_index

Door = Callable[[Path], IndexFile]
DOORS: dict[str, Door] = {
    "open": lambda path: open_index(path, "lexical"),
    "make": lambda path: make_index(path, "lexical"),
}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A name that a URL would have to escape."""
    return tmp_path / "an index?#%.db"


def made(path: Path) -> Path:
    """A finished lexical index with nothing in it."""
    with closing(make_index(path, "lexical")) as file, file.writing() as connection:
        finish(connection)
    return path


def meddle(path: Path, *statements: str) -> Path:
    """What somebody else does to the file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


class TestMakeIndex:
    def test_unfinished(self, path: Path) -> None:
        """A new index is unfinished until it is marked as whole; it can be made again meanwhile."""
        make_index(path, "embedding", model="a/b").close()
        with pytest.raises(
            DataError, match=r"the index is unfinished\. Build it again; it goes on where it stopped"
        ):
            open_index(path, "embedding", model="a/b")
        with closing(make_index(path, "embedding", model="a/b")) as file, file.writing() as connection:
            finish(connection)
        open_index(path, "embedding", model="a/b").close()

    def test_empty_file(self, path: Path) -> None:
        """An empty file becomes an index, and is none before."""
        path.touch()
        with pytest.raises(DataError, match="it is no index"):
            open_index(path, "lexical")
        open_index(made(path), "lexical").close()

    def test_no_folder(self, tmp_path: Path) -> None:
        """Where there is no folder, the error says to look for it."""
        with pytest.raises(DataError, match="See that it is a file, that its folder is there"):
            make_index(tmp_path / "missing" / "index.db", "lexical")

    def test_at_once(self, path: Path) -> None:
        """Two that make one file at once make it once."""
        with ThreadPoolExecutor(4) as pool:
            for file in pool.map(lambda _: make_index(path, "lexical"), range(8)):
                file.close()
        assert header_of(path) == Header("lexical", "", is_whole=False)
        open_index(made(path), "lexical").close()


class TestOpenIndex:
    def test_missing(self, path: Path) -> None:
        """Where there is no file, none is made."""
        with pytest.raises(DataError, match=r"there is no such file\. Build the index first"):
            open_index(path, "lexical")
        assert not path.exists()

    def test_only_reads(self, path: Path) -> None:
        """What is opened cannot be written to."""
        with (
            closing(open_index(made(path), "lexical")) as file,
            pytest.raises(DataError, match="readonly"),
            file.writing() as connection,
        ):
            finish(connection)

    def test_half_written(self, path: Path) -> None:
        """What a killed build left half-written is rolled back."""
        with closing(sqlite3.connect(made(path))) as connection:
            connection.execute(
                "PRAGMA cache_size = 1"
            )  # so that what is not committed is in the file all the same
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE more (text)")
            connection.executemany("INSERT INTO more VALUES (?)", [("x" * 4000,)] * 100)
            copy = path.with_name("copy.db")
            journal = path.with_name(path.name + "-journal")
            copy.with_name("copy.db-journal").write_bytes(journal.read_bytes())
            copy.write_bytes(path.read_bytes())
        with closing(open_index(copy, "lexical")) as file, file.reading() as connection:
            assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("meta",)]


class TestRefusals:
    def test_kind(self, path: Path, door: Door) -> None:
        """An index of the other kind is refused, with the class that opens it."""
        make_index(path, "embedding", model="a/b").close()
        with pytest.raises(
            DataError, match=r"of kind 'embedding', not 'lexical'\. Open it with EmbeddingIndex, or"
        ):
            door(path)

    @pytest.mark.parametrize("model", ["a/c", ""])
    def test_model(self, path: Path, model: str) -> None:
        """An index of another model is refused, with both names."""
        make_index(path, "embedding", model="a/b").close()
        for make_or_open in (make_index, open_index):
            with pytest.raises(
                DataError, match=f"vectors of 'a/b', which those of '{model}' cannot be compared with"
            ):
                make_or_open(path, "embedding", model=model)

    def test_format(self, path: Path, door: Door) -> None:
        """A format that is not known is refused."""
        meddle(made(path), "UPDATE meta SET value = '2' WHERE name = 'format'")
        with pytest.raises(DataError, match=r"its format is '2', and this version reads 1\. Build the index anew"):
            door(path)

    def test_strange_kind(self, path: Path, door: Door) -> None:
        """So is a kind that is not known."""
        meddle(made(path), "UPDATE meta SET value = 'visual' WHERE name = 'kind'")
        with pytest.raises(DataError, match=r"of kind 'visual', not 'lexical'\. Open it with what wrote it, or"):
            door(path)

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (x)",
            "PRAGMA application_id = 7",
        ],
    )
    def test_somebody_elses(self, path: Path, door: Door, statement: str) -> None:
        """Another program's database is refused, and not touched."""
        before = meddle(path, statement).read_bytes()
        with pytest.raises(
            DataError, match=r"it is no index\. Give one that `tinysmith index` wrote, or a new name"
        ):
            door(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        "statements",
        [
            ["CREATE VIEW mine AS SELECT 1"],
            ["CREATE TRIGGER mine AFTER UPDATE ON meta BEGIN SELECT 1; END"],
            ["DROP TABLE meta", "CREATE VIEW meta AS SELECT 'format' AS name, '1' AS value"],
        ],
    )
    def test_code(self, path: Path, door: Door, statements: list[str]) -> None:
        """A file with a view or a trigger, which would run, is refused."""
        meddle(made(path), *statements)
        with pytest.raises(DataError, match="it is no index"):
            door(path)

    def test_other_file(self, path: Path, door: Door) -> None:
        """A file that is no database is refused, and not touched."""
        path.write_text("All hands on deck.\n" * 100)
        with pytest.raises(DataError, match="it is no index"):
            door(path)
        assert path.read_text() == "All hands on deck.\n" * 100

    def test_folder(self, tmp_path: Path, door: Door) -> None:
        """A folder is refused."""
        with pytest.raises(DataError, match="See that it is a file"):
            door(tmp_path)

    def test_no_meta(self, path: Path, door: Door) -> None:
        """A file with the mark of an index, and nothing behind it, is damaged."""
        meddle(made(path), "DROP TABLE meta", "CREATE TABLE other (x)")
        with pytest.raises(
            DataError, match=r"no such table: meta\)\. Where it is damaged, delete it and build it"
        ):
            door(path)

    @given(at=st.integers(0, 8191), noise=st.binary(min_size=1, max_size=200))
    @example(at=4022, noise=b"\x80")
    def test_damage(self, tmp_path_factory: pytest.TempPathFactory, at: int, noise: bytes) -> None:
        """Whatever bytes of a file are overwritten, it opens or is refused with a `DataError`."""
        path = made(tmp_path_factory.mktemp("damage") / "index.db")
        content = path.read_bytes()
        path.write_bytes(content[:at] + noise + content[at + len(noise) :])
        for door in DOORS.values():
            with suppress(DataError):
                door(path).close()


class TestIndexFile:
    def test_all_or_nothing(self, path: Path) -> None:
        """What fails within `writing` leaves the file as it was."""

        def write() -> None:
            with closing(make_index(path, "lexical")) as file, file.writing() as connection:
                finish(connection)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write()
        with pytest.raises(DataError, match="unfinished"):
            open_index(path, "lexical")

    def test_locked(self, path: Path) -> None:
        """Where another process writes for too long, the error says so, and does not call the file damaged."""
        with closing(sqlite3.connect(made(path), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            hasty = IndexFile(path, sqlite3.connect(path, timeout=0, isolation_level=None))
            problem = r"locked\). Another process is writing to it; wait until it has finished"
            with closing(hasty), pytest.raises(DataError, match=problem), hasty.writing() as connection:
                finish(connection)

    def test_trusts_nobody(self, path: Path) -> None:
        """What a file's schema calls may do no harm."""
        with closing(open_index(made(path), "lexical")) as file, file.reading() as connection:
            assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)

    def test_threads(self, path: Path) -> None:
        """Threads may share it; each has the connection for itself."""
        with closing(make_index(path, "lexical")) as file:
            with file.writing() as connection:
                connection.execute("CREATE TABLE numbers (number)")

            def add(number: int) -> None:
                with file.writing() as connection:
                    connection.execute("INSERT INTO numbers VALUES (?)", (number,))

            with ThreadPoolExecutor(8) as pool:
                list(pool.map(add, range(40)))
            with file.reading() as connection:
                assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (40,)
