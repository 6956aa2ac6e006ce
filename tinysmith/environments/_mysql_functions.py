"""The functions of MySQL that SQLite lacks or defines otherwise.

All of them take time in proportion to their arguments, since nothing can interrupt them: REGEXP, whose patterns
can take for ever, and REPEAT and its like, which make giants from little, are left out on purpose.
"""

import datetime
import math
import random
import re
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from tinysmith.environments._mysql_collation import compare_texts, compare_times, moment_of

SQLValue: TypeAlias = str | int | float | bytes | None
Moment: TypeAlias = datetime.datetime

# MySQL's letters after % and Python's; MySQL writes c, e, k and l without a leading zero.
_FORMATS = {"i": "M", "s": "S", "M": "B", "W": "A", "h": "I", "v": "V", "c": "m", "e": "d", "k": "H", "l": "I"}
_SAME_FORMATS = frozenset("aAbBdfHIjmpSwyY")
_FORMAT = re.compile("%(.)")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 604800}


def register(connection: sqlite3.Connection, database: str) -> None:
    """Gives a connection MySQL's collations and functions; `database` is what DATABASE() answers."""
    connection.create_collation("MYSQL_TEXT", compare_texts)
    connection.create_collation("MYSQL_TIME", compare_times)
    connection.create_function("DATABASE", 0, lambda: database, deterministic=True)
    for name, count, function in _FUNCTIONS:
        connection.create_function(name, count, function, deterministic=True)
    for name, count, function in _CHANGING:
        connection.create_function(name, count, function)


def _strict(function: Callable[..., SQLValue]) -> Callable[..., SQLValue]:
    """NULL in, NULL out, as most of MySQL's functions have it; so too for arguments that make no sense."""

    @wraps(function)
    def call(*args: SQLValue) -> SQLValue:
        if any(arg is None for arg in args):
            return None
        try:
            return function(*args)
        except (ValueError, TypeError, ArithmeticError, re.error):
            return None

    return call


def _text(value: SQLValue) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _moment(value: SQLValue) -> Moment:
    moment = moment_of(_text(value))
    if moment is None:
        raise ValueError("not a date")
    return moment


def _written(moment: Moment) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")


def _part(answer: Callable[[Moment], SQLValue]) -> Callable[[SQLValue], SQLValue]:
    return _strict(lambda value: answer(_moment(value)))


def _concat(*values: SQLValue) -> SQLValue:
    return "".join(map(_text, values))


def _concat_ws(separator: SQLValue, *values: SQLValue) -> SQLValue:
    return None if separator is None else _text(separator).join(_text(each) for each in values if each is not None)


def _left(text: SQLValue, count: Any) -> SQLValue:
    return _text(text)[: max(int(count), 0)]


def _right(text: SQLValue, count: Any) -> SQLValue:
    return _text(text)[-int(count) :] if int(count) > 0 else ""


def _locate(part: SQLValue, text: SQLValue, start: Any = 1) -> SQLValue:
    return _text(text).upper().find(_text(part).upper(), int(start) - 1) + 1


def _substring_index(text: SQLValue, separator: SQLValue, count: Any) -> SQLValue:
    parts = _text(text).split(_text(separator))
    return _text(separator).join(parts[: int(count)] if int(count) >= 0 else parts[int(count) :])


def _truncate(number: float, places: Any) -> SQLValue:
    scale = math.pow(10.0, int(places))
    return math.trunc(number * scale) / scale


def _format(number: Any, places: Any) -> SQLValue:
    return f"{float(number):,.{min(max(int(places), 0), 30)}f}"


def _date_format(value: SQLValue, form: SQLValue) -> SQLValue:
    moment = _moment(value)

    def replace(match: re.Match[str]) -> str:
        letter = match.group(1)
        written = moment.strftime(f"%{_FORMATS.get(letter, letter)}") if letter in _KNOWN_FORMATS else letter
        return (written.lstrip("0") or "0") if letter in "cekl" else written

    return _FORMAT.sub(replace, _text(form))


_KNOWN_FORMATS = _SAME_FORMATS | set(_FORMATS)


def _str_to_date(text: SQLValue, form: SQLValue) -> SQLValue:
    letters = set(_FORMAT.findall(_text(form)))
    pattern = _FORMAT.sub(lambda match: f"%{_FORMATS.get(match.group(1), match.group(1))}", _text(form))
    moment = datetime.datetime.strptime(_text(text).strip(), pattern)
    return _written(moment) if letters & set("HIhikSsf") else moment.date().isoformat()


