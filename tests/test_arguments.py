"""What users give as arguments is taken where it can mean one thing, else refused in one sentence."""

import math
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from attrs import field, frozen

from tinysmith import _arguments
from tinysmith.errors import UsageError


@frozen
class Note:
    """Two texts, of which one is not shown."""

    title: str = field(validator=_arguments.is_text)
    secret: str = field(default="", validator=_arguments.is_text, repr=False)


class TestTexts:
    def test_a_field_that_is_no_text(self) -> None:
        """It is told by its value, or, where its class does not show it, by its kind alone."""
        with pytest.raises(UsageError, match=r"^Note: title is 3; give a text.$"):
            Note(3)  # type: ignore[arg-type]  # the mistake that is meant
        with pytest.raises(UsageError, match=r"^Note: secret is a bytes; give a text.$"):
            Note("a", b"key")  # type: ignore[arg-type]  # the mistake that is meant

    def test_what_is_told_is_short(self) -> None:
        """A value is told in one line of at most 80 characters, without control characters."""
        shown = _arguments.told({"a": "\x1b" * 500})
        assert len(shown) == 80
        assert shown.isprintable()

    def test_an_action(self) -> None:
        """An action is a text."""
        assert _arguments.action_text("ls", "Shell") == "ls"
        with pytest.raises(UsageError, match=r"Shell\.step: the action is b'ls'; give a text"):
            _arguments.action_text(b"ls", "Shell")  # type: ignore[arg-type]  # the mistake that is meant


class TestSeveral:
    @pytest.mark.parametrize("given", [["a", "b"], ("a", "b"), (each for each in "ab"), {"a": 1, "b": 2}.keys()])
    def test_each_is_taken_in_its_order(self, given: Any) -> None:
        """A list, and whatever else can be gone through, becomes a tuple."""
        assert _arguments.several(given, str, "here", "texts") == ("a", "b")

    @pytest.mark.parametrize("given", ["ab", b"ab", {"a": "b"}, None, 3, ["a", 3], (each for each in [3])])
    def test_one_text_is_not_several(self, given: Any) -> None:
        """A text, a dict, and anything that holds something else are refused."""
        with pytest.raises(UsageError, match=r"^here is .*; give texts.$"):
            _arguments.several(given, str, "here", "texts")


class TestData:
    def test_is_made_immutable(self) -> None:
        """A dict is kept, its lists as tuples."""
        assert _arguments.data({"a": [1]}, "here") == {"a": (1,)}

    @pytest.mark.parametrize("given", ["ab", None, ["a"], {1: 2}, {"a": {1}}, {"a": Path("x")}])
    def test_anything_else_is_refused(self, given: Any) -> None:
        """What is no dict of JSON data is refused."""
        with pytest.raises(UsageError, match=r"^here is a .* that cannot be kept.*; give a dict of JSON data.$"):
            _arguments.data(given, "here")


class TestPaths:
    def test_a_text_or_a_path(self) -> None:
        """Both are a place here, and both are a text in a sandbox."""
        assert _arguments.path("a/b", "here") == _arguments.path(Path("a/b"), "here") == Path("a/b")
        assert _arguments.path_text(PurePosixPath("/a/")) == _arguments.path_text("/a") == "/a"

    @pytest.mark.parametrize("given", [None, 3, b"a", ["a"]])
    def test_anything_else_is_refused(self, given: Any) -> None:
        """What is no path is refused; as a path in a sandbox, by whoever asks for one."""
        with pytest.raises(UsageError, match=r"^here is .*; give a path, as a text or a Path.$"):
            _arguments.path(given, "here")
        assert _arguments.path_text(given) is given


class TestNumbers:
    @pytest.mark.parametrize("given", [0, -1, 1.0, True, "1", None, math.nan])
    def test_a_count_is_whole_and_above_0(self, given: Any) -> None:
        """Anything else is refused."""
        assert _arguments.count(1, "here") == 1
        with pytest.raises(UsageError, match=r"^here is .*; give a whole number above 0.$"):
            _arguments.count(given, "here")

    @pytest.mark.parametrize("given", [0, -1.0, True, "1", None, math.nan, math.inf, 1e300])
    def test_seconds_come_to_an_end(self, given: Any) -> None:
        """Anything else is refused."""
        assert _arguments.seconds(0.5, "here") == 0.5
        with pytest.raises(UsageError, match=r"^here is .*; give seconds above 0"):
            _arguments.seconds(given, "here")
