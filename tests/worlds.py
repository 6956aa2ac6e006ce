"""Small environments and models that do what a test tells them: answer, break, or wait at a gate."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence

from tinysmith import Ask, EnvironmentStep, FrozenDict, Grade, Reply, Task
from tinysmith.protocols import Info


class Echo:
    """An environment that shows what was done in it.

    Args:
        opening: What it shows first.
        lasts: After how many steps it says that it is over.
    """

    def __init__(self, opening: str = "", *, lasts: int = 1000) -> None:
        self.opening = opening
        self.lasts = lasts
        self.actions: list[str] = []
        self.resets: list[tuple[Task | None, int | None]] = []

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        self.actions = []
        self.resets.append((task, seed))
        return self.opening, {}

    async def step(self, action: str) -> EnvironmentStep:
        self.actions.append(action)
        return EnvironmentStep(f"did {action}", 0.25, len(self.actions) >= self.lasts, False, {"at": [1]})

    async def close(self) -> None:
        pass


class Exam(Echo):
    """An environment that prints what it is told to, and ends at `submit` with a reward.

    Args:
        outputs: By command; what is not in it prints nothing.
        reward: Of `submit`.
    """

    def __init__(self, outputs: Mapping[str, str] | None = None, *, reward: float = 1.0) -> None:
        super().__init__("What is it?")
        self.outputs = outputs or {}
        self.reward = reward

    async def step(self, action: str) -> EnvironmentStep:
        self.actions.append(action)
        is_over = action == "submit"
        return EnvironmentStep(self.outputs.get(action, ""), self.reward if is_over else 0.0, is_over, False, {})


class Marked(Echo):
    """An environment that grades: the scores of the episode before any step, after the first step, and so on."""

    def __init__(self, *scores: float, lasts: int = 1000) -> None:
        super().__init__(lasts=lasts)
        self.scores = scores

    async def grade(self) -> Grade:
        score = self.scores[min(len(self.actions), len(self.scores) - 1)]
        return Grade(score, score >= 1, FrozenDict({"half": score / 2}))


class Broken(Marked):
    """An environment one or more of whose methods raise an error."""

    def __init__(self, error: Exception, *broken: str) -> None:
        super().__init__(0.0)
        self.error = error
        self.broken = broken

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        self._break("reset")
        return await super().reset(task=task, seed=seed)

    async def step(self, action: str) -> EnvironmentStep:
        self._break("step")
        return await super().step(action)

    async def grade(self) -> Grade:
        self._break("grade")
        return await super().grade()

    def _break(self, method: str) -> None:
        if method in self.broken:
            raise self.error


class Stuck(Echo):
    """An environment whose step never ends; it tells when it is waited for, and when it was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = 0

    async def step(self, action: str) -> EnvironmentStep:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError("nobody sets that event")


class Says:
    """A model that answers with what a function makes of the request."""

    def __init__(self, answer: Callable[[Ask], str | Reply]) -> None:
        self._answer = answer

    def ask(self, request: Ask, /) -> Reply:
        answer = self._answer(request)
        return answer if isinstance(answer, Reply) else Reply(answer)

    async def aask(self, request: Ask, /) -> Reply:
        await asyncio.sleep(0)  # so that other runs have their turn, as with a real model
        return self.ask(request)


class Deaf:
    """A model that answers nothing until its gate opens; it counts who waits and who was cancelled."""

    def __init__(self, reply: str = "late") -> None:
        self.reply = reply
        self.gate = threading.Event()
        self.asked = asyncio.Event()
        self.waiting = 0
        self.cancelled = 0

    def ask(self, request: Ask, /) -> Reply:
        self.gate.wait()
        return Reply(self.reply)

    async def aask(self, request: Ask, /) -> Reply:
        self.waiting += 1
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError("nobody sets that event")


class Together:
    """A model that answers only once so many requests are being asked at the same time."""

    def __init__(self, many: int) -> None:
        self.many = many
        self.waiting = 0
        self.all_there = asyncio.Event()

    def ask(self, request: Ask, /) -> Reply:
        raise AssertionError("one after the other, they would never be together")

    async def aask(self, request: Ask, /) -> Reply:
        self.waiting += 1
        if self.waiting == self.many:
            self.all_there.set()
        await self.all_there.wait()
        return Reply(f"vote of {request.id}")


def texts(replies: Sequence[str]) -> dict[str, Sequence[str]]:
    """A script with the same replies for every node."""
    return {"*": replies}
