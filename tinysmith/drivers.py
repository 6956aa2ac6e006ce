"""`walk`, `run`, `awalk` and `arun`: thin drivers that answer a strategy's requests."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tinysmith import _loops
from tinysmith._course import Course
from tinysmith._hands import Hands, refuse_running_loop
from tinysmith._kept import Gate
from tinysmith.approval import PauseBefore, asks_whether
from tinysmith.limits import Limits
from tinysmith.protocols import Environment, Model, Task
from tinysmith.run import Run, Step
from tinysmith.strategy import Strategy, plan_of

if TYPE_CHECKING:
    from tinysmith.journal import Journal

B = TypeVar("B")
Models: TypeAlias = Model | Mapping[str, Model] | None
Tools: TypeAlias = Mapping[str, Any] | None
Brief: TypeAlias = Callable[[Task, str], B]
Listeners: TypeAlias = Sequence[Callable[[Step[B]], None]]


def walk(
    strategy: Strategy[B],
    board: B | None = None,
    *,
    model: Models = None,
    environment: Environment | None = None,
    tools: Tools = None,
    limits: Limits | None = Limits(),
    task: Task | None = None,
    seed: int | None = None,
    brief: Brief[B] | None = None,
    listeners: Listeners[B] = (),
    journal: "Journal | None" = None,
    pause_before: PauseBefore | None = None,
) -> Iterator[Step[B]]:
    """Runs a strategy step after step, blocking; the arguments are those of `run`."""
    refuse_running_loop("walk()", "awalk()")
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    kept = _kept(strategy, hands, journal, pause_before)
    course = Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners, **kept)
    return _loops.walk(course, lambda: course.begin(board, hands.reset(task, seed), seed))


def run(
    strategy: Strategy[B], board: B | None = None, *, model: Models = None, environment: Environment | None = None,
    tools: Tools = None, limits: Limits | None = Limits(), task: Task | None = None, seed: int | None = None,
    brief: Brief[B] | None = None, listeners: Listeners[B] = (), journal: "Journal | None" = None,
    pause_before: PauseBefore | None = None,
) -> Run[B]:  # fmt: skip
    """Runs a strategy to its end, blocking.

    Args:
        strategy: What to run.
        board: The first board; without one, `strategy.brief` makes it from the task and the first observation.
        model: One model for all agents and panels, or a mapping from their names, "*" for the rest.
        environment: What world nodes act on. It is reset when the run begins; closing it stays with the caller.
        tools: Callables by the names of tool nodes, instead of the nodes' own `call`.
        limits: How much the run may spend; None for no limits at all.
        task: The episode's task.
        seed: Passed to the environment's reset.
        brief: Makes the first board where none is given, instead of `strategy.brief`.
        listeners: Called with every step, as it happens.
        journal: Where the run is kept, so that `resume` goes on with it whatever happens. Nothing is acted on
            before it is durable there.
        pause_before: Names of nodes, before whose requests the run is paused; or what says so of a request, or
            decides about it at once.

    Returns:
        The run. Failures outside, and limits that are reached, end it with an outcome, not with an exception.

    Raises:
        UsageError: Something is missing or does not go together.
        JournalError: The journal cannot be written; what was written holds.
        RunError: The strategy itself is at fault.
    """
    refuse_running_loop("run()", "arun()")
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    kept = _kept(strategy, hands, journal, pause_before)
    course = Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners, **kept)
    for _ in _loops.walk(course, lambda: course.begin(board, hands.reset(task, seed), seed)):
        pass
    return course.result()


def awalk(
    strategy: Strategy[B],
    board: B | None = None,
    *,
    model: Models = None,
    environment: Environment | None = None,
    tools: Tools = None,
    limits: Limits | None = Limits(),
    task: Task | None = None,
    seed: int | None = None,
    brief: Brief[B] | None = None,
    listeners: Listeners[B] = (),
    journal: "Journal | None" = None,
    pause_before: PauseBefore | None = None,
) -> AsyncIterator[Step[B]]:
    """Runs a strategy step after step; the arguments are those of `run`. Closing the iterator cancels it."""
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    kept = _kept(strategy, hands, journal, pause_before)
    course = Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners, **kept)
    return _loops.awalk(course, lambda: course.abegin(board, seed))


async def arun(
    strategy: Strategy[B],
    board: B | None = None,
    *,
    model: Models = None,
    environment: Environment | None = None,
    tools: Tools = None,
    limits: Limits | None = Limits(),
    task: Task | None = None,
    seed: int | None = None,
    brief: Brief[B] | None = None,
    listeners: Listeners[B] = (),
    journal: "Journal | None" = None,
    pause_before: PauseBefore | None = None,
) -> Run[B]:
    """Runs a strategy to its end; the arguments are those of `run`. Cancelling it cancels what is under way."""
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    kept = _kept(strategy, hands, journal, pause_before)
    course = Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners, **kept)
    return await _loops.arun(course, lambda: course.abegin(board, seed))


def _kept(
    strategy: Strategy[Any], hands: Hands, journal: "Journal | None", pause_before: PauseBefore | None
) -> dict[str, Any]:
    """What keeps the run, and what pauses it."""
    plan = plan_of(strategy)
    gate = None if pause_before is None else Gate(asks_whether(pause_before, plan.nodes))
    return {"log": None if journal is None else journal.log_of(plan, hands), "gate": gate}
