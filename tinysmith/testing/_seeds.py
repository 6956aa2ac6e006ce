"""The conversations that a search finds to every edge: what is tested first, before anything is drawn."""

from collections.abc import Iterator
from typing import Any

from tinysmith._alphabet import alphabet
from tinysmith._beginnings import first_boards
from tinysmith.conversation import Conversation
from tinysmith.exploration import Bounds, searched
from tinysmith.strategy import Strategy, plan_of

MOST_POSITIONS = 400
WALKS = 400


def seeds(strategy: Strategy[Any], max_steps: int) -> Iterator[Conversation[Any]]:
    """A conversation to every edge that a search comes by, those left out that are part of another one.

    Args:
        strategy: What is tested.
        max_steps: How many events a run has at most.
    """
    bounds = Bounds(max_steps, MOST_POSITIONS, WALKS)
    found = searched(
        strategy, first_boards(strategy), alphabet(plan_of(strategy)), bounds=bounds, until_covered=True
    )
    edges = [item for item in found.coverage.items if item.kind == "edge" and item.seen]
    told = [conversation for item in edges if (conversation := found.to(item)) is not None]
    told.sort(key=lambda conversation: len(conversation.events), reverse=True)
    played: list[tuple[Any, ...]] = []
    for conversation in told:
        if not any(longer[: len(conversation.events)] == conversation.events for longer in played):
            played.append(conversation.events)
            yield conversation
