"""`tinysmith runs`: the runs of a journal."""

import argparse
import json

from attrs import asdict

from tinysmith._shown import one_line
from tinysmith.cli._journal import opened
from tinysmith.journal import RunSummary


def runs_command(arguments: argparse.Namespace) -> int:
    """Lists the runs, the oldest first."""
    with opened(arguments.journal, read_only=True) as journal:
        runs = journal.runs()
    for run in runs:
        print(json.dumps(_data(run)) if arguments.json else _line(run))
    return 0


def _data(run: RunSummary) -> dict[str, object]:
    return asdict(run) | {"touched_at": run.touched_at.isoformat(timespec="milliseconds")}


def _line(run: RunSummary) -> str:
    count = f"{run.rows} row{'s' * (run.rows != 1)}"
    parts = [run.run_id, f"{one_line(run.strategy):<20}", f"{one_line(run.outcome):<12}", f"{count:>9}"]
    parts += [run.begun_at[:19], one_line(run.task, 40), f"forked from {run.parent}" if run.parent else ""]
    return "  ".join(parts).rstrip()
