"""`explore` and `reach`: everything that a strategy can do over finite sets of answers.

The idea is that of explicit-state model checking, as in Holzmann: "The Model Checker SPIN", 1997,
doi:10.1109/32.588521; what is searched are the positions that the fold itself makes.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from graphlib import CycleError
from itertools import pairwise
from typing import Any, Generic, TypeVar

from attrs import evolve, field, frozen

from tinysmith import _graph
from tinysmith._alphabet import Alphabet, Given, alphabet
from tinysmith._beginnings import first_boards
from tinysmith._exploration_text import lines
from tinysmith._search import Fault, Search, Trail, Visit, Walked
from tinysmith._shortening import plainer, shortened
from tinysmith._shown import near
from tinysmith._soundness import OUTCOMES
from tinysmith.conversation import Conversation
from tinysmith.coverage import Coverage, Item, coverage_of
from tinysmith.errors import NoEdgeError, UsageError
from tinysmith.mapping import FrozenDict
from tinysmith.messages import Event
from tinysmith.nodes import Halt, Node
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

    @cached_property
    def outcomes(self) -> Mapping[str, Conversation[B]]:
        """How runs ended, each with the shortest conversation that was found."""
        return {name: self._told(trail, name) for name, trail in self._search.outcomes.items()}

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
        found = [self._told(trail, target) for trail in self._trails(target)]
        return min(found, key=lambda conversation: len(conversation.events), default=None)

    def _told(self, trail: Walked, target: str | Item) -> Conversation[B]:
        """The conversation along a trail; of a long walk, what is needed of it, in plain words."""
        told = self._search.conversation(trail)
        if len(told.events) <= self._search.level + 1:
            return told
        shows = partial(_leads_to, told, self._item(target))
        events = shortened(told.events, shows)
        return evolve(told, events=plainer(events, partial(self._search.choices, told), shows))

    def _trails(self, target: str | Item) -> Iterator[Walked]:
        plan, search, item = plan_of(self.strategy), self._search, self._item(target)
        if isinstance(item, str):
            if item in search.outcomes:
                yield search.outcomes[item]
        elif item.kind == "node" and item.node == plan.initial and search.roots:
            yield search.roots[0], ()
        if isinstance(item, Item):
            yield from (search.first[id(hop)] for hop in self._hops() if _shows(hop, item))

    def _item(self, target: str | Item) -> str | Item:
        """What a name names: an outcome that is no node, or an item."""
        if isinstance(target, Item) or target in OUTCOMES:
            return target
        items = {item.name: item for item in coverage_of(self.strategy).items}
        if target not in items:
            name = plan_of(self.strategy).name
            raise UsageError(f"{name} has no node and no outcome {target!r}. {near(target, (*items, *OUTCOMES))}")
        return items[target]

    def conversation(self, trail: Trail) -> Conversation[B]:
        """The conversation along a trail that the search told of."""
        return self._search.conversation(trail)

    @cached_property
    def livelock(self) -> Conversation[B] | None:
        """The shortest conversation to a position from which no answer leads to a halt any more.

        What is about to end in another way, because the environment is over or a seat of a panel is lost, is none.
        None where there is none, where the strategy has no halts, or where the search is not complete.
        """
        if not self.is_complete or Halt not in plan_of(self.strategy).kinds.values():
            return None
        number = _graph.trapped(self._search)
        return None if number is None else self._search.conversation(number)

    def cycle(self, *, avoiding: type[Node[Any]] | None = None) -> Conversation[B] | None:
        """A conversation that ends in a position where it was before; None where none was found.

        Args:
            avoiding: A kind of node that the way round does not come by, such as `World`.
        """
        kinds, keys = plan_of(self.strategy).kinds, self._search.keys
        left_out = frozenset(number for number, key in enumerate(keys) if kinds[key[0]] is avoiding)
        order = _graph.ordered(self._search, left_out)
        if not isinstance(order, CycleError):
            return None
        numbers: list[int] = order.args[1]
        told = self._search.conversation(numbers[0])
        around = [self._search.step(here, there) for here, there in pairwise(numbers)]
        return evolve(told, events=(*told.events, *around))

    @property
    def most_seen(self) -> tuple[int, int]:
        """The most asks and the most environment steps of any run that was come by."""
        return self._search.most_asks, self._search.most_steps

    @cached_property
    def most(self) -> tuple[int, int] | None:
        """The most asks and the most environment steps of a run, where each reply is taken at once.

        None where a run need not end, and where the search is not complete.
        """
        if not self.is_complete:
            return None
        order = _graph.ordered(self._search)
        return None if isinstance(order, CycleError) else _graph.most(self._search, order)

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
    sought: Sequence[str | Item] = (),
) -> Exploration[B]:
    """All positions that a strategy can come to, if it is answered with these and nothing else.

    The search is breadth first, so what it finds it finds by the shortest way. Where a bound stops it, random
    walks, the same every time, go deeper. It has no limits: the strategy alone decides how long a run is.

    Args:
        strategy: What is searched.
        boards: First boards; by default the one that `brief` makes of a plain task, or the board's defaults.
        replies: By agent or panel, what it is answered with: texts or `Reply`s. By default its `samples`.
        observations: By world node: texts or `Observation`s. By default some of each sort.
        results: By tool node: values. By default some of the tool's type, which needs Hypothesis.
        has_failures: Whether requests may also fail, and prompts be too long where an agent can shorten them.
        depth: How many events a run has at most.
        max_positions: How many positions are kept at most; each takes some 0.5 to 2 kB while the search goes on.
        walks: How many walks follow where the search is not complete.
        sought: What `Exploration.to` takes: once it came to all of these, the search is content.

    Raises:
        UsageError: A mapping names a node that is not there, or there is no first board to begin with.
    """
    made = strategy() if isinstance(strategy, type) else strategy
    given = {"replies": replies, "observations": observations, "results": results}
    letters = alphabet(plan_of(made), **given, has_failures=has_failures)
    begins = first_boards(made) if boards is None else boards
    return searched(made, begins, letters, bounds=Bounds(depth, max_positions, walks), sought=sought)


def reach(strategy: Strategy[B] | type[Strategy[B]], target: str | Item, **options: Any) -> Conversation[B] | None:
    """The shortest conversation that was found to a node, an outcome or an item of a coverage; None for none.

    Args:
        strategy: What is searched.
        target: Such as "solved", "critic → writer (otherwise)", "max_hops", or one of `coverage.missing`.
        options: Those of `explore`.

    Raises:
        UsageError: The strategy has nothing of that name.
    """
    return explore(strategy, sought=[target], **options).to(target)


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
    sought: Sequence[str | Item] = (),
    until_covered: bool = False,
    always_walks: bool = False,
) -> Exploration[B]:
    """A search from these boards, whose every transition is shown to `visit`.

    It ends once it came to everything `sought`; with `until_covered`, once every edge was taken. With
    `always_walks` the walks, in which models reply carelessly too, follow also where every position was come to.
    """
    if not boards:
        raise UsageError("boards= is empty. Give one board at least.")
    search = Search(strategy, letters, depth=bounds.depth, max_positions=bounds.max_positions, visit=visit)
    found = Exploration(strategy, search)
    edges = [item for item in coverage_of(strategy).items if item.kind == "edge"] if until_covered else []
    left = [*sought, *edges]

    def is_enough() -> bool:
        while left and next(found._trails(left[-1]), None) is not None:  # noqa: SLF001  # of this very module
            left.pop()
        return not left and bool(sought or edges)

    search.breadth(boards, is_enough)
    if search.cut or always_walks:
        search.walks(boards, bounds.walks, is_enough)
    return found


def _leads_to(told: Conversation[Any], target: str | Item, events: tuple[Event, ...]) -> bool:
    """Whether these events, in place of a conversation's own, lead to a target with their last one."""
    try:
        *_, last = evolve(told, events=events).positions()
    except Exception:  # noqa: BLE001  # events that do not fit each other lead nowhere
        return False
    if isinstance(target, Item):
        return any(_shows(hop, target) for hop in last.hops)
    return last.done is not None and last.done.outcome == target


def _shows(hop: Hop, item: Item) -> bool:
    """Whether taking a hop shows an item: a guard that held was the last to be asked."""
    if item.kind == "node":
        return hop.target == item.node
    if hop.source != item.node:
        return False
    return hop.index > item.index if item.verdict is False else hop.index == item.index
