"""The Python environment: episodes, grades, hostile code, and InterCode's own data."""

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from python_episodes import DOUBLE, TWICE, grades, play, steps_of, written
from sandboxes import needs_sandbox

from tinysmith.environments.python import PythonEnvironment
from tinysmith.errors import DataError, UsageError
from tinysmith.protocols import Environment, Grade, Graded, HasTasks, Replayable, Task
from tinysmith.sandbox import SandboxLimits

INTERCODE = os.environ.get("INTERCODE_DATA", "")
ROWS: list[dict[str, Any]] = [
    TWICE,
    {
        "query": "Say its size.",
        "gold": "import sys\ndef size(x):\n    return sys.getsizeof(x)",
        "tests": ["assert size(()) == sys.getsizeof(())"],
    },
    {
        "query": "Build it.",
        "gold": "class Box:\n    pass\ndef build(x):\n    return 'secretword' if x else x",
        "tests": ["assert build(box) == 'secretword'"],
        "test_setup_code": "box = Box()",
    },
    {"query": "Hang.", "gold": "def hang(x):\n    while x: pass", "tests": ["assert hang(1) == 1"]},
    {
        "query": "Treble it.",
        "gold": "def aid(x):\n    return x\ndef treble(x):\n    return 3 * aid(x)",
        "tests": ["assert treble(2) == 6"],
    },
    {"query": "Name it.", "gold": "def name(x):\n    return object", "tests": ["assert name(1) == object"]},
    {
        "query": "Lengthen it.",
        "gold": "def long():\n    return 'a' * 5000",
        "tests": [f"assert long() == {'a' * 5000!r}"],
    },
    {
        "query": "Tell its sign.",
        "gold": "def positive (x):\n    return x > 0\ndef sign(x):\n    return 1 if positive(x) else -1",
        "tests": ["assert sign(2) == 1", "assert sign(2) == 1", "assert sign(-2) == -1"],
    },
    {
        "query": "Halve it.",
        "gold": "def aid (x):\n    return x\ndef halve (x):\n    return aid(x) // 2",
        "tests": ["assert halve(4) == 2"],
    },
]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return written(ROWS, tmp_path)


class TestArguments:
    def test_protocols(self, folder: Path) -> None:
        """It is an environment that grades, knows its tasks, and may be played again."""
        environment: Environment = PythonEnvironment(folder)
        assert isinstance(environment, Graded)
        assert isinstance(environment, HasTasks)
        assert isinstance(environment, Replayable)
        assert len(environment.tasks) == 9

    def test_refused(self, folder: Path) -> None:
        """Another fidelity, and no room for an observation, are refused."""
        with pytest.raises(UsageError, match="'intercode' or 'strict'"):
            PythonEnvironment(folder, fidelity="exact")  # type: ignore[arg-type]  # what is tested
        with pytest.raises(UsageError, match="give a whole number above 0"):
            PythonEnvironment(folder, character_limit=0)

    def test_no_episode(self, folder: Path) -> None:
        """Before the beginning there is nothing to act on, nor to grade."""
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(PythonEnvironment(folder).step("1"))
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(PythonEnvironment(folder).grade())


