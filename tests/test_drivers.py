"""The drivers: four doors to one run, and what happens when something outside fails."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
from attrs import evolve
from sketches import Look, Lookup, Once, Pad, Refine, Rescue, Round, Watched
from worlds import Broken, Echo, Marked, Says

from tinysmith import (
    Ask,
    Limits,
    Model,
    Reply,
    Run,
    Scripted,
    Step,
    Strategy,
    Task,
    arun,
    awalk,
    run,
    walk,
)
from tinysmith.errors import (
    BadRequestError,
    ContextOverflow,
    EnvironmentLost,
    RecordingOver,
    ToolError,
    UsageError,
)

Steps: TypeAlias = Sequence[Step[Pad]]
BOARD = Pad(left=2)


def _walk(board: Pad | None = BOARD, **options: Any) -> Steps:
    return list(walk(Round(), board, **options))


def _run(board: Pad | None = BOARD, **options: Any) -> Steps:
    return run(Round(), board, **options).steps


def _awalk(board: Pad | None = BOARD, **options: Any) -> Steps:
    async def steps() -> Steps:
        return [step async for step in awalk(Round(), board, **options)]

    return asyncio.run(steps())


def _arun(board: Pad | None = BOARD, **options: Any) -> Steps:
    return asyncio.run(arun(Round(), board, **options)).steps


DOORS = [_walk, _run, _awalk, _arun]
Door: TypeAlias = Callable[..., Steps]


def ended(strategy: Strategy[Pad], **options: Any) -> list[Run[Pad]]:
    """The same run, blocking and asynchronously."""
    return [run(strategy, Pad(), **options), asyncio.run(arun(strategy, Pad(), **options))]


def timeless(steps: Steps) -> Steps:
    """The steps without what was measured."""
    return [evolve(step, event=evolve(step.event, elapsed_s=0.0)) for step in steps]


class TestFourDoors:
    @pytest.mark.parametrize("door", DOORS)
    def test_give_the_same_run(self, door: Door) -> None:
        """On the same script walk, run, awalk and arun give the same steps."""
        script = {"writer": ["line", "bad", "second"], "vote": ["aye", "nay", "", "aye", "nay"]}
        steps = door(model=Scripted(script), environment=Echo())
        assert timeless(steps) == timeless(_run(model=Scripted(script), environment=Echo()))
        assert [step.node for step in steps[:5]] == ["writer", "vote", "vote", "eye", "fetch"]
        assert steps[-1].hops[-1].target == "gave_up"
        assert [step.number for step in steps] == list(range(1, len(steps) + 1))

    @pytest.mark.parametrize("door", DOORS)
    def test_tell_listeners_every_step(self, door: Door) -> None:
        """Every listener sees every step, in order."""
        first: list[Step[Pad]] = []
        second: list[Step[Pad]] = []
        script = {"writer": ["line", "second"], "vote": ["aye", "nay"] * 2}
        listeners = [first.append, second.append]
        steps = door(model=Scripted(script), environment=Echo(), listeners=listeners)
        assert first == second == list(steps)

    @pytest.mark.parametrize("door", DOORS)
    def test_measure_what_they_wait(self, door: Door) -> None:
        """Every event says which request it answers, and how long that took."""
        steps = door(model=Scripted(["line", "aye", "nay"]), environment=Echo())
        assert all(step.event.answers == step.request.id for step in steps)
        assert all(0 < step.event.elapsed_s < 60 for step in steps)

    def test_walk_goes_on_only_when_asked(self) -> None:
        """A walk answers a request only when its next step is wanted, and may be left at any time."""
        world = Echo()
        steps = walk(Look(), Pad(), model=Scripted([]), environment=world)
        assert world.resets == []
        next(steps)
        assert world.actions == ["look 0"]
        next(steps)
        assert world.actions == ["look 0", "look 1"]
        steps.close()  # type: ignore[attr-defined]  # a generator, under its narrower type
        assert len(world.actions) == 2


class TestRunningLoop:
    @pytest.mark.parametrize(("door", "other"), [(run, "arun"), (walk, "awalk")])
    def test_is_refused(self, door: Callable[..., object], other: str) -> None:
        """Inside a running event loop the blocking doors refuse in one sentence that names the other door."""

        async def inside() -> None:
            door(Once(), Pad(), model=Scripted(["x"]))

        with pytest.raises(UsageError, match=rf"^\w+\(\) blocks, .* use {other}\(\) instead\.$"):
            asyncio.run(inside())


class TestFirstBoard:
    def test_from_the_task_and_the_opening(self) -> None:
        """Without a board the strategy makes it from the task and from what the environment shows first."""
        task = Task("t1", "Which boats?")
        for result in (
            run(Refine(), model=Scripted(["a", "good"]), environment=Echo("Welcome."), task=task),
            asyncio.run(arun(Refine(), model=Scripted(["a", "good"]), environment=Echo("Welcome."), task=task)),
        ):
            assert result.board.lines == ("Which boats?", "Welcome.", "a", "good")
            assert (result.task, result.opening) == ("t1", "Welcome.")

    @pytest.mark.parametrize("door", DOORS)
    def test_from_another_brief(self, door: Door) -> None:
        """A brief that is given makes the first board instead of the strategy's own."""
        seen: list[tuple[str, str]] = []

        def brief(task: Task, observation: str) -> Pad:
            seen.append((task.id, observation))
            return Pad(("briefed",))

        steps = door(board=None, model=Scripted([""]), environment=Echo("Hi."), task=Task("t1"), brief=brief)
        assert seen == [("t1", "Hi.")]
        assert steps[0].board.lines == ("briefed",)

    def test_without_a_task(self) -> None:
        """Without a task, what the environment shows first is the question."""
        result = run(Refine(), model=Scripted(["a", "good"]), environment=Echo("Why?"))
        assert result.board.lines[:2] == ("Why?", "Why?")

    def test_task_and_seed_reach_the_reset(self) -> None:
        """The environment is reset once, with the run's task and seed."""
        world = Echo()
        task = Task("t1")
        limits = Limits(max_steps=1)
        run(Look(), Pad(), model=Scripted([]), environment=world, task=task, seed=7, limits=limits)
        assert world.resets == [(task, 7)]


