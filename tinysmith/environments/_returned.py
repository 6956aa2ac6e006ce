"""What methods of somebody's environment returned, checked strictly: one sentence says what is wrong."""

import math
from numbers import Real
from typing import Any

from tinysmith.errors import EnvironmentLost
from tinysmith.mapping import FrozenDict, freeze
from tinysmith.protocols import EnvironmentStep, Grade, Info

_FIRST = ("observation", "info")


def first(where: str, value: Any) -> tuple[str, Info]:
    """What `reset` returned.

    Raises:
        EnvironmentLost: It is no pair of a text and JSON data.
    """
    observation, info = _parts(where, value, _FIRST)
    return _text(where, observation), _info(where, info)


def step(where: str, value: Any) -> EnvironmentStep:
    """What `step` returned.

    Raises:
        EnvironmentLost: It is not a text, a finite number, two booleans and JSON data.
    """
    observation, reward, terminated, truncated, info = _parts(where, value, EnvironmentStep._fields)
    if isinstance(reward, bool) or not isinstance(reward, Real):
        raise EnvironmentLost(f"{where}: its reward is a {_kind(reward)}. Return a number.")
    if not math.isfinite(reward):
        raise EnvironmentLost(f"{where}: its reward is {float(reward)!r}. Return a finite number.")
    for name, given in (("terminated", terminated), ("truncated", truncated)):
        if not isinstance(given, bool):
            raise EnvironmentLost(f"{where}: its {name} is a {_kind(given)}. Return True or False.")
    return EnvironmentStep(_text(where, observation), float(reward), terminated, truncated, _info(where, info))


def grade(where: str, value: Any) -> Grade:
    """What `grade` returned.

    Raises:
        EnvironmentLost: It is no `Grade`.
    """
    if isinstance(value, Grade):
        return value
    raise EnvironmentLost(f"{where}: it returned a {_kind(value)}. Return a Grade.")


def anything(_where: str, value: Any) -> Any:
    """Whatever was returned."""
    return value


def _parts(where: str, value: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    if isinstance(value, tuple) and len(value) == len(names):
        return value
    given = f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {_kind(value)}"
    raise EnvironmentLost(f"{where}: it returned {given}. Return the tuple ({', '.join(names)}).")


def _text(where: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    raise EnvironmentLost(f"{where}: its observation is a {_kind(value)}. Return a text.")


def _info(where: str, value: Any) -> Info:
    try:
        info: Any = freeze(value)
    except TypeError as error:
        raise EnvironmentLost(f"{where}: its info holds what is no JSON data: {error}.") from error
    if isinstance(info, FrozenDict):
        return info
    raise EnvironmentLost(f"{where}: its info is a {_kind(value)}. Return a dict.")


def _kind(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
