"""What a command in a container prints, read until it ends or passes a limit."""

import time
from collections.abc import Iterable

from attrs import define

from tinysmith.sandbox._docker_container import Container
from tinysmith.sandbox._docker_stream import STDERR, STDOUT, Stream
from tinysmith.sandbox._marks import Reading
from tinysmith.sandbox.sandbox import Stop
from tinysmith.sandbox.spec import MEBIBYTE, EndedBy

_PAUSE_S = 0.3
_SHARE = 10  # measuring takes a tenth of the time at most


@define(eq=False)
class Meter:
    """How much the files of a container take, measured now and then: an engine holds no limit of that.

    Attributes:
        container: Whose.
        most: How many bytes they may take.
    """

    container: Container
    most: int
    _size: int = 0
    _next: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether they took more when it was measured last."""
        return self._size > self.most

    def allowed(self) -> int:
        """How much they may take while a command runs; a bit more, if it is too much, so that it can take away."""
        if self.is_full:
            self._next = 0.0
        self.look()
        return self._size + MEBIBYTE if self.is_full else self.most

    def look(self) -> int:
        """Measures, unless it was done just now."""
        begin = time.monotonic()
        if begin >= self._next:
            self._size = self.container.size()
            end = time.monotonic()
            self._next = end + max(_PAUSE_S, _SHARE * (end - begin))
        return self._size

    def next_look(self) -> float:
        """When it is measured again, on the monotonic clock."""
        return self._next


class Answer:
    """The output of one command, as far as it is read.

    Args:
        stream: Where it comes from.
        most: How many bytes of it are kept, both streams together.
        stdout: What comes there.
        stderr: What comes there; None where that is none of the command's.
        ending: What comes there instead, such as the end of a session's shell.
    """

    def __init__(
        self,
        stream: Stream,
        most: int,
        stdout: Reading,
        stderr: Reading | None = None,
        *,
        ending: Reading | None = None,
    ) -> None:
        self._stream = stream
        self._most = most
        self._readings = {STDOUT: stdout} if stderr is None else {STDOUT: stdout, STDERR: stderr}
        self._ending = ending or Reading.new(0)

    @property
    def exit_code(self) -> int | None:
        """The command's; None before its end is read, and where that is broken."""
        return self._readings[STDOUT].exit_code

    @property
    def is_over(self) -> bool:
        """Whether the end of its first stream is read, with an exit code or without one."""
        return self._readings[STDOUT].is_over

    def stdout(self) -> bytes:
        """What was printed there, of which no more will come."""
        return self._readings[STDOUT].output()[: self._most]

    def stderr(self) -> bytes:
        """What was printed there, of which no more will come."""
        reading = self._readings.get(STDERR)
        return b"" if reading is None else reading.output()[: self._most - len(self.stdout())]

    def take(self, parts: Iterable[tuple[int, bytes]]) -> None:
        """Takes what was read."""
        for number, part in parts:
            self._readings.get(number, self._ending).take(part)

    def attend(self, deadline: float, stop: Stop | None, meter: Meter, allowed: int) -> tuple[EndedBy, bool]:
        """Reads until the end; says which limit was passed, and whether it was stopped."""
        while not self._is_whole():
            now = time.monotonic()
            if self._is_too_much():
                return "output_bytes", False
            if now >= deadline:
                return "wall_s", False
            if now >= meter.next_look() and meter.look() > allowed:
                return "disk_bytes", False
            is_ready = self._stream.wait(min(deadline, meter.next_look()), stop)
            if is_ready is None:
                return "", True
            if is_ready and not self._read():
                return "", False
        return ("output_bytes" if self._is_too_much() else ""), False

    def finish(self, deadline: float, *, to_the_last: bool = False) -> None:
        """Reads until the end, or a moment, whatever comes.

        Args:
            deadline: That moment, on the monotonic clock.
            to_the_last: Whether to read on, until nothing can come any more.
        """
        is_more = True
        while is_more and (to_the_last or not self._is_whole()):
            is_more = bool(self._stream.wait(deadline)) and self._read()

    def _read(self) -> bool:
        parts = self._stream.read()
        self.take(parts or [])
        return parts is not None

    def _is_whole(self) -> bool:
        return self._ending.is_over or all(reading.is_over for reading in self._readings.values())

    def _is_too_much(self) -> bool:
        return sum(self._most - reading.left for reading in self._readings.values()) > self._most
