"""The seam: what every back end's sandboxes, sessions and the back end itself can do; blocking and async."""

import asyncio
import errno
import os
import select
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, Self, TypeVar, runtime_checkable

from tinysmith._arguments import path_text, told
from tinysmith._threads import begun, settled
from tinysmith.errors import SandboxError, UsageError
from tinysmith.sandbox.spec import Availability, Executed, SandboxSpec
from tinysmith.sandbox.tree import MOST_MODE, is_plain_path

R = TypeVar("R")

_TOO_LARGE = 153  # how a shell tells of SIGXFSZ


class Stop:
    """Ends a blocking call from another thread; it can be waited for beside files."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """What becomes readable when it is set."""
        return self._event

    def set(self) -> None:
        """Ends the call; setting it again does nothing more."""
        os.eventfd_write(self._event, 1)

    def is_set(self) -> bool:
        """Whether it is set."""
        poll = select.poll()
        poll.register(self._event, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Gives its file descriptor back."""
        os.close(self._event)


class Stopped(Exception):
    """A blocking call was ended from another thread; nothing that it began is left."""


async def stoppable(work: Callable[[Stop], R]) -> R:
    """Does blocking work in a thread; cancelling it ends the work, and waits until it has ended."""
    stop = Stop()
    thread = begun(lambda: work(stop))  # no task, which the end of the event loop would cancel
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        await settled(thread)
        thread.exception()  # it is known: the work was ended
        raise
    finally:
        stop.close()


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


async def _made(make: Callable[[Stop], C]) -> C:
    """What is made in a thread; where nobody waits for it any more, that is stopped, and it is closed."""
    made: list[C] = []
    try:
        await stoppable(lambda stop: made.append(make(stop)))
    except asyncio.CancelledError:
        for each in made:
            each.close()
        raise
    return made[0]


