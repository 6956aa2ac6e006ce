"""Following edges and entering nodes: from one answered request to the next one to be made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from tinysmith._talk import spoken
from tinysmith._turn import Turn
from tinysmith.errors import EndlessCycleError, NoEdgeError, PromptError
from tinysmith.messages import Act, Ask, Call, Message
from tinysmith.nodes import Agent, Halt, Node, Panel, Prompt, Rule, Tool, World
from tinysmith.position import Hop, Position

MOST_FREE_HOPS = 10_000
"""Hops without a request that a run without `max_hops` may take before it counts as endless."""

Entered: TypeAlias = Position[Any] | None
Conversation: TypeAlias = tuple[Message, ...]


def go(turn: Turn) -> Position[Any]:
    """Leaves the node along its edges, through rules, until something is waited for."""
    plan = turn.plan
    most = turn.limits.max_hops or MOST_FREE_HOPS
    while True:
        index = plan.engine.hop(turn.node, turn.board)
        if index < 0:
            raise NoEdgeError([hop.tried[-1][0] for hop in plan.hops[turn.node]], **turn.where())
        if len(turn.hops) >= most:
            return _endless(turn)
        entered = _take(turn, plan.taken[turn.node][index])
        if entered is not None:
            return entered


def enter(turn: Turn) -> Entered:
    """Does what a node does when a run comes to it; None where the run goes straight on, as from a rule."""
    plan = turn.plan
    return _ENTERING[plan.kinds[turn.node]](turn, plan.nodes[turn.node])


def fail(turn: Turn, outcome: str) -> Position[Any]:
    """Takes the node's failure edge, or ends the run."""
    taken = turn.plan.failures.get(turn.node)
    if taken is None:
        return turn.end(outcome)
    turn.error = None
    return _take(turn, taken) or go(turn)


def ask(turn: Turn, conversations: Sequence[tuple[str, Conversation]]) -> Position[Any]:
    """Waits for replies to these conversations, each with the id of its request; ends the run at a limit."""
    limits = turn.limits
    if limits.max_asks is not None and turn.asks + len(conversations) > limits.max_asks:
        return turn.end("max_asks")
    reached = turn.spent_up()
    if reached is not None:
        return turn.end(reached)
    node = turn.node
    schema, tools = turn.plan.wishes[node]
    timeout_s = turn.time_left()
    asks = []
    for name, messages in conversations:
        asks.append(
            Ask(messages, id=name, node=node, number=turn.asks, schema=schema, tools=tools, timeout_s=timeout_s)
        )
        turn.asks += 1
    return turn.at(tuple(asks))


def _take(turn: Turn, taken: tuple[Hop]) -> Entered:
    turn.hops += taken
    turn.node = taken[0].target
    turn.shortened = False
    turn.errors = 0
    return enter(turn)


def _endless(turn: Turn) -> Position[Any]:
    if turn.limits.max_hops is not None:
        return turn.end("max_hops")
    remedy = "Give the run Limits(max_hops=...), or let the cycle ask somebody."
    raise EndlessCycleError(f"{MOST_FREE_HOPS} hops in a row without a request. {remedy}", **turn.where())


def _said(turn: Turn, prompt: Prompt) -> Conversation:
    try:
        return spoken(prompt)
    except (TypeError, ValueError) as error:
        raise PromptError(str(error), **turn.where()) from None


def _enter_agent(turn: Turn, node: Agent[Any]) -> Entered:
    return ask(turn, ((turn.node, _said(turn, node.prompt(turn.board))),))


def _enter_panel(turn: Turn, node: Panel[Any]) -> Entered:
    given: object = node.prompts(turn.board)
    if isinstance(given, str) or not isinstance(given, Sequence):
        problem = f"prompts() gave a {type(given).__name__}. Return one prompt a seat, as a tuple."
        raise PromptError(problem, **turn.where())
    prompts = tuple(given)
    if not prompts:
        raise PromptError("its panel has no seats. Return at least one prompt.", **turn.where())
    turn.heard = ()
    return ask(turn, [(f"{turn.node}[{i}]", _said(turn, prompt)) for i, prompt in enumerate(prompts)])


def _enter_world(turn: Turn, node: World[Any]) -> Entered:
    if turn.over:
        return turn.end("environment_over")
    limits = turn.limits
    if limits.max_steps is not None and turn.steps >= limits.max_steps:
        return turn.end("max_steps")
    reached = turn.spent_up()
    if reached is not None:
        return turn.end(reached)
    action: object = node.action(turn.board)
    if not isinstance(action, str):
        problem = f"action() gave a {type(action).__name__}. Return the action as text."
        raise PromptError(problem, **turn.where())
    turn.steps += 1
    return turn.at((Act(action, id=turn.node, node=turn.node, grade=node.oracle),))


def _enter_tool(turn: Turn, node: Tool[Any, Any]) -> Entered:
    limits = turn.limits
    if limits.max_calls is not None and turn.calls >= limits.max_calls:
        return turn.end("max_calls")
    reached = turn.spent_up()
    if reached is not None:
        return turn.end(reached)
    arguments: object = node.arguments(turn.board)
    if not isinstance(arguments, Mapping):
        problem = f"arguments() gave a {type(arguments).__name__}. Return a mapping from names to JSON data."
        raise PromptError(problem, **turn.where())
    try:
        call = Call(arguments, id=turn.node, node=turn.node)
    except TypeError as error:
        raise PromptError(f"its arguments cannot be sent: {error}.", **turn.where()) from None
    turn.calls += 1
    return turn.at((call,))


def _enter_rule(turn: Turn, node: Rule[Any]) -> Entered:
    turn.put(node.apply(turn.board), "apply()")
    return None


def _enter_halt(turn: Turn, node: Halt) -> Entered:
    return turn.end(turn.node, success=node.success)


_ENTERING: dict[type[Node[Any]], Callable[[Turn, Any], Entered]] = {
    Agent: _enter_agent,
    Panel: _enter_panel,
    World: _enter_world,
    Tool: _enter_tool,
    Rule: _enter_rule,
    Halt: _enter_halt,
}

KINDS: tuple[type[Node[Any]], ...] = tuple(_ENTERING)
"""The kinds of node that the fold knows."""
