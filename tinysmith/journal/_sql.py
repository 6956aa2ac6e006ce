"""The store in SQL that SQLite and PostgreSQL understand alike; what differs between them is a `Door`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Protocol, TypeAlias, TypeVar

from tinysmith.errors import JournalError
from tinysmith.journal._packing import MispackedError, digests_in
from tinysmith.journal._rows import Entry, Head, Owner, Row, Text

T = TypeVar("T")

Layouts: TypeAlias = tuple[tuple[str, ...], ...]

LAYOUTS: Layouts = (
    (
        """CREATE TABLE runs (run INTEGER PRIMARY KEY, body BLOB NOT NULL, seal BLOB NOT NULL, owner TEXT,
        parent INTEGER, shared INTEGER NOT NULL, known INTEGER NOT NULL)""",
        "CREATE INDEX runs_of_owners ON runs (owner) WHERE owner IS NOT NULL",
        # Not ordered by run: runs that share a journal would each write a page of their own.
        """CREATE TABLE log (run INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, asked BLOB NOT NULL,
        body BLOB NOT NULL, seal BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX log_in_order ON log (run, seq)",
        "CREATE TABLE texts (digest BLOB NOT NULL PRIMARY KEY, content BLOB NOT NULL, is_packed INTEGER NOT NULL)",
        """CREATE TABLE owners (name TEXT NOT NULL PRIMARY KEY, machine TEXT NOT NULL, process INTEGER NOT NULL,
        since TEXT NOT NULL, beat INTEGER NOT NULL)""",
    ),
)
"""For each version, what makes it of the one before, in SQLite's words. Only ever added to."""

_AT_ONCE = 500  # rows in one statement: between two statements, other threads of the process may take long
_ROW = "run, seq, kind, asked, body, seal"
_HEAD = "run, body, seal, owner, parent, shared, known"
_TEXT = "digest, content, is_packed"

# The names in these are our own.
_ADD_ROW = f"INSERT INTO log ({_ROW}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608  # see above
_ROWS = f"SELECT {_ROW} FROM log WHERE run = ? AND seq >= ? AND seq <= ? ORDER BY seq"  # noqa: S608  # see above
_LAST_ROWS = (
    f"SELECT {', '.join(f'log.{name}' for name in _ROW.split(', '))} FROM log "  # noqa: S608  # see above
    "JOIN (SELECT run, max(seq) AS seq FROM log GROUP BY run) AS last ON log.run = last.run AND log.seq = last.seq"
)
_NO_LAST = 2**63 - 1


class Door(Protocol):
    """One connection to a database.

    Attributes:
        place: What it is called in messages; never with a password.
    """

    place: str

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement with `?` for its values, and says how many rows it changed.

        Raises:
            Taken: A row that must be the only one of its kind is there already.
        """
        ...

    def found(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds; what comes before a damaged place comes before the error."""
        ...

    def transaction(self) -> AbstractContextManager[Any]:
        """All that is run within it holds, durably, or nothing of it."""
        ...

    def lock_out(self) -> None:
        """Keeps all other writers out until the end of the transaction."""
        ...

    def compact(self) -> None:
        """Gives the space of what was deleted back."""
        ...

    def close(self) -> None:
        """Gives the connection back."""
        ...


