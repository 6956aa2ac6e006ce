"""JSON, and what models write instead of it, into values. The one file that imports json_repair.

Charter: what the parts are is told before, in `_json_spans.py`. The library mends how they are joined; a mending
that changes, adds or loses one is refused. All is linear but for the mending, whose input is bounded.
"""

import json
import math
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from tinysmith._json_spans import AGAIN, MOST_DEPTH, TOO_DEEP, Span, no_constant_said, spans
from tinysmith._markup import blocks, parted
from tinysmith._shown import encodable, one_line
from tinysmith.errors import ParseError
from tinysmith.mapping import JSON

MOST_MENDED = 10_000
"""Characters; the library can take quadratic time. All but how parts are joined is mended at any length."""

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

_TUPLES = {"(": "[", ")": "]"}
_MARKS = frozenset("{}[](),:")
_LOSES = "The JSON in your reply is too broken to be mended: a key stands there twice, or a part belongs nowhere."


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
        said = parted(text)[1].strip()
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
    found: list[Span] = []
    for texts in _places(said):
        found = [span for text in texts for span in spans(text)]
        wanted = [span for span in found if not kinds or span.kind in kinds]
        if wanted:
            values = [_value(span) for span in wanted]
            if len({json.dumps(value, sort_keys=True) for value in values}) > 1:
                raise ParseError(f"Your reply holds {len(values)} JSON values that differ. {_demand(kinds)}")
            return values[0]
    other = f"Your reply holds {_NAMES[found[0].kind]}." if found else "There is no JSON in your reply."
    raise ParseError(f"{other} {_demand(kinds)}")


def _places(said: str) -> Iterator[list[str]]:
    fenced, _ = blocks(said)
    yield [block.text for block in fenced if block.language.startswith("json")]
    yield [block.text for block in fenced if not block.language]
    yield [said]


def _value(span: Span) -> JSON:
    if span.flaw:
        raise ParseError(span.flaw)
    try:
        return _strict(" ".join(span.parts))
    except ValueError:
        return _mended(span)


def _mended(span: Span) -> JSON:
    parts = [part if part in _MARKS else json.dumps(_loaded(part)) for part in span.parts]
    if sum(map(len, parts)) > MOST_MENDED:
        raise ParseError(f"The JSON in your reply is broken, and too long to be mended. {AGAIN}")
    # It has returned other types for what is no JSON, and has dropped texts that it could not place.
    try:
        value = import_module("json_repair").loads(" ".join(parts), skip_json_loads=True)
    except Exception as error:  # the border: whatever the library makes of hostile text
        raise ParseError(f"{_LOSES} {AGAIN}") from error
    if [*_parts(value)] != [_TUPLES.get(part, part) for part in parts if part != ","]:
        raise ParseError(f"{_LOSES} {AGAIN}")
    return _sound(value)


def _parts(value: JSON) -> Iterator[str]:
    """What a value's JSON text consists of, but for commas."""
    if isinstance(value, dict):
        yield "{"
        for key, part in value.items():
            yield from (json.dumps(key), ":")
            yield from _parts(part)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for part in value:
            yield from _parts(part)
        yield "]"
    else:
        yield json.dumps(value)


def _strict(text: str) -> JSON:
    """The value of valid JSON, whose texts may hold line breaks.

    Raises:
        ParseError: It is valid, but cannot be meant.
        ValueError: It is not valid.
    """
    try:
        return _sound(_loaded(text))
    except RecursionError:
        raise ParseError(TOO_DEEP) from None


def _loaded(text: str) -> JSON:
    return json.loads(
        text,
        strict=False,
        object_pairs_hook=_object,
        parse_constant=_no_constant,
        parse_int=_integer,
        parse_float=float,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ParseError(f"The key {one_line(repr(twice), 60)} stands twice in one object. Write each key once.")
    return found


def _no_constant(name: str) -> None:
    raise ParseError(no_constant_said(name))


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
        raise ParseError(TOO_DEEP)
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
