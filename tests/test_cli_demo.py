"""`tinysmith demo`, and the bundled tasks on the command line."""

import subprocess
import sys
from pathlib import Path

import pytest
from sandboxes import needs_sandbox

from tinysmith.cli import main
from tinysmith.cli._demo import demo_command
from tinysmith.errors import SandboxUnavailable
from tinysmith.sandbox import Backend

TEAM = ["run", "machines:PlannerReviewerExecutor", "--env", "demo", "--model", "scripted"]


def nothing() -> Backend:
    """Finds no back end."""
    raise SandboxUnavailable("No sandbox works here. bubblewrap: It is missing.\nInstall it.")


class TestDemo:
    @needs_sandbox
    def test_shows_a_team_in_a_sandbox(self, tmp_path: Path) -> None:
        """In any folder it shows a team in a sandbox and an agent on all tasks, without LiteLLM."""
        code = (
            "import sys\nfrom tinysmith.cli import main\n"
            "assert main(['demo']) == 0\n"
            "assert 'litellm' not in sys.modules and 'hypothesis' not in sys.modules"
        )
        command = [sys.executable, "-P", "-c", code]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        out = done.stdout
        assert "$ tinysmith run machines:PlannerReviewerExecutor --env demo --task hidden-flag" in out
        assert "$ submit FLAG{low-water-at-dawn} ⇒ Submitted.  [reward 1]" in out
        assert "1 episode, 1 solved (100.0 %)" in out
        assert "18 episodes, 18 solved (100.0 %)" in out

    def test_shows_questions_where_no_sandbox_works(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a sandbox it says in one line why and what to install, and shows what needs none."""
        assert demo_command(nothing) == 0
        out = capsys.readouterr().out
        assert "need a sandbox. No sandbox works here. bubblewrap: It is missing.…\n" in out
        assert "reviewer → planner (is_rejected), finished (is_plan_done), executor (otherwise)" in out
        assert "reviewer → planner (is_rejected) " in out
        assert "1 episode, 1 solved (100.0 %)" in out
        assert (
            "shell → solved (is_solved), ended (is_over), player (has_turns_left), out_of_turns (otherwise)" in out
        )
        assert "6 episodes, 6 solved (100.0 %)" in out
        assert "tinysmith run machines:TryAgain --env demo --task late-islanders" in out


class TestTeams:
    @needs_sandbox
    def test_solve_an_errand(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`--model scripted` has a team find the hidden flag, with exit code 0."""
        assert main([*TEAM, "--task", "hidden-flag"]) == 0
        out = capsys.readouterr().out
        assert "reviewer → planner (is_rejected)" in out
        assert "shell → memory → solved (is_solved)" in out

    def test_are_for_strategies_with_their_nodes(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A strategy that lacks a node of the team is given the task's own script."""
        assert main(["run", "machines:TryAgain", *TEAM[2:], "--task", "late-islanders"]) == 0
        assert "player → shell" in capsys.readouterr().out

    def test_speak_for_one_node(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The team's script may speak for a part of the team."""
        only = ["--model", "executor=scripted", "--model", "planner=scripted", "--model", "reviewer=scripted"]
        others = ["--model", "wrap_up=samples", "--task", "late-islanders"]
        assert main([*TEAM[:4], *only, *others]) == 0
        assert "✓ solved" in capsys.readouterr().out
