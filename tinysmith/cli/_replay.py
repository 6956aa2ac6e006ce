"""`tinysmith replay`: would saved runs still be legal?"""

import argparse
import json
from typing import Any

from tinysmith._shown import one_line
from tinysmith.cli._journal import opened
from tinysmith.cli._load import load_strategy
from tinysmith.cli._report import told
from tinysmith.cli._run import made
from tinysmith.errors import JournalError, ReplayDiverged
from tinysmith.journal import Journal
from tinysmith.journal._folding import refolded
from tinysmith.strategy import Strategy


def replay_command(arguments: argparse.Namespace) -> int:
    """Folds saved runs again, and returns the exit code: 0 where all are legal and come out the same."""
    strategy = made(load_strategy(arguments.against))
    code = 0
    with opened(arguments.journal, read_only=True) as journal:
        names = [journal.find(name) for name in arguments.runs] or [run.run_id for run in journal.runs()]
        for name in names:
            verdict, problem = _verdict(journal, name, strategy)
            if arguments.json:
                print(json.dumps({"run_id": name, "verdict": verdict, "problem": problem}))
            else:
                print(f"{name}  {verdict}" + (f": {one_line(problem, 600)}" if problem else ""))
            code |= verdict != "same"
    return code


def _verdict(journal: Journal, name: str, strategy: Strategy[Any]) -> tuple[str, str]:
    try:
        record = journal.read(name)
    except JournalError as error:
        return "damaged", str(error)
    try:
        refolded(strategy, record, journal.mask(), place=journal.place)
    except ReplayDiverged as error:
        return "diverged", str(error)
    except JournalError as error:
        return "another board", str(error)
    except Exception as error:  # noqa: BLE001  # the strategy's own fault, told of this run
        return "raises", told(error)
    return "same", ""
