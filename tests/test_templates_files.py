"""Templates in files: where they are looked for, what they include, and what is no template."""

import importlib
import sys
from pathlib import Path
from types import new_class
from typing import Any, ClassVar

import pytest
from attrs import frozen

from tinysmith import Agent, DefinitionError, Template
from tinysmith.cli._load import load_strategy
from tinysmith.errors import TemplateError
from tinysmith.strategy import plan_of


@frozen
class Line:
    """A line of the log."""

    text: str


@frozen
class Job:
    """A board."""

    task: str = "sort"


def placed(folder: Path, **files: str) -> Template:
    """The template main.jinja of a class whose module is in that folder, beside these other files."""
    for name, text in files.items():
        (folder / f"{name}.jinja").write_text(text, encoding="utf-8")
    module = f"module_{folder.name}"
    (folder / f"{module}.py").write_text(
        "from tinysmith import Template\n\nclass Holder:\n    template = Template('main.jinja')\n"
    )
    sys.path.insert(0, str(folder))
    try:
        template: Template = importlib.import_module(module).Holder.template
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(module, None)
    return template


class TestFiles:
    def test_lie_beside_the_module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file is looked for beside the module of the class, wherever the program was started."""
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert placed(tmp_path, main="\ufeffDo {{ task }}.\r\n").render(task="it") == "Do it."

    def test_are_read_once(self, tmp_path: Path) -> None:
        """What a template reads is read once, so that a run that is under way keeps its prompts."""
        template = placed(tmp_path, main='1{% include "part.jinja" %}', part="2")
        assert template.render() == "12"
        (tmp_path / "part.jinja").write_text("3")
        (tmp_path / "main.jinja").unlink()
        assert template.render() == "12"

    def test_an_error_in_an_included_file(self, tmp_path: Path) -> None:
        """An error is told with the file that it is in."""
        template = placed(tmp_path, main='\n\n{% include "part.jinja" %}', part="\n{{ log.txt }}")
        with pytest.raises(TemplateError, match=r"^part\.jinja, line 2: UndefinedError: "):
            template.render(log=())

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            (
                {},
                r"/main\.jinja: the template cannot be read: No such file or directory\. Check its name",
            ),
            (
                {"main": '{% include "gone.jinja" %}'},
                r"/gone\.jinja: the template that main\.jinja refers to cannot",
            ),
            ({"main": "a\n{% for %}"}, r"main\.jinja, line 2: it is no Jinja template: "),
            ({"main": "{{ a | no_such }}"}, r"main\.jinja, line 1: it is no Jinja template: No filter named"),
            ({"main": '{% include "part.jinja" %}', "part": "{{"}, r"part\.jinja, line 1: it is no Jinja"),
            ({"main": "{% include task %}"}, r"main\.jinja: it refers to a file whose name is computed\."),
            ({"main": '{% include "../a.jinja" %}'}, r"main\.jinja: it includes '\.\./a\.jinja', which leads out"),
            ({"main": '{% extends "/etc/hosts" %}'}, r"main\.jinja: it includes '/etc/hosts', which leads out"),
        ],
    )
    def test_what_is_no_template(self, files: dict[str, str], said: str, tmp_path: Path) -> None:
        """A file that is missing, broken or elsewhere is told, whether its names are read or it is rendered."""
        template = placed(tmp_path, **files)
        with pytest.raises(TemplateError, match=said):
            template.render(task="")
        with pytest.raises(TemplateError, match=said):
            template.names  # noqa: B018  # it is read for what it raises

    def test_one_of_several_files(self, tmp_path: Path) -> None:
        """A file may be included out of several; only one name can be imported."""
        template = placed(tmp_path, main='{% include ["a.jinja", "b.jinja"] %}', a="{{ task }}", b="{{ log }}")
        assert template.names == {"task", "log"}
        assert template.render(task="it") == "it"
        (tmp_path / "bad").mkdir()
        bad = placed(tmp_path / "bad", main='{% import ["a.jinja"] as a %}', a="")
        assert bad.names == frozenset()
        with pytest.raises(TemplateError, match=r"main\.jinja, line 1: "):
            bad.render()

    def test_what_is_no_text(self, tmp_path: Path) -> None:
        """A file that is not in UTF-8 is told."""
        template = placed(tmp_path)
        (tmp_path / "main.jinja").write_bytes(b"caf\xe9")
        with pytest.raises(
            TemplateError, match=r"main\.jinja: the template is no UTF-8 text\. Save it as UTF-8\."
        ):
            template.render()

    def test_a_template_that_no_class_holds(self) -> None:
        """Without a class there is no folder; a source needs none."""
        with pytest.raises(TemplateError, match=r"main\.jinja: its folder is not known"):
            Template("main.jinja").render()
        assert Template(source="x").render() == "x"

    def test_in_a_module_without_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In an interactive session files are looked for in the working directory."""
        (tmp_path / "main.jinja").write_text("here")
        monkeypatch.chdir(tmp_path)
        holder: Any = new_class(
            "Holder", exec_body=lambda body: body.update(__module__="no_such", t=Template("main.jinja"))
        )
        assert holder.t.render() == "here"

    def test_a_subclass_elsewhere(self, tmp_path: Path) -> None:
        """A template that is inherited, or held by a second class, keeps the folder of the first."""
        template = placed(tmp_path, main="there")

        class Second:
            held: ClassVar[Template] = template

        class Third(Second):
            pass

        assert Third.held.render() == "there"


