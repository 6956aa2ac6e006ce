"""Strategies with one fault each in a node: it raises, keeps something, or spoils the board."""

import random
from itertools import count
from typing import Any

from attrs import evolve
from planted import Draft, Hand, Writer, is_fair, is_good

from tinysmith import Halt, Observation, ParseError, Strategy


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
    """An agent takes every third reply."""

    class Odd(Writer):
        def parse(self, draft: Draft, reply: str, /) -> Draft:
            if next(TURNS) % 3:
                raise ParseError("Not now.")
            return evolve(draft, text=reply)

    writer, done = Odd(), Halt()
    initial = writer
    edges = (writer.to(done),)


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
