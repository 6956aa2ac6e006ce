"""`Orchestrator`: the interactive driver, for an environment loop of one's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tinysmith._course import Course
from tinysmith._hands import Hands
from tinysmith.errors import RunOver, UsageError
from tinysmith.limits import Limits
from tinysmith.messages import Act, Observation
from tinysmith.position import Position
from tinysmith.protocols import Model, Task
from tinysmith.run import Run, Step
from tinysmith.strategy import Strategy, plan_of

if TYPE_CHECKING:
    from tinysmith.journal import Journal

B = TypeVar("B")

_NOT_BEGUN = "The run has not begun; call forward() with the first observation."


class Orchestrator(Generic[B]):
    """Runs one episode of a strategy from action to action; the caller plays the environment.

    The first call of `forward` begins the episode: what it is told is the first observation, and makes the board
    where none was given. Every later call answers the action that the call before it returned; after a call that
    was cancelled or raised, no action is pending, and the next one only goes on.

    Args:
        strategy: What to run.
        board: The first board; without one, `strategy.brief` makes it.
        model: One model for all agents and panels, or a mapping from their names, "*" for the rest.
        tools: Callables by the names of tool nodes.
        limits: How much the run may spend; None for no limits at all.
        task: The episode's task.
        listeners: Called with every step, as it happens.
        journal: Where the run is kept; each action is durable there before it is handed out.
    """

    def __init__(
        self,
        strategy: Strategy[B],
        board: B | None = None,
        *,
        model: Model | Mapping[str, Model] | None = None,
        tools: Mapping[str, Any] | None = None,
        limits: Limits | None = Limits(),
        task: Task | None = None,
        listeners: Sequence[Callable[[Step[B]], None]] = (),
        journal: "Journal | None" = None,
    ) -> None:
        hands = Hands(plan_of(strategy), model=model, environment=_CALLER, tools=tools, task=task)
        log = None if journal is None else journal.log_of(plan_of(strategy), hands)
        self._course = Course(strategy, hands, limits=limits, task=task, listeners=listeners, log=log)
        self._board = board
        self._has_begun = False
        self._handed_out: Act | None = None

    def forward(
        self, observation: str = "", reward: float = 0.0, *, terminated: bool = False, truncated: bool = False
    ) -> str:
        """Goes on to the next action, blocking.

        Args:
            observation: What the environment shows.
            reward: The reward of the action before.
            terminated: Whether the environment says that the task is over.
            truncated: Whether the environment stopped for a limit of its own.

        Returns:
            The action to do in the environment.

        Raises:
            RunOver: The run has ended; its `.run` is the result.
        """
        course = self._course
        self._take(Observation(observation, reward=reward, terminated=terminated, truncated=truncated))
        try:
            while self._is_thinking():
                course.next()
        finally:
            course.hands.let_go()
        return self._action()

    async def aforward(
        self, observation: str = "", reward: float = 0.0, *, terminated: bool = False, truncated: bool = False
    ) -> str:
        """As `forward`, asynchronously. Cancelling it cancels what is under way; the run can then go on."""
        course = self._course
        self._take(Observation(observation, reward=reward, terminated=terminated, truncated=truncated))
        try:
            while self._is_thinking():
                await course.anext()
        finally:
            await course.drop()
        return self._action()

    @property
    def position(self) -> Position[B]:
        """Where the run stands.

        Raises:
            UsageError: It has not begun.
        """
        if not self._has_begun:
            raise UsageError(_NOT_BEGUN)
        return self._course.position

    @property
    def run(self) -> Run[B]:
        """The run so far.

        Raises:
            UsageError: It has not begun.
        """
        if not self._has_begun:
            raise UsageError(_NOT_BEGUN)
        return self._course.result()

    def _take(self, seen: Observation) -> None:
        course = self._course
        if not self._has_begun:
            if seen.terminated or seen.truncated:
                raise UsageError("The environment was over before the run began; reset it first.")
            course.begin(self._board, seen.text)
            self._has_begun = True
        elif course.is_over:
            raise RunOver(course.result())
        elif self._handed_out is not None and self._handed_out is course.position.request:
            course.fold(self._handed_out, seen)

    def _is_thinking(self) -> bool:
        return not self._course.is_over and not isinstance(self._course.position.request, Act)

    def _action(self) -> str:
        request = self._course.position.request
        if not isinstance(request, Act):
            self._course.end(None)
            raise RunOver(self._course.result())
        self._course.await_answer()
        self._handed_out = request
        return request.action


class _Caller:
    """Stands for the environment that the caller plays; nothing ever acts on it."""


_CALLER: Any = _Caller()
