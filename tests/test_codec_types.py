"""Which types a board may have: every other one is refused with the path, what is wrong, and the remedy."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum, Flag, IntEnum, StrEnum
from typing import Any, Generic, List, Literal, Tuple, TypeVar  # noqa: UP035  # what is tested

import pytest
from attrs import define, field, frozen

from tinysmith import FrozenDict
from tinysmith._codec import Fault, UnfitTypeError, class_faults, codec

T = TypeVar("T")


class Mood(StrEnum):
    GOOD = "good"


class Level(IntEnum):
    LOW = 1


class Bits(Flag):
    ONE = 1
    TWO = 2


class NoAttrs:
    pass


@frozen
class Leaf:
    size: int = 0


@define
class Mutable:
    size: int = 0


@frozen(eq=False)
class ByIdentity:
    size: int = 0


@frozen
class Derived:
    size: int = 0
    double: int = field(init=False, default=0)


@frozen(slots=False)
class Left:
    left: int = 0


@frozen(slots=False)
class Right:
    right: int = 0


@frozen
class Both(Left, Right):
    pass


@frozen
class BelowBoth(Both):
    pass


class Undecorated(Leaf):
    pass


@frozen
class Box(Generic[T]):
    content: T


@frozen
class Unresolved:
    size: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  # what is tested


@frozen
class Misspelt:
    size: "json.Nowhere"  # type: ignore[name-defined]  # what is tested


@frozen
class Unannotated:
    size = field(default=0)  # type: ignore[var-annotated]  # what is tested


class Elsewhere:
    @frozen
    class Leaf:
        """A class of the same name."""

        size: int = 0


@frozen
class Wrong:
    """A board with a fault in every field, also in a class inside it."""

    items: list[int]
    names: tuple[set[str], ...]
    inner: Mutable
    pair: tuple[int, dict[str, int]]
    table: FrozenDict[str, Any]


REFUSED: list[tuple[Any, str, str]] = [
    (list, "a list can be changed in place", "Use tuple[T, ...]."),
    (list[int], "a list can be changed in place", "Use tuple[T, ...]."),
    (List, "a list can be changed in place", "Use tuple[T, ...]."),  # noqa: UP006  # what is tested
    (dict, "a dict can be changed in place", "Use FrozenDict[K, V]."),
    (dict[str, int], "a dict can be changed in place", "Use FrozenDict[K, V]."),
    (set, "a set has no order", "Use a sorted tuple[T, ...]."),
    (set[int], "a set has no order", "Use a sorted tuple[T, ...]."),
    (frozenset, "a set has no order", "Use a sorted tuple[T, ...]."),
    (frozenset[int], "a set has no order", "Use a sorted tuple[T, ...]."),
    (tuple, "a bare tuple does not say what it holds", "Write tuple[T, ...]."),
    (Tuple, "a bare tuple does not say what it holds", "Write tuple[T, ...]."),  # noqa: UP006  # what is tested
    (Any, "Any could hold what cannot be saved", "Name the type."),
    (object, "object could hold what cannot be saved", "Name the type."),
    (Mapping[str, int], "cannot be saved", "Use numbers, text"),
    (Sequence[int], "cannot be saved", "Use numbers, text"),
    (FrozenDict, "cannot be saved", "Use numbers, text"),
    (complex, "cannot be saved", "Use numbers, text"),
    (T, "~T cannot be saved", "Use numbers, text"),
    (Box[int], "cannot be saved", "Use numbers, text"),
    (NoAttrs, "cannot be saved", "Use numbers, text"),
    (Enum, "cannot be saved", "Use numbers, text"),
    (Bits, "", ""),
    (Literal[Mood.GOOD], "", ""),
    (Literal[b"x"], "", ""),
    (
        Leaf | Elsewhere.Leaf,
        "cannot be told apart once they are saved",
        "Wrap one of them in a frozen attrs",
    ),
    (tuple[int, ...] | tuple[str, ...] | None, "cannot be told apart", "Wrap one of them"),
    (Literal["a"] | str, "cannot be told apart", "Wrap one of them"),
    (Mutable, "Mutable can be changed in place.", "Declare it with @attrs.frozen."),
    (ByIdentity, "ByIdentity compares by identity.", "Leave out eq=False."),
    (Both, "Both inherits from several classes.", "Inherit from one class, and make the others fields."),
    (BelowBoth, "inherits from several classes.", "Inherit from one class"),
    (Undecorated, "", "@attrs.frozen"),
    (Unresolved, "its annotations cannot be read: name 'Nowhere' is not defined.", "Define or import that name"),
    (Misspelt, "its annotations cannot be read", "Define or import that name"),
]


@pytest.mark.parametrize(("hint", "problem", "remedy"), REFUSED, ids=lambda part: str(part)[:50])
class TestRefusedTypes:
    def test_the_fault_is_told_with_path_and_remedy(self, hint: Any, problem: str, remedy: str) -> None:
        """A type whose values would not survive is refused, with what is wrong and what to do instead."""
        with pytest.raises(UnfitTypeError) as caught:
            codec(hint, "Board.part")
        (fault,) = caught.value.faults
        assert fault.path == "Board.part"
        assert problem in fault.problem
        assert remedy in fault.remedy

    def test_it_is_refused_at_every_depth(self, hint: Any, problem: str, remedy: str) -> None:
        """It is refused inside a tuple too, and the path says so."""
        with pytest.raises(UnfitTypeError) as caught:
            codec(tuple[hint, ...], "Board.part")
        assert caught.value.faults[0].path == "Board.part[]"
        assert str(caught.value) == f"Board.part[]: {caught.value.faults[0].problem}"


class TestFaults:
    def test_all_come_at_once(self) -> None:
        """Every fault of a board is told together, each with its own path."""
        with pytest.raises(UnfitTypeError) as caught:
            codec(Wrong, "Wrong")
        paths = [fault.path for fault in caught.value.faults]
        assert paths == ["Wrong.items", "Wrong.names[]", "Wrong.inner", "Wrong.pair[1]", "Wrong.table{}[1]"]
        assert all(f"{path}: " in str(caught.value) for path in paths)

    def test_a_field_that_cannot_be_given(self) -> None:
        """A field with init=False is refused by its own path."""
        with pytest.raises(UnfitTypeError) as caught:
            codec(Derived, "Board")
        problem = "a field with init=False cannot be read back."
        assert caught.value.faults == (Fault("Board.double", problem, "Make it a property."),)

    def test_a_field_without_annotation(self) -> None:
        """A field that names no type is refused as one that could hold anything."""
        with pytest.raises(UnfitTypeError) as caught:
            codec(Unannotated, "Board")
        assert [fault.path for fault in caught.value.faults] == ["Board.size"]

    def test_a_class_may_have_several_faults_itself(self) -> None:
        """What is wrong with the class itself is told before its fields are looked at."""

        @define(eq=False)
        class Worst(NoAttrs, Generic[T], Elsewhere):
            more: int = field(init=False, default=0)

        faults = class_faults(Worst, "Board")
        assert [fault.path for fault in faults] == ["Board", "Board", "Board", "Board.more"]

    def test_no_attrs_class(self) -> None:
        """A class that attrs does not know is told to become one."""
        (fault,) = class_faults(NoAttrs, "Board")
        assert fault == Fault("Board", "NoAttrs is no attrs class.", "Declare it with @attrs.frozen.")
