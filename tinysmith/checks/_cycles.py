"""Ways round without a world node that nothing of the strategy's own bounds.

Where a run comes back to the same position, that is a proof. Where boards only grow, it never does; so an
adversary tries to stay in a part of the graph that has no world node, and whatever counts on the board is then put
to its extreme: what still does not let the run out is no bound.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

from attrs import evolve, fields, fields_dict, frozen, has

from tinysmith import _fold
from tinysmith._alphabet import Alphabet, addressed
from tinysmith._sameness import key_of, makes_way
from tinysmith._turn import Plan
from tinysmith.messages import Event
from tinysmith.nodes import Halt, World
from tinysmith.position import Position
from tinysmith.strategy import Strategy, plan_of

HOPS = 200
"""Hops that an adversary must stay for, before it is asked what bounds it."""
_TRIES = 3_000
_FAR = 100_000
_LONG = 10_000


@frozen
class Stay:
    """A walk that stays in a part of the graph.

    Attributes:
        region: The nodes of that part, in declared order.
        events: What was answered.
        positions: Where the run stood, the first one included.
    """

    region: tuple[str, ...]
    events: tuple[Event, ...]
    positions: tuple[Position[Any], ...]


def regions(plan: Plan) -> Iterator[tuple[str, ...]]:
    """The parts of the graph in which a run may go round without coming by a world node."""
    free = [name for name, kind in plan.kinds.items() if kind not in (World, Halt)]
    ways = {
        name: [hop.target for hop in (*plan.hops[name], *plan.failures.get(name, ())) if hop.target in free]
        for name in free
    }
    onward = {name: _reached(ways, name) for name in free}
    known: set[str] = set()
    for name in free:
        if name in onward[name] and name not in known:
            region = tuple(other for other in free if other in onward[name] and name in onward[other])
            known.update(region)
            yield region


def unbounded(
    strategy: Strategy[Any], letters: Alphabet, region: tuple[str, ...], start: Position[Any]
) -> Stay | None:
    """A walk that stays in a region for as long as it likes; None where none is found, or something bounds it."""
    stay = _stay(strategy, letters, region, start, HOPS)
    if stay is None or any(_bounds(strategy, letters, stay, path) for path in _monotone(stay)):
        return None
    return stay


def _reached(ways: dict[str, list[str]], start: str) -> set[str]:
    found, stack = set(ways[start]), list(ways[start])
    while stack:
        fresh = set(ways[stack.pop()]) - found
        found |= fresh
        stack += fresh
    return found


def _stay(
    strategy: Strategy[Any], letters: Alphabet, region: tuple[str, ...], start: Position[Any], hops: int
) -> Stay | None:
    """A walk of so many hops that stays in a region, depth first."""
    path: list[tuple[Position[Any], Event | None, Iterator[Event], int]] = [
        (start, None, _answers(letters, start), 0)
    ]
    seen = {key_of(start)}
    tries = 0
    while path:
        position, _, answers, length = path[-1]
        event = next(answers, None)
        if event is None:
            path.pop()
            continue
        tries += 1
        if tries > _TRIES:
            return None
        after = _within(strategy, position, event, region)
        if after is None or key_of(after) in seen:
            continue
        seen.add(key_of(after))
        length += len(after.hops)
        path.append((after, event, _answers(letters, after), length))
        if length >= hops:
            events = tuple(event for _, event, _, _ in path if event is not None)
            return Stay(region, events, tuple(position for position, _, _, _ in path))
    return None


def _answers(letters: Alphabet, position: Position[Any]) -> Iterator[Event]:
    request: Any = position.requests[0]
    return iter(addressed(letters.narrow[request.node], request))


def _within(
    strategy: Strategy[Any], position: Position[Any], event: Event, region: tuple[str, ...]
) -> Position[Any] | None:
    """The position after an event that makes a way in the region; None where it leaves it, or asks again."""
    try:
        after = _fold.advance(plan_of(strategy), position, event)
        hash(after.board)
    except Exception:  # noqa: BLE001  # what raises is no way; it is told elsewhere
        return None
    if after.done is not None or any(hop.target not in region for hop in after.hops):
        return None
    return after if makes_way(position, after) else None


def _monotone(stay: Stay) -> Iterator[tuple[str, ...]]:
    """The fields that shrink, or grow, with every round, by the way to them."""
    boards = _boards(stay)
    for path in _paths(boards[-1]):
        sizes = [_size(_at(board, path)) for board in boards]
        known = [size for size in sizes if size is not None]
        pairs = list(pairwise(known))
        if len(known) == len(sizes) > 2 and (all(a < b for a, b in pairs) or all(a > b for a, b in pairs)):
            yield path


def _boards(stay: Stay) -> list[Any]:
    """The boards of every round."""
    node = stay.positions[-1].node
    return [position.board for position in stay.positions if position.node == node and not position.heard]


def _paths(board: Any) -> Iterator[tuple[str, ...]]:
    """The ways to the fields of a board, and of the boards in it."""
    for part in fields(type(board)):
        yield (part.name,)
        value = getattr(board, part.name)
        if has(type(value)):
            yield from ((part.name, *path) for path in _paths(value))


def _at(board: Any, path: Sequence[str]) -> Any:
    return reduce(lambda value, name: getattr(value, name, None), path, board)


def _put(board: Any, path: Sequence[str], value: Any) -> Any:
    """The board with another value there."""
    name, *rest = path
    inner = _put(getattr(board, name), rest, value) if rest else value
    return evolve(board, **{str(fields_dict(type(board))[name].alias): inner})


def _size(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return len(value) if isinstance(value, tuple | str | bytes) else None


def _bounds(strategy: Strategy[Any], letters: Alphabet, stay: Stay, path: Sequence[str]) -> bool:
    """Whether a run leaves the region once a field, which changes with every round, is at its extreme."""
    last = stay.positions[-1]
    boards = _boards(stay)
    for extreme in _extremes(_at(boards[0], path), _at(boards[-1], path)):
        try:
            board = _put(last.board, path, extreme)
        except Exception:  # noqa: BLE001, S112  # a validator of the user's, which refuses this value
            continue
        return _stay(strategy, letters, stay.region, evolve(last, board=board), 2 * len(stay.region) + 2) is None
    return True


def _extremes(first: Any, now: Any) -> Sequence[Any]:
    """Where a value goes that went from one to another, the furthest first."""
    if isinstance(now, int | float):
        return (now + _FAR, now + _LONG) if now > first else (min(now, 0) - _FAR, 0)
    return (now * (_LONG // len(now) + 1),) if len(now) > len(first) else (now[:0],)
