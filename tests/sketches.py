"""Small strategies over one board: each shows one kind of node at work, and says no more than it must."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from tinysmith import Agent, Edge, Halt, Message, Observation, Panel, ParseError, Rule, Strategy, Task, Tool, World


@frozen
class Pad:
    """What was said and seen.

    Attributes:
        lines: Oldest first.
        left: Rounds left.
        seats: How many seats a panel has.
        is_over: Whether the environment said that it is over.
    """

    lines: tuple[str, ...] = ()
    left: int = 0
    seats: int = 2
    is_over: bool = False


def is_good(pad: Pad) -> bool:
    """The last line is the word good."""
    return pad.lines[-1:] == ("good",)


def has_left(pad: Pad) -> bool:
    """A round is left."""
    return pad.left > 0


def is_over(pad: Pad) -> bool:
    """The environment is over."""
    return pad.is_over


def added(pad: Pad, *lines: str) -> Pad:
    """The pad with more lines."""
    return evolve(pad, lines=(*pad.lines, *lines))


class Writer(Agent[Pad]):
    """Writes a line; refuses those that begin with bad."""

    samples = ("good", "fair", "bad line")

    def prompt(self, pad: Pad, /) -> str | Sequence[Message]:
        return f"Write line {len(pad.lines)}."

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        if reply.startswith("bad"):
            raise ParseError(f"Do not write {reply!r}.")
        return added(pad, reply)


class Brief(Writer):
    """Forgets all lines where the context overflows."""

    def shorten(self, pad: Pad, /) -> Pad | None:
        return evolve(pad, lines=()) if pad.lines else None


class Critic(Writer):
    """Writes a line, and uses up a round."""

    def prompt(self, pad: Pad, /) -> str | Sequence[Message]:
        return (Message("system", "You are strict."), Message("user", f"Judge {pad.lines[-1]!r}."))

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return evolve(super().parse(pad, reply), left=pad.left - 1)


class Vote(Panel[Pad]):
    """Hears a line from every seat; the seats that say bad are asked again, and all where one says worst."""

    samples = ("aye", "nay", "bad vote")

    def prompts(self, pad: Pad, /) -> Sequence[str]:
        return [f"Seat {seat}, vote." for seat in range(pad.seats)]

    def parse(self, pad: Pad, replies: Sequence[str], /) -> Pad:
        if "worst" in replies:
            raise ParseError("Vote once more, all of you.")
        if "lost" in replies:
            raise ParseError("Nobody sits there.", seats=[7, -1])
        bad = [seat for seat, reply in enumerate(replies) if reply.startswith("bad")]
        if bad:
            raise ParseError("Vote aye or nay.", seats=bad)
        return added(pad, *replies)

    def shorten(self, pad: Pad, /) -> Pad | None:
        return evolve(pad, seats=1) if pad.seats > 1 else None


class Eye(World[Pad]):
    """Looks at what was written last."""

    def action(self, pad: Pad, /) -> str:
        return f"look {len(pad.lines)}"

    def observe(self, pad: Pad, seen: Observation, /) -> Pad:
        return evolve(added(pad, seen.text), is_over=seen.terminated or seen.truncated)


class Judged(Eye):
    """Is shown the grade."""

    oracle = True

    def observe(self, pad: Pad, seen: Observation, /) -> Pad:
        return super().observe(added(pad, f"{seen.reward:g}"), seen)


class Fetch(Tool[Pad, str]):
    """Fetches what is kept under the last line."""

    def arguments(self, pad: Pad, /) -> Mapping[str, Any]:
        return {"key": pad.lines[-1] if pad.lines else "", "deep": [1, {"two": 2}]}

    def call(self, key: str, deep: list[Any]) -> str:
        return f"{key}={deep}"

    def receive(self, pad: Pad, result: str, /) -> Pad:
        return added(pad, str(result))


class Count(Rule[Pad]):
    """Uses up a round."""

    def apply(self, pad: Pad, /) -> Pad:
        return evolve(pad, left=pad.left - 1)


class Once(Strategy[Pad]):
    """One agent is asked once."""

    writer = Writer()
    done = Halt(success=True)

    initial = writer
    edges = (writer.to(done),)


class Refine(Strategy[Pad]):
    """A writer and a critic, until a line is good or no round is left."""

    writer = Brief()
    critic = Critic()
    accepted = Halt(success=True)
    gave_up = Halt()

    initial = writer
    edges = (
        writer.to(critic),
        critic.to(accepted, when=is_good),
        critic.to(writer, when=has_left),
        critic.to(gave_up),
    )

    def brief(self, task: Task, observation: str, /) -> Pad:
        return Pad(lines=(task.query, observation), left=1)


class Ballot(Strategy[Pad]):
    """A panel votes once."""

    vote = Vote()
    done = Halt()

    initial = vote
    edges = (vote.to(done),)


class Look(Strategy[Pad]):
    """A world node acts until the environment is over, then the writer reflects and it acts once more."""

    eye = Eye()
    writer = Writer()
    found = Halt(success=True)

    initial = eye
    edges = (
        eye.to(found, when=is_good),
        eye.to(writer, when=is_over),
        eye.to(eye),
        writer.to(eye),
    )

    def brief(self, task: Task, observation: str, /) -> Pad:
        return Pad((task.id, observation))


class Watched(Look):
    """As Look, but its eye is shown the grades."""

    eye = Judged()


class Lookup(Strategy[Pad]):
    """A tool is called until no round is left."""

    fetch: Tool[Pad, Any] = Fetch()
    count = Count()
    done = Halt()

    initial = fetch
    edges = (fetch.to(count), count.to(fetch, when=has_left), count.to(done))


class Spin(Strategy[Pad]):
    """A rule that leads to itself until no round is left."""

    count = Count()
    done = Halt()

    initial = count
    edges = (count.to(count, when=has_left), count.to(done))


class Round(Strategy[Pad]):
    """Every kind of node in one ring."""

    writer = Brief()
    vote = Vote()
    eye = Eye()
    fetch = Fetch()
    count = Count()
    accepted = Halt(success=True)
    gave_up = Halt()

    initial = writer
    edges: tuple[Edge[Pad], ...] = (
        writer.to(vote),
        vote.to(eye),
        eye.to(accepted, when=is_good),
        eye.to(fetch),
        fetch.to(count),
        count.to(writer, when=has_left),
        count.to(gave_up),
    )


class Rescue(Round):
    """As Round; whatever fails leads to the count."""

    rescued = Halt()

    edges = (
        *Round.edges,
        Round.writer.on_failure(Round.count),
        Round.vote.on_failure(Round.count),
        Round.eye.on_failure(rescued),
        Round.fetch.on_failure(Round.count),
    )
