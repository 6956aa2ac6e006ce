"""docs/why.md: what it shows is what is printed."""

import sys
from pathlib import Path
from subprocess import run

from test_readme import ROOT, blocks

PAGE = (ROOT / "docs" / "why.md").read_text(encoding="utf-8")


class TestWhy:
    def test_its_outputs_are_those_of_its_code(self, tmp_path: Path) -> None:
        """The texts of the page are what its Python code prints, one after another."""
        path = tmp_path / "page.py"
        path.write_text("\n".join(blocks(PAGE, "python")), encoding="utf-8")
        command = [sys.executable, "-X", "utf8", str(path)]
        done = run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True, timeout=300)
        assert done.stdout == "".join(blocks(PAGE, "text"))
