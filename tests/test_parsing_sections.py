"""Thinking, answers and the sections of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith._markup import parted
from tinysmith.parsing import answer, sections

ANY = st.text(st.characters(exclude_categories=()))
THOUGHT = "<think>\nDone: rm\n</think>\n"


class TestAnswer:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("", ("", "")),
            (" ls\n", ("", " ls\n")),
            ("<think>\na\n</think>\n\nls", ("a", "ls")),
            ("a</think>ls", ("a", "ls")),
            ("<Thinking> a </THINKING>  ls", ("a", "  ls")),
            ("<think>a</think><think>b</think>ls", ("ab", "ls")),
            ("a</think>\ufeffls", ("a", "ls")),
            ("\ufeffls", ("", "ls")),
            (" <think>a", ("a", "")),
            ("<think>a</think>\n<think>b", ("a\nb", "")),
            ("I <think> so.", ("", "I <think> so.")),
        ],
    )  # fmt: skip
    def test_parts(self, text: str, parts: tuple[str, str]) -> None:
        """Thinking and answer are told apart, whether a tag is missing, or the end, or all of the thinking."""
        assert parted(text) == parts
        assert answer(text) == parts[1]

    @given(ANY.filter(lambda text: "think" not in text.lower()), ANY)
    def test_nothing_is_lost(self, said: str, thought: str) -> None:
        """What stands after the thinking is the answer, but for line breaks and a byte order mark before it."""
        assert parted(f"<think>{thought}</think>{said}")[1] == said.lstrip("\r\n").removeprefix("\ufeff")


class TestSections:
    @pytest.mark.parametrize(
        "line",
        [
            "Done: a *b*",
            "  DONE:a *b*  ",
            "**Done:** a *b*",
            "**Done**: a *b*",
            "**Done: a *b***",
            "- Done: a *b*",
            "* **done:** a *b*",
            "1. __Done__: a *b*",
            "### Done: a *b*",
            "> Done: a *b*",
            "`Done:` a *b*",
            "`Done`: a *b*",
            "_Done:_\ta *b*",
            "Done:\n\na *b*",
        ],
    )
    def test_label(self, line: str) -> None:
        """A label is found with what models put around it, and its section has none of that."""
        assert sections(f"So:\n{line}\n\n- c\n", ["Done"]) == (("Done", "a *b*\n\n- c"),)

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", ()),
            ("Done, next: x", ()),
            ("I say Done: x", ()),
            ("Done : x", ()),
            ("Undone: x", ()),
            ("Done: a\r\nb\rNext Step: c", (("Done", "a\nb"), ("Next step", "c"))),
            ("done: a\nDone:\nnext  step: b", (("Done", "a"), ("Done", ""), ("Next step", "b"))),
            ("Done: a\nb\nNext step: c\nd\nDone: e", (("Done", "a\nb"), ("Next step", "c\nd"), ("Done", "e"))),
            (f"{THOUGHT}Done: a", (("Done", "a"),)),
            ("<think>\nDone: a", ()),
            ("```\nDone: a\nNext step: b\n```\n", (("Done", "a"), ("Next step", "b"))),
            ("Done:\n```sh\nls\n```", (("Done", "```sh\nls\n```"),)),
            ("Done: ```", (("Done", ""),)),
        ],
    )
    def test_split(self, text: str, found: tuple[tuple[str, str], ...]) -> None:
        """Sections stand in the order of the reply, with the labels as they were given; others are no labels."""
        assert sections(text, ["Done", "Next step"]) == found
