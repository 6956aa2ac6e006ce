"""Prompts as Jinja templates: what they read, what they refuse, and where their files are."""

import subprocess
import sys
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Agent, Ask, Halt, Reply, Scripted, Strategy, Template, run
from tinysmith.errors import TemplateError, UsageError

ANY_TEXT = st.text() | st.sampled_from(
    ["{{ 7*7 }}", "{% include 'x' %}", "{# gone #}", "{{ task", "%}", "\r\n", "# for x in y", "\x00", "\ud800"]
)


@frozen
class Line:
    """A line of the log."""

    text: str


@frozen
class Job:
    """The board."""

    task: str = "sort"
    log: tuple[Line, ...] = ()
    range: str = ""

    @property
    def is_new(self) -> bool:
        """Nothing was done yet."""
        return not self.log


def has_room(job: Job) -> bool:
    """The log is short."""
    return len(job.log) < 3


class Writer(Agent[Job]):
    """An agent whose prompt is a template."""

    prompt = Template(source="Do {{ task }}.{% if is_new %} Begin.{% endif %}")

    def parse(self, job: Job, reply: str, /) -> Job:
        return evolve(job, log=(*job.log, Line(reply)))


class Careless(Writer):
    """An agent whose prompt reads what a line does not have."""

    prompt = Template(source="Log:\n{% for line in log %}\n{{ line.txt }}\n{% endfor %}")


class Work(Strategy[Job]):
    writer = Writer()
    done = Halt(success=True)

    initial = writer
    edges = (writer.to(done),)


def said_by(strategy: Strategy[Any], board: object) -> str:
    """The prompt with which a strategy begins."""
    ask = strategy.start(board).requests[0]
    assert isinstance(ask, Ask)
    (message,) = ask.messages
    return message.content


class TestRender:
    def test_reads_the_board(self) -> None:
        """As an agent's prompt it reads the board's fields and properties."""
        result = run(Work(), Job("a & <b>"), model=Scripted(["ok"]))
        assert (result.outcome, result.board.log) == ("done", (Line("ok"),))
        assert said_by(Work(), Job("a & <b>")) == "Do a & <b>. Begin."

    @given(ANY_TEXT)
    def test_a_value_is_never_read_as_a_template(self, text: str) -> None:
        """Whatever is in a value comes out as it is."""
        assert Writer.prompt(Job(text)) == f"Do {text}. Begin."
        assert Template(source="[{{ a.text }}|{{ b }}]").render(a=Line(text), b=text) == f"[{text}|{text}]"

    def test_white_space(self) -> None:
        """A line that holds only a block leaves no empty line, and both ends of the text are bare."""
        template = Template(source="\n\nLog:\n  {% for line in log %}\n- {{ line.text }}\n  {% endfor %}\nEnd. \n")
        assert template.render(log=(Line("a"), Line("b"))) == "Log:\n- a\n- b\nEnd."

    def test_values_of_its_own(self) -> None:
        """A template may be given values when it is made; those of a call come before them."""
        template = Template(source="{{ tone }}: {{ task }}", tone="mild", task="none")
        assert template.names == frozenset()
        assert template(Job("sort")) == "mild: none"
        assert template.render(tone="harsh") == "harsh: none"

    def test_globals(self) -> None:
        """`range` and `namespace` are there where the board has no such field, and nothing else of Jinja's."""
        counting = Template(source="{% set n = namespace(a=1) %}{% for i in range(2) %}{{ i + n.a }}{% endfor %}")
        assert counting(Line("")) == "12"
        assert Template(source="{{ range }}")(Job(range="far")) == "far"
        with pytest.raises(TemplateError, match="'lipsum' is undefined"):
            Template(source="{{ lipsum() }}").render()

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("a\n{{ nothing }}", "a template, line 2: UndefinedError: 'nothing' is undefined."),
            ("a\n\n{{ line.txt }}", "a template, line 3: UndefinedError: .*Line.* has no attribute 'txt'."),
            ("{% if line.txt %}{% endif %}", "line 1: UndefinedError: .*'txt'"),
            ("{{ 1 // zero }}", "line 1: ZeroDivisionError: "),
            (
                "\n{{ items.append(1) }}",
                "line 2: SecurityError: access to attribute 'append' of 'list' object is unsafe[.] Mend",
            ),
            ("{{ line.__class__.__mro__ }}", "line 1: SecurityError: access to attribute '__class__'"),
            ("{{ '{0.__class__}'.format(line) }}", "line 1: SecurityError: "),
            ("{{ ''.__class__.__subclasses__() }}", "line 1: SecurityError: "),
            ("{{ line.__init__.__globals__ }}", "line 1: SecurityError: "),
            ("{% for n in range(10000000) %}{% endfor %}", "line 1: OverflowError: Range too big"),
        ],
    )
    def test_what_cannot_be_rendered(self, source: str, said: str) -> None:
        """A value that is not there, a fault and a way out of the sandbox are told with the line."""
        items: list[int] = []
        with pytest.raises(TemplateError, match=said) as caught:
            Template(source=source).render(line=Line("x"), zero=0, items=items)
        assert str(caught.value).endswith(" Mend the template, or give it what it reads.")
        assert items == []

    def test_an_error_shows_no_whole_value(self) -> None:
        """A long message of an expression is cut."""
        with pytest.raises(TemplateError) as caught:
            Template(source="{{ values[text] }}").render(values={}, text="long" * 1000)
        assert len(str(caught.value)) < 250

    def test_a_name_that_the_board_lacks(self) -> None:
        """Called with a board that it was not written for, it says which name that does not have."""
        with pytest.raises(TemplateError, match="a template, line 1: UndefinedError: 'task' is undefined"):
            Writer.prompt(Line("x"))

    def test_what_no_class_can_tell_is_told_in_the_run(self) -> None:
        """What is wrong within a value is found when the prompt is rendered: the step is not taken."""

        class Slips(Strategy[Job]):
            careless = Careless()
            done = Halt()

            initial = careless
            edges = (careless.to(careless, when=has_room), careless.to(done))

        position = Slips().start(Job())
        for _ in range(2):
            with pytest.raises(TemplateError, match=r"^a template, line 3: UndefinedError: .*Line object.* 'txt'"):
                Slips().advance(position, Reply("ok"))
        assert position.board == Job()


