"""The built-in strategy that tries, sees its reward, and tries again."""

import re

import pytest
from worlds import Broken, Echo, Marked

import machines.try_again
from machines.try_again import Player, Trial, TryAgain, Turn, has_turns_left, is_over, is_solved
from tinysmith import Limits, Observation, Orchestrator, ParseError, Reply, Scripted, Task, run
from tinysmith.errors import EnvironmentLost
from tinysmith.strategy import plan_of
from tinysmith.testing import strategy_test

TestTryAgain = strategy_test(TryAgain)

REPLIES = ["Action: one", "Action: two", "Action: three"]


class TestParse:
    @pytest.mark.parametrize(
        ("reply", "action"),
        [
            ("SHOW TABLES", "SHOW TABLES"),
            ("Thought: I look.\nAction: SHOW TABLES", "SHOW TABLES"),
            ("Thought: The Action: comes.\n  Action:\n\nSELECT 1;\nSELECT 2\n", "SELECT 1;\nSELECT 2"),
            ("Action: a\nAction: b", "a\nAction: b"),
            ("```sql\nSELECT 1\n```", "SELECT 1"),
            ("```\nSELECT 1```", "SELECT 1"),
            ("Thought: x\nAction:\n```bash\nls\npwd\n```\n", "ls\npwd"),
            ("see ```x```", "see ```x```"),
            ("submit", "submit"),
        ],
    )
    def test_takes_the_action(self, reply: str, action: str) -> None:
        """What follows the first `Action:` line is taken, or the whole reply; a fence around it is taken off."""
        assert Player().parse(Trial(), reply).action == action

    @pytest.mark.parametrize("reply", ["Action:", "Thought: hm\nAction:  \n", "```\n```", "Action: ```sql\n\n```"])
    def test_refuses_nothing(self, reply: str) -> None:
        """A reply without an action is refused."""
        with pytest.raises(ParseError, match=r"There is nothing after `Action:`"):
            Player().parse(Trial(), reply)


class TestPrompt:
    def test_has_everything(self) -> None:
        """The prompt has the instructions, the question, and all turns with output and reward."""
        trial = Trial(
            "Which boats?", "Use SQL.", turns=(Turn("SHOW", "boats", 0.5), Turn("x", "", 1)), turns_left=3
        )
        text = Player().prompt(trial)
        assert text.startswith(
            "Use SQL.\n\nQuestion: Which boats?\n\nTurn 1\nAction: SHOW\nOutput: boats\nReward: 0.5"
        )
        assert "Turn 2\nAction: x\nOutput: \nReward: 1\n\n" in text
        assert "You have 3 turns left." in text

    def test_without_instructions(self) -> None:
        """Without instructions the prompt begins with the question."""
        assert Player().prompt(Trial("Why?")).startswith("Question: Why?\n\nThe reward is 1")


class TestGuards:
    def test_answer_on_the_last_turn(self) -> None:
        """Solved is a full reward of the last turn; over is what the environment said; turns count down."""
        full, half = Turn("a", "b", 1.0), Turn("a", "b", 0.5)
        assert [is_solved(Trial(turns=turns)) for turns in ((), (full,), (full, half), (half, full))] == [
            False,
            True,
            False,
            True,
        ]
        assert (is_over(Trial()), is_over(Trial(is_over=True))) == (False, True)
        assert (has_turns_left(Trial(turns_left=1)), has_turns_left(Trial(turns_left=0))) == (True, False)


class TestRuns:
    def test_solved(self) -> None:
        """A full reward ends it as solved, with one model call and one step a turn."""
        result = run(TryAgain(), Trial("q"), model=Scripted(REPLIES), environment=Marked(0, 0.5, 1))
        assert (result.outcome, result.success, result.solved, result.oracle) == ("solved", True, True, True)
        assert result.board.turns == (Turn("one", "did one", 0.5), Turn("two", "did two", 1))
        assert (result.position.spent.asks, result.position.spent.steps, result.board.turns_left) == (2, 2, 8)

    def test_ended(self) -> None:
        """An environment that is over before the full reward ends it as ended."""
        result = run(TryAgain(), Trial("q"), model=Scripted(REPLIES), environment=Marked(0, 0.5, lasts=1))
        assert (result.outcome, result.success, result.solved) == ("ended", False, False)

    def test_out_of_turns(self) -> None:
        """With the turns used up it ends as out_of_turns, and has the score of its best turn."""
        world = Marked(0, 0.25, 0.75, 0.5)
        result = run(TryAgain(), Trial("q", turns_left=3), model=Scripted(REPLIES), environment=world)
        assert (result.outcome, result.position.spent.asks, result.position.spent.steps) == ("out_of_turns", 3, 3)
        assert result.grade is not None
        assert (result.grade.score, result.solved) == (0.75, False)

    def test_solved_comes_before_over(self) -> None:
        """A full reward in the environment's last step is solved."""
        result = run(TryAgain(), Trial("q"), model=Scripted(REPLIES), environment=Marked(0, 1, lasts=1))
        assert result.outcome == "solved"

    def test_reply_asked_again_costs_a_call(self) -> None:
        """A reply without an action is asked again, for one more model call and no step."""
        script = Scripted(["Action:", *REPLIES])
        result = run(TryAgain(), Trial("q"), model=script, environment=Marked(0, 1))
        assert (result.position.spent.asks, result.position.spent.steps) == (2, 1)

    def test_limits_and_failures(self) -> None:
        """Limits, a used-up recording and a lost environment are outcomes as in any run."""
        limits = Limits(max_steps=1)
        limited = run(TryAgain(), Trial(), model=Scripted(REPLIES), environment=Marked(0), limits=limits)
        over = run(TryAgain(), Trial(), model=Scripted(REPLIES), environment=Marked(0))
        lost = run(
            TryAgain(), Trial(), model=Scripted(REPLIES), environment=Broken(EnvironmentLost("It died."), "step")
        )
        assert [result.outcome for result in (limited, over, lost)] == [
            "max_steps",
            "recording_over",
            "environment_lost",
        ]

    def test_truncated(self) -> None:
        """An environment that stops for a limit of its own ends it too."""
        strategy = TryAgain()
        position = strategy.advance(strategy.start(Trial("q")), Reply("ls"))
        done = strategy.advance(position, Observation("x", truncated=True)).done
        assert done is not None
        assert done.outcome == "ended"


class TestBrief:
    def test_from_the_task(self) -> None:
        """The board has the task's question and instructions."""
        task = Task("1", "Which boats?", instructions="Use SQL.")
        assert TryAgain().brief(task, "Welcome.") == Trial("Which boats?", "Use SQL.")

    def test_from_the_first_observation(self) -> None:
        """Without a question in the task, what the environment shows first is the question."""
        orchestrator = Orchestrator(TryAgain(), model=Scripted(REPLIES))
        assert orchestrator.forward("Which boats?") == "one"
        assert orchestrator.position.board.query == "Which boats?"
        assert run(TryAgain(), model=Scripted([]), environment=Echo("Why?")).board.query == "Why?"


class TestPicture:
    def test_names_every_node_and_guard(self) -> None:
        """The picture in the module's docstring names every node and every guard, and nothing else."""
        plan = plan_of(TryAgain)
        picture = re.findall(r"\w+", (machines.try_again.__doc__ or "").split("\n\n")[1])
        guards = {guard.__name__ for leaving in plan.guards.values() for guard in leaving}
        assert set(picture) == {*plan.nodes, *guards, "otherwise"}
