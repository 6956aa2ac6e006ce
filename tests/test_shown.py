"""Hostile text, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith._shown import encodable, escaped, near, one_line

anything = st.text(st.characters(codec=None))


class TestEscaped:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("plain, with Umläute 😀", "plain, with Umläute 😀"),
            ("two\nlines", "two\nlines"),
            ("\x1b[31mred", "\\x1b[31mred"),
            ("a\tb\rc\x00", "a\tb\\rc\\x00"),
            ("\N{RIGHT-TO-LEFT OVERRIDE}x\N{ZERO WIDTH SPACE}", "\\u202ex\\u200b"),
            ("\ud800", "\\ud800"),
        ],
    )
    def test_examples(self, text: str, shown: str) -> None:
        """Controls, bidirectional and invisible characters and lone surrogates are written out, nothing else."""
        assert escaped(text) == shown

    @given(anything)
    def test_never_lets_a_control_through(self, text: str) -> None:
        """Nothing but line breaks, tabs and what can be printed is ever left, and all of it can be encoded."""
        shown = escaped(text)
        assert all(char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"} for char in shown)
        assert shown.encode().decode() == shown
        assert escaped(shown) == shown


class TestOneLine:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", ""),
            (" \n \n", ""),
            ("word", "word"),
            ("\n\n  word  \n", "word"),
            ("one\ntwo", "one…"),
            ("x" * 10, "x" * 10),
            ("x" * 11, "x" * 9 + "…"),
            ("a bcdefg  hi\n", "a bcdefg…"),
        ],
    )
    def test_examples(self, text: str, line: str) -> None:
        """The first line that says something is shown, with an ellipsis where more was left out."""
        assert one_line(text, 10) == line

    @given(anything, st.integers(1, 40))
    def test_always_one_line_of_that_width(self, text: str, width: int) -> None:
        """Whatever the text, it is one printable line, and no wider than was asked."""
        line = one_line(text, width)
        assert len(line) <= width
        assert line.replace("\t", "").isprintable()


class TestNear:
    @pytest.mark.parametrize(
        ("name", "known", "sentence"),
        [
            ("critc", ["poet", "critic"], "Did you mean critic?"),
            ("vote", ["votes", "voter", "x"], "Did you mean votes or voter?"),
            ("zzz", ["writer", "critic"], "There is critic, writer."),
            ("zzz", [], "There is none."),
        ],
    )
    def test_examples(self, name: str, known: list[str], sentence: str) -> None:
        """Near names are offered, all of them if none is near."""
        assert near(name, known) == sentence

    def test_not_too_many(self) -> None:
        """Of many names twelve are shown."""
        assert near("zzz", [f"n{number:02}" for number in range(13)]).endswith("n11, ….")


class TestEncodable:
    @given(text=st.text(st.characters(exclude_categories=[])))
    def test_always_is(self, text: str) -> None:
        """Every text can be encoded; halves of surrogate pairs are joined or replaced, all else stays."""
        whole = encodable(text)
        assert whole.encode().decode() == whole
        assert encodable(whole) == whole
        if not any("\ud800" <= character <= "\udfff" for character in text):
            assert whole == text

    def test_halves(self) -> None:
        """Two halves that meet are one character; one alone is U+FFFD."""
        assert (encodable("\ud83d\ude00"), encodable("a\ud800b")) == ("\U0001f600", "a\ufffdb")
