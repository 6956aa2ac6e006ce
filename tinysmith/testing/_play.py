"""One run under test: events are folded one by one, and what fails is told as a conversation."""

from collections.abc import Iterable, Sequence
from traceback import walk_tb
from typing import Any, TypeAlias

from tinysmith.conversation import Conversation
from tinysmith.limits import Limits
from tinysmith.messages import Event
from tinysmith.position import Position
from tinysmith.strategy import Strategy
from tinysmith.testing._properties import Invariant, Properties
from tinysmith.testing._referee import TEST_LIMITS, Referee
from tinysmith.testing._report import report

Turns: TypeAlias = tuple[tuple[str, Event], ...]
"""Nodes and events, in order."""

Check: TypeAlias = list[tuple[str, int]]
"""Files and lines."""


class FaultError(AssertionError):
    """Something that does not hold, told with the conversation that shows it.

    Attributes:
        board: Its first board.
        turns: Who was answered, and what with.
        check: Which check found it: the lines of the last two functions.
    """

    def __init__(self, told: str, board: Any, turns: Turns, check: Check) -> None:
        super().__init__(told)
        self.board = board
        self.turns = turns
        self.check = check

    def plainly(self) -> AssertionError:
        """The same as who reads it knows it."""
        plain = AssertionError(str(self))
        plain.__cause__ = self.__cause__
        return plain


class Play:
    """A run under test.

    Args:
        referee: Who checks it.
        board: The first board.

    Raises:
        AssertionError: Something does not hold at its beginning.
    """

    def __init__(self, referee: Referee, board: Any) -> None:
        self.referee = referee
        self.board = board
        self.events: list[Event] = []
        self.positions: list[Position[Any]] = []
        with _Telling(self):
            self.positions.append(referee.begin(board))

    @property
    def position(self) -> Position[Any]:
        """Where the run stands."""
        return self.positions[-1]

    @property
    def is_broken(self) -> bool:
        """Whether something did not hold at the last event."""
        return len(self.positions) <= len(self.events)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.position.done is not None

    def answer(self, event: Event) -> None:
        """Folds an event.

        Raises:
            AssertionError: Something does not hold.
        """
        self.events.append(event)
        with _Telling(self):
            self.positions.append(self.referee.advance(self.position, event))

    def finish(self, pause: int) -> None:
        """Checks the run as a whole; it is saved and resumed at the step `pause`, if it has so many.

        Raises:
            AssertionError: Something does not hold.
        """
        with _Telling(self):
            self.referee.finish(self.board, self.events, self.positions, pause % len(self.positions))


class _Telling:
    """Adds the conversation to whatever does not hold."""

    def __init__(self, play: Play) -> None:
        self.play = play

    def __enter__(self) -> None:
        """Begins."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Tells an AssertionError with its conversation."""
        if not isinstance(error, AssertionError):
            return
        play, referee = self.play, self.play.referee
        conversation = Conversation(referee.strategy, play.board, tuple(play.events), referee.limits)
        told = report(str(error), conversation, referee.properties.given)
        nodes = (position.node for position in play.positions)
        turns = tuple(zip(nodes, play.events, strict=False))
        lines = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
        raise FaultError(told, play.board, turns, lines[-2:]) from error.__cause__


def replay(
    strategy: Strategy[Any] | type[Strategy[Any]],
    board: Any,
    events: Iterable[Event],
    *,
    invariants: Sequence[Invariant] = (),
    limits: Limits = TEST_LIMITS,
) -> Position[Any]:
    """Plays one conversation with all the checks of `strategy_test`: a regression test.

    Args:
        strategy: What is tested.
        board: The first board.
        events: What answers the requests, in order; events after the end are not looked at.
        invariants: Claims, as in `strategy_test`.
        limits: How much the run may spend.

    Returns:
        The last position.

    Raises:
        AssertionError: Something does not hold.
    """
    made = strategy() if isinstance(strategy, type) else strategy
    try:
        return replayed(Referee(made, Properties(invariants), limits), board, events)
    except FaultError as error:
        raise error.plainly() from error.__cause__


def replayed(referee: Referee, board: Any, events: Iterable[Event]) -> Position[Any]:
    """The last position of a conversation that the referee finds no fault with."""
    play = Play(referee, board)
    for event in events:
        if play.is_over:
            break
        play.answer(event)
    play.finish(len(play.events) // 2)
    return play.position
