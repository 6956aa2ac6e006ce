"""The built-in strategy that reflects, and learns from one trial to the next."""

import re
from collections.abc import Sequence

import pytest
from worlds import Broken, Echo, Exam, Says

import machines.reflexion
from machines.reflexion import (
    MOST_CHARACTERS,
    MOST_WORDS,
    Actor,
    Reflector,
    Reflexion,
    Trial,
    is_over,
)
from tinysmith import Ask, Limits, Observation, ParseError, Run, Scripted, Task, run
from tinysmith.errors import EnvironmentLost, ServerError
from tinysmith.memory import Exchange
from tinysmith.strategy import plan_of
from tinysmith.testing import strategy_test


def counters_hold(trial: Trial) -> bool:
    """Every command and every reflection is counted, and no more reflections are written than may be."""
    return (
        len(trial.exchanges) + trial.steps_left == Trial().steps_left
        and len(trial.reflections) <= Trial().reflections_left + 1
        and trial.reflections_left == max(0, Trial().reflections_left - len(trial.reflections))
    )


TestReflexion = pytest.mark.untraced(strategy_test(Reflexion, invariants=[counters_hold]))

LOOK, SUBMIT = "I look.\nCommand: ls", "Command: submit"
LESSON = "Look at the files first."


def played(
    actor: Sequence[str], reflector: Sequence[str] = (), *, environment: Echo, board: Trial | None = None
) -> Run[Trial]:
    """A run on a script of which every reply is used."""
    model = Scripted({"actor": actor, "reflector": reflector})
    ended = run(Reflexion(), board or Trial("q"), model=model, environment=environment)
    model.assert_complete()
    return ended


def counts(ended: Run[Trial]) -> tuple[str, int, int, int]:
    """How a run ended, and its model calls, environment steps and tool calls."""
    spent = ended.position.spent
    return ended.outcome, spent.asks, spent.steps, spent.calls


class TestParse:
    def test_takes_the_one_command(self) -> None:
        """The command is what follows `Command:` on the last line."""
        assert Actor().parse(Trial(), LOOK).command == "ls"

    @pytest.mark.parametrize("reply", ["ls", "Command: ls\nCommand: pwd", "Command: ls\nThat is all.", "Command:"])
    def test_refuses_none_and_several(self, reply: str) -> None:
        """A reply without a command, with several, or with words after it is asked again."""
        with pytest.raises(ParseError, match="Command"):
            Actor().parse(Trial(), reply)

    def test_a_reflection_is_one_paragraph(self) -> None:
        """A reflection becomes one line, so that it cannot pass for another part of a prompt."""
        reply = "\nIt failed.\n\nCommand: ls\t\nOutput: x "
        assert Reflector().parse(Trial(), reply).reflection == "It failed. Command: ls Output: x"

    def test_a_reflection_is_short(self) -> None:
        """A reflection has at most 150 words of a usual length."""
        longest = ["w " * MOST_WORDS, "w" * MOST_CHARACTERS]
        assert [len(Reflector().parse(Trial(), reply).reflection) for reply in longest] == [299, 1_500]
        for reply in (f"{longest[0]} w", f"{longest[1]}w"):
            with pytest.raises(ParseError, match=r"^Reflect in at most 150 words\.$"):
                Reflector().parse(Trial(), reply)


class TestPrompts:
    TRIAL = Trial(
        "Which boats?",
        "Use SQL.",
        lessons=("Old one.", "{{ 7 * 7 }}"),
        reflections=("New one.",),
        exchanges=(Exchange("SHOW TABLES", "boats"), Exchange("x", "Error: no x")),
        steps_left=3,
    )
    SITUATION = (
        "Use SQL.\n\nThe task: Which boats?\n\n"
        "Lessons from earlier trials at this task:\n- Old one.\n- {{ 7 * 7 }}\n\n"
        "The commands of this trial and their output:\n\n"
        "Command: SHOW TABLES\nOutput: boats\n\nCommand: x\nOutput: Error: no x\n\n"
        "Reflections on this trial so far:\n- New one.\n\n"
    )

    def test_of_the_actor(self) -> None:
        """The actor reads instructions, task, lessons, trajectory, reflections, and how many commands are left."""
        text = Actor().prompt(self.TRIAL)
        assert text.startswith(f"{self.SITUATION}You may send 3 more commands.")
        assert text.endswith("\nCommand: …")

    def test_of_the_reflector(self) -> None:
        """The reflector reads the same, and what the evaluator found wrong."""
        text = Reflector().prompt(self.TRIAL)
        assert f"{self.SITUATION}What went wrong:\n- The last output looks like an error.\n\nWrite" in text
        assert "At most 150 words." in text

    def test_without_anything(self) -> None:
        """Where there is nothing to tell but the task, nothing else is told."""
        assert Actor().prompt(Trial("Why?")).startswith("The task: Why?\n\nYou may send 20 more commands.")


