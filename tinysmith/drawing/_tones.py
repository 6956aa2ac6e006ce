"""What tones and heat look like: the same colours in every format, told also by line and sign."""

from attrs import field, frozen

from tinysmith.drawing._scene import Mark

INK = "#1f2328"
LINE = "#57606a"
PAPER = "#ffffff"


@frozen
class Look:
    """How a node or an edge is painted.

    Attributes:
        fill: Of a node's inside.
        line: Of a node's border, and of an edge; it can be told from a light and from a dark ground.
        ink: Of a node's text.
        width: Of the line, in pixels.
        broken: Whether the line is: a border is dashed, an edge dotted, since failure edges are dashed.
    """

    fill: str = PAPER
    line: str = LINE
    ink: str = INK
    width: float = field(default=1, kw_only=True)
    broken: bool = field(default=False, kw_only=True)


LOOKS: dict[str, Look] = {
    "": Look(),
    "current": Look("#fff3c4", "#c4620a", width=4),
    "seen": Look("#dcf5e3", "#2c974b", width=2.5),
    "partly": Look("#fff1d6", "#b7791f", width=2.5),
    "missing": Look("#ffe5e3", "#d1424b", width=2, broken=True),
    "faint": Look("#f6f8fa", "#8c959f", "#656d76"),
    "added": Look("#dcf5e3", "#2c974b", width=3),
    "removed": Look("#ffe5e3", "#d1424b", width=2, broken=True),
    "changed": Look("#fff1d6", "#b7791f", width=3),
}
"""How each tone looks."""

_COLD = (255, 250, 240)
_HOT = (242, 140, 56)


def look_of(mark: Mark) -> Look:
    """How a mark is painted: heat fills a node, and makes its border thicker; the tone does the rest."""
    look = LOOKS[mark.tone]
    if mark.heat is None:
        return look
    share = min(max(mark.heat, 0.0), 1.0)
    fill = "#" + "".join(
        f"{round(cold + share * (hot - cold)):02x}" for cold, hot in zip(_COLD, _HOT, strict=True)
    )
    is_current = mark.tone == "current"
    return Look(
        fill,
        look.line if is_current else LOOKS["current"].line,
        width=4 if is_current else round(1 + 3 * share, 1),
    )
