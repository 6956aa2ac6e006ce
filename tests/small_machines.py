"""Strategies made at random, small enough for everything that they can do to be written out."""

from collections.abc import Callable, Iterator, Sequence
from types import new_class
from typing import Any

from attrs import frozen
from hypothesis import reject
from hypothesis import strategies as st

from tinysmith import Agent, Edge, Halt, ParseError, Rule, Strategy
from tinysmith._alphabet import Alphabet, addressed
from tinysmith._sameness import makes_way
from tinysmith._search import LIMITS
from tinysmith._soundness import ALLOWABLE
from tinysmith.errors import DefinitionError
from tinysmith.messages import Event
from tinysmith.position import Position


@frozen
class Cell:
    """One of three values."""

    value: int = 0


def is_zero(cell: Cell) -> bool:
    """The value is 0."""
    return cell.value == 0


def is_one(cell: Cell) -> bool:
    """The value is 1."""
    return cell.value == 1


def is_two(cell: Cell) -> bool:
    """The value is 2."""
    return cell.value == 2


GUARDS: tuple[Callable[[Cell], bool] | None, ...] = (is_zero, is_one, is_two, None)


class Step(Agent[Cell]):
    """Moves as its table says: by value and reply to a value, or None for a reply that is asked again."""

    samples = ("x", "y")

    def __init__(self, table: tuple[int | None, ...]) -> None:
        self.table = table

    def prompt(self, cell: Cell, /) -> str:
        return f"{cell.value}?"

    def parse(self, cell: Cell, reply: str, /) -> Cell:
        value = self.table[cell.value * 2 + self.samples.index(reply)]
        if value is None:
            raise ParseError("Say the other thing.")
        return Cell(value)


class Turn(Rule[Cell]):
    """Adds one, from 2 to 0."""

    def apply(self, cell: Cell, /) -> Cell:
        return Cell((cell.value + 1) % 3)


@st.composite
def machines(draw: st.DrawFn) -> Strategy[Cell]:
    """A strategy of two agents, a rule and two halts, with any edges; some stop, some go round for ever."""
    tables = st.tuples(*[st.none() | st.integers(0, 2)] * 6)
    left, right, rule = Step(draw(tables)), Step(draw(tables)), Turn()
    good, bad = Halt(success=True), Halt()
    edges: list[Edge[Cell]] = []
    for source in (left, right, rule):
        guards = draw(st.lists(st.sampled_from(GUARDS), min_size=1, max_size=3, unique=True))
        targets = st.sampled_from([left, right, rule, good, bad])
        edges += [source.to(draw(targets), when=guard) for guard in guards]
    if draw(st.booleans()):
        edges.append(left.on_failure(draw(st.sampled_from([right, rule, bad]))))
    body = {
        "left": left, "right": right, "rule": rule, "good": good, "bad": bad,
        "initial": draw(st.sampled_from([left, rule])),
        "edges": tuple(edges),
        "allow": dict.fromkeys(ALLOWABLE, "made at random"),
    }  # fmt: skip
    try:
        made: Any = new_class("Made", (Strategy[Cell],), {}, lambda names: names.update(body))
    except DefinitionError:
        reject()
    strategy: Strategy[Cell] = made()
    return strategy


def runs(
    strategy: Strategy[Any], board: Any, letters: Alphabet, depth: int, *, takes_all: bool = False
) -> Iterator[tuple[tuple[Event, ...], Sequence[Position[Any]]]]:
    """Every run up to a depth, as its events and its positions; those that cannot be folded are left out.

    With `takes_all` those are left out, too, in which a reply was asked for again.
    """
    try:
        stack: list[tuple[tuple[Event, ...], list[Position[Any]]]] = [((), [strategy.start(board, LIMITS)])]
    except Exception:  # noqa: BLE001  # what raises is no run
        return
    while stack:
        events, positions = stack.pop()
        yield events, positions
        request: Any = positions[-1].request
        if positions[-1].done is not None or len(events) == depth:
            continue
        for event in addressed(letters.narrow[request.node], request):
            try:
                after = strategy.advance(positions[-1], event)
            except Exception:  # noqa: BLE001  # as above
                continue
            if not takes_all or makes_way(positions[-1], after):
                stack.append(((*events, event), [*positions, after]))
