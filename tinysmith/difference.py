"""`diff`: in what two strategies differ, as data, as text, and as a picture."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import evolve, field, frozen

from tinysmith._code import changed_parts, made_of
from tinysmith._labels import edges_of, labelled
from tinysmith._shown import one_line
from tinysmith._source import source_of
from tinysmith._turn import Plan
from tinysmith.drawing import Arrow, Mark, Scene, render, scene_of
from tinysmith.nodes import Halt
from tinysmith.position import Hop
from tinysmith.strategy import Strategy, plan_of

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_MACHINERY = frozenset({"allow", "edges", "initial", "machine"})


@frozen
class Change:
    """One thing in which two strategies differ.

    Attributes:
        sort: Whether only the second one has it, only the first one, or both in different forms.
        what: What kind of thing it is.
        name: Which: a node's name, `critic → accepted`, a field's name, the node at which the order changed.
        detail: What it is like, or how it changed; empty where the name says all.
    """

    sort: Literal["added", "removed", "changed"]
    what: Literal["board", "field", "method", "initial", "node", "halt", "edge", "order"]
    name: str
    detail: str = ""

    def __str__(self) -> str:
        said = f"{_SIGNS[self.sort]} {self.what} {self.name}"
        if not self.detail:
            return said
        return f"{said}{':' * (self.sort == 'changed' or self.what == 'field')} {self.detail}"


@frozen
class Difference:
    """In what two strategies differ; false where they do not, and its `str` is what a person reads.

    Attributes:
        before: The first strategy's name.
        after: The second one's.
        changes: What was added, removed and changed.
        scene: The picture of both, one over the other.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    scene: Scene = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        if not self.changes:
            return "no difference"
        return "\n".join((f"--- {self.before}", f"+++ {self.after}", *map(str, self.changes)))

    def draw(self, format: str = "mermaid") -> str | bytes:  # noqa: A002  # what everybody calls it
        """Both strategies in one picture: what was added, removed and changed is told by sign, line and colour.

        Args:
            format: As `Strategy.draw` has it.

        Raises:
            UsageError: There is no such format, or it needs a program that is missing.
        """
        return render(self.scene, format)


def diff(before: Strategy[Any] | type[Strategy[Any]], after: Strategy[Any] | type[Strategy[Any]]) -> Difference:
    """In what two strategies differ: their boards, nodes, edges, guards and code.

    Nodes are the same where their names are, guards and methods where they do the same, so two versions of one
    module can be compared. Of code, bytes and constants count, and the constants and functions of its own module
    that it uses; lines, comments and docstrings do not, nor do other modules.

    Raises:
        UsageError: One of them is no strategy.
    """
    one, other = plan_of(before), plan_of(after)
    names = tuple(dict.fromkeys((*other.nodes, *one.nodes)))
    nodes = {name: _node_change(one, other, name) for name in names}
    pairs = {name: _paired(one, other, name) for name in names}
    orders = {name: _order_change(one, other, name, pairs[name]) for name in names}
    changes = [
        *_board_changes(one.board_type, other.board_type),
        *_method_changes(_class_of(before), _class_of(after), _MACHINERY.union(names)),
        *_initial_change(one, other),
        *nodes.values(),
        *(pair.change(one, other) for name in names for pair in pairs[name]),
        *orders.values(),
    ]
    found = tuple(change for change in changes if change is not None)
    marked = _Marks(one, other, nodes, pairs, orders)
    scene = marked.scene(scene_of(before), scene_of(after), is_same=not found)
    return Difference(*_told_apart(_class_of(before), _class_of(after)), found, scene)


# Boards and methods --------------------------------------------------------------------------------------


def _board_changes(one: type[Any], other: type[Any]) -> Iterator[Change]:
    if one.__qualname__ != other.__qualname__:
        yield Change("changed", "board", one.__qualname__, f"it is {other.__qualname__} now")
    ours, theirs = _fields(one), _fields(other)
    for name in dict.fromkeys((*theirs, *ours)):
        if name not in ours:
            yield Change("added", "field", name, theirs[name].told)
        elif name not in theirs:
            yield Change("removed", "field", name, ours[name].told)
        elif ours[name] != theirs[name]:
            told = (ours[name].told, theirs[name].told)
            detail = " → ".join(told) if told[0] != told[1] else "other validators, converters or arguments"
            yield Change("changed", "field", name, detail)
    for name in changed_parts(one, other):
        yield Change("changed", "method", f"{other.__qualname__}.{name}")


