"""A thread on which one blocking environment lives: it is made there, and every call is done there, in order."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from tinysmith._shown import one_line, scrubbed
from tinysmith.errors import EnvironmentLost, UsageError

E = TypeVar("E")
T = TypeVar("T")

_WIDTH = 300


class Home(Generic[E]):
    """Begins a thread and does work on it; the environment is made by the first work that needs it.

    Python cannot end a blocking call from outside. The thread is a daemon, so a call that never returns keeps this
    thread, but not the process.

    Args:
        make: Makes the environment, or gives the one that there is.
        called: What the environment is called in messages.
    """

    def __init__(self, make: Callable[[], E], called: Callable[[E], str]) -> None:
        self._make = make
        self._called = called
        self._made: tuple[E] | None = None
        self._name = "The environment"
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=_work_off, args=(self._queue,), name="tinysmith-environment", daemon=True).start()

    def do(self, what: str, work: Callable[[E], Any], check: Callable[[str, Any], T]) -> "Future[T]":
        """Has a call done after those before it, and what it returned checked.

        Whatever is raised comes back as `EnvironmentLost` with its type and message, but a `UsageError` as itself.
        A future that is cancelled before its call has begun cancels the call.
        """
        answer: Future[T] = Future()

        def carry_out() -> None:
            if answer.set_running_or_notify_cancel():
                _settle(answer, lambda: self._carried_out(what, work, check))

        self._queue.put(carry_out)
        return answer

    def close(self, closing: Callable[[E], Any]) -> "Future[None]":
        """Has the environment closed, if it was made; the next work has it made again.

        Where the future is cancelled before that, it is closed all the same, and nobody is told.
        """
        answer: Future[None] = Future()

        def carry_out() -> None:
            made, self._made = self._made, None
            told: Future[None] = answer if answer.set_running_or_notify_cancel() else Future()
            where = f"{self._name}.close"
            _settle(told, lambda: None if made is None else _guarded(where, lambda: closing(made[0])))

        self._queue.put(carry_out)
        return answer

    def end(self) -> None:
        """Ends the thread, after what it was told before."""
        self._queue.put(None)

    def _carried_out(self, what: str, work: Callable[[E], Any], check: Callable[[str, Any], T]) -> T:
        if self._made is None:
            made = _guarded(f"{self._name}'s factory", self._make)
            self._name = _guarded(self._name, lambda: self._called(made))
            self._made = (made,)
        environment = self._made[0]
        where = f"{self._name}.{what}"
        return _guarded(where, lambda: check(where, work(environment)))


def _settle(answer: "Future[T]", work: Callable[[], T]) -> None:
    try:
        answer.set_result(work())
    except BaseException as error:  # noqa: BLE001  # whoever waits is answered, whatever it is
        answer.set_exception(error)


def _guarded(where: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except (UsageError, EnvironmentLost):
        raise
    except BaseException as error:  # the border: SystemExit, too, is the environment's
        raise EnvironmentLost(scrubbed(f"{where} raised {type(error).__name__}: {_message(error)}")) from error


def _message(error: BaseException) -> str:
    try:
        return one_line(str(error), _WIDTH)
    except BaseException as another:  # noqa: BLE001  # it is the environment's, too
        return f"what it says cannot be told ({type(another).__name__})"


def _work_off(queue: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (work := queue.get()) is not None:
        work()
        del work  # else what it returned is kept until the next one
