"""Conversations made shorter: events left out as long as the rest still shows the same.

The idea is the delta debugging of Zeller, Hildebrandt: "Simplifying and Isolating Failure-Inducing Input", 2002,
doi:10.1109/32.988498.
"""

from collections.abc import Callable

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
