"""Values survive JSON unchanged: written, dumped, loaded and read, each equals itself and has its types."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal, NewType

import attrs
import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import FrozenDict, Message, ToolCall
from tinysmith._codec import codec
from tinysmith._scalars import MisfitError
from tinysmith.mapping import JSON, freeze
from tinysmith.position import B

Count = NewType("Count", int)
Name = NewType("Name", str)


class Colour(Enum):
    """An enum whose values JSON could not hold."""

    RED = (1, 0, 0)
    BLUE = (0, 0, 1)
    AZURE = (0, 0, 1)  # noqa: PIE796  # an alias


class Mood(StrEnum):
    """An enum whose members are texts too."""

    GOOD = "good"
    BAD = "bad"


class Level(IntEnum):
    """An enum whose members are numbers too."""

    LOW = 1
    HIGH = 2


@frozen
class Leaf:
    """An attrs class inside another."""

    _secret: int = 0
    label: str = field(default="", alias="title")


@frozen
class Branch:
    """A class that mentions itself, directly and through another."""

    name: str
    children: "tuple[Branch, ...]" = ()
    twig: "Twig | None" = None


@frozen
class Twig:
    """The other half of the circle."""

    of: "Branch | Leaf"


@frozen
class Rich:
    """A board with everything that is allowed."""

    whole: int
    real: float
    text: str
    raw: bytes
    yes: bool
    nothing: None
    colour: Colour
    mood: Mood
    level: Level
    day: date
    moment: datetime
    clock: time
    gap: timedelta
    money: Decimal
    word: Literal["a", "b", 3, True, None]
    many: tuple[int, ...]
    empty: tuple[()]
    pair: tuple[str, float]
    deep: tuple[tuple[Mood, ...], ...]
    by_name: FrozenDict[str, int]
    by_number: FrozenDict[int, tuple[str, ...]]
    by_leaf: FrozenDict[Leaf, Leaf]
    leaf: Leaf
    tree: Branch
    maybe: int | None
    part: Leaf | Branch | Twig | None
    either: int | str
    number: int | float | bool | Decimal | None
    when: date | datetime | time | None
    some: tuple[int, ...] | FrozenDict[str, int] | Colour | Literal["x"] | bytes
    count: Count
    names: tuple[Name, ...]


def no_split_pair(text: str) -> bool:
    """Whether JSON can tell its lone surrogates from a character that is written as two."""
    return bool(json.loads(json.dumps(text)) == text)


ANY_CHAR = st.characters(exclude_categories=())
TEXT = st.text(ANY_CHAR, max_size=8).filter(no_split_pair)
WHOLE = st.integers() | st.integers(-(10**30), 10**30) | st.sampled_from([2**53, 2**53 + 1, -(2**64), 2**2000])
REAL = st.floats() | st.integers(-(2**53), 2**53)
MONEY = st.decimals() | st.sampled_from(
    [Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+999"), Decimal("-0.00")]
)
ZONES = (
    st.none() | st.just(UTC) | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
MOMENT = st.datetimes(timezones=ZONES)
CLOCK = st.times(timezones=ZONES)
GAP = st.timedeltas() | st.sampled_from([timedelta.min, timedelta.max])
LEAF = st.builds(Leaf, WHOLE, title=TEXT)
BRANCH: st.SearchStrategy[Branch] = st.deferred(
    lambda: st.builds(
        Branch,
        TEXT,
        st.lists(BRANCH, max_size=2).map(tuple),
        st.none() | st.builds(Twig, st.builds(Branch, TEXT) | LEAF),
    )
)
RICH = st.builds(
    Rich,
    whole=WHOLE,
    real=REAL,
    text=TEXT,
    raw=st.binary(),
    yes=st.booleans(),
    nothing=st.none(),
    colour=st.sampled_from(Colour),
    mood=st.sampled_from(Mood),
    level=st.sampled_from(Level),
    day=st.dates(),
    moment=MOMENT,
    clock=CLOCK,
    gap=GAP,
    money=MONEY,
    word=st.sampled_from(["a", "b", 3, True, None]),
    many=st.lists(WHOLE, max_size=4).map(tuple),
    empty=st.just(()),
    pair=st.tuples(TEXT, REAL),
    deep=st.lists(st.lists(st.sampled_from(Mood), max_size=2).map(tuple), max_size=2).map(tuple),
    by_name=st.dictionaries(TEXT, WHOLE, max_size=4).map(FrozenDict),
    by_number=st.dictionaries(WHOLE, st.lists(TEXT, max_size=2).map(tuple), max_size=3).map(FrozenDict),
    by_leaf=st.dictionaries(LEAF, LEAF, max_size=2).map(FrozenDict),
    leaf=LEAF,
    tree=BRANCH,
    maybe=st.none() | WHOLE,
    part=st.none() | LEAF | BRANCH | st.builds(Twig, BRANCH | LEAF),
    either=WHOLE | TEXT,
    number=st.none() | st.booleans() | REAL | WHOLE | MONEY,
    when=st.none() | st.dates() | MOMENT | CLOCK,
    some=st.just((1, 2)) | st.just(FrozenDict(a=1)) | st.sampled_from(Colour) | st.just("x") | st.binary(),
    count=WHOLE.map(Count),
    names=st.lists(TEXT, max_size=2).map(tuple),
)


def survive(hint: Any, value: Any) -> Any:
    """A value written, dumped, loaded and read again."""
    saved = codec(hint, "it").encode(value, "it")
    return codec(hint, "it").decode(json.loads(json.dumps(saved)), "it")


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, of the same types and in the same order, at every depth; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, FrozenDict):
        return same(tuple(one.items()), tuple(other.items()))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if attrs.has(type(one)):
        return all(same(getattr(one, part.name), getattr(other, part.name)) for part in attrs.fields(type(one)))
    if isinstance(one, Decimal):
        return str(one) == str(other)  # also -0.00, and all kinds of NaN
    if isinstance(one, float):
        return repr(one) == repr(other)  # also -0.0
    if isinstance(one, datetime | time):
        return bool(one == other) and one.utcoffset() == other.utcoffset()
    return bool(one == other)


class TestRoundTrip:
    @given(RICH)
    def test_every_value_survives(self, board: Rich) -> None:
        """A board of every allowed type is read back as it was."""
        assert same(survive(Rich, board), board)

    @given(RICH)
    def test_writing_gives_plain_json(self, board: Rich) -> None:
        """What is written is plain JSON that every reader takes: no NaN, and no number that is rounded."""
        text = json.dumps(codec(Rich, "Rich").encode(board, "Rich"), allow_nan=False)
        numbers: list[int] = []
        json.loads(text, parse_int=lambda digits: numbers.append(int(digits)))
        assert all(abs(number) <= 2**53 for number in numbers)

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 3])
    def test_odd_floats(self, value: float) -> None:
        """Not-a-number, infinities and negative zero are kept; an int stays an int."""
        assert same(survive(float, value), value)

    @pytest.mark.parametrize("value", [2**53, 2**53 + 1, -(2**53) - 1, 2**64])
    def test_large_ints(self, value: int) -> None:
        """Ints are exact beyond what a float could hold."""
        assert survive(int, value) == value

    def test_huge_ints(self) -> None:
        """No int is too large, though Python refuses to read more than 4300 digits."""
        assert survive(tuple[int, ...], (10**5000, -(10**5000))) == (10**5000, -(10**5000))

    @pytest.mark.parametrize("text", ["\ud800", "\udc80abc", "\udfff\ud800", "\x00", "\N{PILE OF POO}", "\u2028"])
    def test_odd_text(self, text: str) -> None:
        """Lone surrogates, controls and characters beyond the first plane are kept."""
        assert survive(str, text) == text

    def test_text_that_looks_like_a_pair(self) -> None:
        """Two lone surrogates in a row, as of a reply cut in pieces, are not made one character."""
        assert survive(str, "\ud83d\ude00") == "\ud83d\ude00"

    def test_any_number_fits_a_float(self) -> None:
        """A field of floats may hold any int, also one that no float can, and that Python would not write out."""
        assert survive(tuple[float, ...], (2**53 + 1, 10**400, 10**5000)) == (2**53 + 1, 10**400, 10**5000)

    def test_optional_new_types(self) -> None:
        """A NewType in a union is as good as the type that it stands for."""
        assert survive(Name | None, Name("a")) == "a"
        assert survive(Name | None, None) is None

    def test_literals_of_several_kinds_in_a_union(self) -> None:
        """A Literal of a text and a number may be optional."""
        hint = Literal["a", 1] | None
        assert [survive(hint, value) for value in ("a", 1, None)] == ["a", 1, None]

    def test_an_alias_is_its_member(self) -> None:
        """An enum's alias is read back as the member that it is."""
        assert survive(Colour, Colour.AZURE) is Colour.BLUE

    def test_converters_and_validators_run_again(self) -> None:
        """Reading makes the object anew, so what its class checks is checked."""

        @frozen
        class Small:
            size: int = field(validator=attrs.validators.lt(10))

        assert survive(Small, Small(9)) == Small(9)
        with pytest.raises(MisfitError, match=r"it is refused by Small: .*'size' must be < 10"):
            codec(Small, "it").decode({"size": 10}, "it")


class TestOurOwnClasses:
    def test_any_is_json_where_that_is_said(self) -> None:
        """In the package's own classes `Any` is JSON data, thawed when written and frozen when read."""
        anything = codec(JSON, "it", any_json=True)
        data = {"a": [1, {"b": None}]}
        assert anything.encode(freeze(data), "it") == data
        assert anything.decode(data, "it") == freeze(data)

    def test_type_variables_stand_for_their_codecs(self) -> None:
        """A bound type variable is written and read by the codec that it is bound to."""
        repeated: Any = tuple[B, ...]  # type: ignore[valid-type]  # bound by the codec, not by mypy
        assert codec(repeated, "it", bindings={B: codec(date)}).encode((date(2024, 2, 3),), "it") == ["2024-02-03"]

    def test_messages_survive(self) -> None:
        """The package's own values are written by the same rules."""
        message = Message("tool", "Hello", calls=(ToolCall("1", "add", "{"),), call_id="1")
        assert survive(Message, message) == message
        assert survive(Message, evolve(message, calls=())) == evolve(message, calls=())
