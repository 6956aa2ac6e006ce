"""What mypy says of the declaration syntax: `typing/bad.py` is caught line by line, `typing/good.py` is clean."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

HERE = Path(__file__).parent
BAD = HERE / "typing" / "bad.py"
GOOD = HERE / "typing" / "good.py"
MISTAKES = 19
"""As many as the design promises to catch."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What `mypy --strict` prints about both files, named on the command line so that no exclusion hides them."""
    cache = tmp_path_factory.mktemp("mypy")
    options = ["--strict", f"--config-file={HERE.parent / 'setup.cfg'}", f"--cache-dir={cache}"]
    options += ["--show-error-codes", "--follow-imports=silent", "--no-pretty", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, str(BAD), str(GOOD)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False, timeout=300)
    assert not done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if ": note: " not in line]


def reported(lines: list[str]) -> set[tuple[str, int, str]]:
    """File, line and code of every error."""
    errors = set()
    for line in lines:
        match = re.match(r"(?:.*[/\\])?(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", line)
        assert match, line
        errors.add((match[1], int(match[2]), match[3]))
    return errors


def expected() -> set[tuple[str, int, str]]:
    """File, line and code that the comments in `bad.py` expect."""
    lines = enumerate(BAD.read_text(encoding="utf-8").splitlines(), start=1)
    found = ((number, re.search(r"# expect: ([\w-]+)$", line)) for number, line in lines)
    return {("bad.py", number, match[1]) for number, match in found if match}


class TestTyping:
    def test_there_is_a_line_for_every_promise(self) -> None:
        """Each of the mistakes that the design lists is planted once."""
        assert len(expected()) == MISTAKES

    def test_mypy_catches_the_planted_mistakes_and_nothing_else(self, said: list[str]) -> None:
        """Every planted mistake is an error on its line, and there is no other error in either file."""
        assert reported(said) == expected()
