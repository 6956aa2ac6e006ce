"""A blocking environment, made one that nobody else waits for."""

import asyncio
import inspect
import logging
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from attrs import frozen

from tinysmith._arguments import seconds
from tinysmith.environments import _returned
from tinysmith.environments._home import Home
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task, title

_log = logging.getLogger("tinysmith.environments")
T = TypeVar("T")

_Phase: TypeAlias = Literal["closed", "open", "over", "lost", "left behind"]


class BlockingEnvironment(Protocol):
    """An environment whose methods block. Like `Environment`, it may have `grade`, `tasks` and `is_replayable`."""

    def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode and returns the first observation."""
        ...

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Does one action, and returns gymnasium's five; an `EnvironmentStep` is one."""
        ...

    def close(self) -> None:
        """Gives everything back; a closed environment may be reset again."""
        ...


def from_sync(
    environment: BlockingEnvironment | Callable[[], BlockingEnvironment], *, patience_s: float = 10.0
) -> "SyncEnvironment":
    """Makes a blocking environment an `Environment`, with a thread of its own on which every call is done.

    Args:
        environment: The environment; or what makes one, such as its class, which is called on that thread, now,
            after each `close` and after each loss.
        patience_s: How long `reset` waits for a call that was left behind, in seconds, where there is no factory.

    Raises:
        UsageError: It is no such environment, or the patience is not above 0.
        EnvironmentLost: The factory raised something.
    """
    seconds(patience_s, "from_sync: patience_s")
    if hasattr(environment, "step") and not isinstance(environment, type):
        given = environment
        return adapted(lambda: given, patience_s=patience_s)
    if not callable(environment):
        kind = type(environment).__name__
        raise UsageError(f"from_sync: a {kind} has no `def step`. Give an environment, or what makes one.")
    return adapted(environment, is_factory=True, patience_s=patience_s)


def adapted(
    make: Callable[[], Any],
    *,
    is_factory: bool = False,
    patience_s: float = 10.0,
    called: Callable[[Any], str] = lambda made: type(made).__name__,
) -> "SyncEnvironment":
    """As `from_sync`, for adapters.

    Args:
        make: Makes the environment, or gives the one that there is.
        is_factory: Whether it makes another one each time.
        patience_s: As there.
        called: What the environment is called in messages.
    """
    home: Home[Any] = Home(make, called)
    try:
        known = home.do("__init__", lambda made: _examined(made, called(made)), _returned.anything).result()
    except BaseException:
        home.end()
        raise
    kind = GradedSyncEnvironment if known.is_graded else SyncEnvironment
    return kind(home, known, make_home=(lambda: Home(make, called)) if is_factory else None, patience_s=patience_s)


@frozen
class _Known:
    """What an environment says of itself."""

    name: str
    title: str
    tasks: Any
    is_graded: bool
    is_replayable: bool


def _examined(environment: Any, name: str) -> _Known:
    for method in ("reset", "step", "close"):
        found = getattr(environment, method, None)
        if not callable(found):
            raise UsageError(f"from_sync: a {name} has no `def {method}`. Give an environment, or what makes one.")
        if inspect.iscoroutinefunction(found):
            raise UsageError(
                f"from_sync: {name}.{method} is an `async def`, so it blocks nobody; use it as it is."
            )
    try:
        inspect.signature(environment.reset).bind(task=None, seed=None)
    except TypeError:
        problem = f"from_sync: {name}.reset does not take `task` and `seed` by name"
        raise UsageError(f"{problem}. Let it, or wrap a gymnasium.Env by from_gymnasium.") from None
    return _Known(
        name,
        title(environment, name),
        getattr(environment, "tasks", None),
        callable(getattr(environment, "grade", None)),
        getattr(environment, "is_replayable", False) is True,
    )


