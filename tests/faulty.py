"""Strategies with one planted fault each, as a newcomer might write them."""

from attrs import evolve, frozen

from tinysmith import Agent, Edge, Halt, Node, Observation, ParseError, Strategy, World


@frozen
class Draft:
    """The board of all of them."""

    text: str = ""
    notes: tuple[str, ...] = ()
    verdict: str = ""
    rounds_left: int = 3
    is_over: bool = False


class Writer(Agent[Draft]):
    """Writes."""

    samples = ("Roses are red.", "Violets are blue.")

    def prompt(self, draft: Draft, /) -> str:
        """Asks for a poem."""
        return f"Write a poem, mind these notes: {draft.notes}"

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Takes any text, and uses up a round."""
        return evolve(draft, text=reply, rounds_left=max(0, draft.rounds_left - 1))


class Critic(Agent[Draft]):
    """Judges."""

    samples = ("ACCEPT", "REJECT too short")

    def prompt(self, draft: Draft, /) -> str:
        """Asks for a verdict."""
        return f"ACCEPT or REJECT, with a note: {draft.text}"

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Takes a verdict and a note."""
        verdict, _, note = reply.strip().partition(" ")
        if verdict not in ("ACCEPT", "REJECT"):
            raise ParseError("Answer ACCEPT or REJECT.")
        return evolve(draft, verdict=verdict, notes=(*draft.notes, note) if note else draft.notes)


def is_accepted(draft: Draft) -> bool:
    """The critic accepted."""
    return draft.verdict == "ACCEPT"


def is_spent(draft: Draft) -> bool:
    """No round is left."""
    return draft.rounds_left == 0


class Poems(Strategy[Draft]):
    """Writes until the critic accepts or no round is left. Sound; those below are not."""

    writer, critic = Writer(), Critic()
    accepted, gave_up = Halt(success=True), Halt()
    initial: Node[Draft] = writer
    edges: tuple[Edge[Draft], ...] = (
        writer.to(critic),
        critic.to(accepted, when=is_accepted),
        critic.to(gave_up, when=is_spent),
        critic.to(writer),
    )


# 1 ---------------------------------------------------------------------------------------------------------


def is_approved(draft: Draft) -> bool:
    """Never true: no verdict is called that."""
    return draft.verdict == "APPROVED"


class NeverTrue(Poems):
    """A guard is never true."""

    edges = (
        Poems.writer.to(Poems.critic),
        Poems.critic.to(Poems.accepted, when=is_approved),
        Poems.critic.to(Poems.gave_up, when=is_spent),
        Poems.critic.to(Poems.writer),
    )


# 2 ---------------------------------------------------------------------------------------------------------


def is_clean(draft: Draft) -> bool:
    """Takes the verdict off the board when it has read it."""
    clean = draft.verdict == "ACCEPT"
    object.__setattr__(draft, "verdict", "")
    return clean


class Mutating(Poems):
    """A guard changes the board."""

    edges = (
        Poems.writer.to(Poems.critic),
        Poems.critic.to(Poems.accepted, when=is_clean),
        Poems.critic.to(Poems.gave_up, when=is_spent),
        Poems.critic.to(Poems.writer),
    )


# 3 ---------------------------------------------------------------------------------------------------------


def is_long(draft: Draft) -> bool:
    """Raises where there are no notes."""
    return len(draft.notes[-1]) > 10


class Raising(Strategy[Draft]):
    """A guard raises on an empty tuple."""

    writer, critic = Writer(), Critic()
    accepted, gave_up = Halt(success=True), Halt()
    initial = writer
    edges = (
        writer.to(critic),
        critic.to(gave_up, when=is_spent),
        critic.to(writer, when=is_long),
        critic.to(accepted),
    )


# 4 ---------------------------------------------------------------------------------------------------------


def has_verdict(draft: Draft) -> bool:
    """The critic has spoken, whatever it said."""
    return draft.verdict != ""


