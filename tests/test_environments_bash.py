"""The Bash environment: episodes in sandboxes, grades at any time, InterCode's faults and their absence."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from sandboxes import needs_sandbox

from tinysmith.environments._bash_reward import Fidelity
from tinysmith.environments.bash import BashEnvironment, _joined
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import Environment, EnvironmentStep, Grade, Graded, HasTasks, Replayable, Task, Taskset
from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox.bubblewrap import Bubblewrap

ROWS = [
    {"query": "What is in a?", "gold": "cat /work/a.txt"},
    {"query": "Copy a to c.", "gold": "cp /work/a.txt /work/c.txt; echo secretword"},
    {"query": "Pack the folder.", "gold": "mkdir /work/new; echo one > /work/new/x; echo packed files"},
    {"query": "Wait.", "gold": "sleep 60"},
    {"query": "Print bytes.", "gold": r"printf \\377"},
    {"query": "Say it exactly.", "gold": 'printf "%s  " "two  words"'},
]
MANY = "od -An -tx8 -w24 -N9600 /dev/urandom | sed s/[[:space:]]//g | xargs touch"  # names that cannot be packed
SPITE = {"query": "Make many.", "gold": MANY}
TREE = [
    {"path": "/work/a.txt", "type": "file", "text": "alpha beta\n"},
    {"path": "/work/deep/b.txt", "type": "file", "text": "b\n"},
    {"path": "/work/empty", "type": "dir"},
    {"path": "/work/old.txt", "type": "file", "text": "", "mtime": "2023-05-31T23:59:59Z"},
]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    files = {"one.json": ROWS, "one.tree.json": TREE, "two.json": [ROWS[0], SPITE], "two.tree.json": TREE[:1]}
    for name, data in files.items():
        (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    return tmp_path


def made(folder: Path, fidelity: Fidelity = "intercode", **limits: Any) -> BashEnvironment:
    """An environment in real sandboxes."""
    return BashEnvironment(folder, fidelity=fidelity, backend=Bubblewrap(), limits=SandboxLimits(**limits))


def play(environment: BashEnvironment, task_id: str, *actions: str) -> tuple[list[EnvironmentStep], Grade]:
    """Plays an episode, and gives all back."""

    async def playing() -> tuple[list[EnvironmentStep], Grade]:
        await environment.reset(task=Task(task_id))
        try:
            return [await environment.step(action) for action in actions], await environment.grade()
        finally:
            await environment.close()

    return asyncio.run(playing())


def seen(environment: BashEnvironment, *actions: str) -> list[str]:
    """What actions print."""
    return [step.observation for step in play(environment, "one/0", *actions)[0]]


class TestMade:
    def test_protocols(self, folder: Path) -> None:
        """It is an environment that grades, knows its tasks, and may be replayed."""
        environment: Environment = BashEnvironment(str(folder))
        assert isinstance(environment, Graded)
        assert isinstance(environment, HasTasks)
        assert isinstance(environment.tasks, Taskset)
        assert isinstance(environment, Replayable)
        assert environment.is_replayable

    def test_fidelity(self, folder: Path) -> None:
        """There are two fidelities."""
        with pytest.raises(UsageError, match="fidelity is 'exact'; give 'intercode' or 'strict'"):
            BashEnvironment(folder, fidelity="exact")  # type: ignore[arg-type]  # it is the mistake

    @pytest.mark.parametrize(
        ("cwd", "path", "joined"),
        [
            ("/", "a", "/a"),
            ("/a", "b/./c/", "/a/b/c"),
            ("/a/b", "../../..", "/"),
            ("/a", "/b", "/b"),
            ("/a", "", "/a"),
        ],
    )
    def test_joined(self, cwd: str, path: str, joined: str) -> None:
        """A path from a folder is absolute, without `.` and `..`."""
        assert _joined(cwd, path) == joined


@needs_sandbox
class TestEpisode:
    def test_reset(self, folder: Path) -> None:
        """An episode begins with what is to be done; the same seed chooses the same task."""
        environment = made(folder)

        async def begun() -> None:
            assert await environment.reset(task=Task("one/0")) == (
                "What is in a?",
                {"task_id": "one/0", "file_system": "one"},
            )
            chosen = await environment.reset(seed=3)
            assert await environment.reset(seed=3) == chosen
            with pytest.raises(UsageError, match="There is no task 'one/9'"):
                await environment.reset(task=Task("one/9"))
            await environment.close()

        asyncio.run(begun())

    def test_step(self, folder: Path) -> None:
        """What a command prints is the observation, errors too; it is worth nothing yet."""
        steps, grade = play(made(folder), "one/0", "cat work/a.txt; ls /gone; false", "exit 3")
        assert steps[0].observation == "alpha beta\nls: cannot access '/gone': No such file or directory\n"
        assert (steps[0].reward, steps[0].terminated, steps[0].truncated) == (0.0, False, False)
        info = dict(steps[1].info)
        assert info.pop("duration_s") > 0
        assert info == {"exit_code": 3, "action_executed": False, "timed_out": False, "output_truncated": False}
        assert grade == Grade(
            0.67, solved=False, parts={"file_diff": 1.0, "file_changes": 1.0, "answer_similarity": 0.0}
        )

    def test_submit(self, folder: Path) -> None:
        """To submit ends the episode with the grade of what was left; after that nothing can be done."""
        environment = made(folder)
        steps, grade = play(environment, "one/0", "cat < /work/a.txt", " Submit it ")
        assert steps[1][:3] == ("alpha beta\n", 1.0, True)
        assert steps[1].info["action_executed"]
        assert grade.solved
        with pytest.raises(UsageError, match="is over"):
            play(environment, "one/0", "submit", "ls")
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.step("ls"))
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.grade())

    def test_skip(self, folder: Path) -> None:
        """To skip ends the episode with nothing, also after the right output; so does its grade say."""
        steps, grade = play(made(folder), "one/0", "cat /work/a.txt", "skip")
        assert (steps[1].reward, steps[1].terminated, grade) == (0.0, True, Grade(0.0, solved=False))

    def test_nothing_done(self, folder: Path) -> None:
        """Where nothing was done, the question is graded."""
        steps, grade = play(made(folder), "one/0", "submit")
        assert (steps[0].observation, grade.score) == ("What is in a?", 0.67)

    def test_grades(self, folder: Path) -> None:
        """A grade can be had after each step, changes nothing, and falls and rises with the files."""
        environment = made(folder)

        async def graded() -> list[float]:
            await environment.reset(task=Task("one/1"))
            scores = []
            for action in (
                "echo x > /work/c.txt",
                "cp work/a.txt work/c.txt; echo secretword",
                "rm /work/b*",
                "rm /work/o*",
            ):
                await environment.step(action)
                scores.append((await environment.grade()).score)
            await environment.close()
            return scores

        assert asyncio.run(graded()) == [0.34, 1.0, 0.67, 0.39]

    def test_fresh(self, folder: Path) -> None:
        """An episode begins with the task's files, dated or as old as it, whatever was done in the last one."""
        environment = made(folder)
        play(environment, "one/0", "rm -r /work/*; touch /root/x")
        steps, _ = play(
            environment, "one/0", "ls /work /root", "stat -c %y /work/old.txt", "find /work/a.txt -mmin -9"
        )
        assert [step.observation for step in steps] == [
            "/root:\n\n/work:\na.txt\ndeep\nold.txt\n",
            "2023-05-31 23:59:59.000000000 +0000\n",
            "/work/a.txt\n",
        ]
        assert play(environment, "two/0", "ls /work")[0][0].observation == "a.txt\n"

    def test_hidden(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The right command is in no task, representation, log or observation, nor within the agent's reach."""
        caplog.set_level(logging.DEBUG)
        environment = made(folder)
        steps, grade = play(
            environment, "one/1", "ls -R /work /tmp", "cat /proc/*/environ /proc/*/cmdline", "submit"
        )
        shown = (steps, grade, list(environment.tasks), environment._data, environment._episodes, caplog.text)
        assert "secretword" not in " ".join(map(repr, shown))
        assert "one/1: episode begins" in caplog.text

    def test_dead(self, folder: Path) -> None:
        """A sandbox that dies is no wrong answer."""
        environment = made(folder)

        async def die() -> None:
            await environment.reset(task=Task("one/0"))
            environment._episodes.current.sandboxes[0].close()
            with pytest.raises((EnvironmentLost, UsageError), match="sandbox"):
                await environment.step("ls")
            await environment.close()

        asyncio.run(die())


@needs_sandbox
class TestActions:
    def test_shells(self, folder: Path) -> None:
        """Each action has a shell of its own: variables go, and so do processes; files stay."""
        actions = ("x=1; sleep 99 & echo a > /work/n", "echo $x; cat /work/n; pgrep sleep")
        assert seen(made(folder), *actions)[1] == "\na\n"

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_cd(self, fidelity: Fidelity, folder: Path) -> None:
        """The folder that a `cd` led to is kept; one that failed leads nowhere."""
        actions = ("cd work/deep", "pwd", "cd gone", "cd ..", "pwd")
        said = [text.strip() for text in seen(made(folder, fidelity), *actions)]
        assert (said[1], said[4]) == ("/work/deep", "/work")
        assert "gone: No such file or directory" in said[2]

    def test_cd_as_intercode(self, folder: Path) -> None:
        """InterCode takes the line after `cd` for a path: it runs from /, and no later command can begin there."""
        said = seen(
            made(folder), "cd work && ls", "pwd", "cd /work", "cd", "pwd", "cd /work/deep; rm -r /work/deep"
        )
        assert said[0] == "a.txt\ndeep\nold.txt\n"
        assert said[1] == "There is no working directory /work && ls\n"
        assert said[4] == "/work\n"
        lost = ("cd /work/deep", "rm -r /work/deep", "ls", f"cd /work && : {'x' * 300}", "ls")
        said = seen(made(folder), *lost)
        assert said[2] == "There is no working directory /work/deep\n"
        assert said[4].startswith("There is no working directory /work && : xxx")

    def test_strict_folder(self, folder: Path) -> None:
        """Strictly, an action that ends in another folder leads there."""
        assert seen(made(folder, "strict"), "cd work && ls", "pwd") == ["a.txt\ndeep\nempty\nold.txt", "/work"]

    def test_text(self, folder: Path) -> None:
        """InterCode's way of sending an action changes quotes, and refuses some; strictly it is what it says."""
        cases = [
            ('echo "a  b"', "a\n", "a  b"),
            (r"echo '\\'", "\\\n", r"\\"),
            ("echo 'a  b'", "a  b\n", "a  b"),
            ("echo \"don't\" '", "Malformed command", "bash: "),
            ("echo \0", "Malformed command", "bash: a command cannot hold a NUL character"),
            ("echo \ud800", "\ufffd\n", "\ufffd"),
            (r"printf '\377'", "Malformed command", "\ufffd"),
        ]
        actions = [action for action, _, _ in cases]
        assert seen(made(folder), *actions) == [text for _, text, _ in cases]
        said = zip(seen(made(folder, "strict"), *actions), [text for _, _, text in cases], strict=True)
        assert [(shown, begin) for shown, begin in said if not shown.startswith(begin)] == []

    def test_time(self, folder: Path) -> None:
        """A command that takes too long is an observation, and nothing is left of it."""
        steps, grade = play(made(folder, wall_s=1.0), "one/3", "sleep 99", "echo on")
        assert (steps[0].observation, steps[1].observation) == ("Command timed out", "on\n")
        assert (steps[0].info["timed_out"], steps[0].info["exit_code"]) == (True, 137)
        assert grade.score == 0.67

    def test_time_of_gold(self, folder: Path) -> None:
        """A right command that takes too long counts as what is seen of such."""
        assert play(made(folder, wall_s=1.0), "one/3", "sleep 98")[1].solved

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_output(self, fidelity: Fidelity, folder: Path) -> None:
        """A command that prints too much is ended, and said to be."""
        (step,), _ = play(made(folder, fidelity, output_bytes=5_000), "one/0", "yes | tr -d '\n'")
        assert (step.info["output_truncated"], step.info["exit_code"]) == (True, 137)
        assert step.observation.startswith("yyyy")

    def test_unlisted(self, folder: Path) -> None:
        """Files that a command has put beyond the limits are worth nothing; a right command must not do that."""
        assert play(made(folder, output_bytes=5_000), "one/0", f"{MANY}; cat /work/a.txt")[1].score == 0.34
        with pytest.raises(EnvironmentLost, match="right command of 'two/1' leaves files that cannot be listed"):
            play(made(folder, output_bytes=5_000), "two/1", "ls")

    def test_strict_grade(self, folder: Path) -> None:
        """Strictly, what is in an added folder counts, and quotes are the task's own."""
        action = "mkdir /work/new; echo two > /work/new/x; echo packed files"
        assert play(made(folder), "one/2", action)[1].score == 1.0
        assert play(made(folder, "strict"), "one/2", action)[1].score == 0.67
        assert play(made(folder, "strict"), "one/5", 'printf "%s  " "two  words"')[1].solved


@needs_sandbox
class TestConcurrency:
    def test_cancel(self, folder: Path) -> None:
        """A cancelled step ends its command; the episode goes on."""

        async def cancel() -> list[str]:
            environment = made(folder, wall_s=60.0)
            await environment.reset(task=Task("one/0"))
            step = asyncio.create_task(environment.step("sleep 50; touch /work/late"))
            await asyncio.wait({step}, timeout=0.1)
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
            seen = (await environment.step("ls /work")).observation.split()
            await environment.close()
            return seen

        begin = time.monotonic()
        assert asyncio.run(cancel()) == ["a.txt", "deep", "old.txt"]
        assert time.monotonic() - begin < 30

    def test_close(self, folder: Path) -> None:
        """Closing ends what runs; whoever waits for it learns that the environment is gone."""

        async def close() -> None:
            environment = made(folder, wall_s=60.0)
            await environment.reset(task=Task("one/0"))
            step = asyncio.create_task(environment.step("sleep 50"))
            await asyncio.wait({step}, timeout=0.1)
            await environment.close()
            with pytest.raises(EnvironmentLost, match="closed or reset while an action ran"):
                await step

        asyncio.run(close())

    def test_many(self, folder: Path) -> None:
        """Environments beside each other do not disturb each other."""

        async def one(number: int) -> tuple[str, bool]:
            environment = made(folder)
            await environment.reset(task=Task("one/0"))
            await environment.step(f"echo {number} > /work/mine")
            text = (await environment.step("cat /work/mine; rm /work/mine")).observation
            await environment.step("cat /work/a.txt")
            grade = await environment.grade()
            await environment.close()
            return text, grade.solved

        async def all_at_once() -> list[tuple[str, bool]]:
            return await asyncio.gather(*map(one, range(4)))

        assert asyncio.run(all_at_once()) == [(f"{number}\n", True) for number in range(4)]
