"""The bundled ferry line: its scripts solve its tasks."""

import asyncio
import re

import pytest

from tinysmith.environments import SqlEnvironment
from tinysmith.protocols import Task


def action_of(reply: str) -> str:
    """The statement of a demonstration's reply."""
    found = re.search(r"^Action: (.*)$", reply, re.MULTILINE)
    assert found, reply
    return found[1]


class TestDemo:
    def test_tasks(self) -> None:
        """There are six named questions, each with a script."""
        tasks = list(SqlEnvironment.demo().tasks)
        assert len(tasks) == 6
        assert tasks[0].id == "count-boats"
        assert all(task.script and task.query for task in tasks)

    @pytest.mark.parametrize("task", list(SqlEnvironment.demo().tasks), ids=lambda task: str(task.id))
    def test_script(self, task: Task) -> None:
        """A script solves its task with its last reply and not before."""

        async def replay() -> list[bool]:
            environment = SqlEnvironment.demo()
            await environment.reset(task=task)
            solved = []
            for reply in task.script:
                await environment.step(action_of(reply))
                solved.append((await environment.grade()).solved)
            return solved

        assert asyncio.run(replay()) == [False] * (len(task.script) - 1) + [True]

    def test_variety(self) -> None:
        """Some script meets an error, some looks at a table first."""
        environment = SqlEnvironment.demo()

        async def observe() -> list[str]:
            observations = []
            for task in environment.tasks:
                await environment.reset(task=task)
                observations += [(await environment.step(action_of(reply))).observation for reply in task.script]
            return observations

        assert any(text.startswith("Error executing") for text in asyncio.run(observe()))
        assert any(action_of(task.script[0]).startswith("DESCRIBE") for task in environment.tasks)
