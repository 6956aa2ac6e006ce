"""Waiting in Inspect's event loop, and for it from other threads.

Inspect cancels as anyio does: again and again, at every wait, until the cancelled part is left. What waits for a
thread or a process to end must not be torn away from it, so work goes to a task of its own, is cancelled once, and
is waited for.
"""

import asyncio
import select
import threading
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

import anyio
import sniffio

from tinysmith._shown import one_line
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.sandbox.sandbox import Stop, Stopped

R = TypeVar("R")
_LOOKS_MS = 200  # how often a thread looks whether the loop still runs

# Inspect exports only two of them.
_ENDS = frozenset({"LimitExceededError", "ModelRefusalError", "TerminateSampleError", "TerminateTaskError"})


class Ended(BaseException):
    """Inspect ends the sample; on its way through a run, which would take an exception for the model's failure.

    Args:
        error: What Inspect raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def let_end(error: Exception) -> None:
    """Raises `Ended` for what Inspect ends a sample or a task with; does nothing for all else."""
    if any(kind.__name__ in _ENDS for kind in type(error).__mro__):
        raise Ended(error) from error


def demand_asyncio() -> None:
    """Refuses Inspect's other event loop.

    Raises:
        UsageError: It is not asyncio that runs.
    """
    name = sniffio.current_async_library()
    if name != "asyncio":
        raise UsageError(f"Inspect runs on {name}, tinysmith on asyncio alone; unset INSPECT_ASYNC_BACKEND.")


async def whole(work: Coroutine[Any, Any, R]) -> R:
    """Does work in a task of its own; cancelling it cancels the work once, and waits until that has ended."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait([doing])
    except asyncio.CancelledError:
        doing.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([doing])
        if not doing.cancelled():
            doing.exception()  # it is known: nobody waits for what it says
        raise
    return doing.result()


async def surely(work: Coroutine[Any, Any, None]) -> None:
    """Does work to its end, although what waits for it has been cancelled."""
    with anyio.CancelScope(shield=True):
        await work


class Home:
    """The event loop and the context of the sample in which it is made; threads have work done there."""

    def __init__(self) -> None:
        demand_asyncio()
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._thread = threading.get_ident()

    def is_here(self) -> bool:
        """Whether this code runs in that loop."""
        return threading.get_ident() == self._thread

    def wait(self, work: Callable[[], Coroutine[Any, Any, R]], stop: Stop | None = None) -> R:
        """Has work done in the loop, blocking another thread until it has ended.

        Raises:
            UsageError: It is called in the loop, which would wait for itself.
            EnvironmentLost: The loop has ended.
            Stopped: `stop` was set.
        """
        if self.is_here():
            raise UsageError("This blocks Inspect's event loop; use the method with an `a` before its name.")
        ended = Stop()
        begun: list[asyncio.Task[R]] = []

        def begin() -> None:
            doing = self._loop.create_task(work(), context=self._context.copy())
            doing.add_done_callback(lambda _: ended.set())
            begun.append(doing)

        def end() -> None:
            begun[0].cancel()  # it has begun by then, as what is asked for first

        self._soon(begin)
        is_stopped = self._until(ended, stop)
        if is_stopped:
            self._soon(end)
            self._until(ended, None)
        ended.close()  # not where the loop is gone, which may yet set it
        if is_stopped or begun[0].cancelled():
            raise Stopped
        return begun[0].result()

    def _soon(self, work: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError as error:
            raise EnvironmentLost(f"Inspect's sample is over: {one_line(str(error))}.") from error

    def _until(self, ended: Stop, stop: Stop | None) -> bool:
        """Waits for the end; whether `stop` was set before it."""
        poll = select.poll()
        poll.register(ended.fileno(), select.POLLIN)
        if stop is not None:
            poll.register(stop.fileno(), select.POLLIN)
        while not poll.poll(_LOOKS_MS):
            if not self._loop.is_running():
                raise EnvironmentLost("Inspect's sample is over: its event loop runs no more.")
        return not ended.is_set()
