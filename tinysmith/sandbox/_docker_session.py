"""A bash that stays, in a container."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from attrs import define, evolve

from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.sandbox._docker_container import Container, Running
from tinysmith.sandbox._docker_reading import Answer, Meter
from tinysmith.sandbox._marks import BEGIN, Reading
from tinysmith.sandbox._words import checked_seconds, demand_line
from tinysmith.sandbox.sandbox import Session, Stop, Stopped
from tinysmith.sandbox.spec import Executed, SandboxLimits

_CLOSED = "The session was closed while a command ran; take one at a time."
_KILLED = 137
_MARK_BYTES = 100  # of what a shell prints at its end
_ROUND_S = 0.05
_GRACE_S = 1.0  # for a shell whose commands were ended to say so


class DockerSession(Session):
    """A bash of its own.

    Args:
        container: Where.
        meter: Measures the container's files.
        words: What an engine is told to execute.
        limits: The sandbox's.
        forget: Is told when it is closed.
    """

    def __init__(
        self,
        container: Container,
        meter: Meter,
        words: list[str],
        limits: SandboxLimits,
        *,
        forget: Callable[["DockerSession"], None],
    ) -> None:
        self._container = container
        self._meter = meter
        self._words = words
        self._limits = limits
        self._forget = forget
        self._busy = threading.Lock()
        self._is_closed = False
        self._is_new = False  # and nobody was told
        self._shell: _Shell | None = self._begun()

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
                done = self._ran(command, self._limits.wall_s if wall_s is None else wall_s, stop)
                is_new, self._is_new = self._is_new, False
                return evolve(done, is_session_new=True) if is_new else done
            except BaseException as error:  # such as Ctrl-C, while a command runs that the next one would wait for
                shell = self._shell
                if shell is not None and shell.answer is not None and shell.answer.exit_code is None:
                    with suppress(EnvironmentLost):  # it has ended with its container
                        self._lose(shell, shell.answer)
                if self._is_closed and isinstance(error, EnvironmentLost):
                    raise EnvironmentLost(_CLOSED) from None
                raise

    def close(self) -> None:
        """Ends the shell and all that it started."""
        self._is_closed = True
        self._forget(self)
        shell = self._shell
        if shell is not None:
            with suppress(EnvironmentLost):  # it has ended with its container
                self._container.end(shell.running)  # a command that runs comes to its end by that
        with self._busy:
            if self._shell is not None:
                self._shell.running.stream.close()
            self._shell = None

    def _begun(self) -> "_Shell":
        ending = Reading.new(_MARK_BYTES)
        running = self._container.begin(self._words, ending.mark)
        for _, part in running.early:  # only its own mark has come yet: the shell is told nothing before
            ending.take(part)
        running.stream.send(BEGIN)
        return _Shell(running, ending)

    def _ran(self, command: str, wall_s: float, stop: Stop | None) -> Executed:
        begin = time.monotonic()
        shell = self._shell = self._shell or self._begun()
        most = self._limits.output_bytes
        reading = Reading.new(most)
        answer = shell.answer = Answer(shell.running.stream, most, reading, ending=shell.ending)
        shell.running.stream.send(reading.line(command), wall_s)
        allowed = self._meter.allowed()
        ended_by, is_stopped = answer.attend(time.monotonic() + wall_s, stop, self._meter, allowed)
        if not answer.is_over and (ended_by or is_stopped):
            self._recover(shell, answer)
        code = answer.exit_code
        is_lost = code is None
        if is_lost:
            code = self._lose(shell, answer)
        if is_stopped:
            raise Stopped
        if is_lost and self._is_closed:
            raise EnvironmentLost(_CLOSED)
        code = _KILLED if ended_by or code is None else code
        return Executed(answer.stdout(), b"", code, ended_by, time.monotonic() - begin)

    def _recover(self, shell: "_Shell", answer: Answer) -> None:
        """Ends what the shell has started, so that it comes to the end of the command, if it can."""
        deadline = time.monotonic() + _GRACE_S
        while not answer.is_over and time.monotonic() < deadline:
            self._container.end(shell.running, "others")
            answer.finish(time.monotonic() + _ROUND_S)

    def _lose(self, shell: "_Shell", answer: Answer) -> int | None:
        """Ends the shell, and returns its exit code, if it came to that; the next result says so."""
        self._is_new = True
        try:
            self._container.end(shell.running)
            answer.finish(time.monotonic() + _GRACE_S, to_the_last=True)
        finally:
            self._shell = None
            shell.running.stream.close()
        return shell.ending.exit_code

    def _demand_open(self) -> None:
        if self._is_closed:
            raise UsageError("The session is closed; open another.")


@define(eq=False)
class _Shell:
    """A shell that has begun.

    Attributes:
        running: It.
        ending: What is read of its end.
        answer: Of its last command.
    """

    running: Running
    ending: Reading
    answer: Answer | None = None
