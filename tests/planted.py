"""Strategies with one fault each, for the checks to find."""

from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar

from attrs import evolve, frozen

from tinysmith import Agent, Edge, Halt, Node, Observation, Strategy, Task, World


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


class Hand(World[Draft]):
    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, is_over=seen.terminated)


def is_good(draft: Draft) -> bool:
    return draft.text == "good"


def is_short(draft: Draft) -> bool:
    return draft.text[:2] in ("go", "Go", "GO")


def is_fair(draft: Draft) -> bool:
    return draft.text == "fair"


def has_rounds_left(draft: Draft) -> bool:
    return draft.rounds_left > 0


def is_both(draft: Draft) -> bool:
    return is_good(draft) and is_fair(draft)


def is_perfect(draft: Draft) -> bool:
    return draft.rounds_left > 5


def is_noted(draft: Draft) -> bool:
    return draft.notes[0] != ""


def has_notes(draft: Draft) -> bool:
    return bool(draft.notes)


def is_worded(draft: Draft) -> Any:
    return draft.text


def is_spoilt(draft: Draft) -> bool:
    object.__setattr__(draft, "text", f"{draft.text}!")
    return draft.text == "good!"


def is_lucky(draft: Draft, _turns: Iterator[int] = count()) -> bool:  # noqa: B008  # the fault
    return next(_turns) % 2 == 0


def is_tired(draft: Draft, _turns: Iterator[int] = count()) -> bool:  # noqa: B008  # the fault
    if next(_turns) % 2:
        raise ValueError("too tired")
    return draft.text == "good"


def is_listed(draft: Draft) -> bool:
    object.__setattr__(draft, "notes", list(draft.notes))
    return draft.text == "good"


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


class Tired(Strategy[Draft]):
    """A guard raises every second time."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_tired), writer.to(gave_up))


class Spoiling(Strategy[Draft]):
    """A guard puts on the board what cannot be saved."""

    writer, done, gave_up = writer, done, gave_up
    initial = writer
    edges = (writer.to(done, when=is_listed), writer.to(gave_up))


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
    initial: Node[Draft] = writer
    edges: tuple[Edge[Draft], ...] = (writer.to(done),)

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(text=task.query)


class Paid(Strategy[Draft]):
    """A writer is asked when the environment is over."""

    writer, hand, done = Writer(), Hand(), Halt()
    initial = writer
    edges = (writer.to(hand), hand.to(writer, when=has_rounds_left), hand.to(done))


class StuckForNoReason(Stuck):
    """A run refutes the reason."""

    allow: ClassVar = {"no-otherwise": "it is always good", "no-guard-holds": "it is always good"}


class PaidTwice(Strategy[Draft]):
    """Two agents are asked when the environment is over; one of them for a reason."""

    writer, other, hand, done = Writer(), Writer(), Hand(), Halt()
    initial = writer
    edges = (writer.to(hand), hand.to(other), other.to(writer, when=has_rounds_left), other.to(done))
    allow: ClassVar = {"paid-after-end:writer": "it writes the last words"}

    def brief(self, task: Task, observation: str, /) -> Draft:
        return Draft(rounds_left=4)


class Twice(Forgotten):
    """A guard reads it, too."""

    done, gave_up = Halt(), Halt()
    edges = (
        Forgotten.writer.to(done, when=has_notes),
        Forgotten.writer.to(gave_up),
    )
    allow: ClassVar = {"guard-never-held": "it is about something else"}


class Alike(Strategy[Draft]):
    """Nothing is wrong with it: two guards hold at once, but lead to the same halt."""

    writer, done, gave_up = Writer(), Halt(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(done, when=is_short), writer.to(gave_up))
