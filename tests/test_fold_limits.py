"""The fold: a limit that is reached ends the run with its name, and the work done until then is kept."""

from hypothesis import given
from hypothesis import strategies as st
from sketches import Ballot, Count, Look, Lookup, Once, Pad, Refine, Round, Spin, Writer, has_left

from tinysmith import Done, Failed, Halt, Limits, Observation, Position, Reply, Result, Strategy, Usage
from tinysmith.messages import Event


def after(strategy: Strategy[Pad], limits: Limits | None, *events: Event, left: int = 9) -> Position[Pad]:
    """The position after these events."""
    position = strategy.start(Pad(left=left), limits)
    for event in events:
        position = strategy.advance(position, event)
    return position


def outcome(position: Position[Pad]) -> str:
    """How the run ended; empty while it has not."""
    return "" if position.done is None else position.done.outcome


def paid(text: str, usd: float | None, *, seconds: float = 0.0, answers: str = "") -> Reply:
    """A reply of twenty tokens that costs money and time."""
    return Reply(text, usage=Usage(10, 10, usd), elapsed_s=seconds, answers=answers)


class TestMaxAsks:
    def test_ends_the_run(self) -> None:
        """The ask that would be one too many is not made; the board is kept."""
        position = after(Refine(), Limits(max_asks=2), Reply("a"), Reply("b"))
        assert position.done == Done("max_asks", node="writer")
        assert (position.board.lines, position.spent.asks, position.step) == (("a", "b"), 2, 2)

    def test_counts_those_asked_again(self) -> None:
        """A reply asked again counts as another ask."""
        assert outcome(after(Once(), Limits(max_asks=1), Reply("bad"))) == "max_asks"

    def test_counts_every_seat(self) -> None:
        """A panel is not begun where there are not asks enough for all its seats."""
        position = after(Ballot(), Limits(max_asks=1))
        assert (outcome(position), position.spent.asks) == ("max_asks", 0)
        assert outcome(after(Ballot(), Limits(max_asks=2))) == ""

    def test_seats_asked_again_count(self) -> None:
        """A seat that is asked again counts too, and the kept replies of the others are dropped at the end."""
        events = (Reply("aye", answers="vote[0]"), Reply("bad", answers="vote[1]"))
        position = after(Ballot(), Limits(max_asks=2), *events)
        assert (outcome(position), position.heard) == ("max_asks", ())
        assert outcome(after(Ballot(), Limits(max_asks=3), *events)) == ""


class TestMaxSteps:
    def test_ends_the_run(self) -> None:
        """The environment is not acted on once too often; what was seen is kept."""
        position = after(Look(), Limits(max_steps=2), Observation("one"), Observation("two"))
        assert (outcome(position), position.board.lines, position.spent.steps) == ("max_steps", ("one", "two"), 2)


class TestMaxCalls:
    def test_ends_the_run(self) -> None:
        """A tool is not called once too often; what it returned is kept."""
        position = after(Lookup(), Limits(max_calls=2), Result("one"), Result("two"))
        assert (outcome(position), position.board.lines, position.spent.calls) == ("max_calls", ("one", "two"), 2)


class TestMaxHops:
    @given(hops=st.integers(1, 60), left=st.integers(0, 60))
    def test_ends_a_cycle_of_rules(self, hops: int, left: int) -> None:
        """A cycle that asks nobody ends after exactly so many hops, and never sooner."""
        position = after(Spin(), Limits(max_hops=hops), left=left + 1)
        needed = left + 1
        assert outcome(position) == ("done" if needed <= hops else "max_hops")
        assert len(position.hops) == min(needed, hops)

    def test_counts_since_the_last_answer(self) -> None:
        """Every answered request gives a run its hops anew."""
        results = [Result(str(number)) for number in range(6)]
        assert outcome(after(Lookup(), Limits(max_hops=2), *results)) == ""
        assert outcome(after(Lookup(), Limits(max_hops=1), Result("one"))) == "max_hops"

    def test_counts_the_failure_edge(self) -> None:
        """The hop along a failure edge is a hop."""
        position = after(Fallen(), Limits(max_hops=1), Failed("server", "No."))
        assert (outcome(position), len(position.hops)) == ("max_hops", 1)


class Fallen(Strategy[Pad]):
    """A failing writer leads to a cycle of rules."""

    writer = Writer()
    count = Count()
    done = Halt()

    initial = writer
    edges = (writer.to(done), writer.on_failure(count), count.to(count, when=has_left), count.to(done))


