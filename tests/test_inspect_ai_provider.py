"""Our sandbox as one of Inspect's."""

import asyncio
import inspect
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from evaluations import evaluate, in_sample, sample_of
from inspect_ai.dataset import Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import bash
from inspect_ai.util import (
    OutputLimitExceededError,
    SandboxEnvironmentSpec,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    sandbox,
)
from inspect_ai.util._sandbox import self_check
from sandboxes import needs_sandbox

from tinysmith.errors import DataError, SandboxUnavailable, UsageError
from tinysmith.inspect_ai import SandboxConfig, TinysmithSandboxEnvironment
from tinysmith.inspect_ai._commands import demand_done
from tinysmith.inspect_ai.provider import TimedOut
from tinysmith.sandbox import Executed, Sandbox, Tree

R = TypeVar("R")
pytestmark = needs_sandbox

# Another user cannot be had: there is one, without capabilities.
NOT_HELD = {"test_exec_as_user"}


@asynccontextmanager
async def made(**config: Any) -> AsyncIterator[TinysmithSandboxEnvironment]:
    """A sandbox as Inspect makes and takes it."""
    kind = TinysmithSandboxEnvironment
    environments = await kind.sample_init("task", SandboxConfig(**config), {})
    try:
        yield environments["default"].as_type(kind)
    finally:
        await kind.sample_cleanup("task", None, environments, interrupted=False)


def within(work: Callable[[TinysmithSandboxEnvironment], Awaitable[R]], **config: Any) -> R:
    """What is done with a sandbox."""

    async def main() -> R:
        async with made(**config) as box:
            return await work(box)

    return asyncio.run(main())


def folder_of(box: Sandbox) -> Path:
    folder: Any = box
    return Path(folder.folder.root)


class TestConformance:
    def test_inspects_own_checks(self) -> None:
        """Every check that Inspect ships for sandboxes holds, but the one that wants a second user."""

        async def failed(name: str) -> str:
            try:
                async with made() as box:
                    await getattr(self_check, name)(box)
            except Exception as error:  # noqa: BLE001  # a check's own
                return f"{name}: {error}"
            return ""

        async def main() -> list[str]:
            slots = asyncio.Semaphore(12)

            async def one(name: str) -> str:
                async with slots:
                    return await failed(name)

            slowest_first = sorted(self_check.__all__, key=lambda name: "timeout_kills" not in name)
            return await asyncio.gather(*map(one, slowest_first))

        told = [each for each in asyncio.run(main()) if each]
        assert {each.partition(":")[0] for each in told} == NOT_HELD, told
        assert len(self_check.__all__) >= 40


class TestExec:
    def test_the_configuration(self, tmp_path: Path) -> None:
        """A file configures the sandbox: its files, folder, variables, binds and limits."""
        shown = Path("/etc/os-release")  # any user of a sandbox may read it
        (tmp_path / "a.tree.json").write_text(Tree.of({"/home/me/deep/a": "text"}).json(), encoding="utf-8")
        config = {
            "tree": str(tmp_path / "a.tree.json"),
            "cwd": "/home/me",
            "environment": {"WORD": "w"},
            "binds": {"/shown.txt": str(shown)},
            "limits": {"output_bytes": 5000},
        }
        (tmp_path / "box.json").write_text(json.dumps(config), encoding="utf-8")

        async def main() -> Any:
            kind = TinysmithSandboxEnvironment
            config = str(tmp_path / "box.json")
            await kind.task_init("task", config)
            environments = await kind.sample_init("task", config, {})
            box = environments["default"]
            command = ["bash", "-c", "cat a /shown.txt -; pwd; echo $WORD$MORE; printf '\\xff' >&2; exit 3"]
            done = await box.exec(command, input="in\n", cwd="deep", env={"MORE": "m"}, user="0")
            try:
                with pytest.raises(OutputLimitExceededError):
                    await box.exec(["head", "-c", "6000", "/dev/zero"])
                await box.write_file("/deep/er/x", "y" * 2000)
                with pytest.raises(OutputLimitExceededError):
                    await box.read_file("/deep/er/x")
            finally:
                await kind.sample_cleanup("task", config, environments, interrupted=True)
            return done

        done = asyncio.run(main())
        assert (done.stdout, done.stderr) == (f"text{shown.read_text()}in\n/home/me/deep\nwm\n", "�")
        assert (done.returncode, done.success) == (3, False)

    def test_what_goes_wrong(self) -> None:
        """Each trouble is what Inspect expects of it; another user is refused, whatever it is named."""

        async def work(box: TinysmithSandboxEnvironment) -> Any:
            with pytest.raises(SandboxUserUnsupportedError, match="no 'nobody'"):
                await box.exec(["id"], user="nobody")
            with pytest.raises(PermissionError, match="/etc/passwd may not be executed"):
                await box.exec(["/etc/passwd"])
            with pytest.raises(TimedOut, match="ended after 1 s") as late:
                await box.exec(["bash", "-c", "echo so far; sleep 60"], timeout=1)
            with pytest.raises(OutputLimitExceededError):
                await box.exec(["head", "-c", "11000000", "/dev/zero"])
            await box.exec(["mkfifo", "pipe"])
            lost = await box.exec(["pwd"], cwd="/gone")
            full = await box.exec(["bash", "-c", "head -c 30000000 /dev/zero > big; sleep 5; echo never"])
            missing = await box.exec(["no-such-program"])
            with pytest.raises(OSError, match="No space left"):
                await box.write_file("big", b"0" * 30_000_000)
            with pytest.raises(OSError, match="big") as trouble:
                await box.write_file("/proc/big", b"0")
            await asyncio.to_thread(box.sandbox.close)
            return late.value.truncated_output, lost, full, missing, trouble.value

        late, lost, full, missing, trouble = within(work, limits={"disk_bytes": 20_000_000})
        assert late == "so far\n"
        assert not lost.success
        assert "/gone" in lost.stderr
        assert (full.returncode, "it passed the limit disk_bytes" in full.stderr) == (137, True)
        assert missing.returncode == 127
        assert isinstance(trouble, PermissionError)

    def test_a_file_that_takes_too_long(self) -> None:
        """A file, such as a pipe that nobody writes into, is waited for only so long; other faults are told."""
        with pytest.raises(TimeoutError, match="pipe could not be read"):
            demand_done(Executed(b"", b"", 137, "wall_s"), "pipe")
        with pytest.raises(OSError, match="head: Input/output error"):
            demand_done(Executed(b"", b"head: Input/output error\n", 1), "pipe")
        with pytest.raises(OSError, match="No space left on device: 'big'"):
            demand_done(Executed(b"", b"", 137, "disk_bytes"), "big")

    def test_a_file_that_is_too_large(self) -> None:
        """A file that passes its own limit is too large, which is told apart from a full disk."""

        async def work(box: TinysmithSandboxEnvironment) -> None:
            with pytest.raises(OSError, match="File too large: 'big'"):
                await box.write_file("big", b"0" * 5000)
            await box.write_file("small", b"0" * 3000)

        within(work, limits={"file_bytes": 4096})

    def test_a_sandbox_that_died(self) -> None:
        """What cannot run anything any more is unavailable, in Inspect's words."""

        async def work(box: TinysmithSandboxEnvironment) -> None:
            async def soon_closed() -> None:
                await asyncio.sleep(0.3)
                await box.sandbox.aclose()

            closing = asyncio.ensure_future(soon_closed())
            with pytest.raises(SandboxUnavailableError, match="closed while a command ran"):
                await box.exec(["sleep", "60"])
            await closing

        within(work)


