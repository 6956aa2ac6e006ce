"""What is claimed of every step of a run."""

import pytest
from attrs import evolve
from sketches import Ballot, Lookup, Once, Pad, Refine

from tinysmith import Ask, Hop, Limits, Position, Reply, Result
from tinysmith._referee import Referee
from tinysmith.messages import Event

NO_LIMITS = Limits(max_asks=None, max_steps=None, max_calls=None, max_hops=None)


class Straying(Once):
    """Says that it took an edge which is not there."""

    def advance(self, position: Position[Pad], event: Event) -> Position[Pad]:
        return evolve(super().advance(position, event), hops=(Hop("writer", 7, (), "done"),))


def is_short(position: Position[Pad]) -> bool:
    """At most one line was written."""
    return len(position.board.lines) < 2


class TestCheck:
    def test_limits(self) -> None:
        """More than a limit allows is a failure, just as much is none."""
        position = Ballot().start(Pad(seats=2))
        Referee(Ballot(), (), evolve(NO_LIMITS, max_asks=2)).check(position)
        with pytest.raises(AssertionError, match=r"Ballot\.vote, step 0: 2 asks were spent of at most 1"):
            Referee(Ballot(), (), evolve(NO_LIMITS, max_asks=1)).check(position)

    def test_hops(self) -> None:
        """More hops in a row than the limit allows are a failure."""
        position = Lookup().advance(Lookup().start(Pad()), Result("x"))
        Referee(Lookup(), (), evolve(NO_LIMITS, max_hops=2)).check(position)
        with pytest.raises(AssertionError, match="too many hops"):
            Referee(Lookup(), (), evolve(NO_LIMITS, max_hops=1)).check(position)

    def test_invariants(self) -> None:
        """An invariant that does not hold is a failure, with its name and the board."""
        referee = Referee(Refine(), [is_short], NO_LIMITS)
        referee.check(Refine().start(Pad(("a",))))
        with pytest.raises(AssertionError, match=r"invariant is_short does not hold: Pad\("):
            referee.check(Refine().start(Pad(("a", "b"))))


class TestAdvance:
    def test_only_declared_hops(self) -> None:
        """A hop that the class does not declare is a failure."""
        strategy = Straying()
        position = strategy.start(Pad())
        (request,) = position.requests
        assert isinstance(request, Ask)
        with pytest.raises(AssertionError, match="is no declared edge"):
            Referee(strategy, (), NO_LIMITS).advance(position, request, Reply("x"))
