"""Conversations made shorter and plainer, as long as they still show the same.

The idea is the delta debugging of Zeller, Hildebrandt: "Simplifying and Isolating Failure-Inducing Input", 2002,
doi:10.1109/32.988498.
"""

from collections.abc import Callable, Sequence

from tinysmith.messages import Event


def shortened(events: tuple[Event, ...], shows: Callable[[tuple[Event, ...]], bool]) -> tuple[Event, ...]:
    """The events without those that can be left out one after another, or in runs, while `shows` still holds.

    Args:
        events: What shows it.
        shows: Whether some events show it; never raises.
    """
    size = len(events) // 2
    while size:
        at = 0
        while at < len(events):
            fewer = (*events[:at], *events[at + size :])
            if shows(fewer):
                events = fewer
            else:
                at += size
        size //= 2
    return events


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
