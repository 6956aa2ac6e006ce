"""A journal in one file of SQLite. The one file of the journal that imports sqlite3."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NoReturn

from tinysmith.errors import JournalError
from tinysmith.journal._rows import Taken
from tinysmith.journal._sql import LAYOUTS, VERSION, SqlStore

APPLICATION = 0x74736D6A
"""What SQLite keeps in the file's header to tell whose it is."""

_NAME = re.compile(r"CREATE (?:TABLE|UNIQUE INDEX) (\w+)")

BUSY_S = 30.0
"""How long another process's transaction is waited for."""

_REMEDIES = {
    "disk is full": "The disk is full. What was committed is kept; free some space and resume.",
    "readonly": "The file cannot be written. Check the permissions of the file and its folder.",
    "read-only": "The file cannot be written. Check the permissions of the file and its folder.",
    "locked": "Another process has kept it locked for {busy:g} s. Wait until that has ended.",
    "unable to open": "The file cannot be opened. Check the path, and the permissions of its folder.",
    "not a database": "This is no journal, nor any file of SQLite. Name another file.",
    "malformed": "The file is damaged. Restore it from a copy.",
    "disk i/o error": "The disk failed. What was committed is kept; check the disk, and the limits on file sizes.",
}


def _made(version: int) -> dict[str, str]:
    """What a layout makes, by name, in the words in which SQLite keeps it."""
    statements = (statement for layout in LAYOUTS[:version] for statement in layout)
    return {found[1]: statement for statement in statements if (found := _NAME.match(statement))}


def sqlite_store(path: Path, synchronous: Literal["FULL", "NORMAL"], *, read_only: bool) -> SqlStore:
    """The store in a file; it is made if it is not there.

    Raises:
        JournalError: The file cannot be opened, is no journal, or one of a newer version.
    """
    return SqlStore(SqliteDoor(path, synchronous, read_only=read_only))


class SqliteDoor:
    """One connection to a file of SQLite.

    Args:
        path: The file.
        synchronous: When the file system is waited for: at each commit, or only now and then, in which case the
            last commits may be lost when the machine fails (not when a process does).
        read_only: Whether nothing may be written.
    """

    def __init__(self, path: Path, synchronous: Literal["FULL", "NORMAL"], *, read_only: bool) -> None:
        self.place = str(path)
        try:
            self._connection = _connect(path, read_only=read_only)
            try:
                self._open(synchronous, read_only=read_only)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            self._fail(error)

    def run(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Runs a statement with `?` for its values."""
        try:
            return self._connection.execute(statement, values)
        except sqlite3.IntegrityError as error:
            raise Taken(str(error)) from None
        except sqlite3.Error as error:
            self._fail(error)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is run within it holds, durably, or nothing of it."""
        # At once for writing: a transaction that only then becomes a writer may be refused.
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite ends it by itself when the disk is full
                self.run("ROLLBACK")
            raise

    def lock_out(self) -> None:
        """Nothing: SQLite has one writer at a time."""

    def compact(self) -> None:
        """Gives the space of what was deleted back."""
        self.run("VACUUM")
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()

    def _open(self, synchronous: str, *, read_only: bool) -> None:
        run = self._connection.execute
        run("PRAGMA trusted_schema = OFF")  # nothing that stands in the file is run
        (application,), (version,) = run("PRAGMA application_id").fetchone(), run("PRAGMA user_version").fetchone()
        found: dict[str, str] = dict(run("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
        if not found and not version and not application:
            if read_only:
                raise JournalError("this file is empty, so there is no journal to read.", place=self.place)
            version = 0
        elif application != APPLICATION:
            raise JournalError("this SQLite file is another program's. Name another file.", place=self.place)
        elif version > VERSION:
            problem = f"it was written by a newer tinysmith (layout {version}; this one knows up to {VERSION})."
            raise JournalError(f"{problem} Use that one.", place=self.place)
        elif found != _made(version):
            # Also before anything is written: a trigger of somebody else's would run.
            strange = ", ".join(sorted({name for name, _ in found.items() ^ _made(version).items()}))
            problem = f"another program has changed this file: {strange}. Restore it from a copy."
            raise JournalError(problem, place=self.place)
        if read_only:
            return
        if run("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise JournalError(
                "SQLite cannot keep a write-ahead log here. Use a local disk, not a network share.",
                place=self.place,
            )
        run(f"PRAGMA synchronous = {synchronous}")
        self._migrate(version)

    def _migrate(self, version: int) -> None:
        """Brings the layout to this version, each time by one, in one transaction."""
        if version == VERSION:
            return
        with self.transaction():
            # Another process may have done so in the meantime.
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            for number, statements in enumerate(LAYOUTS[version:], start=version + 1):
                for statement in statements:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION}")

    def _fail(self, error: sqlite3.Error) -> NoReturn:
        said = str(error)
        remedy = next((remedy for sign, remedy in _REMEDIES.items() if sign in said.lower()), "")
        text = remedy.format(busy=BUSY_S) if remedy else "What was committed is kept."
        raise JournalError(f"{text} (SQLite: {said})", place=self.place) from None


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # Statements are serialised by the journal, and transactions are begun and ended by hand.
    given: dict[str, Any] = {"timeout": BUSY_S, "isolation_level": None, "check_same_thread": False}
    connection: sqlite3.Connection
    if not read_only:
        connection = sqlite3.connect(path, **given)
        return connection
    if not path.is_file():
        raise JournalError("there is no such journal. Check the path.", place=str(path))
    address = path.absolute().as_uri()
    try:
        connection = sqlite3.connect(f"{address}?mode=ro", uri=True, **given)
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        if path.with_name(f"{path.name}-wal").exists():
            raise
        # Where nothing can be written, not even the log's index: nobody else writes there, either.
        connection = sqlite3.connect(f"{address}?immutable=1", uri=True, **given)
    return connection
