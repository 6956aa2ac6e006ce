"""JSON, and what models write instead of it, into values. The one file that imports json_repair.

Charter: what is told from a reply is told before it is mended: where its JSON begins and ends, and whether it was
cut off, has gaps, or stands there twice. The library mends only what is whole, and a mending that loses a text is
refused. All here is linear in the length of the text, but for the mending, whose input is bounded.
"""

import json
import math
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from attrs import define

from tinysmith._markup import answer, blocks
from tinysmith._shown import encodable, one_line
from tinysmith.errors import ParseError
from tinysmith.mapping import JSON

MOST_DEPTH = 100
MOST_STRAYS = 40
MOST_MENDED = 10_000
"""Characters; the library can take quadratic time. Comments and trailing commas are mended at any length."""

_MOST_DIGITS = 400
_EXACT = 2**53
"""Up to here floats are exact, so that 3.0 may count as 3."""

_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_FORMS: dict[type, str] = {dict: "one JSON object, `{…}`", list: "one JSON list, `[…]`"}

_QUOTES = {
    '"': '"',
    "'": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '["\N{RIGHT DOUBLE QUOTATION MARK}]',
    "\N{LEFT SINGLE QUOTATION MARK}": "\N{RIGHT SINGLE QUOTATION MARK}",
}
"""The marks that begin a text, and the patterns of those that end it."""

_QUOTE = f"[{''.join(_QUOTES)}]"
_ENDS = {mark: re.compile(rf"\\|{end}") for mark, end in _QUOTES.items()}
_FIRST = re.compile(
    rf"""\{{(?=\s*(?:{_QUOTE}|[}}/#]|\w+\s*:|\Z))"""
    rf"""|(?<![\w\])])\[(?=\]|\s*(?:{_QUOTE}|[{{\[/#\d-]|(?:true|false|null|True|False|None)\b|\Z))"""
)
_TOKEN = re.compile(
    rf"""(?P<open>[{{\[])|(?P<close>[}}\]])|(?P<quote>{_QUOTE})|(?P<comment>(?://|\#)[^\n]*|/\*.*?(?:\*/|\Z))"""
    rf"""|(?P<gap>\.\.\.|…)|(?P<bare>:(?=\s*[,}}\]]|[^,:{{}}\[\]/#{"".join(_QUOTES)}]*:))"""
    r"""|(?P<colon>:)|(?P<constant>(?<![\w.])-?(?:NaN|nan|Infinity|inf|undefined)(?!\w))""",
    re.DOTALL,
)
_QUOTED = r'("(?:[^"\\]++|\\.)*+(?:"|\Z))'
_LAST_COMMA = re.compile(rf"{_QUOTED}|,(?=\s*[}}\]])", re.DOTALL)
_CLOSERS = {"{": "}", "[": "]"}
_AFTER = re.compile(r"\s*(?:[,:;}\])/#]|\Z)")

_CUT_OFF = (
    "The JSON in your reply does not end: the reply was cut off, or a bracket or quotation mark is missing or not "
    "escaped. Reply again with the whole JSON, more briefly if it is long."
)
_TOO_DEEP = f"The JSON in your reply is nested more than {MOST_DEPTH} deep. Write it flatter."
_LOSES = "The JSON in your reply is too broken to be mended: a key stands there twice, or a part belongs nowhere."
_AGAIN = "Write it again as valid JSON."


@define
class _Span:
    """A stretch of text from a bracket to the one that closes it, and what was met on the way.

    Attributes:
        text: With its brackets, without comments; whole once it is closed.
        end: Where it ends in the text around it.
        letters: How many letters and digits its quoted texts have, but those that hold escapes.
        strays: How many quotation marks neither begin nor end a text where one may.
        flaw: Why it cannot be mended; empty where it can.
    """

    text: str = ""
    end: int = 0
    letters: int = 0
    strays: int = 0
    flaw: str = ""

    @property
    def kind(self) -> type:
        return dict if self.text[0] == "{" else list


def read(text: str, *kinds: type) -> JSON:
    """The one JSON value in a reply: the whole of it, or the one object or list that stands in it.

    Args:
        text: What a model wrote.
        kinds: Which of `dict` and `list` are looked for in other text, and what the value must be; with none,
            both are looked for and anything is taken.

    Raises:
        ParseError: There is no such value, there are several, or it is broken, cut off, too deep or too long.
    """
    said = text.strip()
    if not said.startswith(("{", "[")):
        said = answer(text).strip()
    try:
        whole = _strict(said)
    except ValueError:
        return _among(said, kinds)
    if kinds and not isinstance(whole, kinds):
        raise ParseError(f"Your reply is {_NAMES[type(whole)]}. {_demand(kinds)}")
    return whole


def _demand(kinds: tuple[type, ...]) -> str:
    return f"Reply with {' or '.join(form for kind, form in _FORMS.items() if not kinds or kind in kinds)}."


def _among(said: str, kinds: tuple[type, ...]) -> JSON:
    """The one value among other text; what is fenced as JSON goes before what is fenced, and that before all."""
    spans: list[_Span] = []
    for texts in _places(said):
        spans = [span for text in texts for span in _spans(text)]
        wanted = [span for span in spans if not kinds or span.kind in kinds]
        if wanted:
            values = [_value(span) for span in wanted]
            if len({json.dumps(value, sort_keys=True) for value in values}) > 1:
                raise ParseError(f"Your reply holds {len(values)} JSON values that differ. {_demand(kinds)}")
            return values[0]
    other = f"Your reply holds {_NAMES[spans[0].kind]}." if spans else "There is no JSON in your reply."
    raise ParseError(f"{other} {_demand(kinds)}")


