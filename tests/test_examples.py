"""The examples run offline and with a model, and print something worth reading."""

import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from loopback import ok, serving

from tinysmith.cli._load import load_strategy
from tinysmith.testing import strategy_test

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parent.parent
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.py"))}
EVERY = pytest.mark.parametrize("name", EXAMPLES)
MUTE = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
"""The process's environment, without a key."""

TestHelpDesk = strategy_test(load_strategy(f"{EXAMPLES['memory_and_retrieval']}:HelpDesk"))
TestUnderWatch = strategy_test(load_strategy(f"{EXAMPLES['human_in_the_loop']}:UnderWatch"))

PLAN = json.dumps({"tasks": ["Count them and submit."]})
YES = json.dumps({"accepted": True})
CONVERSATIONS = {
    "coinflip": (["heads", "echo it's"] * 4, "syntax error: No closing quotation"),
    "human_in_the_loop": (["Command: SHOW TABLES", "Command: submit"], "ended as stopped, 28 tokens"),
    "memory_and_retrieval": (
        ["dogs", '{"text": "3.20"}', "boarding", '{"text": "I do not know."}', "They asked about dogs."],
        "ended as closed after 7 steps, 70 tokens",
    ),
    "planner_reviewer_executor": ([PLAN, YES, "Command: submit"], "openai/large"),
    "self_hosted": (["Command: submit"], "11 tokens read, 3 written, cost in US dollars: None"),
}
"""What a model says in each example, and what is then printed."""


@cache
def offline(name: str) -> tuple[str, list[str]]:
    """What an example prints in an empty folder, and which files it leaves there."""
    with TemporaryDirectory() as folder:
        return printed(name, folder=Path(folder)), [path.name for path in Path(folder).iterdir()]


