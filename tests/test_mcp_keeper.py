"""The process between us and a server: it gives what is named, and leaves nothing behind."""

import os
import subprocess
import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pytest
from mcp_servers import are_gone, is_alive

from tinysmith.mcp import _keeper

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

DAEMON = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
"""
"""A program that starts another one, which leaves its session and its parent."""

OVERLOOKED = """
import subprocess, threading, time
from tinysmith.mcp import _keeper

def start():
    print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
    is_started.set()
    time.sleep(0.2)

is_started = threading.Event()
threading.Thread(target=start).start()
is_started.wait()
_keeper._kill_orphans()
"""
"""A child that the list of children lacks until the thread that started it has ended."""


class Kept:
    """A program under a keeper, which is measured as any other code."""

    def __init__(self, *command: str, names: tuple[str, ...] = ()) -> None:
        theirs, self.life = os.pipe()
        keeper = [sys.executable, "-m", _keeper.__name__, str(theirs), ",".join(names), *command]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(keeper, stdin=pipe, stdout=pipe, stderr=pipe, text=True, pass_fds=[theirs])
        os.close(theirs)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_die()
        self._stack.__exit__(kind, error, trace)

    def let_die(self) -> None:
        """Closes the pipe, as the kernel does if we die."""
        if self.life >= 0:
            os.close(self.life)
            self.life = -1

    def line(self) -> str:
        """The next line that the program prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


class TestKeeper:
    def test_gives_only_what_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program is given the variables that are named, its pipes, and its exit code comes back."""
        monkeypatch.setenv("NAMED", "yes")
        monkeypatch.setenv("OTHER", "no")
        with Kept(
            "/bin/sh", "-c", "tr '\\0' '\\n' </proc/self/environ; ls /proc/self/fd; cat; exit 7", names=("NAMED",)
        ) as kept:
            out, _ = kept.process.communicate("what it reads")
        seen = out.split()
        assert (seen[0], seen[-3:]) == ("NAMED=yes", ["what", "it", "reads"])
        assert seen[1:-3] == ["0", "1", "2", "3"]  # the third is the folder that `ls` reads
        assert kept.process.returncode == 7

    def test_kills_what_is_left_when_the_program_ends(self) -> None:
        """A daemon of a program that has ended is killed."""
        with Kept(sys.executable, "-c", f"{DAEMON}\ninput()") as kept:
            daemon = int(kept.line())
            assert kept.process.stdin is not None
            kept.process.stdin.write("\n")
            kept.process.stdin.flush()
            assert kept.process.wait(20) == 0
            assert not is_alive(daemon)

    def test_kills_what_its_first_look_missed(self) -> None:
        """A child that was not on the list at first is killed as well, and the end comes."""
        with subprocess.Popen([sys.executable, "-c", OVERLOOKED], stdout=subprocess.PIPE, text=True) as ours:
            assert ours.stdout is not None
            child = int(ours.stdout.readline())
            try:
                assert ours.wait(60) == 0
                assert not is_alive(child)
            finally:
                ours.kill()

    def test_kills_all_when_we_are_gone(self) -> None:
        """Once the pipe is closed, a program that ignores signals is killed, and its daemon."""
        with Kept(sys.executable, "-c", f"{DAEMON}\nprint(os.getpid(), flush=True)\ntime.sleep(600)") as kept:
            processes = {int(kept.line()), int(kept.line())}
            assert all(map(is_alive, processes))
            kept.let_die()
            assert kept.process.wait(20) == 128 + 9
            assert are_gone(*processes)

    def test_what_cannot_be_started_is_told(self) -> None:
        """A program that the system refuses gives an exit code of its own and a line that says why."""
        with Kept("/etc/passwd") as kept:
            _, errors = kept.process.communicate()
        assert kept.process.returncode == _keeper.CANNOT_START
        assert errors == "/etc/passwd: Permission denied\n"
