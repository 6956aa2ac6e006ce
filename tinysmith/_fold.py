"""The core: a run is a pure fold of events over a position.

Charter: no I/O, no clock, no randomness, nothing mutated that outlives the call; the same position and event
give the same position. What a run may spend, when an agent is asked again, what a failure does: decided here
and nowhere else. Drivers only carry requests out and bring events back. An illegal step raises and changes
nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tinysmith._engine import GuardMisbehaved
from tinysmith._enter import ask, enter, fail, go
from tinysmith._talk import ask_again, flaw
from tinysmith._turn import Plan, Turn
from tinysmith.errors import EventError, GuardError, ParseError, RunError
from tinysmith.limits import UNLIMITED, Limits
from tinysmith.messages import Act, Ask, Call, Done, Event, Failed, Observation, Reply, Request, Result
from tinysmith.nodes import Agent, Panel, Tool, World
from tinysmith.position import Position

T = TypeVar("T")

_ANSWER: dict[type[Request], type[Event]] = {Ask: Reply, Act: Observation, Call: Result}
_FAILURE: dict[type[Request], str] = {Ask: "model_failed", Act: "environment_lost", Call: "tool_failed"}


def start(plan: Plan, board: Any, limits: Limits | None) -> Position[Any]:
    """The first position of a run: at the initial node, or as far as rules lead from it."""
    turn = Turn(plan, Position(plan.initial, board, (), UNLIMITED if limits is None else limits))
    turn.put(board, "start(board)")
    return _located(turn, lambda turn: enter(turn) or go(turn))


def advance(plan: Plan, position: Position[Any], event: Event) -> Position[Any]:
    """The position after an event."""
    turn = Turn(plan, position)
    request = _answered(turn, position.requests, event)
    turn.step += 1
    if event.elapsed_s:
        turn.elapsed_ns += round(event.elapsed_s * 1e9)
    if type(event) is Reply:
        _pay(turn, event)
    kind = plan.kinds[position.node]
    if kind is Panel:
        return _located(turn, _panel_heard, position.requests, request, event)
    if type(event) is Failed:
        return _located(turn, _failed, request, event)
    return _located(turn, _TAKING[kind], request, event)


def enter_again(plan: Plan, position: Position[Any], board: Any) -> Position[Any]:
    """A position with another board: its node, which has not been answered, asks anew."""
    turn = Turn(plan, position)
    for request in position.requests:
        turn.asks -= type(request) is Ask
        turn.steps -= type(request) is Act
        turn.calls -= type(request) is Call
    turn.heard = ()
    turn.put(board, "fork(board=)")
    return _located(turn, lambda turn: enter(turn) or go(turn))


def _located(turn: Turn, fold: Callable[..., Position[Any]], *arguments: Any) -> Position[Any]:
    """Folds, and says of every error where it happened."""
    try:
        return fold(turn, *arguments)
    except GuardMisbehaved as error:
        raise GuardError(f"its guard {error.guard} {error.problem}.", **turn.where()) from error.__cause__
    except RunError:
        raise
    except Exception as error:
        error.add_note(f"Raised in {turn.plan.name}.{turn.node}, step {turn.step}.")
        raise


def raised_at(error: Exception) -> str:
    """The node at which the fold raised."""
    if isinstance(error, RunError):
        return error.node
    return error.__notes__[-1].partition(", step ")[0].rpartition(".")[2]


def _answered(turn: Turn, requests: Sequence[Request], event: Event) -> Request:
    """The request that the event answers."""
    request = requests[0]
    if len(requests) == 1 and (not event.answers or type(request) is Done):
        pass
    else:
        for request in requests:
            if request.id == event.answers and request.id:
                break
        else:
            pending = ", ".join(repr(request.id) for request in requests)
            problem = f"an event answers {event.answers!r}, but what is pending is {pending}."
            raise EventError(problem, **turn.where())
    if type(event) is not _ANSWER.get(type(request)) and (type(event) is not Failed or type(request) is Done):
        problem = f"a {type(event).__name__} cannot answer {_described(request)}."
        raise EventError(problem, **turn.where())
    return request


def _described(request: Request) -> str:
    if isinstance(request, Done):
        return f"a run that is over ({request.outcome})"
    return f"{type(request).__name__} {request.id!r}"


def _pay(turn: Turn, reply: Reply) -> None:
    usage = reply.usage
    turn.tokens += usage.input_tokens + usage.output_tokens
    if usage.cost_usd is None:
        turn.pico_usd = None
    elif usage.cost_usd and turn.pico_usd is not None:
        turn.pico_usd += round(usage.cost_usd * 1e12)


def _bad(turn: Turn, complaint: str) -> Position[Any] | None:
    """Counts a bad reply; ends the run after too many in a row, with the last complaint as its error."""
    turn.errors += 1
    if turn.limits.max_errors is not None and turn.errors > turn.limits.max_errors:
        turn.error = Failed("bad_reply", complaint)
        return turn.end("max_errors")
    return None


# Agents, world nodes and tools ---------------------------------------------------------------------------


def _agent_heard(turn: Turn, request: Ask, reply: Reply) -> Position[Any]:
    node: Agent[Any] = turn.plan.nodes[turn.node]  # type: ignore[assignment]  # the plan's kinds say so
    complaint = None if node.takes_flawed else flaw(reply)
    if complaint is None:
        try:
            turn.put(node.receive(turn.board, reply), "parse()")
        except ParseError as error:
            complaint = error.message
        else:
            return go(turn)
    again = ((request.id, ask_again(request.messages, reply, complaint)),)
    return _bad(turn, complaint) or ask(turn, again)


def _world_seen(turn: Turn, _request: Act, seen: Observation) -> Position[Any]:
    node: World[Any] = turn.plan.nodes[turn.node]  # type: ignore[assignment]  # the plan's kinds say so
    turn.over = turn.over or seen.terminated or seen.truncated
    turn.put(node.observe(turn.board, seen), "observe()")
    return go(turn)


def _tool_returned(turn: Turn, _request: Call, result: Result) -> Position[Any]:
    node: Tool[Any, Any] = turn.plan.nodes[turn.node]  # type: ignore[assignment]  # the plan's kinds say so
    turn.put(node.receive(turn.board, result.value), "receive()")
    return go(turn)


_TAKING: dict[Any, Callable[..., Position[Any]]] = {
    Agent: _agent_heard,
    World: _world_seen,
    Tool: _tool_returned,
}

# Panels --------------------------------------------------------------------------------------------------


def seat_of(ask: Ask) -> int:
    """The seat of a panel that an ask is for, from 0."""
    return int(ask.id[ask.id.rindex("[") + 1 : -1])


def _panel_heard(turn: Turn, requests: Sequence[Ask], request: Ask, event: Reply | Failed) -> Position[Any]:
    """Keeps one seat's answer; when all are there, takes them together, so that their order never matters."""
    if isinstance(event, Failed) and event.kind == "max_seconds":
        return _failed(turn, request, event)
    turn.heard = tuple(sorted((*turn.heard, (request, event)), key=lambda heard: seat_of(heard[0])))
    waiting = tuple(other for other in requests if other is not request)
    if waiting:
        return turn.at(waiting)
    for asked, answer in turn.heard:
        if isinstance(answer, Failed):
            return _failed(turn, asked, answer)
    return _panel_full(turn, [(asked, answer) for asked, answer in turn.heard if isinstance(answer, Reply)])


