"""Strategies with one fault each, for the checks to find."""

import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, ClassVar, Literal

from attrs import evolve, field, frozen
from attrs.validators import ge, in_

from tinysmith import Agent, FrozenDict, Halt, Observation, Panel, ParseError, Rule, Strategy, Task, World


@frozen
class Draft:
    """What writer and critic share."""

    text: str = ""
    notes: tuple[str, ...] = ()
    rounds_left: int = 2
    is_over: bool = False


class Writer(Agent[Draft]):
    samples: ClassVar[tuple[str, ...]] = ("good", "fair")

    def prompt(self, draft: Draft, /) -> Any:
        return "Write."

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply, rounds_left=draft.rounds_left - 1)


class Note(Writer):
    """Adds to what only ever grows."""

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, notes=(*draft.notes, reply))


class Hand(World[Draft]):
    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, is_over=seen.terminated)


def is_good(draft: Draft) -> bool:
    return draft.text == "good"


def is_fair(draft: Draft) -> bool:
    return draft.text == "fair"


def has_rounds_left(draft: Draft) -> bool:
    return draft.rounds_left > 0


def is_both(draft: Draft) -> bool:
    return is_good(draft) and is_fair(draft)


def is_perfect(draft: Draft) -> bool:
    return draft.rounds_left > 5


def is_at_end(draft: Draft) -> bool:
    return draft.rounds_left == 0


def is_noted(draft: Draft) -> bool:
    return draft.notes[0] != ""


def is_worded(draft: Draft) -> Any:
    return draft.text


def is_spoilt(draft: Draft) -> bool:
    object.__setattr__(draft, "text", f"{draft.text}!")
    return draft.text == "good!"


def is_lucky(draft: Draft, _turns: Iterator[int] = count()) -> bool:  # noqa: B008  # the fault
    return next(_turns) % 2 == 0


def is_default(draft: Draft) -> bool:
    return draft.notes is NOTES


NOTES = ("a note", "another")

writer, other, hand = Writer(), Writer(), Hand()
done, gave_up = Halt(success=True), Halt()


class Stuck(Strategy[Draft]):
    """No guard holds where the text is fair."""

    writer, done = writer, done
    initial = writer
    edges = (writer.to(done, when=is_good),)
    allow: ClassVar = {"no-otherwise": "it is always good"}


class Raising(Strategy[Draft]):
    """A guard looks at the first of no notes."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_noted), writer.to(gave_up))


class RaisingLater(Strategy[Draft]):
    """The same, but behind a guard that holds on all that runs come to."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=has_rounds_left), writer.to(gave_up, when=is_noted), writer.to(gave_up))


class Truthy(Strategy[Draft]):
    """A guard answers a text."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_worded), writer.to(gave_up))


class Mutating(Strategy[Draft]):
    """A guard changes the board."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_spoilt), writer.to(gave_up))


class Wavering(Strategy[Draft]):
    """A guard throws a coin."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_lucky), writer.to(gave_up))


class ByIdentity(Strategy[Draft]):
    """A guard asks which object it is, not what it is like."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_default), writer.to(gave_up))

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(notes=NOTES)


class NeverHeld(Strategy[Draft]):
    """A guard holds on boards to which no run comes."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_perfect), writer.to(gave_up))


class Contradiction(Strategy[Draft]):
    """A guard that holds nowhere."""

    writer, done, gave_up = writer, done, gave_up

    initial = writer
    edges = (writer.to(done, when=is_both), writer.to(gave_up))


class Shadowed(Strategy[Draft]):
    """A guard holds, but only where an earlier one does."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(gave_up, when=has_rounds_left), writer.to(done, when=is_good), writer.to(gave_up))

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=9)


