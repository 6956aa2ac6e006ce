"""Blocking environments, each behind a thread of its own."""

import asyncio
import gc
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from blocking import Clerk, Slow, Teacher, Tied
from worlds import Echo

from machines import SingleAgent
from tinysmith import EnvironmentStep, Grade, Limits, Scripted, Task, run
from tinysmith.environments import sync
from tinysmith.environments.sync import GradedSyncEnvironment, SyncEnvironment, from_sync
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import Environment, Graded, HasTasks, Replayable

NOBODY: Any = object()


def begun(clerk: Any, **options: Any) -> SyncEnvironment:
    """The clerk as an environment, in an episode."""
    environment = from_sync(clerk, **options)
    asyncio.run(environment.reset())
    return environment


async def cancelled(work: Coroutine[Any, Any, Any], began: threading.Event) -> None:
    """Begins a call, and cancels it once it blocks."""
    task = asyncio.ensure_future(work)
    await asyncio.to_thread(began.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def all_done(environment: SyncEnvironment) -> None:
    """Waits until the environment's thread has done what it was told."""
    environment._home.do("wait", lambda _: None, lambda _, value: value).result(30)


class TestEpisode:
    def test_calls(self) -> None:
        """Task, seed and action go in as they are; what was returned comes out, `info` as frozen data."""
        environment: Environment = from_sync(Clerk())
        first = asyncio.run(environment.reset(task=Task("7"), seed=3))
        assert first == ("task 7, seed 3", {"opened": (1, {"at": 2})})
        assert asyncio.run(environment.step("a")) == EnvironmentStep("did a", 0.25, False, False, {})
        assert asyncio.run(environment.step("stop")) == EnvironmentStep("did stop", 0.5, False, True, {})
        asyncio.run(environment.close())

    @pytest.mark.parametrize("last", ["end", "stop"])
    def test_over(self, last: str) -> None:
        """Nothing can be done before an episode, after it, or after closing; a reset begins another one."""
        clerk = Clerk()
        environment = from_sync(clerk)
        with pytest.raises(UsageError, match=r"Clerk\.step: there is no episode; reset"):
            asyncio.run(environment.step("a"))
        asyncio.run(environment.reset())
        asyncio.run(environment.step(last))
        with pytest.raises(UsageError, match=r"Clerk\.step: the episode is over; reset"):
            asyncio.run(environment.step("a"))
        asyncio.run(environment.reset())
        asyncio.run(environment.close())
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.step("a"))
        asyncio.run(environment.reset())
        assert clerk.log == ["made", "reset", f"step {last}", "reset", "close", "reset"]
        assert repr(environment) == "<SyncEnvironment: Clerk, open>"

    def test_it_is_closed_once(self) -> None:
        """Closing what is closed does nothing; what was never reset is closed as well."""
        clerk = Clerk()
        environment = from_sync(clerk)
        asyncio.run(environment.close())
        asyncio.run(environment.close())
        assert clerk.log == ["made", "close"]

    def test_what_else_it_has(self) -> None:
        """Tasks, grade and the word that it can be replayed are there exactly if the environment has them."""
        teacher: Any = begun(Teacher())
        kinds: tuple[Any, ...] = (GradedSyncEnvironment, Graded, HasTasks, Replayable)
        assert all(isinstance(teacher, kind) for kind in kinds)
        assert (teacher.tasks, teacher.is_replayable) == (Teacher.tasks, True)
        asyncio.run(teacher.step("a"))
        assert asyncio.run(teacher.grade()) == Grade(0.1, False)
        asyncio.run(teacher.step("end"))
        assert asyncio.run(teacher.grade()) == Grade(0.2, False)
        asyncio.run(teacher.close())
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(teacher.grade())
        clerk = from_sync(Clerk())
        assert not isinstance(clerk, Graded)
        assert not isinstance(clerk, HasTasks)
        assert not clerk.is_replayable


