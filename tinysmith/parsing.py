"""Small readers for what models write: each returns a value, or raises a `ParseError` that the model can act on.

All of them read what stands after a reasoning model's `</think>`, whatever the text, and take time in proportion
to its length. What a model says twice alike counts once; where it contradicts itself, it is asked again. `answer`
and `sections` refuse nothing.
"""

import math
import re
from collections.abc import Sequence

from tinysmith._markup import blocks, lines, parted
from tinysmith._near_json import read
from tinysmith._shown import one_line
from tinysmith.errors import ParseError, UsageError
from tinysmith.mapping import JSON

_FENCE = re.compile(r"\s*+(?:`{3,}+|~{3,}+)\s*+\w*+\s*+")
_BEFORE = r"\s*+(?:(?:[-*+>]|\#++|\d{1,9}[.)])\s++)*+"
_MARK = r"\*\*\*|\*\*|__|[*_`]"
_WRAPPED = (
    re.compile(r"(\*\*)(?!\s)([^*]++)(?<!\s)\1\.?"),
    re.compile(r"(`++)([^`]++)\1\.?"),
)
_SHORT_NAMES = {
    "py": "python",
    "python3": "python",
    "sh": "bash",
    "shell": "bash",
    "zsh": "bash",
    "js": "javascript",
    "ts": "typescript",
    "md": "markdown",
    "yml": "yaml",
    "rb": "ruby",
    "rs": "rust",
    "golang": "go",
    "c++": "cpp",
    "c#": "csharp",
    "cs": "csharp",
}
_NUMBER = re.compile(
    r"(?<![\w.])(?<![0-9],)(?<![^\W\d_][-+])"
    r"[-+\N{MINUS SIGN}]?(?:[0-9]++(?:,[0-9]{3}(?![0-9]))*+(?:\.[0-9]++)?+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?+"
    r"(?!\w|[.,]\w)"
)


def answer(text: str) -> str:
    """What follows a reasoning model's thinking, `<think>…</think>`; nothing, where that never ended."""
    return parted(text)[1]


def one_command(text: str, label: str = "Command") -> str:
    """The command on the one line that begins with `Command:`, which is the last of the reply.

    Spaces, bullets, bold and backticks around label and command are taken off, marks only in pairs, and lines that
    are nothing but a fence say nothing. The label is read as it is written here, upper and lower case too.

    Raises:
        ParseError: There is no such line, there are several, something follows it, or it is empty.
    """
    said = [line for line in lines(answer(text)) if line.strip() and not _FENCE.fullmatch(line)]
    found = [match for match in map(_labelled(label).fullmatch, said) if match]
    end = f"End your reply with exactly one line `{label}: …`."
    if not found:
        raise ParseError(f"Your reply has no line `{label}: …`. {end}")
    if len(found) > 1:
        raise ParseError(f"Your reply has {len(found)} lines that begin with `{label}:`. {end}")
    if found[0].string is not said[-1]:
        raise ParseError(f"Your reply goes on after the line `{label}: …`. {end}")
    command = _unwrapped(_after_label(found[0]))
    if not command:
        raise ParseError(f"There is nothing after `{label}:`. {end}")
    return command


