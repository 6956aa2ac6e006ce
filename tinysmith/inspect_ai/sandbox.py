"""Inspect's sandbox of a sample, as one of ours."""

import math
import secrets
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from inspect_ai.util import ExecResult, OutputLimitExceededError, SandboxEnvironment, sandbox

from tinysmith._shown import one_line
from tinysmith.errors import EnvironmentLost, SandboxError, UsageError
from tinysmith.inspect_ai._files import PACK, RESTORE, UNPACK, kept, outermost, packed
from tinysmith.inspect_ai._waiting import Home, let_end
from tinysmith.sandbox._words import checked_cwd, checked_environment, checked_words
from tinysmith.sandbox.sandbox import Sandbox, Session, Stop
from tinysmith.sandbox.spec import Availability, Executed, SandboxSpec
from tinysmith.sandbox.tree import is_plain_path

_ONE = "Inspect's sample has one sandbox, which is in use; BashEnvironment and PythonEnvironment need two"
_KILLED = 137
_NOT_BEGUN = 126
_NO_FOLDERS = "Inspect's sandbox cannot be {}, not knowing which folders are the task's. Name them in folders=."
# The word that says so is new each time, so that no command can say it.
_BEGIN = 'cd -- "$1" 2>/dev/null || { printf %s "$2"; exit 126; }; shift 2; exec "$@"'


class InspectBackend:
    """Uses the sandbox of Inspect's sample; make one for each sample, where its environment is made.

    Args:
        name: Which of the sample's sandboxes; its default one unless given.
        user: Who runs the commands; the sandbox's default user unless given.
        folders: What `fork` copies and `reset` brings back; unless given, where commands begin and the outermost
            folders of the tree.

    Raises:
        UsageError: There is no sandbox, or it is none: `local` runs commands on the host.
    """

    def __init__(
        self, name: str | None = None, *, user: str | None = None, folders: Sequence[str] | None = None
    ) -> None:
        try:
            self._environment = sandbox(name)
        except (ProcessLookupError, ValueError) as error:
            raise UsageError(f"InspectBackend: {error}") from None
        self._kind = type(getattr(self._environment, "_sandbox", self._environment)).__name__
        if self._kind == "LocalSandboxEnvironment":
            problem = "Inspect's `local` is the host itself, whose files would be replaced"
            raise UsageError(f"InspectBackend: {problem}; give the task sandbox='tinysmith' or 'docker'.")
        for folder in folders or ():
            if not is_plain_path(folder) or folder == "/":
                raise UsageError(f"InspectBackend: {folder!r} is no folder to copy; give absolute paths, not `/`.")
        self._folders = folders
        self._user = user
        self._home = Home()
        self._made: InspectSandbox | None = None

    def probe(self) -> Availability:
        """Whether it can be used here: it can, or it could not have been made."""
        return Availability(ok=True, features=(self._kind,))

    def create(self, spec: SandboxSpec) -> "InspectSandbox":
        """The sandbox, with the files of the spec.

        Raises:
            UsageError: The spec has binds, the last one is not closed, or this is called in Inspect's event loop.
            SandboxError: The files cannot be put there.
        """
        return self._home.wait(partial(self.acreate, spec))

    async def acreate(self, spec: SandboxSpec) -> "InspectSandbox":
        """As `create`."""
        if spec.binds:
            raise UsageError("InspectBackend shows no files of the host; put them into the tree, or the image.")
        if self._made is not None and not self._made.is_closed:
            raise UsageError(f"InspectBackend: {_ONE}. Leave out backend=, and they have our own.")
        paths = kept(spec) if self._folders is None else outermost(self._folders)
        made = InspectSandbox(spec, self._environment, self._home, user=self._user, paths=paths)
        await made.unpack()
        self._made = made
        return made


