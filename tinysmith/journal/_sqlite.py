"""A journal in one file of SQLite. The one file of the journal that imports sqlite3."""

import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn

from attrs import frozen

from tinysmith._shown import one_line
from tinysmith.errors import JournalError
from tinysmith.journal._rows import Taken
from tinysmith.journal._sql import LAYOUTS, Layouts, SqlStore

APPLICATION = 0x74736D6A
"""What SQLite keeps in the file's header to tell whose it is."""

BUSY_S = 30.0
"""How long another process's transaction is waited for."""

_AGAIN_S = 0.01
_COMPACT_S = 1.0

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full. What was committed is kept; free some space and resume.",
    sqlite3.SQLITE_READONLY: "the file cannot be written. Check the permissions of the file and its folder.",
    sqlite3.SQLITE_BUSY: "another process keeps it locked. Wait until that has ended, and resume.",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened. Check the permissions of the file and its folder.",
    sqlite3.SQLITE_NOTADB: "this is no journal, nor any file of SQLite. Name another file.",
    sqlite3.SQLITE_CORRUPT: "the file is damaged. Restore it from a copy.",
    sqlite3.SQLITE_IOERR: "the disk failed. What was committed is kept; check the disk, and limits on file sizes.",
    0: "it is closed. Open it again.",
}
_OTHERWISE = "this cannot be done. What was committed is kept."
_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
_STATISTICS = {"sqlite_stat1", "sqlite_stat4"}  # tables that SQLite's own ANALYZE makes


def sqlite_store(
    path: Path,
    synchronous: Literal["FULL", "NORMAL"],
    *,
    read_only: bool,
    busy_s: float = BUSY_S,
    layouts: Layouts = LAYOUTS,
) -> SqlStore:
    """The store in a file; it is made if it is not there.

    Args:
        path: The file.
        synchronous: When the file system is waited for: at each commit, or only now and then, in which case the
            last commits may be lost when the machine fails (not when a process does).
        read_only: Whether nothing may be written.
        busy_s: How long another process's transaction is waited for, in seconds.
        layouts: Every layout up to the one that is wanted.

    Raises:
        JournalError: The file cannot be opened, is no journal, or one of a newer version.
    """
    if read_only:
        return SqlStore(_ReadingDoor(_File(path, busy_s, layouts)))
    with suppress(OSError):  # what may not be looked at cannot be opened either, which SQLite says
        if not path.parent.is_dir():
            raise JournalError("its folder does not exist. Make it first, or check the path.", place=str(path))
        if path.is_dir():
            raise JournalError("this is a folder. Name a file.", place=str(path))
    return SqlStore(_WritingDoor(_File(path, busy_s, layouts), synchronous))


@frozen
class _Seen:
    """What tells whether a file was written to.

    Attributes:
        has_log: Whether something stands in its write-ahead log.
        mark: Of the file itself; None if there is none.
    """

    has_log: bool
    mark: tuple[int, int, int] | None


@frozen
class _File:
    """A file, and how it is used.

    Attributes:
        path: Where it is.
        busy_s: How long another process's transaction is waited for.
        layouts: Every layout up to the one that is wanted.
    """

    path: Path
    busy_s: float
    layouts: Layouts

    def seen(self) -> _Seen:
        """How it looks now."""
        try:
            path = self.path.resolve()  # the log is beside the file itself, not beside a link to it
            log = path.with_name(f"{path.name}-wal")
            has_log = log.is_file() and log.stat().st_size > 0
            file = path.stat()
        except (OSError, RuntimeError):  # the latter for links in a circle
            return _Seen(has_log=False, mark=None)
        is_file = stat.S_ISREG(file.st_mode)
        return _Seen(has_log, (file.st_ino, file.st_size, file.st_mtime_ns) if is_file else None)


