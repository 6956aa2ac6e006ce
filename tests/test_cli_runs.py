"""`tinysmith runs`, as a user types it."""

from pathlib import Path

import pytest
from journaled import rows_of
from journals_for_cli import BOATS, HUSH, newest, objects, said

from tinysmith import Journal
from tinysmith.cli import main


class TestRuns:
    def test_lists_the_runs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A line a run, the oldest first: id, strategy, outcome, rows, when it began, task and parent."""
        file = str(tmp_path / "runs.db")
        main(["run", *BOATS, "--task", "count-boats", "--journal", file, "-q"])
        boats, first = newest(file), said(tmp_path, "four")
        main(["fork", file, first, HUSH, "--step", "1"])
        capsys.readouterr()
        assert main(["runs", file]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:5] for line in lines] == [
            [boats, "TryAgain", "solved", "5", "rows"],
            [first, "Say", "said", "3", "rows"],
            [newest(file), "Hush", "unfinished", "2", "rows"],
        ]
        assert lines[0].endswith("  count-boats")
        assert lines[2].endswith(f"  forked from {first}")

    def test_prints_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """With --json every run is an object."""
        run_id = said(tmp_path, "four")
        capsys.readouterr()
        file = str(tmp_path / "runs.db")
        assert main(["runs", file, "--json"]) == 0
        (told,) = objects(capsys.readouterr().out)
        assert (told["run_id"], told["outcome"], told["rows"], told["parent"]) == (run_id, "said", 3, "")
        with Journal(file, read_only=True) as journal:
            assert told["touched_at"] == journal.runs()[0].touched_at.isoformat(timespec="milliseconds")

    def test_a_file_that_is_no_journal_is_misuse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A file that is missing or of another kind exits with 2, and is not made or touched."""
        missing, foreign = tmp_path / "missing.db", tmp_path / "foreign.txt"
        foreign.write_text("Not a database, but a text.")
        assert main(["runs", str(missing)]) == 2
        assert main(["runs", str(foreign)]) == 2
        printed = capsys.readouterr().err.splitlines()
        assert printed[0] == f"tinysmith: {missing}: there is no such journal. Check the path."
        assert "this is no journal" in printed[1]
        assert not missing.exists()
        assert foreign.read_text() == "Not a database, but a text."

    def test_a_damaged_journal_exits_with_3(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What is damaged inside is told, with exit code 3."""
        said(tmp_path, "four")
        file = tmp_path / "runs.db"
        rows = rows_of(file)
        rows.execute("UPDATE runs SET body = x'00'")
        rows.close()
        assert main(["runs", str(file)]) == 3
        assert "its header is damaged" in capsys.readouterr().err

    def test_a_server_that_is_not_there_is_misuse(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A server's address stands for a file; where nothing can be reached, that is told."""
        assert main(["runs", "postgresql://127.0.0.1:1/runs"]) == 2
        assert capsys.readouterr().err.startswith("tinysmith: ")
