"""`tinysmith fork`, as a user types it."""

from pathlib import Path

import pytest
from journals_for_cli import SAY, newest, said

from tinysmith import Journal
from tinysmith.cli import main


class TestFork:
    def test_prints_the_id_of_the_new_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A fork shares the steps up to the one that is named, and is gone on with by `resume`."""
        file = str(tmp_path / "runs.db")
        run_id = said(tmp_path, "bad", "four")
        capsys.readouterr()
        assert main(["fork", file, run_id[:8], SAY, "--step", "2"]) == 0
        forked = newest(file)
        assert capsys.readouterr().out == f"{forked}\n"
        assert main(["resume", file, forked, SAY, "--model", "scripted:" + str(tmp_path / "script.json")]) == 0
        with Journal(file, read_only=True) as journal:
            assert journal.diff(run_id, forked) is None

    @pytest.mark.parametrize("step", [0, 1, 2])
    def test_sets_fields_of_the_board_at_that_step(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], step: int
    ) -> None:
        """--set changes the board from there on, and the node asks anew; other fields stay as they were."""
        file = str(tmp_path / "runs.db")
        run_id = said(tmp_path, "bad", "four", more=("--set", "text=seed"))
        assert main(["fork", file, run_id, SAY, "--step", str(step), "--set", 'tags=["new"]']) == 0
        with Journal(file, read_only=True) as journal:
            *shared, last = journal.read(newest(file)).log
        assert len(shared) == step
        text = "four" if step == 2 else "seed"
        assert last.data["board"] == {"text": text, "rounds_left": 1, "tags": ["new"]}

    def test_what_cannot_be_forked_is_misuse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A step that is not there, the end, an unknown run and a value that does not fit make no run."""
        file = str(tmp_path / "runs.db")
        run_id = said(tmp_path, "four")
        fork = ["fork", file, run_id, SAY]
        for more, problem in (
            (["--step", "7"], "has 2 steps, so it cannot be forked at step 7"),
            (["--step=-1", "--set", "text=x"], "has 2 steps, so it cannot be forked at step -1"),
            (["--set", "text=x"], "is over at step 2"),
            (["--step", "1", "--set", "colour=x"], "no field of Note"),
        ):
            assert main([*fork, *more]) == 2
            assert problem in capsys.readouterr().err
        assert main(["fork", file, "nobody", SAY]) == 2
        assert "has no run 'nobody'" in capsys.readouterr().err
        assert newest(file) == run_id

    def test_a_board_that_refuses_a_value_is_misuse(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What the board's own validators refuse is told as what --set said."""
        file = str(tmp_path / "runs.db")
        run_id = said(tmp_path, "four")
        assert main(["fork", file, run_id, SAY, "--step", "1", "--set", "rounds_left=-1"]) == 2
        assert "--set: the board refuses these values: " in capsys.readouterr().err
