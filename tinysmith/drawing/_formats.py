"""`draw` and `render`: a strategy, or a scene, in any of the formats."""

from collections.abc import Callable
from typing import Any

from tinysmith._shown import near
from tinysmith.drawing._dot import dot_of
from tinysmith.drawing._mermaid import mermaid_of
from tinysmith.drawing._outline import outline_of
from tinysmith.drawing._scene import Scene, scene_of
from tinysmith.drawing._svg import png_of, svg_of
from tinysmith.errors import UsageError
from tinysmith.strategy import Strategy

_RENDERERS: dict[str, Callable[[Scene], str | bytes]] = {
    "mermaid": mermaid_of,
    "text": outline_of,
    "dot": dot_of,
    "svg": svg_of,
    "png": png_of,
}

FORMATS = tuple(_RENDERERS)
"""The formats that pictures are drawn in."""


def draw(strategy: Strategy[Any] | type[Strategy[Any]], format: str = "mermaid") -> str | bytes:  # noqa: A002  # what a user calls it
    """The strategy's picture."""
    return render(scene_of(strategy), format)


def render(scene: Scene, format: str) -> str | bytes:  # noqa: A002  # as above
    """A scene, drawn: bytes for `png`, text for all others.

    Raises:
        UsageError: There is no such format.
    """
    if format not in _RENDERERS:
        raise UsageError(f"There is no format {format!r}. {near(format, FORMATS)}")
    return _RENDERERS[format](scene)


def mermaid(strategy: Strategy[Any] | type[Strategy[Any]]) -> str:
    """The strategy as a Mermaid flowchart: kinds of node by shape, guards on the arrows, failure edges dashed.

    Agents are rounded, panels have double sides, world nodes slant, tools are hexagons, rules boxes, halts
    stadiums. Where several edges leave a node, they are numbered in the order in which they are tried.
    """
    return mermaid_of(scene_of(strategy))


def outline(strategy: Strategy[Any] | type[Strategy[Any]]) -> str:
    """The strategy's edges as text, a line a node, in the order in which they are tried."""
    return outline_of(scene_of(strategy))
