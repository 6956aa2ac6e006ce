"""Runs a process in a sandbox of its own until it ends, or is ended; both are whole: nothing of it is left.

`bwrap` tells on a pipe which process is the first one within, whose end is the end of all within. It has ended
when the kernel has reaped the rest, which is later than `bwrap` itself returns.
"""

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attrs import define, field

from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox._usage import PAUSE_S
from tinysmith.sandbox.sandbox import Stop
from tinysmith.sandbox.spec import EndedBy

_CHUNK = 1 << 16
_COMMAND = b"2"  # the first one that the first process within begins
_PATIENCE_S = 20.0  # for the kernel to end what was killed, on a machine that is very busy
_LONGEST_PAUSE_S = 0.5  # between two looks at the files


@contextmanager
def machinery() -> Iterator[None]:
    """Where what the system refuses is a fault of the machinery.

    Raises:
        EnvironmentLost: It refuses something.
    """
    try:
        yield
    except OSError as error:
        raise EnvironmentLost(
            f"A process in a sandbox cannot be started or attended: {error.strerror}."
        ) from error


@define(eq=False)
class Status:
    """What `bwrap` tells: the first process within, and the command's exit code once it has one.

    Attributes:
        source: Where to read it.
        sink: Where `bwrap` writes it; closed once it has started.
        first: A file descriptor of the first process within, -1 before it is known, and where it is gone.
        process: Its number on the host; 0 before it is known.
        exit_code: The command's; None before it has ended, and where there was none.
    """

    source: int
    sink: int
    first: int = -1
    process: int = 0
    exit_code: int | None = None
    _text: bytes = b""
    _lock: threading.Lock = field(factory=threading.Lock)  # who ends it from another thread reads and signals, too

    @classmethod
    def new(cls) -> "Status":
        """A pipe to be told on."""
        source, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # `bwrap` reads it as well: were we the only reader, our death would end it before it can end those within.
        sink = os.open(f"/proc/self/fd/{writer}", os.O_RDWR | os.O_CLOEXEC)
        os.close(writer)
        return cls(source, sink)

    def started(self) -> None:
        """Leaves the writing to `bwrap`."""
        os.close(self.sink)
        self.sink = -1

    def read(self) -> bool:
        """Reads what there is; False at the end."""
        with self._lock:
            if self.source < 0:
                return False
            if not is_readable(self.source, 0):
                return True
            read = os.read(self.source, _CHUNK)
            *lines, self._text = (self._text + read).split(b"\n")
            for line in lines:
                told = json.loads(line)
                if "child-pid" in told:
                    self.process = told["child-pid"]
                    self.first = _descriptor_of(self.process)
                self.exit_code = told.get("exit-code", self.exit_code)
            return bool(read)

    def wait_for_first(self) -> None:
        """Waits until the first process within is known, or there will be none."""
        while not self.process and is_readable(self.source, _PATIENCE_S) and self.read():
            pass

    def end_first(self) -> None:
        """Ends the first process within, and all with it, if it is there."""
        with self._lock, suppress(ProcessLookupError):  # it has ended meanwhile
            if self.first >= 0:
                signal.pidfd_send_signal(self.first, signal.SIGKILL)

    def is_first_alive(self) -> bool:
        """Whether the first process within is there, and has not ended."""
        with self._lock:
            return self.first >= 0 and not is_readable(self.first, 0)

    def close(self) -> None:
        """Gives its file descriptors back."""
        with self._lock:
            for descriptor in (self.source, self.sink, self.first):
                if descriptor >= 0:
                    os.close(descriptor)
            self.source = self.sink = self.first = -1


def _descriptor_of(process: int) -> int:
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        return -1


