"""The report of coverage; where there is no PostgreSQL server, without the one file that only one can test."""

import subprocess
import sys

from postgres import program

OF_A_SERVER = "*/tinysmith/journal/_postgres.py"


def main() -> int:
    """Prints the report, and returns coverage's exit code."""
    report = [sys.executable, "-m", "coverage", "report"]
    if program("postgres") is None:
        print(f"There is no PostgreSQL server on this machine, so {OF_A_SERVER} is left out.")
        report += ["--omit", OF_A_SERVER]
    return subprocess.run(report, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
