"""A scene in DOT, the language of Graphviz.

What DOT reads of a quoted text: a backslash escapes, and `&` begins an entity. Identifiers are words of ours.
"""

import html
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tinysmith._shown import escaped, one_line
from tinysmith.drawing._scene import PLAIN, Arrow, Box, Scene
from tinysmith.drawing._tones import INK, LINE, PAPER, look_of
from tinysmith.nodes import Agent, Halt, Node, Panel, Rule, Tool, World

FONT = "DejaVu Sans,Verdana,sans-serif"
"""Verdana is as wide as DejaVu Sans, for which Graphviz makes room, and is there where DejaVu is not."""

MOST_TOOLTIP = 2000
"""Characters of a tooltip."""

_TEXT = {"fontname": FONT, "fontcolor": INK}
_GRAPH = {
    **_TEXT,
    "labelloc": "t",
    "labeljust": "l",
    "fontsize": "14",
    "bgcolor": PAPER,
    "pad": "0.2",
    "nodesep": "0.4",
}
_NODE = {**_TEXT, "color": LINE, "style": "filled", "fillcolor": PAPER, "fontsize": "12", "margin": "0.16,0.08"}
_EDGE = {**_TEXT, "color": LINE, "fontsize": "11", "arrowsize": "0.8"}
_START = {"label": "", "shape": "circle", "width": "0.14", "fixedsize": "true", "fillcolor": LINE}

_SHAPES: dict[type[Node[Any]], dict[str, str]] = {
    Agent: {"shape": "box", "style": "filled,rounded"},
    Panel: {"shape": "box", "peripheries": "2"},
    World: {"shape": "polygon", "sides": "4", "skew": "0.4", "margin": "0.02,0"},
    Tool: {"shape": "hexagon"},
    Rule: {"shape": "box"},
    Halt: {"shape": "ellipse"},
}
_WIDTH = 120
_AIR = "\u00a0\u00a0"
"""Stands on both sides of an edge's label, so that it touches neither its own line nor the next one."""


def dot_of(scene: Scene, *, addressed: bool = False) -> str:
    """The scene in DOT.

    Args:
        scene: What to draw.
        addressed: Whether nodes and edges have ids and classes, for those who go on with the SVG, instead of
            tooltips, which Graphviz makes into links without a target.
    """
    return "\n".join(
        ["digraph strategy {", *(f"    {line}" for line in _lines(scene, addressed=addressed)), "}", ""]
    )


def _lines(scene: Scene, *, addressed: bool) -> Iterator[str]:
    ids = scene.ids
    title = _quoted(_texts(scene.title, scene.caption) + "\n", line_break="\\l")
    yield f"graph [label={title}, {_list(_GRAPH)[1:]}"
    yield f"node {_list(_NODE)}"
    yield f"edge {_list(_EDGE)}"
    yield f"start {_list(_START)}"
    yield f"start -> {ids[scene.initial]}"
    for place, box in enumerate(scene.boxes):
        more = _address(f"box{place}", box) if addressed else _tooltip(box)
        yield f"{ids[box.name]} {_list(_of_box(box) | more)}"
    ways = Counter(frozenset((arrow.source, arrow.target)) for arrow in scene.arrows)
    for place, arrow in enumerate(scene.arrows):
        is_alone = ways[frozenset((arrow.source, arrow.target))] == 1
        more = _address(f"arrow{place}", arrow) if addressed else _tooltip(arrow)
        yield f"{ids[arrow.source]} -> {ids[arrow.target]} {_list(_of_arrow(arrow, is_alone=is_alone) | more)}"


def _of_box(box: Box) -> dict[str, str]:
    look = look_of(box.mark)
    attributes = {"label": _texts(box.title, box.mark.words), **_SHAPES[box.kind]}
    if box.success:
        attributes["peripheries"] = "2"
    if look.broken:
        attributes["style"] = f"{attributes.get('style', 'filled')},dashed"
    if box.mark != PLAIN:
        attributes |= {
            "fillcolor": look.fill,
            "color": look.line,
            "fontcolor": look.ink,
            "penwidth": f"{look.width:g}",
        }
    return attributes


def _of_arrow(arrow: Arrow, *, is_alone: bool) -> dict[str, str]:
    look = look_of(arrow.mark)
    # A label, be it blank, keeps an edge apart from others between the same two nodes.
    label = _texts(arrow.title, arrow.mark.words, air=_AIR) or ("" if is_alone else _AIR)
    attributes = {"label": label} if label else {}
    if arrow.dashed or look.broken:
        attributes["style"] = "dashed" if arrow.dashed else "dotted"
    if arrow.mark != PLAIN:
        attributes |= {"color": look.line, "penwidth": f"{look.width:g}"}
    return attributes


def _address(name: str, part: Box | Arrow) -> dict[str, str]:
    """What SVG knows a node or an edge by."""
    classes = " ".join(filter(None, (part.mark.tone, "" if part.mark.heat is None else "hot")))
    return {"id": name, "class": classes} if classes else {"id": name}


def _tooltip(part: Box | Arrow) -> dict[str, str]:
    return {"tooltip": escaped(part.tooltip)[:MOST_TOOLTIP]} if part.tooltip else {}


def _texts(*lines: str, air: str = "") -> str:
    return "\n".join(f"{air}{one_line(line, _WIDTH)}{air}" for line in lines if line)


def _list(attributes: Mapping[str, str]) -> str:
    return f"[{', '.join(f'{name}={_quoted(value)}' for name, value in attributes.items())}]"


def _quoted(text: str, *, line_break: str = "\\n") -> str:
    safe = html.escape(text, quote=False).replace("\\", "\\\\").replace('"', '\\"').replace("\n", line_break)
    return f'"{safe}"'
