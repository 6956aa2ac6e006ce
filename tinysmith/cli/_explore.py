"""`tinysmith explore`: everything that a strategy can do over finite sets of answers."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from tinysmith._alphabet import alphabet, check_names
from tinysmith._beginnings import PLAIN, first_boards
from tinysmith._shown import escaped
from tinysmith._source import source_of
from tinysmith.cli._board import board_changes, first_board
from tinysmith.cli._load import load_strategy
from tinysmith.cli._run import made
from tinysmith.conversation import Conversation
from tinysmith.errors import NoEdgeError, UsageError
from tinysmith.exploration import Bounds, Exploration, searched
from tinysmith.limits import LIMIT_NAMES
from tinysmith.nodes import Agent, Panel, World
from tinysmith.strategy import plan_of

QUIET_S = 2.0
"""Seconds after which a search says how far it is, on a terminal."""


def explore_command(arguments: argparse.Namespace) -> int:
    """Searches the strategy, and returns the exit code: 1 where it found a fault, or not what was sought."""
    kind = load_strategy(arguments.strategy)
    strategy = made(kind)
    plan = plan_of(strategy)
    replies, observations = _answers(arguments.reply, "--reply"), _answers(arguments.observation, "--observation")
    check_names(plan, replies, "--reply", Agent, Panel)
    check_names(plan, observations, "--observation", World)
    changes = board_changes(kind, arguments.set)
    progress = Progress()
    found = searched(
        strategy,
        [first_board(strategy, PLAIN, "", changes)] if changes else first_boards(strategy),
        alphabet(plan, replies=replies, observations=observations),
        bounds=Bounds(arguments.depth, arguments.max_positions, arguments.walks),
        visit=progress if sys.stderr.isatty() else None,
        sought=[] if arguments.reach is None else [arguments.reach],
    )
    progress.end()
    if arguments.reach is not None:
        return _reached(found, arguments.reach, as_json=arguments.json)
    print(json.dumps(_data(found)) if arguments.json else escaped(str(found)))
    return int(bool(found.faults) or found.livelock is not None)


class Progress:
    """Says on standard error how many transitions a long search has come by."""

    def __init__(self) -> None:
        self.count = 0
        self.next = time.monotonic() + QUIET_S
        self.has_spoken = False

    def __call__(self, *_transition: Any) -> None:
        """Counts one more."""
        self.count += 1
        if self.count % 256 == 0 and time.monotonic() > self.next:
            self.next = time.monotonic() + QUIET_S / 4
            self.has_spoken = True
            print(f"\r{self.count:,} transitions …", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Takes the line away."""
        if self.has_spoken:
            print("\r" + " " * 40, end="\r", file=sys.stderr, flush=True)


def _answers(given: Sequence[str], option: str) -> dict[str, list[str]]:
    answers: dict[str, list[str]] = {}
    for one in given:
        node, equals, text = one.partition("=")
        if not equals or not node:
            raise UsageError(f"{option} {one!r} is not of the form NODE=TEXT.")
        answers.setdefault(node, []).append(text)
    return answers


def _reached(found: Exploration[Any], target: str, *, as_json: bool) -> int:
    told = found.to(target)
    if as_json:
        print(json.dumps(None if told is None else _conversation(told)))
    elif told is not None:
        print(escaped(str(told)))
    else:
        end = "these are all there are over this alphabet" if found.is_complete else f"stopped at {found.cut}"
        end += f"; a search has no limits, so no {target}" if target in LIMIT_NAMES else ""
        print(f"{target} was not found by a search of {found.positions:,} positions ({end}).")
    return int(told is None)


def _data(found: Exploration[Any]) -> dict[str, Any]:
    """A report as JSON data."""
    cycle, livelock = found.cycle(), found.livelock
    return {
        "strategy": plan_of(found.strategy).name,
        "positions": found.positions,
        "depth": found.depth,
        "walks": found.walked,
        "complete": found.is_complete,
        "stopped_at": found.cut,
        "missing": [item.name for item in found.coverage.missing],
        "worst_case": None if found.most is None else dict(zip(("asks", "steps"), found.most, strict=True)),
        "seen": dict(zip(("asks", "steps"), found.most_seen, strict=True)),
        "cycle": None if cycle is None else _conversation(cycle),
        "livelock": None if livelock is None else _conversation(livelock),
        "faults": [
            {
                "kind": "deadlock" if isinstance(fault.error, NoEdgeError) else "fault",
                "node": fault.node,
                "problem": fault.problem,
                **_written(fault.conversation),
                "path": fault.path,
            }
            for fault in found.faults
        ],
        "outcomes": {name: _conversation(told) for name, told in sorted(found.outcomes.items())},
    }


def _conversation(told: Conversation[Any]) -> dict[str, Any]:
    return {**_written(told), "path": told.path}


def _written(told: Conversation[Any]) -> dict[str, Any]:
    """The first board and the events as Python source, which is there for every value."""
    return {"board": source_of(told.board), "events": [source_of(event) for event in told.events]}
