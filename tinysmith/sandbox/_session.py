"""A bash that stays, in a process of this machine.

It reads commands as a script, from a pipe whose other end we keep: not from its standard input, where the commands
would read the next ones.
"""

import os
import select
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from io import FileIO
from typing import Any, Protocol

from attrs import evolve

from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.sandbox._lull import Lull
from tinysmith.sandbox._marks import BEGIN_UNMARKED, Reading
from tinysmith.sandbox._running import Process, Watch, machinery
from tinysmith.sandbox._usage import Quota
from tinysmith.sandbox._words import checked_seconds, demand_line
from tinysmith.sandbox.sandbox import Session, Stop, Stopped
from tinysmith.sandbox.spec import EndedBy, Executed, SandboxLimits

_KILLED = 137
_ROUND_S = 0.05
_GRACE_S = 1.0  # for a shell whose commands were ended to say so
_CHUNK = 1 << 16
_SPIN_S = 2e-4  # a builtin answers sooner than who sleeps is woken
# By the same number in every session, since it is in what the shell says of mistakes.
_SHELL = ("/bin/bash", "-pc", "exec 9<&0 </dev/null;exec /bin/bash --norc --noprofile /dev/fd/9")
_FIRST = "exec 9<&-\ncd -- {cwd} 2>/dev/null\n"


class Beginning(Protocol):
    """How a command is started."""

    def begin(self, **streams: Any) -> Process:
        """Starts it."""
        ...

    def admit(self, descriptor: int) -> None:
        """Lets it open a pipe of ours by its name."""
        ...


class Inviting(Protocol):
    """What says how a command is started."""

    def __call__(self, command: Sequence[str], limits: SandboxLimits, /) -> Beginning: ...


class ShellSession(Session):
    """A bash of its own.

    Args:
        invite: Says how a command is started.
        cwd: Where the shell begins, if it is there.
        quota: The limits of the sandbox's files.
        forget: Is told when it is closed.
    """

    def __init__(self, invite: Inviting, cwd: str, quota: Quota, forget: Callable[["ShellSession"], None]) -> None:
        self._invite = invite
        self._cwd = cwd
        self._quota = quota
        self._forget = forget
        self._busy = threading.Lock()
        self._is_closed = False
        self._is_new = False  # and nobody was told
        self._shell: _Shell | None = _Shell(invite, cwd, quota)

    def run(self, command: str, *, wall_s: float | None = None, stop: Stop | None = None) -> Executed:
        """Runs a command in the shell."""
        demand_line(command)
        if wall_s is not None:
            checked_seconds(wall_s)
        if self._busy.locked():
            raise UsageError("The session runs a command already; it takes one at a time.")
        with self._busy:  # behind `acquire`, an exception such as Ctrl-C would leave it locked for good
            try:
                self._demand_open()
                done = self._ran(command, wall_s, stop)
                is_new, self._is_new = self._is_new, False
                return evolve(done, is_session_new=True) if is_new else done
            except BaseException:  # such as Ctrl-C, while a command runs whose output would be the next one's
                if self._shell is not None and not self._shell.is_ready:
                    self._lose()
                raise

    def close(self) -> None:
        """Ends the shell and all that it started."""
        self._is_closed = True
        self._forget(self)
        shell = self._shell
        if shell is not None:
            shell.end()  # a command that runs comes to its end by that
        with self._busy:
            self._lose()

    def _ran(self, command: str, wall_s: float | None, stop: Stop | None) -> Executed:
        """What a command gave; where the files are over their limits since, or no longer, the shell is another."""
        reading = Reading.new(self._quota.limits.output_bytes, is_begun=True)
        shell = self._begun(reading)
        limits = shell.limits
        begin = time.monotonic()
        look = partial(self._quota.look, limits=limits)
        watch = Watch(begin + (limits.wall_s if wall_s is None else wall_s), stop, look)
        done = self._answered(shell, reading, command, watch, begin)
        self._quota.look_again(limits)
        if self._shell is not None and self._quota.now().file_bytes != limits.file_bytes:
            self._lose()
        return done

    def _begun(self, reading: Reading) -> "_Shell":
        """The shell, from which a command is read now; another one where it takes no more."""
        if self._shell is not None and not self._shell.begin(reading):
            self._lose()
        if self._shell is None:
            self._shell = _Shell(self._invite, self._cwd, self._quota)
            self._demand_open()  # by another thread, which did not see this one
            self._shell.begin(reading)
        return self._shell

    def _answered(self, shell: "_Shell", reading: Reading, command: str, watch: Watch, begin: float) -> Executed:
        ended_by, is_stopped = shell.answer(reading, reading.line(command), watch)
        if not reading.is_over and (ended_by or is_stopped):
            shell.recover(reading)
        exit_code = reading.exit_code
        is_lost = exit_code is None
        if is_lost:
            exit_code = self._lose()
        if is_stopped:
            raise Stopped
        if is_lost and self._is_closed:
            raise EnvironmentLost("The session was closed while a command ran; take one at a time.")
        if exit_code is None and not (ended_by or reading.is_broken):
            raise EnvironmentLost("The session's shell was ended from outside; nothing is known of its command.")
        code = _KILLED if ended_by or exit_code is None else exit_code
        return Executed(reading.output(), b"", code, ended_by, time.monotonic() - begin)

    def _lose(self) -> int | None:
        """Ends the shell, if there is one, and returns its exit code; the next result says so."""
        if self._shell is None:
            return None
        self._is_new = True
        code = self._shell.end()
        self._shell.dispose()
        self._shell = None
        return code

    def _demand_open(self) -> None:
        if self._is_closed:
            raise UsageError("The session is closed; open another.")


