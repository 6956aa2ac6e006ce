"""Boards as JSON data: whole, and as what changed from one to the next.

A tuple that grows, or that is cut at its front, is told by what stayed of it and what is new, so that a step of a
long run is told as briefly as one of a short run. Whoever reads changes needs no code of the strategy.
"""

from collections.abc import Sequence
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from tinysmith._codec import codec
from tinysmith._scalars import Codec
from tinysmith.mapping import JSON

_SHORT = 4  # tuples up to this length are told whole


class BoardCodec:
    """Writes and reads boards of one class.

    Args:
        kind: The class.
    """

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._whole = codec(kind, kind.__name__)
        hints = get_type_hints(kind)
        self._fields: list[tuple[str, Codec, bool]] = [
            (field.name, codec(hints[field.name], f"{kind.__name__}.{field.name}"), _is_row(hints[field.name]))
            for field in attrs.fields(kind)
        ]

    def data(self, board: Any) -> JSON:
        """A board as JSON data.

        Raises:
            MisfitError: It holds a value that its type does not allow.
        """
        return self._whole.encode(board, self._kind.__name__)

    def board(self, data: JSON) -> Any:
        """The board that was written.

        Raises:
            MisfitError: It is none of this class.
        """
        return self._whole.decode(data, self._kind.__name__)

    def changes(self, before: Any, after: Any) -> list[JSON]:
        """What differs: for each field its name and value, or its name, what stays of a tuple, and what is new.

        Raises:
            MisfitError: The later board holds a value that its type does not allow.
        """
        changes: list[JSON] = []
        if before is after:
            return changes
        for name, each, is_row in self._fields:
            old, new = getattr(before, name), getattr(after, name)
            if old is new or (type(old) is type(new) and old == new):
                continue  # by value: whether a value is the same object differs from a run to its replay
            if is_row and type(new) is tuple and len(new) > _SHORT:
                start, stop = _stays(old, new)
                if stop > start:
                    changes.append([name, start, stop, each.encode(new[stop - start :], name)])
                    continue
            encoded = each.encode(new, name)
            if encoded != each.encode(old, name):  # a not-a-number equals itself only as data
                changes.append([name, encoded])
        return changes


def changed(data: dict[str, JSON], changes: Sequence[JSON]) -> dict[str, JSON]:
    """A board, as JSON data, after changes.

    Raises:
        ValueError: The changes are none of this board.
    """
    after = dict(data)
    for change in changes:
        try:
            if len(change) == 2:
                name, after[name] = change
            else:
                name, start, stop, new = change
                after[name] = [*after[name][start:stop], *new]
        except (TypeError, KeyError, ValueError):
            raise ValueError(f"the change {str(change)[:60]} does not fit") from None
    return after


def _is_row(hint: Any) -> bool:
    return get_origin(hint) is tuple and len(get_args(hint)) == 2 and get_args(hint)[1] is Ellipsis


def _stays(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int]:
    """From where to where an old tuple stands at the front of a new one."""
    if new[: len(old)] == old:
        return 0, len(old)
    # A window that moves on: what it dropped is at most as long as what it had.
    for start in range(1, min(len(old), 1 + _SHORT)):
        if new[: len(old) - start] == old[start:]:
            return start, len(old)
    return 0, 0
