"""What a run was: outcome, board, usage, grade."""

import copy

import pytest
from sketches import Ballot, Look, Once, Pad, Refine, Watched
from worlds import Echo, Marked, Says

from tinysmith import (
    Act,
    Ask,
    Done,
    EnvironmentStep,
    FrozenDict,
    Grade,
    Limits,
    Observation,
    Orchestrator,
    Reply,
    Scripted,
    Step,
    Usage,
    run,
)
from tinysmith.errors import ContextOverflow
from tinysmith.messages import FREE
from tinysmith.run import best_grade

PRICES = {"writer": Usage(10, 5, 0.25), "critic": Usage(1, 2, 0.5)}


def graded(score: float) -> Grade:
    """What the marking environment makes of a score."""
    return Grade(score, score >= 1, FrozenDict({"half": score / 2}))


class TestRun:
    def test_says_how_it_ended(self) -> None:
        """A run has its halt's name as outcome, the halt's success, its board and its steps."""
        result = run(Refine(), Pad(left=1), model=Scripted(["line", "good"]))
        assert (result.strategy, result.outcome, result.success, result.solved) == (
            "Refine",
            "accepted",
            True,
            True,
        )
        assert result.board == Pad(("line", "good"), left=0)
        assert [(step.number, step.node, step.hops[-1].target) for step in result.steps] == [
            (1, "writer", "critic"),
            (2, "critic", "accepted"),
        ]
        assert [step.board.lines for step in result.steps] == [("line",), ("line", "good")]
        assert (result.error, result.task, result.opening, result.grade, result.oracle) == (
            None,
            "",
            "",
            None,
            False,
        )

    def test_seconds_are_those_of_waiting(self) -> None:
        """A run's seconds are the sum of what its events took."""
        result = run(Refine(), Pad(left=1), model=Scripted(["line", "good"]))
        assert result.seconds == pytest.approx(sum(step.event.elapsed_s for step in result.steps), abs=1e-8)

    def test_so_far(self) -> None:
        """A run that has not ended has no outcome and no success."""
        orchestrator = Orchestrator(Look(), Pad(), model=Scripted([]))
        orchestrator.forward()
        assert (orchestrator.run.outcome, orchestrator.run.success, orchestrator.run.solved) == ("", False, False)

    def test_shows_no_walls_of_text(self) -> None:
        """The repr of a run counts its steps instead of showing them."""
        assert "steps=<1 steps>" in repr(run(Once(), Pad(), model=Scripted(["x"])))

    def test_copies(self) -> None:
        """A run is a value: its copy is equal."""
        result = run(Once(), Pad(), model=Scripted(["x"]))
        assert copy.deepcopy(result) == result


class TestStep:
    def test_node(self) -> None:
        """A step is of the node whose request was answered; what answers no node has none."""
        step = Step(1, Act("look", node="eye"), Observation("x"), (), Pad())
        assert step.node == "eye"
        assert Step(1, Done("over", node="eye"), Observation("x"), (), Pad()).node == ""

    def test_complaint(self) -> None:
        """A step after which the same node asks again holds what the model was told; no other step does."""
        result = run(Refine(), Pad(left=2), model=Scripted(["line", "bad", "bad", "", "good"]))
        assert [(step.complaint, step.asked_again) for step in result.steps] == [
            ("", False),
            ("Do not write 'bad'.", True),
            ("Do not write 'bad'.", True),
            ("Your reply was empty. Reply again.", True),
            ("", False),
        ]

    def test_complaint_about_length(self) -> None:
        """A prompt that overflowed is told as such, and only then."""
        replies: list[str | Exception] = [ContextOverflow("Too long."), "bad", "x", "good"]

        def answer(_ask: Ask) -> str:
            reply = replies.pop(0)
            if isinstance(reply, Exception):
                raise reply
            return reply

        result = run(Refine(), Pad(("old",)), model=Says(answer))
        assert [step.complaint for step in result.steps[:3]] == [
            "The prompt was too long.",
            "Do not write 'bad'.",
            "",
        ]

    def test_complaint_of_a_panel(self) -> None:
        """Where a panel asks again, it is what is wrong with the seat that was heard last, or with another."""
        result = run(Ballot(), Pad(), model=Scripted(["bad", "aye", "aye"]))
        assert [step.complaint for step in result.steps] == ["", "Vote aye or nay.", ""]
        cut_off = Reply("a", finish="length")
        result = run(Ballot(), Pad(), model=Scripted(["", cut_off, "aye", "aye"]))
        assert result.steps[1].complaint.startswith("Your reply was cut off")