def in_memory(data: bytes) -> int:
    """A file descriptor from which to read some data; nobody can write there."""
    import fcntl  # noqa: PLC0415  # there is none on Windows, where this file is imported, too

    descriptor = os.memfd_create("data", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def is_readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read within some seconds; nothing where it is closed."""
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


@define(eq=False)
class Process:
    """A sandbox's process, `bwrap`, with all that is within.

    Attributes:
        main: The process that we began.
        status: What it tells.
        patience_s: How long to wait for what was killed.
        is_unwanted: Whether it is ended because its sandbox is closed or reset, so that nobody wants what it gave.
    """

    main: "subprocess.Popen[bytes]"
    status: Status
    patience_s: float = _PATIENCE_S
    is_unwanted: bool = False

    def kill(self) -> None:
        """Ends all within; may be called by any thread, again and again, also when it is closed."""
        self.status.wait_for_first()
        try:
            self.status.end_first()
        finally:
            self.main.kill()

    def end_others(self) -> None:
        """Ends all within but the command itself."""
        first = self.status.process
        with suppress(OSError):  # all of it is over
            within = Path(f"/proc/{first}/ns/pid").stat().st_ino
            if not self.status.is_first_alive():  # whose number another process may have by now
                return
            for process in descendants(first)[1:]:
                _end(process, within)

    def others(self) -> list[int]:
        """All within but the first and the command, as the host numbers them."""
        return descendants(self.status.process)[2:]

    def main_ended(self) -> None:
        """Is told when what we began has ended."""

    def finish(self) -> int | None:
        """Waits until nothing of it is left, and returns the command's exit code; None where it never ended.

        Raises:
            EnvironmentLost: Something is left.
        """
        if self.main.poll() is None and not _ends(self.main, self.patience_s):
            raise EnvironmentLost("A sandbox's first process does not end, although it was killed.")
        self.status.end_first()  # that the rest ends with what we began is up to those within
        while is_readable(self.status.source, self.patience_s) and self.status.read():
            pass
        if self.status.first >= 0 and not is_readable(self.status.first, self.patience_s):
            raise EnvironmentLost("Something in the sandbox does not end, although it was killed.")
        return self.status.exit_code

    def close(self) -> None:
        """Gives its file descriptors back."""
        for stream in (self.main.stdin, self.main.stdout, self.main.stderr):
            if stream is not None:
                stream.close()
        self.status.close()


def _ends(main: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether a process ends within some seconds."""
    try:
        main.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: int, within: int) -> None:
    """Ends a process of the sandbox, if it is still one, and not the command itself."""
    try:
        descriptor = os.pidfd_open(process)
    except OSError:
        return
    try:
        with suppress(OSError, StopIteration):  # it has ended meanwhile
            told = Path(f"/proc/{process}/status").read_bytes().split(b"\n")  # a name may have other ends of lines
            numbers = next(line for line in told if line.startswith(b"NSpid:")).split()
            if Path(f"/proc/{process}/ns/pid").stat().st_ino == within and numbers[-1] != _COMMAND:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


class Output:
    """What is printed, of one or two streams, up to a number of bytes."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._parts: dict[int, list[bytes]] = {}

    def read(self, descriptor: int) -> bool | None:
        """Reads some: True if there was something, False at the end, None where it is too much."""
        read = os.read(descriptor, _CHUNK)
        self._parts.setdefault(descriptor, []).append(read[: max(0, self._left)])
        self._left -= len(read)
        if not read:
            return False
        return None if self._left < 0 else True

    def of(self, stream: IO[bytes] | None) -> bytes:
        """What a stream gave, with what there still is to read."""
        while stream is not None and is_readable(stream.fileno(), 0) and self.read(stream.fileno()) is not False:
            pass
        return b"" if stream is None else b"".join(self._parts.get(stream.fileno(), ()))


@define(eq=False)
class Watch:
    """What ends a process from outside.

    Attributes:
        deadline: When its time is up, on the monotonic clock.
        stop: What ends it when set.
        look: Says which limit of the files is passed, if one is; it is asked now and then.
    """

    deadline: float
    stop: Stop | None
    look: Callable[[Sequence[int]], EndedBy]
    _pause_s: float = PAUSE_S
    _next: float = field(factory=lambda: time.monotonic() + PAUSE_S)

    def wait_s(self) -> float:
        """How long to wait at most before the next `ended_by`."""
        return max(0.0, min(self._next, self.deadline) - time.monotonic())

    def ended_by(self, process: Process) -> EndedBy:
        """The limit that is passed now, if one is."""
        now = time.monotonic()
        if now >= self.deadline:
            return "wall_s"
        if now < self._next:
            return ""
        found = self.look(descendants(process.status.process))
        took = time.monotonic() - now
        # looking takes a fifth of the time at most, where it does not take long
        self._pause_s = max(self._pause_s, min(4 * took, _LONGEST_PAUSE_S))
        self._next = time.monotonic() + self._pause_s
        return found


def descendants(first: int) -> list[int]:
    """The process and all that came of it, as the host numbers them; those that end meanwhile may be missing."""
    found = [first] if first else []
    for process in found:
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
        except OSError:
            continue
    return found


def attend(process: Process, output: Output, watch: Watch) -> tuple[EndedBy, bool]:
    """Reads what a process prints until it ends; says what ended it, and whether it was stopped."""
    poll = select.poll()
    main = os.pidfd_open(process.main.pid)
    try:
        streams = {each.fileno() for each in (process.main.stdout, process.main.stderr) if each is not None}
        waited = {main, process.status.source, *streams, *([watch.stop.fileno()] if watch.stop else [])}
        for descriptor in waited:
            poll.register(descriptor, select.POLLIN)
        while main in waited or waited & streams:
            ready = {descriptor for descriptor, _ in poll.poll(watch.wait_s() * 1000 + 1)}
            if watch.stop and watch.stop.fileno() in ready:
                process.kill()
                return "", True
            for descriptor in ready:
                more = _attended(descriptor, main, process, output)
                if more is None:
                    process.kill()
                    return "output_bytes", False
                if not more:
                    poll.unregister(descriptor)
                    waited.discard(descriptor)
            ended_by = watch.ended_by(process) if waited & {main, *streams} else ""
            if ended_by:
                process.kill()
                return ended_by, False
        return "", False
    finally:
        os.close(main)


def _attended(descriptor: int, main: int, process: Process, output: Output) -> bool | None:
    if descriptor == main:
        process.main_ended()
        return False
    return process.status.read() if descriptor == process.status.source else output.read(descriptor)
