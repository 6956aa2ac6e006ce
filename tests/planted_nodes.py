"""Strategies with one fault each in a node: it raises, keeps something, or spoils the board."""

import random
from itertools import count
from typing import Any, ClassVar

from attrs import evolve, frozen
from planted import Draft, Hand, Writer, is_fair, is_good

from tinysmith import Agent, Halt, Observation, ParseError, Strategy, Tool


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


LAMP = {"word": "good"}


class Switched(Strategy[Draft]):
    """An agent does as something outside of the board says."""

    class Moody(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text={"good": "good", "fair": "fair", "poor": "poor"}[LAMP["word"]])

    writer, done, gave_up = Moody(), Halt(success=True), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(gave_up, when=is_fair), writer.to(writer))


TURNS = count()


class Flighty(Strategy[Draft]):
    """An agent takes every second reply."""

    class Odd(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            if next(TURNS) % 2:
                raise ParseError("Not now.")
            return evolve(draft, text=reply)

    writer, done = Odd(), Halt()
    initial = writer
    edges = (writer.to(done),)


class Brittle(Strategy[Draft]):
    """An agent breaks every second time."""

    class Cracked(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            if next(TURNS) % 2:
                raise KeyError("cracked")
            return evolve(draft, text=reply)

    writer, done = Cracked(), Halt()
    initial = writer
    edges = (writer.to(done),)


MADE: list[object] = []


class Made(Strategy[Draft]):
    """An agent asks how many objects of the strategy there are."""

    class Counter(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text="good" if len(MADE) == 1 else "fair")

    def __init__(self) -> None:
        MADE.append(self)

    writer, done, gave_up = Counter(), Halt(), Halt()
    initial = writer
    edges = (writer.to(done, when=is_good), writer.to(gave_up))
    allow: ClassVar = {"edge-never-taken": "it is about something else"}


class Blob(str):
    """A text that is like no other."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Blobs(Strategy[Draft]):
    """What cannot be saved, and is never the same."""

    class Blobber(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            return evolve(draft, text=Blob("blob"))

    writer, done = Blobber(), Halt()
    initial = writer
    edges = (writer.to(done),)


@frozen
class Score:
    """A board that may hold what equals nothing."""

    value: float = 0.0


class Scores(Strategy[Score]):
    """Nothing is wrong with it, though NaN is on the board."""

    class Scorer(Agent[Score]):
        samples: ClassVar[tuple[str, ...]] = ("x",)

        def prompt(self, score: Score, /) -> str:
            return "Score."

        def parse(self, score: Score, reply: str, /) -> Score:
            return Score(float("nan"))

    scorer, done = Scorer(), Halt()
    initial = scorer
    edges = (scorer.to(done),)


class Receiving(Strategy[Draft]):
    """A tool node raises when it receives, an agent when it is to be shorter."""

    class Fetch(Tool[Draft, str]):
        def arguments(self, draft: Draft, /) -> dict[str, str]:
            return {}

        def receive(self, draft: Draft, result: str, /) -> Draft:
            if result:
                raise KeyError(result)
            return evolve(draft, text=result)

    class Long(Writer):
        def shorten(self, draft: Draft, /) -> Draft | None:
            raise ValueError("no shorter")

    fetch, writer, done = Fetch(), Long(), Halt()
    initial = fetch
    edges = (fetch.to(writer), writer.to(done))


class Chatty(Strategy[Draft]):
    """A prompt counts how often it was asked for."""

    class Counter(Writer):
        def prompt(self, draft: Draft, /) -> str:
            return f"Write {next(TURNS)}."

    writer, other, done = Writer(), Counter(), Halt()
    initial = writer
    edges = (writer.to(other), other.to(done))


class Hostile(Strategy[Draft]):
    """An exception carries what would clear a terminal."""

    class Bomb(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            raise KeyError("\x1b[2J gone")

    writer, done = Bomb(), Halt()
    initial = writer
    edges = (writer.to(done),)
