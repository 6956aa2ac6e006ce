"""What is claimed of every step of a run and of every run, whoever plays it."""

import pytest
from attrs import evolve, field, frozen
from refereed import referee, refuted, whole
from sketches import Ballot, Lookup, Once, Pad, Refine, Spin, Writer, added

from tinysmith import Agent, Halt, Hop, Limits, Position, Reply, Result, Strategy
from tinysmith.errors import DecodeError
from tinysmith.messages import Event
from tinysmith.testing._referee import KEEPS


class Straying(Once):
    """Says that it took an edge which is not there."""

    def advance(self, position: Position[Pad], event: Event) -> Position[Pad]:
        return evolve(super().advance(position, event), hops=(Hop("writer", 7, (), "done"),))


class Jumping(Once):
    """Says that it left another node."""

    def advance(self, position: Position[Pad], event: Event) -> Position[Pad]:
        return evolve(super().advance(position, event), hops=(Hop("critic", 0, (), "done"),))


class Hasty(Once):
    """Counts a step twice."""

    def advance(self, position: Position[Pad], event: Event) -> Position[Pad]:
        after = super().advance(position, event)
        return evolve(after, step=after.step + 1)


class Lenient(Once):
    """Takes whatever comes."""

    def advance(self, position: Position[Pad], event: Event) -> Position[Pad]:
        return super().advance(position, event if isinstance(event, Reply) else Reply("good"))


class Forgetful(Once):
    """Loses a line of what it saved."""

    def loads(self, text: str) -> Position[Pad]:
        position = super().loads(text)
        return evolve(position, board=Pad(("other",)))


class Unreadable(Once):
    """Cannot read what it saved."""

    def loads(self, text: str) -> Position[Pad]:
        raise DecodeError("A saved position does not fit.")


class Tiring(Writer):
    """Raises from the third reply on."""

    def __init__(self) -> None:
        self.heard = 0

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        self.heard += 1
        if self.heard > 2:
            raise KeyError(reply)
        return added(pad, reply)


class Tired(Once):
    """Its agent does not bear to be asked again."""

    writer = Tiring()


def sticks(pad: Pad) -> bool:
    """Leaves something on the board that it reads."""
    object.__setattr__(pad, "left", pad.left + 1)
    return False


