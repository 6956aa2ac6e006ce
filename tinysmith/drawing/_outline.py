"""A scene as text: a line a node."""

from tinysmith._shown import one_line
from tinysmith.drawing._scene import Arrow, Box, Mark, Scene

WIDTH = 120
"""Characters of a name or a badge; longer ones are cut."""


def outline_of(scene: Scene) -> str:
    """The edges in the order in which they are tried; where there are marks, a line an edge."""
    if not scene.is_marked:
        lines = [_line(box, scene.leaving(box.name)) for box in scene.boxes]
        return "".join(f"{line}\n" for line in lines if line)
    lines = [one_line(scene.heading, 2 * WIDTH)]
    for box in scene.boxes:
        lines.append(f"{_shown(box.title)}{_marked(box.mark)}")
        lines += [f"  → {_way(arrow)}{_marked(arrow.mark)}" for arrow in scene.leaving(box.name)]
    return "".join(f"{line}\n" for line in lines)


def _line(box: Box, leaving: list[Arrow]) -> str:
    return f"{_shown(box.name)} → {', '.join(map(_way, leaving))}" if leaving else ""


def _way(arrow: Arrow) -> str:
    return _shown(arrow.target) + (f" ({_shown(arrow.label)})" if arrow.label else "")


def _marked(mark: Mark) -> str:
    words = mark.words
    if mark.tone == "current":
        words = f"{words} here"
    return f" [{_shown(words)}]" if words else ""


def _shown(text: str) -> str:
    return one_line(text, WIDTH)
