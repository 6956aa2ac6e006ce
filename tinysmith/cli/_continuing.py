"""`tinysmith run --continue`: what of a journal need not be run again."""

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field

from tinysmith._hands import Hands
from tinysmith.cli._report import Episode
from tinysmith.journal import Journal, RunRecord, replay
from tinysmith.journal._header import compiled, named
from tinysmith.limits import Limits
from tinysmith.protocols import Environment, Task, title
from tinysmith.run import Run
from tinysmith.strategy import Strategy, plan_of

_BEGINS_ANEW = frozenset({"unfinished", "interrupted"})


@define(eq=False)
class Continuing:
    """The runs of a journal that came to an end, or wait for a person, and were made as those to come are.

    Attributes:
        journal: Where they are.
        strategy: What made them.
        environment: What they acted in.
        bound: The models by node.
        tools: What is bound to tool nodes.
        limits: What they might spend.
        seed: What the environment was reset with; None for any.
        changes: Fields of the first board.
    """

    journal: Journal
    strategy: Strategy[Any]
    environment: Environment | None
    bound: Mapping[str, Any]
    tools: Mapping[str, Any]
    limits: Limits | None
    seed: int | None
    changes: Mapping[str, Any]
    _ended: dict[str, list[str]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ended = {}
        for run in self.journal.runs():
            if run.outcome not in _BEGINS_ANEW:
                self._ended.setdefault(run.task, []).append(run.run_id)

    def run_of(self, task: Task) -> Run[Any] | None:
        """The last such run on a task; None if there is none.

        Raises:
            JournalError: A run is damaged.
        """
        ended = self._ended.get(task.id, ())
        for run_id in reversed(ended):
            if self._is_alike(self.journal.read(run_id), task):
                run = replay(self.journal, run_id, self.strategy)
                is_begun_so = all(getattr(run.first_board, name) == value for name, value in self.changes.items())
                if is_begun_so and not Episode(task, run, ()).is_broken:
                    return run
        return None

    def _is_alike(self, record: RunRecord, task: Task) -> bool:
        plan = plan_of(type(self.strategy))
        hands = Hands(plan, model=self.bound, environment=self.environment, tools=self.tools, task=task)
        header = record.header
        return (
            (header.strategy, header.fingerprint) == (plan.name, compiled(plan)[0])
            and header.task == evolve(task, script=())  # a journal keeps none
            and (header.environment, header.models) == (title(self.environment), named(hands.models))
            and header.limits == self.limits
            and self.seed in {None, header.seed}
        )
