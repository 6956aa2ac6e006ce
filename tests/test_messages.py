"""Requests and events: values that do not change, and what they cost together."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import (
    Act,
    Ask,
    Call,
    Done,
    Failed,
    FrozenDict,
    Message,
    Observation,
    Reply,
    Result,
    ToolCall,
    Usage,
)
from tinysmith.messages import FREE

EVERY: list[Any] = [
    ToolCall("1", "add", "{}"),
    Message("user", "Hello", calls=(ToolCall("1", "add", "{}"),), call_id="1"),
    Usage(1, 2, 0.5),
    Ask((Message("user", "Hello"),)),
    Act("ls"),
    Call({"query": ["a", {"b": 1}]}),
    Done("solved", success=True),
    Reply("Hello"),
    Observation("Hello", info={"exit": [1, 2]}),
    Result(3),
    Failed("tool", "It broke."),
]

TOKENS = st.integers(0, 10**9)
USAGES = st.builds(Usage, TOKENS, TOKENS, st.none() | st.integers(0, 10**6).map(float))


@pytest.mark.parametrize("value", EVERY, ids=lambda value: type(value).__name__)
class TestValues:
    def test_they_do_not_change(self, value: Any) -> None:
        """No attribute of a request or an event can be set."""
        for part in attrs.fields(type(value)):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(value, part.name, None)

    def test_they_are_compared_by_value(self, value: Any) -> None:
        """A twin is equal, hashes alike, and has no attribute that the first has not."""
        twin = attrs.evolve(value)
        assert twin is not value
        assert twin == value
        assert hash(twin) == hash(value)

    def test_they_keep_no_dictionary(self, value: Any) -> None:
        """They are slotted, so a misspelt attribute cannot be added and a long run stays small."""
        assert not hasattr(value, "__dict__")


class TestUsage:
    @given(USAGES, USAGES, USAGES)
    def test_the_order_of_adding_does_not_matter(self, one: Usage, two: Usage, three: Usage) -> None:
        """A sum is the same whichever way it is added."""
        assert one + two == two + one
        assert (one + two) + three == one + (two + three)

    @given(USAGES)
    def test_what_is_free_adds_nothing(self, usage: Usage) -> None:
        """A scripted reply changes no sum."""
        assert usage + FREE == usage

    @given(USAGES, USAGES)
    def test_an_unknown_price_makes_the_sum_unknown(self, one: Usage, two: Usage) -> None:
        """The sum has a price exactly if both parts have one; its tokens always count."""
        total = one + two
        assert (total.cost_usd is None) == (one.cost_usd is None or two.cost_usd is None)
        assert total.tokens == one.tokens + two.tokens

    def test_a_price_of_nothing_is_known(self) -> None:
        """Zero is a price; None is none."""
        assert (FREE + FREE).cost_usd == 0.0
        assert Usage().cost_usd is None


class TestJsonInEvents:
    def test_arguments_are_frozen(self) -> None:
        """A call's arguments are immutable at every depth."""
        assert Call({"query": ["a", {"b": 1}]}).arguments == FrozenDict(query=("a", FrozenDict(b=1)))

    def test_info_is_frozen(self) -> None:
        """An observation's info is immutable at every depth."""
        assert Observation("", info={"exit": [1]}).info["exit"] == (1,)

    @pytest.mark.parametrize("data", [{"a": {1}}, {1: "a"}, {"a": b""}])
    def test_what_is_no_json_is_refused(self, data: Any) -> None:
        """Arguments and info that could not be journaled are refused when they are made."""
        with pytest.raises(TypeError):
            Call(data)
        with pytest.raises(TypeError):
            Observation("", info=data)


class TestFailed:
    def test_the_kinds_that_end_a_run_are_no_field(self) -> None:
        """What every failure has in common is on the class, not in each event."""
        assert {part.name for part in attrs.fields(Failed)} == {"kind", "message", "answers", "elapsed_s"}
        assert {"recording_over", "max_seconds"} == Failed.ENDS_RUN
