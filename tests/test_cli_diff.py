"""`tinysmith diff`, as a user types it."""

from pathlib import Path

import pytest

from tinysmith.cli import main

SKETCHES = Path(__file__).parent / "sketches.py"
ROUND, RESCUE = f"{SKETCHES}:Round", f"{SKETCHES}:Rescue"


class TestDiff:
    def test_no_difference(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Strategies that do not differ give exit code 0, and it is said so."""
        assert main(["diff", ROUND, ROUND]) == 0
        assert capsys.readouterr().out == "no difference\n"

    def test_a_difference(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Strategies that differ give exit code 1, and the differences are printed under the names as typed."""
        assert main(["diff", ROUND, RESCUE]) == 1
        assert capsys.readouterr().out.splitlines()[:4] == [
            f"--- {ROUND}",
            f"+++ {RESCUE}",
            "+ halt rescued (Halt)",
            "+ edge writer → count on failure",
        ]

    def test_a_picture(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A picture is printed in the format that is asked for, or written to a file in that of its suffix."""
        assert main(["diff", ROUND, RESCUE, "-f", "mermaid"]) == 1
        assert "flowchart TD" in capsys.readouterr().out
        for name, beginning in (("x.svg", b"<svg"), ("x.png", b"\x89PNG"), ("x.txt", b"--- ")):
            assert main(["diff", ROUND, RESCUE, "-o", str(tmp_path / name)]) == 1
            assert (tmp_path / name).read_bytes().startswith(beginning)
        assert capsys.readouterr().out == ""

    def test_misuse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What is no strategy, no format or no place to write to gives exit code 2 and one sentence."""
        assert main(["diff", ROUND, f"{SKETCHES}:Rund"]) == 2
        assert "Did you mean Round" in capsys.readouterr().err
        assert main(["diff", ROUND, RESCUE, "-f", "gif"]) == 2
        assert main(["diff", ROUND, RESCUE, "-o", str(tmp_path / "x.gif")]) == 2
        assert main(["diff", ROUND, RESCUE, "-o", str(tmp_path / "no" / "x.txt")]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 3
        assert list(tmp_path.iterdir()) == []
