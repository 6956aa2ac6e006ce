"""One index in one SQLite file: how it is marked, made and opened, whatever it holds.

A file is known by its `application_id`, and its table `meta` says which format it has, which kind of index it is,
which model its vectors are of, and whether it is whole. What does not fit is refused before anything else is read.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from tinysmith.errors import DataError

FORMAT = 1
_APPLICATION = 0x74736D69
_BUSY_S = 30.0

Kind: TypeAlias = Literal["lexical", "embedding"]
_CLASSES = {"lexical": "LexicalIndex", "embedding": "EmbeddingIndex"}

_UNREACHABLE = "See that it is a file, that its folder is there, and that both may be written"
_REMEDIES = {
    "SQLITE_BUSY": "Another process is writing to it; wait until it has finished",
    "SQLITE_CANTOPEN": _UNREACHABLE,
    "SQLITE_FULL": "Make room on the disk, and build it again",
    "SQLITE_READONLY": _UNREACHABLE,
}
_OTHER_REMEDY = "Where it is damaged, delete it and build it anew"


@frozen
class Header:
    """What a file says of itself.

    Attributes:
        kind: `lexical` or `embedding`.
        model: Whose vectors it holds; empty in a lexical index.
        is_whole: Whether it was ever built to its end.
    """

    kind: str
    model: str
    is_whole: bool


class IndexFile:
    """An open file, which any number of threads may share."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lends the connection, within one consistent view of the file.

        Raises:
            DataError: The file is broken, or locked for too long.
        """
        with self._transaction("BEGIN"):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lends the connection; all that is changed is in the file when the block ends, or nothing of it.

        Raises:
            DataError: The file is broken, cannot be written, or is locked for too long.
        """
        with self._transaction("BEGIN IMMEDIATE"):
            yield self._connection

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._lock:
            try:
                self._connection.execute(begin)
                with self._connection:  # commits, or rolls back
                    yield
            except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where SQLite quotes what is damaged
                raise _unusable(self.path, error) from error


def header_of(path: str | PathLike[str]) -> Header:
    """What a file says of itself.

    Raises:
        DataError: There is none, or it is no index.
    """
    place = _there(path)
    file = _opened(place, "rw")
    try:
        with file.reading() as connection:
            return _header(place, connection)
    finally:
        file.close()


def open_index(path: str | PathLike[str], kind: Kind, *, model: str = "") -> IndexFile:
    """Opens a finished index to read it.

    Raises:
        DataError: There is none, it is broken or unfinished, of another kind, or of another model.
    """
    place = _there(path)
    file = _opened(place, "rw")  # not "ro": what a killed builder left half-written could not be rolled back
    try:
        with file.reading() as connection:
            _check(place, _header(place, connection), kind, model, is_needed_whole=True)
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        file.close()
        raise
    return file


def make_index(path: str | PathLike[str], kind: Kind, *, model: str = "") -> IndexFile:
    """Opens a file to build an index in, and makes it where there is none. A new one is unfinished until `finish`.

    Raises:
        DataError: It cannot be written, is something else, or an index of another kind or model.
    """
    place = Path(path)
    file = _opened(place, "rwc")
    try:
        with file.writing() as connection:
            if _is_blank(connection):
                _mark(connection, kind, model)
            _check(place, _header(place, connection), kind, model)
    except BaseException:
        file.close()
        raise
    return file


def finish(connection: sqlite3.Connection) -> None:
    """Marks the index as whole, together with what else is written in the same `writing` block."""
    connection.execute("UPDATE meta SET value = 'yes' WHERE name = 'whole'")


def _there(path: str | PathLike[str]) -> Path:
    place = Path(path)
    if not place.exists():
        raise DataError(
            f"{place}: there is no such file. Build the index first, e.g. `tinysmith index DIR -o FILE`."
        )
    return place


def _opened(path: Path, mode: str) -> IndexFile:
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,  # `IndexFile` lends it to one thread at a time
        )
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    connection.execute("PRAGMA trusted_schema = OFF")
    return IndexFile(path, connection)


def _is_blank(connection: sqlite3.Connection) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return application == 0 and not _kinds(connection)


def _kinds(connection: sqlite3.Connection) -> set[object]:
    return {kind for (kind,) in connection.execute("SELECT type FROM sqlite_schema")}


def _mark(connection: sqlite3.Connection, kind: Kind, model: str) -> None:
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    rows = {"format": str(FORMAT), "kind": kind, "model": model, "whole": "no"}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())


def _header(path: Path, connection: sqlite3.Connection) -> Header:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    # A view or a trigger would run what somebody else wrote; no index has one.
    if application != _APPLICATION or not _kinds(connection) <= {"table", "index"}:
        raise _foreign(path)
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if meta.get("format") != str(FORMAT):
        problem = f"its format is {meta.get('format')!r}, and this version reads {FORMAT}"
        raise DataError(f"{path}: {problem}. Build the index anew, in another file.")
    return Header(str(meta.get("kind")), str(meta.get("model")), meta.get("whole") == "yes")


def _check(path: Path, header: Header, kind: Kind, model: str, *, is_needed_whole: bool = False) -> None:
    if header.kind != kind:
        remedy = f"Open it with {_CLASSES.get(header.kind, 'what wrote it')}, or give another file"
        raise DataError(f"{path}: it is an index of kind {header.kind!r}, not {kind!r}. {remedy}.")
    if header.model != model:
        problem = f"it holds vectors of {header.model!r}, which those of {model!r} cannot be compared with"
        raise DataError(f"{path}: {problem}. Give that model, or build another file with this one.")
    if is_needed_whole and not header.is_whole:
        raise DataError(f"{path}: the index is unfinished. Build it again; it goes on where it stopped.")


def _foreign(path: Path) -> DataError:
    return DataError(f"{path}: it is no index. Give one that `tinysmith index` wrote, or a new name to write one.")


def _unusable(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> DataError:
    name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
    if name == "SQLITE_NOTADB":
        return _foreign(path)
    return DataError(f"{path}: the index cannot be used ({error}). {_REMEDIES.get(name, _OTHER_REMEDY)}.")
