"""`tinysmith gc`, as a user types it."""

from pathlib import Path

import pytest
from journals_for_cli import said

from tinysmith import Journal
from tinysmith.cli import main


class TestGc:
    def test_deletes_old_runs_and_gives_the_space_back(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The ids of what was deleted are told, and by how much the file is smaller."""
        file = tmp_path / "runs.db"
        runs = [said(tmp_path, "x" * 5 + str(number) * 40_000 + "y") for number in range(2)]
        size = file.stat().st_size
        capsys.readouterr()
        assert main(["gc", str(file), "--older-than", "0h"]) == 0
        *ids, last = capsys.readouterr().out.splitlines()
        assert ids == runs
        assert last == f"2 runs deleted, {size - file.stat().st_size:,} bytes given back"
        with Journal(file, read_only=True) as journal:
            assert journal.runs() == []

    @pytest.mark.parametrize("age", ["1h", "30d", "8w"])
    def test_young_runs_are_kept(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], age: str) -> None:
        """Ages are hours, days or weeks; what is younger stays."""
        said(tmp_path, "four")
        capsys.readouterr()
        assert main(["gc", str(tmp_path / "runs.db"), "--older-than", age]) == 0
        assert capsys.readouterr().out == "0 runs deleted, 0 bytes given back\n"

    def test_a_dry_run_deletes_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """With --dry-run the file stays as it is."""
        run_id = said(tmp_path, "four")
        file = tmp_path / "runs.db"
        before = file.read_bytes()
        capsys.readouterr()
        assert main(["gc", str(file), "--older-than", "0h", "--dry-run"]) == 0
        assert capsys.readouterr().out == f"{run_id}\n1 run would be deleted\n"
        assert file.read_bytes() == before

    @pytest.mark.parametrize("age", ["30", "d", "1m", "-1d", "100000d"])
    def test_what_is_no_age_is_misuse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], age: str) -> None:
        """An age is a number and a unit."""
        with pytest.raises(SystemExit, match="2"):
            main(["gc", str(tmp_path / "runs.db"), f"--older-than={age}"])
        assert f"'{age}' is no age; give a number of hours, days or weeks" in capsys.readouterr().err