class _SqliteDoor:
    """One connection to a file of SQLite.

    Args:
        file: The file.
        how: How SQLite opens it.
    """

    def __init__(self, file: _File, how: str) -> None:
        self.place = str(file.path)
        self._file = file
        self._is_open = True
        try:
            # One thread at a time is in here, the journal sees to that; transactions are begun and ended by hand.
            self._connection = sqlite3.connect(
                f"{file.path.absolute().as_uri()}?{how}",
                timeout=file.busy_s,
                isolation_level=None,
                check_same_thread=False,
                uri=True,
            )
        except sqlite3.Error as error:
            self._fail(error)
        # In a damaged file a text may be none; its row's seal tells.
        self._connection.text_factory = _decoded
        self._connection.execute("PRAGMA trusted_schema = OFF")  # nothing that stands in the file is run
        self._connection.execute("PRAGMA cell_size_check = ON")

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement with `?` for its values, and says how many rows it changed."""
        try:
            return self._connection.execute(statement, values).rowcount
        except sqlite3.Error as error:
            self._fail(error)

    def found(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds; what comes before a damaged place comes before the error."""
        # All at once: a query that is not read to its end would stay open.
        read: list[tuple[Any, ...]] = []
        damage: sqlite3.Error | UnicodeDecodeError | None = None
        try:
            read.extend(self._connection.execute(query, values))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            damage = error
        yield from read
        if damage is not None:
            self._fail(damage)

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """All that is run within it holds, durably, or nothing of it.

        Args:
            kind: Which locks are taken at once. A transaction that only later becomes a writer may be refused.
        """
        try:
            self.run(f"BEGIN {kind}")
            yield
            self.run("COMMIT")
        except BaseException:
            if self._is_open and self._connection.in_transaction:  # SQLite ends it by itself when the disk is full
                self.run("ROLLBACK")
            raise

    def lock_out(self) -> None:
        """Nothing: SQLite has one writer at a time."""

    def compact(self) -> None:
        """Gives the space of what was deleted back."""
        self.run("VACUUM")
        # Others may read there for long; then the next one does it.
        self._wait(min(self._file.busy_s, _COMPACT_S))
        list(self.found("PRAGMA wal_checkpoint(TRUNCATE)"))
        self._wait(self._file.busy_s)

    def close(self) -> None:
        """Gives the connection back."""
        self._is_open = False
        self._connection.close()

    def _wait(self, busy_s: float) -> None:
        self.run(f"PRAGMA busy_timeout = {int(busy_s * 1000)}")

    def _version(self) -> int:
        """The version of the layout of this file; 0 if there is nothing in it.

        Raises:
            JournalError: It is no journal, one of a newer version, or something in it does not belong there.
        """
        ((application,),) = _SqliteDoor.found(self, "PRAGMA application_id")
        ((version,),) = _SqliteDoor.found(self, "PRAGMA user_version")
        things = {_thing(*found) for found in _SqliteDoor.found(self, "SELECT type, name, sql FROM sqlite_master")}
        things -= {("table", name, sql) for _, name, sql in things if name in _STATISTICS}
        if not (application or version or things):
            return 0
        if application != APPLICATION:
            raise JournalError("this SQLite file is another program's. Name another file.", place=self.place)
        newest = len(self._file.layouts)
        if version > newest:
            problem = f"it was written by a newer tinysmith (layout {version}; this one knows up to {newest})."
            raise JournalError(f"{problem} Use that one.", place=self.place)
        version = max(int(version), 0)  # a damaged file may have less
        if strange := things ^ _made(self._file.layouts[:version]):
            names = one_line(", ".join(sorted({str(name) for _, name, _ in strange})))
            problem = f"another program has changed this file: {names}. Restore it from a copy."
            raise JournalError(problem, place=self.place)
        return version

    def _fail(self, error: sqlite3.Error | UnicodeDecodeError) -> NoReturn:
        code = getattr(error, "sqlite_errorcode", 0)  # those of the Python module have none
        if isinstance(error, UnicodeDecodeError):  # from SQLite's own words, which quote the file
            code = sqlite3.SQLITE_CORRUPT
        said = one_line(str(error))
        if code in _UNIQUE:
            raise Taken(said) from None
        problem = _REMEDIES.get(code & 0xFF, _OTHERWISE)
        raise JournalError(f"{problem} (SQLite: {said})", place=self.place) from None


class _WritingDoor(_SqliteDoor):
    """A connection that writes.

    Args:
        file: The file.
        synchronous: When the file system is waited for.
    """

    def __init__(self, file: _File, synchronous: str) -> None:
        super().__init__(file, "mode=rwc")
        try:
            with self.transaction("DEFERRED"):
                self._version()  # before another program's file is changed
            self._keep_log()
            self.run(f"PRAGMA synchronous = {synchronous}")
            with self.transaction():
                self._migrate()
                # SQLite opens what may only be read as well, and would say so no sooner than at the first row.
                self.run("DELETE FROM owners WHERE 0")
        except BaseException:
            self._connection.close()
            raise

    def _keep_log(self) -> None:
        """Has SQLite keep a write-ahead log from now on."""
        until = time.monotonic() + self._file.busy_s
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.Error as error:
                is_busy = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() >= until:
                    self._fail(error)
            else:
                return
            time.sleep(_AGAIN_S)  # here SQLite itself does not wait for another process that writes

    def _migrate(self) -> None:
        """Brings the layout to the newest version, in the transaction that is open."""
        version = self._version()  # another process may have done it by now
        for number, layout in enumerate(self._file.layouts[version:], start=version + 1):
            for statement in layout:
                self.run(statement)
            self.run(f"PRAGMA user_version = {number}")
            self.run(f"PRAGMA application_id = {APPLICATION}")


class _ReadingDoor(_SqliteDoor):
    """A connection that reads, and makes no file, save the index of a log that was copied without one.

    SQLite itself makes a log and its index even to read, in which the file's owner could then perhaps not write.
    So where there is no log, nothing is locked; should somebody write meanwhile, what was read is read again.
    """

    def __init__(self, file: _File) -> None:
        self._open(file)

    def found(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds; what comes before a damaged place comes before the error."""
        while True:
            read: list[tuple[Any, ...]] = []
            damage: JournalError | None = None
            try:
                read.extend(super().found(query, values))
            except JournalError as error:
                damage = error
            if self._seen.has_log or not self._is_open or self._seen == self._file.seen():
                yield from read
                if damage is not None:
                    raise damage
                return
            self.close()
            self._open(self._file)

    def _open(self, file: _File) -> None:
        self._seen = file.seen()
        if self._seen.mark is None:
            raise JournalError("there is no such journal. Check the path.", place=str(file.path))
        super().__init__(file, "mode=ro" if self._seen.has_log else "immutable=1")
        try:
            with self.transaction("DEFERRED"):
                version = self._version()
            if version != len(file.layouts):
                self._refuse(version)
        except BaseException:
            self.close()
            raise

    def _refuse(self, version: int) -> NoReturn:
        if version == 0:
            raise JournalError("this file is empty, so there is no journal to read.", place=self.place)
        problem = f"it was written by an older tinysmith (layout {version}). Open it once for writing."
        raise JournalError(problem, place=self.place)


@cache
def _made(layouts: Layouts) -> frozenset[tuple[str, str, str]]:
    """What layouts make, as SQLite itself tells it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for layout in layouts:
            for statement in layout:
                connection.execute(statement)
        return frozenset(
            _thing(*found) for found in connection.execute("SELECT type, name, sql FROM sqlite_master")
        )


def _thing(kind: object, name: object, sql: object) -> tuple[str, str, str]:
    """One thing in a file, however its words are set in lines."""
    return str(kind), str(name), " ".join(str(sql).split())


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")
