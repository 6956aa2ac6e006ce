"""The kinds of node, the edges between them, and lenses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest
from attrs import define, evolve, field, frozen

from tinysmith import Agent, Edge, Field, Halt, Observation, Panel, Reply, Rule, Tool, World

B = TypeVar("B")


@frozen
class Draft:
    """A board."""

    text: str = ""


@frozen
class Ledger:
    """Another board."""

    notes: str = ""


def is_empty(draft: Draft) -> bool:
    """Nothing is written yet."""
    return not draft.text


class Writer(Agent[Draft]):
    def prompt(self, draft: Draft, /) -> str:
        return "Write."

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply)


class Jury(Panel[Draft]):
    def prompts(self, draft: Draft, /) -> Sequence[str]:
        return ["Yes?", "No?"]

    def parse(self, draft: Draft, replies: Sequence[str], /) -> Draft:
        return evolve(draft, text=" ".join(replies))


class Shell(World[Draft]):
    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, text=seen.text)


class Retriever(Tool[Draft, str]):
    def arguments(self, draft: Draft, /) -> Mapping[str, Any]:
        return {"query": draft.text}

    def receive(self, draft: Draft, result: str, /) -> Draft:
        return evolve(draft, text=result)


class Clear(Rule[Draft]):
    def apply(self, draft: Draft, /) -> Draft:
        return Draft()


class Summarise(Agent[B], Generic[B]):
    """An agent that does not know its board."""

    def __init__(self, memory: Field[B, str]) -> None:
        self.memory = memory

    def prompt(self, board: B, /) -> str:
        return f"Summarise: {self.memory.get(board)}"

    def parse(self, board: B, reply: str, /) -> B:
        return self.memory.put(board, reply)


@frozen
class Frozen(Rule[Draft]):
    """A node that is a frozen attrs class."""

    text: str = "x"

    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, text=self.text)


@define(slots=False)
class Unslotted(Rule[Draft]):
    """A node that is an attrs class which is not made anew."""

    text: str = "x"
    more: list[str] = field(factory=list)

    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, text=self.text)


@dataclass
class Plain(Rule[Draft]):
    """A node that is a dataclass."""

    text: str = "x"

    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, text=self.text)


class Alike(Clear):
    """A node that would equal every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


KINDS = [Writer, Jury, Shell, Retriever, Clear, Halt, Frozen, Unslotted, Plain, Alike]
ASKING = [Writer, Jury, Shell, Retriever]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
class TestIdentity:
    def test_nodes_are_told_apart_by_identity(self, kind: Any) -> None:
        """Two nodes made alike are two nodes, also where their class is an attrs or a data class."""
        one, other = kind(), kind()
        assert one == one  # that is what is tested
        assert one != other
        assert len({one, other}) == 2


class TestEdges:
    def test_to(self) -> None:
        """An edge has its ends and its guard; without `when` it has none."""
        writer, end = Writer(), Halt()
        edge = writer.to(end, when=is_empty)
        assert (edge.source, edge.target, edge.guard, edge.on_failure) == (writer, end, is_empty, False)
        assert writer.to(end).guard is None

    @pytest.mark.parametrize("kind", ASKING, ids=lambda kind: kind.__name__)
    def test_on_failure(self, kind: Any) -> None:
        """Every node that asks somebody may have a failure edge."""
        node, end = kind(), Halt()
        edge = node.on_failure(end)
        assert (edge.source, edge.target, edge.guard, edge.on_failure) == (node, end, None, True)

    def test_a_rule_cannot_fail(self) -> None:
        """A rule asks nobody, so it has no failure edge; a halt has no edges at all."""
        assert not hasattr(Clear(), "on_failure")
        assert not hasattr(Halt(), "on_failure")
        assert not hasattr(Halt(), "to")

    def test_edges_are_told_apart_by_identity(self) -> None:
        """Two edges of the same ends are two edges."""
        writer, end = Writer(), Halt()
        assert writer.to(end) != writer.to(end)
        assert isinstance(writer.to(end), Edge)


class TestAbstract:
    @pytest.mark.parametrize("kind", [Agent, Panel, World, Tool, Rule])
    def test_a_kind_is_no_node(self, kind: Any) -> None:
        """Python refuses a node that lacks what its kind must say."""
        with pytest.raises(TypeError, match="abstract"):
            kind()


class TestAgent:
    def test_receive_parses_the_text(self) -> None:
        """By default the whole reply is taken by its text."""
        assert Writer().receive(Draft(), Reply("Hello")) == Draft("Hello")

    def test_nothing_is_shortened_by_default(self) -> None:
        """An agent or panel that does not say how to write less has no shorter board."""
        assert Writer().shorten(Draft("long")) is None
        assert Jury().shorten(Draft("long")) is None

    def test_it_wishes_for_nothing_by_default(self) -> None:
        """By default there are no samples, no tools and no schema."""
        assert (Writer.samples, Writer.tools, Writer.schema, Jury.samples) == ((), (), None, ())


class TestTool:
    def test_without_call(self) -> None:
        """A tool node that has no function of its own says so."""
        with pytest.raises(NotImplementedError, match=r"Retriever has no call of its own"):
            Retriever().call(query="x")


class TestHalt:
    def test_success(self) -> None:
        """A halt says whether it is what was wanted; by default it is not."""
        assert Halt(success=True).success
        assert not Halt().success


class TestField:
    def test_one_node_serves_two_boards(self) -> None:
        """A node that is given a lens reads and writes that value of any board, and nothing else."""
        drafts = Summarise(Field[Draft, str](lambda own: own.text, lambda own, text: evolve(own, text=text)))
        ledgers = Summarise(Field[Ledger, str](lambda own: own.notes, lambda own, notes: evolve(own, notes=notes)))
        assert drafts.prompt(Draft("a")) == "Summarise: a"
        assert ledgers.prompt(Ledger("b")) == "Summarise: b"
        assert drafts.parse(Draft("a"), "c") == Draft("c")
        assert ledgers.parse(Ledger("b"), "c") == Ledger("c")
