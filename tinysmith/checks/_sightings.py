"""What a search came by, kept at its smallest, until it is told."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from attrs import field, frozen

from tinysmith._search import Trail
from tinysmith.messages import Event

POSSIBLE = 1_000_000
"""The size of what is only possible: any run is smaller."""


@frozen
class Sighting:
    """Something that was come by.

    Attributes:
        code: What it is.
        node: Where; empty where it is of the whole strategy.
        problem: What is wrong, with the values.
        remedy: What to do.
        guard: The guard that it is about, where it is about one.
        trail: How the search came to the position before; None where it was not by a run.
        event: What was answered there.
        shown: More lines of the counterexample, such as the board.
        board: Whether the counterexample's board can be reached by a run.
    """

    code: str
    node: str
    problem: str
    remedy: str
    guard: Callable[..., Any] | None = field(default=None, kw_only=True)
    trail: Trail | None = field(default=None, kw_only=True)
    event: Event | None = field(default=None, kw_only=True)
    shown: str = field(default="", kw_only=True)
    board: Literal["", "reachable", "possible"] = field(default="", kw_only=True)


class Sightings:
    """The smallest sighting of each thing."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[int, Sighting]] = {}

    def wants(self, code: str, node: str, about: str = "", *, size: int = 0) -> bool:
        """Whether there is none yet, or only larger ones.

        Args:
            code: What was seen.
            node: Where.
            about: What tells it from others of that code at that node, such as a guard's name.
            size: How long the run is that shows it.
        """
        known = self._kept.get((code, node, about))
        return known is None or size < known[0]

    def keep(self, sighting: Sighting, about: str = "", *, size: int = 0) -> None:
        """Keeps a sighting, unless there is a smaller one."""
        if self.wants(sighting.code, sighting.node, about, size=size):
            self._kept[sighting.code, sighting.node, about] = size, sighting

    def drop(self, is_unwanted: Callable[[Sighting], bool]) -> None:
        """Forgets sightings."""
        self._kept = {name: kept for name, kept in self._kept.items() if not is_unwanted(kept[1])}

    def __iter__(self) -> Iterator[Sighting]:
        return (sighting for _, sighting in self._kept.values())
