"""How MySQL compares texts and times, as SQLite collations."""

import datetime
import re
import unicodedata
from functools import lru_cache

_MAX_CACHED = 200  # characters; longer ones would make the caches large
_TIME = re.compile(
    r"\s*(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?:[T\s]+(\d{1,2}):?(\d{1,2})(?::?(\d{1,2}))?(?:\.\d+)?)?\s*"
)


def _folded(text: str) -> str:
    return _remembered_fold(text) if len(text) <= _MAX_CACHED else _fold(text)


def _fold(text: str) -> str:
    text = text.rstrip(" ")
    if text.isascii():
        return text.upper()
    plain = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return plain.upper()


_remembered_fold = lru_cache(maxsize=8192)(_fold)


def compare_texts(left: str, right: str) -> int:
    """Compares as utf8mb4_general_ci does: without case, accents and trailing blanks. -1, 0 or 1."""
    one, other = _folded(left), _folded(right)
    return (one > other) - (one < other)


def compare_times(left: str, right: str) -> int:
    """Compares dates and times written in different ways; a date alone is its midnight. -1, 0 or 1."""
    one, other = moment_of(left), moment_of(right)
    if one is None or other is None:
        return compare_texts(left, right)
    return (one > other) - (one < other)


def moment_of(text: str) -> datetime.datetime | None:
    """The moment that MySQL reads in a text such as `2018-03-19 04:39:54` or `20180319`; None if it is none."""
    return _moment_in(text) if len(text) <= _MAX_CACHED else None


@lru_cache(maxsize=8192)
def _moment_in(text: str) -> datetime.datetime | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]  # six integers
    except ValueError:
        return None
