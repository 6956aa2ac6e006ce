"""The course of one run: the one loop under `walk`, `run`, `awalk`, `arun` and `Orchestrator`.

Charter: what is asked next, what is recorded, what is logged, and the clock; nothing that the fold decides. The
blocking and the asynchronous door differ in how they wait, and in nothing else.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any, Generic, TypeVar

from attrs import evolve

from tinysmith._hands import TIME_UP, Hands
from tinysmith._kept import EVENTS, Begun, Gate, Log, at_once
from tinysmith._shown import one_line
from tinysmith._telling import same, stamped, tell
from tinysmith._timer import Timer
from tinysmith.errors import UsageError
from tinysmith.limits import Limits
from tinysmith.messages import Act, Ask, Call, Done, Event, Failed
from tinysmith.position import Hop, Position
from tinysmith.protocols import Grade, Task
from tinysmith.run import Run, Step, best_grade, step_between
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")

_LOG = logging.getLogger("tinysmith")

STEPS_A_TURN = 32
"""Steps of a run that may follow one another before other tasks of the loop have their turn."""


class Course(Generic[B]):
    """One run under way.

    Args:
        strategy: What is run.
        hands: What it is bound to.
        limits: How much it may spend.
        task: The episode's task.
        brief: Makes the first board where none is given; the strategy's own unless given.
        listeners: Called with every step.
        log: Where the run is journaled.
        gate: What asks a person before a request is carried out.

    Attributes:
        is_paused: Whether the run waits for a person.
    """

    __slots__ = (
        "_brief", "_first_board", "_first_hops", "_gate", "_grade", "_limits", "_listeners", "_log",
        "_max_seconds", "_opening", "_seed", "_since", "_task", "_timer", "_under_way", "hands", "is_paused",
        "position", "steps", "strategy",
    )  # fmt: skip

    def __init__(
        self,
        strategy: Strategy[B],
        hands: Hands,
        *,
        limits: Limits | None,
        task: Task | None,
        brief: Callable[[Task, str], B] | None = None,
        listeners: Sequence[Callable[[Step[B]], None]],
        log: Log[B] | None = None,
        gate: Gate | None = None,
    ) -> None:
        if isinstance(strategy, type):
            raise UsageError(f"{strategy.__name__} is a class. Give an object of it: {strategy.__name__}().")
        if limits is not None and not isinstance(limits, Limits):
            raise UsageError(f"limits= is {limits!r}. Give Limits(...), or None for no limits.")
        self.strategy = strategy
        self.hands = hands
        self.position: Position[B]
        self.steps: list[Step[B]] = []
        self._limits = limits
        self._task = task
        self._brief = brief
        self._listeners = tuple(listeners)
        self._opening = ""
        self._first_hops: tuple[Hop, ...] = ()
        self._grade: Grade | None = None
        self._since = 0.0
        self._max_seconds = None if limits is None else limits.max_seconds
        self._timer = None if self._max_seconds is None else Timer()
        self._under_way: dict[asyncio.Task[Event], Ask | Act | Call] = {}
        self._log = log
        self._gate = gate
        self._seed: int | None = None
        self.is_paused = False

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.position.done is not None

    @property
    def is_lost(self) -> bool:
        """Whether the environment was lost, so that there is nothing to grade."""
        done = self.position.done
        return done is not None and done.outcome == "environment_lost"

    async def abegin(self, board: B | None, seed: int | None) -> None:
        """Resets the environment and stands at the start."""
        self._seed = seed
        self._start(board, await self.hands.areset(self._task, seed))
        if self._log is not None:
            await self._log.abegin(*self._header())

    async def aend(self) -> None:
        """Takes the environment's last grade."""
        if not self.is_paused:
            self._close(None if self.is_lost else await self.hands.agrade())
            if self._log is not None:
                await self._log.aend(self.position, self._grade)

    def begin(self, board: B | None, opening: str, seed: int | None = None) -> None:
        """Stands at the start; the opening makes the board where none is given."""
        self._seed = seed
        self._start(board, opening)
        if self._log is not None:
            self._log.begin(*self._header())

    def stand(self, position: Position[B], steps: Sequence[Step[B]], begun: "Begun[B]") -> None:
        """Stands where a run that was journaled stood."""
        self._opening = begun.opening
        self._first_board = begun.board
        self._first_hops = begun.hops
        self._seed = begun.seed
        self.position = position
        self.steps = list(steps)

    def goes_on(self) -> bool:
        """Whether something is to be carried out now: the run is not over, and no person is waited for."""
        if self.is_over:
            return False
        if self._gate is not None and not self._gate.lets_through(self.position.requests, self._log):
            self.is_paused = True
            if self._log is not None:
                self._log.pause(self.position.requests)
            _LOG.info("%s: paused before %s", plan_of(self.strategy).name, self.position.node)
            return False
        return True

    def clean(self, text: str) -> str:
        """A text as the run's journal keeps it."""
        return text if self._log is None else self._log.text(text)

    def let_go(self) -> None:
        """Gives back what the run holds, blocking."""
        self.hands.let_go()
        self.forget()

    def forget(self) -> None:
        """Lets the run go in its journal, if it did not end."""
        if self._log is not None:
            self._log.let_go()

    def _start(self, board: B | None, opening: str) -> None:
        if self._log is not None:
            opening = self._log.text(opening)
        self._opening = opening
        if board is None:
            brief = self.strategy.brief if self._brief is None else self._brief
            board = brief(self._task or Task("", opening), opening)
        elif opening:
            _LOG.info("%s: unread opening: %s", plan_of(self.strategy).name, one_line(opening))
        if self._log is not None:
            board = self._log.board(board)
        self._first_board = board
        self.position = self.strategy.start(board, self._limits)
        self._first_hops = self.position.hops
        for hop in self._first_hops:
            _LOG.info("%s: begins %s → %s", plan_of(self.strategy).name, hop.source, hop.target)

    def _header(self) -> tuple[B, Limits, Begun[B], Task | None, Hands]:
        begun = Begun(self._first_board, self._first_hops, self._opening, self._seed)
        return self._first_board, self.position.limits, begun, self._task, self.hands

    def end(self, grade: Grade | Failed | None) -> None:
        """Takes the environment's last grade; where it could not give one, the run counts as lost."""
        self._close(grade)
        if self._log is not None:
            self._log.end(self.position, self._grade)

    def _close(self, grade: Grade | Failed | None) -> None:
        if isinstance(grade, Failed):
            lost = Done("environment_lost", node=self.position.node)
            self.position = evolve(self.position, requests=(lost,), error=grade)
        else:
            self._grade = grade

    def next(self) -> Step[B]:
        """Answers the first pending request, blocking."""
        request: Any = self.position.request
        doing: Any = request if self._gate is None else self._gate.doing(request)
        self.await_answer()
        if isinstance(doing, EVENTS):
            return self.fold(request, doing)
        within_s = None if self._timer is None else max(0.0, self._until() - self._since)
        return self.fold(request, self.hands.answer(doing, within_s=within_s))

    async def anext(self) -> Step[B]:
        """Answers the pending requests, all at once, and folds the first answer that comes."""
        if self.position.step % STEPS_A_TURN == STEPS_A_TURN - 1:
            await asyncio.sleep(0)  # a model that never waits must not keep others, or a cancellation, waiting
        self.await_answer()
        if len(self.position.requests) > 1 or self._under_way:
            return await self._anext_of_several()
        request: Any = self.position.request
        if self._timer is None:
            return await self.afold(request, await self._answer(request))
        event: Event = TIME_UP
        self._timer.until = self._until()
        with self._timer:
            event = await self._answer(request)
        return await self.afold(request, event)

    def _answer(self, request: Ask | Act | Call) -> Coroutine[Any, Any, Event]:
        doing: Any = request if self._gate is None else self._gate.doing(request)
        return at_once(doing) if isinstance(doing, EVENTS) else self.hands.aanswer(doing)

    async def _anext_of_several(self) -> Step[B]:
        asked = {request.id for request in self._under_way.values()}
        for request in self.position.requests:
            if request.id not in asked and not isinstance(request, Done):
                self._under_way[asyncio.ensure_future(self._answer(request))] = request
        if self._timer is not None:
            self._timer.until = self._until()
        answered: tuple[Any, Event] | None = None
        with self._timer or nullcontext():
            done, _ = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            first = next(task for task in self._under_way if task in done)
            answered = self._under_way.pop(first), first.result()
        if answered is None:
            await self.drop()
            answered = self.position.request, TIME_UP
        return await self.afold(*answered)

    async def drop(self) -> None:
        """Cancels what is under way, and waits until it is gone."""
        if self._timer is not None:
            self._timer.stop()
        if self._under_way:
            tasks = list(self._under_way)
            self._under_way.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def await_answer(self) -> None:
        """Starts the clock: from here on the run waits."""
        self._since = perf_counter()

    def fold(self, request: Ask | Act | Call, event: Event) -> Step[B]:
        """Takes an answer: one step of the run. Where it is journaled, it is durable before anything else."""
        event = self._heard(request, event)
        after = self._folded(event)
        if self._log is not None:
            self._log.step(request, event, self.position, after)
        return self._taken(request, event, after)

    async def afold(self, request: Ask | Act | Call, event: Event) -> Step[B]:
        """As `fold`."""
        event = self._heard(request, event)
        after = self._folded(event)
        if self._log is not None:
            try:
                await self._log.astep(request, event, self.position, after)
            except asyncio.CancelledError:  # it is durable all the same
                self._taken(request, event, after)
                raise
        return self._taken(request, event, after)

    def _heard(self, request: Ask | Act | Call, event: Event) -> Event:
        event = stamped(event, request.id, perf_counter() - self._since)
        return event if self._log is None else self._log.heard(event)

    def _folded(self, event: Event) -> Position[B] | Exception:
        try:
            return self.strategy.advance(self.position, event)
        except Exception as error:
            if self._log is None:
                raise
            return error  # raised when the event, which may have been paid for, is kept

    def _taken(self, request: Ask | Act | Call, event: Event, after: Position[B] | Exception) -> Step[B]:
        if isinstance(after, Exception):
            raise after
        step = step_between(self.position, request, event, after)
        self.position = after
        self.steps.append(step)
        if _LOG.isEnabledFor(logging.INFO):
            tell(plan_of(self.strategy), step, same if self._log is None else self._log.text)
        for listener in self._listeners:
            listener(step)
        return step

    def result(self) -> Run[B]:
        """What the run was."""
        steps = tuple(self.steps)
        grade, oracle = best_grade(steps, self._grade)
        return Run(
            plan_of(self.strategy).name,
            self.position,
            steps,
            task="" if self._task is None else self._task.id,
            opening=self._opening,
            first_hops=self._first_hops,
            grade=grade,
            oracle=oracle,
            declared=self.strategy,
            first_board=self._first_board,
            run_id="" if self._log is None else self._log.run_id,
            is_paused=self.is_paused,
        )

    def _until(self) -> float:
        """When the run's time is up, on the clock of `perf_counter`, if it goes on waiting from now on."""
        return self._since + (self._max_seconds or 0.0) - self.position.spent.elapsed_ns / 1e9