class Session(ABC):
    """A shell that stays: what a command sets or defines is there for the next one.

    A session takes one command at a time. It is its sandbox's: closing or resetting that ends it.
    """

    @abstractmethod
    def run(self, command: str, *, wall_s: float | None = None, stop: Stop | None = None) -> Executed:
        """Runs a command in the shell, both streams merged; blocks.

        Args:
            command: Text for the shell; it may have many lines.
            wall_s: Seconds that it may take; those of the sandbox's limits unless given.
            stop: Ends the command when set.

        Raises:
            UsageError: The session is closed, or the command has a NUL.
            EnvironmentLost: The sandbox is dead.
            Stopped: `stop` was set.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends the shell and all that it started; closing again does nothing."""

    async def arun(self, command: str, *, wall_s: float | None = None) -> Executed:
        """As `run`; cancelling it ends the command."""
        return await stoppable(lambda stop: self.run(command, wall_s=wall_s, stop=stop))

    async def aclose(self) -> None:
        """As `close`."""
        await stoppable(lambda _: self.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class Sandbox(ABC):
    """Files, and commands that run among them and see nothing else.

    Each method blocks, and has an async twin with an `a` before its name; cancelling that one ends what runs.

    Attributes:
        spec: What it was made of.
    """

    spec: SandboxSpec

    @abstractmethod
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
        """Runs a command; whatever it started has ended when this returns.

        Args:
            command: Arguments, or a text for `/bin/bash -c`.
            stdin: What it reads.
            cwd: Where it begins: an absolute path; the spec's unless given.
            environment: More environment variables.
            merges_stderr: Whether both streams go to `stdout`, in their order.
            wall_s: Seconds that it may take; those of the spec's limits unless given.
            stop: Ends the command when set.

        Raises:
            UsageError: The sandbox is closed, or an argument is none (a NUL, an empty command).
            SandboxError: `cwd` is no folder there.
            EnvironmentLost: The sandbox cannot run anything any more.
            Stopped: `stop` was set.
        """

    @abstractmethod
    def open_session(self) -> Session:
        """Starts a shell that stays."""

    @abstractmethod
    def fork(self, *, stop: Stop | None = None) -> "Sandbox":
        """A second sandbox with the files that this one has now; sessions are not copied.

        Args:
            stop: Ends it when set, where that can be.

        Raises:
            SandboxError: Its files change, or are held up, while they are copied.
            EnvironmentLost: They cannot be copied.
            Stopped: `stop` was set.
        """

    @abstractmethod
    def reset(self) -> None:
        """Ends all sessions, and brings the files back to the spec's tree."""

    @abstractmethod
    def close(self) -> None:
        """Ends all that runs, and takes the files away; closing again does nothing."""

    def read_file(self, path: str, *, most_bytes: int | None = None, stop: Stop | None = None) -> bytes:
        """What is in a file, as seen from within: links lead to where they lead in the sandbox.

        Args:
            path: Absolute.
            most_bytes: How much it may be; one less than the spec's `output_bytes` unless given less.
            stop: Ends it when set.

        Raises:
            SandboxError: It is no file that can be read, or too large.
        """
        if most_bytes is not None and (type(most_bytes) is not int or most_bytes < 0):
            raise UsageError(f"most_bytes is {told(most_bytes)}; give a whole number from 0 on.")
        most = self.spec.limits.output_bytes - 1
        most = most if most_bytes is None else min(most, most_bytes)
        count = str(most + 1)
        done = self.exec(["/usr/bin/head", "-c", count, "--", _within(path)], cwd="/", stop=stop)
        _accept(done, path, "read")
        if len(done.stdout) > most:
            raise SandboxError(f"{path} has more than {most} bytes; raise `output_bytes`, or read it in parts.")
        return done.stdout

    def write_file(self, path: str, data: bytes, *, mode: int = 0o644, stop: Stop | None = None) -> None:
        """Writes a file, as from within; its folder must be there, and what is at the path is replaced.

        Args:
            path: Absolute.
            data: What to write.
            mode: Its permissions.
            stop: Ends it when set.

        Raises:
            SandboxError: It cannot be written there, or is beyond a limit; what was there may be lost.
            UsageError: `data` is no bytes, or `mode` no permissions.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise UsageError(
                f"{path} cannot be written: this is {type(data).__name__}; give bytes (`text.encode()`)."
            )
        if type(mode) is not int or not 0 <= mode <= MOST_MODE:
            raise UsageError(f"{path} cannot be written: mode is {told(mode)}; give an integer from 0 to 0o7777.")
        script = 'set -e; /bin/rm -f -- "$1"; /bin/cat > "$1"; /bin/chmod "$2" -- "$1"'
        command = ["/bin/bash", "-c", script, "bash", _within(path), f"{mode:o}"]
        _accept(self.exec(command, stdin=data, cwd="/", stop=stop), path, "written")

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
        """As `exec`; cancelling it ends the command."""
        work = partial(
            self.exec,
            command,
            stdin=stdin,
            cwd=cwd,
            environment=environment,
            merges_stderr=merges_stderr,
            wall_s=wall_s,
        )
        return await stoppable(lambda stop: work(stop=stop))

    async def aopen_session(self) -> Session:
        """As `open_session`."""
        return await _made(lambda _: self.open_session())

    async def aread_file(self, path: str, *, most_bytes: int | None = None) -> bytes:
        """As `read_file`."""
        return await stoppable(lambda stop: self.read_file(path, most_bytes=most_bytes, stop=stop))

    async def awrite_file(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """As `write_file`."""
        await stoppable(lambda stop: self.write_file(path, data, mode=mode, stop=stop))

    async def afork(self) -> "Sandbox":
        """As `fork`."""
        return await _made(lambda stop: self.fork(stop=stop))

    async def areset(self) -> None:
        """As `reset`."""
        await stoppable(lambda _: self.reset())

    async def aclose(self) -> None:
        """As `close`."""
        await stoppable(lambda _: self.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


@runtime_checkable
class Backend(Protocol):
    """A way to make sandboxes."""

    def probe(self) -> Availability:
        """Whether it can be used here; where not, what is missing and how to install it."""
        ...

    def create(self, spec: SandboxSpec) -> Sandbox:
        """A sandbox.

        Raises:
            SandboxUnavailable: The back end cannot be used here.
            UsageError: A bind's source is not there.
        """
        ...


def _within(path: str) -> str:
    path = path_text(path)
    if not is_plain_path(path) or path == "/":
        raise UsageError(f"{told(path)} is no file's path; give an absolute one without `.` and `..`.")
    return f".{path}"


def _accept(done: Executed, path: str, what: str) -> None:
    if done.exit_code or done.ended_by:
        why = f"over the limit {done.ended_by}" if done.ended_by else done.error_text.strip().rpartition(": ")[2]
        if not done.ended_by and (done.exit_code == _TOO_LARGE or why == os.strerror(errno.EFBIG)):
            why = "it is over the limit file_bytes, or all files are over theirs"
        raise SandboxError(f"{path} cannot be {what} in the sandbox: {why or f'exit code {done.exit_code}'}.")
