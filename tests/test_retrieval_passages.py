"""Several rankings made one."""

from hypothesis import given
from hypothesis import strategies as st

from tinysmith.retrieval._passages import fused

RANKINGS = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=6), max_size=5)


class TestFused:
    def test_begins_with_the_best_of_each(self) -> None:
        """What is first in a ranking comes before what is second in all of them."""
        assert fused([[1, 9, 4], [2, 9, 5], [3, 9, 6]], 9) == [1, 2, 3, 9, 4, 5, 6]

    def test_counts_how_often_something_is_named(self) -> None:
        """Of two first ones, the one that another ranking names too comes first."""
        assert fused([[1, 4], [2, 1]], 9) == [1, 2, 4]
        assert fused([[1, 4], [2, 4], [2, 5]], 9) == [2, 1, 4, 5]

    def test_counts_the_places(self) -> None:
        """Of two that are named equally often, the one that is named earlier comes first."""
        assert fused([[1, 2], [2, 8, 1]], 9) == [2, 1, 8]

    def test_keeps_the_rankings_order_where_nothing_else_decides(self) -> None:
        """Equals stand in the order of the rankings."""
        assert fused([[3], [1], [2]], 9) == [3, 1, 2]

    @given(RANKINGS, st.integers(0, 9))
    def test_names_everything_once(self, rankings: list[list[int]], most: int) -> None:
        """Everything is named once, at most so many, and the best of each ranking before any second."""
        everything = {item for ranking in rankings for item in ranking}
        firsts = {ranking[0] for ranking in rankings if ranking}
        whole = fused(rankings, 99)
        assert len(whole) == len(everything)
        assert set(whole) == everything
        assert set(whole[: len(firsts)]) == firsts
        assert fused(rankings, most) == whole[:most]
