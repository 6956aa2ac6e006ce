"""`tinysmith replay`, as a user types it."""

from pathlib import Path

import pytest
from journaled import rows_of
from journals_for_cli import BOATS, FUSSY, HUSH, SAY, newest, objects, said, script

from tinysmith.cli import main


class TestReplay:
    def test_tells_that_runs_are_the_same(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Every run of the journal comes out the same with the strategy that made it: exit code 0."""
        first, second = said(tmp_path, "four"), said(tmp_path, "bad", "Five")
        capsys.readouterr()
        assert main(["replay", str(tmp_path / "runs.db"), "--against", SAY]) == 0
        assert capsys.readouterr().out == f"{first}  same\n{second}  same\n"

    def test_tells_which_would_be_illegal(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A run that the new strategy would not have made is told with the step: exit code 1."""
        small, large = said(tmp_path, "four"), said(tmp_path, "Five")
        file = str(tmp_path / "runs.db")
        capsys.readouterr()
        assert main(["replay", file, "--against", HUSH]) == 1
        same, other = capsys.readouterr().out.splitlines()
        assert same == f"{small}  same"
        assert other.startswith(f"{large}  diverged: run {large}, step 1: the strategy makes another board (text")
        assert main(["replay", file, small[:9], "--against", HUSH]) == 0
        assert capsys.readouterr().out == f"{small}  same\n"

    def test_tells_of_other_boards_and_faults(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A run of another board, one at which the strategy raises and a damaged one are told, not raised."""
        file = str(tmp_path / "runs.db")
        main(["run", *BOATS, "--task", "count-boats", "--journal", file, "-q"])
        other, good, broken = newest(file), said(tmp_path, "four"), said(tmp_path, "five")
        rows = rows_of(tmp_path / "runs.db")
        rows.execute("DELETE FROM log WHERE run = ? AND seq = 1", (int(broken, 16),))
        rows.close()
        capsys.readouterr()
        for strategy, verdict in ((SAY, "same"), (FUSSY, "raises")):
            assert main(["replay", file, "--against", strategy, "--json"]) == 1
            told = objects(capsys.readouterr().out)
            verdicts = [(each["run_id"], each["verdict"]) for each in told]
            assert verdicts == [(other, "another board"), (good, verdict), (broken, "damaged")]
            assert "its first board is none of this strategy" in told[0]["problem"]
            assert "row 1: this row is missing" in told[2]["problem"]
            assert told[1]["problem"].startswith("" if verdict == "same" else "KeyError: 'planted'")

    def test_an_unknown_run_is_misuse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A run that is not there exits with 2."""
        said(tmp_path, "four")
        assert main(["replay", str(tmp_path / "runs.db"), "nobody", "--against", SAY]) == 2
        assert "has no run 'nobody'" in capsys.readouterr().err

    def test_a_run_that_goes_on_can_be_replayed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A run that has not ended is legal as far as it came."""
        file = str(tmp_path / "runs.db")
        main(["run", SAY, "--model", script(tmp_path, "bug"), "--journal", file, "-q"])
        capsys.readouterr()
        assert main(["replay", file, "--against", SAY]) == 1
        assert "raises: KeyError: 'planted'" in capsys.readouterr().out