@frozen
class _Field:
    """A board's field.

    Attributes:
        told: Its type and its default, in words.
        made: What else there is to it, to be compared.
    """

    told: str
    made: tuple[Any, ...]


def _fields(board: type[Any]) -> dict[str, _Field]:
    hints = get_type_hints(board)
    return {part.name: _field(part, hints.get(part.name)) for part in attrs.fields(board)}


def _field(part: Any, hint: Any) -> _Field:
    default = part.default
    made = made_of((default, part.validator, part.converter, part.alias, part.kw_only))
    if default is attrs.NOTHING:
        return _Field(_type_name(hint), made)
    factory = getattr(default, "factory", None)
    shown = source_of(default) if factory is None else f"{getattr(factory, '__name__', 'a factory')}()"
    return _Field(f"{_type_name(hint)} = {one_line(shown, 60)}", made)


def _type_name(hint: Any) -> str:
    """A type as it is written, without modules."""
    if get_origin(hint) in {Union, UnionType}:
        return " | ".join(map(_type_name, get_args(hint)))
    if get_origin(hint) is Literal:
        return f"Literal[{', '.join(map(repr, get_args(hint)))}]"
    if get_args(hint):
        return f"{_type_name(get_origin(hint))}[{', '.join(map(_type_name, get_args(hint)))}]"
    if hint is Ellipsis:
        return "..."
    return "None" if hint is type(None) else getattr(hint, "__qualname__", str(hint))


def _method_changes(one: type[Any], other: type[Any], leaving_out: Iterable[str]) -> Iterator[Change]:
    for name in changed_parts(one, other, leaving_out=leaving_out):
        yield Change("changed", "method", name)


# Nodes and edges -----------------------------------------------------------------------------------------


def _initial_change(one: Plan, other: Plan) -> Iterator[Change]:
    if one.initial != other.initial:
        yield Change("changed", "initial", one.initial, f"it is {other.initial} now")


def _node_change(one: Plan, other: Plan, name: str) -> Change | None:
    kinds = [plan.kinds[name].__name__ for plan in (one, other) if name in plan.nodes]
    what: Literal["halt", "node"] = "halt" if kinds[-1] == Halt.__name__ else "node"
    if name not in one.nodes or name not in other.nodes:
        return Change("added" if name in other.nodes else "removed", what, name, f"({kinds[0]})")
    before, after = one.nodes[name], other.nodes[name]
    if kinds[0] != kinds[1]:
        return Change("changed", what, name, f"{kinds[1]} instead of {kinds[0]}")
    if isinstance(before, Halt) and isinstance(after, Halt) and before.success is not after.success:
        return Change("changed", what, name, "a success now" if after.success else "no success any more")
    details = [f"{', '.join(parts)} changed"] if (parts := changed_parts(before, after)) else []
    classes = [type(node).__qualname__ for node in (before, after)]
    if classes[0] != classes[1]:
        details.insert(0, f"class {classes[1]} instead of {classes[0]}")
    return Change("changed", what, name, "; ".join(details)) if details else None


@frozen
class _Pair:
    """An edge of the first strategy, and what it is in the second one; one of them may be missing."""

    before: Hop | None
    after: Hop | None

    def change(self, one: Plan, other: Plan) -> Change | None:
        """What became of the edge."""
        edge: Any = self.after or self.before
        name = f"{edge.source} → {edge.target}"
        if self.before is None:
            return Change("added", "edge", name, _when(other, edge))
        if self.after is None:
            return Change("removed", "edge", name, _when(one, edge))
        was, now = _asks(one, self.before), _asks(other, self.after)
        if was != now:
            return Change("changed", "edge", name, f"when {now} instead of {was}")
        if made_of(labelled(one, self.before)[1]) != made_of(labelled(other, self.after)[1]):
            return Change("changed", "edge", name, f"{now} has another body")
        return None


def _when(plan: Plan, edge: Hop) -> str:
    label, guard = labelled(plan, edge)
    words = {"always": "", "fails": "on failure", "otherwise": "otherwise"}
    return words[label] if guard is None else f"when {label}"


