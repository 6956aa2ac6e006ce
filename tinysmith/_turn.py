"""A compiled strategy, and the scratch pad on which the fold works out one step."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from tinysmith._engine import Engine
from tinysmith._scalars import Codec
from tinysmith.errors import BoardError
from tinysmith.limits import Limits, Spent
from tinysmith.mapping import JSON, FrozenDict
from tinysmith.messages import Act, Ask, Call, Done, Failed
from tinysmith.nodes import Guard, Node
from tinysmith.position import Hop, Position

Wishes: TypeAlias = tuple[FrozenDict[str, JSON] | None, tuple[FrozenDict[str, JSON], ...]]


@frozen(eq=False)
class Plan:
    """A strategy class, compiled.

    Attributes:
        name: The strategy's name.
        board_type: The class of its boards.
        initial: The initial node's name.
        nodes: Every node by name.
        kinds: The kind of every node by name.
        guards: For each node, the guards on its edges, in declared order.
        wishes: For each agent or panel, the schema and the tools that its requests carry.
        hops: For each node, the hop that each of its edges makes. Guards are asked in order and the first that
            holds is taken, so an edge's index tells all verdicts, and the hops can be made beforehand.
        taken: The same hops, each as what a step of that one hop holds, so that steps share them.
        failures: For each node that has one, the hop of its failure edge, likewise.
        engine: The machine.
        codec: How positions are saved.
    """

    name: str
    board_type: type[Any]
    initial: str
    nodes: Mapping[str, Node[Any]]
    kinds: Mapping[str, type[Node[Any]]]
    guards: Mapping[str, tuple[Guard[Any], ...]]
    wishes: Mapping[str, Wishes]
    hops: Mapping[str, tuple[Hop, ...]]
    taken: Mapping[str, tuple[tuple[Hop], ...]]
    failures: Mapping[str, tuple[Hop]]
    engine: Engine
    codec: Codec


class Turn:
    """What the next position will hold, while one step is worked out."""

    __slots__ = (
        "asks", "board", "calls", "elapsed_ns", "error", "errors", "heard", "hops", "limits", "node", "over",
        "pico_usd", "plan", "shortened", "step", "steps", "tokens",
    )  # fmt: skip

    def __init__(self, plan: Plan, position: Position[Any]) -> None:
        spent = position.spent
        self.plan = plan
        self.node = position.node
        self.board = position.board
        self.limits = position.limits
        self.step = position.step
        self.over = position.over
        self.shortened = position.shortened
        self.heard = position.heard
        self.asks = spent.asks
        self.steps = spent.steps
        self.calls = spent.calls
        self.errors = spent.errors
        self.tokens = spent.tokens
        self.pico_usd = spent.pico_usd
        self.elapsed_ns = spent.elapsed_ns
        self.hops: tuple[Hop, ...] = ()
        self.error: Failed | None = None

    def at(self, requests: tuple[Ask | Act | Call | Done, ...]) -> Position[Any]:
        """The position that waits for these requests."""
        spent = Spent(self.asks, self.steps, self.calls, self.errors, self.tokens, self.pico_usd, self.elapsed_ns)
        return Position(
            self.node, self.board, requests, self.limits, spent, self.step, self.hops, self.heard, self.over,
            self.shortened, self.error,
        )  # fmt: skip

    def end(self, outcome: str, *, success: bool = False) -> Position[Any]:
        """The last position of the run."""
        self.heard = ()
        return self.at((Done(outcome, success=success, node=self.node),))

    def put(self, board: Any, method: str) -> None:
        """Takes the board that a node's method returned.

        Raises:
            BoardError: It is no board of this strategy.
        """
        if type(board) is not self.plan.board_type:
            wanted = self.plan.board_type.__name__
            remedy = "Give a board" if method == "start(board)" else "Return the changed board"
            problem = f"{method} gave a {type(board).__name__}, not a {wanted}. {remedy}."
            raise BoardError(problem, **self.where())
        self.board = board

    def where(self) -> dict[str, Any]:
        """The arguments that tell a `RunError` where it happened."""
        return {"strategy": self.plan.name, "node": self.node, "step": self.step}

    def spent_up(self) -> str | None:
        """The limit on tokens, money or time that is reached, if one is."""
        limits: Limits = self.limits
        if limits.max_total_tokens is not None and self.tokens >= limits.max_total_tokens:
            return "max_total_tokens"
        if limits.max_seconds is not None and self.elapsed_ns >= limits.max_seconds * 1e9:
            return "max_seconds"
        if limits.max_cost_usd is not None:
            if self.pico_usd is None:
                message = "The price of a reply is not known, so the limit on cost cannot be kept."
                self.error = Failed("unknown_price", f"{message} Give the LLM its price per token.")
                return "max_cost_usd"
            if self.pico_usd >= limits.max_cost_usd * 1e12:
                return "max_cost_usd"
        return None

    def time_left(self) -> float | None:
        """Seconds that the run may still wait; None for no such limit."""
        most = self.limits.max_seconds
        return None if most is None else most - self.elapsed_ns / 1e9
