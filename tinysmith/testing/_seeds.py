"""What is tested first, before anything is drawn: the ways to every edge, and every nasty answer to every node."""

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from tinysmith._alphabet import alphabet
from tinysmith._beginnings import first_boards
from tinysmith.conversation import Conversation
from tinysmith.exploration import Bounds, Exploration, searched
from tinysmith.messages import Event, Failed, Observation, Reply
from tinysmith.nodes import Agent, Node, Panel, Tool, World
from tinysmith.strategy import Strategy, plan_of
from tinysmith.testing._answers import MODEL_FAILURES, NASTY, SEEN_TEXTS

MOST_POSITIONS = 400
WALKS = 400

_TO_MODEL: tuple[Event, ...] = (
    *map(Reply, NASTY),
    Reply("cut", finish="length"),
    Reply("withheld", finish="content_filter"),
    *(Failed(kind, "It failed.") for kind in MODEL_FAILURES),
)
_NASTY: dict[type[Node[Any]], tuple[Event, ...]] = {
    Agent: _TO_MODEL,
    Panel: _TO_MODEL,
    World: (*map(Observation, SEEN_TEXTS), Failed("environment", "It failed."), Failed("max_seconds", "Time.")),
    Tool: (Failed("tool", "It failed."),),
}


def seeds(strategy: Strategy[Any], max_steps: int) -> Iterator[Conversation[Any]]:
    """A conversation to every edge that a search comes by, and one for every nasty answer to every node.

    Args:
        strategy: What is tested.
        max_steps: How many events a run has at most.
    """
    bounds = Bounds(max_steps, MOST_POSITIONS, WALKS)
    found = searched(
        strategy, first_boards(strategy), alphabet(plan_of(strategy)), bounds=bounds, until_covered=True
    )
    yield from _to_edges(found)
    for name, kind in plan_of(strategy).kinds.items():
        way = found.to(name) if kind in _NASTY else None
        if way is not None and len(way.events) < max_steps:
            for event in _NASTY[kind]:
                yield _answered_by(way, event)


def _to_edges(found: Exploration[Any]) -> Iterator[Conversation[Any]]:
    """The ways to all edges, those left out that are part of another one."""
    edges = [item for item in found.coverage.items if item.kind == "edge" and item.seen]
    ways = [way for item in edges if (way := found.to(item)) is not None]
    ways.sort(key=lambda way: len(way.events), reverse=True)
    longer: list[tuple[Event, ...]] = []
    for way in ways:
        if not any(other[: len(way.events)] == way.events for other in longer):
            longer.append(way.events)
            yield way


def _answered_by(way: Conversation[Any], event: Event) -> Conversation[Any]:
    """The way, and at its end the event: in answer to every seat, where it leads to a panel."""
    *_, last = way.positions()
    ends_run = isinstance(event, Failed) and event.kind in Failed.ENDS_RUN
    seats = last.requests[:1] if ends_run else last.requests
    answers = tuple(evolve(event, answers=request.id) for request in seats)
    return evolve(way, events=(*way.events, *answers))