class _Shell:
    """One bash, which a thread of its own begins and waits for: `bwrap` ends with the thread that began it."""

    def __init__(self, invite: Inviting, cwd: str, quota: Quota) -> None:
        self._quota = quota
        self._begun: Future[Process] = Future()
        self._is_over = threading.Event()
        self._code: int | None = None
        self._turn = threading.Lock()  # whether a command begins, or the shell is ended between commands
        self._reading: Reading | None = None
        self._is_dismissed = False
        self.limits = quota.now()
        with machinery():
            script, self._in = os.pipe2(os.O_CLOEXEC)
        self._commands = FileIO(self._in, "w")  # which is closed but once
        try:
            how = invite(_SHELL, self.limits)
            how.admit(script)
            threading.Thread(target=self._keep, args=(how, script), name="tinysmith-session", daemon=True).start()
            self._process = self._begun.result()
        except BaseException:
            self._commands.close()
            raise
        finally:
            os.close(script)
        stdout = self._process.main.stdout
        self._out = -1 if stdout is None else stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._frame = _FIRST.format(cwd=shlex.quote(cwd)).encode() + BEGIN_UNMARKED

    @property
    def is_ready(self) -> bool:
        """Whether it takes a command: it is to go on, and has come to the end of the last one."""
        is_between = self._reading is None or self._reading.exit_code is not None
        return is_between and not self._is_dismissed

    def begin(self, reading: Reading) -> bool:
        """Takes a command, of which this is to be the output; False where it takes none."""
        with self._turn:
            is_ready = self.is_ready
            if is_ready:
                self._reading = reading
            return is_ready

    def answer(self, reading: Reading, frame: bytes, watch: Watch) -> tuple[EndedBy, bool]:
        """Sends a command and reads what it prints; tells what is to end it, and if it was stopped."""
        frame, self._frame = self._frame + frame, b""
        left = self._quota.limits.output_bytes  # of what earlier commands have still printed; more is a flood
        while left > 0 and time.monotonic() < watch.deadline and (late := self._read()):
            left -= len(late)
        return self._exchange(reading, frame, watch)

    def recover(self, reading: Reading) -> None:
        """Ends what the shell has started, so that it comes to the end of the command, if it can."""
        deadline = time.monotonic() + _GRACE_S
        while not reading.is_over and time.monotonic() < deadline and not self._is_over.is_set():
            self._process.end_others()
            self._exchange(reading, b"", Watch(time.monotonic() + _ROUND_S, None, _looks_at_nothing))

    def end(self) -> int | None:
        """Ends it and all that it started, and returns its exit code; it may be ended again."""
        self._is_dismissed = True
        if not self._is_over.is_set():
            self._process.kill()
            self._is_over.wait()
        return self._code

    def dispose(self) -> None:
        """Gives its file descriptors back, when it is over and nobody reads; it may be disposed of again."""
        self._process.close()
        self._commands.close()

    def _exchange(self, reading: Reading, frame: bytes, watch: Watch) -> tuple[EndedBy, bool]:
        stop = -1 if watch.stop is None else watch.stop.fileno()
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        if stop >= 0:
            poll.register(stop, select.POLLIN)
        frame = self._sent(frame, poll)
        soon = time.monotonic() + _SPIN_S
        while not reading.is_over:
            ready = {descriptor for descriptor, _ in _until(soon, poll) or poll.poll(watch.wait_s() * 1000 + 1)}
            if stop in ready:
                return "", True
            if self._in in ready:
                frame = self._sent(frame, poll)
            if self._out in ready:
                read = self._read()
                if read == b"":
                    return "", False
                is_fine = reading.left >= 0
                reading.take(read or b"")
                if is_fine and reading.left < 0:
                    return "output_bytes", False
            ended_by = "" if reading.is_over else watch.ended_by(self._process)
            if ended_by:
                return ended_by, False
        return "", False

    def _read(self) -> bytes | None:
        """What there is to read; nothing at the end, None where somebody within took it."""
        try:
            return os.read(self._out, _CHUNK)
        except BlockingIOError:
            return None

    def _sent(self, frame: bytes, poll: "select.poll") -> bytes:
        """Sends what goes in now, and returns the rest, which is sent when the shell has read some."""
        try:
            frame = frame[os.write(self._in, frame) :] if frame else b""
        except BlockingIOError:  # somebody within has filled the pipe
            pass
        except BrokenPipeError:
            frame = b""
        if frame:
            poll.register(self._in, select.POLLOUT)
        else:
            with suppress(KeyError):
                poll.unregister(self._in)
        return frame

    def _keep(self, how: Beginning, script: int) -> None:
        try:
            process = how.begin(stdin=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits for it
            self._begun.set_exception(error)
            return
        process.status.wait_for_first()
        self._begun.set_result(process)
        try:
            self._attend(process)
        finally:
            process.kill()  # what is left of it; all, where it cannot be attended any more
            try:
                self._code = process.finish()
            finally:
                self._is_over.set()

    def _attend(self, process: Process) -> None:
        """Waits for its end, and meanwhile looks at what it and its jobs do between commands."""
        main = os.pidfd_open(process.main.pid)
        try:
            poll = select.poll()
            poll.register(main, select.POLLIN)
            lull = Lull(process, self._quota, self.limits)
            while not poll.poll(lull.pause_s * 1000):
                if self.is_ready and lull.is_over():
                    self._restrain(lull)
        finally:
            os.close(main)

    def _restrain(self, lull: Lull) -> None:
        """Ends its jobs, and itself where that is not enough; unless a command begins."""
        with self._turn:
            if self.is_ready and lull.ends_jobs(self._reading):
                self._is_dismissed = True
                lull.process.kill()


def _until(moment: float, poll: "select.poll") -> list[tuple[int, int]]:
    """What is ready before a moment; while nothing is, whoever has something to do on this processor does it."""
    while time.monotonic() < moment:
        found = poll.poll(0)
        if found:
            return found
        os.sched_yield()
    return []


def _looks_at_nothing(_: Sequence[int]) -> EndedBy:
    return ""
