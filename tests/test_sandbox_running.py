"""Processes of sandboxes, and what goes wrong with them."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sandboxes import (
    all_gone,
    as_root_and_as_user,
    living,
    names_in,
    needs_sandbox,
    parent_of,
    sandbox,
    wait_until,
)

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox import SandboxSpec, Stop
from tinysmith.sandbox._invocation import life
from tinysmith.sandbox._running import Process, Status, _end, is_readable
from tinysmith.sandbox.bubblewrap import BubblewrapSandbox
from tinysmith.sandbox.sandbox import stoppable


def sleeper() -> "subprocess.Popen[bytes]":
    """A process of ours that goes on until it is ended."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


class TestStop:
    def test_it_is_set_once_and_for_all(self) -> None:
        """It says whether it was set, as often as it is asked."""
        with closing(Stop()) as stop:
            assert not stop.is_set()
            stop.set()
            stop.set()
            assert [stop.is_set(), stop.is_set()] == [True, True]

    def test_the_end_of_an_event_loop_waits_for_what_it_ends(self) -> None:
        """Work that nobody waits for when the event loop ends is stopped, and is over before that."""
        over = []

        def work(stop: Stop) -> None:
            assert is_readable(stop.fileno(), 20.0)
            time.sleep(0.05)  # as a command takes to end
            over.append(stop.is_set())

        async def main() -> None:
            tasks.append(asyncio.ensure_future(stoppable(work)))
            await asyncio.sleep(0)

        tasks: list[asyncio.Future[None]] = []
        asyncio.run(main())
        assert over == [True]


class TestStatus:
    def test_what_is_told(self) -> None:
        """Lines may come in parts; without any, nothing is known, and it is not the end."""
        status = Status.new()
        with closing(status):
            assert status.read()
            os.write(status.sink, b'{"child-pid": %d}\n{"exit-' % os.getpid())
            assert status.read()
            assert (status.process, status.first >= 0, status.exit_code) == (os.getpid(), True, None)
            os.write(status.sink, b'code": 7}\n')
            status.wait_for_first()
            assert status.read()
            status.started()
            assert not status.read()
            assert status.exit_code == 7

    def test_a_process_that_has_ended_has_no_descriptor(self) -> None:
        """The first process may be gone before we look for it."""
        gone = subprocess.Popen(["/bin/true"])
        gone.wait()
        status = Status.new()
        with closing(status):
            os.write(status.sink, b'{"child-pid": %d}\n' % gone.pid)
            status.wait_for_first()
            assert (status.process, status.first) == (gone.pid, -1)

    def test_one_that_was_closed_tells_nothing(self) -> None:
        """Who comes too late waits for nobody."""
        status = Status.new()
        status.close()
        status.wait_for_first()
        status.end_first()
        assert not status.read()
        assert not status.is_first_alive()

    def test_it_is_closed_while_others_end_it(self) -> None:
        """A file descriptor that is given back is nobody's to signal, at whatever moment."""
        child = sleeper()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(1) as pool:
                for _ in range(300):
                    status = Status.new()
                    status.first, status.process = os.pidfd_open(child.pid), child.pid
                    over = pool.submit(status.close)
                    while not over.done():
                        status.end_first()
                    status.wait_for_first()
                    assert not status.read()
                    assert not status.is_first_alive()
                    over.result()
        finally:
            sys.setswitchinterval(interval)
            child.kill()
            child.communicate()


class TestProcess:
    def test_one_that_told_nothing_is_ended(self) -> None:
        """A `bwrap` that never came to a first process is killed all the same."""
        status = Status.new()
        status.started()
        process = Process(sleeper(), status)
        process.kill()
        assert process.finish() is None
        process.close()

    def test_a_first_process_that_stays_is_ended(self) -> None:
        """Where what we began has ended, the first process and all within it end, whoever told it to stay."""
        with sleeper() as other:
            process = self.with_first(other)
            assert process.finish() is None
            assert other.wait(0) == -signal.SIGKILL
        process.close()

    def test_what_does_not_end_is_told(self) -> None:
        """Where the first process outlives its kill, that is a fault of the machinery."""
        large = (
            "import sys; held = b'x' * (1 << 29); print('made', flush=True); sys.stdin.read()"  # to go takes time
        )
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", large], stdin=pipe, stdout=pipe) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"made\n"
            process = self.with_first(other, patience_s=0.0)
            with pytest.raises(EnvironmentLost, match="Something in the sandbox does not end"):
                process.finish()
            process.close()

    def with_first(self, first: "subprocess.Popen[bytes]", **options: Any) -> Process:
        """One whose first process is this one, while what we began has ended."""
        ended = subprocess.Popen(["/bin/true"])
        ended.wait()
        status = Status.new()
        status.first = os.pidfd_open(first.pid)
        status.started()
        status.source, source = -1, status.source
        os.close(source)
        return Process(ended, status, **options)

    def test_a_bwrap_that_does_not_end_is_told(self) -> None:
        """Where what we began itself goes on, that is a fault of the machinery, too."""
        status = Status.new()
        status.started()
        process = Process(sleeper(), status, patience_s=0.05)
        with pytest.raises(EnvironmentLost, match="first process does not end"):
            process.finish()
        process.kill()
        process.main.wait()
        process.close()

    def test_others_that_have_ended_meanwhile(self) -> None:
        """Numbers of processes that are gone, or nothing but a zombie, are passed over."""
        gone = subprocess.Popen(["/bin/true"])
        assert wait_until(lambda: "Z" in Path(f"/proc/{gone.pid}/stat").read_text(encoding="utf-8"))
        _end(gone.pid, 0)
        assert gone.wait() == 0
        _end(gone.pid, 0)

    @needs_sandbox
    def test_another_that_has_the_number_is_left_alone(self) -> None:
        """Where the first process has ended, its number may be another's, whose children are not ended."""
        parent = subprocess.Popen(["/bin/sh", "-c", "sleep 100 & wait"], stdout=subprocess.PIPE)
        try:
            assert wait_until(lambda: bool(living(parent.pid)))
            (child,) = living(parent.pid)
            status = Status.new()
            with closing(status):
                status.process = parent.pid
                Process(parent, status).end_others()
            assert not all_gone({child}, 0.2)
        finally:
            os.kill(child.number, signal.SIGKILL)
            parent.communicate()

    def test_what_cannot_be_started(self) -> None:
        """Where the system refuses to start it, nothing stays open."""
        box = BubblewrapSandbox(SandboxSpec())
        with box:
            before = names_in("/proc/self/fd")
            with pytest.raises(EnvironmentLost, match="cannot be started"):
                box.invocation("true").begin(stdin=99_999, stdout=subprocess.DEVNULL)
            assert names_in("/proc/self/fd") == before


