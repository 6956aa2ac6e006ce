"""What the tests of the journal share: a model that answers by the question alone, and runs that are cut."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from sketches import Pad, Rescue
from worlds import Echo

from tinysmith import Agent, Ask, Halt, Journal, Limits, Reply, Run, Strategy, Usage, run
from tinysmith.errors import UsageError
from tinysmith.journal._log import run_name

REPLIES = ("fair", "aye", "bad line", "good", "worst", "nay", "\ud83d", "x" * 1500, "x" * 60)


class Numbered:
    """A model that answers the ask of number n with the reply of number n, over and over; it counts its asks."""

    def __init__(self, replies: Sequence[str] = REPLIES) -> None:
        self.replies = replies
        self.asked: list[int] = []

    def ask(self, request: Ask, /) -> Reply:
        self.asked.append(request.number)
        text = self.replies[request.number % len(self.replies)]
        return Reply(text, usage=Usage(3, 4, 0.25), model="numbered", thinking="hm")

    async def aask(self, request: Ask, /) -> Reply:
        return self.ask(request)


class Again(Echo):
    """An environment whose actions may be done again."""

    is_replayable = True


class Cut(Exception):
    """The run is cut off here."""


def cut_at(number: int) -> Callable[[Any], None]:
    """A listener that cuts a run off after a step."""

    def listen(step: Any) -> None:
        if step.number == number:
            raise Cut

    return listen


def whole(journal: Journal, model: Any, *, left: int = 1, **more: Any) -> Run[Pad]:
    """A run of every kind of node, to its end."""
    given = {"environment": Again(), "limits": Limits(max_asks=20), **more}
    return run(Rescue(), Pad(left=left), model=model, journal=journal, **given)


def cut(journal: Journal, model: Any, at: int, **more: Any) -> str:
    """A run that is cut off after a step; its id."""
    known = {head.run for head in journal._store.heads()}
    try:
        whole(journal, model, listeners=[cut_at(at)], **more)
    except Cut:
        (name,) = (run_name(head.run) for head in journal._store.heads() if head.run not in known)
        return name
    raise UsageError(f"the run ended before step {at}")


def trace(run: Run[Any]) -> list[Any]:
    """What a run did, whenever it did it."""
    return [(step.request, evolve(step.event, elapsed_s=0.0), step.hops, step.board) for step in run.steps]


@frozen
class Word:
    """A board with one text."""

    text: str = ""


class Speaker(Agent[Word]):
    """Says a word, and raises where it is told to."""

    def prompt(self, board: Word, /) -> str:
        return f"Say a word after {board.text!r}."

    def parse(self, board: Word, reply: str, /) -> Word:
        if reply == "raise":
            raise ZeroDivisionError(reply)
        return evolve(board, text=3 if reply == "misfit" else reply)  # type: ignore[arg-type]  # a strategy at fault


class Speak(Strategy[Word]):
    """One word."""

    speaker = Speaker()
    said = Halt(success=True)

    initial = speaker
    edges = (speaker.to(said),)


class Calmer(Speaker):
    """Says a word, whatever it is told."""

    def parse(self, board: Word, reply: str, /) -> Word:
        return evolve(board, text=reply)


class SpeakCalmly(Speak):
    """As Speak, but mended."""

    speaker = Calmer()


def rows_of(path: Path) -> Any:
    """The file's own connection, for those who do it harm."""
    return sqlite3.connect(path, isolation_level=None)
