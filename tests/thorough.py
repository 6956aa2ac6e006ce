"""The property tests, with many more examples than a quick look affords; `--short` for a taste of a few."""

import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Runs every test that Hypothesis drives, and returns pytest's exit code."""
    short = "--short" in sys.argv
    os.environ["HYPOTHESIS_MAX_EXAMPLES"] = "100" if short else "5000"
    folder = Path(__file__).parent
    places = [str(folder / f"test_{name}.py") for name in ("codec", "fold")] if short else [str(folder)]
    pytest = [sys.executable, "-P", "-m", "pytest", "-n", "auto", "--hypothesis-profile=thorough"]
    how = ["-q", "--hypothesis-seed=0"] if short else ["-o", "faulthandler_timeout=0"]  # one may take many minutes
    only = ["-m", "hypothesis", *how, *places]
    return subprocess.run([*pytest, *only], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
