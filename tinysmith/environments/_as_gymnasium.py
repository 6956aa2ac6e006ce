"""One of our environments as a `gymnasium.Env`. The one file that imports gymnasium, and it is lazy."""

import asyncio
import threading
import weakref
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

import gymnasium
from gymnasium import spaces

from tinysmith._arguments import told
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.mapping import thaw
from tinysmith.protocols import Environment, Info, Task

T = TypeVar("T")

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CHARSET = "\t\n" + "".join(filter(str.isprintable, map(chr, range(256)))) + REPLACEMENT
"""The characters of both spaces."""

_CHARACTERS = frozenset(CHARSET)
_ENDING_S = 10.0
_CLOSED = (
    "to_gymnasium: the environment was closed while it did something, or cancelled that itself; reset it, and "
    "close it when nothing runs."
)


class AsGymnasium(gymnasium.Env[str, str]):
    """Texts in, texts out; the environment lives in an event loop on a thread of its own.

    Args:
        environment: The environment.
        tasks: Those that it has.
        chosen: Those that are chosen by chance; empty for an environment without tasks.
        max_length: Of texts, in characters.
    """

    def __init__(self, environment: Environment, tasks: Tasks, chosen: Sequence[Task], max_length: int) -> None:
        self.observation_space = spaces.Text(max_length, min_length=0, charset=CHARSET)
        self.action_space = spaces.Text(max_length, min_length=0, charset=CHARSET)
        self._environment = environment
        self._tasks = tasks
        self._chosen = chosen
        self._max_length = max_length
        self._loop: _Loop | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: Passed to the environment; without one, a number is drawn that follows from the seed before.
            options: `task_id` names the task.

        Raises:
            UsageError: There is no such task or option; or the environment raised it.
            EnvironmentLost: The environment raised it, or was closed meanwhile.
        """
        super().reset(seed=seed)
        task = self._task(options or {})
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        loop = self._loop  # which another thread may close meanwhile
        if loop is None:
            loop = self._loop = _Loop()
            self._ending = weakref.finalize(self, loop.stop)
            self._ending.atexit = False
        text, info = loop.do(self._environment.reset(task=task, seed=drawn))
        return self._shown(text, info)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Does one action.

        Raises:
            UsageError: There is no episode, or the action is no text; or the environment raised it.
            EnvironmentLost: The environment raised it, or was closed meanwhile.
        """
        loop = self._loop
        if loop is None:
            raise UsageError("There is no episode; reset the environment first.")
        if not isinstance(action, str):
            raise UsageError(f"An action is a text here, and this is a {type(action).__name__}: {action!r:.80}")
        observation, reward, terminated, truncated, info = loop.do(self._environment.step(action))
        text, more = self._shown(observation, info)
        return text, float(reward), bool(terminated), bool(truncated), more

    def close(self) -> None:
        """Closes the environment and ends the thread; it may be reset again."""
        loop, self._loop = self._loop, None
        if loop is not None:
            try:
                loop.do(self._environment.close())
            finally:
                self._ending()
                loop.join()

    def _task(self, options: dict[str, Any]) -> Task | None:
        if not isinstance(options, dict):
            raise UsageError(f"The options of a reset are {told(options)}; give a dict, which may have a task_id.")
        for name in options:
            if name != "task_id":
                raise UsageError(f"There is no option {name!r} of a reset; the one there is is task_id.")
        if "task_id" in options:
            return self._tasks[options["task_id"]]
        if not self._chosen:
            return None
        return self._chosen[int(self.np_random.integers(len(self._chosen)))]

    def _shown(self, text: str, info: Info) -> tuple[str, dict[str, Any]]:
        cut = text[: self._max_length]
        shown = "".join(each if each in _CHARACTERS else REPLACEMENT for each in cut)
        # How long something took is never the same again, which gymnasium's checker asks of whatever is seeded.
        kept = {name: value for name, value in thaw(info).items() if name != "duration_s"}
        return shown, {**kept, **({} if shown == text else {"text": text})}


class _Loop:
    """An event loop on a thread of its own, so that it does not matter where it is waited for."""

    def __init__(self) -> None:
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._lock = threading.Lock()
        self._is_ending = False
        # Not a bound method of what is to be garbage some day.
        self._thread = threading.Thread(
            target=lambda begun: asyncio.run(_until_told(begun)),
            args=(self._begun,),
            name="tinysmith-gymnasium",
            daemon=True,
        )
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for some work; where the waiting is interrupted, the work is cancelled.

        Raises:
            EnvironmentLost: The loop ended before the work did, or the work cancelled itself.
        """
        with self._lock:  # what is begun before the end is cancelled by it
            if self._is_ending:
                work.close()
                raise EnvironmentLost(_CLOSED)
            answer = asyncio.run_coroutine_threadsafe(work, self._begun.result()[0])
        try:
            return answer.result()
        except CancelledError:
            raise EnvironmentLost(_CLOSED) from None
        except BaseException:
            answer.cancel()
            raise

    def stop(self) -> None:
        """Lets loop and thread end."""
        with self._lock:
            self._is_ending = True
            loop, told = self._begun.result()
            loop.call_soon_threadsafe(told.set)

    def join(self) -> None:
        """Waits for their end, but not for ever: what blocks is left behind."""
        self._thread.join(_ENDING_S)


async def _until_told(begun: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
    told = asyncio.Event()
    begun.set_result((asyncio.get_running_loop(), told))
    await told.wait()