@needs_sandbox
class TestEpisode:
    def test_intercode(self, folder: Path) -> None:
        """Actions share a namespace and show what InterCode shows; a grade changes nothing."""

        async def episode() -> None:
            environment = PythonEnvironment(folder)
            assert await environment.reset(task=Task("0")) == ("Double it.", {"task_id": "0", "mbpp": 1})
            assert (await environment.grade()).score == 0
            step = await environment.step("def half(x):\n    return x + 2")
            assert step.observation == "{'output': '', 'error': ''}"
            assert (step.reward, step.terminated, step.truncated) == (0.0, False, False)
            assert step.info == {
                "action_executed": True, "timed_out": False, "output_truncated": False, "namespace_lost": False,
            }  # fmt: skip
            for _ in range(2):
                assert await environment.grade() == Grade(1 / 3, solved=False, parts={"passed": 1, "tests": 3})
            assert (await environment.step("half(1)")).observation == "{'output': '3', 'error': ''}"
            step = await environment.step("twice")
            assert step.observation == "{'error': \"Error: name 'twice' is not defined\"}"
            assert not step.info["action_executed"]
            await environment.step(DOUBLE)
            assert (await environment.grade()).solved
            step = await environment.step("submit half")
            assert (step.reward, step.terminated, step.observation) == (1 / 3, True, "{'output': '', 'error': ''}")
            with pytest.raises(UsageError, match="is over"):
                await environment.step("1")
            await environment.close()

        asyncio.run(episode())

    def test_strict(self, folder: Path) -> None:
        """With strict fidelity an action shows what it prints, and only the word itself submits."""
        actions = ("submitted = 3", "print('a')\nsubmitted + 1", "nothing", DOUBLE, "Submit")
        steps = steps_of(PythonEnvironment(folder, fidelity="strict"), "0", *actions)
        observations = [step.observation for step in steps]
        assert observations == ["", "a\n4", "line 1: NameError: name 'nothing' is not defined", "", ""]
        assert (steps[-1].reward, steps[-1].terminated) == (1.0, True)

    def test_submit(self, folder: Path) -> None:
        """For InterCode whatever begins with the word submits; a name that is none earns 0, and so does `skip`."""
        words = ("submit", "submitted = double", "submit x.y", " Skip ")
        played = asyncio.run(play(PythonEnvironment(folder), *(("0", DOUBLE, word) for word in words)))
        assert [(steps[-1].reward, steps[-1].terminated) for steps, _ in played] == [
            (1.0, True), (0.0, True), (0.0, True), (0.0, True),
        ]  # fmt: skip

    def test_seed(self, folder: Path) -> None:
        """The same seed chooses the same task."""

        async def chosen() -> list[Any]:
            environment = PythonEnvironment(folder)
            ids = [(await environment.reset(seed=seed))[1]["task_id"] for seed in (1, 2, 3, 1)]
            await environment.close()
            return ids

        ids = asyncio.run(chosen())
        assert ids[0] == ids[-1]
        assert len(set(ids)) > 1

    def test_defined(self, folder: Path) -> None:
        """Of several functions of an action the first is graded, as by InterCode; in strict the last."""
        action = "def half(x):\n    return x + 2\n" + DOUBLE
        assert grades(PythonEnvironment(folder), ("0", action)) == [1 / 3]
        assert grades(PythonEnvironment(folder, fidelity="strict"), ("0", action)) == [1.0]

    def test_cut(self, folder: Path) -> None:
        """A long output is cut, and an action that is too long is not done; both are said."""
        actions = ("print('a' * 100)", f"x = 1{' ' * 100_000}")
        steps = steps_of(PythonEnvironment(folder, character_limit=10), "0", *actions)
        assert steps[0].observation == "{'output': 'aaaaaaaaaa', 'error': ''}"
        assert (steps[0].info["output_truncated"], steps[0].info["action_executed"]) == (True, True)
        assert steps[1].observation == "Error executing action: it is longer than 100000 bytes"
        assert not steps[1].info["action_executed"]


