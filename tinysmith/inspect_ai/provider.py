"""Our sandbox as one of Inspect's: `sandbox="tinysmith"`."""

import asyncio
import json
import os
import posixpath
from pathlib import Path
from typing import Any, Literal, overload

from attrs import evolve
from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    sandboxenv,
)
from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import override  # it comes with Inspect

from tinysmith._threads import in_thread
from tinysmith.errors import DataError, EnvironmentLost, SandboxError, UsageError
from tinysmith.inspect_ai._commands import READ, WRITE, demand_done
from tinysmith.inspect_ai._waiting import demand_asyncio, surely, whole
from tinysmith.mapping import FrozenDict
from tinysmith.sandbox import Bind, Executed, Sandbox, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox.choosing import backend
from tinysmith.sandbox.sandbox import stoppable

MEBIBYTE = 1 << 20
LONGEST_S = 7 * 86_400
"""Seconds that a command may take for which Inspect gives no time."""

FILE_S = 60.0
"""Seconds that reading or writing a file may take."""

_MORE_BYTES = 4096  # that a file is read beyond the limit, to know that there are more
_ROOT = (None, "root", "0")

LIMITS = SandboxLimits(
    wall_s=LONGEST_S,
    cpu_s=3600,
    memory_bytes=2048 * MEBIBYTE,
    processes=256,
    file_bytes=256 * MEBIBYTE,
    disk_bytes=1024 * MEBIBYTE,
    files=100_000,
    output_bytes=101 * MEBIBYTE,
)
"""What a sample may use, unless its configuration says otherwise: Inspect reads files of 100 MiB."""