class TestRuns:
    def test_solved(self) -> None:
        """The full reward ends it as solved; a command costs one model call and one step."""
        ended = played([LOOK, SUBMIT], environment=Exam({"ls": "boats.txt"}))
        assert counts(ended) == ("solved", 2, 2, 1)
        assert (ended.success, ended.oracle, ended.board.steps_left) == (True, False, 18)
        assert ended.board.exchanges == (Exchange("ls", "boats.txt"), Exchange("submit", "(no output)"))

    def test_failed(self) -> None:
        """A wrong submission is reflected upon, then it has failed."""
        ended = played([SUBMIT], [LESSON], environment=Exam(reward=0.5))
        assert counts(ended) == ("failed", 2, 1, 2)
        assert (ended.success, ended.board.reflections) == (False, (LESSON,))

    def test_out_of_steps(self) -> None:
        """The last command is reflected upon, then it is out of steps."""
        ended = played([LOOK], [LESSON], environment=Exam(), board=Trial("q", steps_left=1))
        assert counts(ended) == ("out_of_steps", 2, 1, 2)
        assert (ended.success, ended.board.reflections) == (False, (LESSON,))

    def test_wrong_on_the_last_step(self) -> None:
        """A wrong submission as the last command has failed, and the reflector is told both."""
        ended = played([SUBMIT], [LESSON], environment=Exam(reward=0), board=Trial("q", steps_left=1))
        assert ended.outcome == "failed"
        assert len(ended.board.faults) == 2

    @pytest.mark.parametrize(
        ("commands", "guard"),
        [
            (["ls", "ls"], "is_same"),
            ([f"SELECT * FROM boats LIMIT {n}" for n in range(5)], "is_similar"),
            (["cat x"], "is_error"),
        ],
    )
    def test_goes_on_after_a_reflection(self, commands: list[str], guard: str) -> None:
        """After a repetition, a fifth of a kind or an error comes a reflection, and the trial goes on with it."""
        prompts: list[str] = []
        script = Scripted({"actor": [*(f"Command: {command}" for command in commands), SUBMIT], "*": [LESSON]})

        def answer(request: Ask) -> str:
            prompts.append(request.messages[-1].content)
            return script.ask(request).text

        environment = Exam({"cat x": "cat: x: No such file or directory"})
        ended = run(Reflexion(), Trial("q"), model=Says(answer), environment=environment)
        script.assert_complete()
        reasons = [hop.why for step in ended.steps for hop in step.hops if hop.target == "reflector"]
        assert reasons == [guard]
        assert counts(ended) == ("solved", len(commands) + 2, len(commands) + 1, 2)
        assert f"Reflections on this trial so far:\n- {LESSON}" in prompts[-1]
        assert LESSON not in "".join(prompts[:-1])

    @pytest.mark.parametrize("budget", [0, 1, 3])
    def test_reflections_are_bounded(self, budget: int) -> None:
        """Whoever repeats himself for ever costs one call a step and one a reflection, and one for the last."""
        ended = played(
            [LOOK] * 8,
            [LESSON] * (budget + 1),
            environment=Exam(),
            board=Trial("q", steps_left=8, reflections_left=budget),
        )
        assert counts(ended) == ("out_of_steps", 8 + budget + 1, 8, budget + 2)
        assert (ended.board.reflections_left, len(ended.board.reflections)) == (0, budget + 1)

    def test_a_reply_asked_again_costs_a_call(self) -> None:
        """A reply without a command, or a reflection that is too long, costs one more call and nothing else."""
        ended = played(["ls", SUBMIT], ["w " * 151, LESSON], environment=Exam(reward=0))
        assert counts(ended) == ("failed", 4, 1, 2)

    def test_over_long_output_is_a_hint(self) -> None:
        """An output of more than a thousand words is not kept."""
        board = Reflexion.shell.observe(Trial(command="ls"), Observation("w " * 1_001))
        assert board.exchanges[0].output.startswith("(1,001 words of output")

    def test_truncated(self) -> None:
        """An environment that stops for a limit of its own ends it."""
        assert is_over(Reflexion.shell.observe(Trial(), Observation("x", truncated=True)))

    def test_limits_and_failures(self) -> None:
        """A limit, a dead model and a lost environment are outcomes as in any run."""

        def refuse(request: Ask) -> str:
            raise ServerError(f"No answer for {request.node}.")

        broken = Broken(EnvironmentLost("It died."), "step")
        limited = run(
            Reflexion(), Trial("q"), model=Scripted([LOOK] * 2), environment=Exam(), limits=Limits(max_steps=1)
        )
        dead = run(Reflexion(), Trial("q"), model=Says(refuse), environment=Exam())
        lost = run(Reflexion(), Trial("q"), model=Scripted([LOOK]), environment=broken)
        assert [ended.outcome for ended in (limited, dead, lost)] == [
            "max_steps",
            "model_failed",
            "environment_lost",
        ]


class TestBrief:
    def test_from_the_task_or_the_first_observation(self) -> None:
        """The question is the task's, or what the environment shows first where the task has none."""
        assert Reflexion().brief(Task("1", "Which?", instructions="Use SQL."), "x") == Trial("Which?", "Use SQL.")
        assert Reflexion().brief(Task("1", ""), "What is it?") == Trial("What is it?")
        assert run(Reflexion(), model=Scripted([SUBMIT]), environment=Exam()).board.query == "What is it?"

    def test_budget(self) -> None:
        """A trial has twenty commands and three reflections before its end, if nobody says otherwise."""
        assert (Trial().steps_left, Trial().reflections_left) == (20, 3)


class TestPicture:
    def test_names_every_node_and_guard(self) -> None:
        """The picture in the module's docstring names every node and every guard, and nothing else."""
        plan = plan_of(Reflexion)
        picture = re.findall(r"\w+", (machines.reflexion.__doc__ or "").split("\n\n")[1])
        guards = {guard.__name__ for leaving in plan.guards.values() for guard in leaving}
        assert set(picture) == {*plan.nodes, *guards, "otherwise", "fails"}
