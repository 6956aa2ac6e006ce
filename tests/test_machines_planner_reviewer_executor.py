"""The built-in strategy of a planner, a reviewer and an executor."""

import asyncio
import json
from collections.abc import Mapping, Sequence

import pytest
from attrs import evolve
from worlds import Echo, Exam

from machines import PlannerReviewerExecutor
from machines.planner_reviewer_executor import (
    Executor,
    Mission,
    Plan,
    Planner,
    Report,
    Review,
    Reviewer,
    WrapUp,
    has_command,
    has_rejects_left,
    is_out_of_steps,
    is_over,
    is_plan_done,
    is_rejected,
    is_solved,
    reported,
)
from tinysmith import Observation, ParseError, Run, Scripted, Task, arun, run
from tinysmith.memory import Exchange, Memory
from tinysmith.testing import strategy_test

TestPlannerReviewerExecutor = pytest.mark.untraced(strategy_test(PlannerReviewerExecutor))

YES = json.dumps({"accepted": True})
NO = json.dumps({"accepted": False, "feedback": "Look first."})
LOOK, SUBMIT, DONE = "Command: ls", "Command: submit", "Done: I looked."


def plan(*tasks: str) -> str:
    """A planner's reply."""
    return json.dumps({"tasks": tasks})


def played(
    script: Mapping[str, Sequence[str]], environment: Echo | None = None, board: Mission | None = None
) -> Run[Mission]:
    """A run on a script of which every reply is used."""
    model = Scripted(script)
    world = Exam({"ls": "boats.txt"}) if environment is None else environment
    ended = run(PlannerReviewerExecutor(), board or Mission("q"), model=model, environment=world)
    model.assert_complete()
    return ended


def asked(ended: Run[Mission]) -> dict[str, int]:
    """How often each role was asked."""
    names = [step.node for step in ended.steps if step.node != "shell"]
    return {name: names.count(name) for name in dict.fromkeys(names)}


class TestHalts:
    def test_solved(self) -> None:
        """A submission that earns the full reward ends it as solved."""
        ended = played({"planner": [plan("a", "b")], "reviewer": [YES, YES], "executor": [LOOK, DONE, SUBMIT]})
        assert (ended.outcome, ended.success, ended.oracle) == ("solved", True, False)

    def test_ended(self) -> None:
        """A submission that earns less ends it as ended."""
        script = {"planner": [plan("a")], "reviewer": [YES], "executor": [SUBMIT]}
        ended = played(script, Exam(reward=0.5))
        assert (ended.outcome, ended.success) == ("ended", False)

    def test_finished_by_the_reviewer(self) -> None:
        """With no task left and the reviewer content, it ends as finished."""
        ended = played({"planner": [plan("a")], "reviewer": [YES, YES], "executor": [DONE]})
        assert (ended.outcome, ended.success, ended.board.plan) == ("finished", False, ())

    def test_finished_without_the_reviewer(self) -> None:
        """With no task and no rejection left, it ends as finished and nobody is asked."""
        ended = played({"planner": [plan("a")], "executor": [DONE]}, board=Mission("q", rejects_left=0))
        assert ended.outcome == "finished"


class TestPlanning:
    def test_a_rejected_plan_goes_back_with_the_feedback(self) -> None:
        """The planner is asked again with the reviewer's feedback, which a new plan answers."""
        ended = played({"planner": [plan("a"), plan("b")], "reviewer": [NO, YES], "executor": [SUBMIT]})
        planner = [step.said() for step in ended.steps if step.node == "planner"]
        assert planner == [plan("a"), plan("b")]
        assert (ended.board.rejects_left, ended.board.feedback) == (1, "")

    def test_a_plan_stands_after_so_many_rejections(self) -> None:
        """With no rejection left the next plan is carried out unreviewed, to its end."""
        script = {
            "planner": [plan("a"), plan("b"), plan("c", "d")],
            "reviewer": [NO, NO],
            "executor": [DONE, SUBMIT],
        }
        ended = played(script)
        assert (ended.outcome, ended.board.rejects_left, ended.board.feedback) == ("solved", 0, "")
        assert [report.task for report in ended.board.reports] == ["c"]

    def test_the_reviewer_may_send_it_back_after_a_task(self) -> None:
        """After a task the reviewer may send what is left of the plan back; what was done stays done."""
        script = {"planner": [plan("a", "b"), plan("c")], "reviewer": [YES, NO, YES], "executor": [DONE, SUBMIT]}
        ended = played(script)
        assert (ended.outcome, ended.board.plan) == ("solved", ("c",))
        assert ended.board.reports == (Report("I looked.", (), "a"),)

    @pytest.mark.parametrize("tasks", [(), ("",), tuple("abcdefghi")])
    def test_refuses_a_plan_of_none_or_too_many(self, tasks: tuple[str, ...]) -> None:
        """A plan has 1 to `most_tasks` tasks."""
        with pytest.raises(ParseError, match=r"The plan has \d tasks\. Give it 1 to 8\."):
            Planner().accept(Mission(), Plan(tasks))

    def test_refuses_a_rejection_without_feedback(self) -> None:
        """A rejection says what to change."""
        with pytest.raises(ParseError, match="without saying what to change"):
            Reviewer().accept(Mission(), Review(accepted=False, feedback=" "))


