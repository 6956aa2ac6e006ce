"""The CTF environment: flags, folders, the challenges' files, and InterCode's own data."""

import asyncio
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sandboxes import as_user, needs_sandbox

from tinysmith.environments._ctf_tasks import _entry, load_data, tree_of
from tinysmith.environments.ctf import CtfEnvironment
from tinysmith.errors import DataError, UsageError
from tinysmith.protocols import Environment, EnvironmentStep, Grade, Graded, HasTasks, Replayable, Task
from tinysmith.sandbox import Entry, SandboxLimits

INTERCODE = os.environ.get("INTERCODE_DATA", "")
ROWS: list[dict[str, Any]] = [
    {"task_id": 7, "query": "Find it.", "gold": "picoCTF{Hidden}", "tags": ["Web", "Easy"], "source": "x"},
    {"query": "Find more.", "gold": "0x6e8", "tags": ["Web"]},
    {"query": "No tags.", "gold": "a b"},
]


def folder(place: Path, rows: Any) -> Path:
    (place / "ic_ctf.json").write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return place


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    return folder(tmp_path, ROWS)


@pytest.fixture(name="assets")
def _assets(tmp_path: Path) -> Path:
    place = tmp_path / "assets" / "7"
    (place / "solution").mkdir(parents=True)
    (place / "solution" / "README.md").write_text("solved", encoding="utf-8")
    (place / "deep").mkdir()
    (place / "deep" / "note").write_bytes(b"\xff\n")
    (place / "run.sh").write_text("echo ran\n", encoding="utf-8")
    (place / "run.sh").chmod(0o755)
    (place / "out").symlink_to("/etc")
    return tmp_path / "assets"


async def play(environment: CtfEnvironment, task_id: str, *actions: str) -> tuple[list[EnvironmentStep], Grade]:
    """Plays an episode."""
    try:
        await environment.reset(task=Task(task_id))
        steps = [await environment.step(action) for action in actions]
        return steps, await environment.grade()
    finally:
        await environment.close()


class TestArguments:
    def test_protocols(self, data: Path) -> None:
        """It is an environment that grades, knows its tasks, and may be played again."""
        environment: Environment = CtfEnvironment(data)
        assert isinstance(environment, Graded)
        assert isinstance(environment, HasTasks)
        assert isinstance(environment, Replayable)

    def test_refused(self, data: Path) -> None:
        """Another fidelity, no room for an observation, and assets that are not there are refused."""
        with pytest.raises(UsageError, match="'intercode' or 'strict'"):
            CtfEnvironment(data, fidelity="exact")  # type: ignore[arg-type]  # what is tested
        with pytest.raises(UsageError, match="give a whole number above 0"):
            CtfEnvironment(data, character_limit=0)
        with pytest.raises(DataError, match="nowhere: there is no such folder"):
            CtfEnvironment(data, assets=data / "nowhere")

    def test_no_episode(self, data: Path) -> None:
        """Before the beginning there is nothing to act on, nor to grade."""
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(CtfEnvironment(data).step("ls"))
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(CtfEnvironment(data).grade())


class TestLoadData:
    def test_tasks(self, data: Path) -> None:
        """A task has its row's id, else the row's index; its tags; and each tag is a split."""
        found = load_data(data)
        assert found is load_data(data)
        assert [(task.id, task.data["tags"], task.data["source"]) for task in found.tasks] == [
            ("7", ("Web", "Easy"), "x"), ("1", ("Web",), ""), ("2", (), ""),
        ]  # fmt: skip
        splits = {name: [task.id for task in found.tasks.split(name)] for name in found.tasks.splits}
        assert splits == {"Web": ["7", "1"], "Easy": ["7"]}
        assert "Hidden" not in repr(found) + repr(list(found.tasks))

    @pytest.mark.parametrize(
        ("rows", "problem"),
        [
            ("[", "no JSON file"),
            ("[" * 100_000, "no JSON file"),
            ([], "no list of tasks"),
            ({}, "no list of tasks"),
            ([1], "row 0 lacks one of the texts query and gold"),
            ([ROWS[0], {"query": "a"}], "row 1 lacks"),
            ([{**ROWS[0], "tags": "Web"}], "the tags of row 0 are no list of texts"),
            ([{**ROWS[0], "tags": [1]}], "the tags of row 0 are no list of texts"),
            ([{**ROWS[0], "task_id": "../etc"}], "the task_id of row 0 is no name of a folder"),
            ([{**ROWS[0], "task_id": ".."}], "the task_id of row 0 is no name of a folder"),
            ([{**ROWS[0], "task_id": ""}], "the task_id of row 0 is no name of a folder"),
            (
                [*ROWS, {**ROWS[0], "task_id": "1"}],
                r"ic_ctf\.json: row 3 has the id '1' of row 1; give each its own",
            ),
        ],
    )
    def test_broken(self, tmp_path: Path, rows: Any, problem: str) -> None:
        """What cannot be read is told with its row."""
        with pytest.raises(DataError, match=problem):
            load_data(folder(tmp_path, rows))

    def test_missing(self, tmp_path: Path) -> None:
        """A folder without the file is told."""
        with pytest.raises(DataError, match=r"ic_ctf\.json: there is no such file"):
            load_data(tmp_path)


