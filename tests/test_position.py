"""Where a run stands, and why an edge was taken."""

import pytest

from tinysmith import Act, Ask, Done, Hop, Limits, Message, Position


@pytest.mark.parametrize(
    ("hop", "why"),
    [
        (Hop("a", 0, (), "b"), ""),
        (Hop("a", 0, (("is_even", True),), "b"), "is_even"),
        (Hop("a", 1, (("is_even", False), ("is_big", True)), "b"), "is_big"),
        (Hop("a", 1, (("is_even", False),), "b"), "otherwise"),
        (Hop("a", -1, (), "b"), "failed"),
    ],
)
class TestHop:
    def test_why(self, hop: Hop, why: str) -> None:
        """An edge is explained by its guard, as the rest, as the failure edge, or not where there is no choice."""
        assert hop.why == why


class TestPosition:
    def test_the_first_request(self) -> None:
        """Of several pending requests, `request` is the first; such a run is not done."""
        first, second = (Ask((Message("user", "?"),), id=f"jury[{seat}]") for seat in range(2))
        position = Position("jury", None, (first, second), Limits())
        assert position.request is first
        assert position.done is None

    def test_a_run_that_waits_is_not_done(self) -> None:
        """A pending action is no end."""
        assert Position("shell", None, (Act("ls"),), Limits()).done is None

    def test_a_run_that_is_over(self) -> None:
        """The end is both the request and `done`."""
        done = Done("solved", success=True)
        position = Position("solved", None, (done,), Limits())
        assert position.request is done
        assert position.done is done
