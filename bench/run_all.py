"""Runs every benchmark; `--short` for a taste of each."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "imports.py",
    "step.py",
    "concurrency.py",
    "ask.py",
    "retrieval.py",
    "testing.py",
    "exploration.py",
    "journal.py",
    "crash.py",
    "sandbox.py",
)


def main() -> int:
    """Runs them one after another, and returns how many of them broke."""
    broken = 0
    for script in SCRIPTS:
        print(f"\n== {script}", flush=True)
        command = [sys.executable, str(Path(__file__).parent / script), *sys.argv[1:]]
        broken += subprocess.run(command, check=False).returncode != 0
    return broken


if __name__ == "__main__":
    sys.exit(main())
