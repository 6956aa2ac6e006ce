"""Agents whose reply is a value of a type."""

import subprocess
import sys
from typing import Any, Generic, TypeVar

import pytest
from attrs import evolve, field, frozen, validators

from tinysmith import Ask, Halt, ParseError, Scripted, Strategy, Typed, run
from tinysmith.errors import DefinitionError
from tinysmith.mapping import freeze
from tinysmith.testing import strategy_test

B = TypeVar("B")
R = TypeVar("R")


@frozen
class Verdict:
    """What a judge says."""

    is_good: bool
    points: int = field(default=0, validator=validators.ge(0))


@frozen
class Essay:
    text: str = ""
    verdict: Verdict | None = None


class Judge(Typed[Essay, Verdict]):
    """Judges an essay."""

    samples = ('{"is_good": true, "points": 3}',)

    def prompt(self, essay: Essay, /) -> str:
        return f"Judge: {essay.text}"

    def accept(self, essay: Essay, verdict: Verdict, /) -> Essay:
        if verdict.points > 10:
            raise ParseError("Give at most 10 points.")
        return evolve(essay, verdict=verdict)


class MilderJudge(Judge):
    """Inherits what its reply is."""


class AnyJudge(Typed[B, Verdict]):
    """Judges whatever is on a board."""


class EssayJudge(AnyJudge[Essay]):
    """Knows its board."""


class Reversed(Typed[R, B]):
    """Gives the type variables other names."""


class Knotted(Reversed[Essay, Verdict]):
    """Names both."""


class Noted(Generic[B]):
    """Something else that knows the board."""


class NotedJudge(Noted[Essay], AnyJudge[Essay]):
    """Has another generic ancestor before it."""


class Schooled(Typed[Essay, Verdict]):
    """Brings a schema of its own."""

    schema = {"type": "object"}


@frozen
class Box(Generic[B]):
    item: B


class BoxJudge(Typed[Essay, Box[int]]):
    """Wants a generic class with its parameter."""

    def prompt(self, essay: Essay, /) -> str:
        return essay.text

    def accept(self, essay: Essay, box: Box[int], /) -> Essay:
        return Essay(str(box.item))


class Judged(Strategy[Essay]):
    """One judge, no appeal."""

    judge = Judge()
    done = Halt(success=True)

    initial = judge
    edges = (judge.to(done),)


class TestReplyType:
    @pytest.mark.parametrize("agent", [Judge, MilderJudge, AnyJudge, EssayJudge, Knotted, NotedJudge, Schooled])
    def test_is_found(self, agent: type[Typed[Any, Any]]) -> None:
        """The reply's type is the class's own, an ancestor's, or what its base is given for its type variable."""
        assert agent.reply_type is Verdict

    def test_open(self) -> None:
        """A class that leaves the type open has none yet, and no schema."""
        assert isinstance(Reversed.reply_type, TypeVar)
        assert Reversed.schema is None

    def test_schema(self) -> None:
        """The schema is the reply type's, unless the class brings its own."""
        assert Judge.schema is not None
        assert (Judge.schema["title"], Judge.schema["required"]) == ("Verdict", ["is_good"])
        assert EssayJudge.schema == Judge.schema
        assert Schooled.schema == {"type": "object"}

    def test_none_is_named(self) -> None:
        """A class that names no reply type is refused, whatever it derives from."""
        for base in (Typed, Reversed):
            with pytest.raises(
                DefinitionError, match=r"^Silent: it does not say what type its reply has\."
            ) as error:
                type("Silent", (base,), {})
            (finding,) = error.value.findings
            assert (finding.code, finding.where) == ("reply-type", "Silent")

    @pytest.mark.parametrize(
        ("kind", "problem"),
        [
            (Any, "its reply type Any has no JSON schema: it may be anything."),
            (Verdict | Essay, "Type unions may not contain more than one dataclass or attrs type"),
            (
                complex,
                "its reply type complex has no JSON schema: type <class 'complex'> is not supported.",
            ),
        ],
    )
    def test_unfit(self, kind: Any, problem: str) -> None:
        """A reply type that has no schema is refused when the class is made, in one line."""
        with pytest.raises(DefinitionError) as error:

            class Unfit(Typed[Essay, kind]):
                """Wants what no schema describes."""

        (finding,) = error.value.findings
        assert (finding.code, finding.where) == ("reply-type", "Unfit")
        assert problem in finding.problem
        assert "\n" not in str(error.value)


class TestParse:
    def test_value(self) -> None:
        """What the reply holds is given to `accept` as a value of its type."""
        essay = Judge().parse(Essay("x"), "I think:\n```json\n{'is_good': True, 'points': 3.0,}\n```")
        assert essay == Essay("x", Verdict(is_good=True, points=3))

    def test_run(self) -> None:
        """A judge is asked again, told what is wrong, until its reply is of the type and accepted."""
        replies = [
            "Good!",
            '{"is_good": "yes"}',
            '{"is_good": true, "points": 11}',
            '{"is_good": true, "points": 3}',
        ]
        result = run(Judged(), Essay("x"), model=Scripted(replies))
        assert result.outcome == "done"
        assert result.board.verdict == Verdict(is_good=True, points=3)
        asked = [step.request for step in result.steps[1:] if isinstance(step.request, Ask)]
        complaints = [request.messages[-1].content for request in asked]
        assert complaints[0].startswith("There is no JSON in your reply.")
        assert complaints[1].startswith('is_good: expected true or false, but it is "yes".')
        assert complaints[2] == "Give at most 10 points."

    def test_generic(self) -> None:
        """A reply type that is a generic class with its parameter is read, and its faults are told."""
        assert BoxJudge().parse(Essay(), '{"item": 3}') == Essay("3")
        with pytest.raises(ParseError, match=r'^item: expected a whole number, but it is "x"\. Write'):
            BoxJudge().parse(Essay(), '{"item": "x"}')

    def test_request(self) -> None:
        """The schema is part of every request."""
        request = Judged().start(Essay("x")).request
        assert isinstance(request, Ask)
        assert request.schema == freeze(Judge.schema)


class TestImport:
    def test_is_lazy(self) -> None:
        """Neither library is imported before it is needed."""
        code = "import sys, tinysmith; print({'msgspec', 'json_repair'} & set(sys.modules))"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout == "set()\n"


TestJudged = strategy_test(Judged, max_examples=60)
