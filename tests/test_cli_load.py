"""The loader: names on the command line become classes."""

import subprocess
import sys
from pathlib import Path

import pytest

from machines import TryAgain
from tinysmith import DefinitionError
from tinysmith.cli._load import load_factory, load_strategy
from tinysmith.errors import UsageError

HERE = Path(__file__).parent / "strategies_for_cli.py"

FAULTY = """
from attrs import frozen
from tinysmith import Agent, Halt, Strategy

@frozen
class Empty:
    text: str = ""

class Writer(Agent[Empty]):
    def prompt(self, board, /):
        return "go"
    def parse(self, board, reply, /):
        return board

class Faulty(Strategy[Empty]):
    writer = Writer()
    initial = writer
"""


class TestLoadStrategy:
    def test_loads_from_a_module_and_from_a_file(self) -> None:
        """A strategy is found in an installed module, and in a file by its path."""
        assert load_strategy("machines:TryAgain") is TryAgain
        assert load_strategy(f"{HERE}:Pin").__name__ == "Pin"

    def test_the_working_directory_comes_last_and_only_for_the_load(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A module of the working directory is found, and sys.path is left as it was."""
        (tmp_path / "only_here.py").write_text(
            FAULTY.replace(
                "initial = writer", "said = Halt()\n    initial = writer\n    edges = (writer.to(said),)"
            )
        )
        monkeypatch.chdir(tmp_path)
        before = list(sys.path)
        assert load_strategy("only_here:Faulty").__name__ == "Faulty"
        assert sys.path == before

    def test_the_working_directory_hides_no_installed_module(self, tmp_path: Path) -> None:
        """A module of the working directory never stands in for an installed one of its name."""
        for name in ("jinja2", "attrs"):
            (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
        command = [sys.executable, "-P", "-m", "tinysmith", "draw", "jinja2:Template"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "jinja2:Template is no strategy" in done.stderr

    def test_a_faulty_class_says_what_is_wrong(self, tmp_path: Path) -> None:
        """A class that is no sound machine is refused with its findings."""
        (tmp_path / "faulty.py").write_text(FAULTY)
        with pytest.raises(DefinitionError, match=r"Faulty\.writer"):
            load_strategy(f"{tmp_path / 'faulty.py'}:Faulty")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("def f(:", "cannot be loaded: SyntaxError"),
            ("import no_such_module_here", "needs the module 'no_such_module_here', which is not installed"),
            ("1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
        ],
    )
    def test_a_file_that_cannot_be_run_is_told_in_a_sentence(self, text: str, said: str, tmp_path: Path) -> None:
        """What goes wrong in the user's file is told with the file's name."""
        (tmp_path / "broken.py").write_text(text)
        with pytest.raises(UsageError, match=said):
            load_strategy(f"{tmp_path / 'broken.py'}:X")

    def test_a_missing_submodule_is_told(self) -> None:
        """A module that is not there is told, also inside a package that is."""
        with pytest.raises(UsageError, match=r"There is no module 'machines\.none' for the strategy"):
            load_strategy("machines.none:X")
        for place in ("..", "../machines", "."):
            with pytest.raises(UsageError, match="is neither a module nor a file"):
                load_strategy(f"{place}:X")

    def test_a_file_finds_its_neighbours_and_is_run_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file may import its neighbours from wherever it is named, and is one module however often."""
        body = FAULTY.replace(
            "initial = writer", "said = Halt()\n    initial = writer\n    edges = (writer.to(said),)"
        )
        (tmp_path / "neighbour_of_it.py").write_text("number = 3\n")
        (tmp_path / "it.py").write_text(f"import neighbour_of_it\n{body}")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert load_strategy("../it.py:Faulty") is load_strategy("../it.py:Faulty")

    def test_a_file_that_exits_is_told(self, tmp_path: Path) -> None:
        """A file that calls for the end of the process does not get it."""
        (tmp_path / "exits.py").write_text("raise SystemExit(0)")
        with pytest.raises(UsageError, match=r"exits\.py:1 cannot be loaded: SystemExit"):
            load_strategy(f"{tmp_path / 'exits.py'}:X")


class TestLoadFactory:
    def test_loads_what_can_be_called(self) -> None:
        """A class or a function that makes an environment is found; near names are offered."""
        assert load_factory(f"{HERE}:Wall").__name__ == "Wall"
        with pytest.raises(UsageError, match=r"has no environment 'Wal'\. Did you mean Wall"):
            load_factory(f"{HERE}:Wal")
