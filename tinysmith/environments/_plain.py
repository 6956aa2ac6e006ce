"""numpy's values as plain data and as text; numpy itself is not needed for it."""

import json
from collections.abc import Mapping
from typing import Any

from tinysmith.errors import UsageError
from tinysmith.mapping import JSON

MOST_CHARACTERS = 100_000
"""Of an observation that is no text; pictures are longer."""


def plain(value: Any) -> JSON:
    """Arrays and scalars of numpy's as lists and numbers, at every depth; others as they are.

    A number of another precision is the shortest one that says it: 0.1, not 0.10000000149011612.

    Raises:
        TypeError: Something is no JSON data.
    """
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return _plain_array(value, dtype)
    if value is None or type(value) in {bool, int, float, str}:
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no text")
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} is no JSON data")


def told(observation: Any) -> str:
    """An observation as text: text as it is, all else as compact JSON.

    Raises:
        UsageError: It is no JSON data, or longer than a model could read.
    """
    if isinstance(observation, str):
        return str(observation)
    try:
        text = compact(observation)
    except TypeError as error:
        raise UsageError(f"An observation cannot be told: {error}. Give from_gymnasium `tell`.") from None
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"An observation has {len(text)} characters as JSON, too many for a model to read "
            f"({MOST_CHARACTERS} at most). Give from_gymnasium `tell`."
        )
    return text


def compact(value: Any) -> str:
    """Data as JSON without spaces; NaN and infinities, which JSON has not, as Python's."""
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)


def _plain_array(value: Any, dtype: Any) -> JSON:
    if dtype.kind == "f" and dtype.itemsize != 8:
        value = value.astype(str).astype(float)
    elif dtype.kind not in "biufUO":
        raise TypeError(f"an array of {dtype.name} is no JSON data")
    items = value.tolist()
    return plain(items) if dtype.kind == "O" else items
