"""What stands on an edge: its guard's name, or a word where it has none."""

from inspect import getdoc
from typing import Any

from tinysmith._shown import one_line
from tinysmith._turn import Plan
from tinysmith.nodes import Guard
from tinysmith.position import Hop


def labelled(plan: Plan, edge: Hop) -> tuple[str, Guard[Any] | None]:
    """An edge's label ("otherwise", "always", "fails" or its guard's name), and its guard, if it has one."""
    if edge.index < 0:
        return "fails", None
    if edge.tried and edge.tried[-1][1]:
        guard = plan.guards[edge.source][len(edge.tried) - 1]
        return guard.__name__, guard
    return "otherwise" if edge.tried else "always", None


def doc_of(guard: Guard[Any] | None) -> str:
    """The first line of a guard's docstring; empty where there is none."""
    return "" if guard is None else one_line(getdoc(guard) or "")


def edges_of(plan: Plan, node: str) -> tuple[Hop, ...]:
    """The edges that leave a node, in the order in which they are tried, and its failure edge."""
    return (*plan.hops[node], *plan.failures.get(node, ()))
