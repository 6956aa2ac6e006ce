"""What of a strategy was played, as data that goes from process to process; and how to reach what was not."""

import importlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import astuple, evolve, frozen

from tinysmith._beginnings import first_boards
from tinysmith._shown import one_line
from tinysmith._source import source_of
from tinysmith.conversation import Conversation, way
from tinysmith.coverage import Coverage, Item, coverage_of
from tinysmith.errors import UsageError
from tinysmith.exploration import Exploration, explore
from tinysmith.mapping import FrozenDict
from tinysmith.messages import Observation
from tinysmith.run import Step
from tinysmith.strategy import Strategy, plan_of

MAX_POSITIONS = 2_000
WALKS = 200
"""How far is searched for a way to what is missing, so that it takes about a second a strategy."""


@frozen
class Played:
    """How often each thing of one strategy was come by.

    Attributes:
        name: The strategy, as `module:Class`.
        items: Everything that can be covered.
    """

    name: str
    items: tuple[Item, ...]

    @property
    def blank(self) -> tuple[Item, ...]:
        """The items as if nothing were seen, by which classes of one name are told apart."""
        return tuple(evolve(item, seen=0) for item in self.items)

    @property
    def missing(self) -> tuple[Item, ...]:
        """What was not come by."""
        return tuple(item for item in self.items if not item.seen)

    @property
    def percent(self) -> float:
        """How much was, from 0 to 100."""
        return 100 * (len(self.items) - len(self.missing)) / len(self.items)

    def counted(self, kind: str) -> str:
        """How many things of a kind were come by, of how many."""
        seen = [item.seen > 0 for item in self.items if item.kind == kind]
        return f"{sum(seen)}/{len(seen)}"

    def coverage(self, strategy: Strategy[Any] | type[Strategy[Any]]) -> Coverage:
        """The same as a coverage of the strategy, such as a picture is painted with."""
        return Coverage(
            plan_of(strategy),
            FrozenDict({item.node: item.seen for item in self.items if item.kind == "node"}),
            FrozenDict({(item.node, item.index): item.seen for item in self.items if item.kind == "edge"}),
        )

    def as_data(self) -> list[Any]:
        """It as plain lists, for another process."""
        return [self.name, [list(astuple(item)) for item in self.items]]

    @classmethod
    def from_data(cls, data: Sequence[Any]) -> "Played":
        """What `as_data` gave."""
        name, items = data
        return cls(name, tuple(Item(*item) for item in items))


def name_of(kind: type[Any]) -> str:
    """A class as `module:Class`."""
    return f"{kind.__module__}:{kind.__qualname__}"


def merged(played: Iterable[Played]) -> list[Played]:
    """What several processes counted, added up. Classes of one name that differ in their edges stay apart."""
    found: dict[Any, Played] = {}
    for one in played:
        key = one.name, one.blank
        before = found.get(key)
        counts = [item.seen for item in before.items] if before else [0] * len(one.items)
        items = (evolve(item, seen=item.seen + count) for item, count in zip(one.items, counts, strict=True))
        found[key] = evolve(one, items=tuple(items))
    return sorted(found.values(), key=lambda one: one.name)


def loaded(played: Played) -> type[Strategy[Any]] | None:
    """The class that was played in another process; None where it cannot be imported here."""
    module, _, path = played.name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        is_it = coverage_of(found).items == played.blank
    except Exception:  # noqa: BLE001  # whatever a user's module raises where it was not meant to be imported
        return None
    return found if is_it else None


def ways(
    played: Played, strategy: Strategy[Any] | type[Strategy[Any]] | None, boards: Sequence[Any]
) -> Iterator[str]:
    """For each thing that is missing, a line with its name, and one with how to reach it.

    Args:
        played: What was come by.
        strategy: The strategy; None where there is but its name.
        boards: First boards to search from, beside the one that it makes itself.
    """
    reached: dict[str, list[str]] = {}
    for item, way_to in _reached(played, strategy, boards):
        reached.setdefault(way_to, []).append(item.name)
    for way_to, names in reached.items():
        yield f"  {'; '.join(names)}"
        yield f"      {way_to}"


def _reached(played: Played, strategy: Any, boards: Sequence[Any]) -> Iterator[tuple[Item, str]]:
    found = _found(played, strategy, boards)
    if isinstance(found, str):
        yield from ((item, f"how to reach it cannot be worked out: {found}") for item in played.missing)
        return
    check = "" if "<" in played.name else f" See `tinysmith check {played.name}`."
    lost = f"not found by a search of {found.positions:,} positions; is it possible at all?{check}"
    for item in played.missing:
        told = found.to(item)
        yield item, lost if told is None else f"reach it {_told(told)}"


def _found(played: Played, strategy: Any, boards: Sequence[Any]) -> Exploration[Any] | str:
    """A search for all that is missing; or why there is none."""
    if strategy is None:
        return "the class cannot be imported in this process."
    try:
        made = strategy() if isinstance(strategy, type) else strategy
        begins = _first(made, boards)
        return explore(made, boards=begins, max_positions=MAX_POSITIONS, walks=WALKS, sought=played.missing)
    except (UsageError, TypeError) as error:
        return one_line(str(error), 160)


def _first(strategy: Strategy[Any], boards: Sequence[Any]) -> Sequence[Any]:
    """The board that the strategy makes itself, where it can, and those that are given."""
    try:
        made = first_boards(strategy)
    except UsageError:
        if not boards:
            raise
        return boards
    return (*made, *boards)


def _told(conversation: Conversation[Any]) -> str:
    """A conversation in one line: `from Draft(): writer: 'good' → critic: 'bad'`."""
    board = f"from {one_line(source_of(conversation.board), 80)}"
    if not conversation.events:
        return board
    return f"{board}: {way([_said(step) for step in conversation.steps()])}"


def _said(step: Step[Any]) -> str:
    seen = step.event
    notes = ""
    if isinstance(seen, Observation):
        is_over = seen.terminated or seen.truncated
        notes = (f" [reward {seen.reward:g}]" if seen.reward else "") + (" [over]" if is_over else "")
    return f"{step.node}: '{step.said(40)}'{notes}"
