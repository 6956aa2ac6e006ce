"""The hands of a run: they carry requests to models, environment and tools, and bring back events.

Charter: all that a driver does to the outside goes through here, blocking and asynchronous side by side. What
goes wrong outside comes back as a `Failed` event; what is wrong with the arguments is said before a run begins.
"""

import asyncio
import inspect
import logging
import traceback
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from math import isfinite
from typing import Any, TypeVar

from tinysmith._shown import near, one_line, scrubbed
from tinysmith._threads import in_thread, within
from tinysmith._turn import Plan
from tinysmith.errors import EnvironmentLost, ModelError, TinysmithError, ToolError, UsageError
from tinysmith.mapping import thaw
from tinysmith.messages import Act, Ask, Call, Event, Failed, Observation, Reply, Result
from tinysmith.nodes import Agent, Panel, Tool, World
from tinysmith.protocols import Environment, Episodic, Grade, Graded, Model, Task

T = TypeVar("T")

_LOG = logging.getLogger("tinysmith")

TIME_UP = Failed("max_seconds", "The run's time is up; what was under way was cancelled.")


class Hands:
    """What a run is bound to.

    Args:
        plan: The strategy.
        model: One model for all agents and panels, or one by node name, "*" for the rest.
        environment: What world nodes act on.
        tools: Callables by the names of tool nodes, instead of the nodes' own `call`.
        task: The task of the episode; models that keep many episodes are asked for this one.

    Raises:
        UsageError: Something that the strategy needs is missing, or a name is of no node.
    """

    __slots__ = ("_models", "_runner", "_tools", "environment")

    def __init__(
        self,
        plan: Plan,
        *,
        model: Model | Mapping[str, Model] | None,
        environment: Environment | None,
        tools: Mapping[str, Any] | None,
        task: Task | None,
    ) -> None:
        if not isinstance(task, Task | None):
            problem = f"task is {one_line(repr(task), 80)}"
            raise UsageError(f"{plan.name}: {problem}; give a Task, such as environment.tasks[id].")
        self.environment = environment
        self._models = _models(plan, model, task)
        self._tools = _tools(plan, tools or {})
        self._runner: asyncio.Runner | None = None
        world = next((name for name, kind in plan.kinds.items() if kind is World), None)
        if world is not None and environment is None:
            raise UsageError(f"{plan.name}.{world} acts in an environment. Give the run environment=....")

    @property
    def models(self) -> Mapping[str, Model]:
        """The models by node."""
        return self._models

    def take_episode(self, task: Task | None) -> None:
        """Has the models that keep many episodes answer for this task."""
        if task is not None:
            self._models = _in_episode(self._models, task)

    def answer(self, request: Ask | Act | Call, *, within_s: float | None) -> Event:
        """Carries out a request, blocking, for at most `within_s` seconds (None: as long as it takes)."""
        try:
            if isinstance(request, Ask):
                return within(within_s, partial(self._ask, request))
            if isinstance(request, Act):
                return self.wait(self._act(request), within_s)
            if _is_async(self._tools[request.node]):
                return self.wait(self._acall(request), within_s)
            return within(within_s, partial(self._call, request))
        except TimeoutError:
            return TIME_UP

    def aanswer(self, request: Ask | Act | Call) -> Coroutine[Any, Any, Event]:
        """Carries out a request."""
        if isinstance(request, Ask):
            return self._aask(request)
        if isinstance(request, Act):
            return self._act(request)
        return self._acall(request)

    def wait(self, work: Coroutine[Any, Any, T], within_s: float | None = None) -> T:
        """Runs asynchronous work to its end in this run's own event loop."""
        if self._runner is None:
            refuse_running_loop("This", "arun() or aforward()", work)
            self._runner = asyncio.Runner()
        return self._runner.run(work if within_s is None else asyncio.wait_for(work, within_s))

    def let_go(self) -> None:
        """Gives the event loop back."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def reset(self, task: Task | None, seed: int | None) -> str:
        """As `areset`, blocking."""
        return "" if self.environment is None else self.wait(self.areset(task, seed))

    async def areset(self, task: Task | None, seed: int | None) -> str:
        """Begins an episode of the environment, and returns what it shows first.

        Raises:
            EnvironmentLost: The environment raised.
            UsageError: The seed is no whole number; or the environment raised it.
        """
        if self.environment is None:
            return ""
        if type(seed) not in {int, type(None)}:
            raise UsageError(f"seed is {one_line(repr(seed), 80)}; give a whole number, or leave it out.")
        try:
            observation, _info = await self.environment.reset(task=task, seed=seed)
        except TinysmithError:
            raise
        except Exception as error:
            raise EnvironmentLost(_failure(error, self.environment, "environment").message) from error
        return observation

    def grade(self) -> Grade | Failed | None:
        """As `agrade`, blocking."""
        return None if self.environment is None else self.wait(self.agrade())

    async def agrade(self) -> Grade | Failed | None:
        """The environment's grade of the episode; None where nothing grades, and a failure if it raised."""
        if not isinstance(self.environment, Graded):
            return None
        try:
            grade: object = await self.environment.grade()
            if isinstance(grade, Grade) and isfinite(grade.score):
                return grade
        except Exception as error:  # noqa: BLE001  # becomes the run's error
            return _failure(error, self.environment, "environment")
        what = (
            f"the grade {grade.score!r}" if isinstance(grade, Grade) else f"a {type(grade).__name__}, not a Grade"
        )
        return Failed("environment", f"{type(self.environment).__name__} gave {what}.")

    # What follows answers with an event whatever happens outside; only what is the caller's own mistake is raised.

    def _ask(self, request: Ask) -> Event:
        model = self._models[request.node]
        try:
            return _checked(model.ask(request))
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001  # becomes the run's error
            return _failure(error, model)

    async def _aask(self, request: Ask) -> Event:
        model = self._models[request.node]
        try:
            return _checked(await model.aask(request))
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001  # becomes the run's error
            return _failure(error, model)

    async def _act(self, request: Act) -> Event:
        environment: Any = self.environment
        try:
            text, reward, terminated, truncated, info = await environment.step(request.action)
            if request.grade and isinstance(environment, Graded):
                grade = await environment.grade()
                reward = grade.score
                info = {**info, "grade": {"score": grade.score, "solved": grade.solved, "parts": grade.parts}}
            if not isfinite(reward):
                return Failed("environment", f"{type(environment).__name__} gave the reward {reward!r}.")
            return Observation(
                text, reward=float(reward), terminated=bool(terminated), truncated=bool(truncated), info=info
            )
        except Exception as error:  # noqa: BLE001  # becomes the run's error
            return _failure(error, environment, "environment")

    def _call(self, request: Call) -> Event:
        try:
            value = self._tools[request.node](**thaw(request.arguments))
        except Exception as error:  # noqa: BLE001  # becomes the run's error
            return _failure(error, request.node, "tool")
        if inspect.iscoroutine(value):
            value.close()
            return Failed("tool", f"{request.node} gave a coroutine. Define it with `async def`.")
        return Result(value)

    async def _acall(self, request: Call) -> Event:
        tool = self._tools[request.node]
        if not _is_async(tool):
            return await in_thread(partial(self._call, request))
        try:
            return Result(await tool(**thaw(request.arguments)))
        except Exception as error:  # noqa: BLE001  # becomes the run's error
            return _failure(error, request.node, "tool")


