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


def needed(strategies: Any, board_type: type[Any], given: Mapping[str, Any]) -> Any:
    """A Hypothesis strategy for boards whose fields have their defaults, where they have one.

    Args:
        strategies: Hypothesis's module of strategies.
        board_type: The class of the boards.
        given: By the names that the class takes, what some of the other fields are drawn from.
    """
    return _Drawing(strategies).of_needed(board_type, given)


def values_of(strategies: Any, hint: Any) -> Any:
    """A Hypothesis strategy for the values of a type, attrs validators in it honoured."""
    return _Drawing(strategies).of(hint)


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
        return self._made(kind, parts)

    def of_needed(self, kind: type[Any], given: Mapping[str, Any]) -> Any:
        """A strategy for the instances of an attrs class of which only fields without a default are drawn."""
        hints = get_type_hints(kind)
        parts = {
            part.alias: given[part.alias] if part.alias in given else self._field(part, hints[part.name], ())
            for part in attrs.fields(kind)
            if part.init and part.default is attrs.NOTHING
        }
        return self._made(kind, parts)

    def _made(self, kind: type[Any], parts: Mapping[str, Any]) -> Any:
        made = self.st.fixed_dictionaries(dict(parts)).map(lambda values: _built(kind, values))
        return made.filter(lambda board: board is not None)

    def _field(self, part: Any, hint: Any, seen: Sequence[Any]) -> Any:
        values = self._narrow(part.validator, hint)
        if seen:
            values = self.st.one_of(values, self.st.sampled_from(seen))
        return values if part.validator is None else values.filter(lambda value: _accepts(part, value))

    def _narrow(self, validator: Any, hint: Any) -> Any:
        """A strategy for a type that already knows of options and bounds, as attrs' own validators have them."""
        every = [validator, *getattr(validator, "_validators", ())]
        for each in every:
            options = getattr(each, "options", None)
            if isinstance(options, tuple | list | set | frozenset) and options:
                return self.st.sampled_from(list(options))
        least = max((each.bound for each in every if getattr(each, "compare_op", "") in {">=", ">"}), default=None)
        most = min((each.bound for each in every if getattr(each, "compare_op", "") in {"<=", "<"}), default=None)
        if (least, most) == (None, None) or hint not in (int, float):
            return self.of(hint)
        return self.st.integers(least, most) if hint is int else self.st.floats(least, most, allow_nan=False)


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
