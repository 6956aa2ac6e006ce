"""The course of one run: the one loop under `walk`, `run`, `awalk`, `arun` and `Orchestrator`.

Charter: what is asked next, what is recorded, what is logged, and the clock; nothing that the fold decides. The
blocking and the asynchronous door differ in how they wait, and in nothing else.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any, Generic, TypeVar, cast

from attrs import evolve

from tinysmith._hands import TIME_UP, Hands
from tinysmith._shown import escaped, one_line
from tinysmith._timer import Timer
from tinysmith._turn import Plan
from tinysmith.errors import UsageError
from tinysmith.limits import Limits
from tinysmith.messages import Act, Ask, Call, Done, Event, Failed, Reply
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
    """

    __slots__ = (
        "_brief", "_first_board", "_first_hops", "_grade", "_limits", "_listeners", "_max_seconds", "_opening",
        "_since", "_task", "_timer", "_under_way", "hands", "position", "steps", "strategy",
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

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.position.done is not None

    @property
    def _is_lost(self) -> bool:
        done = self.position.done
        return done is not None and done.outcome == "environment_lost"

    def walk(self, board: B | None, seed: int | None) -> Iterator[Step[B]]:
        """From the first step to the last, blocking."""
        try:
            self.begin(board, self.hands.reset(self._task, seed))
            while not self.is_over:
                yield self.next()
            self.end(None if self._is_lost else self.hands.grade())
        finally:
            self.hands.let_go()

    async def awalk(self, board: B | None, seed: int | None) -> AsyncIterator[Step[B]]:
        """From the first step to the last."""
        try:
            await self.abegin(board, seed)
            while not self.is_over:
                yield await self.anext()
            await self.aend()
        finally:
            await self.drop()

    async def arun(self, board: B | None, seed: int | None) -> Run[B]:
        """As `awalk` to the end, without the cost of an iterator: thousands of runs may share a loop."""
        try:
            await self.abegin(board, seed)
            while not self.is_over:
                await self.anext()
            await self.aend()
        finally:
            await self.drop()
        return self.result()

    async def abegin(self, board: B | None, seed: int | None) -> None:
        """Resets the environment and stands at the start."""
        self.begin(board, await self.hands.areset(self._task, seed))

    async def aend(self) -> None:
        """Takes the environment's last grade."""
        self.end(None if self._is_lost else await self.hands.agrade())

    def begin(self, board: B | None, opening: str) -> None:
        """Stands at the start; the opening makes the board where none is given."""
        self._opening = opening
        if board is None:
            brief = self.strategy.brief if self._brief is None else self._brief
            board = brief(self._task or Task("", opening), opening)
        elif opening:
            _LOG.info("%s: unread opening: %s", plan_of(self.strategy).name, one_line(opening))
        self._first_board = board
        self.position = self.strategy.start(board, self._limits)
        self._first_hops = self.position.hops
        for hop in self._first_hops:
            _LOG.info("%s: begins %s → %s", plan_of(self.strategy).name, hop.source, hop.target)

    def end(self, grade: Grade | Failed | None) -> None:
        """Takes the environment's last grade; where it could not give one, the run counts as lost."""
        if isinstance(grade, Failed):
            lost = Done("environment_lost", node=self.position.node)
            self.position = evolve(self.position, requests=(lost,), error=grade)
        else:
            self._grade = grade

    def next(self) -> Step[B]:
        """Answers the first pending request, blocking."""
        request: Any = self.position.request
        self.await_answer()
        within_s = None if self._timer is None else max(0.0, self._until() - self._since)
        return self.fold(request, self.hands.answer(request, within_s=within_s))

    async def anext(self) -> Step[B]:
        """Answers the pending requests, all at once, and folds the first answer that comes."""
        if self.position.step % STEPS_A_TURN == STEPS_A_TURN - 1:
            await asyncio.sleep(0)  # a model that never waits must not keep others, or a cancellation, waiting
        self.await_answer()
        if len(self.position.requests) > 1 or self._under_way:
            return await self._anext_of_several()
        request: Any = self.position.request
        if self._timer is None:
            return self.fold(request, await self.hands.aanswer(request))
        event: Event = TIME_UP
        self._timer.until = self._until()
        with self._timer:
            event = await self.hands.aanswer(request)
        return self.fold(request, event)

    async def _anext_of_several(self) -> Step[B]:
        asked = {request.id for request in self._under_way.values()}
        for request in self.position.requests:
            if request.id not in asked and not isinstance(request, Done):
                self._under_way[asyncio.ensure_future(self.hands.aanswer(request))] = request
        if self._timer is not None:
            self._timer.until = self._until()
        with self._timer or nullcontext():
            done, _ = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            first = next(task for task in self._under_way if task in done)
            return self.fold(self._under_way.pop(first), first.result())
        await self.drop()
        return self.fold(cast("Ask", self.position.request), TIME_UP)

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
        """Takes an answer: one step of the run."""
        event = _stamped(event, request.id, perf_counter() - self._since)
        before = self.position
        after = self.strategy.advance(before, event)
        step = step_between(before, request, event, after)
        self.position = after
        self.steps.append(step)
        if _LOG.isEnabledFor(logging.INFO):
            _log(plan_of(self.strategy), step)
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
        )

    def _until(self) -> float:
        """When the run's time is up, on the clock of `perf_counter`, if it goes on waiting from now on."""
        return self._since + (self._max_seconds or 0.0) - self.position.spent.elapsed_ns / 1e9


def _stamped(event: Event, answers: str, elapsed_s: float) -> Event:
    """The event with what it answers and how long that took; spelt out for replies, of which there are most."""
    if type(event) is Reply:
        return Reply(
            event.text,
            calls=event.calls,
            finish=event.finish,
            usage=event.usage,
            model=event.model,
            thinking=event.thinking,
            answers=answers,
            elapsed_s=elapsed_s,
        )
    return evolve(event, answers=answers, elapsed_s=elapsed_s)


def _log(plan: Plan, step: Step[Any]) -> None:
    _LOG.info("%s step %d: %s %s: %s", plan.name, step.number, step.node, step.way, step.said())
    if step.complaint:
        _LOG.info("%s step %d: %s is told: %s", plan.name, step.number, step.node, one_line(step.complaint))
    if _LOG.isEnabledFor(logging.DEBUG):
        if isinstance(step.request, Ask):
            prompt = "\n".join(f"{message.role}: {message.content}" for message in step.request.messages)
            _LOG.debug("%s step %d: prompt of %s:\n%s", plan.name, step.number, step.node, escaped(prompt))
        if isinstance(step.event, Reply):
            _LOG.debug("%s step %d: reply:\n%s", plan.name, step.number, escaped(step.event.text))
    if step.outcome:
        _LOG.info("%s: over: %s", plan.name, step.outcome)
