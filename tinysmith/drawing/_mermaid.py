r"""A scene as a Mermaid flowchart.

What Mermaid reads of a quoted label, besides the quote: `#` begins an entity, `%%{` a directive, a backtick
Markdown, `$$` a formula, `\n` a line break, `fa:` an icon, `<` a tag. So every mark of ASCII that it could read
is written as an entity, and a tag is only ever ours. Tooltips exist in Mermaid for nodes alone and make them look
like links that lead nowhere, so there are none.
"""

import re
from collections.abc import Iterator
from typing import Any

from tinysmith._shown import one_line
from tinysmith.drawing._scene import PLAIN, Arrow, Mark, Scene
from tinysmith.drawing._tones import Look, look_of
from tinysmith.nodes import Agent, Halt, Node, Panel, Rule, Tool, World

_SHAPES: dict[type[Node[Any]], tuple[str, str]] = {
    Agent: ("(", ")"),
    Panel: ("[[", "]]"),
    World: ("[/", "/]"),
    Tool: ("{{", "}}"),
    Rule: ("[", "]"),
    Halt: ("([", "])"),
}
_WIDTH = 120
# Mermaid puts a label in the middle of its line, but its usual curve does not pass through the places that were
# kept free for labels; from five edges on, or with two lines a label, they lie over one another.
_FEW = 4
# Formulas, icons and line breaks are found in what entities stand for, too, so their marks are put apart.
_READ_LATE = re.compile(r"\$(?=\$)|:(?=fa-)|\\(?=n)")
_READ_BY_MERMAID = re.compile(r"[!-'*:-@\[-^`{-~]")  # leaves letters, digits and ()+,-./_


def mermaid_of(scene: Scene) -> str:
    """The scene as a Mermaid flowchart, from the top down."""
    ids = scene.ids
    lines = [*_head(scene), "flowchart TD", f"    start(( )) --> {ids[scene.initial]}"]
    for box in scene.boxes:
        left, right = _SHAPES[box.kind]
        lines.append(f'    {ids[box.name]}{left}"{_label(box.title, box.mark)}"{right}')
    lines += [f"    {ids[arrow.source]} {_line(arrow)} {ids[arrow.target]}" for arrow in scene.arrows]
    lines += [f"    {style}" for style in _styles(scene)]
    return "\n".join(lines) + "\n"


def _head(scene: Scene) -> Iterator[str]:
    """The title, where there is more to say than the name; and how to keep labels apart, where there are many."""
    is_crowded = scene.is_marked or any(len(scene.leaving(box.name)) > _FEW for box in scene.boxes)
    if scene.caption or is_crowded:
        yield "---"
        if scene.caption:
            yield _title(scene.heading)
        if is_crowded:
            yield "config: {flowchart: {curve: monotoneY}}"
        yield "---"


def _line(arrow: Arrow) -> str:
    label = _label(arrow.title, arrow.mark)
    if arrow.dashed:
        return f'-. "{label}" .->'
    return f'-- "{label}" -->' if label else "-->"


def _label(title: str, mark: Mark) -> str:
    return "<br/>".join(_safe(text) for text in (title, mark.words) if text)


def _styles(scene: Scene) -> Iterator[str]:
    ids = scene.ids
    for box in scene.boxes:
        if box.mark != PLAIN:
            look = look_of(box.mark)
            yield f"style {ids[box.name]} fill:{look.fill},color:{look.ink},{_stroke(look, '5 4')}"
    places: dict[str, list[str]] = {}
    for place, arrow in enumerate(scene.arrows, start=1):  # the arrow from the start is number 0
        if arrow.mark != PLAIN:
            look = look_of(arrow.mark)
            places.setdefault(_stroke(look, "2 4"), []).append(str(place))
    for stroke, alike in places.items():
        yield f"linkStyle {','.join(alike)} {stroke}"


def _stroke(look: Look, dash: str) -> str:
    line = f"stroke:{look.line},stroke-width:{look.width:g}px"
    return f"{line},stroke-dasharray:{dash}" if look.broken else line


def _title(text: str) -> str:
    shown = one_line(text, _WIDTH).replace("<", "\u2039")  # Mermaid takes tags out of a title, however written
    safe = _READ_BY_MERMAID.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
    return f'title: "{safe}"'


def _safe(text: str) -> str:
    apart = _READ_LATE.sub(lambda found: f"{found[0]}\u200b", one_line(text, _WIDTH))
    return _READ_BY_MERMAID.sub(lambda found: f"#{ord(found[0])};", apart)
