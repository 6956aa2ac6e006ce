"""What functions, classes and values are made of, as data that is equal where they do the same.

Two versions of a strategy, in two modules, have no function in common. So functions are compared by their
bytecode and constants, not by identity, name or line; and with them the constants and functions of their module
that they use. What cannot be looked into is compared by its `repr`, without addresses.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cached_property, partial
from inspect import getattr_static
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import Any, TypeAlias

import attrs

from tinysmith.templates import Template

Made: TypeAlias = tuple[Any, ...]

_NOTHING = ("nothing",)
_SLOTS = (MemberDescriptorType, GetSetDescriptorType)
_DATA = (str, bytes, int, float, complex, tuple, list, frozenset, set, Mapping, Enum, re.Pattern, type(None))
# What a class of these modules brings along is the same for everybody.
_FOUNDATIONS = frozenset({"abc", "builtins", "tinysmith.nodes", "tinysmith.strategy", "tinysmith.typed", "typing"})
_SHAPE = 0x3FF  # of a code's flags: star arguments, generator, coroutine; above are the compiler's own
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def changed_parts(before: object, after: object, *, leaving_out: Iterable[str] = ()) -> tuple[str, ...]:
    """The names of the methods and values in which two objects, or two classes, differ."""
    names = dict.fromkeys(name for thing in (before, after) for name in _names(thing))
    for name in leaving_out:
        names.pop(name, None)
    return tuple(name for name in names if _part(before, name) != _part(after, name))


def made_of(value: Any, within: frozenset[int] = frozenset()) -> Made:
    """What a value is made of.

    Args:
        value: Any value, function or class.
        within: The functions, by identity, in which it was found; they are not looked into once more.
    """
    kind = type(value).__qualname__
    if isinstance(value, FunctionType):
        return _function(value, within)
    if isinstance(value, type):
        return ("class", value.__qualname__)
    if isinstance(value, Enum):
        return (kind, value.name)
    inner = _inner(value)
    if inner is not None:
        return (kind, *(made_of(item, within) for item in inner))
    if isinstance(value, set | frozenset):
        return (kind, frozenset(made_of(item, within) for item in value))
    return (kind, _ADDRESS.sub("", repr(value)))


def _inner(value: Any) -> Iterable[Any] | None:
    """What a value holds, in order; None where it holds nothing, or cannot be looked into."""
    if isinstance(value, tuple | list):
        return value
    if isinstance(value, Mapping):
        return tuple(value.items())
    if isinstance(value, staticmethod | classmethod):
        return (value.__func__,)
    if isinstance(value, MethodType):
        return (value.__func__, value.__self__)
    if isinstance(value, property):
        return (value.fget,)
    if isinstance(value, cached_property):
        return (value.func,)
    if isinstance(value, partial):
        return (value.func, value.args, value.keywords)
    if isinstance(value, Template):
        return (value.texts, value.values)
    if attrs.has(type(value)):
        return [getattr(value, part.name) for part in attrs.fields(type(value))]
    return None


def _function(function: FunctionType, within: frozenset[int]) -> Made:
    if id(function) in within:
        return ("again", function.__name__)
    inside = within | {id(function)}
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_full(cell)]
    used = [function.__globals__.get(name) for name in _names_in(function.__code__)]
    ours = [value for value in used if _is_compared(value, function)]
    given = (function.__defaults__, function.__kwdefaults__, cells, ours)
    return ("function", _code(function.__code__, function.__doc__), *(made_of(value, inside) for value in given))


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # whether it can be read is the question
    except ValueError:
        return False
    return True


def _is_compared(value: object, user: FunctionType) -> bool:
    """Whether what a function uses counts as a part of it: data, and functions of the same module."""
    # Not by `__module__`: attrs writes that of its users' classes into its own functions.
    return isinstance(value, _DATA) or getattr(value, "__globals__", None) is user.__globals__


def _code(code: CodeType, doc: str | None = None) -> Made:
    """What code does; neither its lines nor its docstring."""
    arguments = code.co_argcount + code.co_kwonlyargcount
    shape = (code.co_flags & _SHAPE, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    names = (code.co_names, code.co_varnames[:arguments], code.co_freevars, code.co_cellvars)
    constants = [None if constant == doc else constant for constant in code.co_consts]
    made = tuple(_code(each) if isinstance(each, CodeType) else made_of(each) for each in constants)
    return ("code", code.co_code, code.co_exceptiontable, shape, names, made)


def _names_in(code: CodeType) -> Iterator[str]:
    """The names that code, and the functions in it, look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _names(thing: object) -> Iterator[str]:
    """The names of what was written for an object or a class, ancestors first; none with double underscores."""
    kind = thing if isinstance(thing, type) else type(thing)
    for ancestor in reversed(kind.__mro__):
        if ancestor.__module__ not in _FOUNDATIONS:
            yield from (name for name in vars(ancestor) if not name.startswith(("__", "_abc_")))
    if thing is not kind:
        yield from getattr(thing, "__dict__", ())


def _part(thing: object, name: str) -> Made:
    value = getattr_static(thing, name, _NOTHING)
    if isinstance(value, _SLOTS):
        value = _NOTHING if isinstance(thing, type) else getattr(thing, name, _NOTHING)
    return made_of(value)