def refuse_running_loop(name: str, other: str, *unused: Coroutine[Any, Any, Any]) -> None:
    """Refuses to block where an event loop is running.

    Raises:
        UsageError: One is.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    for work in unused:
        work.close()
    raise UsageError(f"{name} blocks, and an event loop is running here; use {other} instead.")


def _is_async(tool: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__)


def _failure(error: Exception, where: object, kind: str = "model") -> Failed:
    """What went wrong outside, as an event: our own errors say it themselves, others with the place."""
    if isinstance(error, ModelError) and kind == "model":
        return Failed(error.kind, str(error))
    if isinstance(error, EnvironmentLost | ToolError):
        return Failed(kind, str(error))
    place = where if isinstance(where, str) else type(where).__name__
    if kind == "tool":  # a failure edge may go on without it, and nobody would know
        _LOG.warning("%s", scrubbed(f"{place} raised {type(error).__name__}: {one_line(str(error))}"))
    _LOG.debug("%s raised:\n%s", place, scrubbed("".join(traceback.format_exception(error))))
    return Failed(kind, scrubbed(f"{place} raised {type(error).__name__}: {error}"))


def _checked(reply: Any) -> Reply:
    if isinstance(reply, Reply):
        return reply
    raise TypeError(f"it answered with a {type(reply).__name__}, not a Reply")


def _models(plan: Plan, model: Model | Mapping[str, Model] | None, task: Task | None) -> dict[str, Model]:
    asking = [name for name, kind in plan.kinds.items() if kind in {Agent, Panel}]
    given: Mapping[str, Model] = model if isinstance(model, Mapping) else {} if model is None else {"*": model}
    for name in given:
        if name != "*" and name not in asking:
            raise UsageError(f"model= names {name!r}, which is no agent of {plan.name}. {near(name, asking)}")
    bound: dict[str, Model] = {}
    for name in asking:
        chosen = given.get(name, given.get("*"))
        if chosen is None:
            raise UsageError(f"{plan.name}.{name} has no model. Give the run model=..., or one under {name!r}.")
        bound[name] = chosen
    if task is not None:
        bound = _in_episode(bound, task)
    for name, chosen in bound.items():
        if not callable(getattr(chosen, "ask", None)) or not callable(getattr(chosen, "aask", None)):
            problem = f"The model of {plan.name}.{name} is {chosen!r}, which has not both ask() and aask()."
            raise UsageError(f"{problem} Give a model, such as LLM(...).")
    return bound


def _in_episode(bound: Mapping[str, Model], task: Task) -> dict[str, Model]:
    """The models for one task; one that speaks for several agents goes through its episode once."""
    episodes: dict[int, Model] = {}
    for model in bound.values():
        if isinstance(model, Episodic) and id(model) not in episodes:
            episodes[id(model)] = model.episode(task)
    return {name: episodes.get(id(model), model) for name, model in bound.items()}


def _tools(plan: Plan, given: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    nodes = {name: node for name, node in plan.nodes.items() if isinstance(node, Tool)}
    for name, tool in given.items():
        if name not in nodes:
            raise UsageError(f"tools= names {name!r}, which is no tool of {plan.name}. {near(name, nodes)}")
        if not callable(getattr(tool, "call", tool)):
            raise UsageError(f"tools[{name!r}] is {tool!r}. Give something that can be called.")
    for name, node in nodes.items():
        if name not in given and type(node).call is Tool.call:
            problem = f"{plan.name}.{name} has nothing to call."
            raise UsageError(f"{problem} Bind it: run(..., tools={{{name!r}: callable}}).")
    return {
        name: getattr(given[name], "call", given[name]) if name in given else node.call
        for name, node in nodes.items()
    }
