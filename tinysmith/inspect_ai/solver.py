"""A strategy as an Inspect solver."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import frozen
from inspect_ai.model import Model as AModelOfInspect
from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from tinysmith.drivers import Brief, Tools, arun
from tinysmith.errors import EnvironmentLost, ModelError, TinysmithError, ToolError, UsageError
from tinysmith.inspect_ai._model import InspectModel
from tinysmith.inspect_ai._telling import STORE, Telling, summary
from tinysmith.inspect_ai._waiting import Ended, demand_asyncio, surely, whole
from tinysmith.limits import Limits
from tinysmith.messages import Reply
from tinysmith.protocols import Environment, HasTasks, Model, Task
from tinysmith.run import Run
from tinysmith.strategy import Strategy

Models: TypeAlias = Mapping[str, str | AModelOfInspect | Model]

_FAULTS: Mapping[str, type[TinysmithError]] = {
    "model_failed": ModelError,
    "tool_failed": ToolError,
    "environment_lost": EnvironmentLost,
}
"""Outcomes that are no wrong answers; Inspect counts such a sample as an error, and may try it again."""


def task_of(state: TaskState) -> Task:
    """A sample as a task: its id, its input as the query, its metadata as the data. Its target is left out.

    Raises:
        UsageError: The metadata is no JSON data.
    """
    try:
        return Task(str(state.sample_id), state.input_text, data=state.metadata)
    except UsageError as error:
        problem = f"strategy_solver: the metadata of the sample {state.sample_id!r} is no JSON data: {error}"
        raise UsageError(f"{problem}. Give task=..., which makes the task of a sample's state.") from None


def answer_of(run: Run[Any]) -> str:
    """The board's field `answer`, where it has one that is not empty; else the last reply; else nothing."""
    answer = getattr(run.board, "answer", None)
    if answer not in (None, ""):
        return str(answer)
    replies = (step.event.text for step in reversed(run.steps) if isinstance(step.event, Reply))
    return next(replies, "")


@solver
def strategy_solver(
    strategy: Strategy[Any] | str,
    *,
    models: Models | None = None,
    environment: Callable[[TaskState], Environment] | str | None = None,
    tools: Tools = None,
    limits: Limits | None = Limits(),
    task: Callable[[TaskState], Task] | None = None,
    brief: Brief[Any] | None = None,
    answer: Callable[[Run[Any]], str] = answer_of,
) -> Solver:
    """Runs a strategy on each sample.

    Args:
        strategy: What to run; or its name, `package.module:Class` or `path.py:Class`.
        models: Models by the names of agents and panels, "*" for the rest: Inspect's, by name or as objects, or
            ours. An agent that is not named here asks the model of Inspect's role of the agent's own name, and
            where there is no such role the model that is evaluated.
        environment: Makes the environment of a sample, which is closed at the sample's end; or the name of what
            does, `package.module:function` or `path.py:function`.
        tools: Callables by the names of tool nodes.
        limits: How much a run may spend, beside Inspect's own limits.
        task: Makes the task of a sample; `task_of`, or the environment's own task of that id, unless given.
        brief: Makes the first board, instead of the strategy's own `brief`.
        answer: Makes the sample's output of the run.

    Returns:
        The solver. Its samples' store holds what the run was, under `tinysmith`.

    Raises:
        UsageError: There is no such strategy, or no such environment.
    """
    made = _environment(environment)
    work = _Work(_strategy(strategy), models or {}, made, tools, limits, task, brief, answer)

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # Inspect passes it
        return await work.done(state)

    return solve


@frozen
class _Work:
    """What is done on each sample."""

    strategy: Strategy[Any]
    models: Models
    environment: Callable[[TaskState], Environment] | None
    tools: Tools
    limits: Limits | None
    task: Callable[[TaskState], Task] | None
    brief: Brief[Any] | None
    answer: Callable[[Run[Any]], str]

    async def done(self, state: TaskState) -> TaskState:
        demand_asyncio()
        world = None if self.environment is None else self.environment(state)
        telling = Telling(state)
        try:
            run = await whole(self._running(state, world, telling))
        except Ended as ended:
            raise ended.error from None
        finally:
            if world is not None:
                await surely(world.close())
        state.store.set(STORE, summary(run))
        _demand_no_fault(run)
        telling.answer(self.answer(run))
        return state

    async def _running(self, state: TaskState, world: Environment | None, telling: Telling) -> Run[Any]:
        return await arun(
            self.strategy,
            model={"*": InspectModel(), **{node: _model(model) for node, model in self.models.items()}},
            environment=world,
            tools=self.tools,
            limits=self.limits,
            task=_task(state, world) if self.task is None else self.task(state),
            brief=self.brief,
            listeners=[telling.hear],
        )


def _strategy(strategy: Strategy[Any] | str) -> Strategy[Any]:
    if isinstance(strategy, str):
        from tinysmith.cli._load import load_strategy  # noqa: PLC0415  # for those who name it

        return load_strategy(strategy)()
    return strategy


def _environment(
    environment: Callable[[TaskState], Environment] | str | None,
) -> Callable[[TaskState], Environment] | None:
    if isinstance(environment, str):
        from tinysmith.cli._load import load_factory  # noqa: PLC0415  # for those who name it

        return load_factory(environment)
    return environment


def _model(model: str | AModelOfInspect | Model) -> Model:
    if isinstance(model, str | AModelOfInspect):
        return InspectModel(get_model(model))
    return model


def _task(state: TaskState, world: Environment | None) -> Task:
    if isinstance(world, HasTasks):
        return world.tasks[str(state.sample_id)]
    return task_of(state)


def _demand_no_fault(run: Run[Any]) -> None:
    kind = _FAULTS.get(run.outcome)
    if kind is not None:
        told = "" if run.error is None else f": {run.error.message}"
        raise kind(f"{run.strategy} ended as {run.outcome}{told}")
