"""Single values to JSON data and back: numbers, texts, dates, enums.

Charter: strict both ways. What is written is what is read, type and all, or it is refused with the path to it.
"""

import base64
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeAlias

from attrs import frozen

from tinysmith.mapping import JSON

Encode: TypeAlias = Callable[[Any, str], JSON]
Decode: TypeAlias = Callable[[JSON, str], Any]


class MisfitError(ValueError):
    """A value, or JSON data, does not fit its type. The message begins with the path to it."""


@frozen
class Codec:
    """How values of one type are written and read."""

    encode: Encode
    decode: Decode


def named(value: object) -> str:
    """The value in a message: cut, whatever it is."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write out a very long int
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _scalar(kind: type, encode: Callable[[Any], JSON], decode: Callable[[JSON], Any], wire: type) -> Codec:
    def write(value: Any, path: str) -> JSON:
        if type(value) is not kind:
            raise MisfitError(f"{path} holds {named(value)}, which is no {kind.__name__}")
        try:
            return encode(value)
        except MisfitError as error:
            raise MisfitError(f"{path} holds {named(value)}: {error}") from None

    def read(data: JSON, path: str) -> Any:
        if type(data) is wire:
            try:
                return decode(data)
            except (ValueError, OverflowError, InvalidOperation):
                pass
        raise MisfitError(f"{path} is saved as {named(data)}, which is no {kind.__name__}")

    return Codec(write, read)


def _same(value: Any) -> Any:
    return value


def _number() -> Codec:
    # A field declared float may hold an int, as everywhere in Python.
    whole = _whole()

    def write(value: Any, path: str) -> JSON:
        if type(value) not in {float, int}:
            raise MisfitError(f"{path} holds {named(value)}, which is no float")
        if type(value) is int:
            return whole.encode(value, path)
        return value if math.isfinite(value) else repr(value)

    def read(data: JSON, path: str) -> Any:
        if type(data) in {float, int}:
            return data
        if type(data) is str:
            return float(data) if data in {"nan", "inf", "-inf"} else whole.decode(data, path)
        raise MisfitError(f"{path} is saved as {named(data)}, which is no float")

    return Codec(write, read)


def _large(text: str) -> int:
    value = int(text, 16)
    if abs(value) <= 2**53 or hex(value) != text:
        raise ValueError(text)
    return value


def _whole() -> Codec:
    # Large ones as text: many JSON readers round them, and Python's own refuses very long ones.
    small, large = _scalar(int, _same, _same, int), _scalar(int, hex, _large, str)
    return Codec(
        lambda value, path: (large if type(value) is int and abs(value) > 2**53 else small).encode(value, path),
        lambda data, path: (large if type(data) is str else small).decode(data, path),
    )


_SPLIT = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")


def _text() -> Codec:
    # Two lone surrogates in a row would come back as one character, so such a text is saved in pieces.
    plain = _scalar(str, _same, _same, str)

    def write(value: Any, path: str) -> JSON:
        text: str = plain.encode(value, path)
        return text if text.isascii() or not _SPLIT.search(text) else _SPLIT.split(text)

    def read(data: JSON, path: str) -> Any:
        if type(data) is list and len(data) > 1 and all(type(part) is str for part in data):
            text = "".join(data)
            if _SPLIT.split(text) == data:
                return text
        return plain.decode(data, path)

    return Codec(write, read)


def _text_to_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _gap(text: str) -> timedelta:
    days, seconds, microseconds = (int(part) for part in text.split(" "))
    return timedelta(days, seconds, microseconds)


def _zoned(moment: datetime | time) -> str:
    zone = moment.tzinfo
    if zone is not None and (type(zone) is not timezone or zone.utcoffset(None) % timedelta(seconds=1)):
        # A named zone would come back as its offset of that day.
        raise MisfitError(f"the zone {zone!r} cannot be saved; use a datetime.timezone of whole seconds")
    return moment.isoformat()


SCALARS: dict[Any, Codec] = {
    bool: _scalar(bool, _same, _same, bool),
    int: _whole(),
    float: _number(),
    str: _text(),
    bytes: _scalar(bytes, lambda value: base64.b64encode(value).decode(), _text_to_bytes, str),
    date: _scalar(date, date.isoformat, date.fromisoformat, str),
    datetime: _scalar(datetime, _zoned, datetime.fromisoformat, str),
    time: _scalar(time, _zoned, time.fromisoformat, str),
    timedelta: _scalar(timedelta, lambda gap: f"{gap.days} {gap.seconds} {gap.microseconds}", _gap, str),
    Decimal: _scalar(Decimal, str, Decimal, str),
    type(None): _scalar(type(None), _same, _same, type(None)),
}


def exactly(kind: type, value: Any, at: str) -> Any:
    """The value, which must be of just this type."""
    if type(value) is not kind:
        raise MisfitError(f"{at} holds {named(value)}, which is no {kind.__name__}")
    return value


def enum_codec(kind: type[Enum]) -> Codec:
    """Members by name."""

    def write(value: Any, at: str) -> JSON:
        return exactly(kind, value, at).name

    def read(data: JSON, at: str) -> Any:
        if type(data) is not str or data not in kind.__members__:
            raise MisfitError(f"{at} is saved as {named(data)}, which is no {kind.__name__}")
        return kind[data]

    return Codec(write, read)


def literal_codec(options: tuple[Any, ...]) -> Codec:
    """The words themselves."""

    def check(value: Any, at: str) -> Any:
        if not any(value == option and type(value) is type(option) for option in options):
            raise MisfitError(f"{at} holds {named(value)}, which is none of {options!r}")
        return value

    return Codec(check, check)
