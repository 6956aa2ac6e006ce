"""What `tinysmith run` does with episodes, boards, tasks and environments of one's own."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from loopback import serving

from tinysmith.cli import main

MINE = """
from attrs import field, frozen
from tinysmith import Agent, EnvironmentStep, Halt, Panel, Strategy, Task, World
from tinysmith.errors import EnvironmentLost

def positive(board, attribute, value):
    if value < 0:
        raise ValueError("left is below zero")

@frozen
class Board:
    question: str
    hint: str | None = None
    left: int = field(default=1, validator=positive)

class Writer(Agent[Board]):
    samples = ("yes",)
    def prompt(self, board, /): return f"{board.question} {board.hint}"
    def parse(self, board, reply, /): return board

class Jury(Panel[Board]):
    samples = ("yes",)
    def prompts(self, board, /): return [board.question] * 2
    def parse(self, board, replies, /): return board

class Desk(World[Board]):
    def action(self, board, /): return board.question
    def observe(self, board, seen, /): return board

class Alone(Strategy[Board]):
    writer, jury, said = Writer(), Jury(), Halt(success=True)
    initial = writer
    edges = (writer.to(jury), jury.to(said))

class Handled(Strategy[Board]):
    writer, desk, said, broke = Writer(), Desk(), Halt(success=True), Halt()
    initial = writer
    edges = (writer.to(desk), desk.to(said), desk.on_failure(broke))
    def brief(self, task, observation, /): return Board(task.query)

class Wants(Alone):
    def __init__(self, something): pass

class World_:
    tasks = {"a": Task("a", "first?"), "b": Task("b", "second?"), "c": Task("c", "third?")}
    async def reset(self, *, task=None, seed=None):
        self.task = task
        if task.id == "a":
            raise OSError("no display")
        return task.query, {}
    async def step(self, action):
        if self.task.id == "b":
            raise OSError("gone")
        return EnvironmentStep("seen", float("nan") if self.task.id == "c" else 1.0, True, False, {})
    async def close(self): pass

class Last(World_):
    tasks = (Task("d", "fourth?"),)

class Unclosed(World_):
    tasks = (Task("d", "fourth?"),)
    async def close(self): raise OSError("it will not close")

class Lost(Unclosed):
    async def close(self): raise EnvironmentLost("it is gone")

class Briefless(Handled):
    def brief(self, task, observation, /): return len(3)

class Strange(World_):
    tasks = ("d",)

class Nothing(World_):
    tasks = ()

class OneThing(World_):
    tasks = 3

class Sync:
    def reset(self): pass

