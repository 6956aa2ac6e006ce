"""What a store keeps, and what a store must be able to do.

Charter: rows are plain numbers, texts and bytes. What their bodies mean is not known here, nor to any store.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from attrs import frozen


@frozen
class Text:
    """A large text, kept once however often it is said.

    Attributes:
        digest: Of the text itself.
        content: UTF-8, perhaps compressed.
        is_packed: Whether it is compressed.
    """

    digest: bytes
    content: bytes
    is_packed: bool


@frozen
class Row:
    """One row of a run's log; rows are added, never changed.

    Attributes:
        run: The run's number.
        seq: Its place in the log, from 1, without gaps.
        kind: What it tells: an event, or that the run was resumed, paused, ended, ….
        asked: The digest of the request that an event answers; else empty.
        body: What it tells, packed.
        seal: A digest of this row and of the seal before it, so that no row can be changed, cut out or moved.
        texts: The large texts that the body refers to.
        lets_go: Whether nobody goes on with the run after this row.
    """

    run: int
    seq: int
    kind: str
    asked: bytes
    body: bytes
    seal: bytes
    texts: tuple[Text, ...] = ()
    lets_go: bool = False


@frozen
class Head:
    """What is kept of a run as it begins.

    Attributes:
        run: Its number.
        body: The header, packed.
        seal: A digest of it.
        owner: Who goes on with it; None if nobody does.
        parent: The run that it was forked from.
        shared: How many rows of the parent's log are its past.
        known: How many rows its log has at least: as many as when the run was last handed over or let go.
        texts: The large texts that the body refers to.
    """

    run: int
    body: bytes
    seal: bytes
    owner: str | None = None
    parent: int | None = None
    shared: int = 0
    known: int = 0
    texts: tuple[Text, ...] = ()


@frozen
class Owner:
    """A process that goes on with runs.

    Attributes:
        name: Its own, random.
        machine: The machine, and the space of process numbers on it; empty where that cannot be told.
        process: The number of the process.
        since: When that process began, in its machine's own measure; empty where that cannot be told.
        beat: Goes up while the process lives.
    """

    name: str
    machine: str
    process: int
    since: str
    beat: int = 0


Entry: TypeAlias = Head | Row


class Store(Protocol):
    """Where journals are kept. Its methods may be called from any thread, one at a time; all raise `JournalError`.

    Attributes:
        place: What it is called in messages; never with a password.
    """

    place: str

    def write(self, entries: Sequence[Entry]) -> None:
        """Adds heads and rows, all or none; they are durable when this returns.

        Raises:
            Taken: One of them is there already.
        """
        ...

    def heads(self) -> Sequence[Head]:
        """Every run, in no order."""
        ...

    def head(self, run: int) -> Head | None:
        """One run."""
        ...

    def rows(self, run: int, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """The run's own rows, in order, without their texts."""
        ...

    def last_rows(self) -> Mapping[int, Row]:
        """The last row of every run that has any, by run."""
        ...

    def texts(self, digests: Iterable[bytes]) -> Mapping[bytes, Text]:
        """Those of the large texts that are there."""
        ...

    def add_owner(self, owner: Owner) -> None:
        """Makes an owner known."""
        ...

    def owner(self, name: str) -> Owner | None:
        """An owner as it is now."""
        ...

    def beat(self, name: str) -> None:
        """Says that an owner lives."""
        ...

    def remove_owner(self, name: str) -> None:
        """Gives back whatever the owner still holds, and forgets it."""
        ...

    def claim(self, row: Row, owner: str, instead_of: str | None) -> bool:
        """Hands a run over and adds a row, both or none; False where `instead_of` is not its owner any more.

        Raises:
            Taken: The row is there already.
        """
        ...

    def delete(self, runs: Sequence[int]) -> None:
        """Deletes runs, and the texts that no other run has; gives the space back."""
        ...

    def close(self) -> None:
        """Gives everything back."""
        ...


class Taken(Exception):  # never leaves the journal
    """A row, or a run, is there already: somebody else wrote it."""
