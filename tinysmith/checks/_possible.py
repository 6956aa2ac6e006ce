"""Boards that are possible by their types and validators, whether or not a run comes to them."""

import types
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from tinysmith.mapping import FrozenDict

MOST_ITEMS = 3
MOST_SEEN = 5


def boards(strategies: Any, board_type: type[Any], reached: Sequence[Any] = ()) -> Any:
    """A Hypothesis strategy for boards.

    Args:
        strategies: Hypothesis's module of strategies.
        board_type: The class of the boards.
        reached: Boards that a search came to, whose values are mixed in.
    """
    seen: dict[str, list[Any]] = {}
    for part in attrs.fields(board_type):
        values = seen.setdefault(part.name, [])
        for board in reached:
            value = getattr(board, part.name)
            if len(values) < MOST_SEEN and value not in values:
                values.append(value)
    return _Drawing(strategies).of_class(board_type, seen)


class _Drawing:
    """Makes Hypothesis strategies for the types that a board may have.

    Args:
        strategies: Hypothesis's module of strategies.
    """

    def __init__(self, strategies: Any) -> None:
        self.st = strategies
        self.classes: dict[Any, Any] = {}  # breaks the circle of classes that mention themselves

    def of(self, hint: Any) -> Any:
        """A strategy for the values of a type."""
        if hasattr(hint, "__supertype__"):
            return self.of(hint.__supertype__)
        origin, parts = get_origin(hint), get_args(hint)
        if origin in {Union, types.UnionType}:
            return self.st.one_of(
                [self.of(part) for part in sorted(parts, key=lambda part: part is not type(None))]
            )
        if origin is tuple and parts[1:] == (Ellipsis,):
            return self.st.lists(self.of(parts[0]), max_size=MOST_ITEMS).map(tuple)
        if origin is tuple:
            return self.st.tuples(*map(self.of, parts))
        if origin is FrozenDict:
            return self.st.dictionaries(*map(self.of, parts), max_size=MOST_ITEMS).map(FrozenDict)
        if hint is Decimal:
            return self.st.decimals(allow_nan=False)
        if isinstance(hint, type) and attrs.has(hint):
            if hint not in self.classes:
                self.classes[hint] = self.st.deferred(lambda: self.of_class(hint, {}))
            return self.classes[hint]
        return self.st.from_type(hint)

    def of_class(self, kind: type[Any], seen: Mapping[str, Sequence[Any]]) -> Any:
        """A strategy for the instances of an attrs class; what its validators refuse is drawn again."""
        hints = get_type_hints(kind)
        parts = {
            part.alias: self._field(part, hints[part.name], seen.get(part.name, ())) for part in attrs.fields(kind)
        }
        made = self.st.fixed_dictionaries(parts).map(lambda values: _built(kind, values))
        return made.filter(lambda board: board is not None)

    def _field(self, part: Any, hint: Any, seen: Sequence[Any]) -> Any:
        drawn = [self.of(hint)]
        hinted = [*_hinted(part.validator, hint), *seen]
        if hinted:
            drawn.append(self.st.sampled_from(hinted))
        values = self.st.one_of(drawn)
        return values if part.validator is None else values.filter(lambda value: _accepts(part, value))


def _built(kind: type[Any], values: Mapping[str, Any]) -> Any:
    try:
        return kind(**values)
    except Exception:  # noqa: BLE001  # whatever the class refuses these values with
        return None


def _accepts(part: Any, value: Any) -> bool:
    try:
        part.validator(None, part, value)
    except AttributeError:  # it looks at other fields too, which the whole board will be asked for
        return True
    except Exception:  # noqa: BLE001  # whatever a validator refuses a value with
        return False
    return True


def _hinted(validator: Any, hint: Any) -> list[Any]:
    """Values that a validator of attrs speaks of: options, and bounds with their neighbours."""
    inner = getattr(validator, "_validators", None) or getattr(validator, "validators", None)
    if isinstance(inner, tuple | list):
        return [value for each in inner for value in _hinted(each, hint)]
    options = getattr(validator, "options", None)
    if isinstance(options, tuple | list | set | frozenset):
        return list(options)
    bound = getattr(validator, "bound", None)
    if isinstance(bound, int | float) and hint in (int, float):
        return [hint(bound), hint(bound + 1), hint(bound - 1)]
    return []