class SqlStore:
    """A store behind a connection to a database."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.place = door.place

    def write(self, entries: Sequence[Entry]) -> None:
        """Adds heads and rows, all or none; they are durable when this returns."""
        if len(entries) == 1:
            (row,) = entries
            if type(row) is Row and not row.texts and not row.lets_go:
                self._door.run(_ADD_ROW, (row.run, row.seq, row.kind, row.asked, row.body, row.seal))
                return
        statements = list(_insertions(entries))
        if len(statements) == 1:
            self._door.run(*statements[0])
            return
        with self._door.transaction():
            for statement, values in statements:
                self._door.run(statement, values)

    def heads(self) -> Sequence[Head]:
        """Every run, in no order."""
        return [_head(found, self.place) for found in self._door.found(f"SELECT {_HEAD} FROM runs")]  # noqa: S608  # our own names

    def head(self, run: int) -> Head | None:
        """One run."""
        found = list(self._door.found(f"SELECT {_HEAD} FROM runs WHERE run = ?", (run,)))  # noqa: S608  # as above
        return _head(found[0], self.place) if found else None

    def rows(self, run: int, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """The run's own rows, in order, without their texts."""
        # All at once, while the caller has the store to itself.
        rows: list[Row] = []
        try:
            for found in self._door.found(_ROWS, (run, first, _NO_LAST if last is None else last)):
                rows.append(_row(found, self.place))  # noqa: PERF401  # those before a damaged one are counted
        except JournalError as error:
            if error.run:
                raise
            problem = str(error).removeprefix(f"{self.place}: ")
            raise JournalError(problem, place=self.place, run=f"{run:015x}", row=first + len(rows)) from None
        return iter(rows)

    def last_rows(self) -> Mapping[int, Row]:
        """The last row of every run that has any, by run."""
        return {row.run: row for row in (_row(found, self.place) for found in self._door.found(_LAST_ROWS))}

    def texts(self, digests: Iterable[bytes]) -> Mapping[bytes, Text]:
        """Those of the large texts that are there."""
        texts = {}
        for some in _in_groups(dict.fromkeys(digests)):
            query = f"SELECT {_TEXT} FROM texts WHERE digest IN ({_marks(len(some))})"  # noqa: S608  # as above
            for digest, content, is_packed in self._door.found(query, some):
                if type(content) is not bytes:
                    raise JournalError(f"the text {digest.hex()} is damaged.", place=self.place)
                texts[digest] = Text(digest, content, bool(is_packed))
        return texts

    def add_owner(self, owner: Owner) -> None:
        """Makes an owner known."""
        values = (owner.name, owner.machine, owner.process, owner.since, owner.beat)
        self._door.run("INSERT INTO owners (name, machine, process, since, beat) VALUES (?, ?, ?, ?, ?)", values)

    def owner(self, name: str) -> Owner | None:
        """An owner as it is now."""
        query = "SELECT name, machine, process, since, beat FROM owners WHERE name = ?"
        found = list(self._door.found(query, (name,)))
        return _owner(found[0], self.place) if found else None

    def beat(self, name: str) -> None:
        """Says that an owner lives."""
        self._door.run("UPDATE owners SET beat = beat + 1 WHERE name = ?", (name,))

    def remove_owner(self, name: str) -> None:
        """Gives back whatever the owner still holds, and forgets it."""
        with self._door.transaction():
            self._door.run("UPDATE runs SET owner = NULL WHERE owner = ?", (name,))
            self._door.run("DELETE FROM owners WHERE name = ?", (name,))

    def claim(self, row: Row, owner: str, instead_of: str | None) -> bool:
        """Hands a run over and adds a row, both or none; False where `instead_of` is not its owner any more."""
        whose = "owner IS NULL" if instead_of is None else "owner = ?"
        values = (owner, row.seq, row.run, *(() if instead_of is None else (instead_of,)))
        with self._door.transaction():
            if self._door.run(f"UPDATE runs SET owner = ?, known = ? WHERE run = ? AND {whose}", values) != 1:  # noqa: S608  # as above
                return False
            for statement, each in _insertions([row]):
                self._door.run(statement, each)
        return True

    def delete(self, runs: Sequence[int]) -> None:
        """Deletes runs, and the texts that no other run has; gives the space back."""
        with self._door.transaction():
            self._door.lock_out()
            for some in _in_groups(runs):
                self._door.run(f"DELETE FROM log WHERE run IN ({_marks(len(some))})", some)  # noqa: S608  # as above
                self._door.run(f"DELETE FROM runs WHERE run IN ({_marks(len(some))})", some)  # noqa: S608  # as above
            kept = self._digests_in_use()
            unused = [digest for (digest,) in self._door.found("SELECT digest FROM texts") if digest not in kept]
            for group in _in_groups(unused):
                self._door.run(f"DELETE FROM texts WHERE digest IN ({_marks(len(group))})", group)  # noqa: S608  # as above
        self._door.compact()

    def close(self) -> None:
        """Gives everything back."""
        self._door.close()

    def _digests_in_use(self) -> set[bytes]:
        used: set[bytes] = set()
        for query in ("SELECT body FROM runs", "SELECT body FROM log"):
            for (body,) in self._door.found(query):
                try:
                    used.update(digests_in(body))
                except MispackedError as error:
                    problem = f"a row is damaged: {error}. Export what can be read into a new journal."
                    raise JournalError(problem, place=self.place) from None
        return used


