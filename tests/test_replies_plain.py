"""Replies of types without parts."""

from contextlib import suppress
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith._replies import read_reply
from tinysmith.errors import ParseError


class Colour(Enum):
    RED = "red"


class TestPlain:
    @pytest.mark.parametrize(
        ("kind", "reply", "value"),
        [
            (Literal["yes", "no"], "yes", "yes"),
            (Literal["yes", "no"], '"no"', "no"),
            (Literal["yes", "no"], "<think>no</think>\n yes ", "yes"),
            (Literal[1, 2], "2", 2),
            (Colour, "red", Colour.RED),
            (int, "42", 42),
            (float | None, "0.5", 0.5),
            (float | None, "null", None),
            (bool, "True", True),
            (str, "hello world", "hello world"),
            (str, "42", "42"),
            (str, '{"a": 1}', '{"a": 1}'),
        ],
    )
    def test_needs_no_json(self, kind: Any, reply: str, value: object) -> None:
        """A value without parts may be replied as it is, with or without quotation marks."""
        assert read_reply(kind, reply) == value

    @pytest.mark.parametrize(
        ("kind", "reply", "said"),
        [
            (Literal["yes", "no"], "Yes.", 'your reply: expected one of "no", "yes", but it is "Yes.".'),
            (Literal["a"], '"x - at `$[0].y`"', 'your reply: expected one of "a", but it is "x - at `$[0].y`".'),
            (int, "true", "your reply: expected a whole number, but it is true."),
            (int, "forty", 'your reply: expected a whole number, but it is "forty".'),
            (bool, "yes", 'your reply: expected true or false, but it is "yes".'),
        ],
    )
    def test_faults(self, kind: Any, reply: str, said: str) -> None:
        """What is no such value is told as it was read, with what to reply."""
        with pytest.raises(ParseError) as caught:
            read_reply(kind, reply)
        assert str(caught.value) == f"{said} Reply with the value alone."

    @given(st.text(), st.sampled_from([Literal["yes"], int, bool, float | None, Colour]))
    def test_always_a_value_or_a_complaint(self, reply: str, kind: Any) -> None:
        """Any text is a value of the type, or is refused."""
        with suppress(ParseError):
            value = read_reply(kind, reply)
            assert value in {None, "yes", Colour.RED} or isinstance(value, int | float)
