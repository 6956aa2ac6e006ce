"""`FrozenDict`, and freezing and thawing JSON data."""

import copy
import pickle
from collections.abc import Hashable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import FrozenDict
from tinysmith.mapping import EMPTY, freeze, thaw

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON_DATA: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
DICTS = st.dictionaries(st.text() | st.integers(), st.integers())


def is_frozen(value: Any) -> bool:
    """Whether nothing in it can change in place."""
    if isinstance(value, FrozenDict):
        return all(is_frozen(item) for item in value.values())
    if isinstance(value, tuple):
        return all(is_frozen(item) for item in value)
    return value is None or isinstance(value, str | int | float)


class TestFrozenDict:
    @given(DICTS)
    def test_it_holds_what_a_dict_holds(self, items: dict[Any, int]) -> None:
        """It has the items of the dict that it was made of, in the same order."""
        frozen: FrozenDict[Any, int] = FrozenDict(items)
        assert list(frozen.items()) == list(items.items())
        assert len(frozen) == len(items)
        assert frozen == items

    @given(DICTS, st.randoms())
    def test_order_is_kept_but_does_not_count(self, items: dict[Any, int], random: Any) -> None:
        """Two of the same items are equal and hash alike, whatever their order."""
        pairs = list(items.items())
        random.shuffle(pairs)
        assert list(FrozenDict(pairs)) == [key for key, _ in pairs]
        assert FrozenDict(pairs) == FrozenDict(items)
        assert hash(FrozenDict(pairs)) == hash(FrozenDict(items))

    @given(DICTS)
    def test_copies_are_equal(self, items: dict[Any, int]) -> None:
        """It pickles and copies, keeping its order."""
        frozen: FrozenDict[Any, int] = FrozenDict(items)
        for twin in (copy.copy(frozen), copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):
            assert type(twin) is FrozenDict
            assert list(twin.items()) == list(frozen.items())

    def test_it_does_not_change(self) -> None:
        """Neither an attribute nor an item can be set, and its source is copied."""
        source = {"a": 1}
        frozen: Any = FrozenDict(source)
        source["b"] = 2
        assert frozen == {"a": 1}
        with pytest.raises(AttributeError, match="does not change; make a new one instead of setting '_items'"):
            frozen._items = {}
        with pytest.raises(TypeError):
            frozen["a"] = 2
        with pytest.raises(TypeError):
            del frozen["a"]
        assert frozen == {"a": 1}

    def test_its_text_shows_its_items(self) -> None:
        """Its repr is the expression that makes it."""
        assert repr(FrozenDict({"a": 1}, b=2)) == "FrozenDict({'a': 1, 'b': 2})"

    def test_a_missing_key(self) -> None:
        """A key that is not there raises, as in every mapping."""
        frozen: FrozenDict[str, int] = FrozenDict({"a": 1})
        with pytest.raises(KeyError):
            frozen["b"]
        assert "b" not in frozen


class TestFreeze:
    @given(JSON_DATA)
    def test_thawing_undoes_it(self, data: Any) -> None:
        """Thawed again, frozen data is the data that it was."""
        assert thaw(freeze(data)) == data

    @given(JSON_DATA)
    def test_nothing_frozen_can_change(self, data: Any) -> None:
        """At every depth there are only immutable values, so the whole can be hashed."""
        frozen = freeze(data)
        assert is_frozen(frozen)
        assert isinstance(frozen, Hashable)
        assert isinstance(hash(frozen), int)

    @given(JSON_DATA)
    def test_twice_is_once(self, data: Any) -> None:
        """Frozen data freezes to itself."""
        assert freeze(freeze(data)) == freeze(data)

    def test_nothing_is_copied_for_nothing(self) -> None:
        """The empty mapping that most events carry is passed through."""
        assert freeze(EMPTY) is EMPTY

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({1: "a"}, "1 is no text, so it cannot be a key of JSON data"),
            ({"a": [{None: 1}]}, "None is no text"),
            ({1, 2}, "a set is no JSON data"),
            ([b"a"], "a bytes is no JSON data"),
            ({"a": object()}, "a object is no JSON data"),
        ],
    )
    def test_what_is_no_json_is_refused(self, value: Any, message: str) -> None:
        """Anything that JSON could not hold is refused, at every depth."""
        with pytest.raises(TypeError, match=message):
            freeze(value)
