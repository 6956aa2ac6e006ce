"""README and docs: what they show works as shown."""

import re
from pathlib import Path
from typing import Any

import pytest

from tinysmith import Samples, run
from tinysmith.cli import main
from tinysmith.cli._load import load_factory, load_strategy
from tinysmith.drawing import mermaid
from tinysmith.testing import strategy_test

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def refine(tmp_path: Path) -> Any:
    """README's strategy, from a file of its own."""
    path = tmp_path / "refine.py"
    path.write_text(blocks(README, "python")[0], encoding="utf-8")
    return load_strategy(f"{path}:Refine")


class TestReadme:
    def test_its_picture_is_the_one_that_is_drawn(self, refine: Any) -> None:
        """README's diagram is what `tinysmith draw` prints for README's strategy."""
        assert blocks(README, "mermaid") == [mermaid(refine)]

    def test_its_strategy_runs_and_holds_its_properties(self, refine: Any) -> None:
        """README's strategy runs offline and passes its property test."""
        board = refine.__plan__.board_type
        ended = run(refine(), board("a poem"), model=Samples(refine))
        assert ended.outcome in {"accepted", "gave_up"}
        strategy_test(refine, max_examples=20)().test_every_run()

    def test_it_fits_a_screen_or_two(self) -> None:
        """README stays short."""
        assert len(README.splitlines()) <= 120

    def test_its_links_lead_somewhere(self) -> None:
        """Every link to a file of the repository leads to one."""
        for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES):
            prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
            for link in re.findall(r"\]\((?!https?:)([^)#]+)", prose):
                assert (page.parent / link).exists(), f"{page.name}: {link}"

    def test_its_last_command_is_understood(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The options of README's run command exist, and its task does."""
        command = next(line for line in README.splitlines() if "GROQ_API_KEY=" in line)
        arguments = command.split("tinysmith ")[1].split(" ")
        arguments[-1] = "scripted"
        assert main(arguments) == 0
        assert "solved" in capsys.readouterr().out


class TestDocs:
    @pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
    def test_its_examples_run(self, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The Python blocks of a page run, one after another, as one module."""
        monkeypatch.chdir(tmp_path)
        source = "\n".join(blocks(page.read_text(encoding="utf-8"), "python"))
        (tmp_path / "page.py").write_text(f"{source}\n\ndone = lambda: None\n", encoding="utf-8")
        assert callable(load_factory(f"{tmp_path / 'page.py'}:done"))
