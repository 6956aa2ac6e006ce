"""A server's process: started with what it is given and nothing else, read with care, and ended for certain."""

import asyncio
import logging
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

from attrs import frozen

from tinysmith._shown import one_line, scrubbed
from tinysmith.errors import ToolError, UsageError
from tinysmith.mcp._wire import MOST_UNASKED, Lines, Unasked, message_in

_LOG = logging.getLogger("tinysmith.mcp")

_KEEPER = str(Path(__file__).with_name("_keeper.py"))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHUNK = 1 << 16
LONGEST_MESSAGE = 8 << 20
"""In bytes. What is read of a result is much less; this bounds the memory that one message may take."""

_MOST_STRAY_LINES = 1_000
_LONGEST_LOG_LINE = 8_000
_TOO_MANY = f"sent more than {MOST_UNASKED:,} messages that nobody asked for, and was stopped"
_TOO_LONG = f"sent a message of more than {LONGEST_MESSAGE >> 20} MiB, and was stopped"
_NOTICE_S = 0.5
_KILL_S = 1.0
_POLL_S = 0.01


@frozen
class Launch:
    """How a server is started.

    Attributes:
        name: The program's name, for messages.
        program: Its path.
        arguments: What follows.
        names: The environment variables that it is given.
        folder: Where it starts; None for where we are.
    """

    name: str
    program: str
    arguments: tuple[str, ...]
    names: tuple[str, ...]
    folder: str | None


def prepared(
    command: str, arguments: Sequence[str], env: Collection[str], cwd: str | PathLike[str] | None
) -> Launch:
    """Looks for all that a start needs, so that what is missing is told before.

    Raises:
        UsageError: There is no such program or folder, or a variable has no name or is not set.
    """
    check_system(sys.platform)
    found = shutil.which(command)
    if found is None:
        raise UsageError(f"There is no program {command!r} here. Give its path, or add its folder to PATH.")
    for name in env:
        if not _VARIABLE.fullmatch(name):  # which may be a key given by mistake, so it is not shown
            raise UsageError("env= holds what is no name of an environment variable. Give names, not values.")
        if name not in os.environ:
            raise UsageError(f"env= names {name!r}, which is not set. Set it, or leave it out.")
    folder = None if cwd is None else os.fspath(cwd)
    if folder is not None and not Path(folder).is_dir():
        raise UsageError(f"cwd={folder!r} is no folder. Make it, or name another.")
    # A link is not followed: the Python of a virtual environment knows by it which one it is.
    return Launch(one_line(Path(command).name), str(Path(found).absolute()), tuple(arguments), tuple(env), folder)


@asynccontextmanager
async def started(launch: Launch, grace_s: float) -> "AsyncIterator[Process]":
    """Starts a server, and ends it with all that it has started."""
    theirs, life = os.pipe()
    command = [sys.executable, "-I", "-S", _KEEPER, str(theirs), ",".join(launch.names), launch.program]
    loop = asyncio.get_running_loop()
    try:
        # As `create_subprocess_exec`, which keeps the transport to itself.
        transport, protocol = await loop.subprocess_exec(
            lambda: asyncio.subprocess.SubprocessStreamProtocol(_CHUNK, loop),
            *command,
            *launch.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in launch.names},
            cwd=launch.folder,
            start_new_session=True,
            pass_fds=(theirs,),
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        os.close(life)
        raise ToolError(f"The MCP server {launch.name} cannot be started: {error}.") from error
    finally:
        os.close(theirs)
    process = Process(launch.name, asyncio.subprocess.Process(transport, protocol, loop), life)
    try:
        yield process
    finally:
        await process.end(grace_s)
        transport.close()


