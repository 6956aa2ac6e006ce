"""`resume`, `aresume`, `replay` and `fork`: what can be done with a run that a journal holds."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeAlias, TypeVar

from attrs import evolve, frozen

from tinysmith._course import Course
from tinysmith._hands import Hands, refuse_running_loop
from tinysmith._kept import Gate
from tinysmith._loops import arun, walk
from tinysmith._scalars import MisfitError
from tinysmith._shown import one_line
from tinysmith._threads import settled
from tinysmith._turn import Plan
from tinysmith.approval import Decision, PauseBefore, asks_whether
from tinysmith.errors import NotRestored, TinysmithError, UsageError
from tinysmith.journal._folding import Refolded, acted, limits_data, limits_of, refolded, run_of
from tinysmith.journal._header import compiled
from tinysmith.journal._log import forked, run_name
from tinysmith.journal._reading import decisions, folded
from tinysmith.journal.journal import Journal, new_number
from tinysmith.limits import Limits
from tinysmith.messages import Act, Event, Observation
from tinysmith.protocols import Environment, Model, Replayable
from tinysmith.run import Run, Step
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")
Models: TypeAlias = Model | Mapping[str, Model] | None
Tools: TypeAlias = Mapping[str, Any] | None
Restore: TypeAlias = Literal["replay", "leave"]


def replay(journal: Journal, run_id: str, strategy: Strategy[B]) -> Run[B]:
    """The run that a journal holds, folded again by its strategy; nothing is asked or done.

    Raises:
        ReplayDiverged: The strategy does something else than the journal says, at a step.
        JournalError: There is no such run, or it is damaged.
    """
    record = journal.read(run_id)
    return run_of(strategy, record, refolded(strategy, record, journal.mask(), place=journal.place))


def resume(
    journal: Journal, run_id: str, strategy: Strategy[B], *, model: Models = None,
    environment: Environment | None = None, tools: Tools = None, limits: Limits | None = None,
    listeners: Sequence[Callable[[Step[B]], None]] = (), pause_before: PauseBefore | None = None,
    decision: Decision | None = None, restore: Restore = "replay",
) -> Run[B]:  # fmt: skip
    """Goes on with a run that a journal holds, blocking; a run that has ended is only read.

    The events that are there are folded again and compared with what the strategy does now. Nothing is asked that
    was answered; only what was in flight when the run was left is asked again.

    Args:
        journal: The journal.
        run_id: The run.
        strategy: The strategy that it was made with.
        model: As for `run`.
        environment: It is reset and, if it `is_replayable`, the run's actions are done once more and compared.
        tools: As for `run`.
        limits: Instead of those that the run had, such as more asks.
        listeners: Called with every new step.
        pause_before: As for `run`.
        decision: Of a paused run: what was decided about the requests that it waits for.
        restore: "leave" goes on with the environment as it is.

    Raises:
        ReplayDiverged: The strategy does something else than the journal says, at a step.
        NotRestored: The environment cannot be brought back.
        JournalError: There is no such run, it is damaged, or another process goes on with it (`RunOwned`).
    """
    refuse_running_loop("resume()", "aresume()")
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=None)
    again = _Again(journal, run_id, strategy, hands, limits=limits, restore=restore)
    if again.is_over:
        return again.run
    course = again.course(decision, pause_before, listeners)
    for _ in walk(course, lambda: again.bring_back(course)):
        pass
    return course.result()


async def aresume(
    journal: Journal,
    run_id: str,
    strategy: Strategy[B],
    *,
    model: Models = None,
    environment: Environment | None = None,
    tools: Tools = None,
    limits: Limits | None = None,
    listeners: Sequence[Callable[[Step[B]], None]] = (),
    pause_before: PauseBefore | None = None,
    decision: Decision | None = None,
    restore: Restore = "replay",
) -> Run[B]:
    """Goes on with a run that a journal holds; the arguments are those of `resume`."""
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=None)
    again = _Again(journal, run_id, strategy, hands, limits=limits, restore=restore)
    if again.is_over:
        return again.run
    course = await again.acourse(decision, pause_before, listeners)
    return await arun(course, lambda: again.abring_back(course))


def fork(
    journal: Journal, run_id: str, strategy: Strategy[B], *, step: int | None = None, board: B | None = None
) -> str:
    """A new run that shares the past of another, which stays as it is; `resume` goes on with it.

    Args:
        journal: The journal.
        run_id: The run.
        strategy: The strategy of the new run; up to that step it must do what the journal says.
        step: How many steps are shared; all, if None.
        board: The board from there on, instead of the run's own; the node then asks anew.

    Returns:
        The new run's id.

    Raises:
        UsageError: There is no such step, or nothing can go on from it.
        ReplayDiverged: The strategy does something else than the journal says, at a shared step.
        JournalError: There is no such run, or it is damaged.
    """
    record = journal.read(run_id)
    events = [each.row for each in folded(record.log) if each.kind == "event"]
    step = len(events) if step is None else step
    if not 0 <= step <= len(events):
        raise UsageError(f"run {run_id} has {len(events)} steps, so it cannot be forked at step {step}.")
    rows = 0 if step == 0 else events[step - 1]
    past = evolve(record, log=record.log[:rows])
    position = refolded(strategy, past, journal.mask(), place=journal.place).position
    if position.done is not None:
        raise UsageError(
            f"run {run_id} is over at step {step} ({position.done.outcome}). Fork it at an earlier one."
        )
    try:
        data = None if board is None else compiled(plan_of(strategy))[1].data(board)
    except MisfitError as error:
        raise UsageError(f"The board given to fork() cannot be kept: {error}.") from None
    new = new_number()
    journal.add(forked(record, rows, {"step": step, "board": data}, new, plan_of(strategy)))
    refolded(strategy, journal.read(run_name(new)), journal.mask(), place=journal.place)
    return run_name(new)


@frozen
class _Bound:
    """What is done again in the environment, and what it showed."""

    number: int
    request: Act
    seen: Event


class _Again:
    """A run that is gone on with."""

    def __init__(
        self,
        journal: Journal,
        run_id: str,
        strategy: Strategy[Any],
        hands: Hands,
        *,
        limits: Limits | None,
        restore: str,
    ) -> None:
        if restore not in {"replay", "leave"}:
            raise UsageError(f"restore is {restore!r}. Give 'replay' or 'leave'.")
        self._journal = journal
        self._strategy = strategy
        self._hands = hands
        self._limits = limits
        self._leaves = restore == "leave"
        self._record = journal.read(run_id)
        mask = journal.mask(hands)
        self._refold: Refolded[Any] = refolded(strategy, self._record, mask, limits=limits, place=journal.place)
        self.is_over = self._refold.position.done is not None and self._has_ended
        hands.take_episode(self._record.header.task)

    @property
    def run(self) -> Run[Any]:
        """The run as it stands."""
        return run_of(self._strategy, self._record, self._refold)

    @property
    def _has_ended(self) -> bool:
        return bool(self._record.log) and self._record.log[-1].kind == "ended"

    def course(
        self,
        decision: Decision | None,
        pause_before: PauseBefore | None,
        listeners: Sequence[Callable[[Step[Any]], None]],
        stop: threading.Event | None = None,
    ) -> Course[Any]:
        """The course that goes on; the run is this process's from here on."""
        plan, record = plan_of(self._strategy), self._record
        waiting, decided = decisions(record.log)
        if waiting and decision is None:
            problem = f"run {record.run_id} is paused before {', '.join(sorted(waiting))}, and waits for a person"
            raise UsageError(f"{problem}. Give decision=Approve(), Edit(...) or Refuse(...).")
        if decision is not None and not waiting:
            problem = f"run {record.run_id} is not paused, so there is nothing to decide"
            raise UsageError(f"{problem}. Leave decision out.")
        if decision is not None:
            decided |= dict.fromkeys(waiting, decision)
        self._check_replayable()
        asks = None if pause_before is None else asks_whether(pause_before, plan.nodes)
        gate = Gate(asks, decided) if asks is not None or decided else None
        log = self._journal.log_on(record, plan, self._hands, self._told(plan, is_paused=bool(waiting)), stop)
        limits = limits_of(record) if self._limits is None else self._limits
        course = Course(
            self._strategy, self._hands, limits=limits, task=record.header.task, listeners=listeners, log=log,
            gate=gate,
        )  # fmt: skip
        course.stand(self._refold.position, self._refold.steps, self._refold.begun)
        return course

    async def acourse(
        self,
        decision: Decision | None,
        pause_before: PauseBefore | None,
        listeners: Sequence[Callable[[Step[Any]], None]],
    ) -> Course[Any]:
        """As `course`; the event loop goes on while an owner elsewhere is given time for a sign of life."""
        stop = threading.Event()
        making = asyncio.ensure_future(asyncio.to_thread(self.course, decision, pause_before, listeners, stop))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            stop.set()
            await settled(making)
            with suppress(TinysmithError):
                making.result().forget()
            raise

    def bring_back(self, course: Course[Any]) -> None:
        """Brings the environment back to where the run left it."""
        if self._leaves or self._hands.environment is None:
            return
        self._check_opening(course, self._hands.reset(self._record.header.task, self._record.header.seed))
        for done in self._acts():
            self._check(course, done, self._hands.answer(done.request, within_s=None))

    async def abring_back(self, course: Course[Any]) -> None:
        """As `bring_back`."""
        if self._leaves or self._hands.environment is None:
            return
        header = self._record.header
        self._check_opening(course, await self._hands.areset(header.task, header.seed))
        for done in self._acts():
            self._check(course, done, await self._hands.aanswer(done.request))

    def _told(self, plan: Plan, *, is_paused: bool) -> dict[str, Any]:
        pending = self._refold.position.requests
        told: dict[str, Any] = {"asked_again": [] if is_paused else [each.id for each in pending if each.id]}
        if self._limits is not None:
            told["limits"] = limits_data(self._limits)
        if self._refold.took:
            told["took"] = self._refold.took
        fingerprint = compiled(plan)[0]
        if fingerprint != self._record.header.fingerprint:
            told["fingerprint"] = fingerprint
        return told

    def _acts(self) -> Iterator[_Bound]:
        for number, action, seen in acted(self._refold):
            request: Any = self._refold.steps[number - 1].request
            yield _Bound(number, evolve(request, action=action), seen)

    def _check_replayable(self) -> None:
        environment = self._hands.environment
        if self._leaves or environment is None or not any(True for _ in self._acts()):
            return
        if not (isinstance(environment, Replayable) and environment.is_replayable):
            name = type(environment).__name__
            problem = f"{name} does not say that its actions may be done again (is_replayable)"
            remedy = "bring it back yourself and resume with restore='leave'"
            raise NotRestored(f"run {self._record.run_id}: {problem}, so it cannot be brought back; {remedy}.")

    def _check_opening(self, course: Course[Any], opening: str) -> None:
        if course.clean(opening) != self._record.header.opening:
            self._refuse("its reset", opening, self._record.header.opening)

    def _check(self, course: Course[Any], done: _Bound, seen: Event) -> None:
        same = isinstance(seen, Observation) and isinstance(done.seen, Observation)
        now, was = course.clean(getattr(seen, "text", str(seen))), getattr(done.seen, "text", str(done.seen))
        if not same or now != was or _ends(seen) != _ends(done.seen):
            self._refuse(f"step {done.number} ({one_line(done.request.action, 60)!r})", now, was)

    def _refuse(self, where: str, now: str, was: str) -> None:
        name = type(self._hands.environment).__name__
        problem = f"{name} cannot be brought back: {where} shows {one_line(now, 60)!r}, not {one_line(was, 60)!r}"
        remedy = "Bring it back yourself and resume with restore='leave'"
        raise NotRestored(f"run {self._record.run_id}: {problem}. {remedy}.")


def _ends(event: Any) -> tuple[Any, ...]:
    return event.reward, event.terminated, event.truncated
