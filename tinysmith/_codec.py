"""Values to JSON data and back, strictly, by their declared types.

Charter: this file decides which types a board may have, because a type is allowed exactly if its values
survive JSON unchanged. It knows nothing of nodes, strategies or runs. Nothing is coerced: "false" is no bool
and 1.5 no int; a value that does not fit is refused with the path to it.
"""

import types
from collections.abc import Iterator, Mapping
from enum import Enum, Flag
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from tinysmith._scalars import SCALARS, Codec, MisfitError, enum_codec, exactly, literal_codec, named
from tinysmith.errors import TinysmithError
from tinysmith.mapping import JSON, FrozenDict, freeze, thaw


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
        if hint is None or hint in SCALARS:
            return SCALARS[type(None) if hint is None else hint]
        origin = get_origin(hint)
        if origin in {Union, types.UnionType}:
            return self._union(get_args(hint), path)
        if origin is Literal and all(type(x) in {str, int, bool, type(None)} for x in get_args(hint)):
            return literal_codec(get_args(hint))
        if origin is tuple and hasattr(hint, "__args__"):  # a bare typing.Tuple has none
            return self._tuple(get_args(hint), path)
        if origin is FrozenDict:
            return self._mapping(*get_args(hint), path=path)
        if isinstance(hint, type) and issubclass(hint, Enum) and not issubclass(hint, Flag) and hint.__members__:
            return enum_codec(hint)
        if isinstance(hint, type) and attrs.has(hint):
            return self._class(hint, path)
        problem, remedy = _REFUSED.get(origin or hint, (f"{hint!r} cannot be saved", _ALLOWED))
        raise UnfitTypeError(Fault(path, f"{problem}.", remedy))

    def _tuple(self, items: tuple[Any, ...], path: str) -> Codec:
        if len(items) == 2 and items[1] is Ellipsis:
            item = self.compile(items[0], f"{path}[]")
            return Codec(
                lambda value, at: [item.encode(x, f"{at}[{i}]") for i, x in enumerate(exactly(tuple, value, at))],
                lambda data, at: tuple(
                    item.decode(x, f"{at}[{i}]") for i, x in enumerate(exactly(list, data, at))
                ),
            )
        parts = [self.compile(part, f"{path}[{i}]") for i, part in enumerate(items)]

        def sized(kind: type, value: Any, at: str) -> Any:
            if len(exactly(kind, value, at)) != len(parts):
                raise MisfitError(f"{at} has {len(value)} items instead of {len(parts)}")
            return enumerate(value)

        return Codec(
            lambda value, at: [parts[i].encode(x, f"{at}[{i}]") for i, x in sized(tuple, value, at)],
            lambda data, at: tuple(parts[i].decode(x, f"{at}[{i}]") for i, x in sized(list, data, at)),
        )

    def _mapping(self, key: Any, value: Any, *, path: str) -> Codec:
        # As pairs: keys need not be text, and JSON objects promise no order.
        pair = self._tuple((key, value), f"{path}{{}}")

        def read(data: JSON, at: str) -> Any:
            items = dict(pair.decode(item, f"{at}{{{i}}}") for i, item in enumerate(exactly(list, data, at)))
            if len(items) != len(data):
                raise MisfitError(f"{at} has a key twice")
            return FrozenDict(items)

        return Codec(
            lambda value, at: [
                pair.encode(item, f"{at}{{{i}}}") for i, item in enumerate(exactly(FrozenDict, value, at).items())
            ],
            read,
        )

    def _union(self, options: tuple[Any, ...], path: str) -> Codec:
        codecs: dict[Any, tuple[str, Codec]] = {}
        for option in _apart(options):
            kind = type(get_args(option)[0]) if get_origin(option) is Literal else get_origin(option) or option
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
                raise MisfitError(f"{at} holds {named(value)}, which is none of {sorted(by_tag)}")
            tag, chosen = codecs[kind]
            return None if value is None else {tag: chosen.encode(value, at)}

        def read(data: JSON, at: str) -> Any:
            if data is None and type(None) in codecs:
                return None
            if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in by_tag:
                raise MisfitError(f"{at} is saved as {named(data)}, which is none of {sorted(by_tag)}")
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
    if "__attrs_attrs__" not in vars(kind):
        return [Fault(path, f"{name} is no attrs class.", "Declare it with @attrs.frozen.")]
    faults = []
    traits = attrs.inspect(kind)
    if not traits.is_frozen:
        faults.append(Fault(path, f"{name} can be changed in place.", "Declare it with @attrs.frozen."))
    if not traits.added_eq:
        faults.append(Fault(path, f"{name} compares by identity.", "Leave out eq=False."))
    if any(sum(base not in {object, Generic} for base in each.__bases__) > 1 for each in kind.__mro__):
        remedy = "Inherit from one class, and make the others fields."
        faults.append(Fault(path, f"{name} inherits from several classes.", remedy))
    for part in attrs.fields(kind):
        if not part.init:
            where = f"{path}.{part.name}"
            faults.append(Fault(where, "a field with init=False cannot be read back.", "Make it a property."))
    try:
        get_type_hints(kind)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        remedy = "Define or import that name at module level."
        faults.append(Fault(path, f"its annotations cannot be read: {error}.", remedy))
    return faults


def _fields_codec(kind: Any, codecs: Mapping[str, Codec]) -> Codec:
    aliases = {part.name: part.alias for part in attrs.fields(kind)}

    def write(value: Any, at: str) -> JSON:
        if type(value) is not kind:
            raise MisfitError(f"{at} holds {named(value)}, which is no {kind.__name__}")
        return {name: part.encode(getattr(value, name), f"{at}.{name}") for name, part in codecs.items()}

    def read(data: JSON, at: str) -> Any:
        if not isinstance(data, dict):
            raise MisfitError(f"{at} is saved as {named(data)}, which is no {kind.__name__}")
        if data.keys() != codecs.keys():
            wrong = ", ".join(sorted(map(str, data.keys() ^ codecs.keys())))
            raise MisfitError(f"{at} lacks, or has beyond what {kind.__name__} has: {wrong}")
        parts = {aliases[name]: part.decode(data[name], f"{at}.{name}") for name, part in codecs.items()}
        try:
            return kind(**parts)
        except (TypeError, ValueError, TinysmithError) as error:  # attrs validators and our own classes
            raise MisfitError(f"{at} is refused by {kind.__name__}: {error}") from error

    return Codec(write, read)


def _apart(options: tuple[Any, ...]) -> Iterator[Any]:
    """The options of a union: NewTypes as what they stand for, Literals by kind."""
    for option in options:
        if hasattr(option, "__supertype__"):
            yield from _apart((option.__supertype__,))
        elif get_origin(option) is Literal:
            for kind in {type(word): None for word in get_args(option)}:
                yield Literal[tuple(word for word in get_args(option) if type(word) is kind)]
        else:
            yield option
