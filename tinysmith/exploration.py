"""`explore` and `reach`: everything that a strategy can do over finite sets of answers.

The idea is that of explicit-state model checking, as in Holzmann: "The Model Checker SPIN", 1997,
doi:10.1109/32.588521; what is searched are the positions that the fold itself makes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from tinysmith._alphabet import Alphabet, Given, alphabet
from tinysmith._beginnings import first_boards
from tinysmith._exploration_text import lines
from tinysmith._search import Fault, Search, Trail, Visit
from tinysmith._shown import near
from tinysmith._soundness import OUTCOMES
from tinysmith.conversation import Conversation
from tinysmith.coverage import Coverage, Item
from tinysmith.errors import NoEdgeError, UsageError
from tinysmith.mapping import FrozenDict
from tinysmith.nodes import Node
from tinysmith.position import Hop
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")

DEPTH = 60
MAX_POSITIONS = 5_000
WALKS = 400


@frozen(eq=False)
class Exploration(Generic[B]):
    """What a search of a strategy came by."""

    strategy: Strategy[B]
    _search: Search = field(repr=False, alias="search")

    @property
    def is_complete(self) -> bool:
        """Whether every position over the alphabet was come to."""
        return not self._search.cut

    @property
    def cut(self) -> str:
        """The bound that the search was stopped by; empty where it is complete."""
        return self._search.cut

    @property
    def positions(self) -> int:
        """How many different positions were come to, the last ones of runs not counted."""
        return len(self._search.parents)

    @property
    def walked(self) -> int:
        """How many walks went deeper than the search of all positions."""
        return self._search.walked

    @property
    def depth(self) -> int:
        """The most events of a run that were folded."""
        return self._search.deepest

    @cached_property
    def coverage(self) -> Coverage:
        """The nodes and edges that were come by, with the number of transitions."""
        plan = plan_of(self.strategy)
        edges = {(hop.source, hop.index): self._search.counts[id(hop)] for hop in self._hops()}
        nodes: dict[str, int] = {plan.initial: len(self._search.roots)}
        for hop in self._hops():
            nodes[hop.target] = nodes.get(hop.target, 0) + edges[hop.source, hop.index]
        return Coverage(plan, FrozenDict(nodes), FrozenDict(edges))

    @property
    def outcomes(self) -> Mapping[str, Conversation[B]]:
        """How runs ended, each with the shortest conversation that was found."""
        return {name: self._search.conversation(trail) for name, trail in self._search.outcomes.items()}

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What raised: a node's method, a guard, a position with no way on."""
        return tuple(self._search.faults.values())

    @property
    def deadlocks(self) -> tuple[Fault, ...]:
        """Where a run stands and none of the guards holds."""
        return tuple(fault for fault in self.faults if isinstance(fault.error, NoEdgeError))

    def to(self, target: str | Item) -> Conversation[B] | None:
        """The shortest conversation to a node, an outcome, or an item of a coverage; None where none was found.

        It is the shortest there is if the search of all positions came to it; walks only find some.

        Raises:
            UsageError: The strategy has nothing of that name.
        """
        found = [self._search.conversation(trail) for trail in self._trails(target)]
        return min(found, key=lambda conversation: len(conversation.events), default=None)

    def _trails(self, target: str | Item) -> Iterator[Trail]:
        plan, search = plan_of(self.strategy), self._search
        if isinstance(target, str):
            known = [*plan.nodes, *OUTCOMES]
            if target not in known:
                raise UsageError(f"{plan.name} has no node and no outcome {target!r}. {near(target, known)}")
            if target == plan.initial:
                yield (search.roots[0], ())
            if target in search.outcomes:
                yield search.outcomes[target]
            yield from (search.first[id(hop)] for hop in self._hops() if hop.target == target)
        elif target.kind == "node":
            yield from self._trails(target.node)
        else:
            leaving = [hop for hop in self._hops() if hop.source == target.node]
            yield from (search.first[id(hop)] for hop in leaving if _shows(hop, target))

    @cached_property
    def livelock(self) -> Conversation[B] | None:
        """The shortest conversation to a position from which no answer leads to a halt any more.

        None where there is none, where the strategy has no halts, or where the search is not complete.
        """
        search = self._search
        if not self.is_complete or not search.halting:
            return None
        before = _by(search.targets, search.sources)
        good = set(search.halting)
        stack = list(good)
        while stack:
            for source in before.get(stack.pop(), ()):
                if source not in good:
                    good.add(source)
                    stack.append(source)
        trapped = next((number for number in range(self.positions) if number not in good), None)
        return None if trapped is None else search.conversation(trapped)

    def cycle(self, *, avoiding: type[Node[Any]] | None = None) -> Conversation[B] | None:
        """A conversation that ends in a position where it was before; None where none was found.

        Args:
            avoiding: A kind of node that the way round does not come by, such as `World`.
        """
        order = self._order(avoiding)
        if not isinstance(order, CycleError):
            return None
        numbers: list[int] = order.args[1]
        told = self._search.conversation(numbers[0])
        around = [self._search.step(here, there) for here, there in pairwise(numbers)]
        return Conversation(self.strategy, told.board, (*told.events, *around), told.limits)

    @property
    def most_seen(self) -> tuple[int, int]:
        """The most asks and the most environment steps of any run that was come by."""
        return self._search.most_asks, self._search.most_steps

    @cached_property
    def most(self) -> tuple[int, int] | None:
        """The most asks and the most environment steps of a run, where each reply is taken at once.

        None where a run need not end, and where the search is not complete.
        """
        order = self._order(None)
        if not self.is_complete or isinstance(order, CycleError):
            return None
        ways = _by(self._search.sources, self._search.targets)
        asks, steps = [0] * self.positions, [0] * self.positions
        for number in order:
            asks[number] += self._cost(number, 0)
            steps[number] += self._cost(number, 1)
            for target in ways.get(number, ()):
                asks[target] = max(asks[target], asks[number])
                steps[target] = max(steps[target], steps[number])
        return max(asks, default=0), max(steps, default=0)

    def _cost(self, number: int, which: int) -> int:
        """What it costs to come to a position from the one before it."""
        parent = self._search.parents[number]
        before = self._search.spent[parent][which] if parent >= 0 else 0
        return self._search.spent[number][which] - before

    def _order(self, avoiding: type[Node[Any]] | None) -> Sequence[int] | CycleError:
        """The positions, each after those that lead to it; or why there is no such order."""
        kinds = plan_of(self.strategy).kinds
        left_out = {number for number, key in enumerate(self._search.keys) if kinds[key[0]] is avoiding}
        before = _by(self._search.targets, self._search.sources)
        graph = {
            number: [source for source in before.get(number, ()) if source not in left_out]
            for number in range(self.positions)
            if number not in left_out
        }
        try:
            return tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            return error

    def _hops(self) -> Iterator[Hop]:
        """The hops that were come by."""
        plan = plan_of(self.strategy)
        for name, hops in plan.hops.items():
            for hop in (*hops, *plan.failures.get(name, ())):
                if id(hop) in self._search.counts:
                    yield hop

    def __str__(self) -> str:
        """What was found, for a person."""
        return "\n".join(lines(self))


