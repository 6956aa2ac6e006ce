"""tinysmith/_code.py: what functions, classes and values are made of, wherever they stand."""

import enum
import re
import sys
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from sketches import Critic, Writer

from tinysmith import Agent, Field, FrozenDict, Halt, Rule, Template
from tinysmith._code import changed_parts, made_of

PLAIN = '''
GREETING = "hello"
LIMIT = 3

def helper(x):
    return x + LIMIT

def function(board, /, *, n=1):
    """What it does."""
    return [helper(item) for item in board if item != GREETING]
'''


def module(source: str, name: str = "made_here") -> ModuleType:
    """A module made of source."""
    made = ModuleType(name)
    exec(source, made.__dict__)  # the source is the test's
    return made


def function_of(source: str) -> Callable[..., Any]:
    """The function of that name in a module made of source."""
    function: Callable[..., Any] = module(source).function
    return function


class Colour(enum.Enum):
    RED = 1


@frozen
class Point:
    x: int

    def moved(self) -> int:
        return self.x + 1


def again(n: int) -> int:
    return again(n - 1) if n else 0


class TestMadeOf:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("", ""),
            ("\nGREETING", "\n\n# a comment\n\nGREETING"),
            ('"""What it does."""', '"""Something else."""'),
        ],
    )
    def test_what_does_not_count(self, old: str, new: str) -> None:
        """The same function in another module is the same; lines, comments and docstrings do not count."""
        assert made_of(function_of(PLAIN)) == made_of(function_of(PLAIN.replace(old, new)))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("item != GREETING", "item == GREETING"),
            ("item != GREETING", "item is not GREETING"),
            ("item != GREETING", "item != 5"),
            ("n=1", "n=2"),
            ("n=1", "m=1"),
            ("*, n=1", "n=1"),
            ('"hello"', '"hullo"'),
            ("LIMIT = 3", "LIMIT = 3.0"),
            ("x + LIMIT", "x - LIMIT"),
            ("helper(item)", "str(item)"),
            ("[helper(item) for item in board if item != GREETING]", "[item for item in board]"),
            ("    return [", "    yield ["),
        ],
    )
    def test_what_counts(self, old: str, new: str) -> None:
        """Code, defaults, parameters, and the constants and functions of the module that it uses count."""
        assert old in PLAIN
        assert made_of(function_of(PLAIN)) != made_of(function_of(PLAIN.replace(old, new)))

    def test_names(self) -> None:
        """The attributes that a function reads count."""
        one, other = (function_of(f"def function(board):\n    return board.{name}\n") for name in "xy")
        assert made_of(one) != made_of(other)

    def test_other_modules(self) -> None:
        """Functions of other modules that it uses do not count, whatever they do."""
        made = []
        for body in ("x", "x + 1"):
            user = module(PLAIN, "user")
            vars(user)["helper"] = module(f"def helper(x):\n    return {body}\n", "used").helper
            made.append(made_of(user.function))
        assert made[0] == made[1]

    def test_what_a_function_encloses(self) -> None:
        """What a function holds of its surroundings counts; what is not there yet does not."""

        def adder(n: int) -> Callable[[int], int]:
            return lambda x: x + n

        assert made_of(adder(1)) == made_of(adder(1))
        assert made_of(adder(1)) != made_of(adder(2))

        def early() -> int:
            return later

        assert made_of(early)
        later = 1
        assert made_of(early) != made_of(adder(1))

    def test_functions_that_call_themselves(self) -> None:
        """A function that uses itself is looked into once."""
        assert made_of(again) == made_of(again)

    @pytest.mark.parametrize(
        ("value", "other"),
        [
            (1, True),
            (1, 1.0),
            ("a", b"a"),
            ((1, 2), [1, 2]),
            ((1, 2), (2, 1)),
            ({"a": 1}, {"a": 2}),
            (FrozenDict(a=1), {"a": 1}),
            (frozenset({1}), frozenset({2})),
            (Colour.RED, 1),
            (Point(1), Point(2)),
            (re.compile("a"), re.compile("a", re.IGNORECASE)),
            (partial(max, 1), partial(max, 2)),
            (partial(max, 1), partial(min, 1)),
            (str, bytes),
            (Template(source="a"), Template(source="b")),
            (Template(source="{{ a }}", a=1), Template(source="{{ a }}", a=2)),
            (Point(1).moved, Point(2).moved),
            (staticmethod(len), staticmethod(abs)),
            (property(len), property(abs)),
            (cached_property(again), cached_property(function_of(PLAIN))),
        ],
    )
    def test_values(self, value: object, other: object) -> None:
        """Values are what they hold, and of a kind; numbers that are equal are not the same."""
        assert made_of(value) == made_of(value)
        assert made_of(value) != made_of(other)

    def test_what_cannot_be_looked_into(self) -> None:
        """Other objects are compared by their repr, without addresses."""
        assert made_of(object()) == made_of(object())
        assert made_of(sys.stdin) != made_of(object())

    @given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner).map(tuple)))
    def test_equal_values_are_made_of_the_same(self, value: object) -> None:
        """Any data is made of the same as its copy, and what it is made of can be hashed."""
        assert hash(made_of(value)) == hash(made_of(eval(repr(value))))  # the test's own data


