"""The tasks of an environment, with splits and filters."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping

from tinysmith._arguments import several, told
from tinysmith._shown import escaped, near, one_line
from tinysmith.errors import UsageError
from tinysmith.protocols import Task


class Tasks:
    """Tasks in their order, by id; a `Taskset`.

    It never changes: each method that chooses gives another `Tasks`, in the same order, whose splits keep their
    part of what was chosen.

    Args:
        tasks: Each with an id of its own.
        splits: Ids of tasks by the name of the split, such as `test`; a task may be in several.

    Raises:
        UsageError: Two tasks have one id, something is no task, or a split names a task that is not there.
    """

    def __init__(self, tasks: Iterable[Task], *, splits: Mapping[str, Iterable[str]] | None = None) -> None:
        self._tasks: dict[str, Task] = {}
        if not isinstance(tasks, Iterable):
            raise UsageError(f"These tasks are {told(tasks)}; give a list of Task objects.")
        if not isinstance(splits, Mapping | None):
            raise UsageError(f"The splits are {told(splits)}; give a dict of lists of ids by name.")
        for task in tasks:
            if not isinstance(task, Task):
                raise UsageError(f"These tasks hold {one_line(repr(task))}; give Task objects.")
            if task.id in self._tasks:
                raise UsageError(f"Two tasks have the id {task.id!r}; give each its own.")
            self._tasks[task.id] = task
        self._splits = {
            name: frozenset(several(ids, str, f"The split {name!r}", "a list of ids of tasks"))
            for name, ids in (splits or {}).items()
        }
        for name, ids in self._splits.items():
            for task_id in sorted(ids - self._tasks.keys(), key=str)[:1]:
                offer = self._near(task_id, self._tasks)
                raise UsageError(f"The split {name!r} names the task {task_id!r}, which is not there. {offer}")

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def __contains__(self, task_id: object) -> bool:
        return isinstance(task_id, str) and task_id in self._tasks

    def __getitem__(self, task_id: str, /) -> Task:
        if not isinstance(task_id, str):
            kind = type(task_id).__name__
            raise UsageError(f"Tasks are named by their ids, which are texts, and this is a {kind}: {task_id!r}.")
        if task_id in self._tasks:
            return self._tasks[task_id]
        offer = self._near(task_id, self._tasks)
        raise UsageError(f"There is no task {task_id!r} among these {len(self)}. {offer}")

    def __repr__(self) -> str:
        splits = "".join(f", {len(ids)} in {name!r}" for name, ids in self._splits.items())
        return f"<Tasks: {len(self)}{splits}>"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in the tasks' order."""
        return tuple(self._tasks)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, in the order in which they were given."""
        return tuple(self._splits)

    def split(self, name: str) -> "Tasks":
        """The tasks of a split, in their order here.

        Raises:
            UsageError: There is no such split.
        """
        if not isinstance(name, str) or name not in self._splits:
            raise UsageError(f"There is no split {name!r}. {self._near(name, self._splits)}")
        return self._of(self._splits[name])

    def where(self, holds: Callable[[Task], bool]) -> "Tasks":
        """The tasks of which something holds, in their order.

        Raises:
            UsageError: It is no function.
        """
        if not callable(holds):
            raise UsageError(f"where: holds is {told(holds)}; give a function of a task, or use split.")
        return self._of({task.id for task in self if holds(task)})

    def sample(self, count: int, *, seed: int) -> "Tasks":
        """Some tasks by chance, in their order; the same seed takes the same ones.

        Raises:
            UsageError: There are not that many, or the seed is no whole number.
        """
        if type(count) is not int or not 0 <= count <= len(self):
            raise UsageError(f"Cannot take {told(count)} of {len(self)} tasks; take 0 to {len(self)}.")
        _demand_seed(seed)
        return self._of(random.Random(seed).sample(list(self._tasks), count))  # noqa: S311  # can be repeated

    def any(self, seed: int | None) -> Task:
        """One task; the same seed takes the same one, and None any.

        Raises:
            UsageError: There is none, or the seed is no whole number.
        """
        if not self._tasks:
            raise UsageError("There are no tasks to choose from; give some.")
        if seed is not None:
            _demand_seed(seed)
        return random.Random(seed).choice(list(self._tasks.values()))  # noqa: S311  # a choice that can be repeated

    def _of(self, ids: Iterable[str]) -> "Tasks":
        chosen = frozenset(ids)
        splits = {name: names & chosen for name, names in self._splits.items()}
        return Tasks((task for task in self if task.id in chosen), splits=splits)

    @staticmethod
    def _near(name: object, known: Iterable[str]) -> str:
        return escaped(near(str(name), known))  # ids come from files of others


def chosen_task(tasks: Tasks, task: Task | None, seed: int | None) -> Task:
    """The task of an episode: the one that is given, as it is among these; else one by chance.

    Raises:
        UsageError: There is no such task, or something else was given.
    """
    if task is None:
        return tasks.any(seed)
    if not isinstance(task, Task):
        raise UsageError(f"The task of an episode is {told(task)}; give a Task, such as environment.tasks[id].")
    return tasks[task.id]


def _demand_seed(seed: object) -> None:
    if type(seed) is not int:
        raise UsageError(f"The seed is {told(seed)}; give a whole number.")