class TestExecuting:
    def test_a_report_goes_to_the_lists(self) -> None:
        """Summary and knowledge go to the team's lists, no fact twice, and the next task has no history."""
        script = {
            "planner": [plan("a", "b", "c")],
            "reviewer": [YES] * 3,
            "executor": [LOOK, "Knowledge: x\nKnowledge: y\nDone: One.", "Done: Two.\nKnowledge: y", SUBMIT],
        }
        ended = played(script)
        assert ended.board.reports == (Report("One.", ("x", "y"), "a"), Report("Two.", ("y",), "b"))
        assert (ended.board.knowledge, ended.board.report) == (("x", "y"), None)
        assert ended.board.memory.exchanges == (Exchange("submit", "(no output)"),)

    def test_empty_output_is_shown_as_such(self) -> None:
        """A command that prints nothing is shown with a hint in the next prompt."""
        script = {"planner": [plan("a")], "reviewer": [YES], "executor": ["Command: touch x", SUBMIT]}
        ended = played(script)
        assert "Command: touch x\nOutput: (no output)" in Executor().prompt(evolve(ended.board, plan=("a",)))

    def test_is_asked_once_to_wrap_up(self) -> None:
        """After `max_steps` commands the executor is asked for a summary, which checks the task off."""
        script = {
            "planner": [plan("a", "b")],
            "reviewer": [YES, YES],
            "executor": [LOOK, LOOK, SUBMIT],
            "wrap_up": ["Done: Still open."],
        }
        ended = played(script, board=Mission("q", max_steps=2))
        assert (ended.outcome, ended.board.reports) == ("solved", (Report("Still open.", (), "a"),))

    def test_is_asked_no_more_than_once(self) -> None:
        """An empty reply to the request for a summary is taken as done as well, and asked for but once."""
        script = {"planner": [plan("a")], "executor": [LOOK], "wrap_up": [""]}
        ended = played(script, board=Mission("q", max_steps=1, rejects_left=0))
        assert (ended.outcome, asked(ended)) == ("finished", {"planner": 1, "executor": 1, "wrap_up": 1})

    def test_keeps_the_knowledge_of_a_report_without_a_summary(self) -> None:
        """Of a report that says nothing, the facts beside it are kept."""
        board = WrapUp().parse(Mission(), "Knowledge: x\nDone:")
        assert board.report == Report("(not finished, and not summed up)", ("x",))

    def test_thinking_is_no_report(self) -> None:
        """What a reasoning model thinks aloud is neither a report nor a command."""
        reply = "<think>\nDone: x\nCommand: rm\n</think>\nCommand: ls"
        assert Executor().parse(Mission(), reply).command == "ls"

    @pytest.mark.parametrize("reply", [LOOK, "I cannot.", "Done", "Done:"])
    def test_is_taken_as_done_if_it_does_not(self, reply: str) -> None:
        """A task that is not wrapped up when asked is taken as done, and the lists say so."""
        board = WrapUp().parse(Mission(command="ls"), reply)
        assert (board.report, board.command) == (Report("(not finished, and not summed up)"), "")

    @pytest.mark.parametrize(
        ("reply", "problem"),
        [
            ("ls", "`Command: …`, or with `Done: …`"),
            ("Knowledge: x", "`Command: …`, or with `Done: …`"),
            (f"{LOOK}\n{DONE}", "both"),
            (f"{DONE}\n{LOOK}", "both"),
            (f"{LOOK}\n{LOOK}", "2 lines"),
            ("Done:", "what the task came to"),
            ("Knowledge: x\nDone: ", "what the task came to"),
        ],
    )
    def test_refuses(self, reply: str, problem: str) -> None:
        """A reply is one command or one report."""
        with pytest.raises(ParseError, match=problem):
            Executor().parse(Mission(), reply)

    @pytest.mark.parametrize(
        ("reply", "report"),
        [
            ("ls", None),
            ("It is Done: no.", None),
            ("Done: x", Report("x")),
            ("I think.\n  Done:  x\ny \n", Report("x\ny")),
            ("Done:", Report("")),
            ("**Done:** x", Report("x")),
            ("### Done: x", Report("x")),
            ("<think>\nDone: no\nKnowledge: no\n</think>\ndone: x", Report("x")),
            ("Knowledge: a\nKnowledge:\nDone: x\nKnowledge: b\ny\nDone: z", Report("x\nz", ("a", "b\ny"))),
        ],
    )
    def test_reads_a_report(self, reply: str, report: Report | None) -> None:
        """The summary is what follows `Done:`, up to a label; knowledge may stand anywhere."""
        assert reported(reply) == report


