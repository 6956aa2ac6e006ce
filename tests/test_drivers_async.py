"""The asynchronous drivers: seats side by side, cancellation, and a time limit that is real."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from sketches import Ballot, Look, Lookup, Once, Pad, Refine, Round
from worlds import Deaf, Echo, Says, Stuck, Together

from tinysmith import Ask, EnvironmentStep, Limits, Reply, Run, Scripted, Step, arun, awalk, run


def finished(work: Coroutine[Any, Any, Run[Pad]]) -> Run[Pad]:
    """The run, or a failure after a time in which every run here has long ended."""
    return asyncio.run(asyncio.wait_for(work, 30))


class Swallows(Deaf):
    """A model that answers although it was cancelled."""

    async def aask(self, request: Ask, /) -> Reply:
        try:
            return await super().aask(request)
        except asyncio.CancelledError:
            return Reply(self.reply)


class Twice(Deaf):
    """A model whose caller is cancelled once more while it is cancelled."""

    async def aask(self, request: Ask, /) -> Reply:
        try:
            return await super().aask(request)
        finally:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()


class SlowCritic(Deaf):
    """A model whose critic takes a while."""

    async def aask(self, request: Ask, /) -> Reply:
        if request.node == "critic":
            await asyncio.sleep(0.2)  # longer than until the timer rings, much shorter than what is left
        return Reply("good")


class HalfDeaf(Deaf):
    """A model that answers the first seat only."""

    async def aask(self, request: Ask, /) -> Reply:
        if request.id.endswith("[0]"):
            return Reply("aye")
        return await super().aask(request)


class TestPanels:
    def test_are_asked_concurrently(self) -> None:
        """All seats of a panel are being asked at the same time."""

        async def together() -> Run[Pad]:
            return await arun(Ballot(), Pad(seats=20), model=Together(20))

        assert finished(together()).board.lines == tuple(f"vote of vote[{seat}]" for seat in range(20))

    def test_seats_asked_again_too(self) -> None:
        """A seat that is asked again is asked alone, and what the others said is kept."""
        asked: list[tuple[str, int]] = []

        def answer(request: Ask) -> str:
            asked.append((request.id, request.number))
            return "bad" if request.number == 1 else f"aye {request.number}"

        result = finished(arun(Ballot(), Pad(seats=3), model=Says(answer)))
        assert asked == [("vote[0]", 0), ("vote[1]", 1), ("vote[2]", 2), ("vote[1]", 3)]
        assert result.board.lines == ("aye 0", "aye 3", "aye 2")

    def test_each_answer_is_a_step(self) -> None:
        """The answer of every seat is a step of its own, at once when it comes."""

        async def first() -> tuple[str, int]:
            model = HalfDeaf()
            steps = awalk(Ballot(), Pad(seats=3), model=model)
            step = await anext(steps)
            waiting = model.waiting
            await steps.aclose()  # type: ignore[attr-defined]  # a generator, under its narrower type
            assert model.cancelled == waiting
            return step.request.id, waiting

        assert asyncio.run(first()) == ("vote[0]", 2)


class TestCancelling:
    @pytest.mark.parametrize(("strategy", "asks"), [(Once(), 1), (Ballot(), 3)])
    def test_arun_cancels_what_is_under_way(self, strategy: Once | Ballot, asks: int) -> None:
        """Cancelling arun cancels every ask under way, the siblings of a panel too, and is not swallowed."""

        async def cancelled() -> int:
            model = Deaf()
            work = asyncio.ensure_future(arun(strategy, Pad(seats=3), model=model))
            while model.waiting < asks:
                await model.asked.wait()
                await asyncio.sleep(0)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert work.cancelled()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return model.cancelled

        assert asyncio.run(cancelled()) == asks

    @pytest.mark.parametrize("limits", [Limits(), Limits(max_seconds=1000)])
    def test_with_and_without_a_timer(self, limits: Limits) -> None:
        """Cancellation passes also where the run has a time limit of its own."""

        async def cancelled() -> int:
            model = Deaf()
            async with asyncio.TaskGroup() as group:
                work = group.create_task(arun(Once(), Pad(), model=model, limits=limits))
                await model.asked.wait()
                work.cancel()
            assert work.cancelled()
            return model.cancelled

        assert asyncio.run(cancelled()) == 1

    def test_closing_awalk_early(self) -> None:
        """An asynchronous walk that is left early leaves nothing running behind."""

        async def left() -> int:
            model = HalfDeaf()
            steps = awalk(Ballot(), Pad(seats=4), model=model, limits=Limits(max_seconds=1000))
            async for _ in steps:
                break
            await steps.aclose()  # type: ignore[attr-defined]  # a generator, under its narrower type
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return model.cancelled

        assert asyncio.run(left()) == 3


class TestMaxSeconds:
    def test_blocking_ask(self) -> None:
        """A blocking run stops waiting for a model that blocks, and ends as max_seconds with the board kept."""
        model = Deaf()
        limits = Limits(max_seconds=0.05)
        result = run(Refine(), Pad(left=1), model={"writer": Scripted(["line"]), "*": model}, limits=limits)
        model.gate.set()
        assert (result.outcome, result.board.lines, result.steps[-1].node) == ("max_seconds", ("line",), "critic")
        assert result.error is not None
        assert result.error.kind == "max_seconds"
        assert result.seconds >= 0.05

    def test_blocking_tool(self) -> None:
        """A blocking run stops waiting for a tool that blocks."""
        gate = threading.Event()
        result = run(Lookup(), Pad(), tools={"fetch": lambda **_: gate.wait()}, limits=Limits(max_seconds=0.05))
        gate.set()
        assert result.outcome == "max_seconds"

    def test_blocking_act(self) -> None:
        """A blocking run cancels an environment's step when the time is up."""
        world = Stuck()
        result = run(Look(), Pad(), model=Scripted([]), environment=world, limits=Limits(max_seconds=0.05))
        assert (result.outcome, world.cancelled) == ("max_seconds", 1)

    def test_async_tool_in_run(self) -> None:
        """A blocking run cancels an asynchronous tool when the time is up."""
        result = run(Lookup(), Pad(), tools={"fetch": _never}, limits=Limits(max_seconds=0.05))
        assert result.outcome == "max_seconds"

    def test_enough_time(self) -> None:
        """Within the limit a run is the same as without it."""
        limits = Limits(max_seconds=1000)
        result = run(Round(), Pad(), model=Scripted(["line", "aye", "nay"]), environment=Echo(), limits=limits)
        assert result.outcome == "gave_up"
        assert run(Lookup(), Pad(), tools={"fetch": _at_once}, limits=limits).board.lines == ("at once",)

    @pytest.mark.parametrize(("strategy", "asks"), [(Once(), 1), (Ballot(), 2)])
    def test_asynchronous_asks(self, strategy: Once | Ballot, asks: int) -> None:
        """An asynchronous run cancels all asks under way when the time is up."""

        async def timed() -> Run[Pad]:
            model = Deaf()
            result = await arun(strategy, Pad(), model=model, limits=Limits(max_seconds=0.05))
            assert (model.waiting, model.cancelled) == (asks, asks)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return result

        result = asyncio.run(timed())
        assert (result.outcome, len(result.steps)) == ("max_seconds", 1)
        assert result.seconds >= 0.05

    def test_the_sum_counts(self) -> None:
        """The limit is on the sum of all waiting, so the timer is set anew for what is left."""
        result = asyncio.run(arun(Refine(), Pad(left=99), model=Slow(), limits=Limits(max_seconds=0.1)))
        assert result.outcome == "max_seconds"
        assert 1 < len(result.steps) < 20

    def test_a_slow_consumer_loses_no_time(self) -> None:
        """What the consumer of awalk does between two steps does not count as waiting."""

        async def consumed() -> int:
            count = 0
            limits = Limits(max_seconds=0.2, max_asks=8)
            async for step in awalk(Refine(), Pad(left=99), model=Says(lambda ask: "line"), limits=limits):
                await asyncio.sleep(0.05)  # the consumer's own time, in all twice the limit
                count = step.number
            return count

        assert asyncio.run(consumed()) == 8

    def test_the_bell_rings_for_nobody(self) -> None:
        """A consumer that takes longer than the whole limit does not end the run either."""

        async def consumed() -> list[str]:
            steps = awalk(Refine(), Pad(left=1), model=Says(lambda ask: "good"), limits=Limits(max_seconds=0.05))
            first = await anext(steps)
            await asyncio.sleep(0.1)  # the consumer's own time
            return [first.node, *[step.node async for step in steps]]

        assert asyncio.run(consumed()) == ["writer", "critic"]

    def test_the_bell_rings_early(self) -> None:
        """After a slow consumer the timer rings in the midst of an ask, and lets it have the time that is left."""

        async def consumed() -> list[str]:
            steps = awalk(Refine(), Pad(left=1), model=SlowCritic(), limits=Limits(max_seconds=0.6))
            first = await anext(steps)
            await asyncio.sleep(0.5)  # the consumer's own time
            return [first.node, *[step.hops[-1].target async for step in steps]]

        assert asyncio.run(consumed()) == ["writer", "accepted"]

    def test_others_cancellations_go_on(self) -> None:
        """Where somebody else cancels at the moment at which the time is up, that is not taken back."""

        async def watched() -> bool:
            limits = Limits(max_seconds=0.02)
            cancelled = arun(Once(), Pad(), model=Twice(), limits=limits, listeners=[steps.append])
            work = asyncio.ensure_future(cancelled)
            with pytest.raises(asyncio.CancelledError):
                await work
            return work.cancelled()

        steps: list[Step[Pad]] = []
        assert asyncio.run(watched())
        assert steps == []

    def test_swallowed_cancellation(self) -> None:
        """A model that answers although the time is up leaves no cancellation behind in the caller's task."""

        async def timed() -> tuple[str, int]:
            result = await arun(Once(), Pad(), model=Swallows("line"), limits=Limits(max_seconds=0.02))
            task = asyncio.current_task()
            assert task is not None
            return result.outcome, task.cancelling()

        assert asyncio.run(timed()) == ("done", 0)


class Slow:
    """A model that takes a while."""

    def ask(self, request: Ask, /) -> Reply:
        raise AssertionError("it is asked asynchronously")

    async def aask(self, request: Ask, /) -> Reply:
        await asyncio.sleep(0.02)  # waiting is what is measured here
        return Reply("line")


async def _never(**arguments: object) -> str:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets that event")


async def _at_once(**arguments: object) -> str:
    return "at once"


class Loops(Echo):
    """An environment that keeps the event loops it was used in."""

    def __init__(self) -> None:
        super().__init__()
        self.loops: list[asyncio.AbstractEventLoop] = []

    async def step(self, action: str) -> EnvironmentStep:
        self.loops.append(asyncio.get_running_loop())
        return await super().step(action)


class TestEventLoop:
    def test_is_one_for_a_blocking_run(self) -> None:
        """All steps of a blocking run are in one event loop, as an environment's transports demand."""
        world = Loops()
        run(Look(), Pad(), model=Scripted([]), environment=world, limits=Limits(max_steps=3))
        assert (len(world.loops), len(set(world.loops))) == (3, 1)
        assert world.loops[0].is_closed()