class SyncEnvironment:
    """A blocking environment behind a thread of its own; `from_sync` makes it.

    A call that is cancelled is left behind, for Python cannot end it: it goes on, alone, on its thread, and the
    environment is lost. So it is after anything that it raised but a `UsageError`, and after anything it returned
    that is not what it should be. A lost environment raises `EnvironmentLost` until it is reset. Then a factory
    makes another one, on another thread, and the lost one is closed whenever its call returns; without a factory,
    `reset` waits for the call that was left behind, but not longer than `patience_s`.

    The thread ends when this object is garbage; it never keeps the process.

    Attributes:
        tasks: The environment's own; there is no such attribute where it has none.
        is_replayable: Whether the environment says so.
        variant: The environment's class, or its id of gymnasium's, and its own variant.
    """

    is_replayable: bool

    def __init__(
        self, home: Home[Any], known: _Known, *, make_home: Callable[[], Home[Any]] | None, patience_s: float
    ) -> None:
        self._name = known.name
        self._make_home = make_home
        self._patience_s = patience_s
        self._phase: _Phase = "closed"
        self._why = ""
        self._settle(home)
        self.is_replayable = known.is_replayable
        self.variant = known.title
        if known.tasks is not None:
            self.tasks = known.tasks

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._name}, {self._phase}>"

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode and returns the first observation.

        Raises:
            EnvironmentLost: The environment raised something or returned nonsense, or a call that was left behind
                does not end.
            UsageError: The environment raised it.
        """
        if self._phase in {"lost", "left behind"} and self._make_home is not None:
            self._leave()
            self._settle(self._make_home())
        elif self._phase == "left behind":
            await self._wait_for_it()
        self._phase = "closed"
        begun = await self._do("reset", lambda made: made.reset(task=task, seed=seed), _returned.first)
        self._phase = "open"
        _log.info("%s: episode begins", self._name)
        return begun

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action. Cancelling it leaves the call behind, and the environment is lost.

        Raises:
            EnvironmentLost: The environment raised something or returned nonsense, or is lost.
            UsageError: There is no episode, or it is over; or the environment raised it.
        """
        self._refuse_unless_begun("step")
        if self._phase == "over":
            raise UsageError(f"{self._name}.step: the episode is over; reset the environment first.")
        done = await self._do("step", lambda made: made.step(action), _returned.step)
        if done.terminated or done.truncated:
            self._phase = "over"
        return done

    async def close(self) -> None:
        """Closes the environment; where a call was left behind, as soon as that returns, which is not waited for.

        Raises:
            EnvironmentLost: The environment raised something.
        """
        closing = self._home.close(lambda made: made.close())
        if self._phase == "left behind":
            return
        self._phase = "closed"
        await self._answer("close", closing)

    def _refuse_unless_begun(self, what: str) -> None:
        if self._phase in {"lost", "left behind"}:
            raise EnvironmentLost(f"{self._name}.{what}: the environment is lost; reset it. {self._why}")
        if self._phase == "closed":
            raise UsageError(f"{self._name}.{what}: there is no episode; reset the environment first.")

    async def _do(self, what: str, work: Callable[[Any], Any], check: Callable[[str, Any], T]) -> T:
        return await self._answer(what, self._home.do(what, work, check))

    async def _answer(self, what: str, answer: "Future[T]") -> T:
        try:
            return await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            answer.cancel()  # if it has not begun
            self._phase, self._why = "left behind", f"Its {what} was cancelled, and was left behind."
            raise
        except EnvironmentLost as error:
            self._phase, self._why = "lost", str(error)
            raise

    async def _wait_for_it(self) -> None:
        behind_it = self._home.do("wait", lambda _: None, _returned.anything)
        try:
            await asyncio.wait_for(asyncio.wrap_future(behind_it), self._patience_s)
        except TimeoutError:
            problem = f"{self._name}.reset: a call that was left behind does not end ({self._patience_s:g} s)"
            raise EnvironmentLost(f"{problem}. Give from_sync a factory, so that it can make another.") from None

    def _leave(self) -> None:
        self._home.close(lambda made: made.close())  # whatever it raises: it is lost already
        self._ending()

    def _settle(self, home: Home[Any]) -> None:
        self._home = home
        self._ending = weakref.finalize(self, home.end)
        self._ending.atexit = False


class GradedSyncEnvironment(SyncEnvironment):
    """A blocking environment that says how well the episode stands."""

    async def grade(self) -> Grade:
        """The grade of the episode so far.

        Raises:
            EnvironmentLost: The environment raised something or returned no `Grade`, or is lost.
            UsageError: There is no episode; or the environment raised it.
        """
        self._refuse_unless_begun("grade")
        return await self._do("grade", lambda made: made.grade(), _returned.grade)
