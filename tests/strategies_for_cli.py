"""Strategies and environments that the command line's tests load by name."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from attrs import evolve, frozen

from tinysmith import Agent, EnvironmentStep, Halt, Observation, ParseError, Strategy, Task, Tool, World
from tinysmith.protocols import Info


@frozen
class Note:
    """A board with a field of each sort that `--set` knows."""

    text: str = ""
    rounds_left: int = 1
    tags: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.rounds_left < 0:
            raise ValueError("rounds_left is negative")


class Writer(Agent[Note]):
    samples: ClassVar[tuple[str, ...]] = ("a note",)

    def prompt(self, note: Note, /) -> str:
        return f"Write a note, {note.text!r} {note.tags}."

    def parse(self, note: Note, reply: str, /) -> Note:
        if reply == "bug":
            raise KeyError("planted")
        if reply == "bad":
            raise ParseError("Write something else.")
        return evolve(note, text=reply)


class Speechless(Writer):
    samples = ()


class Board(World[Note]):
    def action(self, note: Note, /) -> str:
        return note.text

    def observe(self, note: Note, seen: Observation, /) -> Note:
        return evolve(note, text=seen.text)


class Count(Tool[Note, int]):
    def arguments(self, note: Note, /) -> dict[str, Any]:
        return {"text": note.text}

    def call(self, *, text: str) -> int:
        return len(text)

    def receive(self, note: Note, result: int, /) -> Note:
        return evolve(note, rounds_left=result)


class Pin(Strategy[Note]):
    """A writer writes a note, and it is pinned to a board."""

    writer = Writer()
    board = Board()
    pinned = Halt(success=True)
    initial = writer
    edges = (writer.to(board), board.to(pinned))


class Say(Strategy[Note]):
    """A writer writes a note, and its letters are counted."""

    writer = Writer()
    count = Count()
    said = Halt(success=True)
    initial = writer
    edges = (writer.to(count), count.to(said))


class Mute(Strategy[Note]):
    """A writer without samples."""

    writer = Speechless()
    said = Halt(success=True)
    initial = writer
    edges = (writer.to(said),)


class Wall:
    """An environment without tasks and grades: it shows what was pinned."""

    def __init__(self, data: Path | None = None) -> None:
        self.data = data

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        return f"a wall in {self.data}", {}

    async def step(self, action: str) -> EnvironmentStep:
        return EnvironmentStep(f"pinned: {action}\x1b[2J", 0.5, False, False, {})

    async def close(self) -> None:
        return None


class Broken(Wall):
    """An environment whose machinery fails."""

    async def step(self, action: str) -> EnvironmentStep:
        raise OSError("the wall fell down")


class Unready(Wall):
    """An environment that cannot be reset."""

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        raise OSError("no wall")


def nothing() -> object:
    """No environment at all."""
    return object()


NUMBER = 3


class Whisperer(Writer):
    """Writes everything small."""

    def parse(self, note: Note, reply: str, /) -> Note:
        return super().parse(note, reply.lower())


class Hush(Say):
    """As Say, but in small letters."""

    writer = Whisperer()


class Refuser(Writer):
    """Has no question for anybody."""

    def prompt(self, note: Note, /) -> str:
        raise KeyError("planted")


class Fussy(Say):
    """As Say, but nothing can be asked."""

    writer = Refuser()


class Vandal(Count):
    """Breaks the journal whose path is on the board."""

    def call(self, *, text: str) -> int:
        with closing(sqlite3.connect(text)) as file:
            file.execute("DROP TABLE log")
        return 0


class Vandalise(Say):
    """As Say, but nothing is counted."""

    count = Vandal()


class Patient(Writer):
    """Takes every reply."""

    def parse(self, note: Note, reply: str, /) -> Note:
        return evolve(note, text=reply)


class Mended(Say):
    """As Say, but the writer takes every reply."""

    writer = Patient()


class PinTwice(Strategy[Note]):
    """A note is pinned, and so is what is seen then."""

    writer = Writer()
    board = Board()
    again = Board()
    pinned = Halt(success=True)
    initial = writer
    edges = (writer.to(board), board.to(again), again.to(pinned))


class Spare(Strategy[Note]):
    """A writer who may say nothing."""

    writer = Writer()
    said = Halt(success=True)
    silent = Halt()
    initial = writer
    edges = (writer.to(said), writer.on_failure(silent))


def is_long(note: Note) -> bool:
    """The note is long."""
    return note.rounds_left > 100


class Forked(Strategy[Note]):
    """As Say, but a long note is another end."""

    writer = Writer()
    count = Count()
    said = Halt(success=True)
    long = Halt(success=True)
    initial = writer
    edges = (writer.to(count), count.to(long, when=is_long), count.to(said))
