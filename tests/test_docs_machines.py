"""The page on the built-in strategies is what the strategies themselves say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import machines

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("make_machines", DOCS / "make_machines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestPage:
    def test_is_up_to_date(self, writer: ModuleType) -> None:
        """docs/machines.md is what `python docs/make_machines.py` writes."""
        assert (DOCS / "machines.md").read_text(encoding="utf-8") == writer.page()

    def test_has_every_strategy_with_all_its_parts(self, writer: ModuleType) -> None:
        """Every strategy has its diagram, its source, its costs, and a row for each field of its board."""
        for name in machines.__all__:
            entry = writer.entry(getattr(machines, name))
            assert f"## {name}\n" in entry
            for part in ("```mermaid\n", "- **Source**: ", "- **Costs**: ", "| field | default | |"):
                assert entry.count(part) == 1, (name, part)
