"""A folder of documents becomes passages."""

import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysmith.errors import DataError
from tinysmith.retrieval import Passage, read_passages
from tinysmith.retrieval._documents import MOST_BYTES, MOST_CHARACTERS, MOST_WORDS, split

WITH_LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
PARTS = st.sampled_from(
    [
        "word",
        "One sentence.",
        "# Title",
        "Title\n=====",
        "```",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "x" * 3000,
        "a, b\n" * 99,
    ]
)
TEXTS = st.text() | st.lists(PARTS, max_size=60).map(" ".join) | st.lists(PARTS, max_size=60).map("".join)


def words(count: int, word: str = "word") -> str:
    """A text of so many words."""
    return " ".join([word] * count)


def prose(text: str) -> list[tuple[int, str]]:
    """The passages of a text like those of a .md file, with their lines."""
    return [(piece.line, piece.text) for piece in split(text, is_prose=True)]


def table(text: str) -> list[tuple[int, str]]:
    """The passages of a text like those of a .csv file, with their lines."""
    return [(piece.line, piece.text) for piece in split(text, is_prose=False)]


class TestSplit:
    def test_keeps_short_paragraphs_together(self) -> None:
        """Paragraphs go into one passage as long as it has at most 200 words."""
        a, b, c = words(90, "a"), words(110, "b"), words(1, "c")
        assert prose(f"{a}\n\n{b}\n\n\n{c}\n") == [(1, f"{a}\n\n{b}"), (6, c)]

    def test_begins_a_passage_with_each_heading(self) -> None:
        """A heading begins a passage, in each of the usual ways to write one, and stays with what follows it."""
        text = "Intro.\n\n# One\nText.\n\nTwo\n---\n\nMore.\n\nThree\n=====\nEnd."
        assert prose(text) == [
            (1, "Intro."),
            (3, "# One\n\nText."),
            (6, "Two\n---\n\nMore."),
            (11, "Three\n=====\n\nEnd."),
        ]

    def test_keeps_headings_together(self) -> None:
        """A heading and the one below it stay together, with what follows, even where that is long."""
        body = words(200)
        assert prose(f"# One\n\n## Two\n\n{body}") == [(1, f"# One\n\n## Two\n\n{body}")]

    def test_keeps_a_last_heading(self) -> None:
        """A heading with nothing below it is a passage."""
        assert prose("Text.\n# End") == [(1, "Text."), (2, "# End")]

    def test_many_headings_are_cut(self) -> None:
        """Headings without text between them do not make an endless passage."""
        assert [text.count("#") for _, text in prose("# a b\n" * 60)] == [17, 17, 17, 9]

    def test_a_long_line_is_no_heading(self) -> None:
        """A line of more than 50 words is no heading, whatever it begins with."""
        long = f"# {words(60)}"
        assert prose(f"Text.\n{long}\n\nText.") == [(1, f"Text.\n\n{long}\n\nText.")]

    def test_what_looks_like_a_heading_in_code_is_none(self) -> None:
        """In a fenced block a line that begins with # is no heading."""
        assert prose("```sh\n# comment\nls\n\n# more\n```\n\nText.") == [
            (1, "```sh\n# comment\nls\n\n# more\n```\n\nText.")
        ]
        assert prose("Text.\n\n~~~\n\nx\n---\ny\n~~~") == [(1, "Text.\n\n~~~\n\nx\n---\ny\n~~~")]

    def test_a_table_has_no_headings(self) -> None:
        """What is no prose has no headings."""
        text = "x = 1\n\n# comment\ny = 2\n\nz\n===\n# end"
        assert table(text) == [(1, text)]

    def test_keeps_the_indentation(self) -> None:
        """The first line of a passage is as far in as it was."""
        assert table("\n    x = 1\n    y = 2\n") == [(2, "    x = 1\n    y = 2")]

    def test_a_hashtag_is_no_heading(self) -> None:
        """What follows the signs of a heading at once makes it none."""
        assert prose("Text.\n#tag\n#!sh") == [(1, "Text.\n#tag\n#!sh")]

    def test_a_rule_is_no_underline(self) -> None:
        """Signs below signs, or below more than one line, make no heading."""
        assert prose("---\n---\nText.\n\nTwo\nlines\n---\nText.") == [
            (1, "---\n---\nText.\n\nTwo\nlines\n---\nText.")
        ]

    def test_cuts_prose_at_sentence_ends(self) -> None:
        """A long paragraph is cut where a sentence ends, and each part has the line that it begins on."""
        sentence = f"{words(59)}\nword."
        assert prose(" ".join([sentence] * 4)) == [(1, " ".join([sentence] * 3)), (4, sentence)]

    def test_cuts_scripts_without_spaces_at_sentence_ends(self) -> None:
        """A full stop of a script without spaces ends a sentence."""
        sentence = "船" * 999 + "。"
        assert prose(sentence * 3) == [(1, sentence * 2), (1, sentence)]

    def test_cuts_tables_at_line_ends(self) -> None:
        """What is no prose is cut where a line ends, not in the middle of one where a sentence does."""
        line = f"1, One sentence. Another. {words(46)}"
        assert table("\n".join([line] * 5)) == [(1, "\n".join([line] * 4)), (5, line)]

    def test_cuts_an_endless_sentence_between_lines(self) -> None:
        """Prose without sentences, such as a list, is cut where a line ends."""
        line = words(60)
        assert prose("\n".join([line] * 4)) == [(1, "\n".join([line] * 3)), (4, line)]

    def test_cuts_an_endless_sentence_between_words(self) -> None:
        """A sentence that is too long is cut between words, and a word that is too long where it must be."""
        assert prose(words(450)) == [(1, words(200)), (1, words(200)), (1, words(50))]
        assert [len(text) for _, text in prose("x" * 5000)] == [MOST_CHARACTERS, MOST_CHARACTERS, 200]

    def test_blank_parts_are_left_out(self) -> None:
        """Where blanks alone would fill a part, there is none."""
        ((_, text),) = prose(f"x{' ' * 9000}y")
        assert text.split("\n") == ["x", "", " " * 1801 + "y"]

    def test_line_ends_of_all_systems_count(self) -> None:
        """Lines are counted as an editor does, whatever ends them; other separators are none."""
        text = words(190)
        assert prose(f"{text}\r\n\r\n{text}\r\r{text}\x0b\u2028\n\n{text}") == [
            (1, text), (3, text), (5, text), (7, text),
        ]  # fmt: skip

    @given(TEXTS, st.booleans())
    @example("```\n# x", True)
    @example(f"x{' ' * 9000}y", True)
    @example(f"# a\n\n{'x. ' * 700}", True)
    def test_nothing_is_lost(self, text: str, is_prose: bool) -> None:
        """All that a text says is in its passages, in order; each is short, and begins on the line it names."""
        pieces = list(split(text, is_prose=is_prose))
        assert "".join("".join(piece.text.split()) for piece in pieces) == "".join(text.split())
        lines = re.split(r"\r\n|\r|\n", text)
        for piece in pieces:
            assert piece.text.strip()
            assert len(piece.text.split()) <= MOST_WORDS + 50
            assert len(piece.text) <= MOST_CHARACTERS + 1000
            assert piece.text.split("\n")[0].rstrip() in lines[piece.line - 1]
        assert [piece.line for piece in pieces] == sorted(piece.line for piece in pieces)


