"""The graph of the positions that a search kept: where it goes round, what a run costs at most, who is trapped."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from tinysmith._search import Search


def ordered(search: Search, left_out: frozenset[int] = frozenset()) -> Sequence[int] | CycleError:
    """The positions, each after those that lead to it; or a way round, because of which there is no such order.

    Args:
        search: What kept them.
        left_out: Positions that do not count.
    """
    before = _by(search.targets, search.sources)
    numbers = range(len(search.parents))
    graph = {number: before.get(number, ()) for number in numbers if number not in left_out}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error


def most(search: Search, order: Iterable[int]) -> tuple[int, int]:
    """The most asks and the most environment steps of a run, given the positions in their order.

    What it costs to come to a position is the same on all ways from one before it.
    """
    ways = _by(search.sources, search.targets)
    count = len(search.parents)
    asks, steps = [0] * count, [0] * count
    for number in order:
        parent = search.parents[number]
        asks[number] += search.asks[number] - (search.asks[parent] if parent >= 0 else 0)
        steps[number] += search.steps[number] - (search.steps[parent] if parent >= 0 else 0)
        for target in ways.get(number, ()):
            asks[target] = max(asks[target], asks[number])
            steps[target] = max(steps[target], steps[number])
    return max(asks, default=0), max(steps, default=0)


def trapped(search: Search) -> int | None:
    """The first position from which no answer leads to a halt, and which is not about to end in another way."""
    before = _by(search.targets, search.sources)
    halting = _closure(search.halting, before)
    ending = _closure(search.ending, before)
    numbers = range(len(search.parents))
    return next(
        (number for number in numbers if number not in halting and number not in ending & search.doomed), None
    )


def _closure(some: Iterable[int], before: Mapping[int, Sequence[int]]) -> set[int]:
    """These positions, and all that lead to them."""
    found = set(some)
    stack = list(found)
    while stack:
        new = [source for source in before.get(stack.pop(), ()) if source not in found]
        found.update(new)
        stack += new
    return found


def _by(keys: Iterable[int], values: Iterable[int]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for key, value in zip(keys, values, strict=True):
        grouped.setdefault(key, []).append(value)
    return grouped
