"""Who goes on with a run: one process at a time, and how one tells that it lives.

No clock is compared. Of a process on the same machine the machine itself says whether it lives; of any other one
sees a number that goes up, and whether it does so while oneself waits for as long as a lease lasts.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tinysmith.errors import JournalError
from tinysmith.journal._rows import Owner

LEASE_S = 15.0
"""How long a process elsewhere may show no sign of life before its runs are free."""

BEATS_A_LEASE = 5

PROC = Path("/proc")


def this_process(proc: Path = PROC) -> Owner:
    """This process as an owner, under a new name."""
    return Owner(os.urandom(8).hex(), _machine(proc), os.getpid(), _since(os.getpid(), proc))


def is_alive(owner: Owner) -> bool | None:
    """Whether the owner's process lives; None where only its heart can tell."""
    if not owner.machine or owner.machine != _machine():
        return None
    since = _since(owner.process)
    return bool(since) and since == owner.since


def outlives(owner: Owner, seen: Callable[[], Owner | None], lease_s: float) -> bool:
    """Whether an owner shows a sign of life within a lease; waits for it, blocking.

    Args:
        owner: The owner as it was seen.
        seen: Looks again.
        lease_s: How long a lease lasts, in seconds.
    """
    until = time.monotonic() + lease_s
    while True:
        now = seen()
        if now is None:
            return False
        if now.beat != owner.beat:
            return True
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, lease_s / BEATS_A_LEASE))


class Heart:
    """Beats, in a thread, until it is stopped.

    Args:
        beat: What is done at each beat. Where it cannot be written, nothing else can, and runs say so themselves.
        lease_s: How long a lease lasts, in seconds.
    """

    def __init__(self, beat: Callable[[], None], lease_s: float) -> None:
        self._beat = beat
        self._every_s = lease_s / BEATS_A_LEASE
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go, name="tinysmith-heart", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops it."""
        self._stopped.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._stopped.wait(self._every_s):
            with suppress(JournalError):
                self._beat()


def _machine(proc: Path = PROC) -> str:
    """This boot of this machine, and its space of process numbers; empty where there is no /proc."""
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(proc / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _since(process: int, proc: Path = PROC) -> str:
    """When a process began, in ticks since the machine's boot; empty where there is none (a zombie is none)."""
    try:
        fields = (
            (proc / str(process) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def described(owner: Owner) -> str:
    """An owner in a message."""
    here = owner.machine == _machine() and owner.machine
    return f"process {owner.process}" + ("" if here else " on another machine")
