"""The interactive driver: the caller plays the environment, action by action."""

import asyncio
import logging
import time

import pytest
from attrs import evolve
from sketches import Ballot, Eye, Look, Lookup, Once, Pad, Refine, Round
from worlds import Deaf, Says

from tinysmith import Ask, Halt, Limits, Observation, Orchestrator, Reply, Scripted, Strategy, Task, World
from tinysmith.errors import RunOver, UsageError


class Rewarded(Eye):
    """Keeps the reward and the flags."""

    def observe(self, pad: Pad, seen: Observation, /) -> Pad:
        return evolve(pad, lines=(f"{seen.reward} {seen.terminated} {seen.truncated}",))


class Paid(Strategy[Pad]):
    """Acts once."""

    eye: World[Pad] = Rewarded()
    done = Halt(success=True)

    initial = eye
    edges = (eye.to(done),)


def looking(
    board: Pad | None = None, *, limits: Limits | None = None, task: Task | None = None
) -> Orchestrator[Pad]:
    """An orchestrator of the strategy that looks."""
    return Orchestrator(Look(), board, model=Says(lambda ask: "thought"), limits=limits, task=task)


class TestForward:
    def test_from_action_to_action(self) -> None:
        """Every call answers the action that the call before it returned, and goes on to the next one."""
        orchestrator = looking(Pad())
        assert orchestrator.forward() == "look 0"
        assert orchestrator.forward("one") == "look 1"
        assert orchestrator.forward("two") == "look 2"
        assert orchestrator.position.board.lines == ("one", "two")
        assert [step.event.answers for step in orchestrator.run.steps] == ["eye", "eye"]

    def test_asks_in_between(self) -> None:
        """Between two actions models and tools are asked as in any run."""
        script = Scripted(["line", "aye", "nay", "next", "aye", "nay"])
        orchestrator = Orchestrator(Round(), Pad(left=2), model=script, tools={"fetch": lambda key, deep: "kept"})
        assert orchestrator.forward() == "look 3"
        assert orchestrator.forward("seen") == "look 8"
        nodes = [step.node for step in orchestrator.run.steps]
        assert nodes == ["writer", "vote", "vote", "eye", "fetch", "writer", "vote", "vote"]

    def test_reward_and_end_reach_the_board(self) -> None:
        """Reward and flags are on the observation that the world node is shown."""
        for flags, line in (({"terminated": True}, "0.5 True False"), ({"truncated": True}, "0.5 False True")):
            orchestrator = Orchestrator(Paid(), Pad())
            orchestrator.forward()
            with pytest.raises(RunOver) as caught:
                orchestrator.forward("x", 0.5, **flags)
            assert caught.value.run.board.lines == (line,)

    def test_run_over(self) -> None:
        """At the end forward raises RunOver with the run, and again whenever it is called."""
        orchestrator = looking(Pad())
        orchestrator.forward()
        with pytest.raises(RunOver, match=r"The run is over: found\.") as caught:
            orchestrator.forward("good")
        assert (caught.value.run.outcome, caught.value.run.success) == ("found", True)
        with pytest.raises(RunOver) as again:
            orchestrator.forward("more")
        assert again.value.run == caught.value.run == orchestrator.run

    def test_environment_over(self) -> None:
        """After an observation that says terminated a reflection is written, and acting again ends the run."""
        orchestrator = looking(Pad())
        orchestrator.forward()
        with pytest.raises(RunOver, match="environment_over") as caught:
            orchestrator.forward("last", terminated=True)
        assert caught.value.run.board.lines == ("last", "thought")

    def test_limits(self) -> None:
        """A limit ends the run here too."""
        orchestrator = looking(Pad(), limits=Limits(max_steps=1))
        orchestrator.forward()
        with pytest.raises(RunOver, match="max_steps"):
            orchestrator.forward("one")

    def test_without_an_action(self) -> None:
        """A strategy that never acts is over at the first call."""
        with pytest.raises(RunOver, match="done"):
            Orchestrator(Once(), Pad(), model=Scripted(["x"])).forward()

    def test_tells_listeners(self) -> None:
        """Listeners see every step, the caller's observations among them."""
        nodes: list[str] = []
        listen = [lambda step: nodes.append(step.node)]
        orchestrator = Orchestrator(Look(), Pad(), model=Scripted(["x"]), listeners=listen)
        orchestrator.forward()
        orchestrator.forward("one")
        with pytest.raises(RunOver):
            orchestrator.forward("two", truncated=True)
        assert nodes == ["eye", "eye", "writer"]

    def test_asynchronous_tools(self) -> None:
        """An asynchronous tool is awaited between two blocking calls."""

        async def fetch(**arguments: object) -> str:
            await asyncio.sleep(0)
            return "fetched"

        with pytest.raises(RunOver) as caught:
            Orchestrator(Lookup(), Pad(), tools={"fetch": fetch}).forward()
        assert caught.value.run.board.lines == ("fetched",)