def wants(something): pass
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A file with strategies and environments of one's own."""
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return str(path)


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of an output, one a line."""
    return [json.loads(line) for line in text.splitlines()]


class TestWithoutEnvironment:
    def test_a_strategy_that_needs_none_runs_with_none(
        self, mine: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A strategy without world nodes runs without --env; --set fills its board, optional fields too."""
        run = ["run", f"{mine}:Alone", "--model", "samples", "--set", "question=Why?", "--set", "hint=so"]
        assert main(run) == 0
        out = capsys.readouterr().out
        assert "2 jury … waits for the others" in out
        assert "✓ solved (said)" in out

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            (["--set", "hint=so"], "Alone has no brief(), and its board needs question. Add --set question=…."),
            (["--set", "question=a", "--set", "left=-1"], "the board refuses these values: left is below zero."),
            (["--set", "question=a", "--set", "left=[1]"], "--set left=[1]: the value does not fit int."),
            (["--task", "a"], "Without --env there are no tasks; leave out --task, --split and --all."),
        ],
    )
    def test_what_is_missing_is_told(
        self, more: list[str], said: str, mine: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A board that cannot be made is told with what would make it."""
        assert main(["run", f"{mine}:Alone", "--model", "samples", *more]) == 2
        assert said in capsys.readouterr().err

    def test_a_strategy_that_needs_one_says_so(self, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A strategy with a world node asks for --env; one with arguments cannot be made."""
        assert main(["run", f"{mine}:Handled", "--model", "samples"]) == 2
        assert "Handled.desk acts in an environment. Add --env" in capsys.readouterr().err
        assert main(["run", f"{mine}:Wants", "--model", "samples", "--set", "question=a"]) == 2
        assert "Wants cannot be made" in capsys.readouterr().err


class TestAll:
    def test_goes_on_after_a_broken_episode(self, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
        """An episode that breaks is told, the others are played, and the summary comes last."""
        run = ["run", f"{mine}:Handled", "--env", f"{mine}:World_", "--model", "samples", "--all", "--json"]
        assert main(run) == 3
        lines = objects(capsys.readouterr().out)
        ends = {line["task"]: (line["outcome"], line["error"]) for line in lines if line["event"] == "episode"}
        assert ends["a"] == ("broken", "World_ raised OSError: no display")
        assert ends["b"] == ("broke", None)
        assert ends["c"] == ("broke", None)
        assert lines[-1]["event"] == "summary"
        assert (lines[-1]["failed"], lines[-1]["solved"], lines[-1]["mean_reward"]) == (3, 0, None)

    def test_stops_where_the_next_would_fail_likewise(
        self, mine: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A key that is missing is told once, not for every task."""
        monkeypatch.delenv("GROQ_API_KEY", raising=False)
        run = ["run", "machines:TryAgain", "--env", "demo", "--all", "--model", "groq/llama-3.1-8b-instant", "-q"]
        assert main(run) == 3
        out = capsys.readouterr().out
        assert out.count("GROQ_API_KEY") == 1
        assert "1 episode, 0 solved" in out

    def test_a_recording_of_other_tasks_is_told(
        self, mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A recording that has none of the environment's tasks is misuse, not a success of no episodes."""
        recording = tmp_path / "other.jsonl"
        recording.write_text('{"task_id": "zzz", "actions": ["SELECT 1"]}\n')
        run = ["run", "machines:TryAgain", "--env", "demo", "--all", "--model", f"recorded:{recording}"]
        assert main(run) == 2
        assert "None of the recorded tasks is among the 18 of --env demo." in capsys.readouterr().err

    def test_a_broken_episode_of_a_recording_agrees_in_nothing(
        self, mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An episode that broke, and each of its turns, counts as unlike what was recorded."""
        recording = tmp_path / "a.jsonl"
        recording.write_text('{"task_id": "a", "actions": ["x", "y"], "rewards": [0, 0.5]}\n')
        run = ["run", f"{mine}:Handled", "--env", f"{mine}:World_", "--all", "--model", f"recorded:{recording}"]
        assert main([*run, "--json"]) == 3
        summary = objects(capsys.readouterr().out)[-1]
        assert (summary["turns"], summary["turns_agreeing"]) == (2, 0)
        assert (summary["recorded"], summary["recorded_alike"]) == (1, 0)

    @pytest.mark.parametrize(
        ("env", "said"), [("Unclosed", "OSError: it will not close."), ("Lost", "it is gone")]
    )
    def test_an_environment_that_cannot_be_closed_loses_no_summary(
        self, env: str, said: str, mine: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The summary comes before an environment that cannot be closed is told, with exit code 3."""
        run = ["run", f"{mine}:Handled", "--env", f"{mine}:{env}", "--model", "samples", "--all", "--traceback"]
        assert main(run) == 3
        out, err = capsys.readouterr()
        assert "1 episode, 1 solved" in out
        assert f"tinysmith: {said}\n" in err
        assert "Traceback" in err

    def test_a_fault_of_brief_breaks_the_episode(self, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A brief that raises is told as the episode's error."""
        run = ["run", f"{mine}:Briefless", "--env", f"{mine}:Last", "--model", "samples", "--all"]
        assert main(run) == 3
        assert "TypeError: object of type 'int' has no len()" in capsys.readouterr().out

    def test_tokens_are_told(self, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A real reply is told with its tokens, and with its price where it is known."""
        with serving() as server:
            model = ["--model", "hosted_vllm/own", "--base-url", server.base_url]
            assert main(["run", f"{mine}:Alone", "--set", "question=Why?", *model]) == 0
        out = capsys.readouterr().out
        assert "tokens, price unknown]" in out


class TestEnvironments:
    def test_a_sequence_of_tasks_will_do(self, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
        """The tasks of one's own environment may be a sequence or a mapping."""
        run = ["run", f"{mine}:Handled", "--env", f"{mine}:Last", "--model", "samples"]
        assert main([*run, "--task", "d"]) == 0
        assert main([*run, "--task", "e"]) == 2
        assert "There is no task 'e' among these 1. There is d." in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("Strange", "hold 'd'. Give a sequence of Task objects"),
            ("Nothing", "has no tasks. Give a sequence of Task objects"),
            ("OneThing", "hold 3. Give a sequence of Task objects"),
            ("Sync", "which is no environment: it has no `async def reset`."),
            ("wants", "It may take `data`, `assets`, `fidelity` and `backend`, and nothing else."),
        ],
    )
    def test_one_that_does_not_fit_is_told(
        self, name: str, said: str, mine: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An environment that does not fit is told before a run begins."""
        run = ["run", f"{mine}:Handled", "--env", f"{mine}:{name}", "--model", "samples", "--all"]
        assert main(run) == 2
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize("env", ["demo", "Last"])
    def test_data_that_nobody_takes_is_told(self, env: str, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
        """--data that the environment does not take is misuse."""
        named = env if env == "demo" else f"{mine}:{env}"
        assert main(["run", f"{mine}:Handled", "--env", named, "--data", ".", "--model", "samples", "--all"]) == 2
        assert "takes no data; leave out --data." in capsys.readouterr().err


class TestStreams:
    def test_a_stream_that_is_no_file(self) -> None:
        """Output may go to any text stream."""
        with redirect_stdout(StringIO()) as out:
            assert main(["draw", "machines:TryAgain"]) == 0
        assert out.getvalue().startswith("flowchart TD")

    def test_json_stays_json_beside_a_person(self) -> None:
        """What a person is shown goes to standard error, so that standard output is JSON lines."""
        command = [sys.executable, "-P", "-m", "tinysmith", "run", "machines:TryAgain", "--env", "demo", "--json"]
        done = subprocess.run(
            [*command, "--task", "count-boats", "--model", "human"],
            input="SHOW TABLES\n\nSELECT COUNT(*) FROM boats\n\n",
            capture_output=True,
            text=True,
            check=True,
        )
        assert objects(done.stdout)[-1]["solved"] == 1
        assert "Question: How many boats" in done.stderr

    def test_another_encoding_does_not_stop_it(self) -> None:
        """What a stream's encoding lacks is replaced."""
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        command = [sys.executable, "-P", "-m", "tinysmith", "run", "machines:TryAgain", "--env", "demo"]
        command += ["--task", "count-boats", "--model", "scripted"]
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
        assert b"shell ? solved (is_solved)" in done.stdout

    def test_a_limit_can_be_lifted(self, mine: str) -> None:
        """`none` lifts a limit."""
        run = ["run", f"{mine}:Alone", "--model", "samples", "--set", "question=Why?"]
        assert main([*run, "--max-asks", "none", "--max-cost-usd", "none"]) == 0
