"""`tinysmith run`, as a user types it."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ctrl_c import until_it_asks

import tinysmith.environments
from tinysmith.cli import main

HERE = Path(__file__).parent / "strategies_for_cli.py"
PIN, SAY, WALL = f"{HERE}:Pin", f"{HERE}:Say", f"{HERE}:Wall"
FERRY = ["--env", "intercode-sql", "--data", str(Path(tinysmith.environments.__file__).parent / "demo")]


def script(folder: Path, *replies: str) -> str:
    """A script file's model name."""
    path = folder / "script.json"
    path.write_text(json.dumps(replies))
    return f"scripted:{path}"


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of an output, one a line."""
    return [json.loads(line) for line in text.splitlines()]


class TestRun:
    def test_solves_a_bundled_task_by_its_script(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A bundled task is solved by its script, step by step, with exit code 0."""
        code = main(["run", "machines:TryAgain", "--env", "demo", "--task", "count-boats", "--model", "scripted"])
        out = capsys.readouterr().out
        assert code == 0
        assert "shell → solved (is_solved)" in out
        assert "$ SELECT COUNT(*) FROM boats ⇒ [(7,)]  [reward 1]" in out
        assert "oracle: the strategy was shown the reward" in out

    def test_runs_all_tasks(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With --all every task is run, and -q prints a line for each."""
        code = main(["run", "machines:TryAgain", *FERRY, "--all", "--model", "scripted", "-q"])
        out = capsys.readouterr().out
        assert code == 0
        assert "count-boats: ✓ solved (solved, reward 1, oracle)" in out
        assert "6 episodes, 6 solved (100.0 %)" in out

    def test_prints_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With --json every line is an object, and the last one sums up."""
        arguments = ["run", "machines:TryAgain", "--env", "demo", "--task", "count-boats", "--model", "scripted"]
        assert main([*arguments, "--json"]) == 0
        *steps, episode, summary = objects(capsys.readouterr().out)
        assert [step["node"] for step in steps] == ["player", "shell", "player", "shell"]
        assert steps[1]["hops"][0] == {
            "target": "player",
            "why": "has_turns_left",
            "tried": {"is_solved": False, "is_over": False, "has_turns_left": True},
        }
        assert (episode["outcome"], episode["solved"], episode["oracle"]) == ("solved", True, True)
        assert summary == {
            "event": "summary",
            "episodes": 1,
            "solved": 1,
            "mean_reward": 1.0,
            "tokens": 0,
            "cost_usd": 0.0,
            "oracle": True,
            "failed": 0,
            "not_run": 0,
        }

    def test_an_unsolved_task_exits_with_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A task that is not solved gives exit code 1; with --all it is enough that it was graded."""
        model = script(tmp_path, "SELECT 1", "submit")
        run = ["run", "machines:TryAgain", *FERRY, "--model", model]
        assert main([*run, "--task", "count-boats"]) == 1
        assert "✗ not solved (ended, reward 0, oracle)" in capsys.readouterr().out
        assert main([*run, "--all"]) == 0

    def test_compares_with_recorded_rewards(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Recorded rewards are compared turn by turn; a turn that was not played counts as different."""
        turns = {"task_id": "count-boats", "actions": ["SHOW TABLES", "SELECT COUNT(*) FROM boats", "SELECT 1"]}
        recording = tmp_path / "recording.jsonl"
        recording.write_text(json.dumps(turns | {"rewards": [0.5, 1.0, 0.25]}) + "\n")
        run = ["run", "machines:TryAgain", "--env", "demo", "--all", "--model", f"recorded:{recording}"]
        assert main([*run, "--json"]) == 0
        summary = objects(capsys.readouterr().out)[-1]
        assert (summary["episodes"], summary["turns"], summary["turns_agreeing"]) == (1, 3, 1)
        assert main([*run, "-q"]) == 0
        out = capsys.readouterr().out
        assert "1 of 3 recorded turns have the same reward (33.3 %)" in out
        assert "1 of 1 recorded episodes have the same verdict (100.0 %); recorded as solved: 1\n" in out

    @pytest.mark.parametrize(
        ("strategy", "rewards", "solved", "alike"),
        [
            ("TryAgain", [0.5, 1.0], 1, 1),
            ("TryAgain", [1.0, 0.0], 1, 1),  # its best turn counts
            ("TryAgain", [0.5, 0.995], 0, 0),
            ("SingleAgent", [0.0, 1.0], 1, 1),
            ("SingleAgent", [1.0, 0.5], 0, 0),  # its last turn counts
        ],
    )
    def test_compares_with_the_recorded_verdict(
        self,
        strategy: str,
        rewards: list[float],
        solved: int,
        alike: int,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """An episode was recorded as solved where the turn that counts for the strategy has the reward 1."""
        label = "Command: " if strategy == "SingleAgent" else ""
        actions = [label + action for action in ("SELECT COUNT(*) FROM boats", "submit")]
        turns = {"task_id": "count-boats", "actions": actions}
        recording = tmp_path / "recording.jsonl"
        recording.write_text(json.dumps(turns | {"rewards": rewards}) + "\n")
        run = ["run", f"machines:{strategy}", "--env", "demo", "--all", "--model", f"recorded:{recording}"]
        main([*run, "--json"])
        summary = objects(capsys.readouterr().out)[-1]
        assert (summary["solved"], summary["recorded"]) == (1, 1)
        assert (summary["recorded_solved"], summary["recorded_alike"]) == (solved, alike)

    def test_a_recording_that_runs_out_is_still_graded(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A recording that ends early ends the episode as recording_over, with its best grade."""
        recording = tmp_path / "recording.jsonl"
        recording.write_text(json.dumps({"task_id": "count-boats", "actions": ["SELECT 1"]}) + "\n")
        run = ["run", "machines:TryAgain", "--env", "demo", "--all", "--model", f"recorded:{recording}"]
        assert main(run) == 0
        assert "✗ not solved (recording_over, reward 0, oracle)" in capsys.readouterr().out

    def test_runs_a_user_environment_without_tasks(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A factory's environment without tasks is run once; control characters that it shows are escaped."""
        assert main(["run", PIN, "--env", WALL, "--model", "samples", "--seed", "3"]) == 0
        out = capsys.readouterr().out
        assert "pinned: a note\\x1b[2J" in out
        assert "\x1b" not in out

    def test_gives_the_factory_the_folder(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A factory that takes `data` is given the folder."""
        caplog.set_level("DEBUG", "tinysmith")
        brief = ["run", PIN, "--env", WALL, "--data", str(tmp_path), "--model", "samples"]
        assert main(brief) == 0

    def test_sets_fields_of_the_first_board(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """--set changes the first board: text as it is, other types as JSON."""
        run = ["run", PIN, "--env", WALL, "--model", "samples", "--json"]
        assert main([*run, "--set", "text=7", "--set", "rounds_left=2", "--set", 'tags=["a"]']) == 0
        assert objects(capsys.readouterr().out)[0]["reply"] == "a note"

    def test_binds_models_by_node(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """NODE=MODEL speaks for one agent, the other for the rest."""
        model = script(tmp_path, "by script")
        assert main(["run", PIN, "--env", WALL, "--model", f"writer={model}", "--model", "samples"]) == 0
        assert "by script" in capsys.readouterr().out

    def test_shows_asking_again_and_tools(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A reply that is asked again is marked, and a tool's result is shown."""
        model = script(tmp_path, "bad", "four")
        assert main(["run", SAY, "--env", WALL, "--model", model]) == 0
        out = capsys.readouterr().out
        assert "writer ↺ asks again" in out
        assert "count → said" in out
        assert main(["run", SAY, "--env", WALL, "--model", model, "--json"]) == 0
        assert objects(capsys.readouterr().out)[2]["result"] == "4"

    def test_ends_at_a_limit(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A limit given on the command line ends the run under its name."""
        model = script(tmp_path, "bad", "bad", "bad")
        assert main(["run", PIN, "--env", WALL, "--model", model, "--max-asks", "2"]) == 1
        assert "✗ not solved (max_asks)" in capsys.readouterr().out

    def test_plays_with_a_person(self) -> None:
        """A person at the terminal can be both the model and the environment."""
        typed = "my note\n\nI see it\n:end 1\n"
        command = [sys.executable, "-P", "-m", "tinysmith", "run", PIN, "--env", "stdin", "--model", "human"]
        done = subprocess.run(command, input=f"a wall\n\n{typed}", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "✓ solved (pinned" in done.stdout

    @pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
    def test_interrupted_run_exits_with_130(self) -> None:
        """Ctrl-C ends the command with one line and exit code 130."""
        command = [sys.executable, "-P", "-m", "tinysmith", "run", PIN, "--env", WALL, "--model", "human"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            until_it_asks(process, "end with an empty line> ")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
            assert process.stderr is not None
            assert b"tinysmith: interrupted" in process.stderr.read()


class TestBrokenMachinery:
    def test_an_environment_that_raises_exits_with_3(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An environment that raises ends the run as environment_lost, with its error and exit code 3."""
        assert main(["run", PIN, "--env", f"{HERE}:Broken", "--model", "samples"]) == 3
        out = capsys.readouterr().out
        assert "✗ not solved (environment_lost)" in out
        assert "Broken raised OSError: the wall fell down" in out
        assert "1 could not be run to the end, and is not in the mean" in out

    def test_the_failure_is_in_the_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The JSON lines carry the failure and the episode's error."""
        assert main(["run", PIN, "--env", f"{HERE}:Broken", "--model", "samples", "--json"]) == 3
        _, failed, episode, summary = objects(capsys.readouterr().out)
        assert failed["failed"] == "environment"
        assert episode["error"] == "Broken raised OSError: the wall fell down"
        assert (summary["failed"], summary["mean_reward"]) == (1, None)

    def test_an_environment_that_cannot_be_reset_exits_with_3(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An environment that cannot begin gives one line and exit code 3."""
        assert main(["run", PIN, "--env", f"{HERE}:Unready", "--model", "samples"]) == 3
        assert "✗ not solved (broken)\n  Unready raised OSError: no wall\n" in capsys.readouterr().out

    def test_a_strategy_s_own_fault_exits_with_3(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """An exception of the strategy gives one line that says where, and its traceback if asked for."""
        model = script(tmp_path, "bug")
        assert main(["run", PIN, "--env", WALL, "--model", model]) == 3
        assert "  KeyError: 'planted'. Raised in Pin.writer, step 1.\n" in capsys.readouterr().out
        assert main(["run", PIN, "--env", WALL, "--model", model, "--traceback"]) == 3
        assert 'raise KeyError("planted")' in capsys.readouterr().err

    def test_what_was_not_run_is_counted(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where no task after the first could be run either, the summary says how many were left."""
        monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
        command = ["run", "machines:TryAgain", *FERRY, "--all", "--model", "mistral/x"]
        assert main(command) == 3
        assert "1 episode, 0 solved (0.0 %)" in (out := capsys.readouterr().out)
        assert "5 of 6 were not run to the end" in out
        assert main([*command, "--json"]) == 3
        assert objects(capsys.readouterr().out)[-1]["not_run"] == 5

    def test_a_model_that_does_not_answer_exits_with_3(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A server that nobody runs gives the model's error and exit code 3."""
        model = ["--model", "hosted_vllm/none", "--base-url", "http://127.0.0.1:9/v1"]
        assert main(["run", SAY, "--env", WALL, *model, "--max-seconds", "30"]) == 3
        assert "✗ not solved (model_failed)" in capsys.readouterr().out


@pytest.mark.untraced
class TestTheRecordedEpisodes:
    def test_come_out_as_they_were(self, intercode_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """All 517 recorded GPT-4 episodes are played; at least 97 % of rewards agree, and 366 are solved."""
        recorded = intercode_data / "recorded" / "sql-gpt-4-try-again-even.jsonl"
        run = [
            "run",
            "machines:TryAgain",
            "--env",
            "intercode-sql",
            "--data",
            str(intercode_data / "sql"),
            "--all",
        ]
        assert main([*run, "--model", f"recorded:{recorded}", "--json"]) == 0
        summary = objects(capsys.readouterr().out)[-1]
        assert summary["episodes"] == 517
        assert summary["solved"] >= 366
        assert summary["recorded_solved"] == 389
        assert summary["recorded_alike"] >= 490
        assert summary["turns_agreeing"] / summary["turns"] >= 0.97
        assert summary["oracle"] is True
