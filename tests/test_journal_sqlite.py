"""A store in a file of SQLite: what is opened, what is refused, and what is read."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from journal_rows import ME, files, filled, head, in_child, opened, row, seqs, unprivileged
from journaled import rows_of

from tinysmith.errors import JournalError
from tinysmith.journal._sql import LAYOUTS, Layouts
from tinysmith.journal._sqlite import APPLICATION, sqlite_store

NEXT: Layouts = (*LAYOUTS, ("ALTER TABLE owners ADD COLUMN mood TEXT", "CREATE TABLE moods (mood TEXT)"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file for a store."""
    return tmp_path / "runs.db"


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A folder that everybody may go to, with a journal in it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        filled(folder / "runs.db")
        yield folder


class TestOpening:
    def test_a_new_file(self, path: Path) -> None:
        """A file that is not there is made, marked as a journal, with a write-ahead log."""
        with opened(path) as store:
            assert (store.place, store.heads()) == (str(path), [])
            with closing(rows_of(path)) as file:
                assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert file.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
                assert file.execute("PRAGMA user_version").fetchone() == (len(LAYOUTS),)
        assert list(files(path.parent)) == ["runs.db"]

    def test_an_empty_file(self, path: Path) -> None:
        """An empty file becomes a journal; for reading it is refused, and stays empty."""
        path.touch()
        with pytest.raises(JournalError, match="this file is empty"):
            sqlite_store(path, "FULL", read_only=True)
        assert path.read_bytes() == b""
        filled(path)

    def test_an_old_file(self, path: Path) -> None:
        """What was written is there when the file is opened again, whatever its name and however it is named."""
        strange = path.with_name("a b?mode=memory#%41.db")
        filled(strange)
        link = path.with_name("link.db")
        link.symlink_to(strange)
        for read_only in (False, True):
            for name in (strange, link, Path(os.path.relpath(strange))):
                with opened(name, read_only=read_only) as store:
                    assert seqs(store, 1) == [1, 2, 3]

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("none/runs.db", "its folder does not exist. Make it first"),
            (".", "this is a folder. Name a file"),
            ("x" * 300, "the file cannot be opened"),
        ],
    )
    def test_no_such_place(self, tmp_path: Path, name: str, problem: str) -> None:
        """Where no file can be, this is said, and nothing is made."""
        with pytest.raises(JournalError, match=problem):
            sqlite_store(tmp_path / name, "FULL", read_only=False)
        with pytest.raises(JournalError, match="there is no such journal"):
            sqlite_store(tmp_path / name, "FULL", read_only=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_circle_of_links(self, path: Path) -> None:
        """A link to itself is no journal."""
        path.symlink_to(path)
        with pytest.raises(JournalError, match="the file cannot be opened"):
            sqlite_store(path, "FULL", read_only=False)
        with pytest.raises(JournalError, match="there is no such journal"):
            sqlite_store(path, "FULL", read_only=True)

    def test_no_database(self, path: Path) -> None:
        """A file that is none of SQLite is refused, and stays as it was."""
        path.write_bytes(b"a text\n" * 999)
        for read_only in (False, True):
            with pytest.raises(JournalError, match="this is no journal, nor any file of SQLite"):
                sqlite_store(path, "FULL", read_only=read_only)
        assert files(path.parent) == {"runs.db": b"a text\n" * 999}

    @pytest.mark.parametrize(
        "statement", ["CREATE TABLE a (b)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"]
    )
    def test_another_programs(self, path: Path, statement: str) -> None:
        """Another program's file is refused, and stays as it was."""
        with closing(rows_of(path)) as file:
            file.execute(statement)
        before = files(path.parent)
        for read_only in (False, True):
            with pytest.raises(JournalError, match="another program's"):
                sqlite_store(path, "FULL", read_only=read_only)
        assert files(path.parent) == before

    def test_a_newer_version(self, path: Path) -> None:
        """A file of a newer version is refused, and stays as it was."""
        with opened(path, layouts=NEXT):
            pass
        before = files(path.parent)
        for read_only in (False, True):
            with pytest.raises(JournalError, match=r"by a newer tinysmith \(layout 2; this one knows up to 1\)"):
                sqlite_store(path, "FULL", read_only=read_only)
        assert files(path.parent) == before

    @pytest.mark.parametrize(
        ("statement", "name"),
        [
            ("CREATE TRIGGER evil AFTER INSERT ON log BEGIN DELETE FROM log; END", "evil"),
            ("CREATE TABLE stray (a)", "stray"),
            ('CREATE TABLE "two\nlines" (a)', "two…"),
            ("CREATE VIEW look AS SELECT * FROM log", "look"),
            ("CREATE INDEX more ON log (kind)", "more"),
            ("DROP INDEX log_in_order", "log_in_order"),
            ("ALTER TABLE texts ADD COLUMN more DEFAULT (random())", "texts"),
            ("PRAGMA user_version = -1", "log"),
        ],
    )
    def test_something_strange_in_it(self, path: Path, statement: str, name: str) -> None:
        """A journal in which something is another's, or is missing, is refused before anything of it is run."""
        filled(path)
        with closing(rows_of(path)) as file:
            file.execute(statement)
        before = files(path.parent)
        for read_only in (False, True):
            with pytest.raises(JournalError, match=f"another program has changed this file: .*{name}"):
                sqlite_store(path, "FULL", read_only=read_only)
        assert files(path.parent) == before

    def test_words_that_are_no_text(self, path: Path) -> None:
        """What SQLite says of a file is told also where it quotes bytes that are no text."""
        filled(path)
        with closing(rows_of(path)) as file:
            file.execute("PRAGMA writable_schema = ON")
            file.execute("UPDATE sqlite_master SET sql = CAST(x'ff' AS TEXT) WHERE name = 'texts'")
            file.execute("UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT) WHERE name = 'texts'")
        for read_only in (False, True):
            with pytest.raises(JournalError, match="the file is damaged"):
                sqlite_store(path, "FULL", read_only=read_only)

    def test_statistics(self, path: Path) -> None:
        """What SQLite's own ANALYZE leaves in a file is no other program's."""
        filled(path)
        with closing(rows_of(path)) as file:
            file.execute("ANALYZE")
        with opened(path) as store:
            assert seqs(store, 1) == [1, 2, 3]

    def test_two_at_once(self, path: Path) -> None:
        """Processes that open the same new file at once all have it."""
        context = multiprocessing.get_context("fork")
        barrier = context.Barrier(3)

        def work(run: int) -> None:
            barrier.wait(30)
            with opened(path) as store:
                store.write([head(run), row(run, 1)])

        processes = [context.Process(target=work, args=(run,)) for run in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0, 0]
        with opened(path, read_only=True) as store:
            assert sorted(store.last_rows()) == [0, 1, 2]


class TestMigration:
    def test_goes_forward(self, path: Path) -> None:
        """An older file is brought to the newest version once it is opened for writing, with all that is in it."""
        filled(path)
        with pytest.raises(JournalError, match=r"an older tinysmith \(layout 1\). Open it once for writing"):
            sqlite_store(path, "FULL", read_only=True, layouts=NEXT)
        for read_only in (False, True):
            with opened(path, layouts=NEXT, read_only=read_only) as store:
                assert seqs(store, 1) == [1, 2, 3]
        with closing(rows_of(path)) as file:
            assert file.execute("SELECT count(*) FROM moods").fetchone() == (0,)

    @pytest.mark.parametrize("version", [0, 1])
    def test_killed_in_the_middle(self, path: Path, version: int) -> None:
        """A process that is killed while it makes a layout leaves the file as it was."""

        class Deadly(tuple[str, ...]):
            """Statements of which only the first is reached."""

            __slots__ = ()

            def __iter__(self) -> Iterator[str]:
                yield self[0]
                os.kill(os.getpid(), signal.SIGKILL)

        def work() -> int:
            sqlite_store(path, "FULL", read_only=False, layouts=(*LAYOUTS[:version], Deadly(NEXT[version])))
            return 0

        if version:
            filled(path)
        assert in_child(work) == -signal.SIGKILL
        with opened(path, layouts=NEXT[: max(version, 1)]) as store:
            assert seqs(store, 1) == [1, 2, 3] * version
        with opened(path, layouts=NEXT) as store:
            assert seqs(store, 1) == [1, 2, 3] * version


class TestReadOnly:
    def test_makes_no_file(self, path: Path) -> None:
        """Reading makes no file and changes none, and nothing can be written."""
        filled(path)
        before = files(path.parent)
        with opened(path, read_only=True) as store:
            assert seqs(store, 1) == [1, 2, 3]
            with pytest.raises(JournalError, match="the file cannot be written"):
                store.write([row(1, 4)])
            assert files(path.parent) == before
        assert files(path.parent) == before

    def test_a_folder_that_cannot_be_written(self, everybodys: Path) -> None:
        """In a folder where nobody may write a journal is read, and cannot be opened for writing."""
        path = everybodys / "runs.db"
        path.chmod(0o444)
        everybodys.chmod(0o555)
        with unprivileged():
            with opened(path, read_only=True) as store:
                assert seqs(store, 1) == [1, 2, 3]
            with pytest.raises(JournalError, match=r"cannot be (opened|written). Check the permissions"):
                sqlite_store(path, "FULL", read_only=False)
            with pytest.raises(JournalError, match=r"cannot be opened. Check the permissions"):
                sqlite_store(everybodys / "new.db", "FULL", read_only=False)

    def test_a_folder_that_cannot_be_entered(self, everybodys: Path) -> None:
        """In a folder that may not be looked into nothing is opened."""
        everybodys.chmod(0)
        with unprivileged():
            with pytest.raises(JournalError, match=r"cannot be opened. Check the permissions"):
                sqlite_store(everybodys / "runs.db", "FULL", read_only=False)
            with pytest.raises(JournalError, match="there is no such journal"):
                sqlite_store(everybodys / "runs.db", "FULL", read_only=True)

    @pytest.mark.parametrize("is_linked", [False, True])
    def test_while_somebody_writes(self, path: Path, is_linked: bool) -> None:  # of the table above
        """What is only in the log yet is read, from the beginning and later, also where a link names the file."""
        name = path
        if is_linked:
            (path.parent / "elsewhere").mkdir()
            name = path.parent / "elsewhere" / "link.db"
            name.symlink_to(path)
        with opened(path) as writer:
            writer.write([row(1, 1)])
            with opened(name, read_only=True) as reader:
                assert seqs(reader, 1) == [1]
                writer.write([row(1, 2)])
                assert seqs(reader, 1) == [1, 2]

    def test_when_somebody_begins_to_write(self, path: Path) -> None:
        """A reader of a quiet file sees what others write later, whether they have closed it or not."""
        filled(path)
        with opened(path, read_only=True) as reader:
            with opened(path) as writer:
                writer.write([row(1, 4)])
                assert seqs(reader, 1) == [1, 2, 3, 4]
                writer.write([row(1, 5)])
            assert seqs(reader, 1) == [1, 2, 3, 4, 5]
        with opened(path, read_only=True) as reader:
            with opened(path) as writer:
                writer.write([row(1, 6)])
            assert seqs(reader, 1) == [1, 2, 3, 4, 5, 6]

    def test_a_file_that_goes(self, path: Path) -> None:
        """A file that is gone meanwhile is missed."""
        filled(path)
        with opened(path, read_only=True) as reader:
            path.unlink()
            with pytest.raises(JournalError, match="there is no such journal"):
                reader.heads()


class TestTransaction:
    def test_is_rolled_back(self, path: Path) -> None:
        """What was done in a transaction that an error ends is undone, and the next one begins afresh."""
        with opened(path) as store:

            def fail() -> None:
                with store._door.transaction():
                    store.add_owner(ME)
                    raise ZeroDivisionError

            for _ in range(2):
                with pytest.raises(ZeroDivisionError):
                    fail()
                assert store.owner("me") is None
            store.add_owner(ME)

    def test_a_statement_that_is_wrong(self, path: Path) -> None:
        """Whatever else SQLite says becomes a JournalError with its words."""
        with (
            opened(path) as store,
            pytest.raises(JournalError, match=r"cannot be done.*\(SQLite: no such table: a\)"),
        ):
            store._door.run("DELETE FROM a")
