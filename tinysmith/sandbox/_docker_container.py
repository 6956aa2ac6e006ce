"""A container that runs, and the commands that an engine begins in it."""

import re
import secrets
import string
import threading
import time
from contextlib import suppress
from typing import Any, Literal, TypeAlias

from attrs import define, field

from tinysmith._shown import one_line
from tinysmith.errors import EnvironmentLost, SandboxError, SandboxUnavailable, UsageError
from tinysmith.sandbox._docker_engine import create, demand_runtime, sdk, told
from tinysmith.sandbox._docker_scripts import keeper
from tinysmith.sandbox._docker_stream import STDOUT, Stream
from tinysmith.sandbox._docker_tree import archive
from tinysmith.sandbox.spec import SandboxSpec

Verb: TypeAlias = Literal["end", "others"]
"""End a root and all of its own, or all but the root and the shell that it waits for; what is nobody's, too."""

_LOST = "Nothing can be run in the sandbox: {why}. Make another."
_DEAD = "The sandbox's container has ended, or answers no more; make another."
_PATIENCE_S = 30.0  # for an engine, on a machine that is very busy
_MOST_NOISE = 1 << 24  # bytes that others may print for the first process before its answer
_LINE = 1000


@define(eq=False)
class Running:
    """A command or a session that has begun.

    Attributes:
        stream: Its input and output.
        root: The number of its first process in the container.
        early: What came right behind that number.
    """

    stream: Stream
    root: int = 0
    early: list[tuple[int, bytes]] = field(factory=list)


