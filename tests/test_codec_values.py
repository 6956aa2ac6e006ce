"""Which values and which data fit a type: everything else is refused with the path, and nothing is coerced."""

import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Literal

import attrs
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import FrozenDict, Limits
from tinysmith._codec import codec
from tinysmith._scalars import MisfitError


class Mood(StrEnum):
    GOOD = "good"


class Level(IntEnum):
    LOW = 1


@frozen
class Leaf:
    size: int = 0


@frozen
class Other:
    size: int = 0


MISFITS: list[tuple[Any, Any, str]] = [
    (bool, "false", "it holds 'false', which is no bool"),
    (bool, 1, "it holds 1, which is no bool"),
    (int, 1.0, "it holds 1.0, which is no int"),
    (int, True, "it holds True, which is no int"),
    (int, Level.LOW, "which is no int"),
    (float, True, "it holds True, which is no float"),
    (float, "1", "it holds '1', which is no float"),
    (str, b"a", "it holds b'a', which is no str"),
    (str, Mood.GOOD, "which is no str"),
    (bytes, "a", "it holds 'a', which is no bytes"),
    (type(None), 0, "it holds 0, which is no NoneType"),
    (date, datetime(2024, 2, 3), "which is no date"),
    (datetime, date(2024, 2, 3), "which is no datetime"),
    (Decimal, 1, "it holds 1, which is no Decimal"),
    (Mood, "good", "it holds 'good', which is no Mood"),
    (Level, 1, "it holds 1, which is no Level"),
    (Literal["a", 1], True, "it holds True, which is none of ('a', 1)"),
    (Literal["a", 1], "b", "it holds 'b', which is none of"),
    (tuple[int, ...], [1], "it holds [1], which is no tuple"),
    (tuple[int, ...], (1, "2"), "it[1] holds '2', which is no int"),
    (tuple[int, str], (1,), "it has 1 items instead of 2"),
    (tuple[()], (1,), "it has 1 items instead of 0"),
    (FrozenDict[str, int], {"a": 1}, "it holds {'a': 1}, which is no FrozenDict"),
    (FrozenDict[str, int], FrozenDict({"a": "b"}), "holds 'b', which is no int"),
    (Leaf, Other(), "it holds Other(size=0), which is no Leaf"),
    (Leaf, Leaf("1"), "it.size holds '1', which is no int"),  # type: ignore[arg-type]  # what is tested
    (int | str, 1.5, "it holds 1.5, which is none of ['int', 'str']"),
    (int | None, "", "it holds '', which is none of ['NoneType', 'int']"),
    (int | str, None, "it holds None, which is none of ['int', 'str']"),
    (str, b"y" * 200, "it holds b'" + "y" * 75 + "..., which is no str"),
]

DAMAGED: list[tuple[list[Any], list[Any]]] = [
    ([bool, int, bytes, date, Decimal, Mood, Leaf], [[], {}, 1.5, "?", None]),
    ([float], [[], {}, "1", "Infinity", None, True]),
    ([int], ["12", "0x1", " 0x20000000000001 ", "0x20_0000_0000_0001", True, 1.0]),
    ([Mood], [0, "good", "__class__", [[]]]),
    ([timedelta], ["1", "1 2", "a b c", "99999999999999 0 0", "1" * 5000 + " 0 0"]),
    ([date, datetime, time, Decimal], ["", "x", "9:9", 0, []]),
    ([bytes], ["a", "\u00e9", "====", "a b="]),
    ([str], [["a"], [], 1, None]),
    ([Literal["a", 1]], [True, [], {}, None, "b"]),
    ([tuple[int, ...]], [(1,), "12", {"0": 1}, [[1]]]),
    ([tuple[int, str]], [[1], [1, "a", 2], ["a", 1]]),
    ([FrozenDict[str, int]], [{"a": 1}, [["a"]], [["a", 1, 2]], [[["a"], 1]], [1], [["a", 1], ["a", 2]]]),
    ([Leaf], [{}, {"size": 1, "more": 2}, {"Size": 1}, {"size": "1"}, [1]]),
    ([int | str | None], [1, "a", {"int": "a"}, {"float": 1}, {"int": 1, "str": "a"}, {}, []]),
    ([int | str], [None]),
]


class TestMisfits:
    @pytest.mark.parametrize(("hint", "value", "message"), MISFITS, ids=lambda part: ascii(part)[:40])
    def test_a_value_of_another_type_is_refused(self, hint: Any, value: Any, message: str) -> None:
        """Nothing is coerced: a value that is not exactly of its type is refused, with the path to it."""
        with pytest.raises(MisfitError) as caught:
            codec(hint, "it").encode(value, "it")
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        ("hint", "data"),
        [(hint, data) for hints, every in DAMAGED for hint in hints for data in every],
        ids=lambda part: ascii(part)[:40],
    )
    def test_other_data_is_refused(self, hint: Any, data: Any) -> None:
        """Data that this type does not write is refused with its path, and raises nothing else."""
        with pytest.raises(MisfitError, match=r"^it\b"):
            codec(hint, "it").decode(data, "it")

    def test_a_huge_number_in_the_wrong_place(self) -> None:
        """A value that Python itself would not print is refused like any other."""
        with pytest.raises(MisfitError, match=r"^it holds "):
            codec(str, "it").encode(10**5000, "it")


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["int", "0x1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@frozen
class Sink:
    """A board of many types."""

    text: str | int | None
    mood: Mood
    real: float
    gap: timedelta
    table: FrozenDict[int, tuple[Leaf, ...]]
    moment: datetime | date | time
    raw: bytes


SINK = Sink("a", Mood.GOOD, 1.5, timedelta(1), FrozenDict({1: (Leaf(),)}), time(1), b"a")


class TestStrictness:
    @given(st.data())
    def test_damaged_data_never_raises_anything_else(self, data: st.DataObject) -> None:
        """Whatever stands in the place of a field, it is read as a board or refused as a misfit."""
        whole = codec(Sink, "it")
        saved = copy.deepcopy(whole.encode(SINK, "it"))
        name = data.draw(st.sampled_from([part.name for part in attrs.fields(Sink)]))
        saved[name] = data.draw(ANYTHING)
        try:
            board = whole.decode(saved, "it")
        except MisfitError as error:
            message = str(error)
        else:
            message = f"it.{name}"
            assert repr(whole.decode(whole.encode(board, "it"), "it")) == repr(board)  # NaN is not NaN
        assert message.startswith(f"it.{name}")

    def test_a_checker_may_complain_in_its_own_way(self) -> None:
        """A class that refuses its values when it is read is a misfit, not a crash."""
        saved = codec(Limits, "it").encode(Limits(max_asks=1), "it")
        saved["max_asks"] = {"int": 0}
        with pytest.raises(MisfitError, match=r"it is refused by Limits: .*max_asks is 0"):
            codec(Limits, "it").decode(saved, "it")
