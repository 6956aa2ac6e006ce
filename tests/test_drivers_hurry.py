"""What drivers owe to those who wait: cancellation, other tasks, and time-outs that are real."""

import asyncio
import math
import threading
import time
from typing import Any

import pytest
from sketches import Lookup, Pad, Spin

from machines import CoinflipPoet
from machines.coinflip_poet import Coin
from tinysmith import (
    EnvironmentStep,
    Grade,
    Limits,
    Orchestrator,
    Samples,
    Scripted,
    Step,
    Strategy,
    Task,
    arun,
    run,
    walk,
)
from tinysmith.cli._models import ScriptOfTask
from tinysmith.errors import UsageError
from tinysmith.protocols import Info


class Endless:
    """An environment that answers at once, for ever."""

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        return "", {}

    async def step(self, action: str) -> EnvironmentStep:
        return EnvironmentStep("", 0.0, terminated=False, truncated=False, info={})

    async def close(self) -> None:
        return None


class TestAtOnceModels:
    def test_can_be_cancelled(self) -> None:
        """A run whose model and environment never wait can be cancelled all the same."""

        async def hurry() -> None:
            endless = arun(CoinflipPoet(), model=Samples(CoinflipPoet), environment=Endless(), limits=None)
            await asyncio.wait_for(endless, 0.05)

        with pytest.raises(TimeoutError):
            asyncio.run(hurry())

    def test_one_script_speaks_for_all_agents(self) -> None:
        """A model that speaks for several agents goes through its episode once."""
        model: Any = {"*": ScriptOfTask()}
        task = Task("coin", script=("heads", "echo hi"))
        ended = run(CoinflipPoet(), model=model, environment=Endless(), task=task, limits=Limits(max_steps=1))
        assert (ended.board.side, ended.board.command) == ("heads", "echo hi")


class TestTimeOuts:
    def test_a_blocking_tool_is_not_waited_for(self) -> None:
        """When the time is up, neither door waits for a tool that blocks."""
        gate = threading.Event()
        tools = {"fetch": lambda **_: gate.wait(30)}
        before = time.monotonic()
        limits = Limits(max_seconds=0.05)
        assert run(Lookup(), Pad(), tools=tools, limits=limits).outcome == "max_seconds"
        assert asyncio.run(arun(Lookup(), Pad(), tools=tools, limits=limits)).outcome == "max_seconds"
        assert time.monotonic() - before < 15
        gate.set()


class Half(Endless):
    """An environment that grades as it is told."""

    def __init__(self, given: object) -> None:
        super().__init__()
        self.given = given

    async def grade(self) -> object:
        return self.given


class TestGrades:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (0.5, "Half gave a float, not a Grade."),
            (Grade(math.nan, solved=False), "Half gave the grade nan."),
            (Grade(-math.inf, solved=True), "Half gave the grade -inf."),
            (Grade("1", solved=True), "Half raised TypeError: must be real number, not str"),  # type: ignore[arg-type]
        ],
    )
    def test_a_grade_that_is_none(self, given: object, said: str) -> None:
        """A grade that is no Grade, or no number, counts as a lost environment, told with what it was."""
        world: Any = Half(given)
        ended = run(CoinflipPoet(), model=Samples(CoinflipPoet), environment=world, limits=Limits(max_steps=1))
        assert ended.outcome == "environment_lost"
        assert ended.error is not None
        assert ended.error.message == said
        assert ended.grade is None


class TestFirstHops:
    def test_are_kept_and_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """The hops of rules before the first step are on the run, and in the log."""
        with caplog.at_level("INFO", logger="tinysmith"):
            ended = run(Spin(), Pad(left=2))
        assert [hop.target for hop in ended.first_hops] == [*["count"] * (len(ended.first_hops) - 1), "done"]
        assert "Spin: begins count → done" in caplog.messages


class TestMisuse:
    def test_a_class_instead_of_an_object(self) -> None:
        """A class, or no strategy at all, in the place of a strategy is told."""
        with pytest.raises(
            UsageError, match=r"CoinflipPoet is a class\. Give an object of it: CoinflipPoet\(\)\."
        ):
            run(CoinflipPoet, Coin(), model=Scripted([]), environment=Endless())  # type: ignore[arg-type]  # tested
        with pytest.raises(UsageError, match=r"3 is no strategy\. Give an object"):
            walk(3, model=Scripted([]))  # type: ignore[arg-type]  # what is tested

    def test_a_base_without_a_board(self) -> None:
        """A base that names no board cannot be run."""
        with pytest.raises(UsageError, match="is no strategy"):
            run(Strategy(), Pad(), model=Scripted([]))

    def test_limits_of_another_kind(self) -> None:
        """Limits that are no Limits are told."""
        with pytest.raises(UsageError, match=r"limits= is \{'max_asks': 2\}\. Give Limits"):
            run(Lookup(), Pad(), limits={"max_asks": 2})  # type: ignore[arg-type]  # what is tested

    def test_an_async_tool_in_a_running_loop(self) -> None:
        """A blocking call that would need a loop of its own, where one is running, names the other door."""

        async def fetch(**_: object) -> str:
            return "page"

        async def inside() -> None:
            with pytest.raises(UsageError, match=r"use arun\(\) or aforward\(\) instead"):
                Orchestrator(Lookup(), Pad(), tools={"fetch": fetch}).forward()

        asyncio.run(inside())


class TestOrchestrator:
    def test_answers_only_what_it_handed_out(self) -> None:
        """An action that was never returned, because a listener raised, is not answered by the next call."""

        def listen(step: Step[Coin]) -> None:
            if step.number in {2, 5}:
                raise RuntimeError("planted")

        playing = Orchestrator(CoinflipPoet(), model=Samples(CoinflipPoet), listeners=[listen])
        for printed in ("", "first"):
            with pytest.raises(RuntimeError, match="planted"):
                playing.forward("first")
            assert playing.forward("not an answer").startswith("echo ")
            assert playing.position.board.printed == printed
        playing.forward("second")
        assert playing.position.board.printed == "second"
