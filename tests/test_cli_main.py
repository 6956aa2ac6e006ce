"""The command line's entry."""

import subprocess
import sys
from pathlib import Path

import pytest

from tinysmith.cli import main

HERE = Path(__file__).parent / "strategies_for_cli.py"


class TestMain:
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
        assert "there is no option --none." in capsys.readouterr().err

    def test_a_reader_that_goes_away_is_no_traceback(self) -> None:
        """Output piped into a program that stops reading ends without a traceback."""
        team = "machines:PlannerReviewerExecutor --env demo --task late-islanders --model scripted"
        command = f"{sys.executable} -P -m tinysmith run {team} | head -1"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr

    def test_help_and_draw_do_not_import_litellm(self) -> None:
        """What needs no model does not pay for LiteLLM's import."""
        code = (
            "import sys\nfrom tinysmith.cli import main\n"
            "main(['draw', 'machines:TryAgain'])\n"
            "assert 'litellm' not in sys.modules and 'hypothesis' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
