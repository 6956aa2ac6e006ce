"""The examples run offline, and print something worth reading."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


class TestExamples:
    @pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
    def test_runs_offline(self, path: Path, tmp_path: Path) -> None:
        """An example runs to its end in an empty folder, without a key."""
        done = subprocess.run(
            [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) >= 3

    def test_the_coin_is_flipped_until_the_shell_is_over(self) -> None:
        """The first lesson ends when its environment does."""
        path = next(path for path in EXAMPLES if path.stem == "coinflip")
        done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
        assert "ended as environment_over after 11 steps" in done.stdout
