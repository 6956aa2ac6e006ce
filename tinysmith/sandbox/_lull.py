"""What a session's shell and its jobs do between two commands, when nobody waits for them."""

import time
from collections.abc import Sequence
from contextlib import suppress

from attrs import define

from tinysmith.sandbox._running import Process, descendants
from tinysmith.sandbox._usage import PAUSE_S, Quota
from tinysmith.sandbox.spec import SandboxLimits

_IDLE_S = 0.5
_REAPING_NS = 10_000_000  # of processor time, for a shell to learn that its jobs were ended
_ROUNDS = 5  # of a shell that begins others instead


@define(eq=False)
class Lull:
    """Looks at the files as long as somebody is busy there.

    Attributes:
        process: The shell.
        quota: The limits of the files.
        limits: Those of the shell.
        pause_s: How long to wait before the next look.
    """

    process: Process
    quota: Quota
    limits: SandboxLimits
    pause_s: float = _IDLE_S
    _seen: tuple[list[int], int] | None = None
    _after: object = None
    _spared_ns: int = 0
    _rounds: int = 0

    def is_over(self) -> bool:
        """Whether the files are over a limit; nobody looks where nothing has run since the last look."""
        begin = time.monotonic()
        within = descendants(self.process.status.process)
        seen, self._seen = self._seen, (within, _spent_ns(within))
        is_over = seen != self._seen and bool(self.quota.look(within, self.limits))
        # looking takes a fifth of the time at most, where it does not take long
        soon = max(PAUSE_S, 4 * (time.monotonic() - begin))
        self.pause_s = min(soon, _IDLE_S) if is_over else _IDLE_S
        return is_over

    def ends_jobs(self, after: object) -> bool:
        """Ends the jobs, and returns whether the shell is to be ended, too.

        That is where it has been busy by itself since they were ended first, or they were ended time and again.

        Args:
            after: The command after which this is, known by its identity.
        """
        self.process.end_others()
        others = self.process.others()
        spent = _spent_ns([each for each in descendants(self.process.status.process) if each not in others])
        if not self._rounds or self._after is not after:
            self._after, self._spared_ns, self._rounds = after, spent, 0
        self._rounds += 1
        return spent - self._spared_ns > _REAPING_NS or self._rounds > _ROUNDS


def _spent_ns(processes: Sequence[int]) -> int:
    """The processor time that some processes have taken; nothing of those that have ended."""
    total = 0
    for process in processes:
        with suppress(OSError):
            total += time.clock_gettime_ns(~process << 3 | 2)  # as clock_getcpuclockid(3) has it
    return total
