"""Runs hostile statements on read-only copies of a database: nothing is written, nothing runs for ever.

What is held: an authorizer allows reading and nothing else; a progress handler ends a query at its time limit or
when it is cancelled; SQLite's own limits bound the length of one value and of a statement; rows are counted and
their text measured. What is not held: the memory of one sort, which only the time limit bounds.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager

from attrs import field, frozen

from tinysmith.environments._mysql_dialect import Answer, Query, understand
from tinysmith.environments._mysql_dump import LoadedDatabase
from tinysmith.environments._mysql_errors import MySQLError, in_mysql_words
from tinysmith.environments._mysql_functions import register
from tinysmith.environments._mysql_types import converted, result_types

_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))
_MAX_VALUE_BYTES = 200_000
_OPCODES_PER_CHECK = 2_000
_MAX_IDLE = 4


@frozen
class StatementLimits:
    """What one statement may use.

    Attributes:
        time_s: Seconds.
        rows: Rows of its result; more are cut off.
        characters: Characters of its result as text; rows beyond are cut off.
    """

    time_s: float
    rows: int
    characters: int


@frozen
class Output:
    """What a statement gave.

    Attributes:
        text: The observation.
        rows: Each row as text, None where the output is no list of rows.
        is_executed: Whether the statement ran without error.
        is_timed_out: Whether it was ended at the time limit.
        is_cut: Whether rows were left out.
    """

    text: str = field(repr=False)
    rows: tuple[str, ...] | None = field(default=None, kw_only=True, repr=False)
    is_executed: bool = field(default=True, kw_only=True)
    is_timed_out: bool = field(default=False, kw_only=True)
    is_cut: bool = field(default=False, kw_only=True)


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second == "load_extension" else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and (first or "").startswith("sqlite_"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


class Connections:
    """Read-only connections to one database, shared by any number of threads.

    A connection is lent for one statement. Since nothing can be written, none of them remembers anything.
    """

    def __init__(self, database: LoadedDatabase) -> None:
        self._database = database
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def run(self, action: str, limits: StatementLimits, stop: threading.Event) -> Output:
        """Runs one statement of MySQL's dialect; blocks. Mistakes in it are part of the output.

        Args:
            action: The statement.
            limits: What it may use.
            stop: Ends it when set.
        """
        try:
            understood = understand(action, self._database.schema)
            if isinstance(understood, Answer):
                rows = understood.rows
                return Output("None") if rows is None else _output([str(row) for row in rows], is_cut=False)
            return self._query(understood, action, limits, stop)
        except MySQLError as error:
            return Output(f"Error executing query: {error}", is_executed=False)

    def _query(self, query: Query, action: str, limits: StatementLimits, stop: threading.Event) -> Output:
        deadline = time.monotonic() + limits.time_s
        with self._lent() as connection:
            connection.set_progress_handler(
                lambda: stop.is_set() or time.monotonic() > deadline, _OPCODES_PER_CHECK
            )
            try:
                return _fetched(connection.execute(query.sql), query, limits)
            except (sqlite3.Error, sqlite3.Warning) as error:
                if str(error) == "interrupted":
                    text = f"Error executing query: the time limit of {limits.time_s:g} seconds is over"
                    return Output(text, is_executed=False, is_timed_out=True)
                raise in_mysql_words(error, action, query.tokens, self._database.schema.name) from error

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._opened()
        try:
            yield connection
        finally:
            connection.set_progress_handler(None, 0)
            with self._lock:
                is_kept = len(self._idle) < _MAX_IDLE
                if is_kept:
                    self._idle.append(connection)
            if not is_kept:
                connection.close()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.deserialize(self._database.image)
        register(connection, self._database.schema.name)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _MAX_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_authorizer(_authorize)
        return connection


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _fetched(cursor: sqlite3.Cursor, query: Query, limits: StatementLimits) -> Output:
    names = [column[0] for column in cursor.description or ()]
    kinds = result_types(query.tokens, names, query.scope)
    rows: list[str] = []
    size = 0
    with closing(cursor):
        for row in cursor:
            text = str(tuple(converted(value, kind) for value, kind in zip(row, kinds, strict=True)))
            size += len(text)
            if len(rows) == limits.rows or size > limits.characters:
                return _output(rows, is_cut=True)
            rows.append(text)
    return _output(rows, is_cut=False)


def _output(rows: list[str], *, is_cut: bool) -> Output:
    return Output(f"[{', '.join(rows)}]", rows=tuple(rows), is_cut=is_cut)
