"""What is done about a shell that goes on between two commands."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sandboxes import wait_until

from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox._lull import Lull
from tinysmith.sandbox._running import Process, Status
from tinysmith.sandbox._usage import Quota


@pytest.fixture
def bash() -> Iterator["subprocess.Popen[bytes]"]:
    """A shell that does what it is sent."""
    with subprocess.Popen(["/bin/bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        does(process, "")
        yield process


def does(bash: "subprocess.Popen[bytes]", command: str) -> None:
    """Waits until it has done something."""
    assert bash.stdin is not None
    assert bash.stdout is not None
    bash.stdin.write(f"{command}\necho done\n".encode())
    bash.stdin.flush()
    assert bash.stdout.readline() == b"done\n"


class TestLull:
    def test_it_looks_where_something_has_run(self, bash: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
        """The files are looked at only after a shell was busy, and soon again where they are too many."""
        limits = SandboxLimits(disk_bytes=4096)
        with closing(Status.new()) as status:
            status.process = bash.pid
            lull = Lull(Process(bash, status), Quota(tmp_path, limits), limits)
            assert not lull.is_over()
            idle_s = lull.pause_s
            (tmp_path / "file").write_bytes(bytes(100_000))
            assert wait_until(lambda: not lull.is_over())  # it has gone to sleep
            assert not lull.is_over()
            does(bash, "")
            assert lull.is_over()
            assert lull.pause_s < idle_s

    def test_a_shell_is_spared_until_it_is_busy_by_itself(self, bash: "subprocess.Popen[bytes]") -> None:
        """After each command, a shell may spend so much time, and have its jobs ended so often, and no more."""
        limits = SandboxLimits()
        with closing(Status.new()) as status:
            status.process = bash.pid
            lull = Lull(Process(bash, status), Quota(Path("/"), limits), limits)
            first, second = object(), object()
            assert not lull.ends_jobs(first)
            does(bash, "for i in {1..200000}; do :; done")
            assert lull.ends_jobs(first)
            assert [lull.ends_jobs(second) for _ in range(6)] == [False] * 5 + [True]
