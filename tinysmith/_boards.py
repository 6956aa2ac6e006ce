"""The boards that guards were asked about: those on which a run stood between the hops of one step."""

from collections.abc import Iterator
from typing import Any

from tinysmith._fold import seat_of
from tinysmith._turn import Plan
from tinysmith.messages import Event, Failed, Observation, Reply, Request, Result
from tinysmith.nodes import Agent, Rule
from tinysmith.position import Hop, Position


def boards_at_hops(
    plan: Plan, before: Position[Any], request: Request, event: Event, after: Position[Any]
) -> Iterator[tuple[Hop, Any]]:
    """Each hop of a step with the board on which the guards of its source were asked, worked out once more.

    Raises:
        ParseError: A node that took the event refuses it now; it keeps something of its own.
    """
    board: Any = before.board
    for place, hop in enumerate(after.hops):
        if place == 0:
            board = board_after(plan, before, request, event) if hop.index >= 0 else before.board
        yield hop, board
        rule = plan.nodes[hop.target]
        if isinstance(rule, Rule):
            board = rule.apply(board)


def boards_at_first_hops(plan: Plan, board: Any, first: Position[Any]) -> Iterator[tuple[Hop, Any]]:
    """The same of the hops before the first step, where rules come first."""
    for hop in first.hops:
        rule: Any = plan.nodes[hop.source]
        board = rule.apply(board)
        yield hop, board


def board_after(plan: Plan, before: Position[Any], request: Request, event: Event) -> Any:
    """The board that the node makes of an event that it takes; of a failure, the one that was."""
    node: Any = plan.nodes[before.node]
    match event:
        case Failed():
            return before.board
        case Observation():
            return node.observe(before.board, event)
        case Result(value=value):
            return node.receive(before.board, value)
    if isinstance(node, Agent):
        return node.receive(before.board, event)
    heard: list[tuple[Any, Any]] = [*before.heard, (request, event)]
    heard.sort(key=lambda pair: seat_of(pair[0]))
    return node.parse(before.board, tuple(reply.text for _, reply in heard if isinstance(reply, Reply)))