class Sticky(Strategy[Pad]):
    """A guard changes the board."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(writer, when=sticks), writer.to(done))


asked: list[int] = []


def is_first_time(pad: Pad) -> bool:
    """Answers otherwise from the second time on."""
    asked.append(1)
    return len(asked) == 1


class Fickle(Strategy[Pad]):
    """Its guard held when the run was played, and not any more."""

    writer = Writer()
    done = Halt()
    gone = Halt()

    initial = writer
    edges = (writer.to(gone, when=is_first_time), writer.to(done))


class Failing(Agent[Pad]):
    """Cannot be prompted."""

    samples = ("good",)

    def prompt(self, pad: Pad, /) -> str:
        return " " * pad.left if pad.left else 1 // 0  # type: ignore[return-value]  # raises before it returns

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return pad


class Mute(Once):
    """Its agent cannot be prompted."""

    writer = Failing()  # type: ignore[assignment]  # another agent under the inherited name


def one_more(made: int) -> int:
    """Counts."""
    return made + 1


@frozen
class Meter:
    """A board that counts how often it was made."""

    made: int = field(converter=one_more)


class Speaker(Agent[Meter]):
    """Says nothing of it."""

    def prompt(self, meter: Meter, /) -> str:
        return "Speak."

    def parse(self, meter: Meter, reply: str, /) -> Meter:
        return meter


class Restless(Strategy[Meter]):
    """Its board does not stay as it is."""

    speaker = Speaker()
    done = Halt()

    initial = speaker
    edges = (speaker.to(done),)


def is_left(pad: Pad) -> bool:
    """Holds on some boards."""
    return pad.left > 0


class Narrow(Strategy[Pad]):
    """Has no way on where nothing is left."""

    allow = {"no-otherwise": "it is what is tested"}
    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_left),)


class TestPositions:
    def test_limits(self) -> None:
        """More than a limit allows is a failure, just as much is none."""
        position = Ballot().start(Pad(seats=2))
        referee(Ballot(), max_asks=2).check(position)
        with refuted(r"Ballot\.vote, step 0: 2 asks were spent of at most 1"):
            referee(Ballot(), max_asks=1).check(position)

    def test_bad_replies(self) -> None:
        """More bad replies in a row than are forgiven are a failure, unless the run ends there."""
        position = Once().start(Pad())
        for _ in range(2):
            position = Once().advance(position, Reply(""))
        referee(Once(), max_errors=2).check(position)
        with refuted(r"Once\.writer, step 2: 2 bad replies were forgiven"):
            referee(Once(), max_errors=1).check(position)
        ended = Once().advance(Once().start(Pad(), Limits(max_errors=0)), Reply(""))
        referee(Once(), max_errors=0).check(ended)

    def test_hops(self) -> None:
        """More hops in a row than the limit allows are a failure."""
        position = Lookup().advance(Lookup().start(Pad()), Result("x"))
        referee(Lookup(), max_hops=2).check(position)
        with refuted("too many hops"):
            referee(Lookup(), max_hops=1).check(position)

    def test_boards_that_cannot_be_saved(self) -> None:
        """A board that holds something else than its type says is named with the field."""
        position = evolve(Once().start(Pad()), board=Pad(left="3"))  # type: ignore[arg-type]  # what is tested
        with pytest.raises(
            AssertionError, match=r"does not survive JSON: board\.left holds '3', which is no int\. Put"
        ):
            referee(Once()).check(position)

    def test_boards_that_change_when_they_are_saved(self) -> None:
        """A board that comes back otherwise than it was saved is shown with what it became."""
        with refuted(r"Restless\.speaker, step 0: JSON changes Meter\(2\) to Meter\(3\)\."):
            whole(Restless(), Meter(1))


class TestSteps:
    @pytest.mark.parametrize(
        ("strategy", "problem"),
        [
            (Straying(), r"Straying\.writer: Hop\(.* is no declared edge"),
            (Jumping(), "Jumping: a hop leaves critic, but the run was at writer"),
            (Hasty(), r"Hasty\.writer: an event counted as 2 steps"),
        ],
    )
    def test_hops_are_declared(self, strategy: Strategy[Pad], problem: str) -> None:
        """A hop that the class does not declare, or from elsewhere, or a step too many, is a failure."""
        with refuted(problem):
            whole(strategy, Pad(), Reply("x"))

    def test_a_guard_that_changes_the_board(self) -> None:
        """A guard that writes is named with the board before and after."""
        problem = r"Sticky\.writer: its guard sticks changed Pad\(\('x',\).*\) to Pad\(\('x',\), left=\d\)\. A"
        with refuted(problem):
            whole(Sticky(), Pad(), Reply("x"))

    def test_a_guard_that_held_only_once(self) -> None:
        """A guard that decided the run, and decides otherwise now, is named with the board."""
        asked.clear()
        problem = r"Fickle\.writer: is_first_time led to gone, and on the same board another edge is open: Pad\("
        with refuted(problem):
            whole(Fickle(), Pad(), Reply("x"))

    def test_what_a_node_raises(self) -> None:
        """What a node raises is named with the event, or with the first board."""
        with pytest.raises(
            AssertionError, match=r"Mute\.writer: answering the first board raised ZeroDivisionError"
        ):
            whole(Mute(), Pad())
        with pytest.raises(
            AssertionError, match=r"Mute\.writer, step 0: its prompt is empty\. .* after the first b"
        ):
            whole(Mute(), Pad(left=1))

    def test_no_way_on(self) -> None:
        """A board on which no guard holds is told with what to do."""
        with pytest.raises(
            AssertionError, match=r"Narrow\.writer, step 1: none of its guards holds .* End its edges"
        ):
            whole(Narrow(), Pad(), Reply("x"))
        whole(Narrow(), Pad(left=1), Reply("x"))

    def test_rules_first(self) -> None:
        """Hops before the first step are looked at, too."""
        judge = referee(Spin())
        assert judge.begin(Pad(left=0)).done is not None
        straying = Hop("writer", 3, (), "done")
        with refuted("a hop leaves writer, but the run was at"):
            judge._check_hops([(straying, Pad())], Pad(), judge.begin(Pad(left=0)))


class TestRuns:
    @pytest.mark.parametrize("pause", [0, 1, 2])
    def test_sound(self, pause: int) -> None:
        """A sound run is found sound, at whichever step it is saved."""
        whole(Refine(), Pad(left=2), Reply("line"), Reply("good"), pause=pause)
        whole(Ballot(), Pad(), Reply("aye", answers="vote[1]"), Reply("nay", answers="vote[0]"), pause=pause)

    def test_an_event_that_answers_nothing(self) -> None:
        """An event of the wrong kind must raise."""
        with pytest.raises(
            AssertionError, match=r"Lenient\.writer, step 0: an event that answers nothing there was taken"
        ):
            whole(Lenient(), Pad(), Reply("x"))

    def test_a_restart(self) -> None:
        """A run that goes on otherwise from where it was saved is a failure, and so is one that cannot be read."""
        with refuted(r"Forgetful: the same events gave another run\. " + KEEPS):
            whole(Forgetful(), Pad(), Reply("x"))
        with pytest.raises(
            AssertionError, match=r"Unreadable\.writer, step 0: the position does not survive JSON: A s"
        ):
            whole(Unreadable(), Pad(), Reply("x"))

    def test_what_is_raised_the_second_time(self) -> None:
        """A node that raises when the same events come again is named."""
        Tired.writer.heard = 0
        with pytest.raises(
            AssertionError, match=r"Tired\.writer: 'x' was taken once, and then raised KeyError: 'x'\. A"
        ):
            whole(Tired(), Pad(), Reply("x"))