@needs_sandbox
class TestGrade:
    def test_first_name(self, folder: Path) -> None:
        """InterCode binds the function to what the gold code defines first; in strict it is what is tested."""
        action = "def three(x):\n    return 3 * x"
        assert grades(PythonEnvironment(folder), ("4", action)) == [0.0]
        assert grades(PythonEnvironment(folder, fidelity="strict"), ("4", action)) == [1.0]

    def test_blank_after_the_name(self, folder: Path) -> None:
        """InterCode passes over a name with a blank after it; where there is no other, the tested one counts."""
        sign, halve = "def mine(x):\n    return 1 if x > 0 else -1", "def mine(x):\n    return x // 2"
        for fidelity in ("intercode", "strict"):
            environment = PythonEnvironment(folder, fidelity=fidelity)
            assert grades(environment, ("7", sign), ("8", halve)) == [1.0, 1.0]

    def test_equal_tests(self, folder: Path) -> None:
        """Tests with one text count once for InterCode; in strict each counts."""
        action = "def mine(x):\n    return 1"
        assert grades(PythonEnvironment(folder), ("7", action)) == [1 / 2]
        assert grades(PythonEnvironment(folder, fidelity="strict"), ("7", action)) == [2 / 3]

    def test_same_error(self, folder: Path) -> None:
        """The gold code's own error is right for InterCode, to avoid it is wrong; in strict the value counts."""
        episodes = ("2", "def build(x):\n    return x"), ("2", ROWS[2]["gold"])
        assert grades(PythonEnvironment(folder), *episodes) == [1.0, 0.0]
        assert grades(PythonEnvironment(folder, fidelity="strict"), *episodes) == [0.0, 1.0]

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_no_literal(self, folder: Path, fidelity: Any) -> None:
        """What a test expects may have to be worked out; that is done with the gold code."""
        action = "def mine(x):\n    import sys\n    sys.getsizeof = lambda x: 7\n    return "
        environment = PythonEnvironment(folder, fidelity=fidelity)
        assert grades(environment, ("1", action + "x.__sizeof__() + 16"), ("1", action + "7")) == [1.0, 0.0]

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_much_output(self, folder: Path, fidelity: Any) -> None:
        """What actions printed or raised takes nothing of the room for the tests' values."""
        actions = ("print('\U0001f600' * 1900)", "x = 1; raise ValueError('\U0001f600' * 9000)") * 3
        limits = SandboxLimits(output_bytes=1 << 16)
        environment = PythonEnvironment(folder, fidelity=fidelity, limits=limits)
        ((steps, grade),) = asyncio.run(play(environment, ("0", *actions, DOUBLE)))
        assert not any(step.info["namespace_lost"] for step in steps)
        assert grade.solved

    def test_talkative(self, folder: Path) -> None:
        """In strict a right function may print what it likes."""
        environment = PythonEnvironment(folder, fidelity="strict", limits=SandboxLimits(output_bytes=1 << 16))
        assert grades(environment, ("0", "def double(x):\n    print('\U0001f600' * 9000)\n    return 2 * x")) == [
            1.0
        ]

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_large_value(self, folder: Path, fidelity: Any) -> None:
        """Where a right value is beyond the limits, that is said, and is no wrong answer."""
        environment = PythonEnvironment(folder, fidelity=fidelity, limits=SandboxLimits(output_bytes=1 << 14))
        with pytest.raises(DataError, match="task '6': its gold code gives nothing to compare with"):
            grades(environment, ("6", "def long():\n    return 'a' * 5000"))

    def test_gold_hangs(self, folder: Path) -> None:
        """Gold code that cannot be run is no wrong answer."""
        environment = PythonEnvironment(folder, limits=SandboxLimits(wall_s=1.5))
        with pytest.raises(DataError, match="task '3': its gold code gives nothing to compare with"):
            grades(environment, ("3", DOUBLE))

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_nothing_to_compare(self, folder: Path, fidelity: Any) -> None:
        """A test whose right value is of no built-in type cannot be judged, which is no wrong answer."""
        with pytest.raises(DataError, match="task '5': its gold code gives nothing to compare with"):
            grades(PythonEnvironment(folder, fidelity=fidelity), ("5", DOUBLE))

    def test_logs(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The gold code is in no task, representation, log or observation."""
        caplog.set_level(logging.DEBUG)

        async def shown() -> str:
            environment = PythonEnvironment(folder)
            await environment.reset(task=Task("2"))
            steps = [await environment.step(action) for action in (DOUBLE, "submit")]
            episode = environment._episodes.current
            text = repr([steps, episode, episode.right, environment._data, list(environment.tasks)])
            await environment.close()
            return text + caplog.text

        text = asyncio.run(shown())
        assert "secretword" not in text
        assert "Build it." in text


@needs_sandbox
@pytest.mark.skipif(not INTERCODE, reason="INTERCODE_DATA names no folder with InterCode's data")
class TestInterCode:
    def test_gold(self) -> None:
        """Gold code is solved but for the two tasks whose set-up code needs it; `bench` has them all.

        One's first name has a blank after it, one has no other, one has equal tests.
        """

        async def solved() -> list[bool]:
            environment = PythonEnvironment(Path(INTERCODE) / "python")
            found = []
            for task_id in ("5", "31", "36", "926"):
                reference = environment._data.references[task_id]
                await environment.reset(task=Task(task_id))
                await environment.step(reference.gold)
                found.append((await environment.step(f"submit {reference.first}")).reward == 1)
            await environment.close()
            return found

        assert asyncio.run(solved()) == [True, True, True, False]

    def test_recorded(self) -> None:
        """Recorded episodes of GPT-4 see and earn what was recorded."""
        path = Path(INTERCODE) / "recorded" / "python-gpt-4-try-again-even.jsonl"
        episodes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:2]]

        async def replay() -> None:
            environment = PythonEnvironment(Path(INTERCODE) / "python")
            for episode in episodes:
                await environment.reset(task=environment.tasks[str(episode["task_id"])])
                for action, seen, reward in zip(
                    episode["actions"], episode["observations"], episode["rewards"], strict=True
                ):
                    step = await environment.step(action)
                    assert (await environment.grade()).score == pytest.approx(reward)
                    assert step.observation == seen or seen.startswith("Test case did not pass")
            await environment.close()

        asyncio.run(replay())
