"""What the tests of tasks in a shell share: a task, and what comes of playing it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.protocols import EnvironmentStep, Grade
from tinysmith.sandbox import Tree

R = TypeVar("R")
SUM = ShellTask("sum", "Add up the numbers in /n.", Tree.of({"/n": "40\n2\n"}), answer=" 42 ", cwd="/work")


def played(play: Callable[[ShellEnvironment], Coroutine[Any, Any, R]], task: ShellTask = SUM, **options: Any) -> R:
    """What comes of playing a task."""

    async def run() -> R:
        environment = ShellEnvironment([task], **options)
        try:
            await environment.reset(task=environment.tasks[task.id])
            return await play(environment)
        finally:
            await environment.close()

    return asyncio.run(run())


def stepped(*actions: str, task: ShellTask = SUM, **options: Any) -> list[EnvironmentStep]:
    """The steps of some actions."""

    async def play(environment: ShellEnvironment) -> list[EnvironmentStep]:
        return [await environment.step(action) for action in actions]

    return played(play, task, **options)


def graded(task: ShellTask, *actions: str, **options: Any) -> Grade:
    """The grade after some actions."""

    async def play(environment: ShellEnvironment) -> Grade:
        for action in actions:
            await environment.step(action)
        return await environment.grade()

    return played(play, task, **options)


def checked(check: Any, *actions: str) -> Grade:
    """What a check says after some actions."""
    return graded(ShellTask("t", "Do it.", check=check, cwd="/work"), *actions)
