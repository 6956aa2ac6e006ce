"""The search over a strategy's positions: breadth first, all of them; and swarms of deep walks beyond.

Charter: only `Strategy.start` and `Strategy.advance` make positions. Two positions are one where their future is
the same: node, board, what is pending and heard of a panel, whether the environment is over, whether the prompt
was shortened. What was spent is left out, because a search has no limits, and so is how often a node asked again.
Memory is bounded by the number of positions: of each, its key, its parent and the event that led to it are kept,
and the whole of it only until it has been expanded.
"""

import random
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from tinysmith._alphabet import Alphabet, addressed
from tinysmith.conversation import Conversation
from tinysmith.errors import RunError
from tinysmith.limits import UNLIMITED
from tinysmith.messages import Event, Failed, Reply
from tinysmith.position import Position
from tinysmith.strategy import Strategy

LIMITS = evolve(UNLIMITED, max_hops=50)
"""Cycles of rules alone end; else nothing stops a search but its own bounds."""

MOST_FAULTS = 50

Trail: TypeAlias = int | tuple[Any, tuple[Event, ...]]
"""How a position was come to: by its number, or by a first board and the events from there on."""
Visit: TypeAlias = Callable[[Position[Any], Any, Event, Position[Any], Trail], None]
"""Is told of a transition: the position before, its request, the event, the position after, how it came there."""


