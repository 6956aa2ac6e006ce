"""What is found in the templates of a strategy's nodes when its class is created."""

from pathlib import Path
from types import new_class
from typing import Any, ClassVar

import pytest
from attrs import evolve, frozen

from tinysmith import Agent, DefinitionError, Field, Halt, Observation, Strategy, Template, World
from tinysmith.errors import Finding
from tinysmith.nodes import B


@frozen
class Mission:
    """The board."""

    task: str = ""
    _secret: str = ""

    @property
    def is_urgent(self) -> bool:
        """It cannot wait."""
        return "!" in self.task


@frozen
class Nothing:
    """A board without fields."""


class Plain:
    """No board."""


class Writer(Agent[Mission]):
    """An agent; what it asks, a test says."""

    prompt = Template(source="{{ task }}{{ is_urgent }}{{ _secret }}{{ range(2) | list }}")

    def parse(self, mission: Mission, reply: str, /) -> Mission:
        return evolve(mission, task=reply)


class Shell(World[Mission]):
    """A world node whose action is a template."""

    action = Template(source="echo {{ command }}")

    def observe(self, mission: Mission, seen: Observation, /) -> Mission:
        return evolve(mission, task=seen.text)


class Reusable(Agent[B]):
    """An agent that does not know its board: its template is given values of its own."""

    template: ClassVar[Template] = Template(source="{{ values_of_its_own }}")

    def __init__(self, text: Field[B, str], own: Template | None = None) -> None:
        self.text = text
        self.own = own

    def prompt(self, board: B, /) -> str:
        return self.template.render(values_of_its_own=self.text.get(board))

    def parse(self, board: B, reply: str, /) -> B:
        return self.text.put(board, reply)


TASK: Field[Mission, str] = Field(lambda own: own.task, lambda own, task: evolve(own, task=task))


def writer(*sources: str) -> Writer:
    """A writer whose class, and whose class's subclasses one after the other, have these prompts."""
    kind: Any = Writer
    for source in sources:
        kind = type("Writer", (kind,), {"prompt": Template(source=source)})
    node: Writer = kind()
    return node


def findings(node: Any, board: Any = Mission) -> list[tuple[str, str, str, str]]:
    """Code, place, problem and remedy of what is found about a node."""
    done = Halt()
    body = {"node": node, "done": done, "initial": node, "edges": (node.to(done),)}
    try:
        new_class("Faulty", (Strategy[board],), exec_body=lambda namespace: namespace.update(body))
    except DefinitionError as error:
        return [(found.code, found.where, found.problem, found.remedy) for found in error.findings]
    return []


class TestNames:
    def test_the_board_has_them(self) -> None:
        """Fields, private ones too, properties and `range` may be read."""
        assert findings(Writer()) == []

    def test_a_name_that_the_board_lacks(self) -> None:
        """Each name that the board does not have is told, with the names near to it."""
        assert findings(writer("{{ tsk }}{{ zzzz }}")) == [
            (
                "template-name", "Faulty.node",
                "its prompt (a template, line 1) reads 'tsk', which the board does not have.",
                "Did you mean task?",
            ),
            (
                "template-name", "Faulty.node",
                "its prompt (a template, line 1) reads 'zzzz', which the board does not have.",
                "There is _secret, is_urgent, task.",
            ),
        ]  # fmt: skip

    def test_a_prompt_that_is_a_path(self) -> None:
        """A prompt that is a text, where a template was meant, is refused, with what to write."""
        kind: Any = type("Careless", (Writer,), {"prompt": "prompts/writer.jinja"})
        assert findings(kind()) == [
            (
                "bad-template", "Faulty.node",
                "its prompt is 'prompts/writer.jinja', which is no method.",
                'Write a method, or prompt = Template("file.jinja").',
            ),
        ]  # fmt: skip

    def test_an_action_reads_the_board_too(self) -> None:
        """The names of an action's template are looked for on the board, as a prompt's."""
        (found,) = findings(Shell())
        assert found[:2] == ("template-name", "Faulty.node")
        assert found[2].startswith("its action (a template, line 1) reads 'command'")

    def test_a_template_with_values_of_its_own(self) -> None:
        """Under any other name a template is not given the board, so its names are not looked for there."""
        assert findings(Reusable(TASK, Template(source="{{ tsk }}"))) == []

    def test_the_template_in_force(self) -> None:
        """What a subclass replaces is not looked at."""
        assert findings(writer("{{ tsk }}{% for %}", "{{ task }}")) == []
        assert [found[0] for found in findings(writer("{{ task }}", "{{ tsk }}"))] == ["template-name"]

    def test_a_board_without_names(self) -> None:
        """A board without fields has no name; of what is no board no name is asked."""
        assert [found[0] for found in findings(writer("{{ task }}"), Nothing)] == ["template-name"]
        assert [found[0] for found in findings(writer("{{ task }}"), Plain)] == ["board-type"]


class TestTemplates:
    @pytest.mark.parametrize(
        "node",
        [
            writer("{% for %}"),
            Reusable(TASK, Template(source="{% for %}")),
            type("Broken", (Reusable,), {"template": Template(source="{% for %}")})(TASK),
        ],
    )
    def test_what_is_none(self, node: object) -> None:
        """A template that is none is found, under whatever name the node or its class holds it."""
        ((code, where, problem, remedy),) = findings(node)
        assert (code, where) == ("bad-template", "Faulty.node")
        assert problem.startswith("a template, line 1: it is no Jinja template: ")
        assert remedy.startswith("The template is the node's `")

    def test_several(self) -> None:
        """All of a node's templates are looked at, whatever is wrong with the first."""
        body = {"first": Template(source="{% for %}"), "second": Template(source="{% if %}")}
        node = type("Broken", (Writer,), {**body, "prompt": Template(source="{{ tsk }}")})()
        assert [(found[0], found[3]) for found in findings(node)] == [
            ("template-name", "Did you mean task?"),
            ("bad-template", "The template is the node's `first`."),
            ("bad-template", "The template is the node's `second`."),
        ]

    def test_a_file_that_is_missing(self, tmp_path: Path) -> None:
        """A file that is not there is found, also by a node that gives its template values of its own."""
        broken = type("Broken", (Reusable,), {"template": Template("gone.jinja"), "__module__": __name__})
        ((code, _, problem, remedy),) = findings(broken(TASK))
        assert code == "bad-template"
        assert problem.startswith(f"{Path(__file__).parent / 'gone.jinja'}: the template cannot be read: ")
        assert remedy == "The template is the node's `template`."

    def test_it_cannot_be_allowed(self) -> None:
        """No class may switch these checks off."""
        node, done = writer("{{ tsk }}"), Halt()
        body = {"node": node, "done": done, "initial": node, "edges": (node.to(done),)}
        body |= {"allow": {"template-name": "because"}}
        with pytest.raises(DefinitionError) as caught:
            new_class("Faulty", (Strategy[Mission],), exec_body=lambda namespace: namespace.update(body))
        assert [found.code for found in caught.value.findings] == ["bad-allowance", "template-name"]
        assert all(isinstance(found, Finding) for found in caught.value.findings)
