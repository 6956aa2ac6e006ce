"""The report of coverage; without what only a server, an engine or a sandbox can test, where there is none."""

import subprocess
import sys

from podman import missing
from postgres import program
from sandboxes import AVAILABLE, IS_ROOT

OF_A_SERVER = ["*/tinysmith/journal/_postgres.py"]
OF_AN_ENGINE = ["*/tinysmith/sandbox/docker.py", "*/tinysmith/sandbox/_docker*"]
OF_A_SANDBOX = [
    "*/tinysmith/sandbox/*",
    *(f"*/tinysmith/environments/{name}*" for name in ("_sandboxed", "shell", "bash", "python", "ctf")),
    *(f"*/tinysmith/environments/_{name}*" for name in ("shell", "bash", "listing", "python", "ctf")),
    "*/tinysmith/environments/demonstration.py",
]


def main() -> int:
    """Prints the report, and returns coverage's exit code."""
    left_out: list[str] = []
    if program("postgres") is None:
        print("There is no PostgreSQL server on this machine.")
        left_out += OF_A_SERVER
    if missing():
        print(f"There is no Docker-compatible engine on this machine. {missing()}")
        left_out += OF_AN_ENGINE
    if not (AVAILABLE.ok and IS_ROOT):
        print(f"Sandboxes cannot be tested as root and as a user here. {AVAILABLE.reason}")
        left_out += OF_A_SANDBOX
    report = [sys.executable, "-m", "coverage", "report"]
    if left_out:
        print(f"Left out: {', '.join(left_out)}")
        report += ["--omit", ",".join(left_out)]
    return subprocess.run(report, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
