"""A scene as SVG and as PNG, laid out by Graphviz."""

import html
import re

from tinysmith._shown import escaped
from tinysmith.drawing import _graphviz
from tinysmith.drawing._dot import MOST_TOOLTIP, dot_of
from tinysmith.drawing._scene import Scene

# What dot writes: a group for each node and edge, with an id of ours or of its own, and with a title of its own.
_GROUP = re.compile(r'<g id="([a-z]+)(\d+)" class="([^"]*)">\n<title>[^<]*</title>\n(.*?)</g>', re.DOTALL)
_LINE = re.compile(r'<path [^>]*? d="([^"]*)"/>')
_WIDE = '<path fill="none" stroke="#000" stroke-opacity="0" stroke-width="14" d="{}"/>'
_DPI = 144


def svg_of(scene: Scene) -> str:
    """The scene as SVG, on a white ground, with tooltips."""
    made = _graphviz.dot(dot_of(scene, addressed=True), "svg").decode()
    picture = re.sub(r"<!--.*?-->\n?", "", made[made.index("<svg") :], flags=re.DOTALL)
    picture = picture.replace("<title>strategy</title>\n", _title(scene.heading), 1)
    picture = picture.replace('stroke-dasharray="1,5"', 'stroke-dasharray="2,4"')  # Graphviz's dots are too pale
    return _GROUP.sub(lambda group: _told(scene, group), picture)


def png_of(scene: Scene) -> bytes:
    """The scene as PNG, on a white ground, sharp also on a dense screen."""
    return _graphviz.dot(dot_of(scene, addressed=True), "png", f"-Gdpi={_DPI}")


def _told(scene: Scene, group: re.Match[str]) -> str:
    """A node or an edge with its tooltip in the place of Graphviz's title."""
    what, place, classes, inside = group.groups()
    if what == "box":
        box = scene.boxes[int(place)]
        style = "" if box.mark.heat is None else f' style="--heat: {box.mark.heat:.3f}"'
        return _group(f"{classes} {box.kind.__name__.lower()}", box.tooltip, inside, style)
    if what == "arrow":
        arrow = scene.arrows[int(place)]
        return _group(f"{classes} otherwise" if arrow.otherwise else classes, arrow.tooltip, _widened(inside))
    return _group(f"{classes} start", "", inside)


def _group(classes: str, tooltip: str, inside: str, style: str = "") -> str:
    return f'<g class="{classes}"{style}>\n{_title(tooltip)}{inside}</g>'


def _title(text: str) -> str:
    return f"<title>{html.escape(escaped(text)[:MOST_TOOLTIP])}</title>\n" if text else ""


def _widened(inside: str) -> str:
    """An edge with a wide line that nobody sees, so that it is easily pointed at."""
    return _LINE.sub(lambda line: f"{line[0]}\n{_WIDE.format(line[1])}", inside, count=1)