class Loud(Writer):
    """Writes in capitals."""

    samples = ("LOUD", "LOUDER", "!")

    def shout(self) -> str:
        return "!"


@frozen
class Lens(Rule[Any]):
    """A node that is given a lens."""

    field: Field[Any, int]

    def apply(self, board: Any, /) -> Any:
        return self.field.put(board, 1)


class Held:
    __slots__ = ("a", "b")


class TestChangedParts:
    def test_of_a_class(self) -> None:
        """Methods and values that were overridden, added or changed are named; docstrings are not."""
        assert changed_parts(Writer(), Writer()) == ()
        assert changed_parts(Writer(), Loud()) == ("samples", "shout")
        assert changed_parts(Loud(), Writer()) == ("samples", "shout")
        assert changed_parts(Writer(), Critic(), leaving_out=["parse"]) == ("prompt",)
        assert changed_parts(Writer, Critic) == ("prompt", "parse")

    def test_what_is_inherited_of_a_kind_of_node(self) -> None:
        """A method that only one of them overrides differs from that of the kind of node."""

        class Brief(Writer):
            def shorten(self, board: Any, /) -> Any:
                return board

        class Same(Writer):
            shorten = Agent.shorten

        assert changed_parts(Writer(), Brief()) == ("shorten",)
        assert changed_parts(Writer(), Same()) == ()

    def test_of_an_object(self) -> None:
        """What an object holds counts, in its dict, in slots, and through lenses."""
        assert changed_parts(Halt(), Halt(success=True)) == ("success",)
        lenses = [Lens(Field(abs, put)) for put in (max, min, max)]
        assert changed_parts(lenses[0], lenses[1]) == ("field",)
        assert changed_parts(lenses[0], lenses[2]) == ()
        held, empty = Held(), Held()
        assert changed_parts(held, empty) == ()
        held.a = 1  # type: ignore[attr-defined]  # a slot that mypy does not know
        assert changed_parts(held, empty) == ("a",)

    def test_of_a_class_with_slots(self) -> None:
        """The slots of a class are no part of it."""
        assert changed_parts(Held, Held) == ()

    def test_templates_from_files(self, tmp_path: Path) -> None:
        """A template's files count, not where they are."""
        made = []
        for name, text in (("one", "Hello {{ a }}"), ("two", "Hello {{ a }}"), ("three", "Bye {{ a }}")):
            (tmp_path / name).mkdir()
            (tmp_path / name / "t.jinja").write_text(text)
            path = tmp_path / name / "strategy.py"
            path.write_text("from tinysmith import Template\nclass Held:\n    prompt = Template('t.jinja')\n")
            module_ = ModuleType(name)
            module_.__file__ = str(path)
            sys.modules[name] = module_
            exec(path.read_text(), module_.__dict__)  # the source is the test's
            made.append(module_.Held)
            made[-1].prompt.names  # read while its folder is known  # noqa: B018
            del sys.modules[name]
        assert changed_parts(made[0], made[1]) == ()
        assert changed_parts(made[0], made[2]) == ("prompt",)
