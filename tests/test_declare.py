"""What a class body declares: nodes by name, edges over the class's ancestors, and what cannot be read."""

from types import new_class
from typing import Any, Generic, TypeVar

import pytest
from attrs import evolve, frozen

from tinysmith import Agent, DefinitionError, Halt, Rule, Strategy
from tinysmith._declare import board_of, read
from tinysmith.errors import Finding
from tinysmith.strategy import plan_of

T = TypeVar("T")


@frozen
class Draft:
    """The board."""

    text: str = ""


def is_clean(draft: Draft) -> bool:
    """The draft needs no more work."""
    return "!" not in draft.text


class Writer(Agent[Draft]):
    def prompt(self, draft: Draft, /) -> str:
        return "Write."

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply)


class Editor(Rule[Draft]):
    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, text=draft.text.strip())


class Refine(Strategy[Draft]):
    """A strategy to be derived from."""

    writer = Writer()
    editor: Rule[Draft] = Editor()
    done = Halt(success=True)

    initial = writer
    edges: Any = (writer.to(editor), editor.to(done, when=is_clean), editor.to(writer))


writer, other, editor, done = Writer(), Writer(), Editor(), Halt()
SOUND: dict[str, Any] = {
    "writer": writer, "done": done, "initial": writer, "edges": (writer.to(done),)
}  # fmt: skip


def findings(base: Any = Strategy[Draft], /, **body: object) -> tuple[Finding, ...]:
    """The findings on a class `Faulty` of this body; none, if it is sound."""
    try:
        new_class("Faulty", (base,), exec_body=lambda namespace: namespace.update(body))
    except DefinitionError as error:
        return error.findings
    return ()


FAULTS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("no-initial", SOUND | {"initial": None}, "Faulty", "it has no initial node", "(writer, done)"),
    ("no-initial", SOUND | {"initial": other}, "Faulty", "initial is a Writer node", "attribute of the class"),
    ("no-initial", SOUND | {"initial": "writer"}, "Faulty", "initial is 'writer'", "take one of writer, done"),
    ("no-initial", SOUND | {"initial": "w" * 99}, "Faulty", "initial is a str, which", "take one of writer, done"),
    ("no-initial", SOUND | {"initial": done}, "Faulty.done", "the initial node is a halt", "Begin elsewhere."),
    ("not-an-edge", SOUND | {"edges": [writer.to(done)]}, "Faulty", "its edges are a list.", "Write a tuple"),
    ("not-an-edge", SOUND | {"edges": writer.to(done)}, "Faulty", "Edge.", "Write a tuple"),
    ("not-an-edge", SOUND | {"edges": (writer.to(done), done)}, "Faulty", "edges[1] is a Halt", "to(target)"),
    ("not-an-edge", SOUND | {"edges": ("writer",)}, "Faulty", "edges[0] is 'writer'", "`source.to(target)`."),
    (
        "unknown-node", SOUND | {"edges": (writer.to(other), writer.to(done))}, "Faulty.writer",
        "the target of edges[0] is a Writer node, which is no attribute of Faulty", "use one of its own nodes",
    ),
    (
        "unknown-node", SOUND | {"edges": (writer.to(done), editor.to(done))}, "Faulty",
        "the source of edges[1] is an Editor node", "Make it an attribute of the class",
    ),
    (
        "unknown-node", SOUND | {"edges": (writer.to(done), Refine.editor.to(done))}, "Faulty",
        "the source of edges[1] is an Editor node", "use one of its own nodes",
    ),
    ("two-names", SOUND | {"author": writer}, "Faulty.author", "the same instance as writer", "a second instance"),
    ("shadowed-method", SOUND | {"start": other}, "Faulty.start", "hides Strategy.start", "Rename the node."),
    ("shadowed-method", SOUND | {"brief": other}, "Faulty.brief", "hides Strategy.brief", "Rename the node."),
    ("shadowed-method", SOUND | {"machine": other}, "Faulty.machine", "hides Strategy.machine", "Rename"),
]  # fmt: skip


