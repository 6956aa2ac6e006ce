"""The hands of a run: they carry requests to models, environment and tools, and bring back events.

Charter: all that a driver does to the outside goes through here, blocking and asynchronous side by side. What
goes wrong outside comes back as a `Failed` event; what is wrong with the arguments is said before a run begins.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from tinysmith._shown import near
from tinysmith._turn import Plan
from tinysmith.errors import EnvironmentLost, ModelError, TinysmithError, ToolError, UsageError
from tinysmith.mapping import thaw
from tinysmith.messages import Act, Ask, Call, Event, Failed, Observation, Reply, Result
from tinysmith.nodes import Agent, Panel, Tool, World
from tinysmith.protocols import Environment, Episodic, Grade, Graded, Model, Task

T = TypeVar("T")

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

    def __init__(
        self,
        plan: Plan,
        *,
        model: Model | Mapping[str, Model] | None,
        environment: Environment | None,
        tools: Mapping[str, Any] | None,
        task: Task | None,
    ) -> None:
        self.environment = environment
        self._models = _models(plan, model, task)
        self._tools = _tools(plan, tools or {})
        self._runner: asyncio.Runner | None = None
        world = next((name for name, kind in plan.kinds.items() if kind is World), None)
        if world is not None and environment is None:
            raise UsageError(f"{plan.name}.{world} acts in an environment. Give the run environment=....")

    def answer(self, request: Ask | Act | Call, *, within_s: float | None) -> Event:
        """Carries out a request, blocking, for at most `within_s` seconds (None: as long as it takes)."""
        try:
            if isinstance(request, Ask):
                return _within(within_s, lambda: self._ask(request))
            if isinstance(request, Act):
                return self.wait(self._act(request), within_s)
            if _is_async(self._tools[request.node]):
                return self.wait(self._acall(request), within_s)
            return _within(within_s, lambda: self._call(request))
        except TimeoutError:
            return TIME_UP
        except (ModelError, EnvironmentLost, ToolError) as error:
            return _failed(error)

    async def aanswer(self, request: Ask | Act | Call) -> Event:
        """Carries out a request."""
        try:
            if isinstance(request, Ask):
                return await self._aask(request)
            if isinstance(request, Act):
                return await self._act(request)
            return await self._acall(request)
        except (ModelError, EnvironmentLost, ToolError) as error:
            return _failed(error)

    def wait(self, work: Coroutine[Any, Any, T], within_s: float | None = None) -> T:
        """Runs asynchronous work to its end in this run's own event loop."""
        if self._runner is None:
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
        """
        if self.environment is None:
            return ""
        try:
            observation, _info = await self.environment.reset(task=task, seed=seed)
        except TinysmithError:
            raise
        except Exception as error:
            raise EnvironmentLost(f"{type(self.environment).__name__}: {_raised(error)}") from error
        return observation

    def grade(self) -> Grade | Failed | None:
        """As `agrade`, blocking."""
        return None if self.environment is None else self.wait(self.agrade())

    async def agrade(self) -> Grade | Failed | None:
        """The environment's grade of the episode; None where nothing grades, and a failure if it raised."""
        if not isinstance(self.environment, Graded):
            return None
        try:
            return await self.environment.grade()
        except EnvironmentLost as error:
            return _failed(error)
        except Exception as error:  # noqa: BLE001  # goes on as the run's error: a graded run is not lost for it
            return Failed("environment", f"{type(self.environment).__name__}: {_raised(error)}")

    def _ask(self, request: Ask) -> Reply:
        model = self._models[request.node]
        try:
            return _reply(model, model.ask(request))
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(_raised(error), model=type(model).__name__) from error

    async def _aask(self, request: Ask) -> Reply:
        model = self._models[request.node]
        try:
            return _reply(model, await model.aask(request))
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(_raised(error), model=type(model).__name__) from error

    async def _act(self, request: Act) -> Observation:
        environment = self.environment
        try:
            text, reward, terminated, truncated, info = await environment.step(request.action)  # type: ignore[union-attr]  # __init__ saw to it
            if request.grade and isinstance(environment, Graded):
                grade = await environment.grade()
                reward = grade.score
                info = {**info, "grade": {"score": grade.score, "solved": grade.solved, "parts": grade.parts}}
            return Observation(
                text, reward=float(reward), terminated=bool(terminated), truncated=bool(truncated), info=info
            )
        except EnvironmentLost:
            raise
        except Exception as error:
            raise EnvironmentLost(f"{type(environment).__name__}: {_raised(error)}") from error

    def _call(self, request: Call) -> Result:
        try:
            value = self._tools[request.node](**thaw(request.arguments))
        except Exception as error:
            raise ToolError(f"{request.node}: {_raised(error)}") from error
        if inspect.iscoroutine(value):
            value.close()
            raise ToolError(f"{request.node}: it gave a coroutine; define it with `async def`.")
        return Result(value)

    async def _acall(self, request: Call) -> Result:
        tool = self._tools[request.node]
        if not _is_async(tool):
            return await asyncio.to_thread(self._call, request)
        try:
            return Result(await tool(**thaw(request.arguments)))
        except Exception as error:
            raise ToolError(f"{request.node}: {_raised(error)}") from error


