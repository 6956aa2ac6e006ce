"""Why a run never came to a node, or did not end so: the guards at which it turned off."""

from collections.abc import Mapping, Sequence
from typing import Any

from tinysmith._explainer import explained_steps
from tinysmith._labels import doc_of, edges_of, labelled
from tinysmith._reasons import spent_of
from tinysmith._shown import near, one_line
from tinysmith._soundness import OUTCOMES
from tinysmith._turn import Plan
from tinysmith.errors import UsageError
from tinysmith.explanation import ExplainedStep, Miss, WhyNot
from tinysmith.limits import LIMIT_NAMES
from tinysmith.messages import Failed
from tinysmith.position import Hop
from tinysmith.run import Run
from tinysmith.strategy import plan_of

_NEVER = {
    "context_overflow": "No prompt was too long for its model.",
    "environment_lost": "The environment did not fail.",
    "environment_over": "No node acted in an environment that was over.",
    "model_failed": "No model failed for good.",
    "recording_over": "No model ran out of replies.",
    "tool_failed": "No tool failed.",
}

_IN_A_ROW = {"max_errors": "bad replies in a row", "max_hops": "hops in a row without a request"}
_MOST_TOLD = 8


def why_not(run: Run[Any], name: str) -> WhyNot:
    """Why a run never came to a node, or did not end as asked; see `Run.why_not`."""
    steps = explained_steps(run)
    plan = plan_of(run.declared)  # type: ignore[arg-type]  # explained_steps refuses a run without one
    if name in OUTCOMES:
        return _outcome(run, name, steps)
    if name not in plan.nodes:
        problem = f"{plan.name} has no node {name!r}, and no run ends so."
        raise UsageError(f"{problem} {near(name, {*plan.nodes, *OUTCOMES})}")
    hops = [hop for step in steps for hop in step.hops]
    visits = (*(0 for _ in range(name == plan.initial)), *(hop.step for hop in hops if hop.target == name))
    if visits:
        answer = f"{plan.name} did come to {name}, {_at(visits)}. {_ending(run)}"
        return WhyNot(plan.name, name, happened=True, answer=answer, visits=visits)
    reached = {plan.initial, *(hop.target for hop in hops)}
    distances = _distances(plan, name)
    answer = f"{plan.name} never came to {name}. {_ending(run)}"
    near_by = [node for node in plan.nodes if node in reached and node in distances]
    if not near_by:
        return WhyNot(plan.name, name, happened=False, answer=f"{answer} No edges lead there.")
    least = min(distances[node] for node in near_by)
    nearest = [node for node in near_by if distances[node] == least]
    edges = [edge for node in nearest for edge in edges_of(plan, node) if distances.get(edge.target) == least - 1]
    way = _way(plan, distances, nearest[0])
    if least > 1:
        answer += f" The nearest that it came is {nearest[0]}; from there the way is {' → '.join(way)}."
    sources = [node for node in plan.nodes if distances.get(node) == 1 and node not in reached]
    return WhyNot(
        plan.name,
        name,
        happened=False,
        answer=answer,
        way=way,
        misses=tuple(_miss(plan, run, steps, edge) for edge in edges),
        unreached=tuple(sources if least == 1 else ()),
    )


def _outcome(run: Run[Any], name: str, steps: Sequence[ExplainedStep]) -> WhyNot:
    if run.outcome == name:
        why = steps[-1].reason or ("" if run.error is None else one_line(run.error.message))
        answer = f"{run.strategy} did end as {name}, {_after(run)}. {why}".rstrip()
        return WhyNot(run.strategy, name, happened=True, answer=answer, visits=(len(run.steps),))
    if name in LIMIT_NAMES:
        more = _kept_within(run, name)
    else:
        failed = [step for step in run.steps if isinstance(step.event, Failed) and step.hops]
        went = ", ".join(f"step {step.number} {step.node} → {step.hops[0].target}" for step in failed)
        more = f"What failed was taken on by failure edges: {went}." if failed else _NEVER[name]
    answer = f"{run.strategy} did not end as {name}. {_ending(run)} {more}"
    return WhyNot(run.strategy, name, happened=False, answer=answer)


def _kept_within(run: Run[Any], limit: str) -> str:
    """How far a run was from a limit at which it did not end."""
    most = getattr(run.position.limits, limit)
    if most is None:
        return "There was no such limit."
    if limit in _IN_A_ROW:
        return f"There were never more than {most} {_IN_A_ROW[limit]}."
    return f"It came to {spent_of(limit, run.position)}."


def _ending(run: Run[Any]) -> str:
    return f"The run {f'ended as {run.outcome}' if run.outcome else 'has not ended'}, {_after(run)}."


def _after(run: Run[Any]) -> str:
    return f"after {len(run.steps)} step{'s' * (len(run.steps) != 1)}"


def _at(visits: Sequence[int]) -> str:
    """The steps of visits, in words; of many, the first ones and the last."""
    steps = [str(number) for number in visits if number]
    some = steps if len(steps) <= _MOST_TOLD else [*steps[: _MOST_TOLD - 2], "…", steps[-1]]
    told = f"at step{'s' * (len(steps) != 1)} {', '.join(some)}"
    return " and ".join((["at its beginning"] if 0 in visits else []) + ([told] if steps else []))


def _distances(plan: Plan, name: str) -> dict[str, int]:
    """For each node from which edges lead to `name`, how many at least."""
    distances = {name: 0}
    queue = [name]
    for far in queue:
        for source in plan.nodes:
            if source not in distances and any(edge.target == far for edge in edges_of(plan, source)):
                distances[source] = distances[far] + 1
                queue.append(source)
    return distances


def _way(plan: Plan, distances: Mapping[str, int], source: str) -> tuple[str, ...]:
    """The first of the shortest ways."""
    way = [source]
    while distances[way[-1]]:
        left = distances[way[-1]] - 1
        way.append(next(edge.target for edge in edges_of(plan, way[-1]) if distances.get(edge.target) == left))
    return tuple(way)


def _miss(plan: Plan, run: Run[Any], steps: Sequence[ExplainedStep], edge: Hop) -> Miss:
    times = tuple(hop for step in steps for hop in step.hops if hop.source == edge.source)
    stayed = ""
    if run.position.node == edge.source:
        stayed = steps[-1].reason if run.outcome else f"The run is at {edge.source} now."
        stayed = stayed or f"The run ended at {edge.source} as {run.outcome}."
    label, guard = labelled(plan, edge)
    return Miss(edge.source, edge.target, edge.index, label, doc_of(guard), times, stayed)