class TestConfig:
    def test_what_is_none(self, tmp_path: Path) -> None:
        """A configuration of another kind, of another limit, or in no file is refused."""
        (tmp_path / "box.json").write_text('{"memory": 3}', encoding="utf-8")
        with pytest.raises(DataError, match="memory"):
            SandboxConfig.of(str(tmp_path / "box.json"))
        with pytest.raises(DataError, match="no configuration"):
            SandboxConfig.of(str(tmp_path / "none.json"))
        with pytest.raises(UsageError, match="SandboxEnvironmentSpec; give a SandboxConfig"):
            SandboxConfig.of(SandboxEnvironmentSpec("docker"))
        with pytest.raises(UsageError, match=r"there is no such limit: .*'size'"):
            SandboxConfig(limits={"size": 1}).spec()
        assert SandboxConfig.of(None) == TinysmithSandboxEnvironment.config_deserialize({})

    def test_no_back_end(self) -> None:
        """Where no sandbox can be had, the task does not begin."""
        with pytest.raises((SandboxUnavailable, UsageError), match="no sandbox 'jail'"):
            asyncio.run(TinysmithSandboxEnvironment.task_init("task", SandboxConfig(backend="jail")))


class TestEvaluation:
    def test_files_setup_and_tools(self, tmp_path: Path) -> None:
        """A sample's files and setup are there for Inspect's own tools, and gone with the sample."""
        sample = Sample(
            "Go.", files={"notes/a.txt": "alpha"}, setup="#!/bin/bash\ntr a-z A-Z < notes/a.txt > b.txt"
        )

        async def work(_: TaskState) -> tuple[Any, Path]:
            box = sandbox().as_type(TinysmithSandboxEnvironment)
            return await bash()("cat b.txt"), folder_of(box.sandbox)

        said, folder = in_sample(tmp_path, work, sample=sample, sandbox="tinysmith")
        assert said == "ALPHA"
        assert not folder.exists()

    def test_a_limit_ends_the_command(self, tmp_path: Path) -> None:
        """A command that runs when Inspect's time is up is ended, and its files are taken away."""
        folders: list[Path] = []

        @solver
        def sleeping() -> Solver:
            async def solve(state: TaskState, generate: Generate) -> TaskState:
                folders.append(folder_of(sandbox().as_type(TinysmithSandboxEnvironment).sandbox))
                await sandbox().exec(["sleep", "60"])
                return state

            return solve

        begin = time.monotonic()
        log = evaluate(tmp_path, sleeping(), [Sample("x")], sandbox="tinysmith", time_limit=2)
        limit = sample_of(log).limit
        assert limit is not None
        assert limit.type == "time"
        assert time.monotonic() - begin < 30
        assert not folders[0].exists()

    def test_a_sample_that_is_cancelled_while_it_begins(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A sandbox that is made when its sample is cancelled is given back."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

        async def main() -> bool:
            with anyio.CancelScope() as scope:
                asyncio.get_running_loop().call_soon(scope.cancel)
                await TinysmithSandboxEnvironment.sample_init("task", None, {})
            return scope.cancelled_caught

        assert asyncio.run(main())
        assert list(tmp_path.iterdir()) == []

    def test_some_at_a_time(self) -> None:
        """Inspect is told to begin no more samples at a time than the machine can carry."""
        assert (TinysmithSandboxEnvironment.default_concurrency() or 0) >= 2
        assert inspect.signature(TinysmithSandboxEnvironment.exec).parameters.keys() >= {
            "timeout_retry",
            "concurrency",
        }
