"""The bundled tasks as one environment: questions to a database, and errands in a shell."""

from pathlib import Path

from tinysmith.environments.shell import ShellEnvironment
from tinysmith.environments.sql import SqlEnvironment
from tinysmith.environments.tasks import Tasks, chosen_task
from tinysmith.errors import UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task
from tinysmith.sandbox import Backend

_ERRANDS = Path(__file__).parent / "demo" / "shell"


class DemoEnvironment:
    """Gives the bundled tasks of a ferry line: six questions to its database, and twelve errands in its office.

    A question is as in `SqlEnvironment` and needs no sandbox, an errand as in `ShellEnvironment`. The tasks have
    the splits `questions` and `errands`. Each comes with a script by which `TryAgain` solves it.

    Args:
        backend: What makes the errands' sandboxes: `auto` (the best that works here), another name, or a back end.
    """

    is_replayable = True

    def __init__(self, *, backend: Backend | str = "auto") -> None:
        self._questions = SqlEnvironment.demo()
        self._errands = ShellEnvironment.read(_ERRANDS, backend=backend)
        splits = {"questions": self._questions.tasks, "errands": self._errands.tasks}
        self._tasks = Tasks(
            [task for tasks in splits.values() for task in tasks],
            splits={name: [task.id for task in tasks] for name, tasks in splits.items()},
        )
        self._playing: SqlEnvironment | ShellEnvironment | None = None

    @property
    def tasks(self) -> Tasks:
        """All tasks, the questions first."""
        return self._tasks

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode and returns its question or errand.

        Args:
            task: One of `tasks`; without one, `seed` alone chooses it.
            seed: The same seed chooses the same task.

        Raises:
            UsageError: The task is none of these.
            SandboxUnavailable: It is an errand, and no sandbox can be had here.
        """
        task = chosen_task(self.tasks, task, seed)
        last, self._playing = self._playing, None
        chosen = self._questions if task.id in self._questions.tasks else self._errands
        if last not in (None, chosen):
            await last.close()
        begun = await chosen.reset(task=task, seed=seed)
        self._playing = chosen
        return begun

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action: as the task's environment does.

        Raises:
            UsageError: There is no episode, or it is over.
            EnvironmentLost: The environment was closed or reset meanwhile, or the sandbox died.
        """
        return await self._current().step(action)

    async def grade(self) -> Grade:
        """How the episode stands: as the task's environment says.

        Raises:
            UsageError: There is no episode.
            EnvironmentLost: The environment was closed or reset meanwhile, or the sandbox died.
        """
        return await self._current().grade()

    async def close(self) -> None:
        """Ends the episode and whatever runs; a closed environment may be reset again."""
        self._playing = None
        await self._questions.close()
        await self._errands.close()

    def _current(self) -> SqlEnvironment | ShellEnvironment:
        if self._playing is None:
            raise UsageError("DemoEnvironment: there is no episode; reset the environment first.")
        return self._playing