class TestCosts:
    @pytest.mark.parametrize(
        ("script", "rejected", "tasks", "commands"),
        [
            ({"planner": [plan("a")], "reviewer": [YES], "executor": [SUBMIT]}, 0, 0, 1),
            ({"planner": [plan("a"), plan("b")], "reviewer": [NO, YES], "executor": [LOOK, SUBMIT]}, 1, 0, 2),
            (
                {
                    "planner": [plan("a", "b"), plan("c")],
                    "reviewer": [YES, NO, YES],
                    "executor": [LOOK, DONE, SUBMIT],
                },
                1,
                1,
                2,
            ),
            ({"planner": [plan("a")], "reviewer": [YES, YES], "executor": [LOOK, LOOK, DONE]}, 0, 1, 2),
        ],
    )
    def test_formula(self, script: dict[str, list[str]], rejected: int, tasks: int, commands: int) -> None:
        """While a rejection is left: 1 + R plans, 1 + R + T reviews, S + T commands and reports."""
        ended = played(script)
        counts = asked(ended)
        assert counts["planner"] == 1 + rejected
        assert counts["reviewer"] == 1 + rejected + tasks
        assert counts["executor"] == commands + tasks
        assert ended.position.spent.asks == 2 + 2 * rejected + 2 * tasks + commands

    def test_never_more(self) -> None:
        """A team that wastes whatever it can stays within the bound of the docstring."""
        script = {
            "planner": [plan("a", "b")] * 3,
            "reviewer": [YES, YES, NO, YES, YES, NO],
            "executor": [LOOK] * 12,
            "wrap_up": ["I cannot."] * 6,
        }
        board = Mission("q", max_steps=2, most_tasks=2)
        ended = played(script, board=board)
        assert ended.outcome == "finished"
        most = (board.rejects_left + 1) * (2 + board.most_tasks * (board.max_steps + 2))
        assert ended.position.spent.asks == sum(len(replies) for replies in script.values()) <= most


class TestGuards:
    def test_answer_on_the_board(self) -> None:
        """Each guard reads its own field, and holds just where it says."""
        exchange = Exchange("ls", "x")
        cases = {
            has_rejects_left: (Mission(rejects_left=0), Mission(rejects_left=1)),
            is_rejected: (Mission(), Mission(feedback="no")),
            is_plan_done: (Mission(plan=("a",)), Mission()),
            has_command: (Mission(), Mission(command="ls")),
            is_over: (Mission(), Mission(is_over=True)),
            is_solved: (Mission(is_over=True, reward=0.9), Mission(is_over=True, reward=1.0)),
            is_out_of_steps: (
                Mission(max_steps=2, memory=Memory((exchange,))),
                Mission(max_steps=2, memory=Memory((exchange, exchange))),
            ),
        }
        for guard, (no, yes) in cases.items():
            assert (guard(no), guard(yes)) == (False, True), guard.__name__
        assert not is_solved(Mission(reward=1.0))

    def test_truncated(self) -> None:
        """An environment that stops for a limit of its own is over, too."""
        assert is_over(PlannerReviewerExecutor.shell.observe(Mission(), Observation("x", truncated=True)))
        assert not is_over(PlannerReviewerExecutor.shell.observe(Mission(), Observation("x")))


class TestModels:
    def test_each_role_its_own(self) -> None:
        """Each role may have a model of its own, and one stands for the rest."""
        large = Scripted({"planner": [plan("a")], "reviewer": [YES]})
        small = Scripted([LOOK, SUBMIT])
        models = {"executor": small, "wrap_up": small, "*": large}
        ended = run(PlannerReviewerExecutor(), Mission("q"), model=models, environment=Exam())
        large.assert_complete()
        small.assert_complete()
        assert ended.outcome == "solved"

    def test_both_doors(self) -> None:
        """The asynchronous door gives the same board as the blocking one."""
        script = {"planner": [plan("a")], "reviewer": [YES], "executor": [LOOK, SUBMIT]}
        strategy = PlannerReviewerExecutor()
        blocking = run(strategy, Mission("q"), model=Scripted(script), environment=Exam())
        awaited = asyncio.run(arun(strategy, Mission("q"), model=Scripted(script), environment=Exam()))
        assert blocking.board == awaited.board


class TestBrief:
    def test_from_the_task_or_the_first_observation(self) -> None:
        """The question is the task's, or what the environment shows first where the task has none."""
        strategy = PlannerReviewerExecutor()
        assert strategy.brief(Task("1", "Which?", instructions="Use SQL."), "x") == Mission("Which?", "Use SQL.")
        assert strategy.brief(Task(""), "Why?") == Mission("Why?")