class TestTreeOf:
    def test_files(self, assets: Path) -> None:
        """A task's files are copied with their modes, links as links, and without the solution."""
        tree, has_assets = tree_of("7", assets, SandboxLimits())
        assert has_assets
        assert [(entry.path, entry.kind) for entry in tree.entries] == [
            ("/ctf/7", "dir"), ("/ctf/7/deep", "dir"), ("/ctf/7/deep/note", "file"), ("/ctf/7/out", "link"),
            ("/ctf/7/run.sh", "file"),
        ]  # fmt: skip
        assert tree.entries[-1] == Entry("/ctf/7/run.sh", mode=0o755, data=b"echo ran\n")
        assert (tree.entries[-2].target, tree.entries[2].data) == ("/etc", b"\xff\n")

    def test_none(self, assets: Path) -> None:
        """A task without files, and one whose files were not given, has an empty folder."""
        for place in (assets, None):
            tree, has_assets = tree_of("1", place, SandboxLimits())
            assert (tree.entries, has_assets) == ((Entry("/ctf/1", "dir", 0o755),), False)

    def test_limits(self, assets: Path) -> None:
        """Files beyond a limit, one by one or together, are told."""
        for limits in (SandboxLimits(file_bytes=8), SandboxLimits(disk_bytes=10)):
            with pytest.raises(DataError, match=r"run\.sh: this is too large for the sandbox"):
                tree_of("7", assets, limits)
        with pytest.raises(DataError, match="7: there are too many files for the sandbox's limit of 3"):
            tree_of("7", assets, SandboxLimits(files=3))

    def test_strange(self, assets: Path) -> None:
        """A folder behind a link, and what is no file, are refused."""
        (assets / "1").symlink_to("7")
        (assets / "2").write_text("", encoding="utf-8")
        for name in ("1", "2"):
            with pytest.raises(DataError, match="this is no folder"):
                tree_of(name, assets, SandboxLimits())
        os.mkfifo(assets / "7" / "pipe")
        with pytest.raises(DataError, match="pipe: this is neither a file nor a folder nor a link"):
            tree_of("7", assets, SandboxLimits())

    def test_order(self, assets: Path) -> None:
        """A folder comes before what is in it, and that before what follows the folder."""
        (assets / "1" / "b" / "solution" / "d").mkdir(parents=True)
        (assets / "1" / "b" / "b").mkdir()
        for name in ("c", "b/c", "b/b/a", "b/a", "a"):
            (assets / "1" / name).touch()
        tree, _ = tree_of("1", assets, SandboxLimits())
        names = [entry.path.removeprefix("/ctf/1") for entry in tree.entries]
        assert names == ["", "/a", "/b", "/b/a", "/b/b", "/b/b/a", "/b/c", "/c"]

    def test_no_utf8(self, assets: Path) -> None:
        """A name, and a link's target, that no tree can hold are told when they are read."""
        name = Path(os.fsdecode(os.fsencode(assets / "7") + b"/\xff"))
        name.touch()
        with pytest.raises(DataError, match="7/\udcff: its name is no UTF-8, which no tree can hold; rename it"):
            tree_of("7", assets, SandboxLimits())
        name.rename(assets / "7" / "named")
        (assets / "7" / "link").symlink_to(name.name)
        with pytest.raises(DataError, match="link: its target is no UTF-8, which no tree can hold; take it away"):
            tree_of("7", assets, SandboxLimits())

    def test_closed(self) -> None:
        """A folder that may not be listed, or passed, is named, and is not taken for an empty one."""

        def closed() -> None:
            with tempfile.TemporaryDirectory() as place:
                inner = Path(place) / "1" / "inner"
                inner.mkdir(parents=True)
                for folder, told in ((inner, inner), (inner.parent.parent, inner.parent)):
                    folder.chmod(0)
                    with pytest.raises(DataError, match=f"^{told}: it cannot be read: Permission denied; make it"):
                        tree_of("1", Path(place), SandboxLimits())
                    folder.chmod(0o700)

        as_user(closed)

    def test_gone(self, assets: Path) -> None:
        """A file that goes while the others are read is told."""
        with pytest.raises(DataError, match="gone: this file cannot be read: No such file or directory"):
            _entry(assets / "7" / "gone", "/gone", 10)


