"""The command line's entry."""

import subprocess
import sys
from pathlib import Path

import pytest

from tinysmith.cli import main

HERE = Path(__file__).parent / "strategies_for_cli.py"


class TestMain:
    def test_demo_solves_its_tasks(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The demo shows a team that solves a bundled task, an agent that solves all, and what to do next."""
        assert main(["demo"]) == 0
        out = capsys.readouterr().out
        assert "reviewer → planner (is_rejected), finished (is_plan_done), executor (otherwise)" in out
        assert "reviewer → planner (is_rejected) " in out
        assert "1 episode, 1 solved (100.0 %)" in out
        assert (
            "shell → solved (is_solved), ended (is_over), player (has_turns_left), out_of_turns (otherwise)" in out
        )
        assert "6 episodes, 6 solved (100.0 %)" in out
        assert "tinysmith run machines:TryAgain --env demo" in out

    def test_demo_runs_in_an_empty_folder(self, tmp_path: Path) -> None:
        """The demo needs no file of the folder that it is started in."""
        command = [sys.executable, "-P", "-m", "tinysmith", "demo"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_draw_prints_mermaid(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`draw` prints the strategy as Mermaid, guards on the arrows."""
        assert main(["draw", "machines:TryAgain"]) == 0
        assert 'shell_ -- "1. is_solved" --> solved_' in capsys.readouterr().out

    def test_version_and_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        """--version prints the version; no command at all prints the help, as misuse."""
        assert main(["--version"]) == 0
        assert capsys.readouterr().out.startswith("tinysmith 0.")
        assert main([]) == 2
        assert "Begin with `tinysmith demo`" in capsys.readouterr().out

    def test_unknown_arguments_exit_with_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Arguments that nobody knows exit with 2 and one line."""
        with pytest.raises(SystemExit, match="2"):
            main(["run", "--none"])
        assert "error: " in capsys.readouterr().err

    def test_a_reader_that_goes_away_is_no_traceback(self) -> None:
        """Output piped into a program that stops reading ends without a traceback."""
        command = f"{sys.executable} -P -m tinysmith demo | head -1"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr

    def test_help_and_draw_do_not_import_litellm(self) -> None:
        """What needs no model does not pay for LiteLLM's import."""
        code = (
            "import sys\nfrom tinysmith.cli import main\n"
            "main(['draw', 'machines:TryAgain']); main(['demo'])\n"
            "assert 'litellm' not in sys.modules and 'hypothesis' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
