"""What is claimed of every step of a run, whoever plays it; the property test plays at random."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tinysmith._fold import seat_of
from tinysmith._scalars import MisfitError
from tinysmith.errors import DecodeError, ParseError, RunError, TinysmithError
from tinysmith.limits import Limits
from tinysmith.messages import Act, Ask, Call, Event, Observation, Reply, Result
from tinysmith.nodes import Agent, Rule
from tinysmith.position import Hop, Position
from tinysmith.strategy import Strategy, plan_of

Invariant: TypeAlias = Callable[[Position[Any]], bool | None]


class Referee:
    """Checks a strategy, step by step; what does not hold is an AssertionError.

    Args:
        strategy: Whose runs are checked.
        invariants: Predicates over positions; False is a failure.
        limits: How much a run may spend.
    """

    def __init__(self, strategy: Strategy[Any], invariants: Sequence[Invariant], limits: Limits) -> None:
        self.strategy = strategy
        self.plan = plan_of(strategy)
        self.invariants = tuple(invariants)
        self.limits = limits

    def advance(self, position: Position[Any], request: Ask | Act | Call, event: Event) -> Position[Any]:
        """The position after an event, checked."""
        where = f"{self.plan.name}.{position.node}"
        try:
            after = self.strategy.advance(position, event)
        except TinysmithError:
            raise
        except Exception as error:
            problem = f"{where}: answering {said(event)} raised {type(error).__name__}: {error}."
            raise AssertionError(f"{problem} A bad reply is told by raising ParseError.") from error
        self._check_hops(position, request, event, after)
        self.check(after)
        return after

    def check(self, position: Position[Any]) -> None:
        """Checks what holds of every position."""
        where = f"{self.plan.name}.{position.node}, step {position.step}"
        try:
            again = self.strategy.loads(self.strategy.dumps(position))
        except (RunError, DecodeError, MisfitError) as error:
            raise AssertionError(f"{where}: the position does not survive JSON: {error}") from error
        _claim(self.strategy.dumps(again) == self.strategy.dumps(position), f"{where}: JSON changes the position")
        spent, limits = position.spent, self.limits
        for name, value in (("asks", spent.asks), ("steps", spent.steps), ("calls", spent.calls)):
            most = getattr(limits, f"max_{name}")
            _claim(most is None or value <= most, f"{where}: {value} {name} were spent of at most {most}")
        _claim(limits.max_hops is None or len(position.hops) <= limits.max_hops, f"{where}: too many hops")
        for invariant in self.invariants:
            name = getattr(invariant, "__name__", repr(invariant))
            _claim(invariant(position) is not False, f"{where}: invariant {name} does not hold: {position.board}")

    def _check_hops(self, before: Position[Any], request: Any, event: Event, after: Position[Any]) -> None:
        """Checks that the hops are declared, and asks each guard that could have been asked twice more."""
        node = before.node
        board: Any = before.board
        for place, hop in enumerate(after.hops):
            _claim(hop.source == node, f"{self.plan.name}: a hop leaves {hop.source}, but the run was at {node}")
            _claim(hop in self._declared(node), f"{self.plan.name}.{node}: {hop} is no declared edge")
            if place == 0 and hop.index >= 0:
                board = self._board_once_more(before, request, event)
            self._check_guards(hop, board)
            node = hop.target
            rule = self.plan.nodes[node]
            if isinstance(rule, Rule):
                board = rule.apply(board)

    def _declared(self, node: str) -> tuple[Hop, ...]:
        return (*self.plan.hops[node], *self.plan.failures.get(node, ()))

    def _board_once_more(self, before: Position[Any], request: Any, event: Event) -> Any:
        try:
            return self._board_after(before, request, event)
        except ParseError as error:
            where = f"{self.plan.name}.{before.node}"
            problem = f"{where}: {said(event)} was taken once, then refused ({error})."
            raise AssertionError(f"{problem} The node keeps something of its own.") from error

    def _board_after(self, before: Position[Any], request: Any, event: Any) -> Any:
        node: Any = self.plan.nodes[before.node]
        match event:
            case Observation():
                return node.observe(before.board, event)
            case Result(value=value):
                return node.receive(before.board, value)
        if isinstance(node, Agent):
            return node.receive(before.board, event)
        heard = sorted([*before.heard, (request, event)], key=lambda pair: seat_of(pair[0]))
        return node.parse(before.board, tuple(reply.text for _, reply in heard if isinstance(reply, Reply)))

    def _check_guards(self, hop: Hop, board: Any) -> None:
        for guard in self.plan.guards[hop.source]:
            where = f"{self.plan.name}.{hop.source}: its guard {guard.__name__}"
            try:
                verdicts = [guard(board), guard(board)]
            except Exception as error:
                problem = f"{where} raised {type(error).__name__}: {error}, on {board}."
                raise AssertionError(f"{problem} A guard answers on every board.") from error
            _claim(verdicts[0] is verdicts[1], f"{where} answered {verdicts[0]}, then {verdicts[1]}, on {board}")
            _claim(type(verdicts[0]) is bool, f"{where} answered {verdicts[0]!r}, on {board}")

    def check_replay(self, board: Any, events: Sequence[Event], last: Position[Any]) -> None:
        """Checks that the same events, folded once more, end in the same position."""
        position = self.strategy.start(board, self.limits)
        for event in events:
            position = self.strategy.advance(position, event)
        same = self.strategy.dumps(position) == self.strategy.dumps(last)
        _claim(same, f"{self.plan.name}: the same events gave another run; a node keeps something of its own")


def said(event: Event) -> str:
    """An event in a few words."""
    match event:
        case Reply(text=text) | Observation(text=text):
            return repr(text)
        case Result(value=value):
            return repr(value)
        case failed:
            return f"a failure ({failed.kind})"


def _claim(holds: bool, problem: str) -> None:  # noqa: FBT001  # as `assert` has it, but also under -O
    if not holds:
        raise AssertionError(problem)
