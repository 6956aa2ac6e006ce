"""The command line: `tinysmith demo`, `run`, `draw` and the other commands."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; `tinysmith.cli._main` says what it returns."""
    try:
        from tinysmith.cli._main import main as run  # noqa: PLC0415  # it takes a moment, in which Ctrl-C may come

        return run(argv)
    except KeyboardInterrupt:
        print("tinysmith: interrupted", file=sys.stderr)
        return 130
