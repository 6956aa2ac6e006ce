"""`tinysmith resume`, as a user types it."""

import json
from pathlib import Path

import pytest
from journals_for_cli import BOATS, PIN, SAY, WALL, newest, objects, said, script, types

from tinysmith import Journal
from tinysmith.cli import main

BALLOT = f"{Path(__file__).parent / 'sketches.py'}:Ballot"


def kinds(file: str, run_id: str) -> list[str]:
    """The kinds of a run's rows."""
    with Journal(file, read_only=True) as journal:
        return [each.kind for each in journal.read(run_id).log]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A journal's path."""
    return str(tmp_path / "runs.db")


@pytest.fixture
def paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The arguments that resume a run that is paused before a call."""
    types(monkeypatch, "")
    run_id = said(tmp_path, "four", more=("--approve", "count"))
    capsys.readouterr()
    model = f"scripted:{tmp_path / 'script.json'}"
    return ["resume", str(tmp_path / "runs.db"), run_id, SAY, "--model", model]


class TestResume:
    def test_goes_on_where_the_run_was_left(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The environment is brought back, a task's script goes on, and the run ends as it would have."""
        types(monkeypatch, "")
        main(["run", *BOATS, "--task", "count-boats", "--journal", file, "--approve", "shell", "-q"])
        run_id = newest(file)
        capsys.readouterr()
        assert main(["resume", file, run_id[:8], *BOATS, "--approve-pending"]) == 0
        out = capsys.readouterr().out
        assert "● count-boats  How many boats" in out
        assert "shell → solved (is_solved)" in out
        assert out.count("SHOW TABLES") == 1
        assert f"✓ solved (solved, reward 1, oracle)  run {run_id}" in out
        steps = ["event", "event", "event"]
        assert kinds(file, run_id) == ["event", "paused", "resumed", "decided", *steps, "ended"]

    def test_a_run_that_is_over_is_only_told(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing is asked in a run that has ended, and the exit code is that of its end."""
        run_id = said(tmp_path, "four")
        capsys.readouterr()
        assert main(["resume", file, run_id, SAY, "--model", script(tmp_path, "four"), "-q"]) == 0
        assert capsys.readouterr().out == f"episode: ✓ solved (said)  run {run_id}\n"

    def test_a_reply_at_which_the_strategy_raised_is_not_asked_for_again(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A strategy that raises again gives exit code 3; one that is mended goes on with the same reply."""
        said(tmp_path, "bug")
        resume = ["resume", file, newest(file)]
        model = ["--model", f"scripted:{tmp_path / 'script.json'}"]
        assert main([*resume, SAY, *model]) == 3
        assert "KeyError: 'planted'" in capsys.readouterr().err
        assert main([*resume, SAY.replace("Say", "Mended"), *model, "--json"]) == 0
        steps = objects(capsys.readouterr().out)
        assert [step.get("node") for step in steps] == ["count", None]

    def test_limits_are_those_that_the_run_had(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Limits that are given replace the run's, one by one; the others stay as they were."""
        model = script(tmp_path, "bad", "bad", "four")
        main(["run", SAY, "--model", model, "--journal", file, "-q", "--max-errors", "0", "--max-calls", "7"])
        resume = ["resume", file, newest(file), SAY, "--model", model]
        assert main(resume) == 1
        assert "(max_errors)" in capsys.readouterr().out
        assert main([*resume, "--max-errors", "none", "--max-seconds", "60"]) == 0
        with Journal(file, read_only=True) as journal:
            limits = [each.data["limits"] for each in journal.read(newest(file)).log if each.kind == "resumed"][-1]
        assert (limits["max_errors"], limits["max_calls"]) == (None, {"int": 7})

    def test_an_environment_that_cannot_be_brought_back(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What may not be done again is refused, with exit code 3, unless the environment is left as it is."""
        types(monkeypatch, "")
        look = [f"{Path(__file__).parent / 'strategies_for_cli.py'}:PinTwice", "--env", WALL]
        model = ["--model", script(tmp_path, "a", "b")]
        main(["run", *look, *model, "--approve", "again", "--journal", file, "-q"])
        resume = ["resume", file, newest(file), *look, *model, "--approve-pending"]
        assert main(resume) == 3
        assert "cannot be brought back" in capsys.readouterr().err
        assert main([*resume, "--leave-environment"]) == 0


class TestDecisions:
    def test_without_a_decision_a_paused_run_stays_so(
        self, paused: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A paused run needs a decision; where a person is to be asked and nobody is there, it stays paused."""
        assert main(paused) == 2
        printed = capsys.readouterr()
        assert "is paused before count, and waits for a person. Add --approve-pending, --edit" in printed.err
        assert printed.out == ""
        types(monkeypatch, "")
        assert main([*paused, "--approve", "count"]) == 1
        assert "‖ not over (paused)" in capsys.readouterr().out
        assert kinds(paused[1], paused[2]) == ["event", "paused"]

    def test_a_person_is_asked_about_what_is_pending(
        self, paused: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """--approve asks about what the run waits for, once."""
        types(monkeypatch, "y\n")
        assert main([*paused, "--approve", "count"]) == 0
        assert kinds(paused[1], paused[2]) == ["event", "paused", "resumed", "decided", "event", "ended"]

    def test_edits_a_call(self, paused: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        """The arguments of a call are given as a JSON object."""
        assert main([*paused, "--edit", "text"]) == 2
        assert "--edit 'text' is no JSON object" in capsys.readouterr().err
        assert main([*paused, "--edit", json.dumps({"text": "seventeen letters"}), "--json"]) == 0
        assert objects(capsys.readouterr().out)[0]["result"] == "17"

    def test_edits_an_action(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of an action, the text is done instead."""
        types(monkeypatch, "")
        pin = [PIN, "--env", WALL, "--model", script(tmp_path, "a")]
        main(["run", *pin, "--approve", "board", "--journal", file])
        capsys.readouterr()
        assert main(["resume", file, newest(file), *pin, "--edit", "b", "--json"]) == 0
        assert objects(capsys.readouterr().out)[0]["observation"] == "pinned: b\x1b[2J"

    @pytest.mark.parametrize(("more", "reason"), [([], "A person refused this."), (["Not today."], "Not today.")])
    def test_refuses(
        self, paused: list[str], capsys: pytest.CaptureFixture[str], more: list[str], reason: str
    ) -> None:
        """A refusal is told to the strategy, with its reason."""
        assert main([*paused, "--json", "--refuse", *more]) == 1
        assert objects(capsys.readouterr().out)[0]["message"] == reason

    def test_a_decision_needs_a_paused_run(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where nothing is pending, a decision is misuse."""
        run_id = said(tmp_path, "bug")
        resume = ["resume", file, run_id, SAY.replace("Say", "Mended"), "--model", script(tmp_path, "bug")]
        for decision in (["--approve-pending"], ["--edit", "x"], ["--refuse"]):
            assert main([*resume, *decision]) == 2
            assert "is not paused, so there is nothing to decide" in capsys.readouterr().err

    def test_nobody_is_asked_about_a_part(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A decision is about all that is pending, so the seats of a panel are decided about together."""
        types(monkeypatch, "")
        model = ["--model", script(tmp_path, "aye", "nay")]
        main(["run", BALLOT, *model, "--approve", "vote", "--journal", file])
        resume = ["resume", file, newest(file), BALLOT, *model]
        assert main([*resume, "--approve", "vote"]) == 2
        assert "is paused before vote[0], vote[1]" in capsys.readouterr().err
        assert main([*resume, "--approve-pending"]) == 1
        assert "(done)" in capsys.readouterr().out
