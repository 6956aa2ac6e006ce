"""What is claimed of the boards of a run: they are only read, and claims hold between hops too."""

from contextlib import nullcontext

import pytest
from attrs import evolve, frozen
from refereed import NO_LIMITS, referee, refuted, whole
from sketches import Once, Pad, Writer

from tinysmith import Agent, Halt, Reply, Rule, Strategy
from tinysmith.testing import eventually, never_after
from tinysmith.testing._properties import Lasting, Properties
from tinysmith.testing._referee import Referee


def keeps(pad: Pad) -> bool:
    """Writes to a board that nobody made anew, and the same each time."""
    object.__setattr__(pad, "left", 7)
    return False


class Idle(Writer):
    """Leaves the board as it is."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return pad


class Quietly(Strategy[Pad]):
    """A guard changes a board that the agent did not."""

    writer = Idle()
    done = Halt()

    initial = writer
    edges = (writer.to(writer, when=keeps), writer.to(done))


@frozen
class Inner:
    """A part of a board."""

    n: int = 0


@frozen
class Outer:
    """A board with a part."""

    inner: Inner = Inner()


def digs(outer: Outer) -> bool:
    """Writes to a part of the board."""
    object.__setattr__(outer.inner, "n", outer.inner.n + 1)
    return False


class Teller(Agent[Outer]):
    """Makes a new part."""

    def prompt(self, outer: Outer, /) -> str:
        return "Tell."

    def parse(self, outer: Outer, reply: str, /) -> Outer:
        return Outer(Inner(len(reply)))


class Digging(Strategy[Outer]):
    """A guard changes a part of the board."""

    teller = Teller()
    done = Halt()

    initial = teller
    edges = (teller.to(teller, when=digs), teller.to(done))


class Lower(Rule[Pad]):
    """Takes one off."""

    def apply(self, pad: Pad, /) -> Pad:
        return evolve(pad, left=pad.left - 1)


class Raise(Rule[Pad]):
    """Lets nothing stay below zero."""

    def apply(self, pad: Pad, /) -> Pad:
        return evolve(pad, left=max(0, pad.left))


class Dipping(Strategy[Pad]):
    """Is below zero between two rules, and at no other time."""

    writer = Writer()
    lower = Lower()
    raised = Raise()
    done = Halt()

    initial = writer
    edges = (writer.to(lower), lower.to(raised), raised.to(done))


def is_below(pad: Pad) -> bool:
    """Less than nothing is left."""
    return pad.left < 0


def is_at_start(pad: Pad) -> bool:
    """Nothing was written yet."""
    return not pad.lines


class TestBoardsAreOnlyRead:
    def test_a_board_that_nobody_made_anew(self) -> None:
        """A guard that writes the same each time is found by the board that the fold was given."""
        with refuted(
            r"Quietly\.writer: what a node or a guard was given was changed, and is now Pad\(left=7\)\. Onl"
        ):
            whole(Quietly(), Pad(), Reply("x"))

    def test_a_part_of_a_board(self) -> None:
        """A guard that writes to a part of the board is found, too."""
        with refuted(r"Digging\.teller: its guard digs changed "):
            whole(Digging(), Outer(), Reply("x"))

    def test_what_is_no_board(self) -> None:
        """What is no board at all is told as such."""
        with refuted(r"Once\.writer, step 0: start\(board\) gave a int, not a Pad"):
            referee(Once()).begin(3)


class TestBoardsBetweenHops:
    def test_are_looked_at(self) -> None:
        """A claim that does not hold between two rules is refuted."""
        judge = Referee(Dipping(), Properties([lambda pad: pad.left >= 0]), NO_LIMITS)
        with refuted(r"Dipping\.lower, step 1: invariant <lambda> does not hold on Pad\(\('x',\), left=-1\)\."):
            judge.advance(judge.begin(Pad()), Reply("x"))

    @pytest.mark.parametrize(
        ("claim", "told"),
        [
            (eventually(is_below), ""),
            (never_after(is_below, is_at_start), ""),
            (never_after(is_at_start, is_at_start), ""),
            (
                never_after(is_at_start, is_below),
                r"Dipping, step 1: never_after\(is_at_start, is_below\) does not hold on",
            ),
        ],
    )
    def test_count_for_runs(self, claim: Lasting, told: str) -> None:
        """What lasts is asked of every board once, in order, those between hops included."""
        judge = Referee(Dipping(), Properties([claim]), NO_LIMITS)
        first = judge.begin(Pad())
        after = judge.advance(first, Reply("x"))
        with refuted(told) if told else nullcontext():
            judge.finish(Pad(), [Reply("x")], [first, after], 1)