class TestNames:
    @pytest.mark.parametrize(
        ("source", "names"),
        [
            ("{{ task }} {{ log | length }}", {"task", "log"}),
            ("{% for line in log %}{{ line.text }}{% endfor %}{{ line }}", {"log", "line"}),
            ("{% set a = task %}{{ a }}{{ tone }}", {"task"}),
            ("{% if task is defined %}{% endif %}{{ range(2) }}", {"task", "range"}),
            ("plain", set()),
        ],
    )
    def test_are_what_it_does_not_set(self, source: str, names: set[str]) -> None:
        """The names are those that the template neither sets nor was given."""
        assert Template(source=source, tone="mild").names == names


class TestConstruction:
    @pytest.mark.parametrize("path", ["/etc/hosts", "../x.jinja", "a/../../x", "..", "C:/x", "C:x", "a\\b", "\\x"])
    def test_stays_in_its_folder(self, path: str) -> None:
        """A path that leads out of the module's folder, on whatever system, is refused."""
        with pytest.raises(UsageError, match="leads out of its module's folder"):
            Template(path)

    def test_either_a_file_or_a_source(self) -> None:
        """Both at once, and neither, are refused; an empty source is one."""
        with pytest.raises(UsageError, match="A Template is "):
            Template()
        with pytest.raises(UsageError, match="A Template is "):
            Template("x.jinja", source="x")
        assert Template(source="").render() == ""

    def test_shows_where_it_is_from(self) -> None:
        """Its repr is the path, or the beginning of the source."""
        assert repr(Template("a/x.jinja")) == "Template('a/x.jinja')"
        assert repr(Template(source="Hello.\nMore.")) == "Template(source='Hello.…')"

    def test_jinja_comes_late(self) -> None:
        """To import the package imports no Jinja; to create a strategy with a template does."""
        program = (
            "import sys, tinysmith, tinysmith.memory\n"
            "assert 'jinja2' not in sys.modules\n"
            "tinysmith.Template(source='x').render()\n"
            "assert 'jinja2' in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class Moody:
    """A board whose properties count how often they are read, and one of which is broken."""

    def __init__(self) -> None:
        self.reads = 0

    @property
    def mood(self) -> str:
        self.reads += 1
        return "fine"

    @property
    def broken(self) -> str:
        raise AttributeError("no such thing inside")


class TestProperties:
    def test_are_read_once(self) -> None:
        """A property of the board is computed once for a prompt, however often the template reads it."""
        board = Moody()
        assert Template(source="{{ mood }} {{ mood }}")(board) == "fine fine"
        assert board.reads == 1

    def test_say_themselves_what_is_wrong(self) -> None:
        """What a property raises is told as it is, not as a name that is not there."""
        with pytest.raises(AttributeError, match="no such thing inside"):
            Template(source="{{ broken }}")(Moody())
