"""What is known of a run before its first step, and how that is saved."""

import json
import sys
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

from attrs import field, frozen

from tinysmith._code import Made, made_of
from tinysmith._codec import codec
from tinysmith._turn import Plan
from tinysmith.journal._boards import BoardCodec
from tinysmith.limits import Limits
from tinysmith.mapping import EMPTY, JSON, FrozenDict
from tinysmith.nodes import Node
from tinysmith.protocols import Task

FORMAT = 1
"""The version of what is packed into heads and rows."""


@frozen
class Header:
    """What is known of a run before its first step.

    Attributes:
        strategy: The strategy's name. Nothing is ever imported by it.
        fingerprint: Of what the strategy is made of, its nodes' code included.
        limits: What the run may spend.
        task: The episode's task.
        opening: The environment's first observation.
        seed: What the environment was reset with.
        models: The models' names by node.
        environment: The class of the environment, and its variant; empty where there was none.
        begun_at: When it began: an ISO date and time, UTC.
        versions: Of Python and of this package.
    """

    strategy: str
    fingerprint: str
    limits: Limits
    task: Task | None = None
    opening: str = ""
    seed: int | None = None
    models: FrozenDict[str, str] = EMPTY
    environment: str = ""
    begun_at: str = ""
    versions: FrozenDict[str, str] = field(default=EMPTY)


HEADER = codec(Header, "header", any_json=True)


@cache
def versions() -> FrozenDict[str, str]:
    """The versions of what runs here."""
    from importlib.metadata import version  # noqa: PLC0415  # few programs need it

    python = ".".join(map(str, sys.version_info[:3]))
    return FrozenDict({"python": python, "tinysmith": version("tinysmith-fsm")})


def named(models: Mapping[str, Any]) -> FrozenDict[str, str]:
    """The models by node, as they are called; never with a key."""
    return FrozenDict({node: str(getattr(model, "model", type(model).__name__)) for node, model in models.items()})


def graph_data(plan: Plan) -> dict[str, JSON]:
    """A strategy's graph as JSON data: nodes with their kinds, and edges in declared order."""
    return {
        "initial": plan.initial,
        "nodes": {name: kind.__name__.lower() for name, kind in plan.kinds.items()},
        "edges": {
            name: [[hop.target, hop.tried[-1][0] if hop.tried and hop.tried[-1][1] else None] for hop in hops]
            for name, hops in plan.hops.items()
            if hops
        },
        "failures": {name: hop.target for name, (hop,) in plan.failures.items()},
    }


_KNOWN: dict[int, tuple[Plan, str, BoardCodec, str]] = {}


def compiled(plan: Plan) -> tuple[str, BoardCodec, str]:
    """A strategy's fingerprint, the codec of its boards, and its graph as JSON; made once for each class."""
    known = _KNOWN.get(id(plan))
    if known is None:
        graph = json.dumps(graph_data(plan))
        known = _KNOWN[id(plan)] = (plan, _fingerprint(plan, graph), BoardCodec(plan.board_type), graph)
    return known[1:]


def _fingerprint(plan: Plan, graph: str) -> str:
    nodes = [(name, _node(node)) for name, node in plan.nodes.items()]
    guards = [(name, *(made_of(guard) for guard in guards)) for name, guards in plan.guards.items()]
    digest = blake2b(digest_size=8)
    for part in (graph, *(_written(made) for made in (*nodes, *guards))):
        digest.update(part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _node(node: Node[Any]) -> Made:
    methods = {
        name: value
        for kind in reversed(type(node).__mro__)
        if kind.__module__ != "tinysmith.nodes"
        for name, value in vars(kind).items()
        if not name.startswith("__")
    }
    held = {name: value for name, value in vars(node).items() if not name.startswith("_")}
    return tuple((name, made_of(value)) for name, value in sorted((methods | held).items()))


def _written(made: Any) -> str:
    """What something is made of, as text: the same in every process, although sets have no order."""
    if isinstance(made, frozenset):
        return f"{{{','.join(sorted(map(_written, made)))}}}"
    return f"({','.join(map(_written, made))})" if isinstance(made, tuple) else repr(made)