class Always(Strategy[Draft]):
    """The last edge is never taken."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=has_rounds_left), writer.to(gave_up))


class Ring(Strategy[Draft]):
    """Two agents ask each other for ever, and nothing counts."""

    class Still(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text=reply)

    writer, other, done = Still(), Still(), Halt()
    initial = writer
    edges = (writer.to(other), other.to(done, when=is_good), other.to(writer))


class Growing(Strategy[Draft]):
    """The same, but what they write grows, so that no board comes again."""

    writer, done = Note(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(writer))
    allow: ClassVar = {"guard-never-held": "the note is not the text", "edge-never-taken": "as above"}


class Below(Strategy[Draft]):
    """A counter shrinks, but the guard that looks at it misses the end."""

    writer, done = Writer(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_at_end), writer.to(writer))

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=0)


class Endless(Strategy[Draft]):
    """Rules that lead to rules."""

    class Nothing(Rule[Draft]):
        def apply(self, draft: Draft, /) -> Draft:
            return draft

    writer, rule, done = Writer(), Nothing(), Halt()
    initial = writer
    edges = (writer.to(rule), rule.to(done, when=is_good), rule.to(rule))


class Long(Strategy[Draft]):
    """A rule that does a little a hundred times."""

    class Down(Rule[Draft]):
        def apply(self, draft: Draft, /) -> Draft:
            return evolve(draft, rounds_left=draft.rounds_left - 1)

    rule, done = Down(), Halt()
    initial = rule
    edges = (rule.to(rule, when=has_rounds_left), rule.to(done))

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=100)


class Trap(Strategy[Draft]):
    """Once the text is fair, no answer leads to the halt."""

    class Loyal(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return draft if draft.text == "fair" else evolve(draft, text=reply)

    writer, hand, done = Loyal(), Hand(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(hand), hand.to(writer))
    allow: ClassVar = {"paid-after-end": "it is about something else"}


class Counting(Strategy[Draft]):
    """An agent counts its calls."""

    class Clerk(Writer):
        def __init__(self) -> None:
            self.calls = 0

        def parse(self, draft: Draft, reply: str, /) -> Draft:
            self.calls += 1
            return evolve(draft, text=reply, rounds_left=0)

    writer, done = Clerk(), Halt()
    initial = writer
    edges = (writer.to(done),)


class Dicing(Strategy[Draft]):
    """An agent throws dice, and keeps nothing."""

    class Gambler(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text=f"{random.random()}")

    writer, done = Gambler(), Halt()
    initial = writer
    edges = (writer.to(done),)


class Unsaved(Strategy[Draft]):
    """A text on the board, where a number belongs."""

    class Lister(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, rounds_left=reply)  # type: ignore[arg-type]  # the fault

    writer, done = Lister(), Halt()
    initial = writer
    edges = (writer.to(done),)


class Unhashable(Strategy[Draft]):
    """A list on the board, where a tuple belongs."""

    class Lister(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, notes=[reply])  # type: ignore[arg-type]  # the fault

    writer, other, done = Lister(), Writer(), Halt()
    initial = writer
    edges = (writer.to(other), other.to(done))


class Leaking(Strategy[Draft]):
    """A parser lets KeyError through."""

    class Reader(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text={"good": "good"}[reply])

    writer, done = Reader(), Halt()
    initial = writer
    edges = (writer.to(done),)


class Complaining(Strategy[Draft]):
    """A world node raises ParseError."""

    class Picky(Hand):
        def observe(self, draft: Draft, seen: Observation, /) -> Draft:
            raise ParseError("Show something else.")

    hand, done = Picky(), Halt()
    initial = hand
    edges = (hand.to(done),)


class Mute(Strategy[Draft]):
    """An agent asks nothing."""

    class Silent(Writer):
        def prompt(self, draft: Draft, /) -> Any:
            return ""

    writer, other, done = Writer(), Silent(), Halt()
    initial = writer
    edges = (writer.to(other), other.to(done))


class TooEarly(Strategy[Draft]):
    """What the writer writes is acted on before it is written."""

    hand, writer, done = Hand(), Writer(), Halt()
    initial = hand
    edges = (hand.to(writer), writer.to(done))
    allow: ClassVar = {"paid-after-end": "it is about something else"}


class Forgotten(Strategy[Draft]):
    """Its brief leaves out what the prompt reads, and nobody writes it."""

    class Reader(Writer):
        def prompt(self, draft: Draft, /) -> str:
            return f"Write about {draft.notes}."

    writer, done = Reader(), Halt()
    initial = writer
    edges = (writer.to(done),)

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(text=task.query)


class Paid(Strategy[Draft]):
    """A writer is asked when the environment is over."""

    writer, hand, done = Writer(), Hand(), Halt()
    initial = writer
    edges = (writer.to(hand), hand.to(writer, when=has_rounds_left), hand.to(done))


class Overlapping(Strategy[Draft]):
    """Two guards hold on some boards."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(gave_up, when=has_rounds_left), writer.to(writer))