class TestReferences:
    def test_included_files(self, tmp_path: Path) -> None:
        """The names of included files count too, but what the including file sets for them; each is read once."""
        main = '{% for line in log %}{% include "line.jinja" %}{% endfor %}{% include "line.jinja" %}'
        template = placed(
            tmp_path,
            main=main,
            line='{{ line }}-{{ task }}{% if line > 1 %}{% include "main.jinja" %}{% endif %} ',
        )
        assert template.names == {"log", "task"}
        assert (
            placed(
                tmp_path,
                main='{% for line in log %}{% include "line.jinja" %}{% endfor %}',
                line="{{ line.text }} ",
            ).render(log=[Line("a"), Line("b")])
            == "a b"
        )

    def test_the_place_of_a_name(self, tmp_path: Path) -> None:
        """A name is told with the file and the line that read it, in an included file too."""
        template = placed(
            tmp_path, main='{{ task }}\n{% include "line.jinja" %}', line="The\n{{ lgo }}\n{{ lgo }}"
        )
        assert [template.place_of(name) for name in ("task", "lgo")] == [
            "main.jinja, line 1",
            "line.jinja, line 2",
        ]

    def test_extended_files(self, tmp_path: Path) -> None:
        """A block of an extending file may read what the extended file sets."""
        base = "{% set tone = 'mild' %}{% block body %}{% endblock %}"
        template = placed(
            tmp_path,
            main='{% extends "base.jinja" %}{% block body %}{{ tone }} {{ task }}{% endblock %}',
            base=base,
        )
        assert template.names == {"task"}
        assert template(Job()) == "mild sort"

    def test_macros(self, tmp_path: Path) -> None:
        """A macro may be imported with the context, or without it if it reads nothing but its arguments."""
        macros = "{% macro twice(a) %}{% for i in range(2) %}{{ a }}{% endfor %}{% endmacro %}"
        template = placed(
            tmp_path,
            main='{% import "macros.jinja" as all %}{% from "macros.jinja" import twice as two, twice %}'
            '{% from "own.jinja" import own with context %}'
            "{{ all.twice(1) }}{{ two(2) }}{{ twice(3) }}{{ own() }}",
            macros=macros,
            own="{% macro own() %}{{ task }}{% endmacro %}",
        )
        assert template.names == {"task", "range"}
        assert template(Job("!")) == "112233!"

    def test_macros_of_the_including_file(self, tmp_path: Path) -> None:
        """An included file may use the macros that the including one has, by whatever name."""
        template = placed(
            tmp_path,
            main='{% import "macros.jinja" as all %}{% from "macros.jinja" import twice as two, twice %}'
            '{% macro own(a) %}<{{ a }}>{% endmacro %}{% include "part.jinja" %}',
            macros="{% macro twice(a) %}{{ a }}{{ a }}{% endmacro %}",
            part="{{ all.twice(1) }}{{ two(2) }}{{ twice(3) }}{{ own(task) }}",
        )
        assert template.names == {"task"}
        assert template(Job("!")) == "112233<!>"

    def test_macros_without_the_context(self, tmp_path: Path) -> None:
        """A macro that reads the board's names, imported without them, is refused."""
        template = placed(
            tmp_path,
            main='{% set task = 1 %}{% import "own.jinja" as own %}',
            own="{% macro own() %}{{ task }}{% endmacro %}",
        )
        with pytest.raises(TemplateError, match=r"main\.jinja: it imports own\.jinja without the 'task' that"):
            template.names  # noqa: B018  # it is read for what it raises


STRATEGY = """
from attrs import frozen
from tinysmith import Agent, Halt, Strategy, Template

@frozen
class Empty:
    text: str = ""

class Writer(Agent[Empty]):
    prompt = Template("prompts/writer.jinja")
    def parse(self, board, reply, /):
        return Empty(reply)

class Own(Strategy[Empty]):
    writer = Writer()
    done = Halt()
    initial = writer
    edges = (writer.to(done),)
"""


class TestLoaded:
    def test_from_a_path(self, tmp_path: Path) -> None:
        """A strategy that the command line loads from a file has its templates beside that file."""
        (tmp_path / "prompts").mkdir()
        (tmp_path / "prompts" / "writer.jinja").write_text("So far: {{ text }}.\n")
        (tmp_path / "own.py").write_text(STRATEGY)
        own = load_strategy(f"{tmp_path / 'own.py'}:Own")
        node = plan_of(own).nodes["writer"]
        assert isinstance(node, Agent)
        assert node.prompt(plan_of(own).board_type("none")) == "So far: none."

    def test_a_missing_file_is_found_at_once(self, tmp_path: Path) -> None:
        """A template that is not there is found when the file is loaded."""
        (tmp_path / "lone.py").write_text(STRATEGY)
        with pytest.raises(DefinitionError, match=r"Own\.writer: .*writer\.jinja: the template cannot be read"):
            load_strategy(f"{tmp_path / 'lone.py'}:Own")
