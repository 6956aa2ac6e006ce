"""`walk`, `run`, `awalk` and `arun`: thin drivers that answer a strategy's requests."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from tinysmith._course import Course
from tinysmith._hands import Hands, refuse_running_loop
from tinysmith.limits import Limits
from tinysmith.protocols import Environment, Model, Task
from tinysmith.run import Run, Step
from tinysmith.strategy import Strategy, plan_of

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
) -> Iterator[Step[B]]:
    """Runs a strategy step after step, blocking; the arguments are those of `run`."""
    refuse_running_loop("walk()", "awalk()")
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    return Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners).walk(board, seed)


def run(
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
) -> Run[B]:
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

    Returns:
        The run. Failures outside, and limits that are reached, end it with an outcome, not with an exception.

    Raises:
        UsageError: Something is missing or does not go together.
        RunError: The strategy itself is at fault.
    """
    refuse_running_loop("run()", "arun()")
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    course = Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners)
    for _ in course.walk(board, seed):
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
) -> AsyncIterator[Step[B]]:
    """Runs a strategy step after step; the arguments are those of `run`. Closing the iterator cancels it."""
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    return Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners).awalk(board, seed)


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
) -> Run[B]:
    """Runs a strategy to its end; the arguments are those of `run`. Cancelling it cancels what is under way."""
    hands = Hands(plan_of(strategy), model=model, environment=environment, tools=tools, task=task)
    course = Course(strategy, hands, limits=limits, task=task, brief=brief, listeners=listeners)
    return await course.arun(board, seed)