class Container:
    """A container with its first process, which lives as long as our connection to it.

    Args:
        client: The engine's.
        name: The engine's name for it.
        keeper: The input and output of its first process.
    """

    def __init__(self, client: Any, name: str, keeper: Stream) -> None:
        self._client = client
        self._name = name
        self._keeper = keeper
        self._lock = threading.Lock()

    @classmethod
    def make(
        cls, client: Any, spec: SandboxSpec, image: str, runtime: str | None, *, has_tree: bool
    ) -> "Container":
        """Makes one, and starts it.

        Args:
            client: The engine's.
            spec: What it is made of.
            image: What its files are, below the tree.
            runtime: The engine's name for it; None for its default.
            has_tree: Whether the image has the tree already.

        Raises:
            SandboxUnavailable: It cannot be made.
            UsageError: The tree, or the folder in which commands begin, cannot be made in the image.
        """
        files = b"" if has_tree or not spec.tree.entries else archive(spec.tree)
        cwd = "/" if has_tree else spec.cwd  # where a copy lacks the folder, somebody has taken it away
        problem = (
            f"The engine cannot make a container of {image!r}: {{why}}. It must have /bin/bash and coreutils."
        )
        with told(SandboxUnavailable, problem):
            name = create(client, spec, image, runtime, keeper(cwd))
        try:
            if files:
                with told(UsageError, "The sandbox's tree cannot be made in the image: {why}. Change the tree."):
                    client.put_archive(name, "/", files)
            with told(SandboxUnavailable, problem):
                if runtime is not None:
                    demand_runtime(client, name, runtime)
                made = cls(client, name, Stream(client.attach_socket(name, params=_attached())))
        except BaseException:
            with suppress(EnvironmentLost):
                _remove(client, name)
            raise
        made._start(cwd, problem)
        return made

    def _start(self, cwd: str, problem: str) -> None:
        try:
            with told(SandboxUnavailable, problem):
                self._client.start(self._name)
            if self._ask("\n", "0") != "yes":
                _refuse(cwd)
        except BaseException:
            with suppress(EnvironmentLost):
                self.remove()
            raise

    def begin(self, words: list[str], mark: bytes, stdin: bytes | None = None) -> Running:
        """Begins a command, and returns when its process is known.

        Args:
            words: What `beginning` says.
            mark: What its end is known by.
            stdin: What it reads; None where that never ends.

        Raises:
            SandboxError: It cannot begin in its folder.
            EnvironmentLost: It cannot begin.
        """
        with told(EnvironmentLost, _LOST):
            made = self._client.exec_create(
                self._name, words, stdin=True, user="0:0", detach_keys=_unlikely_keys()
            )
            stream = Stream(self._client.exec_start(made["Id"], socket=True))
        running = Running(stream)
        try:
            # The last byte is no data: an engine may hold a single one back, since it could begin the detach keys.
            size = b"all" if stdin is None else b"%d" % len(stdin)
            stream.send(b"%b %b\n%b" % (size, mark, b"" if stdin is None else stdin + b"\n"))
            self._await_root(running)
        except BaseException:
            stream.close()
            raise
        return running

    def end(self, running: Running, verb: Verb = "end") -> None:
        """Ends what has begun, or what that has begun; nothing of it is left.

        Raises:
            EnvironmentLost: The container has ended, or something in it does not end.
        """
        number = secrets.token_hex(8)
        self._ask(f"{number} {verb} {running.root}\n", number)

    def size(self) -> int:
        """Bytes of all files that are not the image's, as the engine counts them; 0 where it cannot."""
        with suppress(EnvironmentLost), told(EnvironmentLost, _LOST):
            for found in self._client.containers(all=True, size=True, filters={"id": self._name}):
                return int(found.get("SizeRw") or 0)
        return 0

    def commit(self) -> str:
        """Keeps the files as an image, and returns its id."""
        with told(EnvironmentLost, "The sandbox's files cannot be copied: {why}. Look after the engine."):
            return str(self._client.commit(self._name, pause=False)["Id"])

    def remove(self) -> None:
        """Ends all that runs, and takes the files away; doing so again does nothing.

        Raises:
            EnvironmentLost: The engine cannot be asked.
        """
        try:
            _remove(self._client, self._name)
        finally:
            with self._lock:  # whoever waits for an answer has met the end by now
                self._keeper.close()

    def _ask(self, request: str, number: str) -> str:
        """Tells the first process something, and returns its answer, which begins with a number."""
        answer = re.compile(rf"{number} (yes|no)\n".encode())
        heard, count = b"", 0
        deadline = time.monotonic() + _PATIENCE_S
        with self._lock:
            self._keeper.send(request.encode())
            while count < _MOST_NOISE and self._keeper.wait(deadline):
                parts = self._keeper.read()
                if parts is None:
                    break
                more = b"".join(part for _, part in parts)
                count += len(more)
                heard = heard[-_LINE:] + more
                if found := answer.search(heard):
                    return found[1].decode()
        raise EnvironmentLost(_DEAD)

    def _await_root(self, running: Running) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        said = {STDOUT: b""}
        while b"\n" not in said[STDOUT] and len(said[STDOUT]) < _LINE:
            parts = running.stream.read() if running.stream.wait(deadline) else None
            if parts is None:
                break
            for number, part in parts:
                said[number] = said.get(number, b"") + part
        first, _, said[STDOUT] = said[STDOUT].partition(b"\n")
        if not first.isdigit():
            text = one_line((first or b" ".join(said.values())).decode(errors="replace"), 300)
            if ": cd: " in text:
                raise SandboxError(f"The command cannot begin in that folder: {text.partition(': cd: ')[2]}.")
            raise EnvironmentLost(_LOST.replace("{why}", text or "the engine says nothing"))
        running.root = int(first)
        running.early = [(number, part) for number, part in said.items() if part]


def _unlikely_keys() -> str:
    """What would end our input, if it came; an engine has keys of its own otherwise, and data may hold those."""
    return ",".join(secrets.choice(string.ascii_lowercase) for _ in range(24))


def _attached() -> dict[str, Any]:
    return {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "detachKeys": _unlikely_keys()}


def _refuse(cwd: str) -> None:
    raise UsageError(f"The folder {cwd!r} cannot be made in the image; name another as cwd.")


def _remove(client: Any, name: str) -> None:
    gone, busy = 404, 409
    with told(EnvironmentLost, "A container cannot be taken away: {why}. Look after the engine."):
        try:
            client.remove_container(name, force=True, v=True)
        except sdk().errors.APIError as error:
            if error.status_code not in (gone, busy):
                raise
