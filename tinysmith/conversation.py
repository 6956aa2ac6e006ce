"""`Conversation`: a first board and what answered a strategy from there on, to be read or played again."""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from tinysmith._shown import one_line
from tinysmith._source import Source, source_of
from tinysmith.limits import UNLIMITED, Limits
from tinysmith.messages import Act, Event, Observation, Reply, Result
from tinysmith.position import Position
from tinysmith.run import Run, Step, step_between
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")

LONGEST_ROUND = 20
"""Nodes of a round that is written once, with how often it was gone; longer ones are written out."""


@frozen
class Conversation(Generic[B]):
    """The events of one run, from its first board on.

    Attributes:
        strategy: Whose run it is.
        board: The first board.
        events: What answered the requests, in order.
        limits: What the run may spend.
    """

    strategy: Strategy[B] = field(repr=lambda strategy: plan_of(strategy).name)
    board: B
    events: tuple[Event, ...] = ()
    limits: Limits = UNLIMITED

    @classmethod
    def of(cls, run: Run[B], steps: int | None = None) -> "Conversation[B]":
        """The events of a run, all of them or the first so many."""
        strategy: Any = run.declared
        board: Any = run.first_board
        return cls(strategy, board, tuple(step.event for step in run.steps[:steps]), run.position.limits)

    def positions(self) -> Iterator[Position[B]]:
        """Every position, from the first to the last, folded anew.

        Raises:
            RunError: The strategy is at fault, or an event does not answer what is asked.
        """
        position = self.strategy.start(self.board, self.limits)
        yield position
        for event in self.events:
            position = self.strategy.advance(position, event)
            yield position

    def steps(self) -> Iterator[Step[B]]:
        """Every step, folded anew."""
        positions = self.positions()
        before = next(positions)
        for event, after in zip(self.events, positions, strict=True):
            yield step_between(before, answered(before, event), event, after)
            before = after

    @property
    def path(self) -> tuple[str, ...]:
        """The nodes in the order in which they were come to."""
        positions = self.positions()
        first = next(positions)
        hops = [*first.hops, *(hop for position in positions for hop in position.hops)]
        return (plan_of(self.strategy).initial, *(hop.target for hop in hops))

    def __str__(self) -> str:
        """The conversation, a line a step, and the path."""
        lines = [f"{plan_of(self.strategy).name}, from {one_line(source_of(self.board), 200)}"]
        try:
            for step in self.steps():
                lines.append(told(step))  # noqa: PERF401  # what comes before a fault is told, too
            lines.append(f"path: {way(self.path)}")
        except Exception as error:  # noqa: BLE001  # that the strategy is at fault is what is being told
            number = min(len(lines), len(self.events))  # 0: it raised at the start
            event = f"{said(self.events[number - 1])}  " if number else ""
            lines.append(f"  {number:>3} {event}✗ {one_line(f'{type(error).__name__}: {error}', 160)}")
        return "\n".join(lines)


def said(event: Event, width: int = 60) -> str:
    """What an event says, in a few words."""
    match event:
        case Reply(text=text) | Observation(text=text):
            return one_line(repr(text), width)
        case Result(value=value):
            return one_line(repr(value), width)
        case failed:
            return f"a failure ({failed.kind})"


def way(path: Sequence[str]) -> str:
    """A path in one line, what is gone round several times written once: `(critic → writer) ×3 → accepted`."""
    parts: list[str] = []
    at = 0
    while at < len(path):
        size, times = max(
            ((size, _times(path, at, size)) for size in range(1, min(LONGEST_ROUND, (len(path) - at) // 2) + 1)),
            key=lambda pair: (pair[0] * pair[1] if pair[1] > 1 else 0, -pair[0]),
            default=(1, 1),
        )
        if times > 1:
            parts.append(f"({' → '.join(path[at : at + size])}) ×{times}")
            at += size * times
        else:
            parts.append(path[at])
            at += 1
    return " → ".join(parts)


def _times(path: Sequence[str], at: int, size: int) -> int:
    """How many times in a row the next `size` nodes come."""
    times = 1
    while path[at + size * times : at + size * (times + 1)] == path[at : at + size]:
        times += 1
    return times


def told(step: Step[Any]) -> str:
    """A step in one line: who was answered, with what, and where that led."""
    acted = f"$ {one_line(step.request.action, 40)} ⇒ " if isinstance(step.request, Act) else ""
    notes = ""
    if isinstance(step.event, Observation):
        over = ", over" if step.event.terminated or step.event.truncated else ""
        notes = f" [reward {step.event.reward:g}{over}]"
    return f"  {step.number:>3} {step.node}: {acted}{step.said(60)!r}{notes}  {step.way}"


def answered(position: Position[Any], event: Event) -> Any:
    """The request of a position that an event answers; the first, where it names none that is pending."""
    named = (request for request in position.requests if request.id == event.answers)
    return next(named, position.requests[0])


def as_call(source: Source, events: Sequence[Event], indent: str) -> str:
    """The events as lines of a tuple's source."""
    return "".join(f"{indent}{source.of(event)},\n" for event in events)
