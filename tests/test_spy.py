"""tinysmith/_spy.py: what a pure function reads of a board, and what it writes."""

import copy
import pickle
from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Any

import attrs
import pytest
from attrs import evolve, field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st
from sketches import Refine

from tinysmith import FrozenDict, Message
from tinysmith._spy import spied
from tinysmith.strategy import plan_of


@frozen
class Memory:
    """What a board holds within."""

    exchanges: tuple[str, ...] = ()


def _worded(value: object) -> str:
    return f"{value}"


@frozen
class Sheet:
    """A board with a field of every sort."""

    lines: tuple[str, ...] = ()
    left: int = field(default=3, validator=validators.ge(0))
    memory: Memory = Memory()
    _secret: str = "s"
    word: str = field(default="w", kw_only=True, converter=_worded)
    rank: int = field(default=0, alias="place", kw_only=True)
    parent: "Sheet | None" = field(default=None, kw_only=True)

    @property
    def last(self) -> str:
        """The last line."""
        return self.lines[-1] if self.lines else ""

    @cached_property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def with_line(self, line: str) -> "Sheet":
        """The sheet with one more line."""
        return evolve(self, lines=(*self.lines, line))

    def secret(self) -> str:
        """What is private."""
        return self._secret


@frozen
class Longer(Sheet):
    """A board that inherits."""

    more: int = 1

    @property
    def last(self) -> str:
        """The last line, and the number."""
        return f"{super().last}{self.more}"


def matched(sheet: Sheet) -> str:
    match sheet:
        case Sheet(left=0):
            return "none"
        case Sheet(lines=(first, *_)):
            return first
    return "blank"


SPENT: Callable[[Sheet], Sheet] = lambda sheet: evolve(sheet, left=max(sheet.left - 1, 0))  # noqa: E731  # a table's row

READING: list[tuple[Callable[[Any], Any], tuple[str, ...]]] = [
    (lambda sheet: sheet.left > 0, ("left",)),
    (lambda sheet: bool(sheet.lines) and sheet.left > 0, ("lines", "left")),
    (lambda sheet: sheet.left + sheet.left, ("left",)),
    (lambda sheet: sheet.last, ("lines",)),
    (lambda sheet: sheet.count + sheet.count, ("lines",)),
    (lambda sheet: sheet.secret(), ("_secret",)),
    (lambda sheet: sheet.memory.exchanges, ("memory",)),
    (lambda sheet: getattr(sheet, "absent", 3), ()),
    (attrgetter("rank"), ("rank",)),
    (lambda sheet: f"{sheet.left:>3}", ("left",)),
    ("{.left}".format, ("left",)),
    (matched, ("left", "lines")),
    (lambda sheet: isinstance(sheet, Sheet), ()),
    (lambda sheet: sheet.__class__, ()),
    (lambda sheet: type(sheet).__name__, ()),
    (lambda sheet: sheet is sheet.parent, ("parent",)),
    (SPENT, ("left",)),
    (lambda sheet: evolve(sheet, left=0), ()),
    (lambda sheet: evolve(evolve(sheet, left=0), place=1), ()),
    (lambda sheet: evolve(sheet, left=2).left, ()),
    (lambda sheet: evolve(sheet, left=2).rank, ("rank",)),
    (lambda sheet: evolve(sheet, lines=("a",)).with_line("b"), ()),
    (lambda sheet: sheet.with_line("c"), ("lines",)),
    (lambda sheet: evolve(sheet, word=3, secret="t"), ()),
    (lambda sheet: evolve(Sheet(), left=sheet.left), ("left",)),
    (lambda sheet: evolve(sheet, memory=evolve(sheet.memory, exchanges=("e",))), ("memory",)),
    (lambda sheet: evolve(sheet, parent=sheet), ()),
    (lambda sheet: Sheet(parent=sheet), ()),
    (lambda sheet: sheet, ()),
    (lambda sheet: (sheet, [sheet], {"x": sheet}, FrozenDict(x=sheet), 1), ()),
    (lambda sheet: [Message("user", sheet.word), (1, 2), {"x": 1}], ("word",)),
]
WHOLE: list[Callable[[Any], Any]] = [
    hash,
    repr,
    lambda sheet: sheet == Sheet(),
    lambda sheet: Sheet() != sheet,
    copy.copy,
    copy.deepcopy,
    lambda sheet: pickle.loads(pickle.dumps(sheet)),
    attrs.asdict,
]

SHEETS = st.builds(
    Sheet,
    lines=st.lists(st.text(max_size=3), max_size=3).map(tuple),
    left=st.integers(0, 3),
    memory=st.builds(Memory),
    secret=st.text(max_size=2),
    word=st.text(max_size=2),
    place=st.integers(),
    parent=st.none() | st.just(Sheet(left=1)),
)


