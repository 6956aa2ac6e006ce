"""Which fields of the board nodes and guards read and write, as a search goes by them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
from attrs import evolve, frozen

from tinysmith._boards import board_after
from tinysmith._spy import UnspiableBoardError, spied
from tinysmith._turn import Plan
from tinysmith.coverage import FAILURE, Coverage
from tinysmith.mapping import FrozenDict
from tinysmith.messages import Event, Failed
from tinysmith.nodes import Agent, Panel, Rule, Tool, World
from tinysmith.position import Position

_ENTERING: dict[Any, str] = {Agent: "prompt", Panel: "prompts", World: "action", Tool: "arguments", Rule: "apply"}
"""The method by which a node of each kind begins."""

_EMPTY: tuple[Any, ...] = ("", b"", (), None, FrozenDict())
_OFTEN = 25
_SELDOM = 50
"""A function is watched whenever it is called at first, then this seldom: a spy costs more than the call."""


@frozen
class Unwritten:
    """A field that is read before anybody wrote it.

    Attributes:
        node: Where it is read.
        reader: By what: `prompt`, `is_clean`.
        name: The field.
        value: What it holds there.
        writers: The nodes that write it, too late.
    """

    node: str
    reader: str
    name: str
    value: Any
    writers: tuple[str, ...]


class FieldUse:
    """Keeps account of the fields that are read and written.

    Args:
        plan: The strategy, compiled.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.unseen = ""  # why nothing could be watched
        self._names = tuple(part.name for part in attrs.fields(plan.board_type))
        self._entering: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._leaving: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._writes: defaultdict[str, set[str]] = defaultdict(set)
        self._calls: Counter[tuple[str, str]] = Counter()

    def entered(self, node: str, board: Any) -> None:
        """Watches what a node does when a run comes to it."""
        method = _ENTERING.get(self.plan.kinds[node], "")
        if method:
            self._watch(self._entering, node, method, getattr(self.plan.nodes[node], method), board)

    def took(self, before: Position[Any], request: Any, event: Event) -> None:
        """Watches how a node takes an answer."""
        if not isinstance(event, Failed):
            method = "observe" if self.plan.kinds[before.node] is World else "parse"

            def taking(board: Any) -> Any:
                return board_after(self.plan, evolve(before, board=board), request, event)

            self._watch(self._entering, before.node, method, taking, before.board)

    def asked(self, node: str, board: Any) -> None:
        """Watches the guards on a node's edges."""
        for guard in self.plan.guards[node]:
            self._watch(self._leaving, node, guard.__name__, guard, board)

    def changed(self, node: str, before: Any, after: Any) -> None:
        """Notes the fields in which a board differs from the one before."""
        written = self._writes[node]
        for name in self._names:
            if name not in written and getattr(before, name) is not getattr(after, name):
                written.add(name)

    def _watch(
        self,
        reads: dict[tuple[str, str], set[str]],
        node: str,
        reader: str,
        function: Callable[[Any], Any],
        board: Any,
    ) -> None:
        calls = self._calls[node, reader] = self._calls[node, reader] + 1
        if self.unseen or (calls > _OFTEN and calls % _SELDOM):
            return
        try:
            seen = spied(function, board)
        except UnspiableBoardError as error:
            self.unseen = str(error)
        except Exception:  # noqa: BLE001  # a fault of the strategy's, which is told as such
            return
        else:
            reads[node, reader].update(seen.reads)
            self._writes[node].update(seen.writes)

    def never_read(self) -> tuple[str, ...]:
        """The fields that nothing read."""
        read: set[str] = set().union(*self._entering.values(), *self._leaving.values())
        return () if self.unseen else tuple(name for name in self._names if name not in read)

    def unwritten(self, coverage: Coverage, boards: Sequence[Any], *, is_briefed: bool) -> Iterator[Unwritten]:
        """The fields that are read where neither the first board nor any node before has written them.

        Args:
            coverage: The edges that were taken.
            boards: The first boards.
            is_briefed: Whether the strategy itself makes the first board; else a field that no other node writes
                is one that whoever starts a run gives.
        """
        empty = {
            name: value for name, value in _empty_defaults(self.plan.board_type) if _all_hold(boards, name, value)
        }
        before = _before(coverage)
        for (node, reader), names in (*self._entering.items(), *self._leaving.items()):
            earlier = before[node] | ({node} if (node, reader) in self._leaving else set())
            for name in self._names:
                if name in names and name in empty:
                    writers = [other for other in self.plan.nodes if name in self._writes[other]]
                    if not earlier.intersection(writers) and (is_briefed or {*writers} - {node}):
                        yield Unwritten(node, reader, name, empty[name], tuple(writers))


def _empty_defaults(board_type: type[Any]) -> Iterator[tuple[str, Any]]:
    for part in attrs.fields(board_type):
        default: Any = part.default
        if isinstance(default, attrs.Factory) and not default.takes_self:  # type: ignore[arg-type]  # attrs types its class as a function
            default = default.factory()
        if any(type(default) is type(empty) and default == empty for empty in _EMPTY):
            yield part.name, default


def _all_hold(boards: Sequence[Any], name: str, value: Any) -> bool:
    return all(type(held := getattr(board, name)) is type(value) and held == value for board in boards)


def _before(coverage: Coverage) -> dict[str, set[str]]:
    """For each node, those from which edges that were taken lead to it, itself only by a way round."""
    plan = coverage.plan
    into: dict[str, set[str]] = {name: set() for name in plan.nodes}
    for source, index in coverage.edges:  # none but those that were taken
        hop = plan.failures[source][0] if index == FAILURE else plan.hops[source][index]
        into[hop.target].add(source)
    found = {}
    for name in plan.nodes:
        reached, stack = set(into[name]), list(into[name])
        while stack:
            fresh = into[stack.pop()] - reached
            reached |= fresh
            stack += fresh
        found[name] = reached
    return found