class InspectSandbox(Sandbox):
    """The sandbox of a sample; made by `InspectBackend`.

    Closing it takes nothing away: it is Inspect's. A fork is the same sandbox, lent: it has the same files, the
    first one takes no commands meanwhile, and closing the fork brings its files back.

    Attributes:
        is_closed: Whether it takes no more commands.
    """

    def __init__(
        self,
        spec: SandboxSpec,
        environment: SandboxEnvironment,
        home: Home,
        *,
        user: str | None,
        paths: tuple[str, ...],
        lender: "InspectSandbox | None" = None,
    ) -> None:
        self.spec = spec
        self._environment = environment
        self._home = home
        self._user = user
        self._paths = paths
        self._lender = lender
        self._first = b""
        self._is_lent = False
        self.is_closed = False

    def exec(
        self,
        command: str | Sequence[str],
        *,
        stdin: bytes = b"",
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        merges_stderr: bool = False,
        wall_s: float | None = None,
        stop: Stop | None = None,
    ) -> Executed:
        """Runs a command; not in Inspect's event loop."""
        more: dict[str, Any] = {"stdin": stdin, "cwd": cwd, "environment": environment}
        more |= {"merges_stderr": merges_stderr, "wall_s": wall_s}
        return self._home.wait(partial(self.aexec, command, **more), stop)

    async def aexec(
        self,
        command: str | Sequence[str],
        *,
        stdin: bytes = b"",
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        merges_stderr: bool = False,
        wall_s: float | None = None,
    ) -> Executed:
        """Runs a command. Its output is text: what is no UTF-8 has been replaced by Inspect."""
        more: dict[str, Any] = {"stdin": stdin, "cwd": cwd, "environment": environment}
        if not self._home.is_here():
            return await super().aexec(command, merges_stderr=merges_stderr, wall_s=wall_s, **more)
        self._demand_open()
        word = secrets.token_hex(16)
        place = checked_cwd(self.spec.cwd if cwd is None else cwd)
        script = f"exec 2>&1; {_BEGIN}" if merges_stderr else _BEGIN
        words = ["/bin/bash", "-c", script, "bash", place, word, *checked_words(command)]
        variables = {**self.spec.environment, **checked_environment(environment or {})}
        begin = time.monotonic()
        result, ended_by = await self._run(words, stdin, variables, wall_s or self.spec.limits.wall_s)
        if result.returncode == _NOT_BEGUN and result.stdout == word:
            raise SandboxError(f"The command cannot begin in {place}: it is no folder that can be entered.")
        return self._executed(result, ended_by, time.monotonic() - begin)

    def open_session(self) -> Session:
        """Refuses: Inspect's sandboxes have no shell that stays.

        Raises:
            SandboxError: Always.
        """
        raise SandboxError("Inspect's sandboxes keep no shell; give is_session=False, or leave out backend=.")

    def read_file(self, path: str, *, most_bytes: int | None = None, stop: Stop | None = None) -> bytes:
        """What is in a file; not in Inspect's event loop."""
        return self._home.wait(partial(self.aread_file, path, most_bytes=most_bytes), stop)

    async def aread_file(self, path: str, *, most_bytes: int | None = None) -> bytes:
        """What is in a file."""
        if not self._home.is_here():
            return await super().aread_file(path, most_bytes=most_bytes)
        self._demand_open()
        _demand_file(path)
        most = min(self.spec.limits.output_bytes, most_bytes or self.spec.limits.output_bytes)
        data = await self._read(path)
        if len(data) > most:
            raise SandboxError(f"{path} has more than {most} bytes; raise `output_bytes`, or read it in parts.")
        return data

    def write_file(self, path: str, data: bytes, *, mode: int = 0o644, stop: Stop | None = None) -> None:
        """Writes a file; not in Inspect's event loop."""
        self._home.wait(partial(self.awrite_file, path, data, mode=mode), stop)

    async def awrite_file(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Writes a file; Inspect makes its folder."""
        if not self._home.is_here():
            return await super().awrite_file(path, data, mode=mode)
        self._demand_open()
        _demand_file(path)
        await self._do('/bin/rm -f -- "$1"', path)
        await self._write(path, data)
        return await self._do('/bin/chmod "$2" -- "$1"', path, f"{mode:o}")

    def fork(self, *, stop: Stop | None = None) -> "InspectSandbox":
        """This sandbox, lent until the fork is closed; not in Inspect's event loop."""
        return self._home.wait(self.afork)

    async def afork(self) -> "InspectSandbox":
        """This sandbox, lent until the fork is closed.

        Raises:
            SandboxError: There are no folders to copy, or they are too large for Inspect to read.
        """
        if not self._home.is_here():
            return await super().afork()  # type: ignore[return-value]  # it calls our own `fork`
        self._demand_open()
        lent = InspectSandbox(
            self.spec, self._environment, self._home, user=self._user, paths=self._paths, lender=self
        )
        lent._first = await self._pack()
        self._is_lent = True
        return lent

    def reset(self) -> None:
        """Brings the files back to what they were when it was made; not in Inspect's event loop."""
        self._home.wait(self.areset)

    async def areset(self) -> None:
        """Brings the files back to what they were when it was made."""
        if not self._home.is_here():
            return await super().areset()
        self._demand_open()
        return await self._restore()

    def close(self) -> None:
        """Takes no more commands; of a fork, brings the lender's files back; not in Inspect's event loop."""
        self._home.wait(self.aclose)

    async def aclose(self) -> None:
        """Takes no more commands; of a fork, brings the lender's files back."""
        if not self._home.is_here():
            return await super().aclose()
        if self.is_closed:
            return None
        self.is_closed = True
        if self._lender is not None:
            await self._restore()
            self._lender._is_lent = False  # noqa: SLF001  # of this class
        return None

    async def unpack(self) -> None:
        """Puts the tree there, and remembers the folders as they then are, where they can be read."""
        archive = _new_archive()
        await self._write(archive, packed(self.spec.tree))
        await self._do(UNPACK, archive, self.spec.cwd)
        if self._paths:
            self._first = await self._pack()

    async def _pack(self) -> bytes:
        if not self._paths:
            raise SandboxError(_NO_FOLDERS.format("copied"))
        archive = _new_archive()
        await self._do(PACK, archive, *self._paths)
        data = await self._read(archive)
        await self._do('/bin/rm -f -- "$1"', archive)
        return data

    async def _restore(self) -> None:
        if not self._first:
            raise SandboxError(_NO_FOLDERS.format("reset"))
        archive = _new_archive()
        await self._write(archive, self._first)
        await self._do(RESTORE, archive, *self._paths)

    async def _run(
        self, words: list[str], stdin: bytes, variables: dict[str, str], wall_s: float
    ) -> tuple[ExecResult[str], Any]:
        how: dict[str, Any] = {"user": self._user, "timeout": math.ceil(wall_s), "timeout_retry": False}
        try:
            return await self._environment.exec(words, input=stdin or None, env=variables, **how), ""
        except TimeoutError as error:
            return _cut(getattr(error, "truncated_output", None)), "wall_s"
        except OutputLimitExceededError as error:
            return _cut(error.truncated_output), "output_bytes"
        except PermissionError as error:
            return ExecResult(success=False, returncode=126, stdout="", stderr=f"{error}\n"), ""
        except Exception as error:  # noqa: BLE001  # a provider's own, of any kind
            _lose(error)

    def _executed(self, result: ExecResult[str], ended_by: Any, seconds: float) -> Executed:
        most = self.spec.limits.output_bytes
        output, errors = _bytes(result.stdout), _bytes(result.stderr)
        if len(output) + len(errors) > most:
            output, errors = output[:most], errors[: max(0, most - len(output))]
            ended_by = ended_by or "output_bytes"
        code = result.returncode if result.returncode >= 0 else 128 - result.returncode
        return Executed(output, errors, _KILLED if ended_by else code, ended_by, seconds)

    async def _do(self, script: str, *words: str) -> None:
        """Runs a script of ours.

        Raises:
            SandboxError: It failed.
        """
        command = ["/bin/bash", "-c", f"cd /; {script}", "bash", *words]
        result, ended_by = await self._run(command, b"", {}, 120)
        if result.returncode or ended_by:
            said = one_line(result.stderr or result.stdout, 200)
            raise SandboxError(f"{words[0]} cannot be used in Inspect's sandbox: {said or 'the script failed'}.")

    async def _read(self, path: str) -> bytes:
        try:
            return await self._environment.read_file(path, text=False)
        except Exception as error:  # noqa: BLE001  # a provider's own, of any kind
            _refuse(path, "read", error)

    async def _write(self, path: str, data: bytes) -> None:
        try:
            await self._environment.write_file(path, data)
        except Exception as error:  # noqa: BLE001  # a provider's own, of any kind
            _refuse(path, "written", error)

    def _demand_open(self) -> None:
        if self.is_closed:
            raise UsageError("The sandbox is closed; make another.")
        if self._is_lent:
            raise UsageError("The sandbox is lent to a fork, which has the same files; close the fork first.")


def _new_archive() -> str:
    return f"/tmp/.tinysmith-{secrets.token_hex(8)}.tar"  # noqa: S108  # in the sandbox, by a name of chance


def _demand_file(path: str) -> None:
    if not is_plain_path(path) or path == "/":
        raise UsageError(f"{path!r} is no file's path; give an absolute one without `.` and `..`.")


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _cut(text: str | None) -> ExecResult[str]:
    return ExecResult(success=False, returncode=_KILLED, stdout=text or "", stderr="")


def _refuse(path: str, what: str, error: Exception) -> NoReturn:
    if isinstance(error, OSError | OutputLimitExceededError) and not isinstance(error, ConnectionError):
        why = one_line(str(error), 200).rstrip(".")
        raise SandboxError(f"{path} cannot be {what} in Inspect's sandbox: {why}.") from None
    _lose(error)


def _lose(error: Exception) -> NoReturn:
    let_end(error)
    told = one_line(f"{type(error).__name__}: {error}", 200).rstrip(".")
    raise EnvironmentLost(f"Inspect's sandbox does not work: {told}.") from error
