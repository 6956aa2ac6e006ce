"""Blocking work in threads that nobody waits for longer than told.

Python cannot end a blocking call from outside. So it goes to a daemon thread of its own, which is left behind when
its time is up or its waiter is cancelled; the event loop's own pool would be waited for when the loop closes.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def within(seconds: float | None, work: Callable[[], T]) -> T:
    """Does blocking work, and stops waiting for it after some seconds; without a limit, here and now.

    Raises:
        TimeoutError: The time is up.
    """
    if seconds is None:
        return work()
    return _started(work).result(min(seconds, threading.TIMEOUT_MAX))


async def in_thread(work: Callable[[], T]) -> T:
    """Does blocking work while the event loop goes on; cancelling it leaves the thread behind."""
    return await begun(work)


def begun(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Begins blocking work; what it gives comes to the running event loop."""
    return asyncio.wrap_future(_started(work))


async def settled(future: "asyncio.Future[Any]") -> None:
    """Waits until a future is done, however often the waiter is cancelled meanwhile."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])


def _started(work: Callable[[], T]) -> "Future[T]":
    answer: Future[T] = Future()

    def collect() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  # raised again where the answer is awaited
            problem: BaseException | None = error
            if isinstance(error, StopIteration):  # which no coroutine can raise
                problem = RuntimeError(f"it raised StopIteration: {error}")
                problem.__cause__ = error
        else:
            problem = None
        if not answer.set_running_or_notify_cancel():
            return  # the waiter has gone
        if problem is None:
            answer.set_result(result)
        else:
            answer.set_exception(problem)

    threading.Thread(target=collect, name="tinysmith-work", daemon=True).start()
    return answer