class Process:
    """A server's process.

    Attributes:
        over: Why nothing more is to be had from it, in words that follow its name; empty while it serves.
        unasked: Counts its messages; whoever gets an answer that was waited for has it begin anew.
    """

    def __init__(self, name: str, child: asyncio.subprocess.Process, life: int) -> None:
        self.over = ""
        self.unasked = Unasked()
        self._name = name
        self._child: Any = child  # its pipes are there, which its type does not say
        self._life: int | None = life
        self._last_words = b""
        self._writing = asyncio.Lock()
        self._listener = asyncio.create_task(self._listen())
        self._strays = 0
        self._is_stopped = False

    async def send(self, line: bytes) -> None:
        """Sends a line, once those before it are on their way.

        Raises:
            ConnectionError: The server reads no more; `over` says why.
        """
        try:
            async with self._writing:
                await self._child.stdin.drain()  # what was left of a line before, if its sender was cancelled
                self._child.stdin.write(line + b"\n")
                await self._child.stdin.drain()
        except ConnectionError:
            await self._say_over("reads nothing any more")
            raise

    async def messages(self) -> AsyncGenerator[dict[str, Any], None]:
        """What the server says, until it has ended or is not worth listening to; then `over` says why."""
        lines = Lines()
        while not self._is_stopped and (chunk := await self._child.stdout.read(_CHUNK)):
            for line in lines.feed(chunk):
                message = self._understood(line)
                if message is not None:
                    yield message
            if lines.size > LONGEST_MESSAGE:
                self._stop(_TOO_LONG)
        await self._say_over("has closed its output")

    async def end(self, grace_s: float) -> None:
        """Has the server end by itself, for some seconds; then kills it. Nothing that it started is left."""
        self.over = self.over or "was closed"
        self._child.stdin.close()
        drained = asyncio.create_task(self._drain())  # what cannot write cannot end
        if not await self._has_ended(grace_s):
            self._kill()
            await self._has_ended(_KILL_S)
        with suppress(ProcessLookupError):
            self._child.kill()  # a keeper that could not do its work
        self._kill()
        await asyncio.wait({self._listener, drained}, timeout=_KILL_S)

    def _understood(self, line: bytes) -> dict[str, Any] | None:
        message = None
        if len(line) > LONGEST_MESSAGE:
            self._stop(_TOO_LONG)
        elif (message := message_in(line)) is None:
            self._strays += 1
            self._note("wrote what is no message", line)
            if self._strays > _MOST_STRAY_LINES:
                self._stop(f"wrote more than {_MOST_STRAY_LINES:,} lines that are no messages, and was stopped")
        elif self.unasked.is_too_many(len(line), time.monotonic()):
            self._stop(_TOO_MANY)
        return message

    async def _listen(self) -> None:
        """Reads what the server writes to its stderr, for the log."""
        lines = Lines()
        while chunk := await self._child.stderr.read(_CHUNK):
            complete = lines.feed(chunk)
            if lines.size > _LONGEST_LOG_LINE:
                complete.append(lines.flush())
            for line in complete:
                self._note("wrote to stderr", line)
                self._last_words = line[:_LONGEST_LOG_LINE] if line.strip() else self._last_words
        self._last_words = lines.flush() or self._last_words

    async def _drain(self) -> None:
        while await self._child.stdout.read(_CHUNK):
            pass

    def _note(self, what: str, line: bytes) -> None:
        if _LOG.isEnabledFor(logging.DEBUG):
            _LOG.debug("the MCP server %s %s: %s", self._name, what, _one_line(line))

    async def _say_over(self, otherwise: str) -> None:
        """Finds out whether the server has ended, and how; what else is the matter, the caller knows."""
        if not await self._has_ended(_NOTICE_S):
            return self._stop(f"{otherwise}, and was stopped")
        await asyncio.wait({self._listener}, timeout=_NOTICE_S)
        words = f"; it last wrote: {_one_line(self._last_words)}" if self._last_words else ""
        self.over = self.over or f"has ended with exit code {self._child.returncode}{words}"
        return None

    def _stop(self, why: str) -> None:
        self.over = self.over or why
        self._is_stopped = True
        self._kill()

    def _kill(self) -> None:
        if self._life is not None:
            os.close(self._life)
            self._life = None

    async def _has_ended(self, within_s: float) -> bool:
        # `wait` of the child waits for its pipes too, which what it has started may hold.
        deadline = time.monotonic() + within_s
        while self._child.returncode is None and time.monotonic() < deadline:  # noqa: ASYNC110  # as above
            await asyncio.sleep(_POLL_S)
        return self._child.returncode is not None


def _one_line(line: bytes) -> str:
    return one_line(scrubbed(line[:_LONGEST_LOG_LINE].decode(errors="replace")), 300)


def check_system(system: str) -> None:
    """Raises a `UsageError` where a process cannot be kept as it is here."""
    if system == "win32":
        raise UsageError("MCP servers are started on Linux and macOS alone. On Windows, use its Linux subsystem.")