class Overlapping(Strategy[Draft]):
    """Two guards hold together, so that one of their edges is hidden behind the other."""

    writer, critic = Writer(), Critic()
    accepted, gave_up, judged = Halt(success=True), Halt(), Halt()
    initial = writer
    edges = (
        writer.to(critic),
        critic.to(judged, when=has_verdict),
        critic.to(accepted, when=is_accepted),
        critic.to(gave_up),
    )


# 5 ---------------------------------------------------------------------------------------------------------


class Narrow(Strategy[Draft]):
    """There is no way on where a reply was rejected and rounds are left."""

    allow = {"no-otherwise": "a verdict is ACCEPT, or it is the last round"}
    writer, critic = Writer(), Critic()
    accepted, gave_up = Halt(success=True), Halt()
    initial = writer
    edges = (writer.to(critic), critic.to(accepted, when=is_accepted), critic.to(gave_up, when=is_spent))


# 6 ---------------------------------------------------------------------------------------------------------


class Lookup(Critic):
    """Looks the verdict up."""

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Knows two words."""
        return evolve(draft, verdict={"ACCEPT": "ACCEPT", "REJECT too short": "REJECT"}[reply])


class KeyErrors(Poems):
    """A parser lets a KeyError through."""

    critic = Lookup()


# 7 ---------------------------------------------------------------------------------------------------------


class Stubborn(Writer):
    """Does not count its rounds."""

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Takes any text."""
        return evolve(draft, text=reply)


class Livelock(Strategy[Draft]):
    """Two agents go round until the critic accepts, and nothing counts the rounds."""

    writer, critic = Stubborn(), Critic()
    accepted = Halt(success=True)
    initial = writer
    edges = (writer.to(critic), critic.to(accepted, when=is_accepted), critic.to(writer))


# 8 ---------------------------------------------------------------------------------------------------------


class Careless(Writer):
    """Counts on below zero."""

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Takes any text."""
        return evolve(draft, text=reply, rounds_left=draft.rounds_left - 2)


class BelowZero(Poems):
    """A counter goes below zero, past the guard that waits for zero."""

    writer = Careless()


def rounds_are_counted(draft: Draft) -> bool:
    """Never less than no rounds are left."""
    return draft.rounds_left >= 0


# 9 ---------------------------------------------------------------------------------------------------------


class Remembering(Writer):
    """Keeps count of its poems in itself."""

    def __init__(self) -> None:
        self.poems = 0

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Numbers the poem."""
        self.poems += 1
        return evolve(super().parse(draft, reply), text=f"{self.poems}. {reply}")


class HiddenState(Poems):
    """An agent keeps something of its own."""

    writer = Remembering()


# 10 --------------------------------------------------------------------------------------------------------


class Listing(Critic):
    """Keeps notes in a list."""

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        """Adds to a list, where a tuple belongs."""
        after = super().parse(draft, reply)
        return evolve(after, notes=[*draft.notes, reply])  # type: ignore[arg-type]  # the planted fault


class Unsaved(Poems):
    """A board does not survive JSON."""

    critic = Listing()


# 11 --------------------------------------------------------------------------------------------------------


class Shell(World[Draft]):
    """Prints the poem."""

    def action(self, draft: Draft, /) -> str:
        """Echoes it."""
        return f"echo {draft.text!r}"

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        """Notes whether that was all."""
        return evolve(draft, is_over=seen.terminated)


def is_over(draft: Draft) -> bool:
    """The environment is over."""
    return draft.is_over


class WrongHalt(Strategy[Draft]):
    """A run whose poem was rejected may end as published."""

    writer, critic, shell = Writer(), Critic(), Shell()
    published, gave_up = Halt(success=True), Halt()
    initial = writer
    edges = (
        writer.to(critic),
        critic.to(gave_up, when=is_spent),
        critic.to(shell),
        shell.to(published, when=is_over),
        shell.to(writer),
    )


def only_accepted_poems_are_published(before: Draft, edge: object, after: Draft) -> bool:
    """What is published was accepted."""
    return getattr(edge, "target", "") != "published" or before.verdict == "ACCEPT"