class TestFailures:
    def test_model(self) -> None:
        """A model's own error ends the run as model_failed, with its kind and its text, the board kept."""
        models: dict[str, Model] = {"writer": Scripted(["line"]), "critic": Says(_refuse)}
        result = run(Refine(), Pad(left=1), model=models)
        assert (result.outcome, result.board.lines) == ("model_failed", ("line",))
        assert result.error is not None
        assert (result.error.kind, result.error.message) == ("bad_request", "m: It is not allowed.")

    def test_model_that_breaks(self) -> None:
        """Whatever else a model raises is told with the model's class and the error's."""
        for result in ended(Once(), model=Says(_break)):
            assert result.outcome == "model_failed"
            assert result.error is not None
            assert (result.error.kind, result.error.message) == ("model", "Says raised KeyError: 'broken'")

    def test_model_that_answers_no_reply(self) -> None:
        """A model whose answer is no Reply has failed."""
        for result in ended(Once(), model=Wordy()):
            assert result.outcome == "model_failed"
            assert result.error is not None
            assert "Wordy" in result.error.message
            assert "answered with a str, not a Reply" in result.error.message

    def test_used_up_recording(self) -> None:
        """A script that is used up ends the run as recording_over."""
        for result in ended(Refine(), model={"writer": Says(lambda ask: "line"), "critic": Scripted([])}):
            assert (result.outcome, result.board.lines) == ("recording_over", ("line",))

    def test_overflow(self) -> None:
        """A model's ContextOverflow asks the agent for a shorter board."""
        result = run(
            Refine(), Pad(("old",), left=1), model={"writer": Says(_overflow), "critic": Scripted(["good"])}
        )
        assert result.board.lines == ("short", "good")

    def test_environment(self) -> None:
        """An environment that raises ends the run as environment_lost, the board kept."""
        for error in (EnvironmentLost("The container died."), ValueError("odd")):
            for result in ended(Look(), model=Scripted([]), environment=Broken(error, "step")):
                assert (result.outcome, result.solved) == ("environment_lost", False)
                assert result.error is not None
                assert result.error.kind == "environment"
                assert str(error) in result.error.message

    def test_tool(self) -> None:
        """A tool that raises ends the run as tool_failed, with its node's name."""
        for result in ended(Lookup(), tools={"fetch": _no_tool}):
            assert result.outcome == "tool_failed"
            assert result.error is not None
            assert result.error.kind == "tool"
            assert result.error.message == "fetch raised OSError: no disk"

    def test_a_tool_that_asks_a_model(self) -> None:
        """A tool that fails with a model's error has failed as a tool, and not as the run's own model."""
        for result in ended(Lookup(), tools={"fetch": _used_up}):
            assert result.outcome == "tool_failed"
            assert result.error is not None
            assert (result.error.kind, "used up" in result.error.message) == ("tool", True)

    def test_of_tools_of_our_own_kind(self) -> None:
        """A ToolError says itself what happened."""
        for result in ended(Lookup(), tools={"fetch": _tool_error}):
            assert result.error is not None
            assert (result.error.kind, result.error.message) == ("tool", "The index is gone.")

    def test_follow_failure_edges(self) -> None:
        """A failure outside follows the node's failure edge."""
        result = run(Rescue(), Pad(), model=Says(_break), environment=Echo())
        assert (result.outcome, result.error) == ("gave_up", None)