def _shifted(value: SQLValue, count: Any, unit: SQLValue, *, sign: int) -> SQLValue:
    moment, steps, name = _moment(value), sign * int(count), _text(unit).upper()
    if name in _MONTHS:
        months = moment.year * 12 + moment.month - 1 + steps * _MONTHS[name]
        last_day = (datetime.date((months + 1) // 12, (months + 1) % 12 + 1, 1) - datetime.timedelta(days=1)).day
        moment = moment.replace(year=months // 12, month=months % 12 + 1, day=min(moment.day, last_day))
    elif name in _SECONDS:
        moment += datetime.timedelta(seconds=steps * _SECONDS[name])
    else:
        return None
    is_date = len(_text(value).strip()) <= 10 and name not in ("SECOND", "MINUTE", "HOUR")
    return moment.date().isoformat() if is_date else _written(moment)


def _date_add(value: SQLValue, count: Any, unit: SQLValue) -> SQLValue:
    return _shifted(value, count, unit, sign=1)


def _date_sub(value: SQLValue, count: Any, unit: SQLValue) -> SQLValue:
    return _shifted(value, count, unit, sign=-1)


def _timestampdiff(unit: SQLValue, start: SQLValue, end: SQLValue) -> SQLValue:
    begin, stop, name = _moment(start), _moment(end), _text(unit).upper()
    if name in _SECONDS:
        return int((stop - begin).total_seconds() / _SECONDS[name])
    if begin > stop:
        return -int(_timestampdiff(unit, end, start) or 0)
    months = (stop.year - begin.year) * 12 + stop.month - begin.month
    months -= (stop.day, stop.time()) < (begin.day, begin.time())
    return months // _MONTHS[name] if name in _MONTHS else None


def _extract(unit: SQLValue, value: SQLValue) -> SQLValue:
    answer: SQLValue = getattr(_moment(value), _text(unit).lower(), None)
    return answer if isinstance(answer, int) else None


_FUNCTIONS: tuple[tuple[str, int, Callable[..., SQLValue]], ...] = (
    ("CONCAT", -1, _strict(_concat)),
    ("CONCAT_WS", -1, _concat_ws),
    ("MYSQL_LEFT", 2, _strict(_left)),
    ("MYSQL_RIGHT", 2, _strict(_right)),
    ("MYSQL_ISNULL", 1, lambda value: int(value is None)),
    ("LENGTH", 1, _strict(lambda value: len(_text(value).encode()))),
    ("CHAR_LENGTH", 1, _strict(lambda value: len(_text(value)))),
    ("CHARACTER_LENGTH", 1, _strict(lambda value: len(_text(value)))),
    ("UPPER", 1, _strict(lambda value: _text(value).upper())),
    ("UCASE", 1, _strict(lambda value: _text(value).upper())),
    ("LOWER", 1, _strict(lambda value: _text(value).lower())),
    ("LCASE", 1, _strict(lambda value: _text(value).lower())),
    ("LOCATE", 2, _strict(_locate)),
    ("LOCATE", 3, _strict(_locate)),
    ("SUBSTRING_INDEX", 3, _strict(_substring_index)),
    ("REVERSE", 1, _strict(lambda value: _text(value)[::-1])),
    ("GREATEST", -1, _strict(lambda *values: max(values))),
    ("LEAST", -1, _strict(lambda *values: min(values))),
    ("FLOOR", 1, _strict(lambda number: math.floor(float(number)))),
    ("CEIL", 1, _strict(lambda number: math.ceil(float(number)))),
    ("CEILING", 1, _strict(lambda number: math.ceil(float(number)))),
    ("POW", 2, _strict(math.pow)),
    ("POWER", 2, _strict(math.pow)),
    ("SQRT", 1, _strict(math.sqrt)),
    ("MOD", 2, _strict(lambda number, by: math.fmod(number, by) if isinstance(number, float) else number % by)),
    ("TRUNCATE", 2, _strict(_truncate)),
    ("FORMAT", 2, _strict(_format)),
    ("DATE", 1, _part(lambda moment: moment.date().isoformat())),
    ("TIME", 1, _part(lambda moment: moment.time().isoformat())),
    ("YEAR", 1, _part(lambda moment: moment.year)),
    ("QUARTER", 1, _part(lambda moment: (moment.month + 2) // 3)),
    ("MONTH", 1, _part(lambda moment: moment.month)),
    ("MONTHNAME", 1, _part(lambda moment: moment.strftime("%B"))),
    ("DAY", 1, _part(lambda moment: moment.day)),
    ("DAYOFMONTH", 1, _part(lambda moment: moment.day)),
    ("DAYOFWEEK", 1, _part(lambda moment: moment.isoweekday() % 7 + 1)),
    ("DAYNAME", 1, _part(lambda moment: moment.strftime("%A"))),
    ("DAYOFYEAR", 1, _part(lambda moment: moment.timetuple().tm_yday)),
    ("HOUR", 1, _part(lambda moment: moment.hour)),
    ("MINUTE", 1, _part(lambda moment: moment.minute)),
    ("SECOND", 1, _part(lambda moment: moment.second)),
    ("UNIX_TIMESTAMP", 1, _part(lambda moment: int(moment.replace(tzinfo=datetime.UTC).timestamp()))),
    ("DATEDIFF", 2, _strict(lambda end, start: (_moment(end).date() - _moment(start).date()).days)),
    ("DATE_FORMAT", 2, _strict(_date_format)),
    ("STR_TO_DATE", 2, _strict(_str_to_date)),
    ("DATE_ADD", 3, _strict(_date_add)),
    ("DATE_SUB", 3, _strict(_date_sub)),
    ("TIMESTAMPDIFF", 3, _strict(_timestampdiff)),
    ("MYSQL_EXTRACT", 2, _strict(_extract)),
    ("VERSION", 0, lambda: "8.0.0"),
)


def _now() -> str:
    return _written(datetime.datetime.now(datetime.UTC))


_CHANGING: tuple[tuple[str, int, Callable[..., SQLValue]], ...] = (
    ("NOW", 0, lambda: _now()[:19]),
    ("CURDATE", 0, lambda: _now()[:10]),
    ("MYSQL_CURRENT_DATE", 0, lambda: _now()[:10]),
    ("RAND", 0, random.random),
)
