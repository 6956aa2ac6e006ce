"""Where a strategy goes round: live-locks and cycles."""

from sketches import Ballot, Look, Pad, Writer, is_good
from small_machines import Cell, Step, is_one

from tinysmith import Failed, Halt, Observation, Panel, Reply, Strategy, World
from tinysmith._sameness import key_of
from tinysmith.exploration import explore


class First(Writer):
    """Keeps the first line that it ever wrote."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return pad if pad.lines else super().parse(pad, reply)


class Stuck(Strategy[Pad]):
    """Goes round for ever, unless the first line is good."""

    writer = First()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(writer))


class Blind(World[Pad]):
    """Sees nothing."""

    def action(self, pad: Pad, /) -> str:
        return "look"

    def observe(self, pad: Pad, seen: Observation, /) -> Pad:
        return pad


class Waiting(Strategy[Pad]):
    """As Stuck, by way of the environment."""

    writer = First()
    eye = Blind()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(eye), eye.to(writer))


class TestLivelock:
    def test_it_is_found_and_told(self) -> None:
        """A position from which nothing leads to a halt is found by its shortest conversation."""
        found = explore(Stuck, has_failures=False)
        assert found.livelock is not None
        assert found.livelock.events == (Reply("fair"),)
        assert "live-lock: after (writer) ×2 no answer leads to a halt any more" in str(found)

    def test_what_ends_anyway_is_none(self) -> None:
        """Where the environment is over, or a seat is lost, the run ends; that is no live-lock."""
        assert explore(Ballot).livelock is None
        seen = explore(
            Look,
            boards=[Pad()],
            observations={"eye": [Observation("x", terminated=True), "good"]},
            replies={"writer": ["y"]},
        )
        assert seen.is_complete
        assert "environment_over" in seen.outcomes
        assert seen.livelock is None

    def test_that_an_environment_may_end_is_no_way_out(self) -> None:
        """A strategy that goes round by a world node for ever is caught, though the environment might end it."""
        found = explore(Waiting, has_failures=False)
        assert "environment_over" in found.outcomes
        assert found.livelock is not None
        assert found.livelock.path == ("writer", "eye")

    def test_it_is_not_said_of_what_was_not_searched(self) -> None:
        """A search that was stopped proves nothing."""
        found = explore(Look, boards=[Pad()], max_positions=5, walks=0)
        assert found.livelock is None
        assert "live-lock: not proved, since the search is not complete" in str(found)

    def test_a_strategy_that_never_reaches_its_halt_is_caught_at_once(self) -> None:
        """Where no run at all ends in a halt, the first position is the live-lock."""
        found = explore(Stuck, replies={"writer": ["fair"]}, has_failures=False)
        assert found.livelock is not None
        assert found.livelock.events == ()


class TestCycle:
    def test_it_ends_where_it_was_before(self) -> None:
        """The conversation of a cycle comes to one position twice, the last time at its end."""
        told = explore(Stuck).cycle()
        assert told is not None
        keys = [key_of(position) for position in told.positions()]
        assert keys[-1] in keys[:-1]
        assert "worst case: none: a run may be where it was before, after " in str(explore(Stuck))

    def test_it_goes_on_where_a_reply_is_taken(self) -> None:
        """Of two replies that lead to the same position, the one that is only asked for again is no way round."""

        class Loop(Strategy[Cell]):
            left = Step((None, 0, None, None, None, None))
            done = Halt()
            initial = left
            edges = (left.to(done, when=is_one), left.to(left))

        told = explore(Loop, has_failures=False).cycle()
        assert told is not None
        assert told.events == (Reply("y"),)

    def test_a_kind_of_node_can_be_avoided(self) -> None:
        """A cycle that comes by a world node is none where those are left out."""

        class Gaze(Strategy[Pad]):
            eye = Blind()
            initial = eye
            edges = (eye.to(eye),)

        found = explore(Gaze, has_failures=False, observations={"eye": ["a", Failed("environment", "gone")]})
        assert found.cycle() is not None
        assert found.cycle(avoiding=World) is None
        assert found.cycle(avoiding=Panel) is not None
        assert found.most is None
        assert found.livelock is None
