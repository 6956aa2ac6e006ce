"""Pictures of strategies, drawn from the same declaration that runs."""

from typing import Any

from tinysmith._turn import Plan
from tinysmith.nodes import Agent, Halt, Node, Panel, Rule, Tool, World
from tinysmith.position import Hop
from tinysmith.strategy import Strategy, plan_of

_SHAPES: dict[type[Node[Any]], tuple[str, str]] = {
    Agent: ("(", ")"),
    Panel: ("[[", "]]"),
    World: ("[/", "/]"),
    Tool: ("{{", "}}"),
    Rule: ("[", "]"),
    Halt: ("([", "])"),
}


def mermaid(strategy: Strategy[Any] | type[Strategy[Any]]) -> str:
    """The strategy as a Mermaid flowchart: kinds of node by shape, guards on the arrows, failure edges dashed.

    Agents are rounded, panels have double sides, world nodes slant, tools are hexagons, rules boxes, halts
    stadiums. Where several edges leave a node, they are numbered in the order in which they are tried.
    """
    plan = plan_of(strategy)
    lines = ["flowchart TD", f"    start_(( )) --> {_id(plan.initial)}"]
    for name, node in plan.nodes.items():
        left, right = _SHAPES[plan.kinds[name]]
        mark = "✓ " if isinstance(node, Halt) and node.success else ""
        lines.append(f'    {_id(name)}{left}"{mark}{name}"{right}')
    for name in plan.nodes:
        lines += [f"    {_id(name)} {_arrow(plan, hop)} {_id(hop.target)}" for hop in plan.hops[name]]
        if name in plan.failures:
            lines.append(f'    {_id(name)} -. "failed" .-> {_id(plan.failures[name][0].target)}')
    return "\n".join(lines) + "\n"


def outline(strategy: Strategy[Any] | type[Strategy[Any]]) -> str:
    """The strategy's edges as text, a line a node, in the order in which they are tried."""
    plan = plan_of(strategy)
    lines = []
    for name, hops in plan.hops.items():
        ways = [hop.target + (f" ({hop.why})" if hop.why else "") for hop in hops]
        if name in plan.failures:
            ways.append(f"{plan.failures[name][0].target} (failed)")
        if ways:
            lines.append(f"{name} → {', '.join(ways)}")
    return "\n".join(lines) + "\n"


def _arrow(plan: Plan, hop: Hop) -> str:
    if not hop.why:
        return "-->"
    number = f"{hop.index + 1}. " if len(plan.hops[hop.source]) > 1 else ""
    return f'-- "{number}{hop.why}" -->'


def _id(name: str) -> str:
    # The underscore keeps Mermaid from reading its own words, such as `end`, in a name.
    return f"{name}_"
