"""InterCode's own data: reference answers and recorded episodes. Source: arXiv:2306.14898."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tinysmith.environments import SqlEnvironment
from tinysmith.protocols import Task

INTERCODE = os.environ.get("INTERCODE_DATA", "")


@pytest.mark.untraced
@pytest.mark.skipif(not INTERCODE, reason="INTERCODE_DATA names no folder with InterCode's data")
class TestInterCode:
    def test_gold(self) -> None:
        """All 1034 reference answers run and are worth 1 against themselves."""
        environment = SqlEnvironment(Path(INTERCODE) / "sql")

        async def check() -> list[str]:
            bad = []
            for task in environment.tasks:
                await environment.reset(task=task)
                await environment.step(environment._data.references[task.id])
                if not (await environment.grade()).solved:
                    bad.append(task.id)
            return bad

        assert len(environment.tasks) == 1034
        assert asyncio.run(check()) == []

    def test_recorded(self) -> None:
        """Recorded episodes of GPT-4 on MySQL earn the recorded rewards, in 97 of 100 turns at least."""
        path = Path(INTERCODE) / "recorded" / "sql-gpt-4-try-again-even.jsonl"
        episodes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        environment = SqlEnvironment(Path(INTERCODE) / "sql")

        async def replay(episode: dict[str, Any]) -> tuple[int, bool]:
            await environment.reset(task=Task(str(episode["task_id"])))
            same = 0
            for action, reward in zip(episode["actions"], episode["rewards"], strict=True):
                await environment.step(action)
                grade = await environment.grade()
                same += abs(grade.score - reward) < 0.01 and grade.solved == (reward == 1)
                if grade.solved:
                    return same, True
            return same, False

        async def replay_all() -> list[tuple[int, bool]]:
            return [await replay(episode) for episode in episodes]

        results = asyncio.run(replay_all())
        turns = sum(len(episode["actions"]) for episode in episodes)
        assert sum(same for same, _ in results) / turns >= 0.97
        assert sum(solved for _, solved in results) >= 370