class TestReadPassages:
    def test_reads_all_text_in_a_fixed_order(self, tmp_path: Path) -> None:
        """Every text file is read, in the folders too, in the order of their names; the source tells the place."""
        (tmp_path / "sub" / "deep").mkdir(parents=True)
        for folder in ("z", "q", "y", "r"):
            (tmp_path / folder).mkdir()
        for name in ("b.md", "a.sql", "sub/deep/z", "sub/c.json", "ä.csv", "z/1", "q/1", "y/1", "r/1"):
            (tmp_path / name).write_text(f"\n\n{name}\n", encoding="utf-8")
        passages = [
            Passage("a.sql", "a.sql:3"),
            Passage("b.md", "b.md:3"),
            Passage("ä.csv", "ä.csv:3"),
            Passage("q/1", "q/1:3"),
            Passage("r/1", "r/1:3"),
            Passage("sub/c.json", "sub/c.json:3"),
            Passage("sub/deep/z", "sub/deep/z:3"),
            Passage("y/1", "y/1:3"),
            Passage("z/1", "z/1:3"),
        ]
        assert list(read_passages(tmp_path)) == list(read_passages(str(tmp_path))) == passages

    def test_prose_is_told_by_the_name(self, tmp_path: Path) -> None:
        """Only in files with the names of prose are headings looked for."""
        for name in ("a.MD", "b.rst", "c.txt", "d.markdown", "e.py"):
            (tmp_path / name).write_text("x\n\n# y")
        sources = [passage.source for passage in read_passages(tmp_path)]
        assert sources == [
            "a.MD:1",
            "a.MD:3",
            "b.rst:1",
            "b.rst:3",
            "c.txt:1",
            "c.txt:3",
            "d.markdown:1",
            "d.markdown:3",
            "e.py:1",
        ]

    def test_leaves_out_what_is_hidden(self, tmp_path: Path) -> None:
        """What begins with a dot is left out without a word."""
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "config").write_text("secret")
        (tmp_path / ".env").write_text("secret")
        skipped: list[str] = []
        assert list(read_passages(tmp_path, on_skip=lambda path, _: skipped.append(path))) == []
        assert skipped == []

    def test_leaves_out_the_index(self, tmp_path: Path) -> None:
        """The file that is named is left out, by whatever path."""
        (tmp_path / "a.txt").write_text("a")
        (tmp_path / "b.txt").write_text("b")
        without = tmp_path / "." / "sub" / ".." / "b.txt"
        assert [passage.text for passage in read_passages(tmp_path, without=without)] == ["a"]

    def test_tells_what_is_skipped(self, tmp_path: Path) -> None:
        """Files that are no text, or too large, are skipped with the reason; a text of the full size is not."""
        (tmp_path / "a.bin").write_bytes(b"text\0text")
        (tmp_path / "b.txt").write_bytes("Köln".encode("latin-1"))
        (tmp_path / "c.txt").write_bytes(b" " * (MOST_BYTES + 1))
        (tmp_path / "d.txt").write_bytes(b"x\n".ljust(MOST_BYTES))
        (tmp_path / "e.txt").write_bytes(b"")
        skipped: list[tuple[str, str]] = []
        passages = list(read_passages(tmp_path, on_skip=lambda path, reason: skipped.append((path, reason))))
        assert passages == [Passage("x", "d.txt:1")]
        assert skipped == [
            ("a.bin", "no text, but binary data"),
            ("b.txt", "no UTF-8 text"),
            ("c.txt", "larger than 10 MB"),
        ]
        assert list(read_passages(tmp_path)) == passages

    def test_a_byte_order_mark_is_no_text(self, tmp_path: Path) -> None:
        """A byte order mark does not hide the heading behind it."""
        (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf# Title")
        assert list(read_passages(tmp_path)) == [Passage("# Title", "a.md:1")]

    @WITH_LINKS
    def test_follows_no_link_out_of_the_folder(self, tmp_path: Path) -> None:
        """A link that leads out is skipped and told; one that stays inside is not read twice, nor in a circle."""
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret" / "key.txt").write_text("secret")
        docs = tmp_path / "docs"
        docs.mkdir()
        (docs / "a.txt").write_text("a")
        (docs / "file").symlink_to(tmp_path / "secret" / "key.txt")
        (docs / "folder").symlink_to(tmp_path / "secret")
        (docs / "same").symlink_to(docs / "a.txt")
        (docs / "up").symlink_to(docs)
        (docs / "round").symlink_to(docs / "round")
        skipped: list[tuple[str, str]] = []
        (tmp_path / "link").symlink_to(docs)
        passages = read_passages(tmp_path / "link", on_skip=lambda path, reason: skipped.append((path, reason)))
        assert list(passages) == [Passage("a", "a.txt:1")]
        outside = "a link that leads out of the folder"
        assert skipped == [("file", outside), ("folder", outside)]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
    def test_waits_for_no_pipe(self, tmp_path: Path) -> None:
        """A pipe, which would be waited for, is skipped."""
        os.mkfifo(tmp_path / "pipe")
        skipped: list[tuple[str, str]] = []
        assert list(read_passages(tmp_path, on_skip=lambda path, reason: skipped.append((path, reason)))) == []
        assert skipped == [("pipe", "no regular file")]

    def test_tells_what_is_gone(self, tmp_path: Path) -> None:
        """Files and folders that cannot be read when their turn comes are skipped with the system's reason."""
        (tmp_path / "sub").mkdir()
        (tmp_path / "a.txt").write_text("a")
        (tmp_path / "b.txt").write_text("b")
        skipped: list[tuple[str, str]] = []
        passages = read_passages(tmp_path, on_skip=lambda path, reason: skipped.append((path, reason)))
        assert next(passages) == Passage("a", "a.txt:1")
        (tmp_path / "b.txt").unlink()
        (tmp_path / "sub").rmdir()
        assert list(passages) == []
        assert skipped == [("b.txt", "No such file or directory"), ("sub", "No such file or directory")]

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
    def test_bears_names_that_are_no_utf8(self, tmp_path: Path) -> None:
        """What is no UTF-8 in a file's name becomes question marks in the source."""
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("x")
        assert list(read_passages(tmp_path)) == [Passage("x", "\ufffd.txt:1")]

    def test_refuses_what_is_no_folder(self, tmp_path: Path) -> None:
        """A missing folder, and a file instead of one, are told at once."""
        (tmp_path / "a.txt").write_text("a")
        with pytest.raises(DataError, match=r"none: there is no such folder\. Name the folder that holds"):
            read_passages(tmp_path / "none")
        with pytest.raises(DataError, match=r"a\.txt: it is no folder\. Name the folder"):
            read_passages(tmp_path / "a.txt")
