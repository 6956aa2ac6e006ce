"""Boards that are possible by their types."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NewType

from attrs import Attribute, field, frozen
from attrs.validators import and_, ge, in_, le, optional
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import FrozenDict
from tinysmith._codec import codec
from tinysmith._generated import smallest
from tinysmith._possible import boards

Name = NewType("Name", str)


class Colour(Enum):
    """One of two."""

    RED = 1
    BLUE = 2


@frozen
class Leaf:
    """A class that mentions itself."""

    name: Name = Name("")
    below: "tuple[Leaf, ...]" = ()


@frozen
class Everything:
    """A field of every type that a board may have, most of them without a default."""

    name: Name
    pair: tuple[int, str]
    price: Decimal
    day: date
    leaf: Leaf
    colour: Colour | None
    kind: Literal["a", "b"]
    counts: FrozenDict[str, int]
    flag: bool
    share: float = field(validator=and_(ge(0), le(1)))
    many: int = field(default=10_000_000, validator=and_(ge(10_000_000), le(10_000_005)))
    word: str = field(default="x", validator=in_(["x", "y"]))
    some: int | None = field(default=None, validator=optional(ge(7)))
    low: int = 0
    high: int = field(default=0)

    @high.validator
    def _check(self, attribute: "Attribute[int]", value: int) -> None:
        if value < self.low:
            raise ValueError("below low")


CODEC = codec(Everything, "board")


class TestBoards:
    @given(boards(st, Everything))
    def test_each_is_one_of_the_type(self, board: Any) -> None:
        """What is drawn survives JSON, and is what the validators accept."""
        encoded = CODEC.encode(board, "board")
        assert CODEC.encode(CODEC.decode(encoded, "board"), "board") == encoded
        assert 10_000_000 <= board.many <= 10_000_005
        assert board.word in ("x", "y")
        assert 0 <= board.share <= 1
        assert board.low <= board.high

    def test_values_of_reached_boards_are_mixed_in(self) -> None:
        """A value that nobody would think of comes from a board that a run came to."""
        reached = [Leaf(Name("a secret word")), Leaf(Name("a secret word"))]

        def make(strategies: Any) -> Any:
            return boards(strategies, Leaf, reached)

        found = smallest(make, _is_secret, what="boards")
        assert found == Leaf(Name("a secret word"))

    def test_the_smallest(self) -> None:
        """The smallest value is found, or none where nothing holds."""

        def make(strategies: Any) -> Any:
            return strategies.integers()

        assert smallest(make, _above(5), what="numbers") == 6
        assert smallest(make, lambda _: False, what="numbers", tries=20) is None


def _is_secret(leaf: Leaf) -> bool:
    return leaf.name == "a secret word"


def _above(least: int) -> Callable[[int], bool]:
    return lambda number: number > least
