"""The command line: `tinysmith demo`, `run` and `draw`."""

from tinysmith.cli._main import main

__all__ = ["main"]
