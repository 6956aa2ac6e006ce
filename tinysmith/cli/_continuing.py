"""`tinysmith run --continue`: what of a journal need not be run again."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from tinysmith._hands import Hands
from tinysmith.cli._report import Episode
from tinysmith.journal import Journal, RunRecord, replay
from tinysmith.journal._header import compiled, named
from tinysmith.limits import Limits
from tinysmith.protocols import Environment, Task
from tinysmith.run import Run
from tinysmith.strategy import Strategy, plan_of

_BEGINS_ANEW = frozenset({"unfinished", "interrupted"})


class Continuing:
    """The runs of a journal that came to an end, or wait for a person, and were made as those to come are.

    Args:
        journal: Where they are.
        strategy: What made them.
        environment: What they acted in.
        bound: The models by node.
        tools: What is bound to tool nodes.
        limits: What they might spend.
        seed: What the environment was reset with; None for any.
        changes: Fields of the first board.
    """

    def __init__(
        self,
        journal: Journal,
        strategy: Strategy[Any],
        environment: Environment | None,
        *,
        bound: Mapping[str, Any],
        tools: Mapping[str, Any],
        limits: Limits | None,
        seed: int | None,
        changes: Mapping[str, Any],
    ) -> None:
        self._journal = journal
        self._strategy = strategy
        self._plan = plan_of(type(strategy))
        self._made_by = (self._plan.name, compiled(self._plan)[0])
        self._environment = environment
        self._bound = bound
        self._tools = tools
        self._limits = limits
        self._seed = seed
        self._changes = changes
        self._ended: dict[str, list[str]] = {}
        for run in journal.runs():
            if run.outcome not in _BEGINS_ANEW:
                self._ended.setdefault(run.task, []).append(run.run_id)

    def run_of(self, task: Task) -> Run[Any] | None:
        """The last such run on a task; None if there is none.

        Raises:
            JournalError: A run is damaged.
        """
        ended = self._ended.get(task.id, ())
        for run_id in reversed(ended):
            if self._is_alike(self._journal.read(run_id), task):
                run = replay(self._journal, run_id, self._strategy)
                is_begun_so = all(getattr(run.first_board, name) == value for name, value in self._changes.items())
                if is_begun_so and not Episode(task, run, ()).is_broken:
                    return run
        return None

    def _is_alike(self, record: RunRecord, task: Task) -> bool:
        hands = Hands(self._plan, model=self._bound, environment=self._environment, tools=self._tools, task=task)
        environment = "" if self._environment is None else type(self._environment).__name__
        header = record.header
        return (
            (header.strategy, header.fingerprint) == self._made_by
            and header.task == evolve(task, script=())  # a journal keeps none
            and (header.environment, header.models) == (environment, named(hands.models))
            and header.limits == self._limits
            and self._seed in {None, header.seed}
        )
