"""The gallery: what every built-in strategy has."""

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import machines
from tinysmith import Position, Samples, Strategy
from tinysmith._watch import WATCHERS
from tinysmith.coverage import Tally
from tinysmith.strategy import plan_of
from tinysmith.testing import strategy_test

ROOT = Path(__file__).parent.parent
STRATEGIES: list[type[Strategy[Any]]] = [getattr(machines, name) for name in machines.__all__]
PUBLIC_FILES = sorted([*(ROOT / "machines").glob("*.py"), *(ROOT / "examples").glob("*.py")])


def paragraphs(strategy: type[Strategy[Any]]) -> list[str]:
    """The docstring of a strategy's file, in paragraphs."""
    return (sys.modules[strategy.__module__].__doc__ or "").split("\n\n")


def imports(path: Path) -> list[tuple[str, str]]:
    """Each name that a file imports, with the module that it is from."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        (node.module or "", name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]
    return found + [
        (name.name, "") for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    ]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.__name__)
class TestEveryStrategy:
    def test_its_picture_names_every_node_and_guard(self, strategy: type[Strategy[Any]]) -> None:
        """The picture in the docstring of its file names every node and every guard, and nothing else."""
        plan = plan_of(strategy)
        picture = set(re.findall(r"\w+", paragraphs(strategy)[1]))
        guards = {guard.__name__ for leaving in plan.guards.values() for guard in leaving}
        assert picture - {"otherwise", "fails"} == {*plan.nodes, *guards}

    def test_its_docstring_has_source_and_costs(self, strategy: type[Strategy[Any]]) -> None:
        """The docstring says where the idea is from and what a run costs."""
        text = " ".join(paragraphs(strategy)[2:])
        assert "Source: " in text
        assert "Costs: " in text

    def test_its_class_says_what_it_is(self, strategy: type[Strategy[Any]]) -> None:
        """The class's docstring is the first line of its file."""
        assert (strategy.__doc__ or "").split("\n")[0] == paragraphs(strategy)[0]

    @pytest.mark.untraced
    def test_its_property_test_covers_it(self, strategy: type[Strategy[Any]]) -> None:
        """Its property test comes by every node, edge and guard outcome, whatever is drawn."""
        tally = Tally(plan_of(strategy))

        def watcher(_: type[Any], position: Position[Any]) -> None:
            tally.add(position)

        WATCHERS.append(watcher)
        try:
            strategy_test(strategy, max_examples=1)().test_every_run()
        finally:
            WATCHERS.remove(watcher)
        assert [item.name for item in tally.coverage().missing] == []

    def test_it_runs_offline(self, strategy: type[Strategy[Any]]) -> None:
        """Every agent declares samples, so that the strategy runs without a model."""
        assert Samples(strategy)


class TestPublicApi:
    @pytest.mark.parametrize("path", PUBLIC_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
    def test_uses_public_names_only(self, path: Path) -> None:
        """The built-in strategies and the examples need no private name of tinysmith."""
        ours = [(module, name) for module, name in imports(path) if module.split(".")[0] == "tinysmith"]
        assert ours or path.stem == "__init__"
        for module, name in ours:
            assert not any(part.startswith("_") for part in (*module.split("."), name)), f"{module}.{name}"
            public = getattr(importlib.import_module(module), "__all__", None)
            assert public is None or name in public, f"{module} does not export {name}"