def _is_async(tool: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__)


def _raised(error: Exception) -> str:
    return f"raised {type(error).__name__}: {error}"


def _failed(error: ModelError | EnvironmentLost | ToolError) -> Failed:
    kind = error.kind if isinstance(error, ModelError) else _FAILED_KINDS[type(error)]
    return Failed(kind, str(error))


_FAILED_KINDS: dict[type[Exception], str] = {EnvironmentLost: "environment", ToolError: "tool"}


def _reply(model: Model, reply: Any) -> Reply:
    if isinstance(reply, Reply):
        return reply
    raise ModelError(f"answered with a {type(reply).__name__}, not a Reply.", model=type(model).__name__)


def _within(seconds: float | None, work: Callable[[], T]) -> T:
    """Does blocking work, and stops waiting for it after some seconds.

    Python cannot end a blocking call from outside, so the call goes to a thread of its own, which is left
    behind when the time is up.

    Raises:
        TimeoutError: The time is up.
    """
    if seconds is None:
        return work()
    answer: Future[T] = Future()

    def collect() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001  # it is raised again where the answer is awaited
            answer.set_exception(error)

    threading.Thread(target=collect, name="tinysmith-request", daemon=True).start()
    return answer.result(min(seconds, threading.TIMEOUT_MAX))


def _models(plan: Plan, model: Model | Mapping[str, Model] | None, task: Task | None) -> dict[str, Model]:
    asking = [name for name, kind in plan.kinds.items() if kind in {Agent, Panel}]
    given: Mapping[str, Model] = model if isinstance(model, Mapping) else {} if model is None else {"*": model}
    for name in given:
        if name != "*" and name not in asking:
            raise UsageError(f"model= names {name!r}, which is no agent of {plan.name}. {near(name, asking)}")
    bound = {}
    for name in asking:
        chosen = given.get(name, given.get("*"))
        if chosen is None:
            raise UsageError(f"{plan.name}.{name} has no model. Give the run model=..., or one under {name!r}.")
        if not callable(getattr(chosen, "ask", None)) or not callable(getattr(chosen, "aask", None)):
            raise UsageError(f"The model of {plan.name}.{name} is {chosen!r}. Give a model, such as LLM(...).")
        bound[name] = chosen.episode(task) if task is not None and isinstance(chosen, Episodic) else chosen
    return bound


def _tools(plan: Plan, given: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    nodes = {name: node for name, node in plan.nodes.items() if isinstance(node, Tool)}
    for name, tool in given.items():
        if name not in nodes:
            raise UsageError(f"tools= names {name!r}, which is no tool of {plan.name}. {near(name, nodes)}")
        if not callable(getattr(tool, "call", tool)):
            raise UsageError(f"tools[{name!r}] is {tool!r}. Give something that can be called.")
    return {
        name: getattr(given[name], "call", given[name]) if name in given else node.call
        for name, node in nodes.items()
    }
