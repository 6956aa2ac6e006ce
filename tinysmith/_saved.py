"""Positions as one line of JSON, and back."""

import json
import re
from typing import Any

from tinysmith._scalars import MisfitError
from tinysmith._turn import Plan
from tinysmith.errors import BoardError, DecodeError
from tinysmith.messages import Act, Ask, Call, Request
from tinysmith.nodes import Agent, Node, Panel, Tool, World
from tinysmith.position import Position

FORMAT = 1
"""The version of saved positions."""

_ASKS: dict[type[Node[Any]], type[Request]] = {Agent: Ask, Panel: Ask, World: Act, Tool: Call}


def dumps(plan: Plan, position: Position[Any]) -> str:
    """A position as one line of JSON.

    Raises:
        BoardError: The board holds a value that its type does not allow.
    """
    try:
        saved = plan.codec.encode(position, "position")
        return json.dumps({"format": FORMAT, "strategy": plan.name, "position": saved}, allow_nan=False)
    except (ValueError, RecursionError) as error:
        problem = f"it cannot be saved: {error}."
        raise BoardError(problem, strategy=plan.name, node=position.node, step=position.step) from None


def loads(plan: Plan, text: str) -> Position[Any]:
    """The position that `dumps` wrote.

    Raises:
        DecodeError: The text is not a position of this strategy.
    """
    try:
        saved = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"A saved position is not JSON: {error}.") from None
    if not isinstance(saved, dict) or saved.keys() != {"format", "strategy", "position"}:
        raise DecodeError("A saved position lacks its format, its strategy or its position.")
    if type(saved["format"]) is not int or saved["format"] != FORMAT or saved["strategy"] != plan.name:
        found = f"format {saved['format']!r} of {saved['strategy']!r}"
        raise DecodeError(f"A saved position is {found}, not format {FORMAT} of {plan.name!r}.")
    try:
        position: Position[Any] = plan.codec.decode(saved["position"], "position")
    except (MisfitError, RecursionError) as error:
        raise DecodeError(f"A saved position of {plan.name} does not fit: {error}.") from None
    if position.node not in plan.nodes or not position.requests:
        raise DecodeError(f"A saved position stands at {position.node!r}, which {plan.name} does not have.")
    if not _waits_rightly(plan, position):
        raise DecodeError(f"A saved position waits at {position.node} for what that node never asks.")
    return position


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a name twice")
    return found


def _waits_rightly(plan: Plan, position: Position[Any]) -> bool:
    """Whether a position's requests, and the answers kept of a panel, are those that its node makes."""
    if position.done is not None:
        return len(position.requests) == 1 and position.done.node == position.node
    kind, node = plan.kinds[position.node], position.node
    form = rf"{re.escape(node)}\[\d+\]" if kind is Panel else re.escape(node)
    waiting_or_heard = (*position.requests, *(asked for asked, _ in position.heard))
    if len({request.id for request in waiting_or_heard}) != len(waiting_or_heard):
        return False
    return (kind is Panel or not position.heard) and all(
        type(request) is _ASKS.get(kind) and request.node == node and re.fullmatch(form, request.id)
        for request in waiting_or_heard
    )
