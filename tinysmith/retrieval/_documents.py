"""A folder of documents becomes passages.

Charter: what is read here becomes part of prompts, so nothing is read that the folder does not hold: no link that
leads out of it, and nothing hidden, where secrets and other programs' files are.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from tinysmith.errors import DataError
from tinysmith.retrieval._passages import Passage

Skip: TypeAlias = Callable[[str, str], None]

MOST_BYTES = 10_000_000
MOST_WORDS = 200
MOST_CHARACTERS = 2_400
"""For text that has few spaces; of ordinary text 200 words come first."""

_MOST_WORDS_OF_HEADINGS = 50
_PROSE = frozenset({".md", ".markdown", ".rst", ".txt"})
_LINE_END = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_HASHES = re.compile(r" {0,3}#{1,6}(\s|$)")
_UNDERLINE = re.compile(r"([=\-~^\"*#+])\1{2,}\s*$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f])")
_SPACE = re.compile(r"\s+")


@frozen
class Piece:
    """A part of a document that fits into a passage.

    Attributes:
        line: The number of its first line, from 1.
        text: What it says.
        is_heading: Whether it is nothing but a heading.
    """

    line: int
    text: str
    is_heading: bool = False

    @property
    def size(self) -> int:
        """How much of a passage it takes up, in words."""
        return _size(self.text)


def read_passages(
    folder: str | os.PathLike[str],
    *,
    without: str | os.PathLike[str] | None = None,
    on_skip: Skip = lambda _path, _reason: None,
) -> Iterator[Passage]:
    """Reads the text files of a folder and of the folders in it, always in the same order.

    A file is text if it is UTF-8 without NUL characters, whatever it is called, and at most 10 MB. Hidden files
    and folders, whose names begin with a dot, are left out. Passages have about 200 words at most: paragraphs are
    kept whole and headings with what follows; what is too long is cut where a sentence, a line or a word ends. A
    passage's source is the file's path in the folder and the number of its first line: `guide/boats.md:12`.

    Args:
        folder: Where the files are.
        without: A file that is left out if it is there, such as the index itself.
        on_skip: Called with the path of each file that is skipped, and the reason.

    Raises:
        DataError: There is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        problem = "it is no folder" if root.exists() else "there is no such folder"
        raise DataError(f"{folder}: {problem}. Name the folder that holds the documents.")
    left_out = None if without is None else Path(without).resolve()
    return _all(root.resolve(), left_out, on_skip)


def split(text: str, *, is_prose: bool) -> Iterator[Piece]:
    """A document's passages. Prose has headings, and is cut at sentence ends; all else is cut at line ends."""
    held: list[Piece] = []
    size = 0
    for piece in _pieces(text, is_prose=is_prose):
        is_begun = size > _MOST_WORDS_OF_HEADINGS or any(not other.is_heading for other in held)
        if is_begun and (piece.is_heading or size + piece.size > MOST_WORDS):
            yield _joined(held)
            held, size = [], 0
        held.append(piece)
        size += piece.size
    if held:
        yield _joined(held)


def _all(root: Path, left_out: Path | None, skip: Skip) -> Iterator[Passage]:
    for path in _files(root, skip):
        if path == left_out:
            continue
        name = _name(path, root)
        try:
            text = _read(path, root)
        except OSError as error:
            skip(name, str(error.strerror))
        except ValueError as error:
            skip(name, str(error))
        else:
            for piece in split(text, is_prose=path.suffix.lower() in _PROSE):
                yield Passage(piece.text, f"{name}:{piece.line}")


def _name(path: str | Path, root: Path) -> str:
    """The path in the folder; what is no UTF-8 in it becomes question marks."""
    return os.fsencode(Path(path).relative_to(root).as_posix()).decode(errors="replace")


def _files(root: Path, skip: Skip) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        skip(_name(error.filename, root), str(error.strerror))

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                yield Path(folder, name)


def _read(path: Path, root: Path) -> str:
    """The text of a file; empty for a link to what is in the folder, since that is read where it is.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no text that is wanted; says why.
    """
    if path.is_symlink():
        if Path(os.path.realpath(path)).is_relative_to(root):  # unlike resolve(), it bears links in a circle
            return ""
        raise ValueError("a link that leads out of the folder")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("no regular file")
    if status.st_size > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES // 1_000_000} MB")
    content = path.read_bytes()
    if b"\0" in content:
        raise ValueError("no text, but binary data")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("no UTF-8 text") from None


def _pieces(text: str, *, is_prose: bool) -> Iterator[Piece]:
    seams = (_SENTENCE_END, _LINE_END, _SPACE) if is_prose else (_LINE_END, _SENTENCE_END, _SPACE)
    for first, lines in _blocks(_LINE_END.split(text), is_prose=is_prose):
        line, block = first, "\n".join(lines).rstrip()
        if is_prose and _is_heading(lines) and _size(block) <= _MOST_WORDS_OF_HEADINGS:
            yield Piece(line, block, is_heading=True)
            continue
        for part in _cut(block, seams):
            if part.strip():
                yield Piece(line, part.rstrip())
            line += part.count("\n")


def _blocks(lines: Sequence[str], *, is_prose: bool) -> Iterator[tuple[int, list[str]]]:
    """The lines between blank ones, with the number of the first; a heading is a block of its own."""
    block: list[str] = []
    is_fenced = False
    for number, line in enumerate(lines, start=1):
        if _FENCE.match(line):
            is_fenced = not is_fenced
        is_heading = is_prose and not is_fenced and bool(_HASHES.match(line))
        if block and (is_heading or not line.strip()):
            yield number - len(block), block
            block = []
        if line.strip():
            block.append(line)
        if is_heading or (is_prose and not is_fenced and _is_underlined(block)):
            yield number - len(block) + 1, block
            block = []
    if block:
        yield len(lines) - len(block) + 1, block


def _is_underlined(block: Sequence[str]) -> bool:
    return len(block) == 2 and bool(_UNDERLINE.match(block[1])) and not _UNDERLINE.match(block[0])


def _is_heading(block: Sequence[str]) -> bool:
    return _is_underlined(block) or (len(block) == 1 and bool(_HASHES.match(block[0])))


def _cut(text: str, seams: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """The text in parts that fit into a passage, which make it up again when put together."""
    if _size(text) <= MOST_WORDS:
        yield text
    elif not seams:
        for start in range(0, len(text), MOST_CHARACTERS):
            yield text[start : start + MOST_CHARACTERS]
    else:
        held, size = "", 0
        ends = [found.end() for found in seams[0].finditer(text)]
        for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
            for part in _cut(text[start:end], seams[1:]):
                if held and size + _size(part) > MOST_WORDS:
                    yield held
                    held, size = "", 0
                held += part
                size += _size(part)
        yield held


def _joined(pieces: Sequence[Piece]) -> Piece:
    return Piece(pieces[0].line, "\n\n".join(piece.text for piece in pieces))


def _size(text: str) -> int:
    return max(len(text.split()), -(-len(text) * MOST_WORDS // MOST_CHARACTERS))
