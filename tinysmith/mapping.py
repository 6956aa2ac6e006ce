"""`FrozenDict`: the one mapping that a board, an observation or a tool's arguments may hold."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

K = TypeVar("K")
V_co = TypeVar("V_co", covariant=True)

JSON: TypeAlias = Any
"""None, bool, int, float, str, a sequence of these, or a mapping from str to these."""


class FrozenDict(Mapping[K, V_co]):
    """A mapping that never changes, keeps its order, hashes and pickles.

    Its order is the order of its making: it counts for iteration, not for equality.
    """

    __slots__ = ("_items",)

    def __init__(self, items: "Mapping[K, V_co] | Iterable[tuple[K, V_co]]" = (), /, **more: V_co) -> None:
        object.__setattr__(self, "_items", dict(items, **more))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a FrozenDict does not change; make a new one instead of setting {name!r}")

    def __getitem__(self, key: K) -> V_co:
        return self._items[key]  # type: ignore[no-any-return,attr-defined]  # set past our own __setattr__

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)  # type: ignore[attr-defined]  # as above

    def __len__(self) -> int:
        return len(self._items)  # type: ignore[attr-defined]  # as above

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))  # type: ignore[attr-defined]  # as above

    def __repr__(self) -> str:
        return f"FrozenDict({self._items!r})"  # type: ignore[attr-defined]  # as above

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (self._items,)  # type: ignore[attr-defined]  # as above


EMPTY: FrozenDict[str, JSON] = FrozenDict()


def freeze(value: JSON) -> JSON:
    """Makes JSON data immutable: lists become tuples, dicts become `FrozenDict`s, at every depth.

    Raises:
        TypeError: Something in it is no JSON data.
    """
    if value is EMPTY or value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{key!r} is no text, so it cannot be a key of JSON data")
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    raise TypeError(f"a {type(value).__name__} is no JSON data")


def thaw(value: JSON) -> JSON:
    """Makes plain dicts and lists of frozen JSON data, for libraries that insist on them."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value
