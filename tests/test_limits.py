"""How much a run may spend, and what it has spent."""

import math
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Limits
from tinysmith.errors import UsageError
from tinysmith.limits import LIMIT_NAMES, UNLIMITED, Spent

COUNTS = sorted(LIMIT_NAMES - {"max_cost_usd", "max_seconds"})
AMOUNTS = ["max_cost_usd", "max_seconds"]
EVERY = sorted(LIMIT_NAMES)


class TestLimits:
    def test_names(self) -> None:
        """The names of the limits are the outcomes of runs that reach them."""
        assert {part.name for part in attrs.fields(Limits)} == LIMIT_NAMES
        assert all(name.startswith("max_") for name in LIMIT_NAMES)

    def test_the_defaults_end_every_run(self) -> None:
        """By default asks, steps, calls, hops and bad replies are limited; tokens, money and time are not."""
        unlimited = {name for name in LIMIT_NAMES if getattr(Limits(), name) is None}
        assert unlimited == {"max_total_tokens", "max_cost_usd", "max_seconds"}

    def test_unlimited_has_no_limit(self) -> None:
        """A run without limits has none of any kind."""
        assert all(getattr(UNLIMITED, name) is None for name in LIMIT_NAMES)

    @given(st.sampled_from(COUNTS), st.none() | st.integers(1, 10**12))
    def test_counts_are_whole_and_positive(self, name: str, value: int | None) -> None:
        """Any positive whole number is a limit, and None is no limit."""
        options: Any = {name: value}
        assert getattr(Limits(**options), name) == value

    @given(st.sampled_from(AMOUNTS), st.floats(0, 1e12, exclude_min=True) | st.integers(1, 10**12))
    def test_amounts_are_positive(self, name: str, value: float) -> None:
        """Any positive number of dollars or seconds is a limit, however small."""
        options: Any = {name: value}
        assert getattr(Limits(**options), name) == value

    def test_no_error_may_be_forgiven(self) -> None:
        """Of the limits, only that on bad replies may be zero: then the first one ends the run."""
        assert Limits(max_errors=0).max_errors == 0

    @pytest.mark.parametrize("name", EVERY)
    @pytest.mark.parametrize("value", [True, False, "3", [1], -1, -math.inf, math.inf, math.nan])
    def test_other_values_are_refused(self, name: str, value: Any) -> None:
        """What is no number, or could never be reached or is reached before the start, is refused by name."""
        with pytest.raises(UsageError, match=rf"Limits: {name} is .*None for no limit"):
            Limits(**{name: value})

    @pytest.mark.parametrize("name", [name for name in EVERY if name != "max_errors"])
    def test_zero_is_refused(self, name: str) -> None:
        """A limit of zero would end a run before it began."""
        options: Any = {name: 0}
        with pytest.raises(UsageError, match=f"Limits: {name} is 0; give "):
            Limits(**options)

    @pytest.mark.parametrize("name", COUNTS)
    def test_a_part_of_a_count_is_refused(self, name: str) -> None:
        """What is counted has no fractions; a position with one could not be saved."""
        options: Any = {name: 1.5}
        with pytest.raises(UsageError, match=f"Limits: {name} is 1.5; give "):
            Limits(**options)

    @pytest.mark.parametrize("name", AMOUNTS)
    def test_the_remedy_for_an_amount_is_true(self, name: str) -> None:
        """Half a dollar is a sound limit, so the message does not ask for one or more."""
        options: Any = {name: 0}
        with pytest.raises(UsageError) as caught:
            Limits(**options)
        assert "1 or more" not in str(caught.value)


class TestSpent:
    def test_dollars_and_seconds(self) -> None:
        """What is kept in whole small units is read in dollars and seconds."""
        spent = Spent(pico_usd=1_500_000_000_000, elapsed_ns=2_500_000_000)
        assert spent.cost_usd == 1.5
        assert spent.seconds == 2.5

    def test_an_unknown_price(self) -> None:
        """Once the price of a reply was not known, neither is the cost."""
        assert Spent(pico_usd=None).cost_usd is None
        assert Spent().cost_usd == 0
