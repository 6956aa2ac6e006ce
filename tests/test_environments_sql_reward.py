"""The reward: multisets, order, and the corners that InterCode's definition leaves."""

import math
from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tinysmith.environments._sql_reward import kendall_tau, likeness

rows = st.lists(st.sampled_from(["(1,)", "(2,)", "(3,)", "('a',)", "(None,)"]), max_size=12)


def tau_of_all_pairs(left: list[str], right: list[str]) -> float | None:
    """Kendall's definition, pair by pair."""
    score = left_pairs = right_pairs = 0
    for one, other in combinations(range(len(left)), 2):
        x = (left[one] > left[other]) - (left[one] < left[other])
        y = (right[one] > right[other]) - (right[one] < right[other])
        score += x * y
        left_pairs += x * x
        right_pairs += y * y
    return score / math.sqrt(left_pairs * right_pairs) if left_pairs and right_pairs else None


class TestKendallTau:
    @given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=20))
    def test_definition(self, pairs: list[tuple[str, str]]) -> None:
        """The fast count agrees with counting every pair."""
        left, right = [one for one, _ in pairs], [other for _, other in pairs]
        expected = tau_of_all_pairs(left, right)
        found = kendall_tau(left, right)
        assert (found is None) == (expected is None)
        assert found is None or expected is None or math.isclose(found, expected, abs_tol=1e-12)

    def test_reversed(self) -> None:
        """The reversed order is -1."""
        assert kendall_tau(["1", "2", "3"], ["3", "2", "1"]) == -1.0

    def test_large(self) -> None:
        """Ten thousand rows in their order are exactly 1."""
        many = [str(number % 7000) for number in range(10_000)]
        assert kendall_tau(many, many) == 1.0


class TestLikeness:
    @given(rows)
    def test_same(self, some: list[str]) -> None:
        """A result is worth exactly 1 against itself."""
        assert likeness(some, some).score == 1.0

    @given(rows, rows)
    def test_range(self, mine: list[str], theirs: list[str]) -> None:
        """The score lies between -1 and 1, and is 1 only for the same rows."""
        found = likeness(mine, theirs)
        assert -1.0 <= found.score <= 1.0
        assert found.score < 1.0 or Counter(mine) == Counter(theirs)

    @given(rows, rows)
    def test_iou(self, mine: list[str], theirs: list[str]) -> None:
        """The rows' part does not depend on order or side."""
        assert likeness(mine, theirs).iou == likeness(theirs[::-1], mine[::-1]).iou

    def test_empty(self) -> None:
        """Two empty results are the same; an empty one and another have nothing in common."""
        assert likeness([], []).score == 1.0
        assert likeness([], ["(1,)"]).score == likeness(["(1,)"], []).score == 0.0

    def test_no_rows(self) -> None:
        """An output that is no list of rows is worth 0, also against an empty reference."""
        assert likeness(None, []).score == 0.0

    def test_counts(self) -> None:
        """Rows count as often as they occur."""
        assert likeness(["(1,)", "(1,)"], ["(1,)"]).iou == 0.5
        assert likeness(["(1,)", "(2,)"], ["(1,)", "(3,)"]).score == 0.33

    def test_order(self) -> None:
        """The same rows backwards are worth -1."""
        found = likeness(["(1,)", "(2,)"], ["(2,)", "(1,)"])
        assert (found.score, found.iou, found.tau) == (-1.0, 1.0, -1.0)

    def test_never_rounded_to_solved(self) -> None:
        """999 rows of 1000 are worth 0.99, not 1."""
        reference = [f"({number:04},)" for number in range(1000)]
        assert likeness(reference[:-1], reference).score == 0.99
