"""Types of replies: their schemas, and replies into their values."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from attrs import field, frozen, validators
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from tinysmith._replies import read_reply, schema_of, written
from tinysmith.errors import ParseError

T = TypeVar("T")


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@frozen
class Job:
    """One thing to do.

    Attributes:
        title: What it is called.
    """

    title: str
    hours: int = 0
    size: Size | None = None

    def __attrs_post_init__(self) -> None:
        if self.hours < 0:
            raise ValueError("hours must not be negative.")


@frozen
class Plan:
    jobs: tuple[Job, ...]
    mood: Literal["good", "bad"] = "good"
    score: float = field(default=0.5, validator=validators.in_([0.5, 1.0]))
    sizes: dict[str, Size] = field(factory=dict)
    pair: tuple[int, Size] = (1, Size.SMALL)
    due: date | None = None


@frozen
class Tree:
    leaves: "tuple[Tree, ...]" = ()


@frozen
class Loose:
    job: Job
    rest: dict[str, list[Any]] = field(factory=dict)
    anything: Any = None


@frozen
class Either:
    one: Job | Plan


@frozen
class Box(Generic[T]):
    value: T


@frozen
class Grumpy:
    mood: str = "bad"

    def __attrs_post_init__(self) -> None:
        raise ValueError


@frozen
class Parrot:
    said: str

    def __attrs_post_init__(self) -> None:
        raise ValueError(self.said)


Three = Annotated[dict[str, int], Meta(min_length=3)]
ThreeLists = Annotated[dict[str, list[int]], Meta(min_length=3)]
ThreeNumbers = Annotated[dict[int, int], Meta(min_length=3)]


def told(kind: Any, text: str) -> str:
    """What the model is told of its reply, but for the last sentence, which is always the same."""
    with pytest.raises(ParseError) as caught:
        read_reply(kind, text)
    said, _, last = str(caught.value).rpartition(" Write the whole JSON again, ")
    assert last == "with this mended."
    return said


class TestSchema:
    def test_class(self) -> None:
        """A class's own schema is at the root, with its docstring; what it holds is referred to."""
        schema = schema_of(Plan)
        assert (schema["type"], schema["required"], list(schema["$defs"])) == ("object", ["jobs"], ["Job", "Size"])
        assert schema["properties"]["pair"]["default"] == [1, "small"]
        assert "description" not in schema
        job = schema_of(Job)
        assert job["description"] == "One thing to do.\n\nAttributes:\n    title: What it is called."
        assert schema["$defs"]["Job"]["description"] == job["description"]

    def test_plain(self) -> None:
        """A type without parts has no definitions."""
        assert schema_of(Box[int]) == {
            "title": "Box[int]",
            "type": "object",
            "properties": {"value": {"type": "integer"}},
            "required": ["value"],
        }
        assert schema_of(list[int]) == {"type": "array", "items": {"type": "integer"}}

    def test_recursive(self) -> None:
        """A class that holds itself stays among the definitions."""
        schema = schema_of(Tree)
        assert schema["properties"]["leaves"]["items"] == {"$ref": "#/$defs/Tree"}
        assert schema["$defs"]["Tree"]["type"] == "object"

    @pytest.mark.parametrize(
        ("kind", "problem"),
        [
            (Any, "it may be anything"),
            (Loose, "Loose.anything may be anything"),
            (dict[str, Loose], "Loose.anything may be anything"),
            (Box, "open type variable"),
            (list[T], "open type variable"),  # type: ignore[valid-type]  # the mistake
            (Either, "Type unions may not contain more than one"),
            ("Plan", "Type ''Plan'' is not supported"),
            (complex, "custom types"),
        ],
    )
    def test_none(self, kind: Any, problem: str) -> None:
        """A type that says nothing of some part, or that msgspec does not know, has no schema."""
        with pytest.raises(TypeError, match=problem):
            schema_of(kind)


