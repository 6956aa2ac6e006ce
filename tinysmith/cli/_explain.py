"""`tinysmith run --explain`: at every step the edges that might have been taken, at the end what was missed."""

from collections.abc import Iterator
from typing import Any

from tinysmith._explainer import Explainer, is_same
from tinysmith._shown import one_line
from tinysmith.errors import UsageError
from tinysmith.explanation import ExplainedStep
from tinysmith.limits import Limits
from tinysmith.nodes import Halt
from tinysmith.run import Run, Step
from tinysmith.strategy import Strategy, plan_of


class Explaining:
    """Explains the steps of one run after another as they come, by folding their events along.

    Args:
        strategy: What is run.
        limits: What a run may spend.
    """

    def __init__(self, strategy: Strategy[Any], limits: Limits | None) -> None:
        self._plan = plan_of(strategy)
        self._limits = limits
        self._explainer: Explainer | None = None

    def begin(self, board: Any) -> ExplainedStep:
        """Stands at the start of a run; what comes before its first step, explained."""
        self._explainer = Explainer(self._plan, board, self._limits)
        return self._explainer.first

    def step(self, step: Step[Any]) -> ExplainedStep:
        """A step, explained. Where that cannot be done it says so, once; the run goes on all the same."""
        if self._explainer is None:
            return ExplainedStep(step.number, "", ())
        try:
            explained = self._explainer.step(step.event)
            problem = "" if is_same(explained, step.hops) else "folded again, the same event does something else"
        except Exception as error:  # noqa: BLE001  # a node that keeps something of its own may raise anything now
            problem = one_line(f"folded again, it raises {type(error).__name__}: {error}")
        if not problem:
            return explained
        self._explainer = None
        remedy = "so a node or a guard keeps something of its own"
        return ExplainedStep(step.number, "", (), f"From here on nothing can be explained: {problem}, {remedy}.")

    def missed(self, run: Run[Any]) -> dict[str, str]:
        """For each halt that would have been a success, why the run did not end there."""
        wanted = [name for name, node in self._plan.nodes.items() if isinstance(node, Halt) and node.success]
        answers = {}
        for name in wanted:
            try:
                answers[name] = str(run.why_not(name))
            except UsageError as error:
                answers[name] = str(error)
        return answers


def lines_of(explained: ExplainedStep) -> Iterator[str]:
    """The hops of a step at which there was a choice, with their candidates."""
    for hop in explained.hops:
        if len(hop.candidates) > 1:
            yield from hop.lines


def data_of(explained: ExplainedStep) -> dict[str, Any]:
    """The candidates of a step, and why it went no further, as data."""
    candidates = [
        {
            "hop": place,
            "index": each.index,
            "label": each.label,
            "target": each.target,
            "verdict": each.verdict,
            "misbehaved": each.misbehaved,
            "asked": each.asked,
            "taken": each.taken,
            "reads": dict(each.reads),
        }
        for place, hop in enumerate(explained.hops)
        for each in hop.candidates
    ]
    return {"candidates": candidates, "reason": explained.reason}
