"""`tinysmith explore`."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import tinysmith
from tinysmith.cli import main
from tinysmith.cli._explore import Progress

SKETCHES = Path(__file__).parent / "sketches.py"

FAULTY = """
from attrs import evolve, frozen
from tinysmith import Agent, Halt, Reply, Strategy

@frozen
class Pad:
    line: str = ""
    left: int = 1

def is_good(pad): return pad.line == "good"

class Writer(Agent[Pad]):
    samples = ("good", "fair\\x1b[2J")
    def prompt(self, pad, /): return "write"
    def parse(self, pad, reply, /): return evolve(pad, line=reply)

class Sticky(Writer):
    def parse(self, pad, reply, /): return pad if pad.line else evolve(pad, line=reply)

class Broken(Writer):
    def parse(self, pad, reply, /): return {}[reply]

class Narrow(Strategy[Pad]):
    writer, done = Writer(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good),)
    allow = {"no-otherwise": "that is what is looked for"}

class Stuck(Strategy[Pad]):
    writer, done = Sticky(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(writer))

class Raising(Strategy[Pad]):
    writer, done = Broken(), Halt()
    initial = writer
    edges = (writer.to(done),)
"""


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    """A file of strategies with a fault each."""
    path = tmp_path / "faulty.py"
    path.write_text(FAULTY)
    return str(path)


def explore(name: str, *options: str) -> int:
    """The exit code of `tinysmith explore` for a strategy of the sketches."""
    return main(["explore", f"{SKETCHES}:{name}", *options])


class TestReport:
    def test_it_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A sound strategy's report is printed, and the exit code is 0."""
        assert explore("Refine") == 0
        out = capsys.readouterr().out
        assert out.startswith("Refine: 6 positions to depth 3 (all there are over this alphabet)\n")
        assert "    accepted, after 2: writer → critic → accepted\n" in out
        assert "    not come by: critic → writer (has_left)\n" in out

    def test_answers_and_the_board_can_be_given(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`--set` makes the first board; what `--reply` and `--observation` say is all that answers a node."""
        given = ["--set", "left=2", "--reply", "writer=x", "--reply", "critic=y", "--reply", "critic=good"]
        assert explore("Refine", *given) == 0
        assert "critic → writer (has_left)" not in capsys.readouterr().out
        assert explore("Look", "--observation", "eye=good", "--reply", "writer=a=b") == 0
        assert "found, after 1: eye → found" in capsys.readouterr().out

    def test_bounds_are_kept(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Depth, positions and walks are what is said."""
        assert explore("Look", "--max-positions", "7", "--walks", "3", "--depth", "4") == 0
        assert capsys.readouterr().out.startswith(
            "Look: 7 positions to depth 4 (stopped at 7 positions, then 3 walks)"
        )

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("Narrow", r"deadlock at writer, after writer: Narrow.writer, step 1: none of its guards holds"),
            ("Stuck", r"live-lock: after (writer) ×2 no answer leads to a halt any more"),
            ("Raising", r"fault at writer, after writer: KeyError: 'good'"),
        ],
    )
    def test_faults_are_found(self, name: str, said: str, faulty: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A deadlock, a live-lock and an error are told, and the exit code is 1."""
        assert main(["explore", f"{faulty}:{name}"]) == 1
        assert said in capsys.readouterr().out

    def test_json_is_one_object(self, faulty: str, capsys: pytest.CaptureFixture[str]) -> None:
        """As JSON there is all of it; events are Python source that makes them again."""
        assert explore("Refine", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["complete"] is True
        assert found["worst_case"] == {"asks": 3, "steps": 0}
        assert found["missing"] == ["critic → writer (has_left)", "critic: has_left is True"]
        events = [eval(event, vars(tinysmith)) for event in found["outcomes"]["accepted"]["events"]]
        assert events == [tinysmith.Reply("good"), tinysmith.Reply("good")]
        assert found["cycle"] is None
        assert main(["explore", f"{faulty}:Stuck", "--json"]) == 1
        stuck = json.loads(capsys.readouterr().out)
        assert stuck["livelock"]["path"] == ["writer", "writer"]
        assert stuck["cycle"]["path"][-1] == "writer"
        assert stuck["worst_case"] is None
        assert main(["explore", f"{faulty}:Narrow", "--json"]) == 1
        (fault,) = json.loads(capsys.readouterr().out)["faults"]
        assert fault["kind"] == "deadlock"
        assert fault["events"] == [r"Reply('fair\x1b[2J')"]
        assert fault["path"] == ["writer"]
        assert main(["explore", f"{faulty}:Raising", "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["faults"][0]["kind"] == "fault"


class TestReach:
    def test_it_prints_the_conversation(self, faulty: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What is reached is printed step by step, escaped; in JSON as data."""
        assert explore("Refine", "--reach", "gave_up") == 0
        assert capsys.readouterr().out.splitlines() == [
            "Refine, from Pad(('Do it.', ''), left=1)",
            "    1 writer: 'good'  → critic",
            "    2 critic: 'fair'  → gave_up (otherwise)",
            "path: writer → critic → gave_up",
        ]
        assert explore("Refine", "--json", "--reach", "critic → accepted (is_good)") == 0
        assert json.loads(capsys.readouterr().out)["events"] == ["Reply('good')", "Reply('good')"]
        assert main(["explore", f"{faulty}:Stuck", "--reach", "writer → writer (otherwise)"]) == 0
        assert "\x1b" not in capsys.readouterr().out

    def test_what_is_not_found_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What no search came to is told with how far it went, and the exit code is 1."""
        assert explore("Refine", "--reach", "max_hops") == 1
        found = "max_hops was not found by a search of 6 positions"
        limits = "a search has no limits, so no max_hops"
        said = f"{found} (these are all there are over this alphabet; {limits}).\n"
        assert capsys.readouterr().out == said
        assert explore("Look", "--max-positions", "5", "--walks", "0", "--reach", "found") == 1
        assert "of 5 positions (stopped at 5 positions)." in capsys.readouterr().out
        assert explore("Refine", "--reach", "max_hops", "--json") == 1
        assert capsys.readouterr().out == "null\n"


class TestMisuse:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--reach", "acepted"], "Refine has no node and no outcome 'acepted'. Did you mean accepted"),
            (["--reply", "writer"], "--reply 'writer' is not of the form NODE=TEXT."),
            (["--observation", "=x"], "--observation '=x' is not of the form NODE=TEXT."),
            (
                ["--reply", "writr=x"],
                "--reply= names 'writr', which Refine does not have so. Did you mean w",
            ),
            (["--observation", "writer=x"], "--observation= names 'writer', which Refine does not have so."),
            (["--set", "lef=2"], "--set names 'lef', which is no field of Pad. Did you mean left"),
        ],
    )
    def test_is_one_clear_line(self, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Wrong names and forms are told in one line, with the exit code 2."""
        assert explore("Refine", *options) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1

    @pytest.mark.parametrize("options", [["--depth", "0"], ["--walks", "-1"], ["--max-positions", "many"]])
    def test_numbers_are_numbers(self, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        """Bounds are whole numbers that are large enough."""
        with pytest.raises(SystemExit) as ended:
            explore("Refine", *options)
        assert ended.value.code == 2
        assert f"argument {options[0]}: " in capsys.readouterr().err


class TestProgress:
    def test_a_long_search_says_how_far_it_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        """After a while the number of transitions is said, in one line that is taken away at the end."""
        progress = Progress()
        progress()
        progress.end()
        assert capsys.readouterr().err == ""
        progress.next = 0.0
        for _ in range(600):
            progress()
        assert capsys.readouterr().err == "\r256 transitions …"
        progress.end()
        assert capsys.readouterr().err.strip() == ""

    def test_on_a_terminal_a_short_one_is_silent(self) -> None:
        """What is done at once says nothing of its progress, on a terminal too."""
        ours, theirs = pty.openpty()
        command = [sys.executable, "-P", "-m", "tinysmith", "explore", f"{SKETCHES}:Refine", "--reach", "accepted"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
        os.write(theirs, b"end")
        assert os.read(ours, 100) == b"end"
        os.close(ours)
        os.close(theirs)
        assert done.stdout.endswith("path: writer → critic → accepted\n")
