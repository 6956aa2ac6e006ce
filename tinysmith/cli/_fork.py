"""`tinysmith fork`: a new run that shares the past of another."""

import argparse
from typing import Any

from attrs import evolve

from tinysmith.cli._board import board_changes
from tinysmith.cli._journal import opened
from tinysmith.cli._load import load_strategy
from tinysmith.cli._run import made
from tinysmith.errors import UsageError
from tinysmith.journal import Journal, fork
from tinysmith.journal._folding import refolded
from tinysmith.journal._reading import folded
from tinysmith.strategy import Strategy


def fork_command(arguments: argparse.Namespace) -> int:
    """Forks the run, and prints the new one's id."""
    kind = load_strategy(arguments.strategy)
    changes = board_changes(kind, arguments.set)
    strategy = made(kind)
    with opened(arguments.journal) as journal:
        run_id = journal.find(arguments.run)
        board = _board(journal, run_id, strategy, arguments.step, changes) if changes else None
        print(fork(journal, run_id, strategy, step=arguments.step, board=board))
    return 0


def _board(
    journal: Journal, run_id: str, strategy: Strategy[Any], step: int | None, changes: dict[str, Any]
) -> Any:
    """The board after so many steps, changed; a step that is not there is refused by the fork itself."""
    record = journal.read(run_id)
    rows = [0, *(each.row for each in folded(record.log) if each.kind == "event")]
    if step is not None:
        rows = rows[: max(step, 0) + 1]
    past = evolve(record, log=record.log[: rows[-1]])
    board = refolded(strategy, past, journal.mask(), place=journal.place).position.board
    try:
        return evolve(board, **changes)
    except (TypeError, ValueError) as error:
        raise UsageError(f"--set: the board refuses these values: {error}.") from None
