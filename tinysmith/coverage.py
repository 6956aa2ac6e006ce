"""`Coverage`: which nodes, edges and guard outcomes of a strategy were seen, and how often."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from attrs import field, frozen

from tinysmith._turn import Plan
from tinysmith.errors import UsageError
from tinysmith.mapping import FrozenDict
from tinysmith.position import Hop, Position
from tinysmith.run import Run
from tinysmith.strategy import Strategy, plan_of

FAILURE = -1
"""The index of a node's failure edge."""


@frozen
class Item:
    """One thing that a run may or may not come by.

    Attributes:
        kind: What it is.
        node: The node; of an edge or a guard, the one that the edge leaves.
        index: Of an edge or a guard: which of the node's edges, from 0; -1 for the failure edge.
        verdict: Of a guard: the outcome.
        name: It in words: `critic`, `critic → writer (otherwise)`, `critic: is_clean is False`.
        seen: How often it was seen.
    """

    kind: Literal["node", "edge", "guard"]
    node: str
    index: int
    verdict: bool | None
    name: str
    seen: int


@frozen
class Coverage:
    """Which nodes, edges and guard outcomes of a strategy were seen.

    Attributes:
        plan: The strategy, compiled.
        nodes: How often each node was entered.
        edges: How often each edge was taken, by its source and its index there; -1 is the failure edge.
    """

    plan: Plan = field(repr=lambda plan: plan.name)
    nodes: FrozenDict[str, int] = FrozenDict()
    edges: FrozenDict[tuple[str, int], int] = FrozenDict()

    @classmethod
    def of(cls, *runs: Run[Any]) -> "Coverage":
        """What one or more runs of one strategy came by.

        Raises:
            UsageError: There is no run, or they are of several strategies.
        """
        plans = {plan_of(run.declared) for run in runs if run.declared is not None}
        if len(plans) != 1:
            raise UsageError(f"Coverage.of was given runs of {len(plans)} strategies. Give runs of one.")
        tally = Tally(plans.pop())
        for run in runs:
            tally.begin(run.first_hops)
            for step in run.steps:
                tally.add_hops(step.hops)
        return tally.coverage()

    def __add__(self, other: "Coverage") -> "Coverage":
        if other.plan is not self.plan:
            raise UsageError(f"Coverage of {self.plan.name} and of {other.plan.name} cannot be added.")
        return Coverage(
            self.plan,
            FrozenDict(Counter(self.nodes) + Counter(other.nodes)),
            FrozenDict(Counter(self.edges) + Counter(other.edges)),
        )

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that can be covered, nodes first, in declared order."""
        return (*self._node_items(), *self._edge_items(), *self._guard_items())

    @property
    def missing(self) -> tuple[Item, ...]:
        """What was not seen."""
        return tuple(item for item in self.items if not item.seen)

    @property
    def share(self) -> float:
        """How much of everything was seen, from 0 to 1."""
        items = self.items
        return sum(item.seen > 0 for item in items) / len(items)

    def _node_items(self) -> Iterator[Item]:
        for name in self.plan.nodes:
            yield Item("node", name, 0, None, name, self.nodes.get(name, 0))

    def _edge_items(self) -> Iterator[Item]:
        for source, hops in self.plan.hops.items():
            for hop in (*hops, *self.plan.failures.get(source, ())):
                why = f" ({hop.why})" if hop.why else ""
                name = f"{source} → {hop.target}{why}"
                yield Item("edge", source, hop.index, None, name, self.edges.get((source, hop.index), 0))

    def _guard_items(self) -> Iterator[Item]:
        for hops in self.plan.hops.values():
            for hop in hops:
                if hop.tried and hop.tried[-1][1]:
                    later = hops[hop.index + 1 :]
                    yield self._guard_item(hop, (hop,), verdict=True)
                    if later:  # else a run stops where it does not hold, for want of an edge
                        yield self._guard_item(hop, later, verdict=False)

    def _guard_item(self, hop: Hop, shown_by: Sequence[Hop], *, verdict: bool) -> Item:
        seen = sum(self.edges.get((other.source, other.index), 0) for other in shown_by)
        return Item("guard", hop.source, hop.index, verdict, f"{hop.source}: {hop.why} is {verdict}", seen)


class Tally:
    """Counts nodes and edges while runs go on.

    Args:
        plan: The strategy, compiled.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.nodes: Counter[str] = Counter()
        self.edges: Counter[tuple[str, int]] = Counter()

    def begin(self, first_hops: Iterable[Any]) -> None:
        """Counts the initial node, and the hops before the first step."""
        self.nodes[self.plan.initial] += 1
        self.add_hops(first_hops)

    def add(self, position: Position[Any]) -> None:
        """Counts what led to a position: of the first one, the initial node too."""
        if position.step == 0:
            self.begin(position.hops)
        else:
            self.add_hops(position.hops)

    def add_hops(self, hops: Iterable[Any]) -> None:
        """Counts hops, and the nodes that they led to."""
        for hop in hops:
            self.edges[hop.source, hop.index] += 1
            self.nodes[hop.target] += 1

    def coverage(self) -> Coverage:
        """What was counted so far."""
        return Coverage(self.plan, FrozenDict(self.nodes), FrozenDict(self.edges))


def coverage_of(strategy: Strategy[Any] | type[Strategy[Any]]) -> Coverage:
    """The coverage of a strategy of which nothing was seen yet."""
    return Coverage(plan_of(strategy))
