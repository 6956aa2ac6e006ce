"""Values to JSON data and back, strictly, by their declared types.

Charter: this file decides which types a board may have, because a type is allowed exactly if its values
survive JSON unchanged. It knows nothing of nodes, strategies or runs. Nothing is coerced: "false" is no bool
and 1.5 no int; a value that does not fit is refused with the path to it.
"""

import base64
import binascii
import math
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from tinysmith.mapping import JSON, FrozenDict, freeze, thaw

Encode: TypeAlias = Callable[[Any, str], JSON]
Decode: TypeAlias = Callable[[JSON, str], Any]


class MisfitError(ValueError):
    """A value, or JSON data, does not fit its type. The message begins with the path to it."""


@frozen
class Fault:
    """A part of a type that cannot be saved: where it is, what is wrong, what to do."""

    path: str
    problem: str
    remedy: str


class UnfitTypeError(TypeError):
    """A type whose values would not survive JSON; all faults at once."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.problem}" for fault in faults))
        self.faults = faults


@frozen
class Codec:
    """How values of one type are written and read."""

    encode: Encode
    decode: Decode


def codec(
    hint: Any, path: str = "", *, bindings: "Mapping[Any, Codec] | None" = None, any_json: bool = False
) -> Codec:
    """The codec of a type.

    Args:
        hint: The type.
        path: Where it stands, for messages.
        bindings: The codecs that stand for type variables.
        any_json: Whether `Any` stands for JSON data, as it does in our own classes; else it is refused.

    Raises:
        UnfitTypeError: Some part of the type cannot be saved.
    """
    return _Compiler(bindings or {}, any_json=any_json).compile(hint, path)


def _named(value: object) -> str:
    return repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."


def _exactly(kind: type, encode: Callable[[Any], JSON], decode: Callable[[JSON], Any], wire: type) -> Codec:
    def write(value: Any, path: str) -> JSON:
        if type(value) is not kind:
            raise MisfitError(f"{path} holds {_named(value)}, which is no {kind.__name__}")
        return encode(value)

    def read(data: JSON, path: str) -> Any:
        if type(data) is wire:
            try:
                return decode(data)
            except (ValueError, InvalidOperation, binascii.Error):
                pass
        raise MisfitError(f"{path} is saved as {_named(data)}, which is no {kind.__name__}")

    return Codec(write, read)


def _same(value: Any) -> Any:
    return value


def _number() -> Codec:
    # A field declared float may hold an int, as everywhere in Python.
    def write(value: Any, path: str) -> JSON:
        if type(value) not in {float, int}:
            raise MisfitError(f"{path} holds {_named(value)}, which is no float")
        return value if math.isfinite(value) else repr(value)

    def read(data: JSON, path: str) -> Any:
        if type(data) in {float, int}:
            return data
        if data in {"nan", "inf", "-inf"}:
            return float(data)
        raise MisfitError(f"{path} is saved as {_named(data)}, which is no float")

    return Codec(write, read)


def _whole() -> Codec:
    # Large ones as text: many JSON readers round them, and Python's own refuses very long ones.
    small, large = _exactly(int, _same, _same, int), _exactly(int, hex, lambda text: int(text, 16), str)
    return Codec(
        lambda value, path: (large if type(value) is int and abs(value) > 2**53 else small).encode(value, path),
        lambda data, path: (large if type(data) is str else small).decode(data, path),
    )


def _text_to_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _gap(text: str) -> timedelta:
    days, seconds, microseconds = (int(part) for part in text.split(" "))
    return timedelta(days, seconds, microseconds)


_SCALARS: dict[Any, Codec] = {
    bool: _exactly(bool, _same, _same, bool),
    int: _whole(),
    float: _number(),
    str: _exactly(str, _same, _same, str),
    bytes: _exactly(bytes, lambda value: base64.b64encode(value).decode(), _text_to_bytes, str),
    date: _exactly(date, date.isoformat, date.fromisoformat, str),
    datetime: _exactly(datetime, datetime.isoformat, datetime.fromisoformat, str),
    time: _exactly(time, time.isoformat, time.fromisoformat, str),
    timedelta: _exactly(timedelta, lambda gap: f"{gap.days} {gap.seconds} {gap.microseconds}", _gap, str),
    Decimal: _exactly(Decimal, str, Decimal, str),
    type(None): _exactly(type(None), _same, _same, type(None)),
}


_REFUSED: dict[Any, tuple[str, str]] = {
    list: ("a list can be changed in place", "Use tuple[T, ...]."),
    dict: ("a dict can be changed in place", "Use FrozenDict[K, V]."),
    set: ("a set has no order that every process agrees on", "Use a sorted tuple[T, ...]."),
    frozenset: ("a set has no order that every process agrees on", "Use a sorted tuple[T, ...]."),
    tuple: ("a bare tuple does not say what it holds", "Write tuple[T, ...]."),
    Any: ("Any could hold what cannot be saved", "Name the type."),
    object: ("object could hold what cannot be saved", "Name the type."),
}


class _Compiler:
    def __init__(self, bindings: Mapping[Any, Codec], *, any_json: bool) -> None:
        self.bindings = bindings
        self.any_json = any_json
        self.classes: dict[Any, Codec] = {}  # breaks the circle of classes that mention themselves

    def compile(self, hint: Any, path: str) -> Codec:
        if isinstance(hint, TypeVar) and hint in self.bindings:
            return self.bindings[hint]
        if hasattr(hint, "__supertype__"):  # NewType
            return self.compile(hint.__supertype__, path)
        if hint is Any and self.any_json:
            return Codec(lambda value, _: thaw(value), lambda data, _: freeze(data))
        if hint is None or hint in _SCALARS:
            return _SCALARS[type(None) if hint is None else hint]
        origin = get_origin(hint)
        if origin in {Union, types.UnionType}:
            return self._union(get_args(hint), path)
        if origin is Literal:
            return _literal(get_args(hint))
        if origin is tuple:
            return self._tuple(get_args(hint), path)
        if origin is FrozenDict:
            return self._mapping(*get_args(hint), path=path)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _enum(hint)
        if isinstance(hint, type) and attrs.has(hint):
            return self._class(hint, path)
        problem, remedy = _REFUSED.get(origin or hint, (f"{hint!r} cannot be saved", _ALLOWED))
        raise UnfitTypeError(Fault(path, f"{problem}.", remedy))

    def _tuple(self, items: tuple[Any, ...], path: str) -> Codec:
        if len(items) == 2 and items[1] is Ellipsis:
            item = self.compile(items[0], f"{path}[]")
            return Codec(
                lambda value, at: [item.encode(x, f"{at}[{i}]") for i, x in enumerate(_is(tuple, value, at))],
                lambda data, at: tuple(item.decode(x, f"{at}[{i}]") for i, x in enumerate(_is(list, data, at))),
            )
        parts = [self.compile(part, f"{path}[{i}]") for i, part in enumerate(items)]

        def sized(value: Any, at: str) -> Any:
            if len(value) != len(parts):
                raise MisfitError(f"{at} has {len(value)} items instead of {len(parts)}")
            return enumerate(value)

        return Codec(
            lambda value, at: [parts[i].encode(x, f"{at}[{i}]") for i, x in sized(_is(tuple, value, at), at)],
            lambda data, at: tuple(parts[i].decode(x, f"{at}[{i}]") for i, x in sized(_is(list, data, at), at)),
        )

    def _mapping(self, key: Any, value: Any, *, path: str) -> Codec:
        # As pairs: keys need not be text, and JSON objects promise no order.
        pair = self._tuple((key, value), f"{path}{{}}")
        return Codec(
            lambda value, at: [pair.encode(item, at) for item in _is(FrozenDict, value, at).items()],
            lambda data, at: FrozenDict(dict(pair.decode(item, at) for item in _is(list, data, at))),
        )

    def _union(self, options: tuple[Any, ...], path: str) -> Codec:
        codecs: dict[Any, tuple[str, Codec]] = {}
        for option in options:
            kind = type(get_args(option)[0]) if get_origin(option) is Literal else get_origin(option) or option
            kind = type(None) if kind is None else kind
            compiled = self.compile(option, path)
            tag = getattr(kind, "__name__", str(kind))
            if kind in codecs or tag in {name for name, _ in codecs.values()}:
                problem = f"two of {options!r} cannot be told apart once they are saved"
                raise UnfitTypeError(Fault(path, f"{problem}.", "Wrap one of them in a frozen attrs class."))
            codecs[kind] = (tag, compiled)
        by_tag = dict(codecs.values())

        def write(value: Any, at: str) -> JSON:
            kind = type(value) if type(value) in codecs else float if type(value) is int else None
            if kind not in codecs:
                raise MisfitError(f"{at} holds {_named(value)}, which is none of {sorted(by_tag)}")
            tag, chosen = codecs[kind]
            return None if value is None else {tag: chosen.encode(value, at)}

        def read(data: JSON, at: str) -> Any:
            if data is None and type(None) in codecs:
                return None
            if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in by_tag:
                raise MisfitError(f"{at} is saved as {_named(data)}, which is none of {sorted(by_tag)}")
            ((tag, inner),) = data.items()
            return by_tag[tag].decode(inner, at)

        return Codec(write, read)

    def _class(self, kind: Any, path: str) -> Codec:
        if kind in self.classes:
            return Codec(  # looked up when used: the class is still being compiled
                lambda value, at: self.classes[kind].encode(value, at),  # noqa: PLW0108  # as above
                lambda data, at: self.classes[kind].decode(data, at),  # noqa: PLW0108  # as above
            )
        self.classes[kind] = Codec(lambda _value, _at: None, lambda _data, _at: None)
        faults = list(class_faults(kind, path))
        codecs: dict[str, Codec] = {}
        hints = {} if faults else get_type_hints(kind)
        for part in () if faults else attrs.fields(kind):
            try:
                codecs[part.name] = self.compile(hints.get(part.name, Any), f"{path}.{part.name}")
            except UnfitTypeError as error:
                faults += error.faults
        if faults:
            raise UnfitTypeError(*faults)
        self.classes[kind] = _fields_codec(kind, codecs)
        return self.classes[kind]


_ALLOWED = (
    "Use numbers, text, bytes, enums, dates, tuple[T, ...], FrozenDict[K, V], frozen attrs classes, and unions "
    "of these."
)


def class_faults(kind: type, path: str) -> list[Fault]:
    """What is wrong with a class itself, whatever its fields' types are."""
    name = kind.__name__
    if not attrs.has(kind):
        return [Fault(path, f"{name} is no attrs class.", "Declare it with @attrs.frozen.")]
    faults = []
    traits = attrs.inspect(kind)
    if not traits.is_frozen:
        faults.append(Fault(path, f"{name} can be changed in place.", "Declare it with @attrs.frozen."))
    if not traits.added_eq:
        faults.append(Fault(path, f"{name} compares by identity.", "Leave out eq=False."))
    if sum(base is not object and base.__module__ != "typing" for base in kind.__bases__) > 1:
        remedy = "Inherit from one class, and make the others fields."
        faults.append(Fault(path, f"{name} inherits from several classes.", remedy))
    for part in attrs.fields(kind):
        if not part.init:
            where = f"{path}.{part.name}"
            faults.append(Fault(where, "a field with init=False cannot be read back.", "Make it a property."))
    try:
        get_type_hints(kind)
    except NameError as error:
        remedy = "Define or import that name at module level."
        faults.append(Fault(path, f"its annotations cannot be read: {error}.", remedy))
    return faults


