"""What a course needs of a journal and of a person: two seams, of which it knows no more than this."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from attrs import frozen

from tinysmith._hands import Hands
from tinysmith.approval import Approve, Decision, carried_out, decision_data
from tinysmith.limits import Limits
from tinysmith.messages import Event, Failed, Observation, Reply, Request, Result
from tinysmith.position import Hop, Position
from tinysmith.protocols import Grade, Task

B = TypeVar("B")

EVENTS = (Reply, Observation, Result, Failed)


@frozen
class Begun(Generic[B]):
    """How a run began.

    Attributes:
        board: The first board.
        hops: The hops before the first step.
        opening: The environment's first observation.
        seed: What the environment was reset with.
    """

    board: B
    hops: tuple[Hop, ...]
    opening: str = ""
    seed: int | None = None


class Log(Protocol[B]):
    """Where a run is journaled. What is written is durable when a method returns, or is raised.

    Attributes:
        run_id: The run's id.
    """

    run_id: str

    def text(self, text: str) -> str:
        """A text without secrets."""
        ...

    def board(self, board: B) -> B:
        """A board without secrets."""
        ...

    def heard(self, event: Event) -> Event:
        """An event as it is kept, and as the strategy shall see it."""
        ...

    def begin(self, board: B, limits: Limits, begun: Begun[B], task: Task | None, hands: Hands) -> None:
        """The run begins."""
        ...

    async def abegin(self, board: B, limits: Limits, begun: Begun[B], task: Task | None, hands: Hands) -> None:
        """As `begin`."""
        ...

    def step(self, request: Request, event: Event, before: Position[B], after: Position[B] | Exception) -> None:
        """An event was folded, or the strategy raised."""
        ...

    async def astep(
        self, request: Request, event: Event, before: Position[B], after: Position[B] | Exception
    ) -> None:
        """As `step`; a cancellation is delivered when the row is durable."""
        ...

    def note(self, kind: str, data: Any, *, lets_go: bool = False) -> None:
        """Something else happened."""
        ...

    def pause(self, waiting: Sequence[Request]) -> None:
        """A person is waited for."""
        ...

    def end(self, position: Position[B], grade: Grade | None) -> None:
        """The run is over."""
        ...

    async def aend(self, position: Position[B], grade: Grade | None) -> None:
        """As `end`."""
        ...

    def let_go(self) -> None:
        """Nobody goes on with the run here; nothing where it ended or paused."""
        ...


class Gate:
    """Asks a person, or a rule, before requests are carried out.

    Args:
        asks: Says of a request whether to pause, or at once what to do.
        decided: What was decided already, by the ids of the requests that are pending first.
    """

    __slots__ = ("_asks", "_decided", "_doing")

    def __init__(
        self, asks: Callable[[Any], bool | Decision] | None, decided: Mapping[str, Decision] | None = None
    ) -> None:
        self._asks = asks
        self._decided = decided or {}
        self._doing: dict[int, tuple[Request, Request | Event]] = {}

    def lets_through(self, requests: Sequence[Any], log: Log[Any] | None) -> bool:
        """Whether all of these may be carried out; what is decided about them is written down."""
        decided, self._decided = self._decided, {}
        doing = {}
        for request in requests:
            known = self._doing.get(id(request))
            if known is None:
                answer: object = decided.get(request.id) or (self._asks is not None and self._asks(request))
                if answer is True:
                    return False
                verdict = Approve() if answer is False else answer
                known = request, carried_out(request, verdict)
                if answer is not False and log is not None:
                    log.note("decided", {"request": request.id, **decision_data(verdict)})
            doing[id(request)] = known
        self._doing = doing
        return True

    def doing(self, request: Request) -> Request | Event:
        """What is carried out instead of a request, or what answers it."""
        return self._doing[id(request)][1]


async def at_once(event: Event) -> Event:
    """An event that nobody needs to be asked for."""
    return event
