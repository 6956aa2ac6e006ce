"""The Python environment's turns: what is done at once, and what stands after the end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from python_episodes import DOUBLE, TWICE, play, written
from sandboxes import needs_sandbox

from tinysmith.environments.python import PythonEnvironment
from tinysmith.errors import UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Task

SLOW = "def slow(x):\n    import time\n    time.sleep(0.2)\n    return 2 * x"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return written([TWICE], tmp_path)


@needs_sandbox
@pytest.mark.parametrize("fidelity", ["intercode", "strict"])
class TestEnd:
    @pytest.mark.parametrize(
        ("actions", "score"),
        [
            ((DOUBLE, "skip"), 0.0),
            (("def half(x):\n    return x + 2", DOUBLE, "submit half"), 1 / 3),
            ((DOUBLE, "def aid(x):\n    return x", "submit double"), 1.0),
            (("def aid(x):\n    return x", DOUBLE, "submit"), 1.0),
        ],
    )
    def test_grade(self, folder: Path, fidelity: Any, actions: tuple[str, ...], score: float) -> None:
        """Once an episode is over, its grade is what it ended with, whatever was defined last."""
        ((steps, grade),) = asyncio.run(play(PythonEnvironment(folder, fidelity=fidelity), ("0", *actions)))
        assert (steps[-1].reward, grade.score, grade.solved) == (score, score, score == 1)


@needs_sandbox
@pytest.mark.parametrize("fidelity", ["intercode", "strict"])
class TestTurns:
    def test_grades(self, folder: Path, fidelity: Any) -> None:
        """Grades that are asked for at once are the same; one that is cancelled does no harm to the next."""

        async def episode() -> None:
            environment = PythonEnvironment(folder, fidelity=fidelity)
            await environment.reset(task=Task("0"))
            await environment.step(SLOW)
            for wait_s in (0.1, 0.3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(asyncio.gather(environment.grade(), environment.grade()), wait_s)
                grades = await asyncio.gather(environment.grade(), environment.grade())
                assert [grade.score for grade in grades] == [1.0, 1.0]
            await environment.close()

        asyncio.run(episode())

    def test_steps(self, folder: Path, fidelity: Any) -> None:
        """Steps and grades that are asked for at once are done one after the other; none is after the end."""

        async def episode() -> None:
            environment = PythonEnvironment(folder, fidelity=fidelity)
            await environment.reset(task=Task("0"))
            first, grade, last, late = await asyncio.gather(
                environment.step(SLOW),
                environment.grade(),
                environment.step("submit"),
                environment.step(DOUBLE),
                return_exceptions=True,
            )
            assert isinstance(first, EnvironmentStep)
            assert isinstance(last, EnvironmentStep)
            assert (first.info["namespace_lost"], last.reward) == (False, 1.0)
            assert grade == await environment.grade() == Grade(1.0, solved=True, parts={"passed": 3, "tests": 3})
            assert isinstance(late, UsageError)
            await environment.close()

        asyncio.run(episode())
