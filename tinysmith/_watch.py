"""Who looks on while strategies run in this process, such as a collector of coverage; nobody, as a rule."""

from collections.abc import Callable
from typing import Any, TypeAlias

from tinysmith.position import Position

Watcher: TypeAlias = Callable[[Any, Position[Any]], None]

WATCHERS: list[Watcher] = []
"""Each is called with the strategy and the position, whenever `Strategy.start` or `advance` returns one."""
