"""A sandbox whose files are a folder of the host: what back ends on the machine itself have in common."""

import os
import subprocess
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from attrs import evolve

from tinysmith.errors import EnvironmentLost, SandboxError, SandboxUnavailable, UsageError
from tinysmith.sandbox._copying import Progress
from tinysmith.sandbox._folder import Folder
from tinysmith.sandbox._running import Output, Process, Watch, attend, in_memory, machinery
from tinysmith.sandbox._session import Beginning, ShellSession
from tinysmith.sandbox._usage import Count, Quota
from tinysmith.sandbox._words import checked_seconds, checked_stdin
from tinysmith.sandbox.sandbox import Sandbox, Session, Stop, Stopped
from tinysmith.sandbox.spec import EndedBy, Executed, SandboxLimits, SandboxSpec

_KILLED = 137
_NEVER_RAN, _LOST = -1, -2
_COPYING_S = 120.0
_ENDING_S = 30.0
_FULL = ("No space left on device", "Disk quota exceeded")  # how `cp` ends what it says then


class FolderSandbox(Sandbox):
    """A folder of the host, in which each command is a process of its own.

    Attributes:
        folder: The files on the host.
        quota: Their limits.
    """

    def __init__(
        self, spec: SandboxSpec, *, copied: "FolderSandbox | None" = None, stop: Stop | None = None
    ) -> None:
        if copied is not None:
            copied.demand_open()
        for bind in spec.binds:
            if not bind.source.exists():
                raise UsageError(f"Bind: there is no {bind.source} on the host; name what is there.")
        self.spec = spec
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._changing = threading.RLock()  # while all files are made, or taken away
        self._running: set[Process] = set()
        self._copies = 0  # that are made of its files now
        self._sessions: set[ShellSession] = set()
        self._is_closed = False
        self.folder: Folder = Folder.make(self.new_uid() if copied is None else copied.folder.uid)
        self.quota = Quota(self.folder.root, spec.limits, self.counting())
        try:
            self.folder.make_etc(spec.tree)
            if copied is None:
                self.folder.fill(spec.tree, spec.cwd, spec.binds)
            else:
                with copied.kept():
                    self._copy(copied, stop)
        except BaseException:
            with suppress(EnvironmentLost):  # which is tried again when it is forgotten
                self.folder.remove()
            raise

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
        """Runs a command; whatever it started has ended when this returns."""
        begin = time.monotonic()
        limits = self.quota.now()
        look = partial(self.quota.look, limits=limits)
        seconds = self.spec.limits.wall_s if wall_s is None else checked_seconds(wall_s)
        watch = Watch(begin + seconds, stop, look)
        read = checked_stdin(stdin)
        self.demand_open()
        how = self.invocation(command, cwd, environment, limits)
        done = self._run(how, watch, read, merges_stderr=merges_stderr)
        if done.exit_code < 0 or self._is_closed:
            self._explain(done)
        self.quota.look_again(limits)
        return evolve(done, duration_s=time.monotonic() - begin)

    def open_session(self) -> Session:
        """Starts a bash that stays."""
        with self._changing, self._lock:
            self.demand_open()
            place = self.within(self.spec.cwd)
            session = ShellSession(self._invited, place, self.quota, self._sessions.discard)
            self._sessions.add(session)
        return session

    def reset(self) -> None:
        """Ends all that runs, and makes the files anew."""
        with self._changing:
            self.demand_open()
            self._end_all()
            self.folder.empty()
            try:
                self.folder.fill(self.spec.tree, self.spec.cwd, self.spec.binds)
            except SandboxUnavailable as error:
                raise EnvironmentLost(f"The sandbox's files cannot be made anew. {error}") from error

    def close(self) -> None:
        """Ends all that runs, and takes the files away; where that fails, closing again tries again."""
        self._is_closed = True
        with self._changing:
            self._end_all()
            self.folder.remove()

    def _invited(self, command: Sequence[str], limits: SandboxLimits) -> Beginning:
        """How a shell is started: in the root, which is there, whatever was done to the spec's folder."""
        self.folder.open_up()
        return self.invocation(command, "/", None, limits)

    @abstractmethod
    def within(self, path: str) -> str:
        """What a path of the tree is called by commands."""

    @abstractmethod
    def invocation(
        self,
        command: str | Sequence[str],
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        limits: SandboxLimits | None = None,
    ) -> Beginning:
        """How a command is started.

        Raises:
            UsageError: An argument is none.
        """

    @staticmethod
    @abstractmethod
    def new_uid() -> int | None:
        """Whose the files and processes of a new sandbox are; None for ours."""

    @abstractmethod
    def counting(self) -> Count | None:
        """What begins to count what the files take as somebody who may read them all, if anybody may."""

    @abstractmethod
    def copying(self, old: Folder) -> Beginning:
        """How the files of another sandbox are copied to this one's, which are none yet."""

    def _run(self, how: Beginning, watch: Watch, stdin: bytes = b"", *, merges_stderr: bool = False) -> Executed:
        """Runs what is started so; an exit code below 0 says that it never ran, or that nothing is known of it."""
        output = Output(self.spec.limits.output_bytes)
        process = self._started(how, stdin, merges_stderr=merges_stderr)
        try:
            try:
                with machinery():
                    ended_by, is_stopped = attend(process, output, watch)
            except BaseException:
                process.kill()
                raise
            finally:
                exit_code = process.finish()
            if is_stopped:
                raise Stopped
            stdout, stderr = output.of(process.main.stdout), output.of(process.main.stderr)
        finally:
            with self._ended:
                self._running.discard(process)
                self._ended.notify_all()
            process.close()
        if exit_code is None or process.is_unwanted:  # who is killed tells none, whatever ran by then
            exit_code = _LOST if process.main.returncode < 0 or process.is_unwanted else _NEVER_RAN
        return Executed(stdout, stderr, _KILLED if ended_by else exit_code, ended_by)

    def _started(self, how: Beginning, stdin: bytes, *, merges_stderr: bool) -> Process:
        with machinery():
            source = in_memory(stdin) if stdin else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with self._changing:  # so that it begins among all the files, and is ended where they are made anew
                self.demand_open()
                self.folder.open_up()
                process = how.begin(
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT if merges_stderr else subprocess.PIPE,
                )
                with self._lock:
                    self._running.add(process)
        finally:
            os.close(source)
        return process

    def _explain(self, done: Executed) -> None:
        """Raises what became of a command that never came to its end.

        Raises:
            SandboxError: It could not begin where it was to.
            EnvironmentLost: Anything else.
        """
        if self._is_closed:
            raise EnvironmentLost("The sandbox was closed while a command ran; take one at a time.")
        if done.exit_code == _LOST:  # what it printed is the command's own, and may hold an answer
            raise EnvironmentLost("The command's process was ended from outside; nothing is known of the command.")
        why = (done.error_text or done.text).strip().partition("\n")[0].removeprefix("bwrap: ")
        if why.startswith("Can't chdir to "):
            raise SandboxError(f"The command cannot begin in that folder: {why}.")
        raise EnvironmentLost(f"Nothing can be run in the sandbox: {why or 'it was killed'}.")

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While they are copied its files are neither made anew nor taken away."""
        with self._changing, self._lock:
            self.demand_open()
            self._copies += 1
        try:
            yield
        finally:
            with self._ended:
                self._copies -= 1
                self._ended.notify_all()

    def _copy(self, other: "FolderSandbox", stop: Stop | None) -> None:
        self.folder.make_root()
        limits = other.quota.copied()  # a session may add to what is copied
        progress = Progress()

        def look(processes: Sequence[int]) -> EndedBy:
            return "wall_s" if progress.look(processes) else self.quota.look(processes, limits)

        done = self._run(self.copying(other.folder), Watch(time.monotonic() + _COPYING_S, stop, look))
        lines = done.error_text.strip().split("\n")
        why = next((line for line in lines if line.endswith(_FULL)), lines[-1]).removeprefix("/usr/bin/")
        if done.exit_code < 0 or why.endswith(_FULL):
            raise EnvironmentLost(f"The sandbox's files cannot be copied: {why[:200]}.")
        if progress.is_held_up:
            problem = "A file of the sandbox's keeps who opens it waiting, as a FIFO in its place does"
            raise SandboxError(f"{problem}; fork it between commands.")
        if done.exit_code:  # a session took one away meanwhile
            why = done.ended_by or why[:200]
            raise SandboxError(
                f"The sandbox's files changed while they were copied ({why}); fork it between commands."
            )
        self.quota.look((), self.spec.limits)

    def _end_all(self) -> None:
        with self._lock:
            sessions, running = list(self._sessions), list(self._running)
        for session in sessions:
            session.close()
        for process in running:
            process.is_unwanted = True
            process.kill()
        with self._ended:
            self._ended.wait_for(lambda: self._running.isdisjoint(running), _ENDING_S)
            self._ended.wait_for(lambda: not self._copies)

    def demand_open(self) -> None:
        """Raises a UsageError where it is closed."""
        if self._is_closed:
            raise UsageError("The sandbox is closed; make another.")
