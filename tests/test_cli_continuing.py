"""`tinysmith run --continue`, as a user types it."""

import json
from pathlib import Path

import pytest
from journals_for_cli import PIN, WALL, objects, script
from sandboxes import needs_sandbox

import tinysmith.environments
from tinysmith import Journal
from tinysmith.cli import main

FERRY = str(Path(tinysmith.environments.__file__).parent / "demo")
COUNT = "SELECT COUNT(*) FROM boats"


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The easy questions, with a script that answers the first one."""
    data = ["--env", "intercode-sql", "--data", FERRY, "--split", "easy"]
    return ["run", "machines:TryAgain", *data, "--journal", str(tmp_path / "runs.db"), "-q"]


def outcomes(folder: Path) -> list[tuple[str, str]]:
    """The task and the outcome of each run of the folder's journal."""
    with Journal(folder / "runs.db", read_only=True) as journal:
        return [(run.task, run.outcome) for run in journal.runs()]


class TestContinue:
    def test_runs_nothing_that_has_ended(
        self, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where every task has a run that ended, the same is told again, and nobody is asked."""
        command += ["--model", script(tmp_path, COUNT, "submit")]
        assert main(command) == 0
        told = capsys.readouterr().out
        assert main([*command, "--continue"]) == 0
        assert capsys.readouterr().out == told
        assert len(outcomes(tmp_path)) == 2
        assert main([*command, "--continue", "--json"]) == 0
        assert [each["event"] for each in objects(capsys.readouterr().out)] == ["episode", "episode", "summary"]

    def test_begins_anew_what_machinery_broke(
        self, tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that its model failed is made once more."""
        monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
        for _ in range(2):
            assert main([*command, "--continue", "--model", "mistral/x"]) == 3
        assert outcomes(tmp_path) == [("count-boats", "model_failed")] * 2

    def test_sums_up_old_and_new(
        self, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Tasks that have no run yet are run, and are summed up with those that had one."""
        command += ["--model", script(tmp_path, COUNT, "submit")]
        alone = ["--task", "count-boats"]
        assert main([*(each for each in command if each not in {"--split", "easy"}), *alone]) == 0
        capsys.readouterr()
        assert main([*command, "--continue"]) == 0
        assert "2 episodes, 1 solved (50.0 %)" in capsys.readouterr().out
        assert outcomes(tmp_path) == [("count-boats", "solved"), ("largest-boats", "ended")]

    def test_begins_anew_what_was_interrupted(self, tmp_path: Path) -> None:
        """A run that an exception ended is made once more, also where there are no tasks."""
        command = ["run", PIN, "--env", WALL, "--journal", str(tmp_path / "runs.db"), "--continue", "--model"]
        assert main([*command, script(tmp_path, "bug")]) == 3
        for _ in range(2):
            main([*command, script(tmp_path, "a note", "a note", "a note", "a note")])
        assert [outcome == "interrupted" for _, outcome in outcomes(tmp_path)] == [True, False]

    @pytest.mark.parametrize("more", ["--set turns_left=2", "--max-asks 9", "--seed 1", "--model player=samples"])
    def test_takes_only_what_was_made_alike(self, more: str, tmp_path: Path, command: list[str]) -> None:
        """A run with another first board, limit, seed or model is not taken for one that is to be made."""
        command += ["--model", script(tmp_path, COUNT, "submit")]
        main(command)
        for _ in range(2):
            main([*command, *more.split(), "--continue"])
            main([*command, "--continue"])
        assert len(outcomes(tmp_path)) == 4

    def test_takes_nothing_of_another_recording(self, tmp_path: Path, command: list[str]) -> None:
        """A recording is told from another one by the name of its file, and a run of a journal by its id."""
        for name in ("a", "b"):
            turns = {"task_id": "count-boats", "actions": [COUNT, "submit"]}
            (tmp_path / f"{name}.jsonl").write_text(json.dumps(turns), encoding="utf-8")
            main([*command, "--continue", "--model", f"recorded:{tmp_path / name}.jsonl"])
        with Journal(tmp_path / "runs.db", read_only=True) as journal:
            runs = [journal.read(run.run_id) for run in journal.runs()]
        for of_run in (runs[0].run_id, runs[0].run_id, runs[1].run_id):
            main([*command, "--continue", "--model", f"recorded:{tmp_path / 'runs.db'}#{of_run}"])
        with Journal(tmp_path / "runs.db", read_only=True) as journal:
            models = [journal.read(run.run_id).header.models["player"] for run in journal.runs()]
        assert models == [f"recorded:{each}" for each in ("a.jsonl", "b.jsonl", *(run.run_id for run in runs))]

    @needs_sandbox
    def test_takes_nothing_of_another_fidelity(self, tmp_path: Path) -> None:
        """A run in InterCode's fidelity is not taken for a strict one, and the journal says which is which."""
        for name, rows in {"one.json": [{"query": "Where?", "gold": "pwd"}], "one.tree.json": []}.items():
            (tmp_path / name).write_text(json.dumps(rows), encoding="utf-8")
        command = ["run", "machines:TryAgain", "--env", "intercode-bash", "--data", str(tmp_path), "--all", "-q"]
        command += ["--journal", str(tmp_path / "runs.db"), "--model", script(tmp_path, "pwd", "submit")]
        for fidelity in ("intercode", "strict", "strict", "intercode"):
            main([*command, "--fidelity", fidelity, "--continue"])
        with Journal(tmp_path / "runs.db", read_only=True) as journal:
            ran = [journal.read(run.run_id).header.environment for run in journal.runs()]
        assert ran == ["BashEnvironment (intercode)", "BashEnvironment (strict)"]

    def test_needs_a_journal(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a journal there is nothing to go on with, which is misuse."""
        assert main(["run", PIN, "--env", WALL, "--model", "samples", "--continue"]) == 2
        assert "--continue goes on with the runs of a journal. Add --journal FILE." in capsys.readouterr().err