class TestMaxTotalTokens:
    def test_ends_the_run(self) -> None:
        """No model is asked once the tokens read and written are used up."""
        position = after(Refine(), Limits(max_total_tokens=40), paid("a", 0.0), paid("b", 0.0))
        assert (outcome(position), position.spent.tokens, position.board.lines) == (
            "max_total_tokens",
            40,
            ("a", "b"),
        )
        assert outcome(after(Refine(), Limits(max_total_tokens=41), paid("a", 0.0), paid("b", 0.0))) == ""

    def test_a_reply_that_leads_to_a_halt_counts(self) -> None:
        """A reply that uses up the tokens is still taken, and may lead to a halt."""
        assert outcome(after(Once(), Limits(max_total_tokens=5), paid("a", 0.0))) == "done"

    def test_asking_again_counts(self) -> None:
        """A bad reply that uses up the tokens is not asked again."""
        assert outcome(after(Once(), Limits(max_total_tokens=5), paid("bad", 0.0))) == "max_total_tokens"

    def test_stops_the_environment_too(self) -> None:
        """With the tokens used up, the environment is not acted on."""
        votes = (paid("aye", 0.0, answers="vote[0]"), paid("nay", 0.0, answers="vote[1]"))
        position = after(Round(), Limits(max_total_tokens=41), paid("a", 0.0), *votes)
        assert (outcome(position), position.node, position.spent.steps) == ("max_total_tokens", "eye", 0)


class TestMaxCost:
    def test_ends_the_run(self) -> None:
        """No model is asked once the money is spent."""
        position = after(Refine(), Limits(max_cost_usd=0.3), paid("a", 0.1), paid("b", 0.2))
        assert (outcome(position), position.error) == ("max_cost_usd", None)
        assert position.spent.cost_usd == 0.3
        assert outcome(after(Refine(), Limits(max_cost_usd=0.31), paid("a", 0.1), paid("b", 0.2))) == ""

    def test_unknown_price(self) -> None:
        """A reply whose price is not known ends a run that has this limit, and the error says what to do."""
        position = after(Refine(), Limits(max_cost_usd=9), paid("a", None))
        assert (outcome(position), position.board.lines) == ("max_cost_usd", ("a",))
        assert position.error is not None
        assert position.error.kind == "unknown_price"
        assert "Give the LLM its price per token." in position.error.message

    def test_unknown_price_without_the_limit(self) -> None:
        """Without this limit an unknown price ends nothing, and the cost stays unknown ever after."""
        position = after(Refine(), Limits(), paid("a", None), paid("b", 0.5))
        assert (outcome(position), position.spent.cost_usd) == ("", None)

    def test_a_reply_that_leads_to_a_halt_counts(self) -> None:
        """A reply that spends the last money, even an unknown sum, is still taken."""
        assert outcome(after(Once(), Limits(max_cost_usd=1), paid("a", None))) == "done"


class TestMaxSeconds:
    def test_ends_the_run(self) -> None:
        """No request is made once the seconds of waiting are used up."""
        events = (paid("a", 0.0, seconds=1.5), paid("b", 0.0, seconds=1.5))
        position = after(Refine(), Limits(max_seconds=3), *events)
        assert (outcome(position), position.spent.seconds, position.board.lines) == (
            "max_seconds",
            3.0,
            ("a", "b"),
        )
        assert outcome(after(Refine(), Limits(max_seconds=3.1), *events)) == ""

    def test_stops_tools_too(self) -> None:
        """With the time used up, no tool is called."""
        position = after(Lookup(), Limits(max_seconds=3), Result("one", elapsed_s=3.0))
        assert (outcome(position), position.node, position.spent.calls) == ("max_seconds", "fetch", 1)

    def test_time_up_while_waiting(self) -> None:
        """A request that was cut off because the time was up ends the run under the limit's name."""
        failed = Failed("max_seconds", "The run's time is up.", elapsed_s=2.0)
        position = after(Refine(), Limits(max_seconds=2), Reply("a"), failed)
        assert (outcome(position), position.error, position.node) == ("max_seconds", failed, "critic")
        assert position.board.lines == ("a",)


class TestNoLimits:
    def test_none_ends_a_run(self) -> None:
        """A bare start has no limits: bad replies and hops are forgiven without end."""
        position = after(Once(), None, *[Reply("bad", usage=Usage(10**9, 0, 10.0**6))] * 200)
        assert (outcome(position), position.spent.errors) == ("", 200)
        assert outcome(after(Spin(), None, left=9_000)) == "done"
