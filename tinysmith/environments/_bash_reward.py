"""InterCode's reward for Bash: how alike two sandboxes and two outputs are after a command and the right one.

Source: Yang, Prabhakar, Narasimhan, Yao, "InterCode: Standardizing and Benchmarking Interactive Coding with
Execution Feedback", 2023, arXiv:2306.14898. Changes are what `git status --short` shows in a repository of the
first files; texts are compared as scikit-learn's `TfidfVectorizer` does by default, on these two texts alone.
"""

import math
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Literal, TypeAlias

from attrs import field, frozen

from tinysmith.environments._listing import SYSTEM, Listed, Listing

Fidelity: TypeAlias = Literal["intercode", "strict"]
Change: TypeAlias = tuple[str, str]
"""A path without the leading slash, and what `git status` says of it: `M`, `D`, `T` or `??`."""

_IGNORED = SYSTEM | {".git", ".dockerenv"}
_SHARE = 0.33
_COMPARED: Mapping[Fidelity, tuple[str, ...]] = {
    "intercode": ("A", "??", "C"),  # InterCode never looks into a file that was there before
    "strict": ("??", "M", "T"),
}
_TRACKED = "fl"
_MOST_LINKS = 8
_WORD = re.compile(r"\b\w\w+\b")
_ESCAPES = {byte: f"\\{letter}" for byte, letter in zip(b'\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True)}
_PRINTABLE = range(0x20, 0x7F)


@frozen
class Ended:
    """Where a command, or several, left a sandbox.

    Attributes:
        files: What is in it; None where that cannot be told, which is like nothing.
        output: What the last command printed.
    """

    files: Listing | None = field(repr=False)
    output: str = field(repr=False)


@frozen
class Likeness:
    """How alike two ends are.

    Attributes:
        score: The reward, 0.01 to 1 in hundredths; 1 where each part is, to two places of its third.
        file_diff: 1 - erf(number of changes that only one side has), 1 to 0.
        file_changes: The share of what both added that has the same content; strictly, of what both added or
            modified; 1 where nothing was.
        answer_similarity: The cosine of the outputs' TF-IDF vectors, 0 to 1; where there is no word in either,
            1 for equal outputs and 0 for others.
    """

    score: float
    file_diff: float
    file_changes: float
    answer_similarity: float


def likeness(mine: Ended, right: Ended, before: Listing, fidelity: Fidelity) -> Likeness:
    """Compares an end with the right one, both from the same first files."""
    file_diff = file_changes = 0.0
    if mine.files is not None and right.files is not None:
        ours, theirs = (changes(before, files, fidelity) for files in (mine.files, right.files))
        file_diff = 1 - math.erf(len(ours ^ theirs))
        compared = [path for path, status in ours & theirs if status in _COMPARED[fidelity]]
        same = sum(_is_same(mine.files, right.files, path, fidelity) for path in compared)
        file_changes = same / len(compared) if compared else 1.0
    answer_similarity = similarity(mine.output, right.output)
    hundredths = sum(round(100 * round(_SHARE * part, 2)) for part in (file_diff, file_changes, answer_similarity))
    return Likeness((1 + hundredths) / 100, file_diff, file_changes, answer_similarity)


# Changes -----------------------------------------------------------------------------------------


def changes(before: Listing, after: Listing, fidelity: Fidelity) -> set[Change]:
    """What `git status --short` shows.

    An added folder is shown as one, with a slash at its end; an empty one is not shown. With "intercode" a path in
    which any part is named like a folder of the system is ignored, and the text is split at blanks, so that a path
    with a blank shifts paths and statuses: its bugs are kept.
    """
    if fidelity == "strict":
        return set(_changes(before, after))
    shown = _changes(_shown(before), _shown(after))
    words = " ".join(f"{status} {quoted(path)}" for path, status in shown).split()
    return set(zip_longest(words[1::2], words[::2], fillvalue=""))


def _shown(files: Listing) -> Listing:
    return {path: each for path, each in files.items() if _IGNORED.isdisjoint(path.split("/"))}


def _changes(before: Listing, after: Listing) -> Iterator[Change]:
    """In git's order: what it knows, then what it does not."""
    known = {path: each for path, each in before.items() if each.kind in _TRACKED}
    for path in _sorted(known):
        status = _status(known[path], after.get(path))
        if status:
            yield path, status
    folders = {folder for path in known for folder in _folders(path)}
    added = [path for path, each in after.items() if each.kind in _TRACKED and path not in known]
    for path in _sorted({_collapsed(path, folders) for path in added}):
        yield path, "??"


def _status(before: Listed, after: Listed | None) -> str:
    if after is None or after.kind not in _TRACKED:
        return "D"
    if before.kind != after.kind:
        return "T"
    if before.kind == "l":
        return "M" if before.target != after.target else ""
    is_same = (before.md5, before.is_executable) == (after.md5, after.is_executable)
    return "" if is_same else "M"


def _folders(path: str) -> Iterator[str]:
    """The folders above a path, the highest first."""
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _collapsed(path: str, folders: set[str]) -> str:
    new = next((folder for folder in _folders(path) if folder not in folders), None)
    return path if new is None else f"{new}/"


def _sorted(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: path.encode(errors="surrogateescape"))


def quoted(path: str) -> str:
    """A path as `git status --short` writes it: in quotes where a blank, control or foreign character is in it."""
    data = path.encode(errors="surrogateescape")
    if " " not in path and all(byte in _PRINTABLE and byte not in _ESCAPES for byte in data):
        return path
    written = (_ESCAPES.get(byte) or (chr(byte) if byte in _PRINTABLE else f"\\{byte:03o}") for byte in data)
    return f'"{"".join(written)}"'


# Content -----------------------------------------------------------------------------------------


def _is_same(mine: Listing, right: Listing, path: str, fidelity: Fidelity) -> bool:
    if fidelity == "strict":
        return _content(mine, path) == _content(right, path)
    # InterCode takes what has no dot for a folder, and asks a program about it that its images lack; of a folder
    # with a dot, and of what it misspells, md5sum says the same on both sides.
    return "." not in path or _md5(mine, path) == _md5(right, path)


def _content(files: Listing, path: str) -> list[tuple[str, Listed]]:
    """A file or link; or all that is in a folder, by path within it, whose own size is nothing of its content."""
    if not path.endswith("/"):
        return [("", files[path])]
    within = [(each.removeprefix(path), files[each]) for each in _sorted(files) if each.startswith(path)]
    return [(name, Listed("d") if each.kind == "d" else each) for name, each in within]


def _md5(files: Listing, path: str) -> str:
    """The hash of a file, or of the one that a link leads to; empty where there is none."""
    for _ in range(_MOST_LINKS):
        found = files.get(path)
        if found is None or found.kind != "l":
            return found.md5 if found else ""
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), found.target)).lstrip("/")
    return ""


# Output ------------------------------------------------------------------------------------------


def similarity(left: str, right: str) -> float:
    """The cosine of two texts' TF-IDF vectors, 0 to 1; without a word in either, whether they are equal."""
    counts = [Counter(_WORD.findall(text.lower())) for text in (left, right)]
    if not counts[0] and not counts[1]:
        return float(left == right)
    common = counts[0].keys() & counts[1].keys()
    product = sum(counts[0][word] * counts[1][word] for word in common)
    return min(1.0, product / math.prod(_length(each, common) for each in counts)) if product else 0.0


def _length(count: "Counter[str]", common: Iterable[str]) -> float:
    """The length of a vector; a word of both texts weighs 1, of one alone 1 + ln(3/2): smooth idf of two texts."""
    shared = sum(count[word] ** 2 for word in common)
    alone = sum(number**2 for number in count.values()) - shared
    return math.sqrt(shared + alone * (1 + math.log(3 / 2)) ** 2)
