"""Tasks as Inspect's samples, and what a run was as a score."""

from collections.abc import Iterable

from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from tinysmith.inspect_ai._telling import STORE
from tinysmith.mapping import thaw
from tinysmith.protocols import Task


def samples(tasks: Iterable[Task]) -> list[Sample]:
    """Tasks as samples: id, query and data; `strategy_solver` finds the tasks again in its environment."""
    return [Sample(id=task.id, input=task.query or task.id, metadata=thaw(task.data)) for task in tasks]


@scorer(metrics=[mean(), stderr()])
def run_scorer() -> Scorer:
    """Scores with the environment's grade; where nothing grades, with 1 for a halt that is a success, else 0.

    A sample whose run Inspect ended, such as at a limit, is worth 0.
    """

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  # Inspect passes it
        told = state.store.get(STORE)
        answer = state.output.completion
        if told is None:
            return Score(value=0.0, answer=answer, explanation="The run was ended before its end.")
        grade = told["grade"]
        value = float(told["success"]) if grade is None else grade["score"]
        seen = ", and saw the grades" if told["oracle"] else ""
        explanation = f"{told['strategy']} ended as {told['outcome']} after {told['steps']} steps{seen}."
        parts = {} if grade is None else grade["parts"]
        return Score(value=value, answer=answer, explanation=explanation, metadata={"parts": parts})

    return score
