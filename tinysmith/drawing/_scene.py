"""`Scene`: what a picture of a strategy shows, whatever the format that it is drawn in.

Texts are held as they are, also where they are hostile; each format writes them safely in its own way.
"""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from tinysmith._turn import Plan
from tinysmith.nodes import Halt, Node
from tinysmith.strategy import Strategy, plan_of

Tone: TypeAlias = Literal["", "current", "seen", "partly", "missing", "faint", "added", "removed", "changed"]

SIGNS: dict[str, str] = {
    "current": "▶",
    "partly": "½",
    "missing": "✗",
    "added": "+",
    "removed": "−",  # noqa: RUF001  # the minus sign, which is as wide as the plus
    "changed": "≠",
}
"""What stands before a badge, so that no tone is told by its colour alone."""


@frozen
class Mark:
    """What an overlay says of a node or an edge.

    Attributes:
        badge: A few words under the name, such as `×3` or `2,140 tokens`.
        heat: The share of the whole, from 0 to 1; None where there is no such thing.
        tone: What it is in this picture: taken, missing, added, ….
    """

    badge: str = ""
    heat: float | None = None
    tone: Tone = ""

    @property
    def words(self) -> str:
        """The tone's sign and the badge."""
        return " ".join(filter(None, (SIGNS.get(self.tone, ""), self.badge)))


PLAIN = Mark()


@frozen
class Box:
    """A node, drawn.

    Attributes:
        name: The node's name.
        kind: Its kind: `Agent`, `Panel`, `World`, `Tool`, `Rule` or `Halt`.
        success: Of a halt: whether this is what was wanted.
        tooltip: What more there is to say of it.
        mark: What an overlay says of it.
    """

    name: str
    kind: type[Node[Any]]
    success: bool = field(default=False, kw_only=True)
    tooltip: str = field(default="", kw_only=True)
    mark: Mark = field(default=PLAIN, kw_only=True)

    @property
    def title(self) -> str:
        """The name, with a mark before that of a good end."""
        return f"✓ {self.name}" if self.success else self.name


@frozen
class Arrow:
    """An edge, drawn.

    Attributes:
        source: The name of the node that it leaves.
        target: The name of the node that it leads to.
        label: The guard's name, "otherwise", "failed", or nothing.
        order: When it is tried, from 1; 0 where it is the only one, or a failure edge.
        tooltip: What more there is to say of it.
        dashed: Whether it is a failure edge.
        otherwise: Whether it is taken where no guard before it holds.
        mark: What an overlay says of it.
    """

    source: str
    target: str
    label: str = ""
    order: int = field(default=0, kw_only=True)
    tooltip: str = field(default="", kw_only=True)
    dashed: bool = field(default=False, kw_only=True)
    otherwise: bool = field(default=False, kw_only=True)
    mark: Mark = field(default=PLAIN, kw_only=True)

    @property
    def index(self) -> int:
        """Which of the source's edges it is, from 0; -1 for the failure edge."""
        return -1 if self.dashed else max(self.order - 1, 0)

    @property
    def title(self) -> str:
        """The label, with the number of its turn before it."""
        return f"{self.order}. {self.label}" if self.order and self.label else self.label


@frozen
class Scene:
    """A picture of a strategy, or of what two of them differ in, that is not drawn yet.

    Attributes:
        title: The strategy's name.
        initial: The name of the node that a run begins at.
        boxes: The nodes, in declared order.
        arrows: The edges, by the nodes that they leave, in the order in which they are tried.
        caption: What the marks are about; empty where there are none.
    """

    title: str
    initial: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    caption: str = ""

    def leaving(self, node: str) -> list[Arrow]:
        """The arrows that leave a node."""
        return [arrow for arrow in self.arrows if arrow.source == node]

    @property
    def ids(self) -> dict[str, str]:
        """For each node a word that no format reads as one of its own, such as `end`, and that has no marks."""
        return {box.name: _id(box.name, place) for place, box in enumerate(self.boxes)}

    @property
    def heading(self) -> str:
        """The title and the caption."""
        return f"{self.title}: {self.caption}" if self.caption else self.title

    @property
    def is_marked(self) -> bool:
        """Whether an overlay says something of it."""
        parts: tuple[Box | Arrow, ...] = (*self.boxes, *self.arrows)
        return any(part.mark != PLAIN for part in parts)


def scene_of(strategy: Strategy[Any] | type[Strategy[Any]]) -> Scene:
    """What a plain picture of a strategy shows.

    Raises:
        UsageError: It is no strategy, or one that names no board.
    """
    plan = plan_of(strategy)
    boxes = tuple(_box(plan, name) for name in plan.nodes)
    arrows = tuple(arrow for name in plan.nodes for arrow in _arrows(plan, name))
    return Scene(plan.name, plan.initial, boxes, arrows)


def _id(name: str, place: int) -> str:
    return f"{name}_" if name.isascii() and name.isidentifier() else f"node{place}"


def _box(plan: Plan, name: str) -> Box:
    node, kind = plan.nodes[name], plan.kinds[name]
    is_success = isinstance(node, Halt) and node.success
    what = f"{kind.__name__.lower()}{', success' if is_success else ''}"
    said = cleandoc(type(node).__doc__ or "").partition("\n")[0]
    return Box(name, kind, success=is_success, tooltip=f"{what}: {said}" if said else what)


def _arrows(plan: Plan, source: str) -> Iterator[Arrow]:
    guards, hops = plan.guards[source], plan.hops[source]
    for place, hop in enumerate(hops):
        order = place + 1 if len(hops) > 1 else 0
        if place < len(guards):
            said = cleandoc(guards[place].__doc__ or "")
            yield Arrow(source, hop.target, hop.why, order=order, tooltip=said)
        elif guards:
            said = f"none of {', '.join(guard.__name__ for guard in guards)} holds"
            yield Arrow(source, hop.target, hop.why, order=order, tooltip=said, otherwise=True)
        else:
            yield Arrow(source, hop.target)
    for hop in plan.failures.get(source, ()):
        said = f"taken when what {source} asked for has failed for good"
        yield Arrow(source, hop.target, hop.why, tooltip=said, dashed=True)
