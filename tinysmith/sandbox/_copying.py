"""Whether a copy of a sandbox's files goes on.

What runs meanwhile may put a FIFO in the place of a file, or have a lease on one: whoever opens that waits.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

_LONGEST_S = 1.0  # asleep, and nothing done
_ASLEEP = b"State:\tS"


@define(eq=False)
class Progress:
    """What the processes of a copy did when they were last looked at.

    Attributes:
        is_held_up: Whether all of them sleep, and have read and written nothing for long; who waits for a disk
            does not sleep.
    """

    is_held_up: bool = False
    _told: list[bytes] = field(factory=list)
    _since: float = field(factory=time.monotonic)

    def look(self, processes: Sequence[int]) -> bool:
        """Looks at them, and says whether they are held up."""
        told = [_done(process) for process in processes]
        now = time.monotonic()
        if told != self._told or b"" in told:
            self._told, self._since = told, now
        self.is_held_up = now - self._since > _LONGEST_S
        return self.is_held_up


def _done(process: int) -> bytes:
    """What a process that sleeps has read and written so far; nothing of one that is awake, or has ended."""
    of_it = Path(f"/proc/{process}")
    with suppress(OSError):
        if _ASLEEP in (of_it / "status").read_bytes():
            return (of_it / "io").read_bytes()
    return b""
