"""Who looks on while strategies run in this process, such as a collector of coverage; nobody, as a rule."""

from collections.abc import Callable
from typing import Any, TypeAlias

from tinysmith._turn import Plan
from tinysmith.position import Position

Watcher: TypeAlias = Callable[[Plan, Position[Any]], None]

WATCHERS: list[Watcher] = []
"""Each is called with every position that `Strategy.start` and `Strategy.advance` return."""