class TestSpied:
    @given(SHEETS | st.builds(Longer, lines=st.just(("x",))), st.sampled_from([*(f for f, _ in READING), *WHOLE]))
    def test_the_value_is_the_functions(self, sheet: Sheet, function: Callable[[Sheet], Any]) -> None:
        """For any board, what a function gives for a spy is what it gives for the board, without any spy in it."""
        value = spied(function, sheet).value
        assert value == function(sheet)
        assert pickle.dumps(value) == pickle.dumps(function(sheet)) or value == sheet
        assert type(value) is type(function(sheet))

    @pytest.mark.parametrize("place", range(len(READING)))
    def test_reads(self, place: int) -> None:
        """The fields that a function reads itself, in their order, each once."""
        function, reads = READING[place]
        assert spied(function, Sheet(("x",), 2)).reads == reads

    @pytest.mark.parametrize("function", WHOLE)
    def test_what_takes_the_whole_board_reads_all_of_it(self, function: Callable[[Any], Any]) -> None:
        """Comparing, hashing, showing and copying a board reads every field."""
        assert set(spied(function, Sheet()).reads) == {part.name for part in attrs.fields(Sheet)}

    @given(SHEETS, st.sets(st.sampled_from(["lines", "left", "word"])), st.sets(st.just("left")))
    def test_writes(self, sheet: Sheet, first: set[str], second: set[str]) -> None:
        """Of a board that evolve made, also in several steps, what was given to evolve is written."""
        values: dict[str, Any] = {"lines": ("n",), "left": 1, "word": "x"}

        def changed(sheet: Sheet) -> Sheet:
            half: Sheet = evolve(sheet, **{name: values[name] for name in first})
            return evolve(half, **{name: values[name] for name in second})

        seen = spied(changed, sheet)
        assert seen.writes == first | second
        assert seen.reads == ()

    def test_the_alias_of_a_field_is_not_its_name(self) -> None:
        """A private field, and one with an alias, are written and read under their own names."""
        seen = spied(lambda sheet: evolve(sheet, secret=sheet.secret() + "!", place=sheet.rank + 1), Sheet())
        assert seen.reads == ("_secret", "rank")
        assert seen.writes == {"_secret", "rank"}
        assert seen.value == Sheet(secret="s!", place=1)

    def test_another_board_is_wholly_written(self) -> None:
        """A board that the function makes anew has no field of the old one; a returned number has none at all."""
        names = {part.name for part in attrs.fields(Sheet)}
        assert spied(lambda _: Sheet(left=1), Sheet()).writes == names
        assert spied(lambda sheet: type(sheet)(("z",), left=sheet.left), Sheet()).writes == names
        assert spied(lambda sheet: sheet.left, Sheet()).writes == set()
        assert spied(lambda sheet: sheet, Sheet()).writes == set()

    def test_further_arguments(self) -> None:
        """More arguments are passed on, as a node's method has them."""
        seen = spied(Refine.critic.parse, plan_of(Refine).board_type(("x",)), "reply")
        assert seen.reads == ("lines", "left")
        assert seen.writes == {"lines", "left"}
        assert seen.value.lines == ("x", "reply")

    def test_converters_and_validators(self) -> None:
        """Making the spy runs no validator; evolve runs converters and validators as ever."""
        assert spied(lambda sheet: evolve(sheet, word=5), Sheet()).value.word == "5"
        with pytest.raises(ValueError, match="must be >= 0"):
            spied(lambda sheet: evolve(sheet, left=-1), Sheet())
        broken = Sheet()
        object.__setattr__(broken, "left", -1)
        assert spied(lambda sheet: sheet.left, broken).value == -1

    def test_evolve_after_an_evolve_that_failed(self) -> None:
        """An evolve that raised leaves nothing behind for the next one."""

        def twice(sheet: Sheet) -> Sheet:
            try:
                evolve(sheet, left=-1, lines=())
            except ValueError:
                return evolve(sheet, place=1)
            raise AssertionError

        assert spied(twice, Sheet()).writes == {"rank"}

    def test_what_the_function_raises(self) -> None:
        """What the function raises comes through as it is."""
        with pytest.raises(ZeroDivisionError):
            spied(lambda sheet: 1 // (sheet.left - sheet.left), Sheet())

    def test_nobody_else_is_watched(self) -> None:
        """The board itself is as it was, and other boards of its class are not watched."""
        sheet, other = Sheet(("a",)), Sheet(left=1)
        assert spied(lambda sheet: other.left + len(evolve(other, left=2).lines), sheet).reads == ()
        assert type(sheet) is Sheet
        assert sheet == Sheet(("a",))

    def test_a_spy_in_a_spys_board(self) -> None:
        """A board that holds the board comes back whole."""
        sheet = Sheet(left=1)
        value = spied(lambda sheet: evolve(sheet, parent=evolve(sheet, left=2)), sheet).value
        assert value == evolve(sheet, parent=evolve(sheet, left=2))
        assert type(value.parent) is Sheet
