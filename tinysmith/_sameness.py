"""When two positions of a strategy are one: where their future is the same.

Boards are compared by `==`. So values of different types that are equal, such as 1, True and 1.0 in a field of the
type `int | bool | float`, make no difference, and only the board that comes first is gone on from.
"""

from typing import Any

from tinysmith.messages import Failed, Reply
from tinysmith.position import Position


def key_of(position: Position[Any]) -> Any:
    """What decides the future of a position."""
    if position.heard or len(position.requests) > 1:
        heard = tuple((asked.id, _said(answer)) for asked, answer in position.heard)
        pending = tuple(request.id for request in position.requests)
        return position.node, position.board, position.over, position.shortened, heard, pending
    return position.node, position.board, position.over, position.shortened


def makes_way(before: Position[Any], after: Position[Any]) -> bool:
    """Whether a run got on: not where a reply is only asked for again."""
    return bool(after.hops) or after.spent.asks == before.spent.asks or after.shortened is not before.shortened


def _said(answer: Reply | Failed) -> tuple[str, ...]:
    return ("reply", answer.text, answer.finish) if isinstance(answer, Reply) else ("failed", answer.kind)
