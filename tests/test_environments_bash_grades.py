"""What the Bash environment is asked at once, or after the end; and grades of files that cannot be told."""

import asyncio
import json
from pathlib import Path
from typing import get_args

import pytest
from sandboxes import needs_sandbox

from tinysmith.environments._bash_reward import Fidelity
from tinysmith.environments.bash import BashEnvironment
from tinysmith.errors import EnvironmentLost
from tinysmith.protocols import Grade, Task
from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox.bubblewrap import Bubblewrap

ROWS = [
    {"query": "Append a line.", "gold": "echo x >> /log; cat /log; touch /tmp/begun; sleep 0.2"},
    {"query": "Change a line.", "gold": "sed -i s/a/b/ /log"},
]
RIGHT = "echo x >> /log; cat /log; touch /tmp/begun"
TREE = [{"path": "/log", "type": "file", "text": "a\n"}]
FIDELITIES = get_args(Fidelity)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name, data in {"one.json": ROWS, "one.tree.json": TREE}.items():
        (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    return tmp_path


def made(folder: Path, fidelity: Fidelity = "intercode") -> BashEnvironment:
    """An environment in real sandboxes, also on a machine that is very busy."""
    limits = SandboxLimits(wall_s=60.0)
    return BashEnvironment(folder, fidelity=fidelity, backend=Bubblewrap(), limits=limits)


async def begun(folder: Path, number: int, fidelity: Fidelity = "intercode") -> BashEnvironment:
    """An environment where an episode has begun."""
    environment = made(folder, fidelity)
    await environment.reset(task=Task(f"one/{number}"))
    return environment


async def right_begins(environment: BashEnvironment) -> None:
    """Waits until the right command has said that it runs."""
    second = environment._episodes.current.sandboxes[1]
    while (await second.aexec("test -e /tmp/begun")).exit_code:
        pass


@needs_sandbox
@pytest.mark.parametrize("fidelity", FIDELITIES)
class TestRight:
    def test_at_once(self, fidelity: Fidelity, folder: Path) -> None:
        """Grades that are wanted at once are each right: the right command is run once."""

        async def graded() -> list[Grade]:
            environment = await begun(folder, 0, fidelity)
            await environment.step(RIGHT)
            grades = await asyncio.gather(*(environment.grade() for _ in range(3)))
            await environment.close()
            return grades

        assert [grade.score for grade in asyncio.run(graded())] == [1.0, 1.0, 1.0]

    def test_cancelled(self, fidelity: Fidelity, folder: Path) -> None:
        """A grade that was cancelled while the right command ran is nothing to the next: it begins anew."""

        async def graded() -> tuple[Grade, float]:
            environment = await begun(folder, 0, fidelity)
            await environment.step(RIGHT)
            grading = asyncio.ensure_future(environment.grade())
            await right_begins(environment)
            grading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await grading
            found = await environment.grade(), (await environment.step("submit")).reward
            await environment.close()
            return found

        grade, reward = asyncio.run(graded())
        assert (grade.score, grade.solved, reward) == (1.0, True, 1.0)


@needs_sandbox
class TestEnd:
    def test_submitted(self, folder: Path) -> None:
        """What is submitted stays graded as it was, whatever becomes of the files."""

        async def graded() -> tuple[Grade, Grade]:
            environment = await begun(folder, 0)
            await environment.step(RIGHT)
            before = await environment.grade()
            await environment.step("submit")
            await environment._episodes.current.sandboxes[0].aexec("rm /log")
            after = await environment.grade()
            await environment.close()
            return before, after

        before, after = asyncio.run(graded())
        assert before.solved
        assert after == before

    def test_closed(self, folder: Path) -> None:
        """A reset during which the environment is closed tells so, and leaves no sandbox."""

        async def race() -> None:
            environment = made(folder)
            told, closed = await asyncio.gather(
                environment.reset(task=Task("one/0")), environment.close(), return_exceptions=True
            )
            assert isinstance(told, EnvironmentLost)
            assert (closed, environment._episodes._held) == (None, [])

        asyncio.run(race())


@needs_sandbox
class TestFiles:
    @pytest.mark.parametrize("fidelity", FIDELITIES)
    def test_too_long(self, fidelity: Fidelity, folder: Path) -> None:
        """Files whose names are too long to be told together are worth nothing."""
        deep = "/".join(17 * ["a" * 200])

        async def graded() -> Grade:
            environment = await begun(folder, 0, fidelity)
            await environment.step(f"mkdir -p /{deep} && cd /{deep} && seq 6000 | xargs touch")
            await environment.step(RIGHT)
            grade = await environment.grade()
            await environment.close()
            return grade

        grade = asyncio.run(graded())
        assert (grade.score, grade.parts["file_diff"], grade.parts["file_changes"]) == (0.34, 0.0, 0.0)

    @pytest.mark.parametrize(("fidelity", "score"), [("intercode", 1.0), ("strict", 0.67)])
    def test_modified(self, fidelity: Fidelity, score: float, folder: Path) -> None:
        """Strictly, what is in a modified file is graded; InterCode takes any change for the right one."""

        async def graded() -> list[float]:
            environment = await begun(folder, 1, fidelity)
            scores = []
            for action in ("echo rubbish > /log", "echo b > /log"):
                await environment.step(action)
                scores.append((await environment.grade()).score)
            await environment.close()
            return scores

        assert asyncio.run(graded()) == [score, 1.0]
