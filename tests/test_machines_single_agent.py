"""The built-in strategy of one agent."""

import asyncio

import pytest
from worlds import Echo, Exam

from machines import SingleAgent
from machines.single_agent import Challenge, Solver, has_steps_left, is_over, is_solved
from tinysmith import Limits, Observation, ParseError, Run, Scripted, Task, arun, run
from tinysmith.environments import SqlEnvironment
from tinysmith.memory import Exchange, Memory
from tinysmith.retrieval import Passage
from tinysmith.testing import strategy_test

TestSingleAgent = pytest.mark.untraced(strategy_test(SingleAgent))

LOOK, SUBMIT = "I look.\nCommand: ls", "Command: submit"


def played(*replies: str, environment: Echo, board: Challenge | None = None) -> Run[Challenge]:
    """A run on a script of which every reply is used."""
    model = Scripted(replies)
    ended = run(SingleAgent(), board or Challenge("q"), model=model, environment=environment)
    model.assert_complete()
    return ended


class TestParse:
    def test_takes_the_one_command(self) -> None:
        """The command is what follows `Command:` on the last line."""
        assert Solver().parse(Challenge(), LOOK).command == "ls"

    @pytest.mark.parametrize("reply", ["ls", "Command: ls\nCommand: pwd", "Command: ls\nThat is all.", "Command:"])
    def test_refuses_none_and_several(self, reply: str) -> None:
        """A reply without a command, with several, or with words after it is asked again."""
        with pytest.raises(ParseError, match="Command"):
            Solver().parse(Challenge(), reply)


class TestPrompt:
    def test_has_everything(self) -> None:
        """The prompt has instructions, task, knowledge with its source, memory, and what is left."""
        challenge = Challenge(
            "Which boats?",
            "Use SQL.",
            knowledge=(Passage("A boat is a row.", "guide.md:3"), Passage("{{ 7 * 7 }}")),
            memory=Memory((Exchange("SHOW TABLES", "boats"), Exchange("x", "(no output)"))),
            steps_left=3,
        )
        text = Solver().prompt(challenge)
        assert text.startswith("Use SQL.\n\nYour task: Which boats?\n\nWhat was found")
        assert "[guide.md:3]\nA boat is a row.\n\n[no source]\n{{ 7 * 7 }}\n" in text
        assert "Command: SHOW TABLES\nOutput: boats\n\nCommand: x\nOutput: (no output)\n" in text
        assert "You may send 3 more commands." in text
        assert text.endswith("\nCommand: …")

    def test_without_anything(self) -> None:
        """Without instructions, knowledge and memory, the prompt says nothing of them."""
        assert Solver().prompt(Challenge("Why?")) == (
            "Your task: Why?\n\nYou may send 20 more commands. Think aloud if that helps, then end your reply "
            "with exactly one line of this form:\nCommand: …"
        )

    def test_few_shot_switch(self) -> None:
        """The examples are there where the board says so, and each of them is a good reply."""
        text = Solver().prompt(Challenge("Why?", is_few_shot=True))
        examples = text.split("from another task:\n\n")[1].split("\n\nYou may send")[0].split("\n\n")
        assert [Solver().parse(Challenge(), example).command for example in examples] == [
            "SHOW TABLES",
            "SELECT COUNT(*) FROM boats",
        ]
        assert "example" not in Solver().prompt(Challenge("Why?"))


class TestGuards:
    def test_solved_is_over_with_the_full_reward(self) -> None:
        """Solved is the full reward of an episode that is over; over is what the environment said."""
        boards = [Challenge(is_over=over, reward=reward) for over in (False, True) for reward in (0.5, 1.0)]
        assert [is_solved(board) for board in boards] == [False, False, False, True]
        assert [is_over(board) for board in boards] == [False, False, True, True]

    def test_steps(self) -> None:
        """Steps are left down to the last."""
        assert [has_steps_left(Challenge(steps_left=left)) for left in (1, 0)] == [True, False]


class TestRuns:
    def test_solved(self) -> None:
        """A submission that earns the full reward ends it as solved; a command costs one call and one step."""
        ended = played(LOOK, SUBMIT, environment=Exam({"ls": "boats.txt"}))
        assert (ended.outcome, ended.success, ended.oracle) == ("solved", True, False)
        assert (ended.position.spent.asks, ended.position.spent.steps, ended.board.steps_left) == (2, 2, 18)
        assert ended.board.memory.exchanges == (Exchange("ls", "boats.txt"), Exchange("submit", "(no output)"))

    def test_ended(self) -> None:
        """A submission that earns less ends it as ended."""
        ended = played(SUBMIT, environment=Exam(reward=0.5))
        assert (ended.outcome, ended.success) == ("ended", False)

    def test_out_of_steps(self) -> None:
        """With the steps used up it ends as out_of_steps, after just so many calls."""
        ended = played(LOOK, LOOK, environment=Exam(), board=Challenge("q", steps_left=2))
        assert (ended.outcome, ended.position.spent.asks, ended.position.spent.steps) == ("out_of_steps", 2, 2)

    def test_a_reply_asked_again_costs_a_call(self) -> None:
        """A reply without a command costs one more call and no step."""
        ended = played("ls", SUBMIT, environment=Exam())
        assert (ended.outcome, ended.position.spent.asks, ended.position.spent.steps) == ("solved", 2, 1)

    def test_remembers_the_last_ten(self) -> None:
        """The memory holds the last ten commands."""
        replies = [f"Command: {n}" for n in range(12)]
        ended = played(*replies, environment=Exam(), board=Challenge("q", steps_left=12))
        assert [exchange.command for exchange in ended.board.memory.exchanges] == [str(n) for n in range(2, 12)]

    def test_solves_a_bundled_task(self) -> None:
        """It solves a task of the bundled database, through the asynchronous door as through the blocking one."""
        environment = SqlEnvironment.demo()
        task = environment.tasks["count-boats"]
        script = ["Command: SELECT COUNT(*) FROM boats", SUBMIT]
        both = [
            run(SingleAgent(), model=Scripted(script), environment=environment, task=task),
            asyncio.run(arun(SingleAgent(), model=Scripted(script), environment=environment, task=task)),
        ]
        assert [(ended.outcome, ended.solved) for ended in both] == [("solved", True)] * 2

    def test_limits(self) -> None:
        """A limit of the run ends it under its name."""
        limits = Limits(max_steps=1)
        ended = run(SingleAgent(), Challenge(), model=Scripted([LOOK] * 2), environment=Exam(), limits=limits)
        assert ended.outcome == "max_steps"

    def test_truncated(self) -> None:
        """An environment that stops for a limit of its own ends it."""
        board = SingleAgent.shell.observe(Challenge(), Observation("x", truncated=True))
        assert is_over(board)


class TestBrief:
    def test_from_the_task_or_the_first_observation(self) -> None:
        """The question is the task's, or what the environment shows first where the task has none."""
        assert SingleAgent().brief(Task("1", "Which?", instructions="Use SQL."), "x") == Challenge(
            "Which?", "Use SQL."
        )
        assert SingleAgent().brief(Task("1"), "x") == Challenge("x")
        assert run(SingleAgent(), model=Scripted([SUBMIT]), environment=Exam()).board.query == "What is it?"