def _places(said: str) -> Iterator[list[str]]:
    fenced, _ = blocks(said)
    yield [block.text for block in fenced if block.language.startswith("json")]
    yield [block.text for block in fenced if not block.language]
    yield [said]


def _spans(text: str) -> Iterator[_Span]:
    at = 0
    while first := _FIRST.search(text, at):
        span = _span(text, first.start())
        at = span.end
        yield span


def _span(text: str, start: int) -> _Span:
    """From a bracket to the one that closes it, past comments, quotation marks of any kind, forgotten brackets."""
    closers: list[str] = []
    span, kept, at = _Span(), start, start
    while token := _TOKEN.search(text, at):
        at = token.end()
        match token.lastgroup:
            case "open":
                closers.append(_CLOSERS[token[0]])
                if len(closers) > MOST_DEPTH:
                    raise ParseError(_TOO_DEEP)
            case "close":
                unopened = _close(closers, token[0])
                span.flaw = span.flaw or unopened
                if not closers:
                    span.text += text[kept:at]
                    span.end = at
                    return span
            case "quote":
                at = _past_quoted(text, token, span)
            case "comment":
                span.text += text[kept : token.start()]
                kept = at
            case "colon" if closers[-1] == "]":
                span.flaw = span.flaw or f"A list in the JSON of your reply holds a key. {_AGAIN}"
            case "gap" | "bare" | "constant":
                span.flaw = span.flaw or _flaw(token)
    raise ParseError(_CUT_OFF)


def _close(closers: list[str], mark: str) -> str:
    """Closes the innermost bracket of this kind, and those in it that were forgotten; a flaw, if there is none."""
    if mark not in closers:
        return f"A `{mark}` in the JSON of your reply closes nothing. {_AGAIN}"
    while closers.pop() != mark:
        pass
    return ""


def _past_quoted(text: str, begin: re.Match[str], span: _Span) -> int:
    """Where a quoted text ends: at a mark before a comma, colon, bracket or comment; others are part of it.

    A mark of another kind than JSON's that stands where no text may begin is an apostrophe, and ends at once.
    """
    at, mark, is_plain = begin.end(), begin[0], True
    before = begin.start() - 1
    while text[before].isspace():
        before -= 1
    if text[before] not in "{[,:(":
        span.strays += 1
        if mark != '"':
            return at
    while end := _ENDS[mark].search(text, at):
        at = end.end()
        if end[0] == "\\":
            at += 1
            is_plain = False
        elif _AFTER.match(text, at):
            span.letters += _letters(text[begin.end() : at]) if is_plain else 0
            return at
        else:
            span.strays += 1
    raise ParseError(_CUT_OFF)


def _flaw(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "gap":
            return f"The JSON in your reply leaves something out with `{token[0]}`. Write all of it."
        case "bare":
            return f"A value in the JSON in your reply is missing, or is a text without quotation marks. {_AGAIN}"
    return _no_constant_said(token[0])


def _no_constant_said(name: str) -> str:
    return f"The JSON in your reply holds {name}, which is no JSON value. Write a number that is finite, or null."


def _value(span: _Span) -> JSON:
    for text in (span.text, _LAST_COMMA.sub(r"\1", span.text)):
        try:
            return _strict(text)
        except ValueError:
            continue
    return _mended(span)


def _mended(span: _Span) -> JSON:
    if span.flaw:
        raise ParseError(span.flaw)
    if span.strays > MOST_STRAYS:
        raise ParseError(
            f"The JSON in your reply has {span.strays} quotation marks out of place. Escape those in texts."
        )
    if len(span.text) > MOST_MENDED:
        raise ParseError(f"The JSON in your reply is broken, and too long to be mended. {_AGAIN}")
    # It has returned other types for what is no JSON, and has dropped texts that it could not place.
    try:
        value = import_module("json_repair").loads(span.text, skip_json_loads=True)
    except Exception as error:  # the border: whatever the library makes of hostile text
        raise ParseError(f"{_LOSES} {_AGAIN}") from error
    if not isinstance(value, span.kind) or _letters(value) < span.letters:
        raise ParseError(f"{_LOSES} {_AGAIN}")
    return _sound(value)


def _letters(value: JSON) -> int:
    """How many letters and digits the texts of a value have, those of its keys too."""
    if isinstance(value, dict):
        return sum(map(_letters, value)) + sum(map(_letters, value.values()))
    if isinstance(value, list):
        return sum(map(_letters, value))
    return sum(map(str.isalnum, value)) if isinstance(value, str) else 0


def _strict(text: str) -> JSON:
    """The value of valid JSON, whose texts may hold line breaks.

    Raises:
        ParseError: It is valid, but cannot be meant.
        ValueError: It is not valid.
    """
    try:
        value = json.loads(
            text,
            strict=False,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=float,
        )
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    return _sound(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ParseError(f"The key {one_line(repr(twice), 60)} stands twice in one object. Write each key once.")
    return found


def _no_constant(name: str) -> None:
    raise ParseError(_no_constant_said(name))


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ParseError(f"The number {digits[:20]}… has {len(digits)} digits. Write a shorter one.")
    return int(digits)


def _sound(value: JSON, depth: int = 0) -> JSON:
    """The same value, with 3.0 as 3, and with no half of a surrogate pair, which could not be sent on.

    Raises:
        ParseError: It is too deep, or a number is too large for a float.
    """
    if isinstance(value, dict | list) and depth >= MOST_DEPTH:
        raise ParseError(_TOO_DEEP)
    if isinstance(value, dict):
        return {_sound(key): _sound(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list):
        return [_sound(part, depth + 1) for part in value]
    if isinstance(value, str):
        return encodable(value)
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise ParseError("A number in your reply, such as 1e999, is too large. Write a smaller one.")
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value
