"""A fault that is shown by as few turns as can be."""

from collections.abc import Sequence

import pytest
from attrs import evolve
from faulty import Draft, WrongHalt, only_accepted_poems_are_published
from hypothesis import given
from hypothesis import strategies as st
from sketches import Pad, Vote, added

from tinysmith import Halt, Observation, Reply, Strategy
from tinysmith.messages import Event
from tinysmith.testing._play import FaultError, replayed
from tinysmith.testing._properties import Properties
from tinysmith.testing._referee import TEST_LIMITS, Referee
from tinysmith.testing._shortening import shortened_fault

PUBLISHED = (Reply("Roses."), Reply("REJECT so"), Observation("", terminated=True))


def fault_of(referee: Referee, board: object, events: Sequence[Event]) -> FaultError:
    """What a conversation shows."""
    with pytest.raises(FaultError) as caught:
        replayed(referee, board, events)
    return caught.value


def wrong() -> Referee:
    """Who finds that a poem is published that nobody accepted."""
    return Referee(WrongHalt(), Properties([only_accepted_poems_are_published]), TEST_LIMITS)


class Touchy(Vote):
    """Cannot bear that all say the same in the last round."""

    def parse(self, pad: Pad, replies: Sequence[str], /) -> Pad:
        if len(set(replies)) == 1 and pad.left == 1:
            raise KeyError(replies[0])
        return evolve(added(pad, *replies), left=pad.left - 1)


def is_spent(pad: Pad) -> bool:
    """No round is left."""
    return pad.left <= 0


class Ballots(Strategy[Pad]):
    """Votes until no round is left."""

    vote = Touchy()
    done = Halt()
    initial = vote
    edges = (vote.to(done, when=is_spent), vote.to(vote))


class TestShortened:
    @given(st.lists(st.sampled_from(["ACCEPT", "REJECT no"]), max_size=6), st.integers(0, 6))
    def test_rounds_that_are_of_no_use_are_left_out(self, verdicts: list[str], at: int) -> None:
        """However often a conversation goes round before it shows the fault, once is enough."""
        board = Draft(rounds_left=10)
        rounds = [(Reply("Violets."), Reply(verdict), Observation("")) for verdict in verdicts]
        fault = fault_of(wrong(), board, [event for turn in (*rounds, PUBLISHED) for event in turn])
        found = shortened_fault(wrong(), fault)
        assert [node for node, _ in found.turns] == ["writer", "critic", "shell"]
        assert "\n    3 " in str(found)
        assert "\n    4 " not in str(found)

    @given(st.lists(st.sampled_from(["again", "REJECT no", "nonsense"]), max_size=8))
    def test_who_said_something_still_says_it(self, said: list[str]) -> None:
        """Each turn that is left is one that was there, in the same order, at the same node."""
        critics = [Reply(each) for each in said[:3]]  # what is no verdict is asked for again
        events: list[Event] = [Reply("Roses."), *critics, Reply("REJECT so"), *([Observation("")] * 5)]
        referee = Referee(WrongHalt(), Properties([lambda draft: draft.verdict != "REJECT"]), TEST_LIMITS)
        fault = fault_of(referee, Draft(rounds_left=10), events)
        left = iter(fault.turns)
        found = shortened_fault(referee, fault)
        assert all(turn in left for turn in found.turns)
        assert len(found.turns) == 2

    def test_another_fault_is_not_this_one(self) -> None:
        """What another check would find in a part of the conversation is not told instead."""
        fault = fault_of(wrong(), Draft(), PUBLISHED)
        other = FaultError(str(fault), fault.board, fault.turns * 2, [("another.py", 1)])
        assert shortened_fault(wrong(), other) is other

    def test_a_turn_that_nobody_could_take_is_not_told(self) -> None:
        """A part in which somebody else would be answered than before is none, and does not stop the search."""
        fault = fault_of(wrong(), Draft(), PUBLISHED)
        twice = (("writer", Reply("Violets.")), *fault.turns)
        found = shortened_fault(wrong(), FaultError(str(fault), fault.board, twice, fault.check))
        assert found.turns == fault.turns

    def test_an_answer_that_nobody_waits_for_is_no_fault(self) -> None:
        """A part in which a seat is answered twice in a round shows nothing, though the same check finds it."""
        referee = Referee(Ballots(), Properties([]), TEST_LIMITS)
        votes = [("vote[0]", "aye"), ("vote[1]", "nay"), ("vote[0]", "aye"), ("vote[1]", "aye")]
        events = [Reply(text, answers=seat) for seat, text in votes]
        fault = fault_of(referee, Pad(left=2), events)
        twice = fault_of(referee, Pad(left=2), [events[0], *events[2:]])
        assert twice.check == fault.check
        assert len(twice.turns) < len(fault.turns)
        assert shortened_fault(referee, fault).turns == fault.turns
