"""Blocking environments that do what a test tells them."""

import threading
from collections.abc import Callable
from typing import Any

from tinysmith import Grade, Task
from tinysmith.protocols import Info


class Clerk:
    """Counts, notes on which thread each call was done, and is over at the action `end`.

    Args:
        log: Where it writes what was called, for tests that outlive it.
    """

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = [] if log is None else log
        self.threads = {threading.current_thread()}
        self.count = 0
        self._note("made")

    def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        self._note("reset")
        self.count = 0
        return f"task {None if task is None else task.id}, seed {seed}", {"opened": [1, {"at": 2}]}

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        self._note(f"step {action}")
        self.count += 1
        return f"did {action}", self.count / 4, action == "end", action == "stop", {}

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self.threads.add(threading.current_thread())
        self.log.append(what)


class Teacher(Clerk):
    """A clerk with tasks, who grades, and with whom everything can be done again."""

    tasks = (Task("one"), Task("two"))
    is_replayable = True

    def grade(self) -> Grade:
        self._note("grade")
        return Grade(self.count / 10, self.count >= 10)


class Tied(Clerk):
    """A clerk that works on no thread but the one on which it was made, as a database's connection does."""

    def _note(self, what: str) -> None:
        super()._note(what)
        if len(self.threads) != 1:
            raise RuntimeError("another thread")


class Slow(Clerk):
    """A clerk whose action `wait`, or whose reset or closing, waits for its gate, and tells that it does."""

    def __init__(self, log: list[str] | None = None, *, stuck_in: str = "step wait") -> None:
        self.stuck_in = stuck_in
        self.began = threading.Event()
        self.gate = threading.Event()
        super().__init__(log)

    def _note(self, what: str) -> None:
        super()._note(what)
        if what == self.stuck_in:
            self.began.set()
            assert self.gate.wait(30)
            self.log.append("returned")


class Does(Clerk):
    """A clerk one of whose methods does something else: raises, or returns what it should not."""

    def __init__(self, **instead: Callable[[], Any]) -> None:
        super().__init__()
        for method, does in instead.items():
            setattr(self, method, self._instead(does))

    def _instead(self, does: Callable[[], Any]) -> Callable[..., Any]:
        def method(*_: Any, **__: Any) -> Any:
            return does()

        return method


def raising(error: BaseException) -> Callable[[], Any]:
    """What raises that."""

    def does() -> Any:
        raise error

    return does