class Bench(Panel[Draft]):
    samples: ClassVar[tuple[str, ...]] = ("good", "fair")

    def prompts(self, draft: Draft, /) -> Sequence[str]:
        return ("One.", "Two.")

    def parse(self, draft: Draft, replies: Sequence[str], /) -> Draft:
        return evolve(draft, text=replies[0], rounds_left=draft.rounds_left - 1)


class Votes(Strategy[Draft]):
    """Nothing is wrong with it: a panel votes for as long as rounds are left."""

    bench, done, gave_up = Bench(), Halt(success=True), Halt()
    initial = bench
    edges = (bench.to(done, when=is_good), bench.to(bench, when=has_rounds_left), bench.to(gave_up))


@frozen
class Coin:
    """A narrow board."""

    side: Literal["heads", "tails"]
    throws: int = field(default=1, validator=ge(1))
    metal: str = field(default="gold", validator=in_(["gold", "silver"]))
    extra: FrozenDict[str, int] = field(factory=FrozenDict)


class Flip(Agent[Coin]):
    samples: ClassVar[tuple[str, ...]] = ("heads", "tails")

    def prompt(self, coin: Coin, /) -> str:
        return "Flip a coin."

    def parse(self, coin: Coin, reply: str, /) -> Coin:
        if reply not in ("heads", "tails"):
            raise ParseError("Say heads or tails.")
        return evolve(coin, side=reply)  # type: ignore[arg-type]  # just looked at


def is_heads(coin: Coin) -> bool:
    return coin.side == "heads"


def is_tails(coin: Coin) -> bool:
    return coin.side == "tails"


def is_gold(coin: Coin) -> bool:
    return coin.metal == "gold"


def is_silver(coin: Coin) -> bool:
    return coin.metal == "silver"


def is_thrown(coin: Coin) -> bool:
    return coin.throws >= 1


class Narrow(Strategy[Coin]):
    """Nothing is wrong with it: its board's type leaves no third case."""

    flip, won, lost = Flip(), Halt(success=True), Halt()
    initial = flip
    edges = (flip.to(won, when=is_heads), flip.to(lost, when=is_tails))
    allow: ClassVar = {"no-otherwise": "a coin has two sides"}


class Wide(Strategy[Coin]):
    """Nothing is wrong with what was seen, but nothing is proved either: metal is any text."""

    flip, won, lost = Flip(), Halt(success=True), Halt()
    initial = flip
    edges = (flip.to(won, when=is_gold), flip.to(lost, when=is_silver))
    allow: ClassVar = {"no-otherwise": "the validator says so", "guard-never-held": "nobody melts it"}


class OneSided(Strategy[Coin]):
    """No run comes to silver, but the type allows it."""

    flip, won = Flip(), Halt(success=True)
    initial = flip
    edges = (flip.to(won, when=is_gold),)
    allow: ClassVar = {"no-otherwise": "it is always gold"}


class OneSidedForAReason(OneSided):
    """As above, and its author knows."""

    allow: ClassVar = {"no-otherwise": "it is always gold", "no-guard-holds": "brief makes it of gold"}


class StuckForNoReason(Stuck):
    """A run refutes the reason."""

    allow: ClassVar = {"no-otherwise": "it is always good", "no-guard-holds": "it is always good"}