def _asks(plan: Plan, edge: Hop) -> str:
    """An edge's label; it is one and the same thing to be the only edge, and to be taken otherwise."""
    label, _ = labelled(plan, edge)
    return "otherwise" if label == "always" else label


def _paired(one: Plan, other: Plan, node: str) -> list[_Pair]:
    """The edges that leave a node: those that say the same, then those with the same target, then what is left."""
    left, right = (list(edges_of(plan, node)) if node in plan.nodes else [] for plan in (one, other))
    pairs = []
    for key in (_asks, _can_fail):
        for edge in list(left):
            found = (
                after for after in right if after.target == edge.target and key(other, after) == key(one, edge)
            )
            after = next(found, None)
            if after is not None:
                left.remove(edge)
                right.remove(after)
                pairs.append(_Pair(edge, after))
    return [*pairs, *(_Pair(None, edge) for edge in right), *(_Pair(edge, None) for edge in left)]


def _can_fail(_plan: Plan, edge: Hop) -> bool:
    return edge.index < 0


def _order_change(one: Plan, other: Plan, node: str, pairs: Sequence[_Pair]) -> Change | None:
    """Whether edges that both strategies have are tried in another order."""
    kept = [(pair.before.index, pair.after.index) for pair in pairs if pair.before and pair.after]
    places = [after for _, after in sorted(kept)]
    if places == sorted(places):
        return None
    orders = [", ".join(labelled(plan, hop)[0] for hop in plan.hops[node]) for plan in (one, other)]
    return Change("changed", "order", f"at {node}", " → ".join(orders))


# The picture ---------------------------------------------------------------------------------------------


@frozen
class _Marks:
    """What the picture of a difference shows."""

    one: Plan
    other: Plan
    nodes: Mapping[str, Change | None]
    pairs: Mapping[str, Sequence[_Pair]]
    orders: Mapping[str, Change | None]

    def scene(self, before: Scene, after: Scene, *, is_same: bool) -> Scene:
        """The second strategy, marked, and what only the first one has."""
        boxes = {box.name: box for scene in (before, after) for box in scene.boxes}
        return Scene(
            after.title if before.title == after.title else f"{before.title} → {after.title}",
            after.initial,
            tuple(evolve(boxes[name], mark=self._node(name)) for name in self.nodes),
            tuple(arrow for name in self.nodes for arrow in self._arrows(name, before, after)),
            "no difference" if is_same else "+ added, − removed, ≠ changed",  # noqa: RUF001  # as in the picture
        )

    def _node(self, name: str) -> Mark:
        change, order = self.nodes[name], self.orders[name]
        if change is not None and change.sort != "changed":
            return Mark(tone=change.sort)
        details = [change.detail] if change else []
        details += ["order changed"] if order else []
        if self.one.initial != self.other.initial and name in {self.one.initial, self.other.initial}:
            details.append("initial now" if name == self.other.initial else "initial no more")
        return Mark("; ".join(details), tone="changed") if details else Mark()

    def _arrows(self, name: str, before: Scene, after: Scene) -> Iterator[Arrow]:
        marks: dict[int, Mark] = {}
        for pair in self.pairs[name]:
            change = pair.change(self.one, self.other)
            if pair.after is not None and change is not None:
                marks[pair.after.index] = Mark(_badge(change), tone=change.sort)
        for arrow in after.leaving(name):
            yield evolve(arrow, mark=marks.get(arrow.index, Mark()))
        gone = {pair.before.index for pair in self.pairs[name] if pair.before and not pair.after}
        for arrow in before.leaving(name):
            if arrow.index in gone:
                yield evolve(arrow, order=0, mark=Mark(tone="removed"))


def _badge(change: Change) -> str:
    """What a changed edge was, in a few words."""
    if change.sort != "changed":
        return ""
    _, is_other, was = change.detail.partition(" instead of ")
    return f"was {was}" if is_other else "another body"


def _class_of(strategy: Strategy[Any] | type[Strategy[Any]]) -> type[Any]:
    return strategy if isinstance(strategy, type) else type(strategy)


def _told_apart(before: type[Any], after: type[Any]) -> tuple[str, str]:
    """The strategies' names, with their modules where the names are the same."""
    if before.__name__ != after.__name__:
        return before.__name__, after.__name__
    return f"{before.__module__}.{before.__name__}", f"{after.__module__}.{after.__name__}"
