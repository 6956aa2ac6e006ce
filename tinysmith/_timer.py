"""The one timer of an asynchronous run that may last so many seconds."""

import asyncio
from time import perf_counter
from types import TracebackType
from typing import Any


class Timer:
    """Cancels what the run waits for when its seconds are up.

    It is set once and looks again when it rings, because only the seconds of waiting count; so a run of many
    requests costs the event loop one timer, not one a request. Use it as a context around each wait; a wait that
    was cancelled by it, and by nobody else, is left without an exception.

    Attributes:
        until: When the next wait must end, on the clock of `time.perf_counter`.
    """

    __slots__ = ("_cancelled_before", "_handle", "_rang", "_task", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._rang = False
        self._cancelled_before = 0

    def __enter__(self) -> None:
        if self._handle is None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(self.until - perf_counter(), self._ring, loop)
        self._rang = False
        self._task = task = asyncio.current_task()
        self._cancelled_before = 0 if task is None else task.cancelling()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        # As asyncio.timeout does: our own cancellation is taken back, anybody else's goes on.
        task, self._task = self._task, None
        if not self._rang or task is None:
            return False
        left = task.uncancel()
        return kind is not None and issubclass(kind, asyncio.CancelledError) and left <= self._cancelled_before

    def stop(self) -> None:
        """Gives the timer back to the loop."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = None
        if self._task is None:
            return
        left = self.until - perf_counter()
        if left > 0:
            self._handle = loop.call_later(left, self._ring, loop)
            return
        self._rang = True
        self._task.cancel()