class TestThread:
    def test_one(self) -> None:
        """All calls are done on one thread, which is nobody else's, whatever loop they come from."""
        clerk = Clerk()
        environment = begun(clerk)
        asyncio.run(environment.step("a"))
        asyncio.run(environment.close())
        asyncio.run(environment.reset())
        (own,) = clerk.threads - {threading.current_thread()}
        assert own.daemon

    def test_made_on_it(self) -> None:
        """What a factory makes lives on the thread from its first moment to its last."""
        logs: list[str] = []
        environment = begun(lambda: Tied(logs))
        asyncio.run(environment.step("a"))
        asyncio.run(environment.close())
        asyncio.run(environment.reset())
        assert logs == ["made", "reset", "step a", "close", "made", "reset"]
        with pytest.raises(EnvironmentLost, match=r"Tied\.reset raised RuntimeError: another thread"):
            begun(Tied())

    def test_the_loop_goes_on(self) -> None:
        """While the environment blocks, the event loop does other things; calls at once are done in order."""
        slow = Slow()

        async def both() -> list[EnvironmentStep]:
            environment = from_sync(slow)
            await environment.reset()
            calls = [asyncio.ensure_future(environment.step(action)) for action in ("wait", "b")]
            await asyncio.to_thread(slow.began.wait, 30)
            assert not any(call.done() for call in calls)
            slow.gate.set()
            return await asyncio.gather(*calls)

        assert [step.observation for step in asyncio.run(both())] == ["did wait", "did b"]

    def test_it_ends(self) -> None:
        """The thread ends when the environment is garbage."""
        clerk = Clerk()
        environment = begun(clerk)
        (own,) = clerk.threads - {threading.current_thread()}
        del environment
        gc.collect()
        own.join(30)
        assert not own.is_alive()

    def test_it_keeps_no_process(self) -> None:
        """A process ends though a call that was left behind still blocks."""
        code = (
            f"import asyncio, sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
            "from blocking import Slow\nfrom tinysmith.environments.sync import from_sync\n"
            "environment = from_sync(Slow(stuck_in='reset'))\n"
            "try:\n    asyncio.run(asyncio.wait_for(environment.reset(), 0.01))\n"
            "except TimeoutError:\n    print('late')"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("late\n", "")


class TestCancelled:
    def test_lost_until_reset(self) -> None:
        """A call that is cancelled goes on alone; the environment is lost until a reset, which waits for it."""
        teacher = type("SlowTeacher", (Slow, Teacher), {})()
        environment: Any = begun(teacher)
        asyncio.run(cancelled(environment.step("wait"), teacher.began))
        for work in (environment.step("b"), environment.grade()):
            with pytest.raises(EnvironmentLost, match=r"is lost; reset it\. Its step was cancelled, and was left"):
                asyncio.run(work)
        teacher.gate.set()
        asyncio.run(environment.reset())
        assert asyncio.run(environment.step("c")).reward == 0.25
        assert teacher.log == ["made", "reset", "step wait", "returned", "reset", "step c"]

    def test_not_begun(self) -> None:
        """A call that was cancelled before its turn is never done."""
        slow = Slow()
        environment = begun(slow)

        async def two() -> None:
            first, second = (asyncio.ensure_future(environment.step(action)) for action in ("wait", "b"))
            await asyncio.to_thread(slow.began.wait, 30)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            slow.gate.set()
            await first

        asyncio.run(two())
        all_done(environment)
        assert slow.log[2:] == ["step wait", "returned"]

    def test_endless(self) -> None:
        """Where the call does not end, and nothing makes another environment, a reset is refused after a while."""
        slow = Slow()
        environment = begun(slow, patience_s=0.01)
        asyncio.run(cancelled(environment.step("wait"), slow.began))
        with pytest.raises(
            EnvironmentLost, match=r"left behind does not end \(0\.01 s\)\. Give from_sync a factory"
        ):
            asyncio.run(environment.reset())
        slow.gate.set()
        all_done(environment)
        asyncio.run(environment.reset())
        assert slow.log[2:] == ["step wait", "returned", "reset"]

    def test_factory(self) -> None:
        """A factory makes another environment at once; the lost one is closed when its call has returned."""
        made: list[Slow] = []

        def another() -> Slow:
            made.append(Slow())
            return made[-1]

        environment = begun(another)
        asyncio.run(cancelled(environment.step("wait"), made[0].began))
        asyncio.run(environment.reset())
        assert asyncio.run(environment.step("b")).observation == "did b"
        assert made[0].log == ["made", "reset", "step wait"]
        left = next(each for each in made[0].threads if each is not threading.current_thread())
        made[0].gate.set()
        left.join(30)
        assert made[0].log[2:] == ["step wait", "returned", "close"]
        assert (made[1].log, made[0].threads & made[1].threads) == (["made", "reset", "step b"], set())

    def test_closing(self) -> None:
        """Closing does not wait for a call that was left behind; the environment is closed after it."""
        slow = Slow()
        environment = begun(slow)
        asyncio.run(cancelled(environment.step("wait"), slow.began))
        asyncio.run(environment.close())
        assert slow.log[-1] == "step wait"
        slow.gate.set()
        all_done(environment)
        assert slow.log[-2:] == ["returned", "close"]

    def test_a_closing(self) -> None:
        """A closing that is cancelled before its turn is done all the same, and so is what comes after it."""
        slow = Slow()
        environment = begun(slow)

        async def two() -> None:
            stepping = asyncio.ensure_future(environment.step("wait"))
            closing = asyncio.ensure_future(environment.close())
            await asyncio.to_thread(slow.began.wait, 30)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            slow.gate.set()
            await stepping
            assert repr(environment) == "<SyncEnvironment: Slow, left behind>"
            await environment.reset()

        asyncio.run(two())
        assert slow.log[2:] == ["step wait", "returned", "close", "reset"]

    def test_a_run_in_a_hurry(self) -> None:
        """A run whose time is up ends at once with its board, though the environment blocks."""
        slow = Slow()
        environment = from_sync(slow)
        model = Scripted({"agent": ["Command: wait"]})
        ended = run(SingleAgent(), model=model, environment=environment, limits=Limits(max_seconds=0.5))
        assert (ended.outcome, ended.board.command) == ("max_seconds", "wait")
        assert slow.log == ["made", "reset", "step wait"]
        slow.gate.set()


class Unseeded:
    """An environment that cannot be told a seed."""

    def reset(self) -> None: ...

    def step(self, action: str) -> None: ...

    def close(self) -> None: ...


class TestMaking:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (3, "a int has no `def step`. Give an environment, or what makes one."),
            (lambda: 3, "a int has no `def reset`. Give"),
            (Echo(), "Echo.reset is an `async def`, so it blocks nobody; use it as it is."),
            (Unseeded, "Unseeded.reset does not take `task` and `seed` by name. Let it, or wrap a gymnasium.Env"),
        ],
    )
    def test_none(self, given: Any, said: str) -> None:
        """What is no blocking environment is refused in one sentence that says what to do."""
        with pytest.raises(UsageError, match=re.escape(f"from_sync: {said}")):
            from_sync(given)

    def test_a_factory_that_fails(self) -> None:
        """A factory's error is told at once, and no thread stays."""
        own: list[threading.Thread] = []

        def broken() -> Clerk:
            own.append(threading.current_thread())
            raise OSError("no port")

        with pytest.raises(EnvironmentLost, match=r"^The environment's factory raised OSError: no port$"):
            from_sync(broken)
        own[0].join(30)
        assert not own[0].is_alive()

    @pytest.mark.parametrize("patience", [0, -1.0, float("nan")])
    def test_patience(self, patience: float) -> None:
        """A wait that is none is refused."""
        with pytest.raises(UsageError, match=r"patience_s is .*; give seconds above 0"):
            from_sync(Clerk(), patience_s=patience)

    def test_names(self) -> None:
        """What is public has a docstring."""
        named: list[Callable[..., Any]] = [
            from_sync,
            SyncEnvironment,
            GradedSyncEnvironment,
            sync.BlockingEnvironment,
        ]
        assert all(each.__doc__ for each in named)
