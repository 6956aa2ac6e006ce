"""The search over a strategy's positions: breadth first, all of them; and swarms of deep walks beyond.

Charter: only the fold makes positions; who looks on at runs is not told of them, since nobody plays. Two positions
are one where their future is the same: node, board, what is pending and heard of a panel, whether the environment
is over, whether the prompt was shortened. What was spent is left out, because a search has no limits, and so is
how often a node asked again. Memory is bounded by the number of positions: of each, its key, its parent, the
event that led to it and the arcs that leave it are kept, and the whole of it only until it has been expanded.
"""

import random
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from tinysmith import _fold
from tinysmith._alphabet import Alphabet, addressed
from tinysmith._sameness import key_of, makes_way
from tinysmith.conversation import Conversation
from tinysmith.errors import BoardError, RunError
from tinysmith.limits import UNLIMITED
from tinysmith.messages import Event, Failed
from tinysmith.position import Position
from tinysmith.strategy import Strategy, plan_of

LIMITS = evolve(UNLIMITED, max_hops=50)
"""Cycles of rules alone end; else nothing stops a search but its own bounds."""

MOST_FAULTS = 50

Walked: TypeAlias = tuple[Any, tuple[Event, ...]]
"""A first board, and the events from there on."""
Trail: TypeAlias = int | Walked
"""How a position was come to: the number of one that is kept, or a walk."""
Visit: TypeAlias = Callable[[Position[Any], Any, Event, Position[Any], Trail], None]
"""Is told of a transition: the position before, its request, the event, the position after, how it came there."""


@frozen
class Fault:
    """Something raised.

    Attributes:
        conversation: What led to it; its last event is the one that cannot be folded.
        node: Where it raised.
        error: What was raised.
    """

    conversation: Conversation[Any]
    node: str
    error: Exception

    @property
    def problem(self) -> str:
        """What is wrong, in words."""
        name = "" if isinstance(self.error, RunError) else f"{type(self.error).__name__}: "
        return f"{name}{self.error}"

    @property
    def path(self) -> tuple[str, ...]:
        """The nodes that the run came by before."""
        if not self.conversation.events:
            return (self.node,)
        return evolve(self.conversation, events=self.conversation.events[:-1]).path


