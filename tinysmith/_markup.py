"""Where the answer stands in a model's text: after its thinking, in fenced blocks."""

import re

from attrs import frozen

_THOUGHT = re.compile(r"</think(?:ing)?>[\r\n]*+", re.IGNORECASE)
_THINKING = re.compile(r"\s*+<think(?:ing)?>", re.IGNORECASE)
_TAG = re.compile(r"</?think(?:ing)?>", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n?|\n")
_OPENING = re.compile(r"([ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?+)(`{3,}+|~{3,}+)([^`]*+)")
_MARK = re.compile(r"\S")


@frozen
class Block:
    """A fenced block.

    Attributes:
        language: The word after the opening fence, in lower case; empty where there is none.
        text: What is inside.
    """

    language: str
    text: str


def parted(text: str) -> tuple[str, str]:
    """A reasoning model's thinking, and its answer, both without tags; no answer, where the thinking never ended.

    The answer is what stands after the last `</think>`: chat templates often write the opening tag themselves.
    """
    end = 0
    for tag in _THOUGHT.finditer(text):
        end = tag.end()
    answer = text[end:].removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    if _THINKING.match(answer):
        end, answer = len(text), ""
    return _TAG.sub("", text[:end]).strip(), answer


def lines(text: str) -> list[str]:
    """The lines as terminals and shells see them, which is fewer than `str.splitlines` sees."""
    return _LINE_END.split(text)


def blocks(text: str) -> tuple[list[Block], bool]:
    """The fenced blocks, and whether the last one is never closed; that one is left out.

    A block is closed by a line of the same mark, as long at least; its indentation is taken off its lines. It may
    be the item of a list.
    """
    found: list[Block] = []
    opened: re.Match[str] | None = None
    inside: list[str] = []
    for line in lines(text):
        if opened is None:
            opened, inside = _OPENING.fullmatch(line), []
            indent = _MARK.sub(" ", opened[1]) if opened else ""
        elif _closes(line.strip(), opened[2]):
            found.append(Block(" ".join(opened[3].lower().split()[:1]), "\n".join(inside)))
            opened = None
        else:
            inside.append(line.removeprefix(indent))
    return found, opened is not None


def _closes(line: str, mark: str) -> bool:
    return line.startswith(mark) and not line.strip(mark[0])
