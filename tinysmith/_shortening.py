"""Conversations made shorter and plainer, as long as they still show the same.

The idea is the delta debugging of Zeller, Hildebrandt: "Simplifying and Isolating Failure-Inducing Input", 2002,
doi:10.1109/32.988498.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tinysmith.messages import Event

T = TypeVar("T")

_LONGEST_ROUND = 16


def shortened(turns: tuple[T, ...], shows: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """The turns without those that can be left out one after another, or in runs, while `shows` still holds.

    Args:
        turns: What shows it, such as events.
        shows: Whether some turns show it; never raises.
    """
    size = len(turns) // 2
    while size:
        at = 0
        while at < len(turns):
            fewer = (*turns[:at], *turns[at + size :])
            if shows(fewer):
                turns = fewer
            else:
                at += size
        size //= 2
    return turns


def without_rounds(turns: tuple[T, ...], shows: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """The turns without rounds of a cycle, of up to 16 turns each, that can be left out while `shows` still holds.

    A round goes only with all of its turns, wherever it begins, so this looks more often than `shortened`.

    Args:
        turns: What shows it.
        shows: Whether some turns show it; never raises.
    """
    for size in range(min(_LONGEST_ROUND, len(turns) - 1), 0, -1):
        at = 0
        while at + size < len(turns):
            fewer = (*turns[:at], *turns[at + size :])
            if shows(fewer):
                turns = fewer
            else:
                at += 1
    return turns


def plainer(
    events: tuple[Event, ...],
    choices: Callable[[tuple[Event, ...]], Sequence[Event]],
    shows: Callable[[tuple[Event, ...]], bool],
) -> tuple[Event, ...]:
    """The events, each as plain as it can be while `shows` still holds, so that rounds are in the same words.

    Args:
        events: What shows it.
        choices: What could follow some events, the plainest first.
        shows: Whether some events show it; never raises.
    """
    for at, event in enumerate(events):
        for choice in choices(events[:at]):
            other = (*events[:at], choice, *events[at + 1 :])
            if choice == event or shows(other):
                events = other
                break
    return events
