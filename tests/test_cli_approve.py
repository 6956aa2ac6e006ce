"""`--approve NODE`: a person decides at the terminal."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ctrl_c import until_it_asks
from journals_for_cli import PIN, SAY, WALL, newest, objects, script, types

from tinysmith import Journal
from tinysmith.cli import main


def say(folder: Path, *more: str) -> list[str]:
    return ["run", SAY, "--model", script(folder, "four", "five"), "--json", *more]


class TestApprove:
    def test_shows_the_action_and_carries_it_out(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An action is shown, escaped, and carried out when the person says yes; other answers are asked again."""
        types(monkeypatch, "perhaps\nYES\n")
        model = script(tmp_path, "a\x1b[2J")
        assert main(["run", PIN, "--env", WALL, "--model", model, "--approve", "board"]) == 0
        printed = capsys.readouterr()
        assert "[board] wants to do:\na\\x1b[2J\n[y]es, [e]dit, [n]o: [y]es" in printed.err
        assert "wants to do" not in printed.out

    def test_a_refusal_is_told_to_the_strategy(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A no is not carried out: a world node sees the reason, and a tool fails."""
        types(monkeypatch, "n\n")
        pin = ["run", PIN, "--env", WALL, "--model", script(tmp_path, "a"), "--approve", "board", "--json"]
        assert main(pin) == 0
        assert objects(capsys.readouterr().out)[1]["observation"] == "A person refused this."
        types(monkeypatch, "no\n")
        assert main(say(tmp_path, "--approve", "count")) == 1
        assert objects(capsys.readouterr().out)[1]["failed"] == "refused"

    def test_edits_an_action(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the person types instead, line after line until an empty one, is done."""
        types(monkeypatch, "e\nfirst\nsecond\n\n")
        pin = ["run", PIN, "--env", WALL, "--model", script(tmp_path, "a"), "--approve", "board", "--json"]
        assert main(pin) == 0
        assert objects(capsys.readouterr().out)[1]["observation"] == "pinned: first\nsecond\x1b[2J"

    def test_edits_a_prompt(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a question the prompt is shown and can be edited; an edit without a text changes nothing."""
        types(monkeypatch, "edit\n\ne\nHow are you?\n\n")
        assert main(say(tmp_path, "--approve", "writer")) == 0
        assert "[writer] wants to ask:\nuser: Write a note, '' ()." in capsys.readouterr().err

    def test_edits_arguments(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The arguments of a call are edited as a JSON object; what is none is asked again."""
        types(monkeypatch, 'e\ntext\n\ne\n[1]\n\ne\n{"text": "seventeen letters"}\n\n')
        assert main(say(tmp_path, "--approve", "count")) == 0
        printed = capsys.readouterr()
        assert 'to call, with:\n{"text": "four"}' in printed.err
        assert printed.err.count("These are no arguments; give one JSON object.") == 2
        assert objects(printed.out)[1]["result"] == "17"

    def test_asks_only_about_those_nodes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody is asked about a node that is not named, and a name of no node is misuse."""
        types(monkeypatch, "y\n")
        assert main(say(tmp_path, "--approve", "count")) == 0
        assert "[writer]" not in capsys.readouterr().err
        assert main(say(tmp_path, "--approve", "cuont")) == 2
        assert "names 'cuont', which is no node" in capsys.readouterr().err

    def test_the_end_of_the_input_refuses_or_pauses(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nobody is there, the request is refused; a run that a journal keeps is paused instead."""
        types(monkeypatch, "")
        assert main(say(tmp_path, "--approve", "count")) == 1
        assert objects(capsys.readouterr().out)[1]["message"] == "Nobody was there to approve this."
        file = str(tmp_path / "runs.db")
        types(monkeypatch, "")
        assert main(say(tmp_path, "--approve", "count", "--journal", file)) == 1
        episode = objects(capsys.readouterr().out)[-2]
        assert (episode["outcome"], episode["solved"], episode["run_id"]) == ("paused", False, newest(file))

    def test_a_paused_episode_says_so(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A paused run is not over, and has no grade, so that --all does not count it as one that has."""
        types(monkeypatch, "y\n")
        boats = ["run", "machines:TryAgain", "--env", "demo", "--model", "scripted", "--approve", "shell"]
        assert main([*boats, "--task", "count-boats", "--journal", str(tmp_path / "runs.db")]) == 1
        out = capsys.readouterr().out
        assert f"‖ not over (paused)  run {newest(str(tmp_path / 'runs.db'))}" in out
        assert "mean reward" not in out

    @pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
    def test_ctrl_c_ends_the_waiting(self, tmp_path: Path) -> None:
        """Ctrl-C at the question ends the command at once, and the run can be resumed."""
        file = str(tmp_path / "runs.db")
        command = [
            sys.executable,
            "-P",
            "-m",
            "tinysmith",
            *say(tmp_path, "--approve", "count", "--journal", file),
        ]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            until_it_asks(process, "[n]o: ")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        with Journal(file, read_only=True) as journal:
            assert [run.outcome for run in journal.runs()] == ["interrupted"]


class TestJournaling:
    def test_the_run_is_kept_and_its_id_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """--journal keeps every run, and its id is at the end of the episode."""
        file = str(tmp_path / "runs.db")
        assert main(["run", SAY, "--model", script(tmp_path, "four"), "--journal", file]) == 0
        assert f"✓ solved (said)  run {newest(file)}" in capsys.readouterr().out

    def test_a_file_that_is_no_journal_is_misuse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A foreign file is not touched, and nothing is asked."""
        script_file = script(tmp_path, "four").removeprefix("scripted:")
        assert main(say(tmp_path, "--journal", script_file)) == 2
        assert "this is no journal" in capsys.readouterr().err
        assert Path(script_file).read_text() == '["four", "five"]'

    def test_a_journal_that_cannot_be_written_ends_all(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where the journal fails while a run is under way, that is told, with exit code 3."""
        file = str(tmp_path / "runs.db")
        vandalise = ["run", SAY.replace("Say", "Vandalise"), "--model", script(tmp_path, file), "--journal", file]
        assert main(vandalise) == 3
        assert f"tinysmith: {file}, run " in capsys.readouterr().err
