"""Which fields of a board a pure function reads, and which it writes, found by handing it a spy.

A spy is an instance of a subclass of the board's class, with the same field values, that notes every read. It says
that its class is the board's: `isinstance`, `==`, `hash`, `repr`, methods, properties and attrs' own functions
work as on the board. Only `type(board) is Board` tells them apart.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import cached_property, lru_cache
from types import CodeType, new_class
from typing import Any, ClassVar

import attrs
from attrs import frozen

from tinysmith.mapping import FrozenDict
from tinysmith.templates import Template

_SLOT = "_tinysmith_watch"
_HASH = "_attrs_cached_hash"  # where attrs keeps it, with cache_hash=True

# What evolve reads, it only carries over; it is known by its code, since it reads as anybody else does.
_EVOLVE = attrs.evolve.__code__
# These look into a board's `__dict__` for a name, not at the fields.
_PEEKING = frozenset({Template.__call__.__code__, cached_property.__get__.__code__})

_EVOLVING = threading.local()
"""What the thread's last `evolve` of a spy carries over: `.watch` and `.kept`, from its first line to its last."""


class UnspiableBoardError(TypeError):
    """A board of which no spy can be made: it is no attrs class, or its class cannot be derived from."""


@frozen
class Seen:
    """What a function gave for a board, and what it did with the board.

    Attributes:
        value: What it returned, with plain boards in the place of spies.
        reads: The fields that it read, in the order of first reading; not those that `evolve` carried over.
        writes: Of a returned board: the fields that were not carried over. Empty for any other value.
    """

    value: Any
    reads: tuple[str, ...]
    writes: frozenset[str]


@frozen
class _Watch:
    """What is known of one spy.

    Attributes:
        board: The board that it stands for.
        names: The board's fields.
        reads: The fields read so far; one dict for all spies that `evolve` made of one board.
        written: The fields whose values are not those of the first board.
    """

    board: Any
    names: dict[str, None]
    reads: dict[str, None]
    written: frozenset[str] = frozenset()

    def read(self, names: Iterable[str]) -> None:
        """Notes that fields were read, but for those that the function wrote itself."""
        self.reads.update(dict.fromkeys(name for name in names if name not in self.written))


def spied(function: Callable[..., Any], board: Any, *arguments: Any) -> Seen:
    """Calls a pure function with a board and more arguments, and says which of the board's fields it reads.

    Whatever the function raises is raised. What it reads later, as a generator does, is not seen.

    Raises:
        UnspiableBoardError: No spy can be made of the board.
    """
    board_type: Any = type(board)
    kind = _spy_class(board_type)
    watch = _Watch(board, dict.fromkeys(_names(board_type)), {})
    returned = function(_made(kind, watch), *arguments)
    if type(returned) is kind:
        writes = _watch_of(returned).written
    else:
        writes = frozenset(watch.names if type(returned) is board_type else ())
    return Seen(_plain(returned), tuple(watch.reads), writes)


def _names(board_type: type[Any]) -> tuple[str, ...]:
    return tuple(part.name for part in attrs.fields(board_type))


def _watch_of(spy: Any) -> _Watch:
    watch: _Watch = object.__getattribute__(spy, _SLOT)
    return watch


class _Spy:
    """What makes a spy of a board's class; a base class that comes before it."""

    __slots__ = ()
    _tinysmith_type: ClassVar[type[Any]]

    def __new__(cls, *values: Any, **named: Any) -> Any:
        """A board that the function makes by `type(board)(…)`; or by `evolve`, and then it is a spy, too."""
        plain = {name: _plain(value) for name, value in named.items()}
        made = cls._tinysmith_type(*map(_plain, values), **plain)
        if _caller() is not _EVOLVE:
            return made
        before: _Watch = _EVOLVING.watch
        changed = before.written.union(before.names.keys() - _EVOLVING.kept)
        return _made(cls, _Watch(made, before.names, before.reads, changed))

    def __init__(self, *_values: Any, **_named: Any) -> None:
        """Does nothing: what `__new__` gives is whole."""

    def __getattribute__(self, name: str) -> Any:
        watch = _watch_of(self)
        if name in watch.names:
            if _caller() is _EVOLVE:
                _EVOLVING.kept.add(name)
            else:
                watch.read((name,))
        elif name == "__class__":
            if _caller() is not _EVOLVE:
                return type(watch.board)
            _EVOLVING.watch, _EVOLVING.kept = watch, set()
        elif name == "__dict__" and _caller() not in _PEEKING:
            watch.read(watch.names)
        return super().__getattribute__(name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        watch = _watch_of(self)
        watch.read(watch.names)
        return watch.board.__reduce_ex__(protocol)


@lru_cache(maxsize=256)
def _spy_class(kind: Any) -> type[_Spy]:
    """The class of the spies for the boards of a class."""
    if not attrs.has(kind):
        raise UnspiableBoardError(f"{kind.__name__} is no attrs class, so its fields cannot be watched.")
    body = {
        "__slots__": (_SLOT,),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "_tinysmith_type": kind,
    }
    try:
        made = new_class(kind.__name__, (_Spy, kind), exec_body=lambda space: space.update(body))
        object.__new__(made)
    except Exception as error:  # whatever the class's own __init_subclass__ raises
        problem = f"no class can be derived from {kind.__name__}, so its fields cannot be watched: {error}"
        raise UnspiableBoardError(problem) from error
    return made


def _made(kind: type[_Spy], watch: _Watch) -> Any:
    """A spy for a board, made without its `__init__`, so that no validator and no converter runs."""
    board = watch.board
    spy = object.__new__(kind)
    object.__setattr__(spy, _SLOT, watch)
    for name in (*watch.names, *getattr(board, "__dict__", ())):
        if not isinstance(getattr(type(board), name, None), cached_property):  # it reads fields when it is asked
            object.__setattr__(spy, name, getattr(board, name))
    if hasattr(board, _HASH):
        object.__setattr__(spy, _HASH, None)
    return spy


def _caller() -> CodeType:
    """The code that reads from, or makes, a spy."""
    return sys._getframe(2).f_code  # noqa: SLF001  # the only way to know evolve's reads from the function's


def _plain(value: Any) -> Any:
    """A value with boards in the place of the spies in it."""
    kind = type(value)
    if hasattr(kind, _SLOT):
        return _watch_of(value).board
    if kind is tuple or kind is list:
        items = [_plain(item) for item in value]
        return value if _same(items, value) else kind(items)
    if kind is dict or kind is FrozenDict:
        entries: Mapping[Any, Any] = value
        items = [_plain(item) for item in entries.values()]
        return value if _same(items, entries.values()) else kind(zip(entries, items, strict=True))
    if attrs.has(kind):
        return _plain_fields(value)
    return value


def _plain_fields(value: Any) -> Any:
    held = {name: getattr(value, name) for name in _names(type(value))}
    plain = {name: _plain(item) for name, item in held.items()}
    if _same(plain.values(), held.values()):
        return value
    made = copy(value)
    for name, item in plain.items():
        object.__setattr__(made, name, item)
    return made


def _same(items: Iterable[Any], others: Iterable[Any]) -> bool:
    return all(item is other for item, other in zip(items, others, strict=True))
