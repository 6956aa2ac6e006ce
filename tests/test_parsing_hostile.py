"""The readers for what models write, with any text at all."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysmith.errors import ParseError
from tinysmith.parsing import (
    answer,
    fenced_block,
    json_list,
    json_object,
    number,
    one_command,
    one_of,
    sections,
)

ANY = st.text(st.characters(exclude_categories=()))
PIECES = [
    "Command:",
    "**",
    "`",
    " ",
    "\n",
    "\r",
    "ls",
    "```",
    "~~~",
    "sh",
    "</think>",
    "<think>",
    "yes",
    "no",
    "1",
    ",000",
    ".5",
    "e9",
    "-",
    "\u2212",
    "Done:",
    "### ",
    "1. ",
    "~",
    "\t",
    "!",
    "*",
    "_",
]
HOSTILE = ANY | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
MORE_PIECES = ["[", '{"', "Command: a\n", "done: a\n", "1,000,", "1.", ".5 ", "no ", "not  ", "\x00", "\ud800"]


class TestTotal:
    @pytest.mark.parametrize("reader", [one_command, json_object, json_list, fenced_block, number])
    @given(text=HOSTILE)
    @example(text="\ud800\x00")
    def test_any_text(self, reader: object, text: str) -> None:
        """Of any text at all each reader makes a value of its type, or raises a ParseError."""
        assert callable(reader)
        kinds = {json_object: dict, json_list: list, number: float}
        try:
            assert type(reader(text)) is kinds.get(reader, str)  # type: ignore[call-overload]  # by identity
        except ParseError as error:
            assert str(error).endswith(".")  # noqa: PT017  # what is raised is half of the claim

    @given(HOSTILE)
    def test_any_choice(self, text: str) -> None:
        """Of any text at all `one_of` makes one of its options, or raises a ParseError."""
        try:
            assert one_of(text, ["yes", "no", "1"]) in {"yes", "no", "1"}
        except ParseError as error:
            assert "Answer with exactly one of: yes, no, 1." in str(error)  # noqa: PT017  # as above

    @given(HOSTILE, st.lists(ANY | st.sampled_from(["Command", "ls", "yes"]), max_size=3))
    @example("\u0130: a", ["i"])
    @example(": a", [""])
    def test_any_labels(self, text: str, labels: list[str]) -> None:
        """Of any text and any labels there are sections, whose texts stand in the reply."""
        for label, said in sections(text, labels):
            assert label in labels
            assert said == said.strip()
            assert all(line in text for line in said.split("\n"))

    @pytest.mark.untraced
    @pytest.mark.parametrize("piece", [*PIECES, *MORE_PIECES])
    @pytest.mark.parametrize(
        "around", ["{}", "```{}!", "~~~{}`", "Command: **{}!", "Command: `{}!", "{}Command: a"]
    )
    def test_large(self, piece: str, around: str) -> None:
        """100 kB that would take a careless pattern for ever are read or refused."""
        text = around.format(piece * (100_000 // len(piece)))
        for reader in (
            one_command,
            json_object,
            fenced_block,
            number,
            answer,
            lambda text: one_of(text, ["not  yes", "no"]),
            lambda text: sections(text, ["Done", "Not yet"]),
        ):
            try:
                reader(text)
            except ParseError:
                continue
