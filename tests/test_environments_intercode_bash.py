"""InterCode's own tasks for a shell: right commands and a recorded episode. Source: arXiv:2306.14898."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from sandboxes import needs_sandbox

from tinysmith.environments.bash import BashEnvironment
from tinysmith.protocols import Task

INTERCODE = os.environ.get("INTERCODE_DATA", "")


@needs_sandbox
@pytest.mark.skipif(not INTERCODE, reason="INTERCODE_DATA names no folder with InterCode's data")
class TestInterCode:
    def test_gold(self) -> None:
        """Right commands of all four file trees are worth 1 against themselves; a sample is run."""
        folder = Path(INTERCODE) / "bash"
        environment = BashEnvironment(folder)
        assert [len(environment.tasks.split(f"fs_{number}")) for number in (1, 2, 3, 4)] == [60, 53, 60, 27]

        async def check() -> list[str]:
            bad = []
            for number in (1, 2, 3, 4):
                rows = json.loads((folder / f"nl2bash_fs_{number}.json").read_text(encoding="utf-8"))
                for index in (5, 22):
                    await environment.reset(task=Task(f"nl2bash_fs_{number}/{index}"))
                    await environment.step(rows[index]["gold"])
                    if not (await environment.grade()).solved:
                        bad.append(f"{number}/{index}")
            await environment.close()
            return bad

        assert asyncio.run(check()) == []

    def test_recorded(self) -> None:
        """A recorded episode of GPT-4 earns the recorded rewards, turn by turn."""
        path = Path(INTERCODE) / "recorded" / "bash-gpt-4-try-again-fs_1.jsonl"
        episode = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
        environment = BashEnvironment(Path(INTERCODE) / "bash")

        async def replay() -> list[float]:
            await environment.reset(task=Task(f"{episode['set']}/{episode['task_id']}"))
            scores = []
            for action in episode["actions"]:
                await environment.step(action)
                scores.append((await environment.grade()).score)
            await environment.close()
            return scores

        assert asyncio.run(replay()) == pytest.approx(episode["rewards"])
