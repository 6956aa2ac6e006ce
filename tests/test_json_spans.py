"""What texts and words say in what models write instead of JSON, and what is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysmith._near_json import read
from tinysmith.errors import ParseError


def refusal(text: str) -> str:
    """What the model is told of a text that cannot be read."""
    with pytest.raises(ParseError) as caught:
        read(text)
    return str(caught.value)


class TestRefused:
    @pytest.mark.parametrize(
        "text",
        [
            "{'tasks': ['Check the port's name', 'Submit']}",
            "['don't', 'won't']",
            "{'a': 'it's fine'}",
            "['Do 'x' now']",
            "['x'y', \"z\"]",
            "[\u2018it\u2019s\u2019]",
            '[“say "hi" now”]',
            "{a: `b`}",
            "{a: «b»}",
            '["a"; "b"]',
            '["a" + "b"]',
            '["a "+"b"]',
            '["a" "b"]',
            '["a "b", c" d"]',
            '["5" pipe"]',
            '["a"b" c"]',
            '["a " b" c"]',
            '["a "b " c"]',
            '["a "b"c d"]',
            "{x: 1, b+c: 2}",
            "{x: 1, b\\: 2}",
            '["a" "b c" "d"]',
            '["a b "c" d" e"]',
            '{"a": ["x", r"y"]}',
            "{'a': f'x'}",
            "{'a': str('x')}",
            "{'a': ('b')}",
            "{'a': {'b', 'c'}}",
            "{'a': 'b', true}",
            "['''a''']",
            '["""a"""]',
        ],
    )
    def test_texts(self, text: str) -> None:
        """What could be one text or two, or is more than a text, is never guessed at."""
        assert refusal(text)

    @pytest.mark.parametrize(
        "value",
        [
            "3 apples",
            "50%",
            "1e",
            "-",
            "- 1",
            "+1",
            ".5",
            "5.",
            "01",
            "0x10",
            "1_000",
            "1,000",
            "1;",
            "yes",
            "it's",
            "tRue",
            "none",
            "null1",
            "b c",
            "a/b",
            "/",
            "$5",
            "1 2",
            '5"x"',
            "1 'x'",
            "1 [2]",
            "[, 1]",
            "[1,, 2]",
        ],
    )
    def test_words(self, value: str) -> None:
        """What stands there without quotation marks must be a number or a constant, whole and alone."""
        assert refusal(f"{{n: {value}}}")
        assert refusal(f"{{'a': [0, {value}]}}")

    def test_word_is_named(self) -> None:
        """What is no JSON value is quoted, and what to do is said."""
        advice = "in the JSON of your reply is no JSON value. Put texts into double quotation marks."
        assert refusal("{n: 50%}") == f"`50%` {advice}"
        assert refusal(f"{{n: {'x' * 50}}}") == f"`{'x' * 39}…` {advice}"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("{'n': [1 2]}", "A comma in the JSON of your reply is missing. Write it again as valid JSON."),
            ("{'n': [1,, 2]}", "A value in the JSON in your reply is missing, or is a text without"),
            ("{n: ['don't']}", "A text in the JSON of your reply holds a quotation mark. Use double ones"),
            (f"{{n: {'1' * 5000}}}", "The number 11111111111111111111… has 5000 digits."),
            (f"{{'n': (1, {'1' * 5000})}}", "The number 11111111111111111111… has 5000 digits."),
        ],
    )  # fmt: skip
    def test_flaws_are_named(self, text: str, told: str) -> None:
        """What cannot be mended is said."""
        assert refusal(text).startswith(told)

    @pytest.mark.parametrize(
        "text",
        [
            '[yes, ["a"]]',
            '{my plan: {"a": 1}}',
            '[see {"a": 1}, or not]',
            'x {"a": 1} [b} [c, {"a": 1} ]',
            '] [c, {"a": 1}]',
        ],
    )
    def test_inside(self, text: str) -> None:
        """What is part of something that does not even begin like JSON is not taken for the whole."""
        assert "is part of something in brackets that is none" in refusal(text)

    @given(st.lists(st.text("ab' \"."), min_size=1, max_size=3), st.sampled_from("'\""))
    @example(["port's name", "Submit"], "'")
    @example(['say "ab"', "a"], '"')
    def test_marks_in_texts(self, texts: list[str], mark: str) -> None:
        """Texts with marks in them that nobody escaped are read as what they are, or not at all."""
        try:
            assert read("[" + ", ".join(f"{mark}{text}{mark}" for text in texts) + "]") == texts
        except ParseError:
            return