def _fields_codec(kind: Any, codecs: Mapping[str, Codec]) -> Codec:
    aliases = {part.name: part.alias for part in attrs.fields(kind)}

    def write(value: Any, at: str) -> JSON:
        if type(value) is not kind:
            raise MisfitError(f"{at} holds {_named(value)}, which is no {kind.__name__}")
        return {name: part.encode(getattr(value, name), f"{at}.{name}") for name, part in codecs.items()}

    def read(data: JSON, at: str) -> Any:
        if not isinstance(data, dict):
            raise MisfitError(f"{at} is saved as {_named(data)}, which is no {kind.__name__}")
        if data.keys() != codecs.keys():
            wrong = ", ".join(sorted(map(str, data.keys() ^ codecs.keys())))
            raise MisfitError(f"{at} lacks, or has beyond what {kind.__name__} has: {wrong}")
        parts = {aliases[name]: part.decode(data[name], f"{at}.{name}") for name, part in codecs.items()}
        try:
            return kind(**parts)
        except (TypeError, ValueError) as error:  # attrs validators speak in these
            raise MisfitError(f"{at} is refused by {kind.__name__}: {error}") from error

    return Codec(write, read)


def _is(kind: type, value: Any, at: str) -> Any:
    if type(value) is not kind:
        raise MisfitError(f"{at} holds {_named(value)}, which is no {kind.__name__}")
    return value


def _enum(kind: type[Enum]) -> Codec:
    def write(value: Any, at: str) -> JSON:
        return _is(kind, value, at).name

    def read(data: JSON, at: str) -> Any:
        if data not in kind.__members__:
            raise MisfitError(f"{at} is saved as {_named(data)}, which is no {kind.__name__}")
        return kind[data]

    return Codec(write, read)


def _literal(options: tuple[Any, ...]) -> Codec:
    def check(value: Any, at: str) -> Any:
        if not any(value == option and type(value) is type(option) for option in options):
            raise MisfitError(f"{at} holds {_named(value)}, which is none of {options!r}")
        return value

    return Codec(check, check)
