"""`tinysmith diff`: in what two strategies differ, as text or as a picture."""

import argparse
from pathlib import Path

from attrs import evolve

from tinysmith.cli._draw import format_of, put
from tinysmith.cli._load import load_strategy
from tinysmith.difference import diff


def diff_command(arguments: argparse.Namespace) -> int:
    """Compares two strategies, and returns the exit code, as diff(1) has it: 1 where they differ."""
    output = None if arguments.output in (None, "-") else Path(arguments.output)
    format_ = arguments.format or format_of(output, "text")
    found = diff(load_strategy(arguments.before), load_strategy(arguments.after))
    found = evolve(found, before=arguments.before, after=arguments.after)
    put(f"{found}\n" if format_ == "text" else found.draw(format_), output, format_)
    return 1 if found else 0
