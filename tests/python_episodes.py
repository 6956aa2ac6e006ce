"""Episodes of the Python environment, over a file of tasks of the test's own."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tinysmith.environments.python import PythonEnvironment
from tinysmith.protocols import EnvironmentStep, Grade, Task

DOUBLE = "def double(x):\n    return 2 * x"
TWICE = {
    "query": "Double it.",
    "gold": "def twice(x):\n    return 2 * x",
    "tests": ["assert twice(2) == 4", "assert twice([1]) == [1, 1]", "assert twice('a') == 'aa'"],
}


def written(rows: list[dict[str, Any]], folder: Path) -> Path:
    """A folder with a file of these tasks."""
    (folder / "ic_mbpp.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


async def play(
    environment: PythonEnvironment, *episodes: tuple[str, ...]
) -> list[tuple[list[EnvironmentStep], Grade]]:
    """Plays episodes, each a task's id and actions, in the same sandboxes."""
    found = []
    try:
        for task_id, *actions in episodes:
            await environment.reset(task=Task(task_id))
            steps = [await environment.step(action) for action in actions]
            found.append((steps, await environment.grade()))
        return found
    finally:
        await environment.close()


def grades(environment: PythonEnvironment, *episodes: tuple[str, ...]) -> list[float]:
    """The score of each of some episodes."""
    return [grade.score for _, grade in asyncio.run(play(environment, *episodes))]


def steps_of(environment: PythonEnvironment, task_id: str, *actions: str) -> list[EnvironmentStep]:
    """The steps of an episode."""
    ((steps, _),) = asyncio.run(play(environment, (task_id, *actions)))
    return steps