def _insertions(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Any]]]:
    """The statements that add these, so few and so large that the process's other threads are not waited for."""
    heads = [entry for entry in entries if type(entry) is Head]
    rows = [entry for entry in entries if type(entry) is Row]
    texts = {text.digest: text for entry in entries for text in entry.texts}
    # In one order everywhere, so that no two writers wait for each other.
    yield from _inserts(
        f"INSERT INTO runs ({_HEAD})",
        [(head.run, head.body, head.seal, head.owner, head.parent, head.shared, head.known) for head in heads],
    )
    for some in _in_groups((row.run, row.seq) for row in rows if row.lets_go):
        known = f"CASE run {'WHEN ? THEN ? ' * len(some)}END"
        runs = [run for run, _ in some]
        statement = f"UPDATE runs SET owner = NULL, known = {known} WHERE run IN ({_marks(len(runs))})"  # noqa: S608  # our own names
        yield statement, [*(value for pair in some for value in pair), *runs]
    yield from _inserts(
        f"INSERT INTO texts ({_TEXT})",
        [(text.digest, text.content, int(text.is_packed)) for _, text in sorted(texts.items())],
        " ON CONFLICT DO NOTHING",
    )
    yield from _inserts(
        f"INSERT INTO log ({_ROW})", [(row.run, row.seq, row.kind, row.asked, row.body, row.seal) for row in rows]
    )


def _inserts(into: str, rows: Sequence[tuple[Any, ...]], otherwise: str = "") -> Iterator[tuple[str, list[Any]]]:
    for some in _in_groups(rows):
        marks = ", ".join([f"({_marks(len(some[0]))})"] * len(some))
        yield f"{into} VALUES {marks}{otherwise}", [value for row in some for value in row]


def _in_groups(things: Iterable[T]) -> Iterator[list[T]]:
    left = iter(things)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _marks(count: int) -> str:
    return ", ".join("?" * count)


_ROW_TYPES = (int, int, str, bytes, bytes, bytes)


def _row(found: tuple[Any, ...], place: str) -> Row:
    """A row as it was found; in a damaged file any column may hold anything."""
    if tuple(map(type, found)) != _ROW_TYPES:
        run, seq = found[:2]
        raise JournalError(
            "this row is damaged: a column does not hold what it should. Restore the journal from a copy.",
            place=place,
            run=f"{run:015x}" if type(run) is int else "?",
            row=seq if type(seq) is int else 0,
        )
    return Row(*found)


def _head(found: tuple[Any, ...], place: str) -> Head:
    run, body, seal, owner, parent, shared, known = found
    if (
        (type(run), type(body), type(seal), type(shared), type(known)) != (int, bytes, bytes, int, int)
        or type(owner) not in {str, type(None)}
        or type(parent) not in {int, type(None)}
    ):
        name = f"{run:015x}" if type(run) is int else "?"
        problem = "its header is damaged: a column does not hold what it should. Restore the journal from a copy."
        raise JournalError(problem, place=place, run=name)
    return Head(run, body, seal, owner, parent, shared, known)


def _owner(found: tuple[Any, ...], place: str) -> Owner:
    if tuple(map(type, found)) != (str, str, int, str, int):
        raise JournalError("what it has of an owner is damaged. Restore the journal from a copy.", place=place)
    return Owner(*found)
