"""The fold: what failed for good follows a failure edge, or ends the run with its error and its board."""

import pytest
from attrs import evolve
from sketches import Brief, Look, Lookup, Once, Pad, Refine, Rescue

from tinysmith import (
    Act,
    Ask,
    Done,
    Edge,
    Failed,
    Halt,
    Limits,
    Observation,
    Position,
    Reply,
    Strategy,
)
from tinysmith.errors import BoardError
from tinysmith.messages import Event

NO = Failed("server", "It is down.")
LONG = Failed("context_overflow", "The prompt is too long.")


class Stubborn(Brief):
    """Shortens a board to what it was."""

    def shorten(self, pad: Pad, /) -> Pad | None:
        return pad


class Muddled(Brief):
    """Shortens a board to no board."""

    def shorten(self, pad: Pad, /) -> Pad | None:
        return "short"  # type: ignore[return-value]  # the mistake that is tested


class Long(Once):
    """Its agent shortens nothing, but says that it does."""

    writer = Stubborn()


class Muddle(Once):
    """Its agent shortens wrongly."""

    writer = Muddled()


class Fallback(Strategy[Pad]):
    """A writer whose failure leads to a second one, whose failure leads back."""

    writer = Stubborn()
    spare = Stubborn()
    done = Halt()

    initial = writer
    edges: tuple[Edge[Pad], ...] = (
        writer.to(done),
        writer.on_failure(spare),
        spare.to(done),
        spare.on_failure(writer),
    )


def after(strategy: Strategy[Pad], *events: Event, limits: Limits | None = None) -> Position[Pad]:
    """The position after these events."""
    position = strategy.start(Pad(left=1), limits)
    for event in events:
        position = strategy.advance(position, event)
    return position


def way(position: Position[Pad]) -> list[tuple[str, str]]:
    """Where the last hops led, and why."""
    return [(hop.target, hop.why) for hop in position.hops]


class TestWithoutFailureEdge:
    @pytest.mark.parametrize(
        ("strategy", "outcome"),
        [(Once(), "model_failed"), (Look(), "environment_lost"), (Lookup(), "tool_failed")],
    )
    def test_ends_the_run(self, strategy: Strategy[Pad], outcome: str) -> None:
        """A failure ends the run with the name of what failed; board and error are kept."""
        position = after(strategy, NO)
        assert position.done == Done(outcome, node=position.node)
        assert (position.error, position.board, position.hops) == (NO, Pad(left=1), ())

    def test_keeps_the_work(self) -> None:
        """The board of a run that fails is the one before the failure."""
        assert after(Refine(), Reply("line"), NO).board.lines == ("line",)

    @pytest.mark.parametrize("kind", ["recording_over", "max_seconds"])
    @pytest.mark.parametrize("strategy", [Once(), Look(), Lookup(), Rescue()])
    def test_some_kinds_are_outcomes(self, strategy: Strategy[Pad], kind: str) -> None:
        """A used-up recording or time is the outcome itself, whatever the node and its failure edge."""
        position = after(strategy, Failed(kind, "Over."))
        assert position.done is not None
        assert position.done.outcome == kind
        assert position.error == Failed(kind, "Over.")


class TestFailureEdge:
    def test_is_taken(self) -> None:
        """A failure follows its edge and the edges behind it; the run goes on, and its error is forgotten."""
        strategy = Rescue()
        position = strategy.advance(strategy.start(Pad(left=5)), NO)
        assert way(position) == [("count", "failed"), ("writer", "has_left")]
        assert [hop.index for hop in position.hops] == [-1, 0]
        assert (position.error, position.done, position.node) == (None, None, "writer")

    def test_to_a_halt(self) -> None:
        """A failure edge may lead to a halt."""
        votes = (Reply("aye", answers="vote[0]"), Reply("nay", answers="vote[1]"))
        position = after(Rescue(), Reply("line"), *votes, Failed("environment", "Gone."))
        assert position.done == Done("rescued", node="rescued")
        assert position.error is None

    def test_is_not_taken_by_a_reply(self) -> None:
        """A failure edge is no way out for a reply, however bad."""
        assert after(Fallback(), Reply("bad")).node == "writer"
        assert after(Fallback(), Reply("line")).node == "done"

    def test_cycle_of_failures_ends(self) -> None:
        """Failures that lead in a circle end at the limit on asks."""
        position = after(Fallback(), *[NO] * 4, limits=Limits(max_asks=4))
        assert position.done is not None
        assert (position.done.outcome, position.spent.asks) == ("max_asks", 4)