def _panel_full(turn: Turn, heard: Sequence[tuple[Ask, Reply]]) -> Position[Any]:
    node: Panel[Any] = turn.plan.nodes[turn.node]  # type: ignore[assignment]  # the plan's kinds say so
    bad = {seat: complaint for seat, (_, reply) in enumerate(heard) if (complaint := flaw(reply))}
    if not bad:
        try:
            turn.put(node.parse(turn.board, tuple(reply.text for _, reply in heard)), "parse()")
        except ParseError as error:
            seats = range(len(heard)) if error.seats is None else error.seats
            bad = {seat: error.message for seat in seats if 0 <= seat < len(heard)}
            if not bad:
                problem = f"its ParseError names the seats {error.seats!r}, but it has {len(heard)}, from 0."
                raise EventError(problem, **turn.where()) from error
        else:
            turn.heard = ()
            return go(turn)
    again = [(heard[i][0].id, ask_again(heard[i][0].messages, heard[i][1], bad[i])) for i in sorted(bad)]
    turn.heard = tuple(item for seat, item in enumerate(heard) if seat not in bad)
    return _bad(turn, bad[min(bad)]) or ask(turn, again)


# Failures ------------------------------------------------------------------------------------------------


def _failed(turn: Turn, request: Request, failed: Failed) -> Position[Any]:
    turn.heard = ()
    turn.error = failed
    if failed.kind in Failed.ENDS_RUN:
        return turn.end(failed.kind)
    if failed.kind != "context_overflow" or type(request) is not Ask:
        return fail(turn, _FAILURE[type(request)])
    if not turn.shortened:
        node: Any = turn.plan.nodes[turn.node]
        shorter = node.shorten(turn.board)
        if shorter is not None:
            turn.put(shorter, "shorten()")
            turn.error = None
            turn.shortened = True
            return enter(turn) or go(turn)
    return fail(turn, "context_overflow")
