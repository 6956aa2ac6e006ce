"""`tinysmith check`: what it loads, what it prints, and how it ends."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinysmith.cli import main
from tinysmith.cli._load import load_strategies
from tinysmith.errors import UsageError

HERE = Path(__file__).parent
ROOT = HERE.parent

SOUND = """
from attrs import evolve, frozen
from tinysmith import Agent, Halt, Strategy

@frozen
class Draft:
    text: str = ""

class Writer(Agent[Draft]):
    samples = ("good", "fair")
    def prompt(self, draft, /):
        return "Write."
    def parse(self, draft, reply, /):
        return evolve(draft, text=reply)

def is_good(draft):
    return draft.text == "good"

class Sound(Strategy[Draft]):
    writer, done, gave_up = Writer(), Halt(success=True), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(gave_up))
"""
STUCK = """
class Stuck(Strategy[Draft]):
    writer, done = Writer(), Halt(success=True)
    initial = writer
    edges = (writer.to(done, when=is_good),)
    allow = {"no-otherwise": "it is always good"}
"""
DEEP = """
from attrs import evolve, frozen
from tinysmith import Agent, Halt, Strategy

@frozen
class Count:
    left: int = 100

class Counter(Agent[Count]):
    samples = ("one",)
    def prompt(self, count, /):
        return f"{count.left} are left."
    def parse(self, count, reply, /):
        return evolve(count, left=count.left - 1)

def is_spent(count):
    return count.left <= 0

class Deep(Strategy[Count]):
    counter, done = Counter(), Halt()
    initial = counter
    edges = (counter.to(done, when=is_spent), counter.to(counter))
"""
REFUSED = """
class Refused(Strategy[Draft]):
    writer = Writer()
    initial = writer
"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A file with a sound strategy."""
    path = tmp_path / "sound.py"
    path.write_text(SOUND, encoding="utf-8")
    return path


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """A file with a sound strategy and one that gets stuck."""
    path = tmp_path / "stuck.py"
    path.write_text(SOUND + STUCK, encoding="utf-8")
    return path


@pytest.fixture
def refused(tmp_path: Path) -> Path:
    """A file with a class that is refused when it is created."""
    path = tmp_path / "refused.py"
    path.write_text(SOUND + REFUSED, encoding="utf-8")
    return path


class TestWhatIsLoaded:
    def test_every_strategy_of_a_file(self, stuck: Path) -> None:
        """A file without a class names all that is defined there, and only that."""
        assert [each.__name__ for each in load_strategies(str(stuck))] == ["Sound", "Stuck"]

    def test_every_strategy_of_a_module_or_package(self) -> None:
        """So does a module; a package names what its own modules define."""
        assert [each.__name__ for each in load_strategies("machines.open_book")] == ["OpenBook"]
        assert len(load_strategies("machines")) == 6

    def test_one_class(self) -> None:
        """With a class, that one."""
        assert [each.__name__ for each in load_strategies("machines:TryAgain")] == ["TryAgain"]

    def test_a_file_that_can_define_none_is_not_run(self, tmp_path: Path) -> None:
        """A script without a class that derives from another is never run, since that could do anything."""
        script = tmp_path / "script.py"
        script.write_text("class Plain:\n    pass\n\nopen('was_run', 'w').close()\n", encoding="utf-8")
        assert load_strategies(str(script)) == ()
        assert not (tmp_path / "was_run").exists()

    def test_a_file_that_is_no_python_is_refused(self, tmp_path: Path) -> None:
        """What cannot be read is told as for any other command."""
        broken = tmp_path / "broken.py"
        broken.write_text("class (:\n", encoding="utf-8")
        with pytest.raises(UsageError, match="cannot be loaded: SyntaxError"):
            load_strategies(str(broken))
        with pytest.raises(UsageError, match="There is no file"):
            load_strategies(str(tmp_path / "nowhere.py"))


