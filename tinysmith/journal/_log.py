"""The log of one run, as it is written: what a course tells of the run, row after row, each durable."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import evolve

from tinysmith._hands import Hands
from tinysmith._kept import Begun
from tinysmith._scalars import MisfitError
from tinysmith._shown import one_line
from tinysmith._turn import Plan
from tinysmith.errors import BoardError, JournalError, RunOwned, TinysmithError
from tinysmith.journal._bodies import doing
from tinysmith.journal._commits import Commits
from tinysmith.journal._events import asked, event_of_places, event_places
from tinysmith.journal._header import HEADER, Header, compiled, named, versions
from tinysmith.journal._masking import Mask, unheaded
from tinysmith.journal._packing import packed
from tinysmith.journal._rows import Entry, Head, Row, Taken
from tinysmith.limits import Limits
from tinysmith.mapping import JSON
from tinysmith.messages import Event, Failed, Observation, Request, Result
from tinysmith.position import Position
from tinysmith.protocols import Grade, Task, title

B = TypeVar("B")

SEAL_SIZE = 8

if TYPE_CHECKING:
    from tinysmith.journal._reading import RunRecord

_LOG = logging.getLogger("tinysmith")


def run_name(number: int) -> str:
    """A run's id: fifteen hexadecimal digits."""
    return f"{number:015x}"


def sealed(before: bytes, *parts: bytes) -> bytes:
    """The seal of a head or a row, over the seal before it and its own parts."""
    told = b"".join([before, *[b"%d:%b" % (len(part), part) for part in parts]])
    return blake2b(told, digest_size=SEAL_SIZE).digest()


def row_seal(before: bytes, seq: int, kind: str, request: bytes, body: bytes) -> bytes:
    """The seal of a row."""
    return sealed(before, b"%d" % seq, kind.encode(), request, body)


