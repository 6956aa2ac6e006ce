"""Values of types for searches: the same every time."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import pytest
from attrs import field, frozen
from attrs.validators import ge
from sketches import Fetch, Pad

from tinysmith import Tool
from tinysmith._generated import (
    CannotGenerateError,
    drawn,
    result_type,
    result_values,
    smallest,
    typed_texts,
    values,
)

R = TypeVar("R")


@frozen
class Score:
    """From ten on."""

    points: int = field(validator=ge(10))


@frozen
class Sure:
    """From ten on, or it is a bug."""

    points: int

    def __attrs_post_init__(self) -> None:
        assert self.points >= 10


class Asker(Tool[Pad, R], Generic[R]):
    """A tool of any result, over one board."""

    def arguments(self, pad: Pad, /) -> Mapping[str, Any]:
        return {}

    def receive(self, pad: Pad, result: R, /) -> Pad:
        return pad


class Counting(Asker[int]):
    """Binds the result, a class further down."""


class Recounting(Counting):
    """Binds nothing more."""


class Anything(Asker[Any]):
    """Says that it may be anything."""


class TestValues:
    def test_they_are_different_and_the_same_every_time(self) -> None:
        """Two calls give the same values, none twice, no more than wanted."""
        once, again = values(int, 5, what="numbers"), values(int, 5, what="numbers")
        assert once == again
        assert len(set(once)) == len(once) <= 5
        assert all(type(value) is int for value in once)

    def test_what_a_validator_refuses_is_left_out(self) -> None:
        """Only values that can be made are given."""
        made = drawn(lambda strategies: strategies.builds(Score, strategies.integers(0, 20)), 4, what="scores")
        assert made
        assert all(score.points >= 10 for score in made)

    def test_a_class_may_refuse_values_with_anything(self) -> None:
        """What a class refuses by an assertion, or by any error, is left out as well."""
        made = drawn(lambda strategies: strategies.builds(Sure, strategies.integers(0, 20)), 4, what="numbers")
        assert made
        assert all(sure.points >= 10 for sure in made)

    def test_what_has_no_values_is_told(self) -> None:
        """Where Hypothesis can make nothing, the message says of what."""
        with pytest.raises(CannotGenerateError, match="No things could be generated"):
            drawn(lambda strategies: strategies.nothing(), 3, what="things")
        with pytest.raises(CannotGenerateError, match=r"No numbers could be generated: .*max_value"):
            drawn(lambda strategies: strategies.integers(3, 1), 3, what="numbers")

    def test_typed_texts_are_json(self) -> None:
        """Values of a reply type are given as JSON."""
        assert set(typed_texts(bool, 6)) == {"true", "false"}

    def test_the_smallest_is_found(self) -> None:
        """The simplest value for which something holds is given, and None where there is none."""
        assert smallest(lambda strategies: strategies.integers(), lambda n: n > 3, what="numbers") == 4
        assert smallest(lambda strategies: strategies.integers(0, 3), lambda n: n > 3, what="numbers") is None

    def test_without_hypothesis_they_cannot_be_made(self) -> None:
        """Where Hypothesis is not installed, the message names the package, and what to do without it."""
        code = """
import sys
sys.modules["hypothesis"] = None  # as if it were not installed
from tinysmith._generated import values
values(int, 3, what="numbers")
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "To generate numbers, install the package hypothesis; or give some." in done.stderr


class TestResultType:
    def test_it_is_what_the_binding_class_says(self) -> None:
        """The type is found where it is bound, however far up; where it is open or Any, there is none."""
        assert result_type(Fetch()) is str
        assert result_type(Counting()) is int
        assert result_type(Recounting()) is int
        assert result_type(Anything()) is None
        assert result_type(Asker()) is None

    def test_a_tool_without_one_returns_texts(self) -> None:
        """Values fit the type; texts stand for what has none."""
        assert result_values(Anything(), 6) == ("", "a result")
        assert all(type(value) is int for value in result_values(Recounting(), 6))
