"""Hostile text, made safe to show in a terminal or a log, and to be encoded."""

import difflib
import os
from collections.abc import Iterable

_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def escaped(text: str) -> str:
    """The text with every control, format and bidirectional character written out, but line breaks and tabs."""
    return "".join(char if char in "\n\t" or char.isprintable() else _written_out(char) for char in text)


def one_line(text: str, width: int = 100) -> str:
    """The first line that says something, escaped, and cut to a width in characters."""
    lines = [line for line in text.splitlines() if line.strip()]
    line = escaped(lines[0].strip()) if lines else ""
    cut = len(lines) > 1 or len(line) > width
    return f"{line[: width - 1].rstrip()}…" if cut else line


def near(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the known names near to a wrong one, or all of them if none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    some = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"There is {some}." if names else "There is none."


def encodable(text: str) -> str:
    """The text with halves of surrogate pairs, which no file and no request can carry, joined or replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def scrubbed(text: str) -> str:
    """The text without the values of the process's environment variables that are named like secrets."""
    for name, value in os.environ.items():
        if len(value) >= 8 and name.upper().endswith(_SECRET_NAMES):
            text = text.replace(value, f"<{name}>")
    return text


def _written_out(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
