"""Copies and resets of sandboxes whose files are a folder, at the same time as all else."""

import asyncio
import math
import select
import subprocess
import threading

import pytest
from attrs import evolve
from sandboxes import as_root_and_as_user, needs_sandbox, sandbox, says, wait_until

from tinysmith.errors import SandboxError, UsageError
from tinysmith.sandbox import Sandbox, SandboxLimits, SandboxSpec, Stop, Stopped, Tree
from tinysmith.sandbox.bubblewrap import BubblewrapSandbox

# Whoever opens the file waits for long, as for a FIFO, but no race decides whether that is in its place.
_LEASE = """
import fcntl, os, signal, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = os.open("/held", os.O_RDWR)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
time.sleep(60)
"""
_HOLD = "exec 3< <(python3 /lease.py); read -u 3 word; echo $word"


def held_up() -> BubblewrapSandbox:
    """A sandbox with many files, one of which a session can hold."""
    files = {f"/many/{number}": "" for number in range(500)}
    return BubblewrapSandbox(SandboxSpec(tree=Tree.of({"/held": "x", "/lease.py": _LEASE, **files})))


class Endless(BubblewrapSandbox):
    """One that copies until it is stopped."""

    def fork(self, *, stop: Stop | None = None) -> BubblewrapSandbox:
        """Waits."""
        assert stop is not None
        select.select([stop], [], [])
        raise Stopped


class TestFork:
    @as_root_and_as_user
    def test_nothing_holds_a_copy_up(self) -> None:
        """Where opening a file takes for ever, as of a FIFO in its place, copying ends and says so."""
        with held_up() as box, box.open_session() as session:
            assert session.run(_HOLD).text == "held\n"
            with pytest.raises(SandboxError, match="keeps who opens it waiting, as a FIFO in"):
                box.fork()
            assert session.run("kill $!; exec 3<&-; echo on").text == "on\n"
            with box.fork() as other:
                assert says(other, "cat /held; ls /many | wc -l") == "x500"

    @as_root_and_as_user
    def test_copies_are_made_within_limits(self) -> None:
        """What copies is held to limits, too; of a file to that of all, since a tree may have larger ones."""
        limits = SandboxLimits(file_bytes=1 << 10, disk_bytes=1 << 22)
        spec = SandboxSpec(Tree.of({"/large": "x" * 100_000}), limits=limits)
        with BubblewrapSandbox(spec) as box, box.fork() as other:
            assert len(other.read_file("/large")) == 100_000
            how = other.copying(box.folder)
            begins = how.arguments[: how.arguments.index("/usr/bin/cp")]
            asking = evolve(how, arguments=(*begins, "/bin/bash", "-c", "ulimit -f; ulimit -u; ulimit -c"))
            with asking.alone(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as asked:
                assert asked.communicate()[0] == b"4096\n64\n0\n"

    @as_root_and_as_user
    def test_a_copy_can_be_stopped(self) -> None:
        """Who no longer wants a copy need not wait for it, and nothing of it is left."""
        stop = Stop()
        stop.set()
        with sandbox({"/a": "x"}) as box:
            with pytest.raises(Stopped):
                box.fork(stop=stop)
            assert says(box, "cat /a") == "x"
        stop.close()

    @needs_sandbox
    def test_cancelling_stops_a_copy(self) -> None:
        """The async twin of a copy, cancelled, stops it."""

        async def work(box: Sandbox) -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(box.afork(), 0.1)

        with Endless(SandboxSpec()) as box:
            asyncio.run(work(box))

    @as_root_and_as_user
    def test_a_reset_waits_for_a_copy(self) -> None:
        """A sandbox that is copied while another thread resets it is copied as a whole."""
        with held_up() as box:
            box.open_session().run(_HOLD)
            made: list[Sandbox] = []
            thread = threading.Thread(target=lambda: made.append(box.fork()))
            thread.start()
            assert wait_until(lambda: box._copies == 1)
            box.reset()
            assert box._copies == 0
            thread.join()
            with made[0] as other:
                assert says(other, "ls /many | wc -l") == "500"

    @needs_sandbox
    def test_what_is_closed_is_not_copied(self) -> None:
        """A closed sandbox has no files to copy."""
        box = sandbox()
        box.close()
        with pytest.raises(UsageError, match="The sandbox is closed; make another"):
            box.fork()


class TestExec:
    @needs_sandbox
    def test_its_time_is_a_number(self) -> None:
        """A time that is no number is refused, which would be no limit."""
        with sandbox() as box, pytest.raises(UsageError, match="wall_s is nan; give seconds"):
            box.exec("true", wall_s=math.nan)
