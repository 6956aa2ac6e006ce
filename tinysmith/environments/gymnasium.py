"""Between gymnasium's environments and ours, both ways.

Nothing here imports gymnasium before it is needed; it is an optional package, `pip install gymnasium`.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tinysmith._arguments import count, several
from tinysmith._arguments import told as told_of
from tinysmith._shown import one_line
from tinysmith.environments._gymnasium_actions import Act, Actions, actions_of
from tinysmith.environments._plain import plain, told
from tinysmith.environments.sync import SyncEnvironment, adapted
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import ParseError, UsageError
from tinysmith.mapping import thaw
from tinysmith.protocols import Environment, Task, Taskset

if TYPE_CHECKING:
    from gymnasium import Env


def from_gymnasium(
    env: "Env[Any, Any] | Callable[[], Env[Any, Any]]",
    *,
    act: Act | None = None,
    tell: Callable[[Any], str] = told,
    tasks: Taskset | Mapping[str, Task] | Iterable[Task] | None = None,
    is_replayable: bool = False,
) -> SyncEnvironment:
    """Makes a `gymnasium.Env` an `Environment`, which lives on a thread of its own, as with `from_sync`.

    A task's `data` are the options of the reset, the seed is its seed; reward and ends are the environment's own.
    An action that is none is not done: the observation says why, and `info` has `action_executed` False. Entries
    of its `info` that are no JSON data are left out. Nothing is rendered.

    Args:
        env: The environment; or what makes one, on that thread, now, after each `close` and after each loss.
        act: Makes an action of a text, and raises `ValueError`, `LookupError` or `ParseError` where it cannot; or
            the actions by their words, in any case. Without it, a text is a whole number for a `Discrete` space, a
            JSON list for `Box`, `MultiDiscrete` and `MultiBinary`, and for `Text` the text itself.
        tell: Makes a text of an observation; by default text as it is, all else as compact JSON.
        tasks: The tasks that it has.
        is_replayable: Whether the same actions after a reset with the same task and seed show the same again.

    Raises:
        UsageError: gymnasium is not installed, or this is no such environment, or its actions need `act`.
        EnvironmentLost: The factory raised something.
    """
    kind = _gymnasium("from_gymnasium").Env
    known = None if tasks is None else _tasks_of(tasks)

    def episodes(made: Any) -> _Episodes:
        if not isinstance(made, kind):
            raise _no_environment(made)
        return _Episodes(made, actions_of(made.action_space, act), tell, tasks=known, is_replayable=is_replayable)

    if callable(env) and not isinstance(env, kind):
        make = env
        return adapted(lambda: episodes(make()), is_factory=True, called=str)
    given = episodes(env)
    return adapted(lambda: given, called=str)


def to_gymnasium(
    environment: Environment, *, task_ids: Iterable[str] | None = None, max_length: int = 10_000
) -> "Env[str, str]":
    """Makes an `Environment` a `gymnasium.Env` of texts, with an event loop of its own on a thread of its own.

    Both spaces are `Text` of 0 to `max_length` characters: ASCII and Latin-1 as far as they can be printed, line
    break and tab. Of an observation, other characters are shown as `�`, and what is too long is cut; then its
    `info["text"]` is the whole text. An action goes to the environment as it is. `info` lacks `duration_s`, since
    the same seed and actions give the same again in gymnasium.

    `reset(seed=..., options={"task_id": ...})` chooses the task; without the option it is chosen by chance. Only
    the first reset needs a seed: those after it go on from there, as in other environments of gymnasium's.

    Args:
        environment: The environment, which belongs to this one: closing this closes it.
        task_ids: The tasks from which is chosen by chance; all of them, without it.
        max_length: The most characters of an observation or a sampled action.

    Raises:
        UsageError: gymnasium is not installed, this is no environment, a task is not there, or the length is not
            above 0.
    """
    _gymnasium("to_gymnasium")
    count(max_length, "to_gymnasium: max_length")
    for method in ("reset", "step", "close"):
        if isinstance(environment, type) or not inspect.iscoroutinefunction(getattr(environment, method, None)):
            problem = f"to_gymnasium: {told_of(environment)} is no environment with `async def {method}`"
            raise UsageError(f"{problem}. Give one that is made, a blocking one by way of from_sync.")
    found = getattr(environment, "tasks", None)
    tasks = _tasks_of(() if found is None else found)
    ids = tasks.ids if task_ids is None else several(task_ids, str, "to_gymnasium: task_ids", "a list of ids")
    if task_ids is not None and not ids:
        raise UsageError("to_gymnasium: task_ids is empty; name a task, or leave it out.")
    ours = importlib.import_module("tinysmith.environments._as_gymnasium")
    made: Env[str, str] = ours.AsGymnasium(environment, tasks, [tasks[each] for each in ids], max_length)
    return made


def _no_environment(given: Any) -> UsageError:
    what = f"gymnasium.make({one_line(given)!r})" if isinstance(given, str) else "one, or what makes one"
    return UsageError(f"from_gymnasium: a {type(given).__name__} is no gymnasium.Env. Give {what}.")


class _Episodes:
    """A gymnasium environment whose actions and observations are texts; it blocks."""

    def __init__(
        self, env: Any, actions: Actions, tell: Callable[[Any], str], *, tasks: Tasks | None, is_replayable: bool
    ) -> None:
        if not callable(tell):
            raise UsageError(f"from_gymnasium: tell is {told_of(tell)}; give a function of an observation.")
        self._env = env
        self._actions = actions
        self._tell = tell
        self.tasks = tasks
        self.is_replayable = is_replayable

    def __str__(self) -> str:
        return type(self._env.unwrapped).__name__ if self._env.spec is None else str(self._env.spec.id)

    def reset(self, *, task: Task | None = None, seed: int | None = None) -> Any:
        if seed is not None and seed < 0:
            raise UsageError(f"{self}: the seed is {seed}; gymnasium takes none below 0.")
        options = None if task is None or not task.data else thaw(task.data)
        given = self._env.reset(seed=seed, options=options)
        if not isinstance(given, tuple) or len(given) != 2:
            return given  # is refused by who asked
        observation, info = given
        return self._tell(observation), {**_kept(info), **({} if task is None else {"task_id": task.id})}

    def step(self, action: str) -> Any:
        try:
            (read,) = self._actions.of(action)
        except ParseError as error:
            return error.message, 0.0, False, False, {"action_executed": False}
        given = self._env.step(read)
        if not isinstance(given, tuple) or len(given) != 5:
            return given  # is refused by who asked
        observation, reward, terminated, truncated, info = given
        info = {**_kept(info), "action_executed": True}
        return self._tell(observation), _item(reward), _item(terminated), _item(truncated), info

    def close(self) -> None:
        self._env.close()


def _kept(info: Mapping[Any, Any]) -> dict[str, Any]:
    """What of a gymnasium `info` is JSON data."""
    kept = {}
    for key, value in info.items():
        try:
            kept.update(plain({key: value}))
        except TypeError:
            continue
    return kept


def _item(value: Any) -> Any:
    """A scalar of numpy's as the number that it is."""
    return value.item() if hasattr(value, "item") else value


def _tasks_of(tasks: Any) -> Tasks:
    return tasks if isinstance(tasks, Tasks) else Tasks(tasks.values() if isinstance(tasks, Mapping) else tasks)


def _gymnasium(who: str) -> Any:
    try:
        return importlib.import_module("gymnasium")
    except ImportError as error:
        problem = f"{who} needs gymnasium, which is missing. Run `pip install gymnasium`."
        raise UsageError(problem) from error