class TestContextOverflow:
    def test_asks_once_for_a_shorter_board(self) -> None:
        """An agent that overflows is asked for a shorter board, and asks again with it."""
        strategy = Refine()
        position = strategy.start(Pad(("old", "older"), left=1))
        shorter = strategy.advance(position, LONG)
        assert (shorter.board.lines, shorter.shortened, shorter.error, shorter.hops) == ((), True, None, ())
        assert isinstance(shorter.request, Ask)
        assert (shorter.request.messages[0].content, shorter.request.number) == ("Write line 0.", 1)

    def test_once_only(self) -> None:
        """An agent that overflows again is not asked for a shorter board again."""
        position = after(Long(), LONG, LONG)
        assert position.done == Done("context_overflow", node="writer")
        assert position.error == LONG

    def test_anew_at_the_next_node(self) -> None:
        """Every time that a run comes to a node it may ask for a shorter board once."""
        position = after(Fallback(), LONG, LONG)
        assert (position.node, position.shortened) == ("spare", False)
        assert after(Fallback(), LONG, LONG, LONG).shortened

    def test_without_shorten(self) -> None:
        """An agent that has no shorter board ends the run as context_overflow."""
        assert after(Refine(), LONG).done == Done("context_overflow", node="writer")

    def test_follows_the_failure_edge(self) -> None:
        """An overflow that cannot be helped is a failure, and follows the failure edge."""
        assert way(after(Rescue(), LONG)) == [("count", "failed"), ("gave_up", "otherwise")]

    def test_counts_as_an_ask(self) -> None:
        """Asking with the shorter board counts against the limit on asks."""
        position = after(Long(), LONG, limits=Limits(max_asks=1))
        assert position.done is not None
        assert position.done.outcome == "max_asks"

    def test_no_board(self) -> None:
        """A shorten() that gives no board is refused."""
        with pytest.raises(BoardError, match=r"Muddle\.writer, step 1: shorten\(\) gave a str, not a Pad"):
            after(Muddle(), LONG)

    @pytest.mark.parametrize(("strategy", "outcome"), [(Look(), "environment_lost"), (Lookup(), "tool_failed")])
    def test_of_what_has_no_context(self, strategy: Strategy[Pad], outcome: str) -> None:
        """An overflow told of an environment or a tool is a failure like any other."""
        position = after(strategy, LONG)
        assert position.done is not None
        assert position.done.outcome == outcome


class TestEndOfTheEnvironment:
    @pytest.mark.parametrize("seen", [Observation("last", terminated=True), Observation("last", truncated=True)])
    def test_a_reflection_may_still_be_written(self, seen: Observation) -> None:
        """After the last observation edges are followed as usual; only acting once more ends the run."""
        position = after(Look(), seen)
        assert isinstance(position.request, Ask)
        assert position.over
        last = Look().advance(position, Reply("what I learnt"))
        assert last.done == Done("environment_over", node="eye")
        assert last.board.lines == ("last", "what I learnt")
        assert last.error is None

    def test_a_halt_comes_first(self) -> None:
        """An episode that is over may still end in a halt."""
        position = after(Look(), Observation("good", terminated=True))
        assert position.done == Done("found", success=True, node="found")

    def test_over_stays_over(self) -> None:
        """An environment that was once over stays so, whatever later observations say."""
        position = after(Look(), Observation("one"))
        assert isinstance(position.request, Act)
        assert not position.over
        over = evolve(position, over=True)
        assert Look().advance(over, Observation("two")).done == Done("environment_over", node="eye")