class TestWhatIsPrinted:
    def test_a_sound_strategy(self, sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing is said of it, and the exit code is 0."""
        assert main(["check", str(sound)]) == 0
        assert capsys.readouterr().out == "1 strategy checked: nothing found.\n"

    def test_a_strategy_that_gets_stuck(self, stuck: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """An error is told with its line and its run, and the exit code is 1."""
        assert main(["check", str(stuck)]) == 1
        out = capsys.readouterr().out
        assert "  error [no-guard-holds] (" in out
        assert "    Stuck.writer: none of its guards holds (tried is_good)." in out
        assert "          1 writer: 'fair'\n" in out
        assert out.endswith("2 strategies checked: 1 error.\n")
        assert "\x1b" not in out

    def test_a_class_that_is_refused(self, refused: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """It is an error of the report, at its line, and the other files are checked all the same."""
        assert main(["check", str(refused), "machines:CoinflipPoet"]) == 1
        out = capsys.readouterr().out
        line = (SOUND + REFUSED).splitlines().index("class Refused(Strategy[Draft]):") + 1
        assert f"  error [no-edges] ({refused}:{line})" in out
        assert "2 strategies checked: 2 errors," in out

    def test_a_file_without_strategies(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One line says so, and it is no failure, since hooks pass all files."""
        script = tmp_path / "script.py"
        script.write_text("print('hello')\n", encoding="utf-8")
        assert main(["check", str(script)]) == 0
        captured = capsys.readouterr()
        assert captured.err == f"tinysmith: {script} defines no strategy\n"
        assert captured.out == "0 strategies checked: nothing found.\n"

    def test_what_is_named_twice_is_checked_once(self, sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A strategy that two arguments name is checked once."""
        assert main(["check", str(sound), f"{sound}:Sound"]) == 0
        assert capsys.readouterr().out.startswith("1 strategy checked")

    def test_json_and_sarif(self, stuck: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Both are printed, or written to a file that is there whole."""
        assert main(["check", str(stuck), "--format", "json"]) == 1
        assert json.loads(capsys.readouterr().out)["strategies"] == ["Sound", "Stuck"]
        log = tmp_path / "log.sarif"
        assert main(["check", str(stuck), "-f", "sarif", "-o", str(log)]) == 1
        assert capsys.readouterr().out == ""
        (result,) = json.loads(log.read_text(encoding="utf-8"))["runs"][0]["results"]
        assert result["ruleId"] == "no-guard-holds"
        assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"stuck.py", "log.sarif"}

    def test_it_has_colour_on_a_terminal_only(self, stuck: Path) -> None:
        """On a terminal levels are coloured, unless NO_COLOR is set."""
        command = [sys.executable, "-m", "tinysmith", "check", str(stuck)]
        assert "\x1b[31merror\x1b[0m [no-guard-holds]" in on_terminal(command, {})
        assert "error [no-guard-holds]" in on_terminal(command, {"NO_COLOR": "1"})


def on_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(command, stdout=theirs, env=os.environ | environment) as process:
            os.close(theirs)
            printed = b""
            try:
                while chunk := os.read(ours, 65_536):
                    printed += chunk
            except OSError:  # the terminal was closed by the one who had it
                pass
            assert process.wait() == 1
    finally:
        os.close(ours)
    return printed.decode()


class TestHowItEnds:
    @pytest.mark.untraced
    @pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 0), ("information", 1), ("never", 0)])
    def test_on_information(self, fail_on: str, code: int) -> None:
        """What is only for information fails where that is wanted."""
        assert main(["check", "machines:CoinflipPoet", "--fail-on", fail_on]) == code

    def test_never(self, stuck: Path) -> None:
        """Errors are told, and the exit code is 0, where a report is all that is wanted."""
        assert main(["check", str(stuck), "--fail-on", "never"]) == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["machines:TryAgian"], "machines has no strategy 'TryAgian'. Did you mean TryAgain?"),
            (["nowhere.at_all"], "There is no module 'nowhere.at_all' for the strategy."),
            (["machines:CoinflipPoet", "-o", "/nowhere/at/all"], "it cannot be written"),
        ],
        ids=["class", "module", "output"],
    )
    def test_misuse(self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Misuse is one line, and the exit code is 2."""
        assert main(["check", *arguments]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1

    def test_a_strategy_that_cannot_be_made_is_misuse(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One that wants arguments is told in one sentence."""
        path = tmp_path / "wanting.py"
        wanting = "\nclass Wanting(Sound):\n    def __init__(self, size):\n        self.size = size\n"
        path.write_text(SOUND + wanting, encoding="utf-8")
        assert main(["check", f"{path}:Wanting"]) == 2
        error = capsys.readouterr().err
        assert "Wanting cannot be made: " in error
        assert error.endswith("Put what varies on the board.\n")

    def test_an_unknown_format_is_misuse(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The formats are told where another is wanted."""
        with pytest.raises(SystemExit) as ended:
            main(["check", "machines:TryAgain", "--format", "xml"])
        assert ended.value.code == 2
        assert "There is json, sarif, text." in capsys.readouterr().err


class TestHowFar:
    @pytest.mark.untraced
    def test_a_deep_counter_is_searched_to_its_end(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What a bound hides is told with that bound, and the option that moves it finds it."""
        path = tmp_path / "deep.py"
        path.write_text(DEEP, encoding="utf-8")
        assert main(["check", str(path), "--fail-on", "never"]) == 0
        assert "search deeper than depth 60: by depth=, on the command line --depth." in capsys.readouterr().out
        assert main(["check", str(path), "--depth", "200", "--fail-on", "warning"]) == 0
        assert "depth 60" not in capsys.readouterr().out
        assert main(["check", str(path), "--max-positions", "7", "--walks", "0", "--fail-on", "never"]) == 0
        out = capsys.readouterr().out
        assert "Searched: 7 positions, to depth " in out
        assert "go further than 7 positions: by max_positions= or walks=, " in out


class TestHook:
    def test_it_runs_a_command_that_is_there(self, stuck: Path) -> None:
        """The pre-commit hook's entry, given files, is the command that fails on errors."""
        hook = dict(re.findall(r"^[- ] (\w+): (.+)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE))
        assert (hook["id"], hook["language"], hook["types"]) == ("tinysmith-check", "python", "[python]")
        entry = [sys.executable, "-m", *hook["entry"].split(), str(stuck), str(HERE / "conftest.py")]
        ended = subprocess.run(entry, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert "[no-guard-holds]" in ended.stdout
