"""The property test of a whole strategy: planted faults are found, and named so that one knows what to do."""

import itertools
import random
from typing import Any

import pytest
from attrs import evolve
from sketches import Once, Pad, Writer, added

from tinysmith import Halt, ParseError, Strategy
from tinysmith.errors import GuardError
from tinysmith.testing import strategy_test


def played(strategy: type[Strategy[Any]], **options: Any) -> None:
    """Plays the strategy's property test as pytest would."""
    strategy_test(strategy, **options)().test_every_run()


class Careless(Writer):
    """Raises what no parser should."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return added(pad, {"good": "yes", "fair": "no", "bad line": ""}[reply])


class KeyErrors(Once):
    """Its parser lets a KeyError through."""

    writer = Careless()


def is_divisible(pad: Pad) -> bool:
    """Raises where no round is left."""
    return 1 / pad.left > 0


def is_yes(pad: Pad) -> bool:
    """Answers with a text."""
    answer: bool = "yes"  # type: ignore[assignment]  # the fault that is planted
    return answer


def is_short(pad: Pad) -> bool:
    """Sound."""
    return len(pad.lines) < 3


def is_lucky(pad: Pad) -> bool:
    """Throws a coin."""
    return random.random() < 0.5


answers = itertools.cycle([True, False])


def is_turning(pad: Pad) -> bool:
    """Answers otherwise every time."""
    return next(answers)


class Raises(Strategy[Pad]):
    """Its guard raises on some boards."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_divisible), writer.to(writer))


class RaisesUntried(Strategy[Pad]):
    """A guard that raises stands behind one that mostly holds."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(writer, when=is_short), writer.to(done, when=is_divisible), writer.to(writer))


class NoBool(Strategy[Pad]):
    """Its guard answers with a text."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_yes), writer.to(writer))


class NoBoolUntried(Strategy[Pad]):
    """A guard that answers with a text stands behind one that mostly holds."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(writer, when=is_short), writer.to(done, when=is_yes), writer.to(writer))


asked = itertools.count()


def is_thirtieth(pad: Pad) -> bool:
    """Answers otherwise once, and never again."""
    return next(asked) == 30


class Thirtieth(Strategy[Pad]):
    """Its guard depends on how often it was asked."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_thirtieth), writer.to(writer))


class Lucky(Strategy[Pad]):
    """Its guard throws a coin."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_lucky), writer.to(writer))


class Turning(Strategy[Pad]):
    """Its guard answers otherwise every time."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_turning), writer.to(writer))


class Hidden(Writer):
    """Counts on itself, not on the board."""

    def __init__(self) -> None:
        self.asked = 0

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        self.asked += 1
        return added(pad, f"{self.asked}")


class Counting(Once):
    """Its agent keeps a count of its own."""

    writer = Hidden()


class Moody(Hidden):
    """Takes a reply only every other time."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        self.asked += 1
        if self.asked % 2 == 0:
            raise ParseError("Not now.")
        return added(pad, reply)


class Mooded(Once):
    """Its agent refuses what it took."""

    writer = Moody()


class Mistyping(Writer):
    """Puts a number where lines should be."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return evolve(pad, left=reply)  # type: ignore[arg-type]  # the fault that is planted


class Mistyped(Once):
    """A field of its board holds another type."""

    writer = Mistyping()


class Overwhelmed(Writer):
    """Cannot bear a reply of 100 kB."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        if len(reply) == 100_000:
            raise MemoryError("too much")
        return pad


class Flooded(Once):
    """Its agent fails on one reply alone."""

    writer = Overwhelmed()


class TestFaults:
    def test_what_nothing_drawn_shows(self) -> None:
        """A fault that only one of the replies tried first shows is told, its text written as a product."""
        with pytest.raises(AssertionError) as caught:
            played(Flooded, max_examples=1)
        told = str(caught.value)
        assert told.startswith("Flooded.writer: answering 'word word ")
        assert "raised MemoryError: too much." in told
        assert "Reply('word ' * 20000)," in told
        assert len(told) < 2_000

    def test_parser_that_raises(self) -> None:
        """A parser that lets a KeyError through is named with the reply and with what to do."""
        with pytest.raises(
            AssertionError, match=r"KeyErrors\.writer: answering '.*' raised KeyError: .* raising ParseError\."
        ):
            played(KeyErrors)

    @pytest.mark.parametrize("strategy", [Raises, RaisesUntried])
    def test_guard_that_raises(self, strategy: type[Strategy[Pad]]) -> None:
        """A guard that raises is named, also where another one held before it was asked."""
        problem = r"writer.*: its guard is_divisible raised ZeroDivisionError"
        with pytest.raises((AssertionError, GuardError), match=problem):
            played(strategy)

    @pytest.mark.parametrize("strategy", [NoBool, NoBoolUntried])
    def test_guard_that_is_no_predicate(self, strategy: type[Strategy[Pad]]) -> None:
        """A guard that answers neither True nor False is named with its answer."""
        with pytest.raises((AssertionError, GuardError), match=r"writer.*: its guard is_yes answered 'yes'"):
            played(strategy)

    @pytest.mark.parametrize(("strategy", "guard"), [(Lucky, "is_lucky"), (Turning, "is_turning")])
    def test_impure_guard(self, strategy: type[Strategy[Pad]], guard: str) -> None:
        """A guard that answers the same board twice differently is named with both answers."""
        answered = rf"\.writer: its guard {guard} answered (True, then False|False, then True), on Pad"
        with pytest.raises(AssertionError, match=answered):
            played(strategy)

    def test_what_cannot_be_repeated(self) -> None:
        """A fault that comes and goes is told as it was first seen, although Hypothesis cannot show it again."""
        with pytest.raises(
            AssertionError, match=r"Thirtieth.*\. It depends on more than its board and the reply\."
        ):
            played(Thirtieth, replies={"writer": ["fair"]})

    def test_hidden_state(self) -> None:
        """An agent that keeps something of its own is found by replaying the same events."""
        problem = r"Counting: the same events gave another run\. A node keeps something of its own: put it on"
        with pytest.raises(AssertionError, match=problem):
            played(Counting)

    def test_hidden_state_that_refuses(self) -> None:
        """An agent that refuses what it took is named with the reply."""
        with pytest.raises(
            AssertionError, match=r"Mooded\.writer: '.*' was taken once, then refused \(Not now\.\)"
        ):
            played(Mooded)

    def test_board_of_another_type(self) -> None:
        """A board field that holds a value of another type is named with the value and the type."""
        with pytest.raises(AssertionError, match=r"does not survive JSON: .*left holds '.*', which is no int"):
            played(Mistyped)

    def test_invariant(self) -> None:
        """An invariant that does not hold is named with the board."""

        def is_without_lines(pad: Pad) -> bool:
            return not pad.lines

        problem = r"Once\.\w+, step \d: invariant is_without_lines does not hold on Pad\("
        with pytest.raises(AssertionError, match=problem):
            played(Once, invariants=[is_without_lines])

    def test_invariant_that_asserts(self) -> None:
        """An invariant may also assert by itself, and one that says nothing holds."""

        def claims(pad: Pad) -> None:
            assert not pad.lines, "my own words"

        with pytest.raises(AssertionError, match="my own words"):
            played(Once, invariants=[claims])