@frozen
class Fault:
    """Something raised: the conversation up to it, its last event being the one that cannot be folded."""

    conversation: Conversation[Any]
    node: str
    error: Exception


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
        self.alphabet = alphabet
        self.depth = depth
        self.max_positions = max_positions
        self.visit = visit
        self.roots: list[Any] = []
        self.keys: dict[Any, int] = {}
        self.parents = array("q")
        self.events: list[Event | None] = []
        self.spent: list[tuple[int, int]] = []
        self.sources, self.targets = array("q"), array("q")
        self.counts: dict[int, int] = {}
        self.first: dict[int, Trail] = {}
        self.outcomes: dict[str, Trail] = {}
        self.halting: set[int] = set()
        self.faults: dict[tuple[str, str], Fault] = {}
        self.cut = ""
        self.deepest = 0
        self.most_asks = 0
        self.most_steps = 0
        self.walked = 0

    # Breadth first --------------------------------------------------------------------------------------

    def breadth(self, boards: Sequence[Any], until: Callable[[], bool] = lambda: False) -> None:
        """Comes to every position in the order of its distance from the first boards, or stops at a bound."""
        queue: deque[tuple[int, Position[Any]]] = deque()
        for board in boards:
            first = self._begin(board)
            if first is None:
                continue
            self.roots.append(board)
            if first.done is not None:
                self._walked_to(first, (board, ()))
                continue
            number = self._keep(first, -len(self.roots), None)
            queue.append((number, first))
            self._note(first, number)
        while queue and not until():
            number, position = queue.popleft()
            if position.step >= self.depth:
                self.cut = self.cut or f"depth {self.depth}"
                continue
            if not self._expand(number, position, queue):
                self.cut = f"{self.max_positions:,} positions"
                return

    def _begin(self, board: Any) -> Position[Any] | None:
        try:
            return self.strategy.start(board, LIMITS)
        except Exception as error:  # noqa: BLE001  # whatever a node or guard raises is what is looked for
            self._fault(Conversation(self.strategy, board, (), LIMITS), error)
            return None

    def _expand(self, number: int, position: Position[Any], queue: deque[tuple[int, Position[Any]]]) -> bool:
        """Answers the first request in every way; False where there is no room for what comes of it."""
        request: Any = position.requests[0]
        advance, keys = self.strategy.advance, self.keys
        for event in addressed(self.alphabet.narrow[request.node], request):
            try:
                after = advance(position, event)
            except Exception as error:  # noqa: BLE001  # as above
                told = self.conversation(number)
                self._fault(evolve(told, events=(*told.events, event)), error)
                continue
            if self.visit is not None:
                self.visit(position, request, event, after, number)
            if after.done is not None:
                self._end(number, event, after)
                continue
            known = keys.get(key_of(after), -1)
            if known < 0:
                if len(keys) >= self.max_positions:
                    return False
                known = self._keep(after, number, event)
                queue.append((known, after))
            if after.hops or after.spent.asks == position.spent.asks:  # what asks again makes no way
                self.sources.append(number)
                self.targets.append(known)
            self._note(after, known)
        return True

    def _end(self, number: int, event: Event, after: Position[Any]) -> None:
        done: Any = after.done
        if done.outcome in self.strategy.__plan__.nodes or done.outcome == "environment_over":
            self.halting.add(number)
        if done.outcome not in self.outcomes or self._are_new(after):
            told = self.conversation(number)
            trail = (told.board, (*told.events, event))
            self.outcomes.setdefault(done.outcome, trail)
            self._note(after, trail)
            self._measure(after)
        else:
            self._note(after, -1)

    def _are_new(self, after: Position[Any]) -> bool:
        return any(id(hop) not in self.first for hop in after.hops)

    def _keep(self, position: Position[Any], parent: int, event: Event | None) -> int:
        """Keeps a position, and gives it its number; a first one's parent is its board's place, from -1 down."""
        number = self.keys[key_of(position)] = len(self.parents)
        self.parents.append(parent)
        self.events.append(event)
        self.spent.append((position.spent.asks, position.spent.steps))
        self._measure(position)
        return number

    def _note(self, position: Position[Any], trail: Trail) -> None:
        first, counts = self.first, self.counts
        for hop in position.hops:
            name = id(hop)  # hops are made once a strategy, and live as long
            counts[name] = counts.get(name, 0) + 1
            if name not in first:
                first[name] = trail

    def _measure(self, position: Position[Any]) -> None:
        self.deepest = max(self.deepest, position.step)
        self.most_asks = max(self.most_asks, position.spent.asks)
        self.most_steps = max(self.most_steps, position.spent.steps)

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
                after = self.strategy.advance(position, event)
            except Exception as error:  # noqa: BLE001  # as above
                self._fault(Conversation(self.strategy, board, events, LIMITS), error)
                return
            if self.visit is not None:
                self.visit(position, request, event, after, (board, events[:-1]))
            self._walked_to(after, (board, events))
            position = after

    def _walked_to(self, after: Position[Any], trail: Trail) -> None:
        self._note(after, trail)
        self._measure(after)
        if after.done is not None:
            self.outcomes.setdefault(after.done.outcome, trail)

    def step(self, source: int, target: int) -> Event:
        """The answer that leads from one kept position to another, to which it is known to lead."""
        *_, position = self.conversation(source).positions()
        request: Any = position.requests[0]
        events = addressed(self.alphabet.narrow[request.node], request)
        key = list(self.keys)[target]
        return next(event for event in events if self._leads(position, event, key))

    def _leads(self, position: Position[Any], event: Event, key: Any) -> bool:
        try:
            return bool(key_of(self.strategy.advance(position, event)) == key)
        except Exception:  # noqa: BLE001  # it is among the faults already
            return False

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
        node = str(getattr(error, "node", "")) or _place(conversation)
        said = str(error).partition(": ")[2] if isinstance(error, RunError) else str(error)  # whatever the step
        name = (node, f"{type(error).__name__}: {said}"[:200])
        if name not in self.faults and len(self.faults) < MOST_FAULTS:
            self.faults[name] = Fault(conversation, node, error)


def key_of(position: Position[Any]) -> Any:
    """What decides the future of a position."""
    if position.heard or len(position.requests) > 1:
        heard = tuple((asked.id, _said(answer)) for asked, answer in position.heard)
        pending = tuple(request.id for request in position.requests)
        return position.node, position.board, position.over, position.shortened, heard, pending
    return position.node, position.board, position.over, position.shortened


def _said(answer: Reply | Failed) -> tuple[str, ...]:
    return ("reply", answer.text, answer.finish) if isinstance(answer, Reply) else ("failed", answer.kind)


def _part(events: tuple[Event, ...], draw: random.Random) -> tuple[Event, ...]:
    """A few of the events; failures are rare."""
    usual = [event for event in events if not isinstance(event, Failed)]
    failures = [event for event in events if isinstance(event, Failed)]
    most = draw.choice((1, 2, 3, 5, len(usual)))
    chosen = draw.sample(usual, min(most, len(usual)))
    return (*chosen, *(failures if not usual or draw.random() < 0.15 else ()))


def _place(conversation: Conversation[Any]) -> str:
    """The node at which a conversation's last event was to be folded."""
    plan = conversation.strategy.__plan__
    if not conversation.events:
        return plan.initial
    *_, last = evolve(conversation, events=conversation.events[:-1]).positions()
    return last.node
