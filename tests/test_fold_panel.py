"""The fold: a panel's seats are asked at once, taken together, and asked again one by one."""

import itertools
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import Ballot, Pad, Rescue, Vote

from tinysmith import Ask, Failed, Limits, Position, Reply, Strategy, Usage
from tinysmith.errors import EventError
from tinysmith.messages import Event


class Unhappy(Vote):
    """Cannot be made shorter."""

    def shorten(self, pad: Pad, /) -> Pad | None:
        return None


class Full(Ballot):
    """Its panel cannot be made shorter."""

    vote = Unhappy()


def heard(seats: Sequence[Event | str], *, order: Sequence[int] | None = None) -> Position[Pad]:
    """The position after one answer of every seat, in an order of arrival."""
    strategy = Ballot()
    position = strategy.start(Pad(seats=len(seats)), Limits())
    for seat in range(len(seats)) if order is None else order:
        position = strategy.advance(position, addressed(seats[seat], f"vote[{seat}]"))
    return position


def addressed(event: Event | str, answers: str) -> Event:
    """The event as an answer of that seat."""
    match event:
        case str():
            return Reply(event, answers=answers)
        case Failed():
            return Failed(event.kind, event.message, answers=answers)
        case Reply():
            return Reply(event.text, finish=event.finish, answers=answers)
    raise AssertionError(f"{event} answers no seat")


def ids(position: Position[Pad]) -> list[str]:
    """The ids of the pending requests."""
    return [request.id for request in position.requests]


class TestSeats:
    def test_wait_for_each_other(self) -> None:
        """Answers are kept until the last one is there, and then parsed together, in the seats' order."""
        strategy = Ballot()
        first = strategy.advance(strategy.start(Pad(seats=3)), Reply("two", answers="vote[2]"))
        assert (ids(first), first.hops, first.board.lines, first.step) == (["vote[0]", "vote[1]"], (), (), 1)
        assert [asked.id for asked, _ in first.heard] == ["vote[2]"]
        second = strategy.advance(first, Reply("zero", answers="vote[0]"))
        assert [asked.id for asked, _ in second.heard] == ["vote[0]", "vote[2]"]
        last = strategy.advance(second, Reply("one"))
        assert (last.board.lines, last.heard, last.step) == (("zero", "one", "two"), (), 3)

    def test_ten_and_more(self) -> None:
        """Seats are ordered by number, not by the text of their ids."""
        texts = [f"vote {seat}" for seat in range(12)]
        assert heard(texts, order=list(reversed(range(12)))).board.lines == tuple(texts)


class TestAskedAgain:
    def test_only_the_named_seats(self) -> None:
        """Only the seats that the ParseError names are asked again; the other replies are kept."""
        position = heard(["aye", "bad", "nay"])
        assert ids(position) == ["vote[1]"]
        assert isinstance(position.request, Ask)
        assert [message.content for message in position.request.messages] == [
            "Seat 1, vote.",
            "bad",
            "Vote aye or nay.",
        ]
        assert (position.request.number, position.spent.asks, position.spent.errors) == (3, 4, 1)
        assert Ballot().advance(position, Reply("aye")).board.lines == ("aye", "aye", "nay")

    def test_all_if_none_is_named(self) -> None:
        """A ParseError that names no seats asks all of them again."""
        position = heard(["aye", "worst"])
        assert ids(position) == ["vote[0]", "vote[1]"]
        assert position.heard == ()

    def test_empty_and_cut_off_ones_before_parsing(self) -> None:
        """Empty, cut-off and refused replies are asked again each with its own complaint, before any is parsed."""
        position = heard(["", Reply("aye", finish="length"), "worst"])
        assert ids(position) == ["vote[0]", "vote[1]"]
        complaints = [ask.messages[-1].content for ask in position.requests if isinstance(ask, Ask)]
        assert complaints[0].startswith("Seat 0, vote.\n\nYour reply was empty.")
        assert complaints[1].startswith("Your reply was cut off")

    def test_one_round_is_one_error(self) -> None:
        """A round of bad replies counts as one error however many seats are bad, and the fourth ends the run."""
        strategy = Ballot()
        position = strategy.start(Pad(seats=2), Limits())
        for count in (1, 2, 3):
            for seat in (0, 1):
                position = strategy.advance(position, Reply("bad", answers=f"vote[{seat}]"))
            assert (position.spent.errors, position.done) == (count, None)
        for seat in (0, 1):
            position = strategy.advance(position, Reply("bad", answers=f"vote[{seat}]"))
        assert position.done is not None
        assert (position.done.outcome, position.heard) == ("max_errors", ())

    def test_a_good_round_resets(self) -> None:
        """A round that parses sets the errors in a row back to none."""
        position = Ballot().advance(heard(["aye", "bad"]), Reply("nay"))
        assert (position.spent.errors, position.board.lines) == (0, ("aye", "nay"))

    def test_seats_that_are_not_there(self) -> None:
        """A ParseError that names only seats that do not exist is refused, with how many there are."""
        with pytest.raises(EventError, match=r"Ballot\.vote, step 2: .*seats \(7, -1\), but it has 2, from 0"):
            heard(["aye", "lost"])


