"""Ends blocking requests whose time is over.

HTTP libraries limit the wait for the next byte, not for the whole answer, so a server that sends a byte now
and then (some send blank lines while a model thinks) holds a blocking call for ever. Waiting in another
thread would cost every request half a millisecond, a fifth of the whole call (measured: LiteLLM's logging
thread takes the interpreter first). So the request stays in its caller's thread, and one thread for all of
them looks at those that are late: it shuts the socket that the late thread is reading, and the call fails
like any other whose connection broke. That costs a request about 5 µs.
"""

import os
import socket
import sys
import threading
import time
from inspect import getattr_static
from types import FrameType

AGAIN_S = 0.02
"""How soon a late request is looked at again: it may have been between two reads."""

DEPTH = 4
"""How many frames are searched, so that no socket is shut that merely belongs to somebody further out."""


class Watch:
    """A request that is watched inside a `with` block.

    Attributes:
        ends_at: When its time is over, on the monotonic clock.
        thread: The thread that it blocks.
        is_late: Whether its time was over before it ended.
    """

    __slots__ = ("_dog", "ends_at", "is_late", "thread")

    def __init__(self, dog: "Watchdog", seconds: float) -> None:
        self._dog = dog
        self.ends_at = time.monotonic() + seconds
        self.thread = threading.get_ident()
        self.is_late = False

    def __enter__(self) -> "Watch":
        self._dog.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._dog.end(self)


class Watchdog:
    """The thread that looks at late requests. It starts with the first one and sleeps while none is late."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = float("inf")

    def begin(self, watch: Watch) -> None:
        """From now on, the socket that the thread reads is shut when the time is over."""
        with self._wake:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tinysmith-watchdog", daemon=True)
                self._thread.start()
            if watch.ends_at < self._wakes_at:
                self._wake.notify()

    def end(self, watch: Watch) -> None:
        """No socket is shut any more: they are shut only by who holds the lock."""
        with self._wake:
            self._watches.discard(watch)

    def _run(self) -> None:
        with self._wake:
            while True:
                self._wakes_at = min((watch.ends_at for watch in self._watches), default=float("inf"))
                left = self._wakes_at - time.monotonic()
                if left > 0:
                    self._wake.wait(min(left, threading.TIMEOUT_MAX))
                else:
                    self._end_late()

    def _end_late(self) -> None:
        now = time.monotonic()
        frames = sys._current_frames()  # noqa: SLF001  # documented, for exactly such special purposes
        for watch in self._watches:
            if watch.ends_at <= now:
                watch.is_late = True
                watch.ends_at = now + AGAIN_S
                _shut_socket_of(frames.get(watch.thread))


def _shut_socket_of(frame: FrameType | None) -> None:
    """Shuts the socket that the innermost frames of a thread are reading, if they are reading one."""
    for _ in range(DEPTH):
        if frame is None:
            return
        owner = frame.f_locals.get("self")
        # an SSL socket; a stream around a plain one. Another's code is not run, which may do anything here
        for found in (owner, getattr_static(owner, "_sock", None)):
            if isinstance(found, socket.socket):
                _shut(found)
                return
        frame = frame.f_back


def _shut(found: socket.socket) -> None:
    try:
        # Not the SSL socket's own method, which would take the TLS object away under the reader's hands.
        socket.socket.shutdown(found, socket.SHUT_RDWR)
    except OSError:
        return  # not connected (yet), or just closed


_dog = Watchdog()


def watching(seconds: float) -> Watch:
    """The block must end within so many seconds, or the socket that it reads is shut."""
    return Watch(_dog, seconds)


def _begin_anew() -> None:
    """A forked child has none of its parent's threads."""
    global _dog  # noqa: PLW0603  # one a process
    _dog = Watchdog()


if hasattr(os, "register_at_fork"):  # pragma: no branch  # Windows has neither
    os.register_at_fork(after_in_child=_begin_anew)