class Search:
    """Walks the positions of a strategy.

    Args:
        strategy: What is searched.
        alphabet: What its nodes are answered with.
        depth: How many events a run has at most.
        max_positions: How many positions are kept at most.
        visit: Is told of every transition.
    """

    def __init__(
        self,
        strategy: Strategy[Any],
        alphabet: Alphabet,
        *,
        depth: int,
        max_positions: int,
        visit: Visit | None = None,
    ) -> None:
        self.strategy = strategy
        self.plan = plan_of(strategy)
        self.alphabet = alphabet
        self.depth = depth
        self.max_positions = max_positions
        self.visit = visit
        self.roots: list[Any] = []
        self.keys: dict[Any, int] = {}
        self.parents = array("q")
        self.events: list[Event | None] = []
        self.asks, self.steps = array("q"), array("q")
        self.sources, self.targets = array("q"), array("q")
        self.counts: dict[int, int] = {}
        self.first: dict[int, Walked] = {}
        self.outcomes: dict[str, Walked] = {}
        self.halting: set[int] = set()
        self.ending: set[int] = set()
        self.doomed: set[int] = set()
        self.faults: dict[tuple[str, str], Fault] = {}
        self.cut = ""
        self.is_full = False
        self.level = 0
        self.deepest = 0
        self.most_asks = 0
        self.most_steps = 0
        self.walked = 0

    # Breadth first --------------------------------------------------------------------------------------

    def breadth(self, boards: Sequence[Any], until: Callable[[], bool] = lambda: False) -> None:
        """Comes to every position in the order of its distance from the first boards, or stops at a bound."""
        queue: deque[tuple[int, Position[Any]]] = deque()
        for board in boards:
            self._root(board, queue)
        while queue and not self.is_full:
            if until():
                self.cut = "what was sought"
                return
            number, position = queue.popleft()
            self.level = position.step
            if position.step >= self.depth:
                self.cut = f"depth {self.depth}"
            else:
                self._expand(number, position, queue)

    def _root(self, board: Any, queue: deque[tuple[int, Position[Any]]]) -> None:
        first = self._begin(board)
        if first is None:
            return
        self.roots.append(board)
        self._walked_to(first, (board, ()))
        if first.done is None and self._known(first) is None and self._has_room():
            queue.append((self._keep(first, -len(self.roots), None), first))

    def _begin(self, board: Any) -> Position[Any] | None:
        try:
            first = _fold.start(self.plan, board, LIMITS)
            self._known(first)
        except Exception as error:  # noqa: BLE001  # whatever a node or guard raises is what is looked for
            self._fault(Conversation(self.strategy, board, (), LIMITS), error)
            return None
        return first

    def _expand(self, number: int, position: Position[Any], queue: deque[tuple[int, Position[Any]]]) -> None:
        """Answers the first request in every way, unless there is no room for what comes of it."""
        request: Any = position.requests[0]
        for event in addressed(self.alphabet.narrow[request.node], request):
            try:
                after = _fold.advance(self.plan, position, event)
                known = self._known(after)
            except Exception as error:  # noqa: BLE001  # as above
                self._fault(self.conversation(self._trail(number, event)), error)
                continue
            if self.visit is not None:
                self.visit(position, request, event, after, number)
            if after.hops:
                self._note(after, number, event)
            if after.done is not None:
                self._end(number, event, after)
                continue
            if known is None:
                if not self._has_room():
                    return
                known = self._keep(after, number, event)
                queue.append((known, after))
            if makes_way(position, after):
                self.sources.append(number)
                self.targets.append(known)

    def _has_room(self) -> bool:
        if len(self.keys) < self.max_positions:
            return True
        self.cut = f"{self.max_positions:,} positions"
        self.is_full = True
        return False

    def _known(self, position: Position[Any]) -> int | None:
        """The number of a position that is kept."""
        try:
            return self.keys.get(key_of(position))
        except TypeError as error:
            problem = f"its board cannot be kept ({error}). Put on the board what its type says."
            raise BoardError(problem, strategy=self.plan.name, node=position.node, step=position.step) from error

    def _end(self, number: int, event: Event, after: Position[Any]) -> None:
        done: Any = after.done
        if done.outcome in self.plan.nodes:
            self.halting.add(number)
        elif number in self.doomed:
            self.ending.add(number)
        if done.outcome not in self.outcomes:
            self.outcomes[done.outcome] = self._trail(number, event)
        self._measure(after)

    def _keep(self, position: Position[Any], parent: int, event: Event | None) -> int:
        """Keeps a position, and gives it its number; a first one's parent is its board's place, from -1 down."""
        number = self.keys[key_of(position)] = len(self.parents)
        self.parents.append(parent)
        self.events.append(event)
        self.asks.append(position.spent.asks)
        self.steps.append(position.spent.steps)
        if position.over or any(isinstance(answer, Failed) for _, answer in position.heard):
            self.doomed.add(number)  # it is bound to end soon, whatever else is answered
        self._measure(position)
        return number

    def _note(self, position: Position[Any], number: int, event: Event) -> None:
        first, counts = self.first, self.counts
        for hop in position.hops:
            name = id(hop)  # hops are made once a strategy, and live as long
            if name in counts:
                counts[name] += 1
            else:
                counts[name] = 1
                first[name] = self._trail(number, event)

    def _trail(self, number: int, event: Event) -> Walked:
        told = self.conversation(number)
        return told.board, (*told.events, event)

    def _measure(self, position: Position[Any]) -> None:
        spent = position.spent
        self.deepest = max(self.deepest, position.step)
        self.most_asks = max(self.most_asks, spent.asks)
        self.most_steps = max(self.most_steps, spent.steps)

    # Walks ----------------------------------------------------------------------------------------------

    def walks(self, boards: Sequence[Any], count: int, until: Callable[[], bool] = lambda: False) -> None:
        """Walks at random, but the same way every time, deeper than a search of all positions could.

        Each walk draws from a small part of the alphabet of its own, so that some walks repeat themselves, some
        never fail, some never end: swarm testing, of Groce, Zhang, Eide, Chen, Regehr: "Swarm Testing", 2012,
        doi:10.1145/2338965.2336763.
        """
        for number in range(count):
            if until():
                return
            draw = random.Random(number)  # noqa: S311  # no secret
            self._walk(boards[number % len(boards)], draw)
            self.walked += 1

    def _walk(self, board: Any, draw: random.Random) -> None:
        position = self._begin(board)
        part = {name: _part(events, draw) for name, events in self.alphabet.wide.items()}
        events: tuple[Event, ...] = ()
        while position is not None and position.done is None and position.step < self.depth:
            request: Any = position.requests[0]
            event = draw.choice(addressed(part[request.node], request))
            events = (*events, event)
            try:
                after = _fold.advance(self.plan, position, event)
            except Exception as error:  # noqa: BLE001  # as above
                self._fault(Conversation(self.strategy, board, events, LIMITS), error)
                return
            if self.visit is not None:
                self.visit(position, request, event, after, (board, events[:-1]))
            self._walked_to(after, (board, events))
            position = after

    def _walked_to(self, after: Position[Any], trail: Walked) -> None:
        for hop in after.hops:
            name = id(hop)
            self.counts[name] = self.counts.get(name, 0) + 1
            self.first[name] = _shorter(trail, self.first.get(name))
        if after.done is not None:
            outcome = after.done.outcome
            self.outcomes[outcome] = _shorter(trail, self.outcomes.get(outcome))
        self._measure(after)

    # Single arcs ----------------------------------------------------------------------------------------

    def step(self, source: int, target: int) -> Event:
        """The answer that leads from one kept position to another, to which it is known to lead."""
        told = self.conversation(source)
        *_, position = told.positions()
        key = list(self.keys)[target]
        return next(event for event in self.choices(told, told.events) if self._leads(position, event, key))

    def choices(self, told: Conversation[Any], events: tuple[Event, ...]) -> Sequence[Event]:
        """The answers that may follow some events, in place of a conversation's own."""
        *_, position = evolve(told, events=events).positions()
        request: Any = position.requests[0]
        return addressed(self.alphabet.narrow[request.node], request)

    def _leads(self, position: Position[Any], event: Event, key: Any) -> bool:
        try:
            after = _fold.advance(self.plan, position, event)
        except Exception:  # noqa: BLE001  # it is among the faults already
            return False
        return makes_way(position, after) and bool(key_of(after) == key)

    # What was found -------------------------------------------------------------------------------------

    def conversation(self, trail: Trail) -> Conversation[Any]:
        """The conversation along a trail."""
        if isinstance(trail, tuple):
            return Conversation(self.strategy, trail[0], trail[1], LIMITS)
        events: list[Event] = []
        while self.parents[trail] >= 0:
            event: Any = self.events[trail]
            events.append(event)
            trail = self.parents[trail]
        return Conversation(self.strategy, self.roots[-1 - self.parents[trail]], tuple(reversed(events)), LIMITS)

    def _fault(self, conversation: Conversation[Any], error: Exception) -> None:
        node = _fold.raised_at(error)
        said = str(error).partition(": ")[2] if isinstance(error, RunError) else str(error)  # whatever the step
        name = (node, f"{type(error).__name__}: {said}"[:200])
        if name not in self.faults and len(self.faults) < MOST_FAULTS:
            self.faults[name] = Fault(conversation, node, error)


def _shorter(trail: Walked, known: Walked | None) -> Walked:
    return trail if known is None or len(trail[1]) < len(known[1]) else known


def _part(events: tuple[Event, ...], draw: random.Random) -> tuple[Event, ...]:
    """A few of the events; failures are rare."""
    usual = [event for event in events if not isinstance(event, Failed)]
    failures = [event for event in events if isinstance(event, Failed)]
    most = draw.choice((1, 2, 3, 5, len(usual)))
    chosen = draw.sample(usual, min(most, len(usual)))
    return (*chosen, *(failures if not usual or draw.random() < 0.15 else ()))
