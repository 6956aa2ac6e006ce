"""Explains runs: folds them once more, and asks every guard of a node that was left, also those not asked then.

Guards are asked with a spy in the place of the board, which tells what they read. So they must be pure; what one
raises is told as its answer.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tinysmith import _fold
from tinysmith._boards import boards_at_first_hops, boards_at_hops
from tinysmith._labels import doc_of, labelled
from tinysmith._reasons import ending, reason
from tinysmith._shown import one_line
from tinysmith._source import source_of
from tinysmith._spy import UnspiableBoardError, spied
from tinysmith._turn import Plan
from tinysmith.conversation import answered
from tinysmith.errors import UsageError
from tinysmith.explanation import Candidate, ExplainedHop, ExplainedStep, Explanation
from tinysmith.limits import Limits
from tinysmith.mapping import FrozenDict
from tinysmith.messages import Act, Event, Failed, Reply, Result
from tinysmith.nodes import Guard
from tinysmith.position import Hop
from tinysmith.run import Run, Step, step_between
from tinysmith.strategy import plan_of

_SAID = 60
_VALUE = 60


def explain(run: Run[Any], step: int | None = None) -> Explanation:
    """Why a run, or one step of it, went as it did; see `Run.explain`."""
    steps = explained_steps(run)
    if step is None:
        return Explanation(run.strategy, steps if steps[0].lines else steps[1:])
    if step not in range(len(steps)):
        problem = f"The run of {run.strategy} has no step {step!r}."
        raise UsageError(f"{problem} Give one from 1 to {len(run.steps)}, or 0 for what came before the first.")
    return Explanation(run.strategy, (steps[step],))


def explained_steps(run: Run[Any]) -> tuple[ExplainedStep, ...]:
    """What came before the first step, and every step, explained.

    Raises:
        UsageError: The run does not know its strategy, or comes out differently when it is folded again.
    """
    if run.declared is None:
        problem = f"This run of {run.strategy} does not hold the strategy that ran, so it cannot be folded again."
        raise UsageError(f"{problem} Ask the run that run(...) or arun(...) returned.")
    explained: list[ExplainedStep] = []
    hops = (run.first_hops, *(step.hops for step in run.steps))
    try:
        for each, taken in zip(_folded_again(run), hops, strict=True):
            if not is_same(each, taken):
                break
            explained.append(each)
    except Exception as error:  # a node that keeps something of its own may raise anything now
        raise _diverged(run, len(explained)) from error
    if len(explained) < len(hops):
        raise _diverged(run, len(explained))
    return tuple(explained)


def _folded_again(run: Run[Any]) -> Iterator[ExplainedStep]:
    strategy: Any = run.declared
    explainer = Explainer(plan_of(strategy), run.first_board, run.position.limits)
    yield explainer.first
    for step in run.steps:
        yield explainer.step(step.event)


def is_same(explained: ExplainedStep, hops: Sequence[Hop]) -> bool:
    """Whether a step, folded again, took the same edges."""
    return [hop.taken.index for hop in explained.hops] == [hop.index for hop in hops]


def _diverged(run: Run[Any], number: int) -> UsageError:
    problem = f"{run.strategy}, step {number}: folded again, the same event does something else"
    return UsageError(f"{problem}, so a node or a guard keeps something of its own. Put it on the board.")


class Explainer:
    """Explains a run while it goes on, by folding its events along.

    Args:
        plan: The strategy, compiled.
        board: The first board.
        limits: What the run may spend.

    Attributes:
        first: What came before the first step, explained.
    """

    def __init__(self, plan: Plan, board: Any, limits: Limits | None) -> None:
        self._plan = plan
        # Not by way of the Strategy: whoever watches runs shall not take this for another one.
        self._position = _fold.start(plan, board, limits)
        boards = boards_at_first_hops(plan, board, self._position)
        hops = tuple(explained_hop(plan, 0, hop, board) for hop, board in boards)
        self.first = ExplainedStep(0, f"the run begins at {plan.initial}", hops, ending(plan, self._position))

    def step(self, event: Event) -> ExplainedStep:
        """Explains what the next event does."""
        plan, before = self._plan, self._position
        request = answered(before, event)
        after = _fold.advance(plan, before, event)
        step = step_between(before, request, event, after)
        boards = boards_at_hops(plan, before, request, event, after)
        hops = tuple(explained_hop(plan, after.step, hop, board) for hop, board in boards)
        self._position = after
        return ExplainedStep(after.step, _said(step), hops, reason(plan, before, step, after))


def explained_hop(plan: Plan, step: int, hop: Hop, board: Any) -> ExplainedHop:
    """A hop with all candidates, their guards asked about the board on which it was made."""
    return ExplainedHop(step, hop.source, hop.target, tuple(_candidates(plan, hop, board)))


def _candidates(plan: Plan, hop: Hop, board: Any) -> Iterator[Candidate]:
    if hop.index < 0:
        yield Candidate(hop.index, labelled(plan, hop)[0], hop.target, taken=True)
        return
    for other in plan.hops[hop.source]:
        taken = other.index == hop.index
        label, guard = labelled(plan, other)
        if guard is None:
            yield Candidate(other.index, label, other.target, taken=taken)
            continue
        asked = other.index <= hop.index
        verdict, misbehaved = (taken, "") if asked else _answer(guard, board)
        yield Candidate(
            other.index,
            label,
            other.target,
            verdict,
            misbehaved=misbehaved,
            reads=_reads(guard, board),
            doc=doc_of(guard),
            asked=asked,
            taken=taken,
        )


def _answer(guard: Guard[Any], board: Any) -> tuple[bool | None, str]:
    """A guard's verdict, or None and what it does instead of giving one."""
    try:
        verdict = guard(board)
    except Exception as error:  # noqa: BLE001  # whatever it raises is its answer, since the run did not ask it
        return None, f"raises {type(error).__name__}"
    if type(verdict) is bool:
        return verdict, ""
    return None, f"answers {one_line(repr(verdict), _VALUE)}"


def _reads(guard: Guard[Any], board: Any) -> FrozenDict[str, str]:
    """The board's fields that a guard reads, with their values; none, where the board cannot be watched."""
    try:
        names = spied(lambda spy: _answer(guard, spy), board).reads
    except UnspiableBoardError:
        names = ()
    return FrozenDict({name: _value(getattr(board, name)) for name in names})


def _value(value: Any) -> str:
    """A value in one line; of a long tuple the last item, since what is new comes last."""
    is_long = isinstance(value, tuple) and len(value) > _VALUE  # too long whatever it holds
    source = "" if is_long else source_of(value)
    if is_long or (len(source) > _VALUE and isinstance(value, tuple) and len(value) > 1):
        source = f"(…, {source_of(value[-1])})"
    return one_line(source, _VALUE)


def _said(step: Step[Any]) -> str:
    who = step.request.id
    match step.event:
        case Reply():
            return f"{who} replied {step.said(_SAID)!r}"
        case Result():
            return f"{who} returned {step.said(_SAID)}"
        case Failed():
            return f"{who} failed, {step.said(_SAID)}"
    action = step.request.action if isinstance(step.request, Act) else ""
    return f"{who} did {one_line(action, _SAID)!r} and saw {step.said(_SAID)!r}"