class TestFirstObservation:
    def test_makes_the_board(self) -> None:
        """Without a board the first observation, with the task, makes it."""
        orchestrator = looking(task=Task("t1"))
        orchestrator.forward("Welcome.")
        assert orchestrator.position.board.lines == ("t1", "Welcome.")
        assert (orchestrator.run.opening, orchestrator.run.task) == ("Welcome.", "t1")

    def test_with_a_board_is_recorded_and_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """With a board the first observation is kept and logged as unread, not dropped."""
        with caplog.at_level(logging.INFO, logger="tinysmith"):
            orchestrator = looking(Pad())
            orchestrator.forward("Welcome.")
        assert orchestrator.run.opening == "Welcome."
        assert orchestrator.run.board == Pad()
        assert "Look: unread opening: Welcome." in caplog.messages

    @pytest.mark.parametrize("flag", ["terminated", "truncated"])
    def test_of_an_environment_that_is_over(self, flag: str) -> None:
        """An environment that was over before the run began is refused, and the run has not begun."""
        orchestrator = looking(Pad())
        with pytest.raises(UsageError, match=r"over before the run began; reset it first"):
            orchestrator.forward("x", **{flag: True})
        assert orchestrator.forward("x") == "look 0"

    def test_is_needed(self) -> None:
        """Before the first call there is neither a position nor a run."""
        orchestrator = looking(Pad())
        for name in ("position", "run"):
            with pytest.raises(UsageError, match=r"has not begun; call forward\(\) with the first observation"):
                getattr(orchestrator, name)


class TestSeconds:
    def test_are_those_of_waiting(self) -> None:
        """The time of a run is that between an action and its observation, counted once."""
        before = time.perf_counter()
        orchestrator = looking(Pad(), limits=Limits(max_seconds=60))
        orchestrator.forward()
        orchestrator.forward("one")
        orchestrator.forward("two")
        elapsed = time.perf_counter() - before
        assert 0 < orchestrator.run.seconds <= elapsed

    def test_of_an_ask_are_not_counted_again(self) -> None:
        """What a model took before an action is not part of what the environment took."""
        before = time.perf_counter()
        orchestrator = Orchestrator(Round(), Pad(left=9), model=Says(_dawdle), tools={"fetch": lambda **_: ""})
        for _ in range(3):
            orchestrator.forward("x")
        assert orchestrator.run.seconds <= time.perf_counter() - before


def _dawdle(request: Ask) -> str:
    deadline = time.perf_counter() + 0.01
    while time.perf_counter() < deadline:
        pass
    return "aye"


class TestAforward:
    def test_is_the_same_run(self) -> None:
        """The asynchronous door gives the same actions and the same end."""

        async def play() -> list[str]:
            orchestrator = looking(Pad())
            actions = [await orchestrator.aforward(), await orchestrator.aforward("one")]
            with pytest.raises(RunOver, match="environment_over") as caught:
                await orchestrator.aforward("two", terminated=True)
            assert caught.value.run.board.lines == ("one", "two", "thought")
            return actions

        assert asyncio.run(play()) == ["look 0", "look 1"]

    def test_cancelled_can_go_on(self) -> None:
        """A cancelled call cancels the ask under way; called again, the run goes on with the same question."""

        async def play() -> None:
            model = Fickle()
            orchestrator = Orchestrator(Refine(), Pad(left=1), model=model, limits=Limits(max_seconds=1000))
            work = asyncio.ensure_future(orchestrator.aforward())
            await model.asked.wait()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert (model.cancelled, orchestrator.position.step) == (1, 0)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            with pytest.raises(RunOver) as caught:
                await orchestrator.aforward("this answers nothing")
            assert caught.value.run.board.lines == ("good", "good")
            assert caught.value.run.position.spent.asks == 2

        asyncio.run(play())

    def test_cancelled_leaves_no_seat_behind(self) -> None:
        """Cancelled while a panel is asked, it cancels all seats and waits until they are gone."""

        async def play() -> int:
            model = Deaf()
            orchestrator = Orchestrator(Ballot(), Pad(seats=3), model=model)
            work = asyncio.ensure_future(orchestrator.aforward())
            await model.asked.wait()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return model.cancelled

        assert asyncio.run(play()) == 3


class Fickle(Deaf):
    """Deaf to the first question, not to those after it."""

    async def aask(self, request: Ask, /) -> Reply:
        return Reply("good") if self.cancelled else await super().aask(request)