class RunLog(Generic[B]):
    """Writes the log of one run.

    Args:
        plan: The strategy.
        commits: How entries come into the store.
        place: The journal's name, for messages.
        owner: Who writes.
        run: The run's number.
        mask: What must not be written.
        seq: The last row that is there.
        seal: Its seal, or the head's.

    Attributes:
        run_id: The run's id.
    """

    def __init__(
        self,
        plan: Plan,
        commits: Commits,
        *,
        place: str,
        owner: str,
        run: int,
        mask: Mask,
        seq: int = 0,
        seal: bytes = b"",
    ) -> None:
        self.run_id = run_name(run)
        self._plan = plan
        self._boards = compiled(plan)[1]
        self._commits = commits
        self._place = place
        self._owner = owner
        self._run = run
        self._mask = mask
        self._seq = seq
        self._seal = seal
        self._is_open = False

    # What is heard: without secrets, and as it will be read again.

    def text(self, text: str) -> str:
        """A text without secrets."""
        return self._mask.text(text)

    def board(self, board: B) -> B:
        """A board without secrets.

        Raises:
            BoardError: It holds a value that its type does not allow.
        """
        try:
            data = self._boards.data(board)
            masked = self._mask.data(data)
            return board if masked == data else self._boards.board(masked)
        except MisfitError as error:
            raise self._unsaved(error, "start", 0) from None

    def heard(self, event: Event) -> Event:
        """An event without secrets; where it cannot be kept, the failure that says so."""
        try:
            if type(event) is Failed:
                event = evolve(event, message=unheaded(event.message))
            is_open = type(event) in {Result, Observation}  # may hold anything
            if self._mask.is_idle and not is_open:
                return event
            data = event_places(event)
            masked = self._mask.data(data)
            if is_open:
                packed([masked])
            if masked == data and type(event) is not Result:
                return event
            return event_of_places(masked)  # a result as plain JSON data, as it will be read again
        except RecursionError:
            return self._unkept(event, "something in it is nested too deep")
        except (MisfitError, TypeError, ValueError) as error:
            return self._unkept(event, str(error))

    # What is written.

    def begin(self, board: B, limits: Limits, begun: Begun[B], task: Task | None, hands: Hands) -> None:
        """Writes the run's head; it is durable when this returns."""
        head = self._head(self._header(limits, begun, task, hands), board)
        self._commit(head)
        self._open(head)

    async def abegin(self, board: B, limits: Limits, begun: Begun[B], task: Task | None, hands: Hands) -> None:
        """As `begin`."""
        head = self._head(self._header(limits, begun, task, hands), board)
        await self._acommit(head)
        self._open(head)

    def step(self, request: Request, event: Event, before: Position[B], after: Position[B] | Exception) -> None:
        """Writes what a step did; it is durable when this returns."""
        self._written(self._step_row(request, event, before, after))

    async def astep(
        self, request: Request, event: Event, before: Position[B], after: Position[B] | Exception
    ) -> None:
        """As `step`; a cancellation is delivered when the row is durable."""
        row = self._step_row(request, event, before, after)
        try:
            await self._acommit(row)
        except asyncio.CancelledError:
            self._advance_to(row)
            raise
        self._advance_to(row)

    def note(self, kind: str, data: JSON, *, lets_go: bool = False) -> None:
        """Writes something else than an event; it is durable when this returns."""
        self._written(self._row(kind, b"", [self._mask.data(data)], lets_go=lets_go))

    def end(self, position: Position[B], grade: Grade | None) -> None:
        """Writes how the run ended, and lets it go."""
        self._written(self._end_row(position, grade))
        self._is_open = False

    async def aend(self, position: Position[B], grade: Grade | None) -> None:
        """As `end`."""
        await self._acommit(self._end_row(position, grade))
        self._is_open = False

    def pause(self, waiting: Sequence[Request]) -> None:
        """Writes that the run waits for a person, and lets it go."""
        self.note("paused", {"requests": [request.id for request in waiting]}, lets_go=True)
        self._is_open = False

    def let_go(self) -> None:
        """Lets the run go, if it did not end; where that cannot be written, its owner is found dead later."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self.note("interrupted", {}, lets_go=True)
        except JournalError as error:
            _LOG.warning("%s", one_line(str(error), 300))

    # How a run is gone on with: the journal hands it over and writes the row at once.

    @property
    def owner(self) -> str:
        """Who writes."""
        return self._owner

    def resumed_row(self, told: JSON) -> Row:
        """The row that says that the run goes on."""
        return self._row("resumed", b"", [self._mask.data(told)])

    def went_on(self, row: Row) -> None:
        """The row was written, and the run is this log's."""
        self._advance_to(row)
        self._is_open = True

    # How it is written.

    def _open(self, head: Head) -> None:
        self._seal = head.seal
        self._is_open = True

    def _header(self, limits: Limits, begun: Begun[B], task: Task | None, hands: Hands) -> Header:
        return Header(
            self._plan.name,
            compiled(self._plan)[0],
            limits,
            task=None if task is None else evolve(task, script=()),
            opening=begun.opening,
            seed=begun.seed,
            models=named(hands.models),
            environment=title(hands.environment),
            begun_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            versions=versions(),
        )

    def _head(self, header: Header, board: B) -> Head:
        data = [HEADER.encode(header, "header"), self._boards.data(board), compiled(self._plan)[2]]
        body, texts = packed([self._mask.data(data[0]), data[1], data[2]])
        return Head(self._run, body, sealed(b"", b"%d" % self._run, body), self._owner, texts=texts)

    def _step_row(
        self, request: Request, event: Event, before: Position[B], after: Position[B] | Exception
    ) -> Row:
        mask = self._mask
        told = [event_places(event), mask.data(doing(request))]
        if isinstance(after, Exception):
            said = f"{type(after).__name__}: {one_line(str(after), 200)}"
            return self._row("event", asked(request), [*told, None, mask.text(said)])
        try:
            changes = self._boards.changes(before.board, after.board)
        except MisfitError as error:
            self.step(request, event, before, error)
            raise self._unsaved(error, after.node, after.step) from None
        masked = mask.data(changes)
        told += ([hop.index for hop in after.hops], masked, *([1] if masked != changes else []))
        return self._row("event", asked(request), told)

    def _end_row(self, position: Position[B], grade: Grade | None) -> Row:
        done, error = position.done, position.error
        data = {
            "outcome": "" if done is None else done.outcome,
            "success": done is not None and done.success,
            "error": None if error is None else {"kind": error.kind, "message": error.message},
            "grade": None if grade is None else grade_data(grade),
        }
        return self._row("ended", b"", [self._mask.data(data)], lets_go=True)

    def _row(self, kind: str, request: bytes, data: list[JSON], *, lets_go: bool = False) -> Row:
        body, texts = packed([int(time.time() * 1000), *data])
        seq = self._seq + 1
        seal = row_seal(self._seal, seq, kind, request, body)
        return Row(self._run, seq, kind, request, body, seal, texts, lets_go)

    def _written(self, row: Row) -> None:
        self._commit(row)
        self._advance_to(row)

    def _advance_to(self, row: Row) -> None:
        self._seq = row.seq
        self._seal = row.seal

    def _commit(self, entry: Entry) -> None:
        try:
            self._commits.commit(entry)
        except Taken:
            raise self._taken(entry) from None
        except JournalError as error:
            raise self._located(error, entry) from None

    async def _acommit(self, entry: Entry) -> None:
        try:
            await self._commits.acommit(entry)
        except Taken:
            raise self._taken(entry) from None
        except JournalError as error:
            raise self._located(error, entry) from None

    def _taken(self, entry: Entry) -> JournalError:
        self._is_open = False
        return RunOwned(
            "somebody else goes on with this run and has written this row; nothing more is asked here.",
            place=self._place,
            run=self.run_id,
            row=entry.seq if isinstance(entry, Row) else 0,
        )

    def _located(self, error: JournalError, entry: Entry) -> JournalError:
        problem = str(error).removeprefix(f"{error.place}: ")
        row = entry.seq if isinstance(entry, Row) else 0
        return JournalError(problem, place=self._place, run=self.run_id, row=row)

    def _unsaved(self, error: MisfitError, node: str, step: int) -> TinysmithError:
        return BoardError(f"it cannot be journaled: {error}.", strategy=self._plan.name, node=node, step=step)

    def _unkept(self, event: Event, why: str) -> Failed:
        kind = {"Result": "tool", "Observation": "environment"}.get(type(event).__name__, "server")
        problem = f"What came back cannot be journaled: {one_line(why, 200)}. Return JSON data."
        return Failed(kind, self._mask.text(problem), answers=event.answers, elapsed_s=event.elapsed_s)


def grade_data(grade: Grade) -> dict[str, Any]:
    """A grade as JSON data."""
    return {"score": grade.score, "solved": grade.solved, "parts": dict(grade.parts)}


def forked(record: "RunRecord", rows: int, told: JSON, run: int, plan: Plan) -> list[Entry]:
    """The head and the first row of a run of a strategy that shares so many rows of another one."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    header = evolve(
        record.header, strategy=plan.name, fingerprint=compiled(plan)[0], begun_at=now, versions=versions()
    )
    body, texts = packed([HEADER.encode(header, "header"), record.board, compiled(plan)[2]])
    parent = int(record.run_id, 16)
    head = Head(run, body, sealed(b"", b"%d" % run, body), parent=parent, shared=rows, known=rows + 1, texts=texts)
    first, more = packed([int(time.time() * 1000), told])
    seal = row_seal(record.seals[rows], rows + 1, "forked", b"", first)
    return [head, Row(run, rows + 1, "forked", b"", first, seal, more)]