def sections(text: str, labels: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The parts of a reply that begin with a line `Done: …`: each a label and the text up to the next such line.

    The labels are found in upper and lower case, also in bold, in a list or in a heading, and given back as they
    are written here. What stands before the first one is left out; without any, there are no sections.
    """
    patterns = [(label, _labelled(label, re.IGNORECASE)) for label in labels]
    found: list[tuple[str, list[str]]] = []
    for line in lines(answer(text)):
        matches = ((label, pattern.fullmatch(line)) for label, pattern in patterns)
        label, match = next((pair for pair in matches if pair[1]), ("", None))
        if match:
            found.append((label, [_after_label(match)]))
        elif found:
            found[-1][1].append(line)
    return tuple((label, _closed("\n".join(said))) for label, said in found)


def _labelled(label: str, flags: int = 0) -> re.Pattern[str]:
    """A line that begins with a label and a colon, and what models put around those."""
    words = r"\s+".join(map(re.escape, label.split()))
    return re.compile(
        rf"{_BEFORE}(?P<opened>{_MARK})?{words}(?P<closed>{_MARK})?:(?P<late>{_MARK})?(?P<rest>.*)", flags
    )


def _after_label(line: re.Match[str]) -> str:
    """What a labelled line says, without the second mark of the pair that was opened before the label."""
    opened, closed, late, rest = line["opened"], line["closed"], line["late"] or "", line["rest"]
    if opened and not closed and late == opened:
        return rest.strip()
    said = (late + rest).strip()
    if opened and not closed and said.endswith(opened) and not said.removesuffix(opened)[-1:].isspace():
        return said.removesuffix(opened)
    return said


def _unwrapped(command: str) -> str:
    """The command without bold or backticks around the whole of it, and a full stop after those."""
    for wrapped in _WRAPPED:
        if match := wrapped.fullmatch(command):
            command = match[2].strip()
    return command


def _closed(said: str) -> str:
    """A section without the fence that ends a reply which is fenced as a whole."""
    said = said.strip()
    before, _, last = said.rpartition("\n")
    return before.rstrip() if _FENCE.fullmatch(last) and blocks(said)[1] else said


def json_object(text: str) -> dict[str, JSON]:
    """The one JSON object of a reply, which may stand in other text or in a fence.

    What is not quite JSON is mended: other quotation marks, trailing commas, comments, Python's constants, line
    breaks in texts. What is not whole is refused: a reply that was cut off, a key twice in one object, `...` in
    place of more; so are NaN and infinities. 3.0 is read as 3. An object inside a list is not looked for.

    Raises:
        ParseError: There is no such object, there are several that differ, or it is broken.
    """
    found = read(text, dict)
    return dict(found)


def json_list(text: str) -> list[JSON]:
    """The one JSON list of a reply, read as `json_object` reads its object.

    Raises:
        ParseError: There is no such list, there are several that differ, or it is broken.
    """
    found = read(text, list)
    return list(found)


def fenced_block(text: str, language: str | None = None) -> str:
    """What is inside the one fenced block of a reply.

    Args:
        text: What a model wrote.
        language: The block's, where it matters, in full or in short; a block that names none counts if none
            names this one.

    Raises:
        ParseError: There is no such block, there are several that differ, it is empty, or it is never closed.
    """
    found, is_open = blocks(answer(text))
    if is_open:
        raise ParseError("Your reply was cut off: its last fenced block is not closed. End it with a line ```.")
    mark, other = f"```{language or ''}", ""
    if language is not None:
        named = [block for block in found if _full_name(block.language) == _full_name(language)]
        other = ", ".join(sorted({f"```{block.language}" for block in found if block.language}))
        found = named or [block for block in found if not block.language]
    texts = {block.text for block in found}
    if len(texts) != 1:
        kind = f" that is {mark}, only {one_line(other, 60)}" if other else ""
        problem = f"Your reply has {len(texts) or 'no'} fenced block{'s that differ' if texts else kind}."
        raise ParseError(f"{problem} Write exactly one, between a line {mark} and a line ```.")
    block = texts.pop()
    if not block.strip():
        raise ParseError(
            f"The fenced block of your reply is empty. Write what is asked for between {mark} and ```."
        )
    return block


def _full_name(language: str) -> str:
    return _SHORT_NAMES.get(language.lower(), language.lower())


def one_of(text: str, options: Sequence[str]) -> str:
    """The one of the options that a reply names, as it is written in `options`.

    It must stand there as a whole word or phrase, in upper or lower case. Where options overlap, the longest
    counts: of "approved" and "not approved", the text "Not approved." names one. No other negation is seen.

    Raises:
        ParseError: None of them is named, or several are.
        UsageError: There are no options, or two that cannot be told apart.
    """
    words = sorted(options, key=len, reverse=True)
    if not words or not all(map(str.strip, words)) or len({word.casefold() for word in words}) < len(words):
        raise UsageError(f"options={list(options)!r} are no texts that can be told apart. Give at least one.")
    either = "|".join("(" + r"\s+".join(map(re.escape, word.split())) + ")" for word in words)
    found = re.finditer(rf"(?<!\w)(?:{either})(?!\w)", answer(text), re.IGNORECASE)
    named = {match.lastindex for match in found}
    if len(named) != 1:
        several = "names several of the options" if named else "names none of the options"
        raise ParseError(f"Your reply {several}. Answer with exactly one of: {', '.join(options)}.")
    return words[(named.pop() or 0) - 1]


def number(text: str, *, least: float | None = None, most: float | None = None) -> float:
    """The one number of a reply: `42`, `-1.5`, `1,000`, `2e3`, also in other text.

    A number that is part of a word (`10kg`, `GPT-4`) is not seen; "7/10" and "1-5" are two.

    Args:
        text: What a model wrote.
        least: The smallest that is allowed.
        most: The largest that is allowed.

    Raises:
        ParseError: There is no number, there are several that differ, or it is out of bounds.
    """
    bounds = _bounds(least, most)
    found = {
        float(match[0].replace(",", "").replace("\N{MINUS SIGN}", "-")) for match in _NUMBER.finditer(answer(text))
    }
    if len(found) != 1:
        problem = f"Your reply has {len(found) or 'no'} number{'s that differ' if found else ''}."
        raise ParseError(f"{problem} Answer with exactly one number{bounds}.")
    value = found.pop()
    if not math.isfinite(value) or (least is not None and value < least) or (most is not None and value > most):
        raise ParseError(f"The number in your reply, {value:g}, is out of bounds. Answer with a number{bounds}.")
    return value


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    if least is not None:
        return f" of at least {least:g}"
    return "" if most is None else f" of at most {most:g}"