class TestRead:
    def test_whole(self) -> None:
        """A reply becomes a value of the type: 3.0 is 3, keys are read, other fields are passed over."""
        text = """{"jobs": [{"title": "x", "hours": 3.0, "size": "large", "why": 1}], "mood": "bad", "score": 1,
            "sizes": {"a": "small"}, "pair": [2, "large"], "due": "2024-02-29", "notes": [{}]}"""
        value = read_reply(Plan, text)
        assert value == Plan(
            (Job("x", 3, Size.LARGE),), "bad", 1.0, {"a": Size.SMALL}, (2, Size.LARGE), date(2024, 2, 29)
        )
        assert (type(value.jobs[0].hours), type(value.score)) == (int, float)

    @pytest.mark.parametrize(
        ("kind", "text", "value"),
        [
            (Plan, "Sure! [1]\n```json\n{'jobs': [],}\n```", Plan(())),
            (list[int], "See {1}: [1, 2.0,]", [1, 2]),
            (dict[int, int], "{'1': 2}", {1: 2}),
            (int, " 3.0\n", 3),
            (Literal["a", "b"], '"a"', "a"),
            (Job | None, "null", None),
            (Job | None, 'So: {"title": "x"}', Job("x")),
            (Tree, '{"leaves": [{"leaves": []}]}', Tree((Tree(),))),
        ],
    )
    def test_kinds(self, kind: Any, text: str, value: Any) -> None:
        """Values of many types are found, in other text where they are objects or lists."""
        assert read_reply(kind, text) == value

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            ('{"jobs": [{"title": 3}]}', "jobs[0].title: expected a text, but it is 3."),
            ('{"jobs": [{"title": "x", "hours": 1.5}]}', "jobs[0].hours: expected a whole number, but it is 1.5."),
            ('{"jobs": [{"title": "x", "hours": "3"}]}', 'jobs[0].hours: expected a whole number, but it is "3".'),
            (
                '{"jobs": [{"title": "x", "hours": true}]}',
                "jobs[0].hours: expected a whole number, but it is true.",
            ),
            ('{"jobs": [{}]}', "jobs[0].title: it is missing."),
            (
                '{"jobs": [{"title": "x", "size": "s"}]}',
                'jobs[0].size: expected one of "large", "small", but it is "s".',
            ),
            ('{"jobs": [{"title": "x", "hours": -1}]}', "jobs[0]: hours must not be negative."),
            ('{"jobs": ["x"]}', 'jobs[0]: expected an object, but it is "x".'),
            ('{"jobs": null}', "jobs: expected a list, but it is null."),
            ("{}", "jobs: it is missing."),
            ('{"plan": {"jobs": []}}', "jobs: it is missing."),
            ('{"jobs": [], "mood": "mad"}', 'mood: expected one of "bad", "good", but it is "mad".'),
            ('{"jobs": [], "score": 0.75}', "your reply: 'score' must be in [0.5, 1.0] (got 0.75)."),
            (
                '{"jobs": [], "sizes": {"a": "s"}}',
                'sizes["a"]: expected one of "large", "small", but it is "s".',
            ),
            (
                '{"jobs": [], "sizes": {"a": "small", "b c.d]": 1, "e": 2}}',
                'sizes["b c.d]"]: expected a text, but it is 1.',
            ),
            ('{"jobs": [], "pair": [1]}', "pair: expected a list of length 2, but it is [1]."),
            ('{"jobs": [], "pair": [1, "s"]}', 'pair[1]: expected one of "large", "small", but it is "s".'),
            ('{"jobs": [], "due": "soon"}', 'due: invalid RFC3339 encoded date, but it is "soon".'),
            ('{"jobs": [], "due": 3}', "due: expected date or null, but it is 3."),
            (f'{{"jobs": "{"x" * 99}"}}', f'jobs: expected a list, but it is "{"x" * 58}….'),
            ('{"jobs": "a\\u202eb\\nc"}', 'jobs: expected a list, but it is "a\\u202eb\\nc".'),
            ('{"jobs": [{}], "mood": 1}', "jobs[0].title: it is missing. mood: expected a text, but it is 1."),
            ('{"score": "x"}', 'jobs: it is missing. score: expected a number, but it is "x".'),
        ],
    )
    def test_faults(self, reply: str, said: str) -> None:
        """Each field that does not fit is named, with what is expected and what it is."""
        assert told(Plan, reply) == said

    @pytest.mark.parametrize(
        ("kind", "reply", "said"),
        [
            (list[int], '[1, "2"]', '[1]: expected a whole number, but it is "2".'),
            (dict[int, int], '{"a": 1}', 'a key of your reply: expected a whole number, but it is "a".'),
            (
                dict[str, dict[int, int]],
                '{"x": {"a": 1}}',
                'a key of ["x"]: expected a whole number, but it is "a".',
            ),
            (
                list[tuple[Size, ...]],
                '[["small", "s"]]',
                '[0][1]: expected one of "large", "small", but it is "s".',
            ),
            (
                dict[str, tuple[Size, ...]],
                '{"a": ["s"]}',
                '["a"][0]: expected one of "large", "small", but it is "s".',
            ),
            (dict[str, int], '{"a": "b"}', '["a"]: expected a whole number, but it is "b".'),
            (
                dict[str, int],
                '{"a": 1, "b": 2, "c": "x", "d": 3, "e": "y"}',
                '["c"]: expected a whole number, but it is "x".',
            ),
            (
                dict[str, dict[str, int]],
                '{"a": {"b": 1}, "c": {"d": 1, "": "x"}, "e": {"": "x"}}',
                '["c"][""]: expected a whole number, but it is "x".',
            ),
            (
                tuple[int, dict[str, list[int]]],
                '[1, {"a": [2], "b": [3, "x"]}]',
                '[1]["b"][1]: expected a whole number, but it is "x".',
            ),
            (dict[str, Job], '{"a": {"title": ""}, "b": {}}', '["b"].title: it is missing.'),
            (dict[str, Job], '{"a": {"title": "", "hours": -1}}', '["a"]: hours must not be negative.'),
            (dict[str, int], f'{{"{"x" * 99}": "y"}}', f'["{"x" * 58}…]: expected a whole number, but it is "y".'),
            (list[dict[Literal["k", "l"], int]], '[{"j": 1}]', 'a key of [0]: "j" is not allowed.'),
            (Three, '{"a": 1, "b": "x", "c": 2}', "[…]: expected a whole number, but it is another."),
            (
                dict[str, ThreeLists],
                '{"z": {"a": [], "b": ["x"], "c": []}}',
                '["z"][…][…]: expected a whole number, but it is another.',
            ),
            (
                ThreeNumbers,
                '{"1": 0, "b": 0, "3": 0}',
                "a key of your reply: expected a whole number, but it is another.",
            ),
            (Box[int], '{"value": "x"}', 'value: expected a whole number, but it is "x".'),
            (Box[int], '{"item": "x"}', "value: it is missing."),
            (Parrot, '{"said": "x - at `$[0].y`"}', "your reply: x - at `$[0].y`."),
            (dict[str, Parrot], '{"z": {"said": "x - at `$[0].y`"}}', '["z"]: x - at `$[0].y`.'),
            (Grumpy, "{}", "your reply: it is not allowed."),
        ],
    )
    def test_faults_of_other_types(self, kind: Any, reply: str, said: str) -> None:
        """Faults in what is no class are named by their place."""
        assert told(kind, reply) == said

    @pytest.mark.parametrize(
        ("kind", "reply", "said"),
        [
            (Plan, '[{"jobs": []}]', "Your reply is a list. Reply with one JSON object"),
            (Plan, "[1] is a list", "Your reply holds a list. Reply with one JSON object"),
            (list[int], '{"a": [1]}', "Your reply is an object. Reply with one JSON list"),
            (int, "about 3", 'your reply: expected a whole number, but it is "about 3"'),
        ],
    )
    def test_nothing_is_unwrapped(self, kind: Any, reply: str, said: str) -> None:
        """Where one kind of value is wanted, one inside of another kind is not taken for it."""
        with pytest.raises(ParseError, match=said.replace("[", r"\[")):
            read_reply(kind, reply)


class TestWritten:
    @given(st.builds(Job, hours=st.integers(0)))
    def test_round_trip(self, job: Job) -> None:
        """A value's JSON text is read as the same value."""
        assert read_reply(Job, written(job)) == job

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Of any text a type's reader makes a value of the type, or raises a ParseError."""
        try:
            assert isinstance(read_reply(Plan, text), Plan)
        except ParseError as error:
            assert str(error).endswith(".")  # noqa: PT017  # what is raised is half of the claim
