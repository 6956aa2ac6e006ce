"""What a strategy's class body declares, read by names over the class and its ancestors."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from attrs import frozen

from tinysmith.errors import Finding
from tinysmith.nodes import Edge, Guard, Halt, Node


@frozen
class Arrow:
    """An edge by the names of its ends."""

    source: str
    target: str
    guard: Guard[Any] | None
    on_failure: bool


@frozen
class Declaration:
    """A class body, read.

    Attributes:
        name: The strategy's name.
        board_type: The class of its boards; None if none was named.
        nodes: Every node by name, in declared order, ancestors first.
        initial: The initial node's name; None if there is no sound one.
        arrows: The edges, in declared order.
        findings: What could not be read.
        unread: The nodes of which an edge could not be read.
    """

    name: str
    board_type: type[Any] | None
    nodes: Mapping[str, Node[Any]]
    initial: str | None
    arrows: tuple[Arrow, ...]
    findings: tuple[Finding, ...]
    unread: frozenset[str]

    def leaving(self, node: str, *, on_failure: bool = False) -> list[Arrow]:
        """The edges that leave a node, in declared order."""
        return [arrow for arrow in self.arrows if arrow.source == node and arrow.on_failure is on_failure]

    def mentioned(self) -> set[str | None]:
        """The nodes that an edge mentions, and the initial one."""
        return {end for arrow in self.arrows for end in (arrow.source, arrow.target)} | {self.initial}

    def reached(self, *starts: str, backwards: bool = False) -> set[str]:
        """The nodes that edges lead to from `starts`, these included; backwards: that lead to them."""
        found, stack = set(starts), list(starts)
        while stack:
            here = stack.pop()
            for arrow in self.arrows:
                near, far = (arrow.target, arrow.source) if backwards else (arrow.source, arrow.target)
                if near == here and far not in found:
                    found.add(far)
                    stack.append(far)
        return found


def read(cls: type[Any], root: type[Any]) -> Declaration:
    """Reads the class body of a strategy.

    Args:
        cls: The strategy's class.
        root: `Strategy` itself, where the search among the ancestors ends.
    """
    findings: list[Finding] = []
    names, nodes = _named_nodes(cls)
    board_type = board_of(cls, root)
    if board_type is None:
        problem = "it does not say which board it works on."
        remedy = f"Declare it as `class {cls.__name__}(Strategy[YourBoard])`."
        findings.append(Finding("no-board", cls.__name__, problem, remedy))
    findings += _same_under_two_names(cls, names, nodes)
    findings += _shadowing(cls, nodes, root)
    initial = _initial(cls, names, nodes, findings)
    arrows = tuple(_arrows(cls, names, nodes, findings))
    unread = frozenset(found.where.rpartition(".")[2] for found in findings if found.code == "unknown-node")
    return Declaration(cls.__name__, board_type, nodes, initial, arrows, tuple(findings), unread)


def board_of(cls: type[Any], root: type[Any]) -> type[Any] | None:
    """The board that the class, or the nearest ancestor that names one, works on."""
    for ancestor in cls.__mro__:
        for base in vars(ancestor).get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, root) and isinstance(get_args(base)[0], type):
                found: type[Any] = get_args(base)[0]
                return found
    return None


def _named_nodes(cls: type[Any]) -> tuple[dict[int, str], dict[str, Node[Any]]]:
    """Names by identity, over all ancestors (a replaced node keeps its name), and the nodes in force."""
    names: dict[int, str] = {}
    nodes: dict[str, Node[Any]] = {}
    for ancestor in reversed(cls.__mro__):
        for name, value in vars(ancestor).items():
            if isinstance(value, Node) and name != "initial":
                names.setdefault(id(value), name)
                nodes[name] = value
    in_force = {name: getattr(cls, name) for name in nodes}
    return names, {name: node for name, node in in_force.items() if isinstance(node, Node)}


def _same_under_two_names(
    cls: type[Any], names: Mapping[int, str], nodes: Mapping[str, Node[Any]]
) -> Iterator[Finding]:
    for name, node in nodes.items():
        earlier = names[id(node)]
        if earlier != name:
            problem = f"it is the same instance as {earlier}, so a run could not tell them apart."
            yield Finding("two-names", f"{cls.__name__}.{name}", problem, "Make a second instance.")


def _shadowing(cls: type[Any], nodes: Mapping[str, Node[Any]], root: type[Any]) -> Iterator[Finding]:
    for name in nodes:
        if hasattr(root, name) or name in root.__annotations__:
            problem = f"a node of this name hides Strategy.{name}."
            yield Finding("shadowed-method", f"{cls.__name__}.{name}", problem, "Rename the node.")


def _initial(
    cls: type[Any], names: Mapping[int, str], nodes: Mapping[str, Node[Any]], findings: list[Finding]
) -> str | None:
    initial = getattr(cls, "initial", None)
    known = ", ".join(nodes) or "none yet"
    if initial is None:
        problem, remedy = "it has no initial node.", f"Add `initial = …` with one of its nodes ({known})."
        findings.append(Finding("no-initial", cls.__name__, problem, remedy))
        return None
    name = names.get(id(initial))
    if name is None or name not in nodes:
        problem = f"its initial is {_shown(initial)}, which is none of its nodes."
        remedy = f"Make it an attribute of the class, or take one of {known}."
        findings.append(Finding("no-initial", cls.__name__, problem, remedy))
        return None
    if isinstance(nodes[name], Halt):
        problem = "the initial node is a halt, so a run would end before it began."
        findings.append(Finding("no-initial", f"{cls.__name__}.{name}", problem, "Begin elsewhere."))
        return None
    return name


def _arrows(
    cls: type[Any], names: Mapping[int, str], nodes: Mapping[str, Node[Any]], findings: list[Finding]
) -> Iterator[Arrow]:
    edges = getattr(cls, "edges", ())
    if not isinstance(edges, tuple):
        problem = f"its edges are a {type(edges).__name__}."
        findings.append(Finding("not-an-edge", cls.__name__, problem, "Write a tuple: edges = (a.to(b), …)."))
        return
    for place, edge in enumerate(edges):
        if not isinstance(edge, Edge):
            problem = f"edges[{place}] is {_shown(edge)}, which is no edge."
            findings.append(Finding("not-an-edge", cls.__name__, problem, "Write `source.to(target)`."))
            continue
        ends = [names.get(id(end), "") for end in (edge.source, edge.target)]
        strange = [
            (side, end)
            for side, end, name in zip(("source", "target"), (edge.source, edge.target), ends, strict=True)
            if name not in nodes
        ]
        for side, end in strange:
            where = f"{cls.__name__}.{ends[0]}" if side == "target" and ends[0] in nodes else cls.__name__
            problem = f"the {side} of edges[{place}] is {_shown(end)}, which is no attribute of {cls.__name__}."
            remedy = "Make it an attribute of the class, or use one of its own nodes."
            findings.append(Finding("unknown-node", where, problem, remedy))
        if not strange:
            yield Arrow(ends[0], ends[1], edge.guard, edge.on_failure)


def _shown(value: object) -> str:
    if isinstance(value, Node):
        article = "an" if type(value).__name__[0] in "AEIOU" else "a"
        return f"{article} {type(value).__name__} node"
    return f"{value!r}" if len(repr(value)) <= 60 else f"a {type(value).__name__}"
