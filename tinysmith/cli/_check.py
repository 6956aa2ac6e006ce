"""`tinysmith check`: strategies are searched for what can go wrong."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from tinysmith.checks import Report, check, refused
from tinysmith.cli._draw import write_whole
from tinysmith.cli._load import load_strategies
from tinysmith.cli._run import made
from tinysmith.errors import DefinitionError
from tinysmith.strategy import Strategy


def check_command(arguments: argparse.Namespace) -> int:
    """Checks the strategies, and returns the exit code: 1 where something as bad as `--fail-on` was found."""
    bounds = {name: getattr(arguments, name) for name in ("depth", "max_positions", "walks")}
    report = Report.joined(_reports(arguments.strategies, bounds))
    output = None if arguments.output in (None, "-") else Path(arguments.output)
    has_colour = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    match arguments.format:
        case "json":
            text = report.to_json()
        case "sarif":
            text = report.to_sarif()
        case _:
            text = report.text(has_colour=has_colour)
    if output is None:
        print(text)
    else:
        write_whole(output, f"{text}\n".encode())
    return int(arguments.fail_on != "never" and report.reaches(arguments.fail_on))


def _reports(references: list[str], bounds: dict[str, Any]) -> list[Report]:
    reports = []
    known: set[type[Strategy[Any]]] = set()
    for reference in references:
        try:
            strategies = load_strategies(reference)
        except DefinitionError as error:  # what the creation of a class finds is found here, too
            reports.append(refused(error))
            continue
        if not strategies:
            print(f"tinysmith: {reference} defines no strategy", file=sys.stderr)
        reports += [check(made(strategy), **bounds) for strategy in strategies if strategy not in known]
        known.update(strategies)
    return reports
