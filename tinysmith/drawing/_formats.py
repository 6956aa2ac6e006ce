"""`draw` and `render`: a strategy, or a scene, in any of the formats."""

from collections.abc import Callable
from typing import Any

from tinysmith._shown import near
from tinysmith.coverage import Coverage
from tinysmith.drawing import _graphviz
from tinysmith.drawing._dot import dot_of
from tinysmith.drawing._html import html_of
from tinysmith.drawing._mermaid import mermaid_of
from tinysmith.drawing._outline import outline_of
from tinysmith.drawing._overlay import overlaid
from tinysmith.drawing._scene import Scene, scene_of
from tinysmith.drawing._svg import png_of, svg_of
from tinysmith.errors import UsageError
from tinysmith.position import Position
from tinysmith.run import Run
from tinysmith.strategy import Strategy

_RENDERERS: dict[str, Callable[[Scene], str | bytes]] = {
    "mermaid": mermaid_of,
    "text": outline_of,
    "dot": dot_of,
    "svg": svg_of,
    "png": png_of,
    "html": html_of,
}

FORMATS = tuple(_RENDERERS)
"""The formats that pictures are drawn in."""


def draw(
    strategy: Strategy[Any] | type[Strategy[Any]],
    format: str = "mermaid",  # noqa: A002  # what everybody calls it
    *,
    at: str | Position[Any] | None = None,
    run: Run[Any] | None = None,
    coverage: Coverage | None = None,
    heat: str = "",
) -> str | bytes:
    """A strategy's picture: bytes for `png`, text for all other formats.

    Args:
        strategy: What to draw.
        format: One of `FORMATS`. `svg`, `png` and `html` need the program `dot`, of Graphviz.
        at: The current node, by name or as a position.
        run: A run of the strategy, whose path is painted, with how often each node and edge was come by.
        coverage: What of the strategy was seen; not together with `run`.
        heat: With `run`: "cost", "tokens", "seconds" or "failures", by which the nodes are shaded.

    Raises:
        UsageError: There is no such format, node or heat; the overlays do not go together, or are of another
            strategy; Graphviz is needed, and is missing or fails.
    """
    return render(overlaid(strategy, at=at, run=run, coverage=coverage, heat=heat), format)


def render(scene: Scene, format: str) -> str | bytes:  # noqa: A002  # as above
    """A scene, drawn: bytes for `png`, text for all others.

    Raises:
        UsageError: There is no such format.
    """
    if format not in _RENDERERS:
        raise UsageError(f"There is no format {format!r}. {near(format, FORMATS)}")
    return _RENDERERS[format](scene)


def as_text(strategy: Strategy[Any] | type[Strategy[Any]], format: str) -> str:  # noqa: A002  # as above
    """The plain picture of a strategy, for an f-string.

    Raises:
        UsageError: There is no such format, or it is no text.
    """
    picture = draw(strategy, format)
    if isinstance(picture, bytes):
        raise UsageError(f"The format {format!r} is no text. Call draw({format!r}), which returns bytes.")
    return picture


def mimebundle(strategy: Any, run: Run[Any] | None = None) -> dict[str, str]:
    """What notebooks show of a strategy, or of a run: text, Mermaid and, where Graphviz can draw it, SVG."""
    if not hasattr(strategy, "__plan__"):
        return {"text/plain": repr(strategy)}  # a base class, which has no nodes yet
    scene = overlaid(strategy, run=run)
    source = mermaid_of(scene)
    bundle = {
        "text/plain": outline_of(scene),
        "text/vnd.mermaid": source,
        "text/markdown": f"```mermaid\n{source}```\n",
    }
    return bundle | ({"image/svg+xml": svg_of(scene)} if _graphviz.is_there() else {})


def mermaid(strategy: Strategy[Any] | type[Strategy[Any]]) -> str:
    """The strategy as a Mermaid flowchart: kinds of node by shape, guards on the arrows, failure edges dashed.

    Agents are rounded, panels have double sides, world nodes slant, tools are hexagons, rules boxes, halts
    stadiums. Where several edges leave a node, they are numbered in the order in which they are tried.
    """
    return mermaid_of(scene_of(strategy))


def outline(strategy: Strategy[Any] | type[Strategy[Any]]) -> str:
    """The strategy's edges as text, a line a node, in the order in which they are tried."""
    return outline_of(scene_of(strategy))
