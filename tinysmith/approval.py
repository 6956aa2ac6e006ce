"""What a person decides about a request before it is carried out."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from attrs import evolve, frozen

from tinysmith.errors import UsageError
from tinysmith.messages import Act, Ask, Call, Event, Failed, Message, Observation, Request


@frozen
class Approve:
    """The request is carried out as it is."""


@frozen
class Edit:
    """Something else is carried out instead; the strategy sees what came of that.

    Attributes:
        instead: Of an action, the action; of a question, the prompt; of a call, its arguments by name.
    """

    instead: Any


@frozen
class Refuse:
    """The request is not carried out, and the strategy is told so.

    A world node observes the reason. For agents and tools it is a failure of the kind "refused", which follows the
    node's failure edge or ends the run.

    Attributes:
        reason: What the strategy is told.
    """

    reason: str = "A person refused this."


Decision: TypeAlias = Approve | Edit | Refuse
PauseBefore: TypeAlias = Collection[str] | Callable[[Ask | Act | Call], bool | Decision]
"""Names of nodes, or what says of a request whether to pause before it, or at once what to do."""


def asks_whether(pause_before: PauseBefore, nodes: Collection[str]) -> Callable[[Any], bool | Decision]:
    """What says of a request whether to pause before it.

    Raises:
        UsageError: A name is of no node.
    """
    if callable(pause_before):
        return pause_before
    names = [pause_before] if isinstance(pause_before, str) else pause_before
    for name in names:
        if name not in nodes:
            raise UsageError(
                f"pause_before= names {name!r}, which is no node. There is {', '.join(sorted(nodes))}."
            )
    return lambda request: request.node in names


def carried_out(request: Ask | Act | Call, decision: object) -> Request | Event:
    """What is carried out instead of a request, or what answers it at once.

    Raises:
        UsageError: It is no decision, or does not fit the request.
    """
    if isinstance(decision, Approve):
        return request
    if isinstance(decision, Refuse):
        if isinstance(request, Act):
            return Observation(decision.reason, info={"refused": True})
        return Failed("refused", decision.reason)
    if not isinstance(decision, Edit):
        raise UsageError(f"{decision!r} is no decision. Give Approve(), Edit(...) or Refuse(...).")
    try:
        if isinstance(request, Act) and isinstance(decision.instead, str):
            return evolve(request, action=decision.instead)
        if isinstance(request, Ask) and isinstance(decision.instead, str):
            return evolve(request, messages=(Message("user", decision.instead),))
        if isinstance(request, Call) and not isinstance(decision.instead, str):
            return evolve(request, arguments=dict(decision.instead))
    except (TypeError, ValueError):
        pass
    wanted = "arguments by name" if isinstance(request, Call) else "a text"
    raise UsageError(f"{request.node}: {decision!r} does not fit what is asked; give Edit with {wanted}.")


def decision_data(decision: object) -> dict[str, Any]:
    """A decision as JSON data."""
    if isinstance(decision, Edit):
        return {"decision": "edit", "instead": decision.instead}
    return (
        {"decision": "refuse", "reason": decision.reason}
        if isinstance(decision, Refuse)
        else {"decision": "approve"}
    )


def decision_of(data: Mapping[str, Any]) -> Decision:
    """The decision that was written.

    Raises:
        ValueError: It is none.
    """
    match dict(data):
        case {"decision": "approve"}:
            return Approve()
        case {"decision": "edit", "instead": instead}:
            return Edit(instead)
        case {"decision": "refuse", "reason": str(reason)}:
            return Refuse(reason)
    raise ValueError("it is no decision")
