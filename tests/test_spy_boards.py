"""tinysmith/_spy.py: boards of every make can be watched, or it is said that they cannot."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import attrs
import pytest
from attrs import evolve, frozen
from sketches import Refine

from machines import PlannerReviewerExecutor, Reflexion
from tinysmith import Template
from tinysmith._spy import UnspiableBoardError, spied
from tinysmith.strategy import plan_of

T = TypeVar("T")


@frozen
class Titled:
    """A board with a property."""

    lines: tuple[str, ...] = ()
    left: int = 3

    @property
    def last(self) -> str:
        """The last line."""
        return self.lines[-1]


@frozen(slots=False, cache_hash=True, unsafe_hash=True)
class Loose:
    """A board without slots, which keeps its hash and something that is no field."""

    a: int = 1
    b: tuple[int, ...] = ()

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "extra", self.a + 1)

    @cached_property
    def double(self) -> int:
        """Twice a."""
        return 2 * self.a


@frozen
class Boxed(Generic[T]):
    value: T
    times: int = 1


@frozen
class Abstract(ABC):
    a: int = 1

    @abstractmethod
    def size(self) -> int: ...


@frozen
class Concrete(Abstract):
    def size(self) -> int:
        return self.a


@frozen
class Held:
    """A value that holds a board."""

    boards: tuple[Loose, ...]


class Prompted:
    """Holds a prompt over any of the boards."""

    prompt: ClassVar[Template] = Template(source="{{ a }} {% if a > 5 %}{{ b }}{% endif %}")
    titled: ClassVar[Template] = Template(source="{{ last }} {{ left }}")


class TestBoards:
    def test_of_a_template_its_names_are_read(self) -> None:
        """A template reads the names in it, also through properties, of slotted boards and of others."""
        seen = spied(Prompted.titled, Titled(("x",)))
        assert (seen.value, set(seen.reads)) == ("x 3", {"lines", "left"})  # a template's names have no order
        assert set(spied(Prompted.prompt, Loose()).reads) == {"a", "b"}
        assert spied(Prompted.prompt, Loose()).value == "1"

    def test_a_board_without_slots(self) -> None:
        """Of a board with a `__dict__`, cached values are worked out anew, and the `__dict__` reads all."""
        loose = Loose(2, (1,))
        assert (loose.double, hash(loose)) == (4, hash(Loose(2, (1,))))
        assert spied(lambda loose: loose.double, loose).reads == ("a",)
        assert spied(hash, loose) == spied(hash, Loose(2, (1,)))
        assert spied(hash, loose).reads == ("a", "b")
        assert spied(lambda loose: vars(loose)["a"], loose).reads == ("a", "b")
        assert spied(lambda loose: loose.extra, loose).value == 3
        assert spied(lambda loose: evolve(loose, a=3), loose).value == Loose(3, (1,))
        assert spied(lambda loose: Held((loose, Loose())), loose).value == Held((loose, Loose()))

    def test_generic_and_abstract_boards(self) -> None:
        """Boards over a type, and those with another metaclass, are watched as others are."""
        seen = spied(lambda box: evolve(box, times=box.times + 1), Boxed("x"))
        assert (seen.value, seen.reads) == (Boxed("x", 2), ("times",))
        assert seen.writes == {"times"}
        assert spied(lambda board: board.size(), Concrete(4)).reads == ("a",)

    def test_what_is_held_is_made_plain(self) -> None:
        """A value that holds a spy deep within holds the board instead; one that holds none is the same value."""
        loose, held = Loose(), Held(())
        value = spied(lambda loose: {"x": Held((loose,))}, loose).value
        assert type(value["x"].boards[0]) is Loose
        assert spied(lambda _: held, loose).value is held

    def test_an_iterator_is_not_followed(self) -> None:
        """What a generator reads later is not seen."""

        def lazily(loose: Loose) -> Iterator[int]:
            yield loose.a

        seen = spied(lazily, Loose())
        assert (list(seen.value), seen.reads) == ([1], ())

    def test_no_attrs_class(self) -> None:
        """What is no attrs class cannot be watched, and the error says so."""
        with pytest.raises(UnspiableBoardError, match="int is no attrs class"):
            spied(abs, 3)

    def test_a_class_that_cannot_be_derived_from(self) -> None:
        """A class whose subclasses are refused, by whatever error, cannot be watched, and the error says so."""

        @frozen
        class Final:
            a: int = 1

            def __init_subclass__(cls) -> None:
                raise LookupError("Final is final")

        with pytest.raises(UnspiableBoardError, match=r"derived from Final, .* watched: Final is final") as caught:
            spied(repr, Final())
        assert isinstance(caught.value.__cause__, LookupError)

    @pytest.mark.parametrize("strategy", [Refine, Reflexion, PlannerReviewerExecutor])
    def test_guards(self, strategy: type[Any]) -> None:
        """Every guard of the gallery answers a spy as it answers the board, and reads some field of it."""
        plan = plan_of(strategy)
        for guard in {guard for guards in plan.guards.values() for guard in guards}:
            seen = spied(guard, plan.board_type())
            assert seen.value is guard(plan.board_type())
            assert set(seen.reads) <= {part.name for part in attrs.fields(plan.board_type)}
            assert seen.reads
