"""Where a run stands: a value that is all there is to a run."""

from typing import Any, Generic, TypeVar

from attrs import field, frozen

from tinysmith.limits import Limits, Spent
from tinysmith.messages import Act, Ask, Call, Done, Failed, Reply, Request

B = TypeVar("B")


@frozen(weakref_slot=False)
class Hop:
    """One edge taken.

    Attributes:
        source: The node that it left.
        index: Which of the node's edges it was, from 0, in declared order; -1 for the failure edge.
        tried: The guards that were asked, in order, each with its verdict.
        target: The node that it led to.
    """

    source: str
    index: int
    tried: tuple[tuple[str, bool], ...]
    target: str

    @property
    def why(self) -> str:
        """The reason in words: the guard that held, "otherwise", or "failed"."""
        if self.index < 0:
            return "failed"
        if self.tried and self.tried[-1][1]:
            return self.tried[-1][0]
        return "otherwise" if self.tried else ""


@frozen(weakref_slot=False)
class Position(Generic[B]):
    """Where a run stands. Made by `Strategy.start` and `Strategy.advance`, never by hand.

    Attributes:
        node: The node that the run is at.
        board: The board.
        requests: What the run waits for: those still unanswered, or one `Done`.
        limits: How much the run may spend.
        spent: What it has spent.
        step: How many events were folded.
        hops: The hops of the last event.
        heard: Of a panel: the answers that came before the last one, by seat.
        over: Whether the environment has said that the episode is over.
        shortened: Whether the node was already asked for a shorter board.
        error: The failure that ended the run, if one did.
    """

    node: str
    board: B
    requests: tuple[Ask | Act | Call | Done, ...]
    limits: Limits
    spent: Spent = field(default=Spent())
    step: int = 0
    hops: tuple[Hop, ...] = ()
    heard: tuple[tuple[Ask, Reply | Failed], ...] = ()
    over: bool = False
    shortened: bool = False
    error: Failed | None = None

    @property
    def request(self) -> Request:
        """The first of the requests."""
        return self.requests[0]

    @property
    def done(self) -> Done | None:
        """How the run ended; None while it has not."""
        last: Any = self.requests[0]
        return last if type(last) is Done else None