class TestEnvironmentLost:
    def test_at_reset(self) -> None:
        """An environment that cannot be reset raises EnvironmentLost, for there is no run yet."""
        world = Broken(OSError("no bwrap"), "reset")
        with pytest.raises(EnvironmentLost, match="Broken raised OSError: no bwrap"):
            run(Look(), Pad(), model=Scripted([]), environment=world)
        with pytest.raises(EnvironmentLost, match="no bwrap"):
            asyncio.run(arun(Look(), Pad(), model=Scripted([]), environment=world))

    def test_usage_errors_at_reset_pass(self) -> None:
        """An error of ours at reset, such as an unknown task, passes as it is."""
        with pytest.raises(UsageError, match="no such task"):
            run(Look(), Pad(), model=Scripted([]), environment=Broken(UsageError("no such task"), "reset"))

    @pytest.mark.parametrize("error", [EnvironmentLost("It is gone."), ValueError("It is gone.")])
    def test_at_the_grade(self, error: Exception) -> None:
        """A grade that cannot be had makes the run environment_lost, whatever its halt was; the board is kept."""
        for result in ended(Once(), model=Says(lambda ask: "x"), environment=Broken(error, "grade")):
            assert (result.outcome, result.success, result.solved) == ("environment_lost", False, False)
            assert result.board.lines == ("x",)
            assert result.error is not None
            assert (result.error.kind, "It is gone." in result.error.message) == ("environment", True)

    def test_is_not_graded(self) -> None:
        """A fault of the machinery is never scored: an environment that was lost is asked for no grade."""
        for broken in (["step"], ["step", "grade"]):
            world = Broken(EnvironmentLost("It died in the step."), *broken)
            for result in ended(Look(), model=Scripted([]), environment=world):
                assert (result.outcome, result.grade) == ("environment_lost", None)
                assert result.error is not None
                assert (result.error.message, result.error.answers) == ("It died in the step.", "eye")

    def test_keeps_the_best_grade_shown(self) -> None:
        """What an oracle was shown before is kept, though its environment was lost at the end."""
        world = Marked(0, 0.5)
        result = run(Watched(), Pad(), model=Scripted([]), environment=world, limits=Limits(max_steps=1))
        assert result.grade is not None
        assert result.grade.score == 0.5


class TestListenerThatRaises:
    def test_ends_the_run(self) -> None:
        """A listener's error is the caller's own, and passes."""

        def listen(step: Step[Pad]) -> None:
            raise LookupError(step.node)

        for door in (_run, _arun, _walk, _awalk):
            with pytest.raises(LookupError, match="writer"):
                door(model=Scripted(["line"]), environment=Echo(), listeners=[listen])


class Wordy:
    """A model that answers with a text."""

    def ask(self, request: Ask, /) -> Any:
        return "text"

    async def aask(self, request: Ask, /) -> Any:
        return "text"


def _refuse(request: Ask) -> Reply:
    raise BadRequestError("It is not allowed.", model="m", status=400)


def _break(request: Ask) -> Reply:
    raise KeyError("broken")


def _overflow(request: Ask) -> str:
    if request.messages[0].content != "Write line 0.":
        raise ContextOverflow("Too long.")
    return "short"


def _no_tool(**arguments: object) -> str:
    raise OSError("no disk")


def _used_up(**arguments: object) -> str:
    raise RecordingOver("It is used up.")


def _tool_error(**arguments: object) -> str:
    raise ToolError("The index is gone.")
