"""The fold: what is wrong with a strategy raises an error that says where, and changes nothing."""

import pytest
from sketches import Ballot, Count, Eye, Fetch, Look, Lookup, Once, Pad, Spin, Vote, Writer, added

from tinysmith import Halt, ParseError, Reply, Strategy
from tinysmith.errors import BoardError, EndlessCycleError, GuardError, NoEdgeError, PromptError, RunError


def is_yes(pad: Pad) -> bool:
    """Answers with a text, against its signature."""
    answer: bool = "yes"  # type: ignore[assignment]  # the mistake that is tested
    return answer


def is_divisible(pad: Pad) -> bool:
    """Raises on most boards."""
    return 1 / pad.left > 0


def never(pad: Pad) -> bool:
    """Holds on no board."""
    return False


class Yes(Strategy[Pad]):
    """Its guard answers with a text."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_yes), writer.to(writer))


class Divides(Strategy[Pad]):
    """Its guard raises."""

    count = Count()
    done = Halt()

    initial = count
    edges = (count.to(done, when=is_divisible), count.to(count))


class Walled(Strategy[Pad]):
    """None of its guards need hold."""

    allow = {"no-otherwise": "that is what is tested"}
    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=never),)


class Forgetful(Writer):
    """Its methods forget what they should return."""

    def __init__(self, prompt: object) -> None:
        self.said = prompt

    def prompt(self, pad: Pad, /) -> str:
        return self.said  # type: ignore[return-value]  # the mistake that is tested

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return None  # type: ignore[return-value]  # the mistake that is tested


class Mute(Once):
    """Its prompt is empty."""

    writer = Forgetful("  \n")


class Silent(Once):
    """Its prompt is None."""

    writer = Forgetful(None)


class Boardless(Once):
    """Its parser returns no board."""

    writer = Forgetful("Write.")


class Careless(Writer):
    """Raises what no parser should."""

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return added(pad, {"known": "word"}[reply])


class Stumbling(Once):
    """Its parser raises KeyError."""

    writer = Careless()


class Complaining(Count):
    """A rule that raises ParseError, which only agents and panels may."""

    def apply(self, pad: Pad, /) -> Pad:
        raise ParseError("Not so.")


class Complaint(Spin):
    """Its rule raises ParseError."""

    count = Complaining()


class Heedless(Fetch):
    """Its arguments are whatever it was made with."""

    def __init__(self, arguments: object) -> None:
        self.given = arguments

    def arguments(self, pad: Pad, /) -> dict[str, object]:
        if self.given == "raise":
            len(None)  # type: ignore[arg-type]  # the mistake that is tested
        return self.given  # type: ignore[return-value]  # as above


class Unsendable(Lookup):
    """Its arguments are no JSON data."""

    fetch = Heedless({"key": object()})


class Unmapped(Lookup):
    """Its arguments are no mapping."""

    fetch = Heedless(None)


class Raising(Lookup):
    """Its arguments() raises a TypeError of its own."""

    fetch = Heedless("raise")


class Letters(Vote):
    """Its prompts are one text."""

    def prompts(self, pad: Pad, /) -> str:
        return "abc" if pad.seats else ()  # type: ignore[return-value]  # the mistake that is tested


class Spelt(Ballot):
    """Its panel returns one text, or no prompts."""

    vote = Letters()


class Handy(Eye):
    """Its action is no text."""

    def action(self, pad: Pad, /) -> str:
        return 7  # type: ignore[return-value]  # the mistake that is tested


class Handed(Look):
    """Its world node acts without words."""

    eye = Handy()


class TestErrorsSayWhere:
    @pytest.mark.parametrize(
        ("strategy", "kind", "problem"),
        [
            (Mute(), PromptError, r"Mute\.writer, step 0: its prompt is empty\. Return some text"),
            (Silent(), PromptError, r"Silent\.writer, step 0: .*NoneType.* Return a text"),
            (
                Unsendable(),
                PromptError,
                r"Unsendable\.fetch, step 0: its arguments cannot be sent: a object is no JSON",
            ),
            (Unmapped(), PromptError, r"Unmapped\.fetch, step 0: .*NoneType"),
            (Divides(), GuardError, r"Divides\.count, step 0: its guard is_divisible raised ZeroDivisionError"),
            (Handed(), PromptError, r"Handed\.eye, step 0: action\(\) gave a int\. Return the action as text\."),
            (Spelt(), PromptError, r"Spelt\.vote, step 0: "),
        ],
    )
    def test_when_a_run_begins(self, strategy: Strategy[Pad], kind: type[RunError], problem: str) -> None:
        """What a node cannot have meant raises an error that says where it is, what it is, and what to do."""
        with pytest.raises(kind, match=problem) as caught:
            strategy.start(Pad(left=1))
        assert caught.value.step == 0

    def test_panel_without_seats(self) -> None:
        """A panel that has nobody to ask is refused."""
        with pytest.raises(
            PromptError, match=r"Ballot\.vote, step 0: its panel has no seats\. Return at least one"
        ):
            Ballot().start(Pad(seats=0))

    def test_no_guard_holds(self) -> None:
        """Where no guard holds, the error lists those that were tried, and the way out."""
        strategy = Walled()
        with pytest.raises(
            NoEdgeError, match=r"Walled\.writer, step 1: .*\(tried never\)\. End its edges"
        ) as caught:
            strategy.advance(strategy.start(Pad()), Reply("line"))
        assert caught.value.tried == ("never",)

    def test_no_board(self) -> None:
        """A parser that returns no board is refused, and the position before it stands."""
        strategy = Boardless()
        position = strategy.start(Pad())
        with pytest.raises(BoardError, match=r"Boardless\.writer, step 1: parse\(\) gave a NoneType, not a Pad"):
            strategy.advance(position, Reply("line"))
        assert position == strategy.start(Pad())

    def test_guard_that_is_no_predicate(self) -> None:
        """A guard that answers neither True nor False is refused with its answer, instead of counting as false."""
        strategy = Yes()
        with pytest.raises(GuardError, match=r"Yes\.writer, step 1: its guard is_yes answered 'yes'"):
            strategy.advance(strategy.start(Pad()), Reply("line"))

    def test_guard_that_raises_is_the_cause(self) -> None:
        """The error of a guard that raises is kept as the cause."""
        with pytest.raises(GuardError) as caught:
            Divides().start(Pad(left=1))
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    @pytest.mark.parametrize(
        ("strategy", "error", "note"),
        [
            (Stumbling(), KeyError, "Raised in Stumbling.writer, step 1."),
            (Complaint(), ParseError, "Raised in Complaint.count, step 0."),
            (Raising(), TypeError, "Raised in Raising.fetch, step 0."),
        ],
    )
    def test_users_errors_carry_a_note(self, strategy: Strategy[Pad], error: type[Exception], note: str) -> None:
        """Whatever else a node raises passes unchanged, with a note that says where it was raised."""
        with pytest.raises(error) as caught:
            strategy.advance(strategy.start(Pad()), Reply("unknown"))
        assert caught.value.__notes__ == [note]

    def test_endless_cycle(self) -> None:
        """Without limits, a cycle that asks nobody raises instead of running for ever."""
        with pytest.raises(
            EndlessCycleError, match=r"Spin\.count, step 0: 10000 hops .* Limits\(max_hops=\.\.\.\)"
        ):
            Spin().start(Pad(left=10_001))
