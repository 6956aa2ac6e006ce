"""What the planner, the reviewer and the executor read."""

import pytest
from attrs import evolve

from machines.planner_reviewer_executor import Executor, Mission, Planner, Report, Reviewer, WrapUp, is_rejected
from tinysmith.memory import Exchange, Memory


class TestPrompts:
    BOARD = Mission(
        "Which boats?",
        "Use SQL.",
        plan=("count", "submit"),
        feedback="Look first.",
        reports=(Report("Seen.", (), "look"),),
        knowledge=("boats has rows",),
        memory=Memory((Exchange("ls", "{{ x }}"),)),
    )

    @pytest.mark.parametrize("role", [Planner(), Reviewer(), Executor(), WrapUp()])
    def test_all_know_the_mission(self, role: Planner | Reviewer | Executor | WrapUp) -> None:
        """Every role sees the mission, how to act, what is done and what the team knows."""
        text = role.prompt(self.BOARD)
        for part in ("Use SQL.", "Which boats?", "look → Seen.", "- boats has rows"):
            assert part in text

    def test_each_sees_its_own(self) -> None:
        """The planner sees the feedback, the reviewer the plan, the executor its one task and its history."""
        planner, reviewer, executor = (role.prompt(self.BOARD) for role in (Planner(), Reviewer(), Executor()))
        assert "The reviewer wants it changed: Look first." in planner
        assert "1. count\n2. submit\n\nAccept it if" in reviewer
        assert "Your task now: count\n" in executor
        assert "Command: ls\nOutput: {{ x }}\n" in executor
        assert "You may send 9 more commands on this task." in executor
        assert "submit" not in executor

    def test_the_reviewer_of_a_plan_that_is_done(self) -> None:
        """With no task left the reviewer is asked whether the mission is accomplished."""
        text = Reviewer().prompt(Mission("q"))
        assert "No task is left. Accept if the mission is accomplished." in text

    def test_few_shot_switch(self) -> None:
        """The examples are there where the board says so, and each is a reply that its role can parse."""
        few = evolve(self.BOARD, is_few_shot=True)
        planned = Planner().prompt(few).split('most boats?":\n')[1].split("\n")[0]
        assert len(Planner().parse(few, planned).plan) == 3
        reviews = Reviewer().prompt(few).split("other plans:\n")[1].split("\n")[:2]
        assert [is_rejected(Reviewer().parse(few, review)) for review in reviews] == [False, True]
        sent, told = Executor().prompt(few).split('each port":\n\n')[1].split("\n\n")[:2]
        assert Executor().parse(few, sent).command == "DESCRIBE boats"
        assert Executor().parse(few, told).report is not None
        assert all("Good re" not in role.prompt(self.BOARD) for role in (Planner(), Reviewer(), Executor()))
