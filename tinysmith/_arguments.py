"""What users give as arguments: taken where it can mean only one thing, else refused in one sentence.

Charter: the kinds and ranges that many constructors ask for; what only one of them asks for is checked there.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import Attribute

from tinysmith._shown import one_line
from tinysmith.errors import UsageError
from tinysmith.mapping import JSON, FrozenDict, freeze

T = TypeVar("T")
_LONGEST_S = 1e9  # some thirty years; not all that waits takes more


def told(value: object) -> str:
    """A value for a message: short, and in one line."""
    return one_line(repr(value), 80)


def is_text(owner: Any, attribute: "Attribute[Any]", value: object) -> None:
    """Validates a field that is a text; what its class does not show is not told.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(value, str):
        shown = told(value) if attribute.repr else f"a {type(value).__name__}"
        raise UsageError(f"{type(owner).__name__}: {attribute.name} is {shown}; give a text.")


def several(values: Iterable[T], kind: type[T], where: str, remedy: str) -> tuple[T, ...]:
    """Things of one kind, each of them given; one text is not several.

    Raises:
        UsageError: They are something else.
    """
    if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping):
        each = tuple(values)
        if all(isinstance(one, kind) for one in each):
            return each
        values = each  # the items of what can be gone through only once
    raise UsageError(f"{where} is {told(values)}; give {remedy}.")


def data(value: Mapping[str, JSON], where: str) -> FrozenDict[str, JSON]:
    """A mapping of JSON data, made immutable.

    Raises:
        UsageError: It is none.
    """
    problem = ""
    if isinstance(value, Mapping):
        try:
            return freeze(value)  # type: ignore[no-any-return]  # JSON is Any; of a mapping it makes a FrozenDict
        except TypeError as error:
            problem = f" ({error})"
    kind = type(value).__name__
    raise UsageError(f"{where} is a {kind} that cannot be kept{problem}; give a dict of JSON data.")


def path(value: str | os.PathLike[str], where: str) -> Path:
    """A place on this machine.

    Raises:
        UsageError: It is no path.
    """
    if isinstance(value, str | os.PathLike):
        return Path(value)
    raise UsageError(f"{where} is {told(value)}; give a path, as a text or a Path.")


def path_text(value: Any) -> Any:
    """A path in a sandbox as text; what is none stays as it is, and is refused by who asks for one."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def action_text(value: str, owner: str) -> str:
    """An action, which is a text.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(value, str):
        raise UsageError(f"{owner}.step: the action is {told(value)}; give a text.")
    return value


def count(value: int, where: str) -> int:
    """A whole number above 0.

    Raises:
        UsageError: It is none.
    """
    if type(value) is not int or value < 1:
        raise UsageError(f"{where} is {told(value)}; give a whole number above 0.")
    return value


def seconds(value: float, where: str) -> float:
    """A time that comes to an end.

    Raises:
        UsageError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST_S:
        raise UsageError(f"{where} is {told(value)}; give seconds above 0, and a finite number of them.")
    return value