def explore(
    strategy: Strategy[B] | type[Strategy[B]],
    *,
    boards: Sequence[B] | None = None,
    replies: Given | None = None,
    observations: Given | None = None,
    results: Given | None = None,
    has_failures: bool = True,
    depth: int = DEPTH,
    max_positions: int = MAX_POSITIONS,
    walks: int = WALKS,
) -> Exploration[B]:
    """All positions that a strategy can come to, if it is answered with these and nothing else.

    The search is breadth first, so what it finds it finds by the shortest way. Where a bound stops it, random
    walks, the same every time, go deeper. It has no limits: the strategy alone decides how long a run is.

    Args:
        strategy: What is searched.
        boards: First boards; by default the one that `brief` makes of a plain task, or the board's defaults.
        replies: By agent or panel, what it is answered with: texts or `Reply`s. By default its `samples`.
        observations: By world node: texts or `Observation`s. By default a text, none, and an error, with and
            without a reward, over or not.
        results: By tool node: values. By default some of the tool's declared type, which needs Hypothesis.
        has_failures: Whether requests may also fail, and prompts be too long where an agent can shorten them.
        depth: How many events a run has at most.
        max_positions: How many different positions are kept at most; each takes some 1 to 3 kB, and more where
            boards are large.
        walks: How many walks follow where the search is not complete.

    Raises:
        UsageError: A mapping names a node that is not there, or there is no first board to begin with.
    """
    made = strategy() if isinstance(strategy, type) else strategy
    return searched(
        made,
        first_boards(made) if boards is None else boards,
        alphabet(
            plan_of(made), replies=replies, observations=observations, results=results, has_failures=has_failures
        ),
        bounds=Bounds(depth, max_positions, walks),
    )


def reach(strategy: Strategy[B] | type[Strategy[B]], target: str | Item, **options: Any) -> Conversation[B] | None:
    """The shortest conversation that was found to a node, an outcome or an item of a coverage; None for none.

    Args:
        strategy: What is searched.
        target: Such as "solved", "critic", "max_hops", or one of `coverage.missing`.
        options: Those of `explore`.

    Raises:
        UsageError: The strategy has nothing of that name.
    """
    return explore(strategy, **options).to(target)


@frozen
class Bounds:
    """How far a search goes."""

    depth: int = DEPTH
    max_positions: int = MAX_POSITIONS
    walks: int = WALKS


def searched(
    strategy: Strategy[B],
    boards: Sequence[B],
    letters: Alphabet,
    *,
    bounds: Bounds = Bounds(),
    visit: Visit | None = None,
) -> Exploration[B]:
    """A search from these boards, whose every transition is shown to `visit`."""
    search = Search(strategy, letters, depth=bounds.depth, max_positions=bounds.max_positions, visit=visit)
    search.breadth(boards)
    if search.cut:
        search.walks(boards, bounds.walks)
    return Exploration(strategy, search)


def _shows(hop: Hop, item: Item) -> bool:
    """Whether taking a hop shows an edge or a guard's outcome: a guard that held was the last to be asked."""
    if item.kind == "edge":
        return hop.index == item.index
    return hop.index == item.index if item.verdict else hop.index > item.index


def _by(keys: Iterable[int], values: Iterable[int]) -> dict[int, list[int]]:
    grouped: dict[int, list[int]] = {}
    for key, value in zip(keys, values, strict=True):
        grouped.setdefault(key, []).append(value)
    return grouped
