"""The house's own rules: sizes, public names, changelog."""

import ast
import importlib
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import tinysmith

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parent.parent
FOLDERS = ("tinysmith", "machines", "tests", "examples", "bench")
FILES = [
    *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")),
    ROOT / "tinysmith_pytest.py",
]

PARTS = ("drawing", "environments", "mcp", "memory", "models", "retrieval", "sandbox")
PUBLIC = ["machines", "tinysmith", *(f"tinysmith.{part}" for part in PARTS)]

MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 40
MANY_LINES_OF_A_FUNCTION = 25


def functions(path: Path) -> list[tuple[str, int]]:
    """Every function of a file with its length in lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for node in found
    ]


class TestSizes:
    def test_files(self) -> None:
        """No file has more than 350 lines."""
        lengths = {
            str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES
        }
        assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}

    def test_functions(self) -> None:
        """No function has more than 40 lines, and nine in ten of the packages' have at most 25."""
        lengths = dict(pair for path in FILES for pair in functions(path))
        assert {name: length for name, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION} == {}
        ours = [length for name, length in lengths.items() if name.startswith(("tinysmith", "machines"))]
        assert sum(length <= MANY_LINES_OF_A_FUNCTION for length in ours) >= 0.9 * len(ours)


class TestPublicNames:
    @pytest.mark.parametrize("module", PUBLIC)
    def test_all_is_true_and_sorted(self, module: str) -> None:
        """`__all__` names what is there, once each, and `import *` works."""
        loaded = importlib.import_module(module)
        names = loaded.__all__
        assert len(set(names)) == len(names)
        assert all(hasattr(loaded, name) for name in names)

    def test_every_public_name_has_a_docstring(self) -> None:
        """Every public class and function says what it is."""
        things = [getattr(tinysmith, name) for name in tinysmith.__all__]
        lacking = [thing for thing in things if isinstance(thing, type) and not thing.__doc__]
        assert lacking == []


class TestChangelog:
    def test_speaks_of_this_version(self) -> None:
        """The changelog begins with what is not released yet, or with this version."""
        text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        heading = re.search(r"^## (.+)$", text, re.MULTILINE)
        assert heading is not None
        assert heading[1].startswith(("Unreleased", version("tinysmith-fsm")))
