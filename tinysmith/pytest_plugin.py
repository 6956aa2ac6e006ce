"""The pytest plugin: which nodes, edges and guard outcomes of strategies a test run came by.

`tinysmith_pytest` loads it where one of its options is given. Where pytest-xdist plays in several processes, each
sends what it counted to the one that prints.
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tinysmith._played import Played, loaded, merged, name_of, ways
from tinysmith._shown import escaped
from tinysmith._watch import WATCHERS
from tinysmith.coverage import Tally, coverage_of
from tinysmith.drawing import draw
from tinysmith.errors import UsageError
from tinysmith.position import Position
from tinysmith.strategy import Strategy, plan_of

KEY = "tinysmith_strategy_coverage"
MOST_BOARDS = 3
"""First boards of a strategy that are kept, to search from."""


class StrategyCoverage:
    """Collects while a session lasts, and reports at its end.

    Args:
        config: The session's.
        fail_under: The percentage under which no strategy's coverage may be; None where any will do.
        include: Patterns of `module:Class`; empty for all.
        pictures: The folder for pictures; None for none.
    """

    def __init__(
        self, config: pytest.Config, *, fail_under: float | None, include: Sequence[str], pictures: Path | None
    ) -> None:
        self.config = config
        self.fail_under = fail_under
        self.include = tuple(include)
        self.pictures = pictures
        self.tallies: dict[type[Any], Tally] = {}
        self.strategies: dict[type[Any], Strategy[Any]] = {}
        self.boards: dict[str, list[Any]] = {}
        self.sent: list[Played] = []
        self.lost = 0
        self.played: list[Played] = []

    # Collecting -----------------------------------------------------------------------------------------

    def pytest_configure(self) -> None:
        """Begins to look on."""
        WATCHERS.append(self.watch)

    def pytest_unconfigure(self) -> None:
        """Looks on no longer."""
        WATCHERS.remove(self.watch)

    def watch(self, strategy: Strategy[Any], position: Position[Any]) -> None:
        """Counts what led to a position."""
        kind = type(strategy)
        tally = self.tallies.get(kind)
        if tally is None:
            tally = self.tallies[kind] = Tally(plan_of(kind))
            self.strategies[kind] = strategy
        tally.add(position)
        if position.step == 0 and not position.hops:
            boards = self.boards.setdefault(name_of(kind), [])
            if len(boards) < MOST_BOARDS and position.board not in boards:
                boards.append(position.board)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Sends what was counted to the process that prints; there, adds it up, and judges it."""
        here = [Played(name_of(kind), tally.coverage().items) for kind, tally in self.tallies.items()]
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output[KEY] = [played.as_data() for played in here]
            return
        self.played = [played for played in merged([*self.sent, *here]) if self._is_included(played.name)]
        if self.shortfall and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes what a worker process of pytest-xdist counted."""
        data = getattr(node, "workeroutput", {}).get(KEY)
        if data is None:
            self.lost += 1
        else:
            self.sent += map(Played.from_data, data)

    def _is_included(self, name: str) -> bool:
        return not self.include or any(fnmatchcase(name, pattern) for pattern in self.include)

    @property
    def shortfall(self) -> str:
        """What is wrong with the coverage, in one line; empty where it is good enough."""
        if self.fail_under is None or self.config.option.collectonly:
            return ""
        under = [f"{one.name} has {_percent(one)}" for one in self.played if one.percent < self.fail_under]
        if self.played and not under:
            return ""
        problem = ", ".join(under) or "no strategy was played"
        return f"FAIL Required strategy coverage of {self.fail_under:g} % not reached: {problem}."

    # Reporting ------------------------------------------------------------------------------------------

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the table, what is missing and how to reach it; draws the pictures."""
        if self.config.option.collectonly:
            return
        terminalreporter.section("strategy coverage")
        for line in self._lines():
            terminalreporter.write_line(escaped(line))
        if self.shortfall:
            terminalreporter.write_line(escaped(self.shortfall), red=True, bold=True)

    def _lines(self) -> Iterator[str]:
        if self.lost:
            many = "processes" if self.lost > 1 else "process"
            yield f"{self.lost} worker {many} broke down; what was played there is not counted."
        if not self.played:
            yield "No strategy was played."
            return
        width = max(len("Strategy"), *(len(one.name) for one in self.played))
        yield f"{'Strategy':{width}}  {'Nodes':>7}  {'Edges':>7}  {'Guards':>7}  {'Cover':>6}"
        yield "-" * (width + 35)
        for one in self.played:
            counts = [f"{one.counted(kind):>7}" for kind in ("node", "edge", "guard")]
            yield f"{one.name:{width}}  {'  '.join(counts)}  {_percent(one):>6}"
        for one in self.played:
            if one.missing:
                yield f"\nMissing of {one.name}:"
                yield from ways(one, self._strategy(one), self.boards.get(one.name, ()))
        if self.pictures is not None:
            yield ""
            yield from (self._picture(one, self._strategy(one), self.pictures) for one in self.played)

    def _strategy(self, played: Played) -> Strategy[Any] | type[Strategy[Any]] | None:
        """The strategy, if it was played here or can be imported."""
        named = (strategy for kind, strategy in self.strategies.items() if name_of(kind) == played.name)
        here = next((strategy for strategy in named if coverage_of(strategy).items == played.blank), None)
        return loaded(played) if here is None else here

    def _picture(self, played: Played, strategy: Any, folder: Path) -> str:
        """Draws a strategy with what was seen of it, and says where."""
        if strategy is None:
            return f"No picture of {played.name}: the class cannot be imported in this process."
        painted = played.coverage(strategy)
        try:
            picture, suffix = draw(strategy, "svg", coverage=painted), "svg"
        except UsageError:  # there is no Graphviz
            picture, suffix = draw(strategy, "mermaid", coverage=painted), "mmd"
        path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '.', played.name)}.{suffix}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.part")
            part.write_text(str(picture), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            return f"No picture of {played.name}: {path} cannot be written ({error.strerror})."
        return f"Picture of {played.name}: {path}"


def _percent(played: Played) -> str:
    """A percentage, cut rather than rounded, so that nothing but all is 100 %."""
    return f"{int(played.percent)}%"
