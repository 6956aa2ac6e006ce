"""The right form of everything that `bad.py` gets wrong, and of what a larger strategy needs; mypy is silent."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from attrs import evolve, frozen

from tinysmith import (
    Agent,
    Edge,
    Field,
    FrozenDict,
    Halt,
    Message,
    Observation,
    Panel,
    Rule,
    Run,
    Strategy,
    Tool,
    Typed,
    World,
)

B = TypeVar("B")


@frozen
class Draft:
    """The board of the strategies below."""

    text: str = ""
    is_clean: bool = False
    votes: tuple[bool, ...] = ()
    sources: tuple[str, ...] = ()
    rounds_left: int = 3


@frozen
class Ledger:
    """Another board."""

    notes: str = ""


@frozen
class Found:
    """What the retriever returns."""

    passages: tuple[str, ...]


def is_clean(draft: Draft) -> bool:
    """The draft needs no more work."""
    return draft.is_clean


def has_votes(draft: Draft) -> bool:
    """Somebody has voted."""
    return bool(draft.votes)


class Writer(Agent[Draft]):
    """An agent whose prompt is a text."""

    samples = ("Once upon a time",)

    def prompt(self, draft: Draft, /) -> str | Sequence[Message]:
        return f"Write. So far: {draft.text}"

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply)


class PatientWriter(Writer):
    """A writer whose prompt is whole messages, and that can write shorter ones."""

    def prompt(self, draft: Draft, /) -> Sequence[Message]:
        return [Message("system", "Write."), Message("user", f"So far: {draft.text}")]

    def shorten(self, draft: Draft, /) -> Draft | None:
        return evolve(draft, text=draft.text[:100])


class Shell(World[Draft]):
    """A world node."""

    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, is_clean=seen.terminated or seen.truncated, text=seen.text)


class Jury(Panel[Draft]):
    """A panel."""

    def prompts(self, draft: Draft, /) -> Sequence[str]:
        return [f"{draft.text}: yes or no?"] * 3

    def parse(self, draft: Draft, replies: Sequence[str], /) -> Draft:
        return evolve(draft, votes=tuple(reply == "yes" for reply in replies))


class Retriever(Tool[Draft, Found]):
    """A tool with a typed call and a typed result."""

    def arguments(self, draft: Draft, /) -> Mapping[str, object]:
        return {"query": draft.text, "most": 3}

    async def call(self, *, query: str, most: int) -> Found:
        return Found((query,) * most)

    def receive(self, draft: Draft, result: Found, /) -> Draft:
        return evolve(draft, sources=result.passages)


class Countdown(Rule[Draft]):
    """A rule."""

    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, rounds_left=draft.rounds_left - 1)


class Summarise(Agent[B], Generic[B]):
    """An agent that does not know its board: it is given a lens."""

    def __init__(self, memory: Field[B, str], by: Callable[[str], str] = str) -> None:
        self.memory = memory
        self.by = by

    def prompt(self, board: B, /) -> str:
        return f"Summarise: {self.memory.get(board)}"

    def parse(self, board: B, reply: str, /) -> B:
        return self.memory.put(board, self.by(reply))


def text_of(draft: Draft) -> str:
    """What a draft says."""
    return draft.text


def with_text(draft: Draft, text: str) -> Draft:
    """A draft that says something else."""
    return evolve(draft, text=text)


class Judge(Typed[B, Found]):
    """Asks for a value of a type, on any board."""

    def prompt(self, board: B, /) -> str:
        return "Find."


class Finder(Judge[Draft]):
    """Puts the value on its board."""

    def accept(self, draft: Draft, found: Found, /) -> Draft:
        return evolve(draft, sources=found.passages)


class Refine(Strategy[Draft]):
    """Every kind of node, and every kind of edge."""

    writer = Writer()
    summary = Summarise(Field(text_of, with_text))
    jury = Jury()
    retriever = Retriever()
    finder = Finder()
    countdown = Countdown()
    shell = Shell()
    done = Halt(success=True)
    gave_up = Halt()

    initial = writer
    edges: tuple[Edge[Draft], ...] = (  # by its annotation, a subclass may have more of them
        writer.to(summary),
        writer.on_failure(gave_up),
        summary.to(jury),
        jury.to(retriever, when=has_votes),
        jury.to(done),
        retriever.to(finder),
        finder.to(countdown),
        countdown.to(shell),
        shell.to(done, when=is_clean),
        shell.to(writer),
    )


class RefineLonger(Refine):
    """A subclass that replaces a node and puts an edge before the inherited ones."""

    writer = PatientWriter()
    edges = (Refine.jury.to(Refine.gave_up, when=is_clean), *Refine.edges)


class Keep(Strategy[Ledger]):
    """The same reusable node on another board, by another lens."""

    summary = Summarise(Field[Ledger, str](lambda own: own.notes, lambda own, notes: evolve(own, notes=notes)))
    done = Halt()

    initial = summary
    edges = (summary.to(done),)


def ends(strategy: Strategy[B], board: B) -> B:
    """The board on which a strategy of any board begins."""
    return strategy.start(board).board


DRAFT: Draft = ends(RefineLonger(), Draft())
LEDGER: Ledger = ends(Keep(), Ledger())
TABLE: FrozenDict[str, int] = FrozenDict({"a": 1})


def told(ended: Run[Draft]) -> str:
    """Why a run went as it did, and how many edges it did not take."""
    candidates = ended.explain(1).candidates
    return f"{ended.explain()} {ended.why_not('solved')} {len([each for each in candidates if not each.taken])}"