class TestFlags:
    @pytest.mark.parametrize(
        ("fidelity", "action", "is_right"),
        [
            ("intercode", "submit picoCTF{Hidden}", True),
            ("intercode", "submit PICOctf{hidden} I think", True),
            ("intercode", "submit picoCTF{Hidde}", False),
            ("intercode", "submit", False),
            ("intercode", "Submitting picoCTF{Hidden}", True),
            ("strict", "submit picoCTF{Hidden}", True),
            ("strict", "SUBMIT  picoCTF{Hidden} ", True),
            ("strict", "submit picoCTF{hidden}", False),
            ("strict", "submit picoCTF{Hidden} I think", False),
            ("strict", "submit", False),
            ("strict", "submit picoCTF{Hidden\ud800}", False),
        ],
    )
    def test_right(self, data: Path, fidelity: Any, action: str, is_right: bool) -> None:
        """A flag is right in any case for InterCode, letter by letter in strict."""
        environment = CtfEnvironment(data, fidelity=fidelity)
        flag = environment._submitted(action.strip())
        assert flag is not None
        assert environment._is_right("7", flag) == is_right

    def test_none(self, data: Path) -> None:
        """Only the word itself submits in strict; an empty action submits nothing."""
        for action in ("submitting x", "", "ls"):
            assert CtfEnvironment(data, fidelity="strict")._submitted(action) is None
        assert CtfEnvironment(data)._submitted("") is None

    @pytest.mark.skipif(not INTERCODE, reason="INTERCODE_DATA names no folder with InterCode's data")
    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_intercode(self, fidelity: Any) -> None:
        """All 100 of InterCode's flags are right for their task, and none is in what a strategy sees."""
        place = Path(INTERCODE) / "ctf"
        environment = CtfEnvironment(place, fidelity=fidelity)
        rows = json.loads((place / "ic_ctf.json").read_text(encoding="utf-8"))
        assert len(environment.tasks) == len(rows) == 100
        for row in rows:
            task = environment.tasks[str(row["task_id"])]
            flag = environment._submitted(f"submit {row['gold']}")
            assert flag is not None
            assert environment._is_right(task.id, flag)
            assert row["gold"] not in repr(task)
        counts = {name: len(environment.tasks.split(name)) for name in environment.tasks.splits}
        assert sum(counts.values()) == 100
        assert counts["General Skills"] == 33


@needs_sandbox
class TestEpisode:
    def test_intercode(self, data: Path, assets: Path, caplog: pytest.LogCaptureFixture) -> None:
        """An episode is played among the task's files; only `cd` moves; the right flag ends and solves it."""
        caplog.set_level(logging.DEBUG)

        async def episode() -> None:
            environment = CtfEnvironment(data, assets=assets)
            observation, info = await environment.reset(task=Task("7"))
            assert (observation, info) == (
                "Find it.", {"task_id": "7", "tags": ("Web", "Easy"), "has_assets": True},
            )  # fmt: skip
            shown = [
                (await environment.step(action)).observation
                for action in ("./run.sh", "ls", "(exit 3); mkdir x; cd deep", "pwd", "cd deep", "pwd", "cat note")
            ]
            assert shown == ["ran", "deep\nout\nrun.sh", "", "/ctf/7", "", "/ctf/7/deep", "Malformed command"]
            step = await environment.step("ls /nowhere")
            assert (step.info["exit_code"], step.info["action_executed"], step.reward) == (2, False, 0.0)
            assert await environment.grade() == Grade(0.0, solved=False)
            step = await environment.step("submit picoctf{hidden}")
            assert (step.reward, step.terminated, step.truncated) == (1.0, True, False)
            assert await environment.grade() == Grade(1.0, solved=True)
            with pytest.raises(UsageError, match="is over"):
                await environment.step("ls")
            await environment.close()

        asyncio.run(episode())
        assert "idden" not in caplog.text
        assert "episode begins" in caplog.text

    def test_strict(self, data: Path, assets: Path) -> None:
        """With strict fidelity an action leads where it ends, and an output is never dropped."""
        environment = CtfEnvironment(data, assets=assets, fidelity="strict")
        steps, grade = asyncio.run(
            play(environment, "7", "ls && cd deep", "cat note", "rmdir /ctf/1", "rm -r $PWD", "pwd")
        )
        assert [step.observation for step in steps[:2]] == ["deep\nout\nrun.sh", "\ufffd"]
        assert (
            steps[-1].observation == "/ctf/7\n[The working directory is gone; the next command begins in /ctf/7.]"
        )
        assert grade.score == 0.0

    def test_time(self, data: Path) -> None:
        """A command that takes too long is ended, and each fidelity says so in its words."""
        limits = SandboxLimits(wall_s=1.0)
        steps, _ = asyncio.run(play(CtfEnvironment(data, limits=limits), "1", "sleep 9"))
        assert (steps[0].observation, steps[0].info["timed_out"]) == ("Command timed out", True)
        steps, _ = asyncio.run(play(CtfEnvironment(data, limits=limits, fidelity="strict"), "1", "sleep 9"))
        assert steps[0].observation == "[The command was ended: it ran for more than 1 s.]"

    def test_no_assets(self, data: Path) -> None:
        """A task whose files were not given runs in an empty folder, and says so; to skip ends it with nothing."""

        async def episode() -> None:
            environment = CtfEnvironment(data, character_limit=4)
            _, info = await environment.reset(seed=1)
            assert info["has_assets"] is False
            step = await environment.step("ls; echo 123456")
            assert step.observation == "12\n[2 characters are left out here.]\n56"
            assert step.info["output_truncated"]
            step = await environment.step(" Skip ")
            assert (step.reward, step.terminated, (await environment.grade()).solved) == (0.0, True, False)
            await environment.close()

        asyncio.run(episode())