class SandboxConfig(BaseModel):
    """What a sample's sandbox is made of; a JSON file with these fields will do, too.

    Attributes:
        backend: What makes it: `auto`, or another name.
        tree: A `*.tree.json` file with the files that it begins with, beside the sample's own `files`.
        cwd: The working directory, for relative paths, too.
        environment: Environment variables.
        binds: Files and folders of the host to be shown, read-only, by where they are shown.
        limits: Limits by name, instead of `LIMITS`'s.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str = "auto"
    tree: str = ""
    cwd: str = "/root"
    environment: dict[str, str] = {}
    binds: dict[str, str] = {}
    limits: dict[str, int | float] = {}

    @classmethod
    def of(cls, config: SandboxEnvironmentConfigType | None) -> "SandboxConfig":
        """The configuration that Inspect gives: none, one of these, or the name of a file.

        Raises:
            UsageError: It is none of these.
            DataError: There is no such file, or it holds none.
        """
        if config is None:
            return cls()
        if isinstance(config, cls):
            return config
        if not isinstance(config, str):
            raise UsageError(f"sandbox tinysmith: this is a {type(config).__name__}; give a SandboxConfig.")
        try:
            return cls(**json.loads(Path(config).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, ValidationError, RecursionError) as error:
            raise DataError(f"{config}: this is no configuration of a sandbox: {error}") from None

    def spec(self) -> SandboxSpec:
        """What the sandbox is made of.

        Raises:
            UsageError: A value is none.
            DataError: The tree's file is none.
        """
        try:
            changed: dict[str, Any] = dict(self.limits)
            limits = evolve(LIMITS, **changed)
        except TypeError as error:
            raise UsageError(f"sandbox tinysmith: there is no such limit: {error}") from None
        return SandboxSpec(
            Tree.read(self.tree) if self.tree else Tree(),
            binds=tuple(Bind(Path(source), target) for target, source in self.binds.items()),
            environment=FrozenDict(self.environment),
            cwd=self.cwd,
            limits=limits,
        )


class TimedOut(TimeoutError):
    """A command took too long.

    Attributes:
        truncated_output: What it printed until then.
    """

    def __init__(self, message: str, truncated_output: str) -> None:
        super().__init__(message)
        self.truncated_output = truncated_output


@sandboxenv(name="tinysmith")
class TinysmithSandboxEnvironment(SandboxEnvironment):
    """One of our sandboxes, for one sample. No process outlives its command."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox

    @classmethod
    def default_concurrency(cls) -> int | None:
        """Samples with a sandbox at one time: two for each processor."""
        return 2 * (os.cpu_count() or 1)

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        """A configuration that was logged."""
        return SandboxConfig(**config)

    @override
    @classmethod
    async def task_init(cls, task_name: str, config: SandboxEnvironmentConfigType | None) -> None:
        """Refuses before the first sample where no sandbox can be had.

        Raises:
            SandboxUnavailable: The message says what to install.
        """
        demand_asyncio()
        chosen = SandboxConfig.of(config)
        await in_thread(lambda: backend(chosen.backend))

    @override
    @classmethod
    async def sample_init(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        """Makes a sandbox of its own for a sample."""
        demand_asyncio()
        chosen = SandboxConfig.of(config)
        made: list[Sandbox] = []
        try:
            await whole(stoppable(lambda _: made.append(backend(chosen.backend).create(chosen.spec()))))
        except asyncio.CancelledError:
            await surely(_close(made))
            raise
        return {"default": cls(made[0])}

    @override
    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Ends all that runs, and takes the files away, whatever ended the sample."""
        await surely(_close([each.as_type(cls).sandbox for each in environments.values()]))

    @override
    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Runs a command; one that is out of time is not tried again.

        Raises:
            SandboxUserUnsupportedError: Another user than root is asked for.
            SandboxUnavailableError: The sandbox runs nothing any more.
            TimeoutError: It took too long, and was ended.
            PermissionError: It may not be executed.
            OutputLimitExceededError: It printed too much.
        """
        if user not in _ROOT:
            raise SandboxUserUnsupportedError(f"There is one user in a tinysmith sandbox, root, and no {user!r}.")
        stdin = input.encode() if isinstance(input, str) else input or b""
        wall_s = LONGEST_S if timeout is None else timeout
        try:
            done = await self._run(cmd, stdin=stdin, cwd=self._path(cwd or "."), environment=env, wall_s=wall_s)
        except SandboxError as error:
            return ExecResult(success=False, returncode=126, stdout="", stderr=f"{error}\n")
        return _result(done, cmd[0], wall_s)

    @override
    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Writes a file, and makes its folders.

        Raises:
            IsADirectoryError: It is a folder.
            PermissionError: It may not be written.
            OSError: It is too large, the disk is full, or there are too many files.
        """
        data = contents.encode() if isinstance(contents, str) else contents
        command = ["/bin/bash", "-c", WRITE, "bash", self._path(file)]
        done = await self._run(command, stdin=data, cwd="/", wall_s=FILE_S)
        demand_done(done, file, is_small=len(data) <= self.sandbox.spec.limits.file_bytes)

    @overload
    async def read_file(self, file: str, text: Literal[True] = ...) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    @override
    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        """What is in a file.

        Raises:
            FileNotFoundError: It is not there.
            IsADirectoryError: It is a folder.
            PermissionError: It may not be read.
            UnicodeDecodeError: It is no UTF-8, and text was wanted.
            OutputLimitExceededError: It is too large.
        """
        most = min(
            SandboxEnvironmentLimits.MAX_READ_FILE_SIZE, self.sandbox.spec.limits.output_bytes - _MORE_BYTES
        )
        command = ["/bin/bash", "-c", READ, "bash", self._path(file), str(most + 1)]
        done = await self._run(command, cwd="/", wall_s=FILE_S)
        demand_done(done, file)
        if len(done.stdout) > most:
            raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None)
        return done.stdout.decode() if text else done.stdout

    async def _run(self, command: list[str], **how: Any) -> Executed:
        try:
            return await whole(self.sandbox.aexec(command, **how))
        except EnvironmentLost as error:
            raise SandboxUnavailableError(str(error)) from error

    def _path(self, path: str) -> str:
        joined = posixpath.normpath(posixpath.join(self.sandbox.spec.cwd, path))
        return joined[joined.startswith("//") :]


async def _close(sandboxes: list[Sandbox]) -> None:
    for sandbox in sandboxes:
        await sandbox.aclose()


def _result(done: Executed, program: str, wall_s: float) -> ExecResult[str]:
    if done.ended_by == "wall_s":
        raise TimedOut(f"The command was ended after {wall_s:g} s.", done.text + done.error_text)
    most = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
    if done.ended_by == "output_bytes" or max(len(done.stdout), len(done.stderr)) > most:
        shown = done.stdout[-most:].decode(errors="replace")
        raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE_STR, shown)
    if done.exit_code == 126 and "permission denied" in done.error_text.lower():
        raise PermissionError(f"{program} may not be executed: {done.error_text.strip()}")
    note = f"[The command was ended: it passed the limit {done.ended_by}.]\n" if done.ended_by else ""
    return ExecResult(done.exit_code == 0, done.exit_code, done.text, done.error_text + note)