def printed(name: str, *arguments: str, folder: Path, typed: str = "") -> str:
    """What an example prints, started as a user does, without a key."""
    command = [sys.executable, str(EXAMPLES[name]), *arguments]
    done = subprocess.run(command, cwd=folder, env=MUTE, input=typed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def at_terminal(name: str, *arguments: str, folder: Path, typed: str) -> str:
    """What an example prints to a person who sits at a terminal, and types."""
    pty = pytest.importorskip("pty", reason="there are no terminals to be had")
    person, terminal = pty.openpty()
    os.write(person, typed.encode())
    command = [sys.executable, str(EXAMPLES[name]), *arguments]
    try:
        return subprocess.run(
            command, cwd=folder, stdin=terminal, capture_output=True, text=True, check=True
        ).stdout
    finally:
        os.close(terminal)
        os.close(person)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs an example in this process, where LiteLLM need be imported but once, and returns what it prints."""

    def run(name: str, *arguments: str, typed: str = "") -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
        return capsys.readouterr().out

    return run


class TestEveryExample:
    @EVERY
    def test_runs_offline(self, name: str) -> None:
        """An example runs to its end without a key, in a folder that it leaves empty, and reports no error."""
        out, left = offline(name)
        assert len(out.splitlines()) >= 10
        assert "ended as" in out
        assert not left

    @EVERY
    def test_runs_with_a_model(self, name: str, play: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
        """With --model the same strategy asks a provider, under the name that was given."""
        replies, expected = CONVERSATIONS[name]
        with serving(*(ok(reply) for reply in replies)) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            monkeypatch.setenv("OPENAI_API_KEY", "key-1")
            out = play(name, "--model", "openai/large", typed="yes\n\nstop\n\n")
        assert expected in out
        assert {(seen.auth, seen.body["model"]) for seen in server.seen} == {("Bearer key-1", "large")}
        assert len(server.seen) == len(replies)

    @EVERY
    def test_a_model_that_fails_is_told(
        self, name: str, play: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the provider's key, an example prints how far it came and exits with what to do."""
        monkeypatch.delenv("GROQ_API_KEY", raising=False)
        with pytest.raises(SystemExit, match="Set the environment variable GROQ_API_KEY"):
            play(name, "--model", "groq/large")

    @EVERY
    def test_its_first_lines_say_how_to_start_it(
        self, name: str, play: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each command in its docstring starts this file with options that it has."""
        text = EXAMPLES[name].read_text(encoding="utf-8").split('"""')[1]
        with pytest.raises(SystemExit, match="0"):
            play(name, "--help")
        options = capsys.readouterr().out.split("options:")[1]
        assert f"python examples/{name}.py --model" in text
        assert set(re.findall(r"python examples/(\w+)\.py", text)) == {name}
        assert all(option in options for option in re.findall(r" (--[a-z-]+)", text))

    @EVERY
    def test_tox_shows_it(self, name: str) -> None:
        """`tox -e examples` runs it."""
        commands = (
            (ROOT / "tox.ini").read_text(encoding="utf-8").split("[testenv:examples]")[1].split("[testenv:")[0]
        )
        assert f"    python examples{{/}}{name}.py" in [
            command.partition(" --")[0] for command in commands.splitlines()
        ]


class TestCoinflip:
    def test_the_coin_is_flipped_until_the_shell_is_over(self) -> None:
        """The first lesson shows each hop, and ends when its environment does."""
        out, _ = offline("coinflip")
        assert " 2 poet    → shell              echo 'Heads up, says the coin'\n" in out
        assert " 3 shell   → flipper            Heads up, says the coin\n" in out
        assert "ended as environment_over after 11 steps" in out


class TestPlannerReviewerExecutor:
    def test_the_team_solves_its_task(self) -> None:
        """A rejected plan, a better one, two tasks, and the cost by model and by role."""
        out, _ = offline("planner_reviewer_executor")
        assert " 2 reviewer → planner (is_rejected)\n" in out
        assert " 9 executor → check_off (otherwise) → reviewer (has_rejects_left)\n" in out
        assert "ended as solved, solved\n" in out
        assert "the team knows: boats.home_port_id is a ports.port_id\n" in out
        tokens = {name: int(read) for name, read in re.findall(r"^  (\w[\w ]*?) +(\d+) read", out, re.MULTILINE)}
        assert list(tokens) == ["large", "small", "planner", "reviewer", "executor", "all together"]
        assert tokens["planner"] + tokens["reviewer"] == tokens["large"] > 0
        assert tokens["large"] + tokens["small"] == tokens["all together"]
        assert tokens["executor"] == tokens["small"] > 0
        ((read, written, cost),) = re.findall(r"^  large +(\d+) read +(\d+) written +\$(.*)$", out, re.MULTILINE)
        assert float(cost) == pytest.approx((int(read) + int(written)) * 1e-6)

    def test_the_small_model_does_the_work(
        self, play: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With --small-model, the executor asks it, and the others the large one."""
        with serving(ok(PLAN), ok(YES), ok("Command: submit")) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            monkeypatch.setenv("OPENAI_API_KEY", "key-1")
            play("planner_reviewer_executor", "--model", "openai/large", "--small-model", "openai/small")
        assert [seen.body["model"] for seen in server.seen] == ["large", "large", "small"]

    def test_a_small_model_alone_is_refused(
        self, play: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--small-model without --model says what is missing."""
        with pytest.raises(SystemExit, match="2"):
            play("planner_reviewer_executor", "--small-model", "openai/small")
        assert "--small-model needs --model beside it" in capsys.readouterr().err


class TestSelfHosted:
    def test_its_own_server_is_asked(self) -> None:
        """The real client asks the server in the file, whose tokens are counted and cost nothing."""
        out, _ = offline("self_hosted")
        assert re.search(
            r"^LLM\('hosted_vllm/own', base_url='http://127\.0\.0\.1:\d+/v1', timeout_s=300\)$", out, re.MULTILINE
        )
        assert out.count("(the server: POST /v1/chat/completions, model 'own')") == 3
        assert "ended as solved with [('Old Cormorant',)]\n" in out
        assert re.search(r"^[1-9]\d* tokens read, [1-9]\d* written", out, re.MULTILINE)
        assert "cost in US dollars: 0.0\n" in out

    def test_another_server_is_asked(self, play: Callable[..., str]) -> None:
        """With --base-url and --model, a server that runs already is asked, without a key, and costs nothing."""
        with serving(ok("Command: submit")) as server:
            out = play("self_hosted", "--base-url", server.base_url, "--model", "hosted_vllm/mine")
        assert [seen.body["model"] for seen in server.seen] == ["mine"]
        assert "11 tokens read, 3 written, cost in US dollars: 0.0\n" in out

    def test_a_server_without_a_model_is_refused(
        self, play: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--base-url without --model says what is missing."""
        with pytest.raises(SystemExit, match="2"):
            play("self_hosted", "--base-url", "http://localhost:1/v1")
        assert "--base-url needs --model beside it" in capsys.readouterr().err


class TestMemoryAndRetrieval:
    def test_the_clerk_looks_up_answers_and_remembers(self) -> None:
        """Passages are found, a source that was not shown is asked again, and what was said becomes a summary."""
        out, _ = offline("memory_and_retrieval")
        assert " 2 retriever → clerk\n     fares.md, animals.md\n" in out
        assert (
            ' 6 clerk ↺ asks again\n     {"text": "20 minutes before departure.", "sources": ["timetable.md"]}\n'
            in out
        )
        assert " 7 clerk → memory → summary (is_memory_long)\n" in out
        remembered = out.split("what it remembers:\n")[1]
        assert remembered.startswith("The traveller sails from Alderwick to Brimsey with a dog, for 10.70.\n")
        assert "Command: And when must we be there?\n" in remembered
        assert "What do I pay" not in remembered


class TestHumanInTheLoop:
    SHOWN = "Run this?  SELECT name FROM boats WHERE boat_id IN (SELECT boat_id FROM sailings)\n"

    def test_a_script_answers_where_nobody_can(self) -> None:
        """Without a terminal, a script refuses, approves and edits, and the output says that it is one."""
        out, _ = offline("human_in_the_loop")
        assert "(Nobody is asked: the person's answers come from a script.)\n" in out
        assert self.SHOWN in out
        assert "person → agent (has_steps_left): no: those are all boats." in out
        assert "ended as solved, 0 tokens" in out
        done = out.split("what was run, seen and refused:\n")[1]
        assert (
            "Command: SELECT name FROM boats\nOutput: (not run; a person refused it: those are all boats." in done
        )
        assert "WHERE boat_id NOT IN (SELECT boat_id FROM sailings)\nOutput: [('Old Cormorant',)]\n" in done
        assert "boat_id IN" not in done  # what was edited never ran

    def test_offline_asks_nobody_at_a_terminal(self, tmp_path: Path) -> None:
        """With --offline the script answers at a terminal, too."""
        out = at_terminal("human_in_the_loop", "--offline", folder=tmp_path, typed="stop\n\n")
        assert out == offline("human_in_the_loop")[0]

    def test_a_person_at_a_terminal_is_asked(self, tmp_path: Path) -> None:
        """At a terminal the person is asked, again where no answer is clear; only what was approved is run."""
        typed = "run: SHOW TABLES\n\nyes: slowly\n\nno\n\nstop\n\n"
        out = at_terminal("human_in_the_loop", folder=tmp_path, typed=typed)
        assert "Nobody is asked" not in out
        assert out.count("person ↺ asks again") == 2
        assert "That is no answer. Say `yes`, `no: why`, `run: another command` or `stop`." in out
        assert "ended as stopped" in out
        ran = out.split("what was run, seen and refused:\n")[1]
        assert ran == "Command: SHOW TABLES\nOutput: [('boats',), ('ports',), ('routes',), ('sailings',)]\n"