class TestFailures:
    def test_wait_for_the_others(self) -> None:
        """The failure of a seat is taken only when all seats have answered, so that the order never matters."""
        strategy = Ballot()
        failed = Failed("server", "No.", answers="vote[0]")
        position = strategy.advance(strategy.start(Pad()), failed)
        assert (ids(position), position.done) == (["vote[1]"], None)
        last = strategy.advance(position, Reply("aye"))
        assert last.done is not None
        assert (last.done.outcome, last.error, last.heard) == ("model_failed", failed, ())

    def test_the_first_seat_decides(self) -> None:
        """Of several failures that of the first seat counts."""
        first, second = Failed("server", "First."), Failed("rate_limit", "Second.")
        for order in ([0, 1], [1, 0]):
            last = heard([first, second], order=order)
            assert last.error is not None
            assert last.error.message == "First."

    def test_failure_edge(self) -> None:
        """A panel whose seat failed follows its failure edge."""
        strategy = Rescue()
        position = strategy.advance(strategy.start(Pad()), Reply("line"))
        position = strategy.advance(position, Failed("server", "No.", answers="vote[1]"))
        position = strategy.advance(position, Reply("aye"))
        assert [(hop.source, hop.target, hop.why) for hop in position.hops] == [
            ("vote", "count", "failed"),
            ("count", "gave_up", "otherwise"),
        ]
        assert position.error is None

    def test_time_up_ends_the_run_at_once(self) -> None:
        """When the run's time is up, no other seat is waited for."""
        last = heard([Failed("max_seconds", "Over."), "aye"], order=[0])
        assert last.done is not None
        assert (last.done.outcome, last.heard) == ("max_seconds", ())

    def test_recording_over_waits_for_the_others(self) -> None:
        """A used-up recording ends the run under that name, once all seats have answered."""
        over = Failed("recording_over", "Over.")
        assert heard([over, "aye"], order=[0]).done is None
        for order in ([0, 1], [1, 0]):
            last = heard([over, "aye"], order=order)
            assert last.done is not None
            assert last.done.outcome == "recording_over"

    def test_overflow_asks_for_shorter_prompts(self) -> None:
        """A panel that overflows is asked once for a shorter board, and its new seats are asked."""
        position = heard(["aye", Failed("context_overflow", "Long."), "nay"])
        assert (position.board.seats, ids(position), position.shortened) == (1, ["vote[0]"], True)
        last = Ballot().advance(position, Failed("context_overflow", "Still."))
        assert last.done is not None
        assert last.done.outcome == "context_overflow"

    def test_overflow_without_a_way(self) -> None:
        """A panel that cannot be shortened ends as context_overflow."""
        strategy = Full()
        position = strategy.start(Pad(seats=1))
        assert position.board.seats == 1
        last = strategy.advance(position, Failed("context_overflow", "Long."))
        assert last.done is not None
        assert last.done.outcome == "context_overflow"


answers = st.one_of(
    st.builds(
        Reply,
        st.sampled_from(["aye", "nay", "bad", "worst", ""]),
        finish=st.sampled_from(["stop", "stop", "length"]),
        usage=st.builds(Usage, st.integers(0, 9), st.integers(0, 9), st.none() | st.floats(0, 1)),
        elapsed_s=st.floats(0, 10),
    ),
    st.builds(
        Failed,
        st.sampled_from(["server", "context_overflow", "recording_over"]),
        st.text(),
        elapsed_s=st.floats(0, 10),
    ),
)


def replayed(
    strategy: Strategy[Pad], seats: int, script: Mapping[str, Sequence[Event]], ranks: Sequence[int]
) -> list[Position[Pad]]:
    """The positions in which a round of seats begins, with answers that arrive in the order of ranks."""
    position = strategy.start(Pad(seats=seats), Limits(max_asks=12, max_errors=2))
    used = dict.fromkeys(script, 0)
    rounds = [position]
    for rank in itertools.cycle(ranks):
        if position.done is not None or not position.requests:
            return rounds
        request = position.requests[rank % len(position.requests)]
        if used[request.id] == len(script[request.id]):
            return rounds
        event = script[request.id][used[request.id]]
        used[request.id] += 1
        is_last = len(position.requests) == 1
        match event:
            case Reply(text=text):
                reply = Reply(
                    text, finish=event.finish, usage=event.usage, elapsed_s=event.elapsed_s, answers=request.id
                )
                position = strategy.advance(position, reply)
            case Failed(kind=kind):
                failed = Failed(kind, event.message, elapsed_s=event.elapsed_s, answers=request.id)
                position = strategy.advance(position, failed)
        if is_last:
            rounds.append(position)
    raise AssertionError("a cycle does not end")


class TestOrder:
    @pytest.mark.untraced
    @settings(max_examples=150, deadline=None)
    @given(seats=st.integers(2, 4), data=st.data())
    def test_of_arrival_never_matters(self, seats: int, data: st.DataObject) -> None:
        """The same answers in any order of arrival give equal positions round by round, what is spent included."""
        script = {f"vote[{seat}]": data.draw(st.lists(answers, min_size=4, max_size=4)) for seat in range(seats)}
        orders = st.lists(st.integers(0, 11), min_size=6, max_size=6)
        first = replayed(Ballot(), seats, script, data.draw(orders))
        second = replayed(Ballot(), seats, script, data.draw(orders))
        shared = min(len(first), len(second))
        assert first[:shared] == second[:shared]
        assert shared > 1

    @given(st.permutations(range(4)))
    def test_of_seats_is_kept(self, order: list[int]) -> None:
        """Whatever order replies come in, the parser gets them in the order of the seats."""
        assert heard(["a", "b", "c", "d"], order=order).board.lines == ("a", "b", "c", "d")
