"""Why a step ends where it does: the sentence that a person is told where no edge tells it."""

from typing import Any

from tinysmith._shown import one_line
from tinysmith._turn import Plan
from tinysmith.limits import LIMIT_NAMES
from tinysmith.messages import Failed
from tinysmith.nodes import Halt
from tinysmith.position import Position
from tinysmith.run import Step

_COUNTED = {"max_asks": "asks", "max_steps": "steps", "max_calls": "calls", "max_total_tokens": "tokens"}
_WIDTH = 160


def reason(plan: Plan, before: Position[Any], step: Step[Any], after: Position[Any]) -> str:
    """Why a step went no further, in whole sentences; empty where it ended in a halt, or the next node asks.

    Args:
        plan: The strategy, compiled.
        before: Where the run stood.
        step: The step.
        after: Where it stood then.
    """
    if step.outcome:
        return ending(plan, after)
    if step.hops:
        return ""
    if not step.asked_again:
        return f"It waits for {', '.join(request.id for request in after.requests)}."
    if after.shortened and not before.shortened:
        return f"{after.node} asks again, with a shorter board: the prompt was too long for the model."
    most = after.limits.max_errors
    count = after.spent.errors if most is None else f"{after.spent.errors} of at most {most}"
    return f"{after.node} asks again, after bad reply {count} in a row: {one_line(step.complaint, _WIDTH)}"


def spent_of(limit: str, position: Position[Any]) -> str:
    """How much is spent of a limit that is set, in words: `4 of at most 100 asks`."""
    most, spent = getattr(position.limits, limit), position.spent
    if limit in _COUNTED:
        return f"{getattr(spent, _COUNTED[limit])} of at most {most} {_COUNTED[limit]}"
    if limit == "max_errors":
        return f"{spent.errors} bad replies in a row, where at most {most} may be"
    if limit == "max_hops":
        return f"{len(position.hops)} of at most {most} hops in a row"
    if limit == "max_seconds":
        return f"{spent.seconds:.3g} of at most {most:g} seconds"
    cost = "an unknown amount" if spent.cost_usd is None else f"${spent.cost_usd:.6g}"
    return f"{cost} of at most ${most:g}"


def ending(plan: Plan, last: Position[Any]) -> str:
    """Why a run ended, in whole sentences; empty where it has not, or ended in a halt."""
    done, node = last.done, last.node
    if done is None or plan.kinds[node] is Halt:
        return ""
    outcome = done.outcome
    ended = f"The run ended at {node} as {outcome}"
    told = "" if last.error is None else f" {one_line(last.error.message, _WIDTH)}"
    if outcome in LIMIT_NAMES:
        more = f", and {node} would need more" if outcome in _COUNTED else ""
        return f"{ended}, after {spent_of(outcome, last)}{more}.{told}"
    if outcome == "environment_over":
        return f"{ended}: it would act, but the environment has said that the episode is over."
    if outcome in Failed.ENDS_RUN:
        return f"{ended}:{told}"
    if outcome == "context_overflow":
        again = "even the shorter board was too long" if last.shortened else "it gave no shorter board"
        ended = f"{ended}, since {again}, and"
    else:
        ended = f"{ended}, since"
    return f"{ended} no failure edge leaves it:{told} Declare one, `{node}.on_failure({_halt(plan)})`, to go on."


def _halt(plan: Plan) -> str:
    """A halt that a failure might lead to; rather not one that says that all is well."""
    halts = [name for name, node in plan.nodes.items() if isinstance(node, Halt) and not node.success]
    return halts[0] if halts else "…"