class TestFaults:
    @as_root_and_as_user
    def test_a_command_that_is_ended_from_outside_is_lost(self) -> None:
        """Where somebody on the host kills `bwrap`, nothing of what the command printed is in the error."""
        with sandbox() as box, ThreadPoolExecutor(1) as pool:
            doing = pool.submit(box.exec, "echo bwrap: secretword; touch /tmp/begun; sleep 50", merges_stderr=True)
            assert wait_until(lambda: box.exec("test -e /tmp/begun").exit_code == 0)
            (ours,) = [process for process in living() if parent_of(process) == os.getpid()]
            os.kill(ours.number, signal.SIGKILL)
            with pytest.raises(EnvironmentLost, match="process was ended from outside") as caught:
                doing.result()
            assert "secretword" not in str(caught.value)
            assert box.exec("echo on").text == "on\n"

    @as_root_and_as_user
    def test_what_nobody_waits_for_any_more_is_closed(self) -> None:
        """A fork and a session that are cancelled while they are made leave nothing behind."""

        async def work() -> None:
            async with sandbox({"/a": "x"}) as box:
                for make in (box.afork, box.aopen_session):
                    making = asyncio.ensure_future(make())
                    await asyncio.sleep(0)
                    making.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await making
                assert len(names_in(os.environ["TMPDIR"])) == 1
                assert living() == set()

        asyncio.run(work())

    @as_root_and_as_user
    def test_without_file_descriptors_nothing_begins(self) -> None:
        """Where this process may open no more files, commands and sessions are lost, and work again afterwards."""
        with sandbox() as box:
            box.exec("true")
            before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            taken = []
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, names_in("/proc/self/fd"))) + 8, most))
                with suppress(OSError):
                    while True:
                        taken.append(os.open(os.devnull, os.O_RDONLY))
                with pytest.raises(SandboxUnavailable, match="nothing can be now: Too many open files; mend that"):
                    sandbox()
                for _ in range(8):
                    with pytest.raises(EnvironmentLost, match="Too many open files"):
                        box.exec("true")
                    with pytest.raises(EnvironmentLost, match="Too many open files"):
                        box.open_session()
                    os.close(taken.pop())
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
                for descriptor in taken:
                    os.close(descriptor)
            assert box.exec("echo on").text == "on\n"

    @as_root_and_as_user
    def test_an_interruption_leaves_nothing(self) -> None:
        """An exception that comes while a command runs, such as Ctrl-C, ends the command."""

        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, interrupt)
        with sandbox() as box:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                box.exec("sleep 1000", wall_s=1000.0)
            assert living() == set()
            assert box.exec("echo on").text == "on\n"

    @as_root_and_as_user
    def test_many_open_files_of_ours_are_no_obstacle(self) -> None:
        """Commands begin also where this process had a thousand files open when it first made a sandbox."""
        before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most != resource.RLIM_INFINITY and most < 2_000:
            pytest.skip(f"no process here may have more than {most} open files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2_000, most))
        taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
        try:
            assert life() > 1_024  # in a process that was forked there is none yet
            with sandbox() as box, box.open_session() as session:
                assert (box.exec("echo on").text, session.run("echo on").text) == ("on\n", "on\n")
        finally:
            for descriptor in taken:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))

    @needs_sandbox
    def test_one_that_is_closed_before_it_begins(self) -> None:
        """A command does not begin any more where another thread has closed the sandbox."""

        class ClosedMeanwhile(BubblewrapSandbox):
            def invocation(self, *arguments: Any, **options: Any) -> Any:
                how = super().invocation(*arguments, **options)
                self.close()
                return how

        with pytest.raises(UsageError, match="sandbox is closed"):
            ClosedMeanwhile(SandboxSpec()).exec("sleep 1000")
