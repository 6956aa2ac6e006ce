"""How it is noticed that a copy does not go on."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandboxes import wait_until

from tinysmith.sandbox._copying import Progress


@contextmanager
def running(command: Sequence[str]) -> Iterator[int]:
    """A process that does something."""
    process = subprocess.Popen(command)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


class TestProgress:
    def test_who_waits_for_a_fifo_is_held_up(self, tmp_path: Path) -> None:
        """A process that sleeps and does nothing is noticed in the end, and not at once."""
        os.mkfifo(tmp_path / "fifo")
        with running(["/bin/cat", str(tmp_path / "fifo")]) as process:
            progress = Progress()
            assert not progress.look([process])
            assert wait_until(lambda: progress.look([process]))
            assert progress.is_held_up

    def test_who_does_something_is_not(self, tmp_path: Path) -> None:
        """While one of the processes is at work, or sleeps and wakes, the others may wait for it."""
        os.mkfifo(tmp_path / "fifo")
        working = "while :; do echo > /dev/null; read -t 0.01 <> $0; done"
        with (
            running(["/bin/cat", str(tmp_path / "fifo")]) as waiting,
            running(["/bin/bash", "-c", working, str(tmp_path / "fifo")]) as busy,
        ):
            progress = Progress()
            assert not wait_until(lambda: progress.look([waiting, busy]), 1.5)

    def test_who_has_ended_is_not(self) -> None:
        """A process that is gone meanwhile holds nobody up."""
        progress = Progress()
        assert not wait_until(lambda: progress.look([1 << 30]), 1.2)