class TestFindings:
    @pytest.mark.parametrize(("code", "body", "where", "problem", "remedy"), FAULTS)
    def test_a_fault_is_told(self, code: str, body: dict[str, Any], where: str, problem: str, remedy: str) -> None:
        """A class body that cannot be read is refused, with strategy, node, what is wrong and what to do."""
        found = findings(**body)
        assert [finding.code for finding in found] == [code]
        assert found[0].where == where
        assert problem in found[0].problem
        assert remedy in found[0].remedy

    def test_a_sound_class_has_none(self) -> None:
        """The body that the faulty ones are made of is sound itself."""
        assert findings(**SOUND) == ()

    def test_an_empty_class(self) -> None:
        """A strategy of nothing is told what it lacks, and that it has no nodes yet."""
        (finding,) = findings()
        assert finding.code == "no-initial"
        assert "(none yet)" in finding.remedy

    def test_a_base_over_several_boards(self) -> None:
        """A base that leaves the board open is not checked; whoever names the board is."""

        class Base(Strategy[T]):
            initial = SOUND["initial"]

        class Derived(Base[Draft]):
            locals().update(SOUND)

        assert plan_of(Derived).board_type is Draft
        assert not hasattr(Base, "machine")

    def test_no_board(self) -> None:
        """A strategy that names no board is told how to."""
        (finding,) = findings(Strategy, **SOUND)
        assert (finding.code, finding.where) == ("no-board", "Faulty")
        assert "class Faulty(Strategy[YourBoard])" in finding.remedy

    def test_all_come_at_once(self) -> None:
        """Every fault of a body is told together."""
        body = SOUND | {"author": writer, "start": other, "initial": None, "edges": (1, editor.to(done))}
        codes = [finding.code for finding in findings(Strategy, **body)]
        assert codes == ["no-board", "two-names", "shadowed-method", "no-initial", "not-an-edge", "unknown-node"]

    def test_both_ends_of_an_edge(self) -> None:
        """An edge between two strangers has two findings."""
        found = findings(**SOUND | {"edges": (writer.to(done), editor.to(other))})
        assert [finding.problem.split(" of ")[0] for finding in found] == ["the source", "the target"]


def arrows(cls: Any) -> list[tuple[str, str]]:
    """The ends of the edges of a strategy, in declared order."""
    return [(arrow.source, arrow.target) for arrow in read(cls, Strategy).arrows]


class TestInheritance:
    def test_a_replaced_node_takes_the_inherited_edges(self) -> None:
        """A subclass that names another node replaces it wherever the ancestors' edges mention it."""

        class Terse(Refine):
            writer = Writer()

        declared = read(Terse, Strategy)
        assert declared.nodes["writer"] is Terse.writer
        assert declared.nodes["writer"] is not Refine.writer
        assert declared.initial == "writer"
        assert arrows(Terse) == arrows(Refine)

    def test_edges_before_the_inherited_ones(self) -> None:
        """A subclass may put its own edges first, from its own and from inherited nodes."""

        class Short(Refine):
            gave_up = Halt()
            edges = (Refine.editor.to(gave_up, when=is_clean), *Refine.edges)
            allow = {"same-guard-twice": "the first one is this class's own"}

        assert arrows(Short) == [("editor", "gave_up"), *arrows(Refine)]

    def test_edges_of_a_replaced_node(self) -> None:
        """The ancestor's instance and its replacement mean the same node in the subclass's edges."""

        class Terse(Refine):
            writer = Writer()
            edges = (writer.to(Refine.done, when=is_clean), *Refine.edges)

        assert arrows(Terse)[:2] == [("writer", "done"), ("writer", "editor")]

    def test_another_initial_node(self) -> None:
        """A subclass may begin at another of the inherited nodes."""

        class Later(Refine):
            initial: Any = Refine.editor

        assert Later().start(Draft(" a ")).node == "done"

    def test_an_unchanged_subclass(self) -> None:
        """A subclass that says nothing is the machine of its parent under its own name."""

        class Twin(Refine):
            pass

        assert read(Twin, Strategy).name == "Twin"
        assert Twin.machine is not Refine.machine
        assert arrows(Twin) == arrows(Refine)

    def test_a_node_may_not_be_replaced_by_something_else(self) -> None:
        """A subclass that puts no node in an inherited node's place is refused, edge by edge."""
        found = findings(Refine, editor=None)
        assert {finding.code for finding in found} == {"unknown-node"}
        assert len(found) == 3

    def test_an_inherited_node_has_one_name(self) -> None:
        """A second name for an inherited instance is refused."""
        (finding,) = findings(Refine, author=Refine.writer)
        assert (finding.code, finding.where) == ("two-names", "Faulty.author")

    def test_an_instance_may_not_change_its_name(self) -> None:
        """An inherited instance under another name, its own taken by a new node, would make edges ambiguous."""
        moved = Refine.editor
        found = findings(Refine, editor=Editor(), second=moved, edges=(*Refine.edges, moved.to(Refine.done)))
        assert "two-names" in {finding.code for finding in found}


class TestBoardOf:
    def test_the_nearest_ancestor_that_names_one(self) -> None:
        """A subclass works on the board that its ancestor names."""

        class Twin(Refine):
            pass

        assert board_of(Twin, Strategy) is Draft

    def test_other_generic_bases_do_not_count(self) -> None:
        """Only the argument of `Strategy` is the board."""

        class Mixin(Generic[T]):
            pass

        class Mixed(Mixin[int], Refine):
            pass

        assert board_of(Mixed, Strategy) is Draft