class TestUsage:
    def test_by_node_and_by_model(self) -> None:
        """Tokens and cost are summed over the run, by node, and by the model that answered."""

        def priced(node: str) -> Says:
            return Says(lambda ask: Reply("x" if ask.number else "a", usage=PRICES[node], model=node.upper()))

        models = {"writer": priced("writer"), "*": priced("critic")}
        result = run(Refine(), Pad(left=2), model=models, limits=Limits(max_asks=4))
        usage = result.usage
        assert (usage.total, usage.tokens, usage.cost_usd) == (Usage(22, 14, 1.5), 36, 1.5)
        assert usage.by_node == {"writer": Usage(20, 10, 0.5), "critic": Usage(2, 4, 1.0)}
        assert usage.by_model == {"WRITER": Usage(20, 10, 0.5), "CRITIC": Usage(2, 4, 1.0)}

    def test_an_unknown_price_is_never_nought(self) -> None:
        """One reply of unknown price makes the sum unknown, and only the sums that it belongs to."""
        models = {
            "writer": Says(lambda ask: Reply("x", usage=Usage(1, 1), model="new")),
            "critic": Says(lambda ask: Reply("good", usage=Usage(1, 1, 0.5), model="old")),
        }
        usage = run(Refine(), Pad(left=2), model=models).usage
        assert (usage.tokens, usage.cost_usd) == (4, None)
        assert (usage.by_model["new"].cost_usd, usage.by_model["old"].cost_usd) == (None, 0.5)

    def test_every_seat_counts(self) -> None:
        """The replies of a panel's seats are summed under the panel."""
        priced = Says(lambda ask: Reply("aye", usage=Usage(1, 1, 0.5)))
        assert run(Ballot(), Pad(seats=3), model=priced).usage.by_node == {"vote": Usage(3, 3, 1.5)}

    def test_nothing_asked(self) -> None:
        """A run that asked no model cost nothing, and that is known."""
        result = run(Look(), Pad(), model=Scripted([]), environment=Echo(), limits=Limits(max_steps=1))
        assert (result.usage.total, len(result.usage.by_node)) == (FREE, 0)


class TestGrade:
    @pytest.mark.parametrize(("score", "solved"), [(1.0, True), (0.5, False)])
    def test_alone_decides_solved(self, score: float, solved: bool) -> None:
        """Where the environment grades, its grade alone says whether the task is solved, not the halt."""
        result = run(Look(), Pad(("good",)), model=Scripted([]), environment=Goody(score))
        assert (result.outcome, result.success, result.solved) == ("found", True, solved)
        assert result.grade == graded(score)

    def test_oracle_scores_its_best_turn(self) -> None:
        """A run that was shown the grades has that of its best turn, and is marked."""
        limits = Limits(max_steps=3)
        result = run(Watched(), Pad(), model=Scripted([]), environment=Marked(0, 0.5, 1, 0.25), limits=limits)
        assert (result.oracle, result.solved, result.grade) == (True, True, graded(1))
        assert result.board.lines[::2] == ("0.5", "1", "0.25")

    def test_others_have_the_last_one(self) -> None:
        """A run that was not shown the grades has that of its end, and is not marked."""
        limits = Limits(max_steps=3)
        result = run(Look(), Pad(), model=Scripted([]), environment=Marked(0, 0.5, 1, 0.25), limits=limits)
        assert (result.oracle, result.solved) == (False, False)
        assert result.grade == graded(0.25)

    def test_of_an_environment_that_grades_nothing(self) -> None:
        """Where nothing grades, a world node that asks for grades sees the plain reward, which is no oracle."""
        result = run(Watched(), Pad(), model=Scripted([]), environment=Echo(), limits=Limits(max_steps=1))
        assert (result.oracle, result.grade, result.board.lines[0]) == (False, None, "0.25")

    def test_of_no_steps(self) -> None:
        """Without steps nothing was shown, and the last grade counts."""
        steps: tuple[Step[Pad], ...] = ()
        assert best_grade(steps, None) == (None, False)
        assert best_grade(steps, graded(1)) == (graded(1), False)


class Goody(Marked):
    """Shows the word good at its first step, and gives one score."""

    def __init__(self, score: float) -> None:
        super().__init__(score)

    async def step(self, action: str) -> EnvironmentStep:
        return (await super().step(action))._replace(observation="good")
