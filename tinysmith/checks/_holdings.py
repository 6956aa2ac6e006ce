"""What nodes hold, in a form that shows whether it changed."""

import random
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from types import MemberDescriptorType
from typing import Any

import attrs

from tinysmith._shown import one_line
from tinysmith._turn import Plan
from tinysmith.templates import Template

_PLAIN = (str, bytes, int, float, complex, bool, type(None))
_DEEP = 4


def holdings(plan: Plan) -> dict[tuple[str, str], Any]:
    """What each node, and each of its classes, holds, by node and attribute."""
    found: dict[tuple[str, str], Any] = {}
    for name, node in plan.nodes.items():
        for kind in type(node).__mro__:
            if not kind.__module__.startswith("tinysmith.") and kind is not object:
                found.update(
                    ((name, attribute), form) for attribute, form in _held(vars(kind), kind, mutable=True)
                )
        found.update(((name, attribute), form) for attribute, form in _held(_own(node), type(node)))
    return found


def changes(before: Mapping[tuple[str, str], Any], after: Mapping[tuple[str, str], Any]) -> dict[str, str]:
    """By node, which of its attributes changed, in words."""
    found: dict[str, str] = {}
    for (node, attribute), form in after.items():
        was = before.get((node, attribute))
        if form != was and node not in found:
            old = "not there" if was is None else _told(was)
            found[node] = f"its attribute {attribute} was {old} before the search, and is {_told(form)} after it."
    return found


def _own(value: object) -> dict[str, Any]:
    """What an object keeps, in slots and elsewhere."""
    return _slots(value) | getattr(value, "__dict__", {})


def _slots(value: object) -> dict[str, Any]:
    held = {}
    for kind in type(value).__mro__:
        parts = vars(kind) if "__slots__" in vars(kind) else {}
        for name, slot in parts.items():
            is_cache = attrs.has(kind) and name not in attrs.fields_dict(kind)  # attrs has slots for properties
            if isinstance(slot, MemberDescriptorType) and not is_cache:
                with suppress(AttributeError):  # nothing is in it yet
                    held[name] = slot.__get__(value)
    return held


def _held(attributes: Mapping[str, Any], kind: type[Any], *, mutable: bool = False) -> list[tuple[str, Any]]:
    return [
        (name, _form(value, _DEEP))
        for name, value in attributes.items()
        if not (name.startswith(("__", "_abc_")) or isinstance(getattr(kind, name, None), cached_property))
        and (not mutable or isinstance(value, (*_PLAIN, list, dict, set, deque, bytearray, random.Random)))
    ]


def _form(value: Any, deep: int) -> Any:
    """A value in a form that is equal exactly where nothing in it changed."""
    if isinstance(value, _PLAIN):
        return (type(value).__name__, value)
    if isinstance(value, bytearray):
        return (type(value).__name__, tuple(value))
    if isinstance(value, random.Random):
        return ("Random", hash(value.getstate()))
    if type(value).__module__ == "itertools":
        return (type(value).__name__, repr(value))
    if isinstance(value, Template | type) or callable(value) or not deep:
        return (type(value).__name__, id(value))
    if isinstance(value, set | frozenset):
        return (type(value).__name__, frozenset(_form(item, deep - 1) for item in value))
    if isinstance(value, list | tuple | deque):
        return (type(value).__name__, tuple(_form(item, deep - 1) for item in value))
    if isinstance(value, Mapping):
        items = tuple((_form(key, deep - 1), _form(item, deep - 1)) for key, item in value.items())
        return (type(value).__name__, items)
    held = tuple((name, _form(item, deep - 1)) for name, item in _own(value).items())
    return (type(value).__name__, id(value), held)


def _told(form: Any) -> str:
    kind, value, *_ = form
    if kind in {"list", "tuple", "set", "frozenset", "dict"} or isinstance(value, tuple | frozenset):
        return f"a {kind} of {len(value)}"
    return one_line(repr(value), 40) if kind in {plain.__name__ for plain in _PLAIN} else f"another {kind}"
