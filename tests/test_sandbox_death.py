"""Who started a sandbox may die, be cancelled, or end its threads: no process is left, none ends too early."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sandboxes import (
    Process,
    all_gone,
    apart,
    as_root_and_as_user,
    descendants,
    living,
    names_in,
    needs_sandbox,
    sandbox,
    wait_until,
)

from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.sandbox import Executed, Sandbox, SandboxLimits
from tinysmith.sandbox.sandbox import Stop, Stopped


def sleeping(number: int | None = None) -> bool:
    """Whether a process has a descendant that sleeps."""
    return any(process.name == "sleep" for process in living(number))


async def until(is_so: Callable[[], bool]) -> None:
    """Waits, while the event loop goes on, until something is so."""
    assert await asyncio.to_thread(wait_until, is_so, 10.0)


def killed_while(work: Callable[[], None], signal_number: int = signal.SIGKILL) -> None:
    """Kills a process while something sleeps in its sandbox, and holds that nothing of it is left."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)  # it is killed before
    assert wait_until(lambda: sleeping(child), 10.0)
    family = living(child)
    assert len(family) >= 3
    os.kill(child, signal_number)
    assert all_gone(family), [str(process) for process in family if process.is_alive]
    assert names_in(tempfile.gettempdir())
    os.waitpid(child, 0)  # a process that is killed has its locks for a moment yet
    clean_up()


def clean_up() -> None:
    """Takes away the files that a killed process could not: whoever makes a sandbox does."""
    sandbox().close()
    assert names_in(tempfile.gettempdir()) == []


class TestKilled:
    @as_root_and_as_user
    def test_a_killed_process_leaves_no_command(self) -> None:
        """Who is killed while a command runs, with a daemon beside it, leaves neither."""

        def work() -> None:
            sandbox().exec("setsid nohup sleep 1000 & sleep 1000", wall_s=1000.0)

        killed_while(work)

    @as_root_and_as_user
    def test_a_killed_process_leaves_no_session(self) -> None:
        """Who is killed while a session is open, idle or busy, leaves nothing of it."""

        def work() -> None:
            session = sandbox().open_session()
            session.run("setsid nohup sleep 1000 &")
            session.run("sleep 1000", wall_s=1000.0)

        killed_while(work)

    @needs_sandbox
    def test_a_process_that_ends_leaves_no_session(self) -> None:
        """A program that ends without closing its session leaves nothing of it, and no files either."""
        program = (
            "from tinysmith.sandbox import SandboxSpec\n"
            "from tinysmith.sandbox.bubblewrap import Bubblewrap\n"
            "box = Bubblewrap().create(SandboxSpec())\n"
            "session = box.open_session()\n"
            "print(session.run('sleep 1000 & echo on').text)\n"
        )

        def work() -> str:
            done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
            assert wait_until(lambda: living() == set())
            return done.stdout + done.stderr

        assert apart(work).strip() == "on"


class TestReaped:
    @needs_sandbox
    def test_no_dead_process_is_left_either(self) -> None:
        """Whoever has sandboxes for long collects no zombies, whichever way commands and sessions end."""

        def work() -> set[Process]:
            with sandbox(limits=SandboxLimits(output_bytes=5000)) as box, box.fork() as copy:
                for command in ("true", "sleep 1000 & true", "yes", "kill -9 $$"):
                    box.exec(command)
                box.exec("sleep 1000", wall_s=0.05)
                session, other = copy.open_session(), copy.open_session()
                session.run("sleep 1000 &")
                session.close()
                other.run("exit 3")
                other.run("while :; do :; done", wall_s=0.05)
                other.close()
                return descendants(os.getpid())

        assert apart(work, takes_in=False) == set()


class TestCancelled:
    @as_root_and_as_user
    def test_a_cancelled_command_leaves_no_process(self) -> None:
        """When a cancelled call is over, so is its command, and the next one works."""

        async def work(box: Sandbox) -> None:
            call = asyncio.ensure_future(box.aexec("setsid sleep 1000 & sleep 1000", wall_s=1000.0))
            await until(sleeping)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert living() == set()
            assert (await box.aexec("echo on")).text == "on\n"

        with sandbox() as box:
            asyncio.run(work(box))

    @as_root_and_as_user
    def test_a_timeout_around_a_call_ends_its_command(self) -> None:
        """A command under `asyncio.timeout` is ended with it; so is one that is cancelled before it has begun."""

        async def work(box: Sandbox) -> None:
            for seconds in (0.0, 0.001, 0.003, 0.01, 0.1):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await box.aexec("sleep 1000", wall_s=1000.0)
                assert living() == set()

        with sandbox() as box:
            asyncio.run(work(box))

    @as_root_and_as_user
    def test_a_cancelled_command_of_a_session_ends_and_the_session_goes_on(self) -> None:
        """When a cancelled call of a session is over, nothing sleeps any more, and the session takes the next."""

        async def work(box: Sandbox) -> None:
            async with await box.aopen_session() as session:
                call = asyncio.ensure_future(session.arun("sleep 1000", wall_s=1000.0))
                await until(sleeping)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                assert not sleeping()
                assert (await session.arun("echo on")).text.strip() == "on"

        with sandbox() as box:
            asyncio.run(work(box))

    @as_root_and_as_user
    def test_many_at_once_are_cancelled_together(self) -> None:
        """Of many calls that are cancelled at once, none leaves a process."""

        async def work() -> None:
            boxes = [sandbox() for _ in range(8)]
            calls = [asyncio.ensure_future(box.aexec("sleep 1000", wall_s=1000.0)) for box in boxes]
            await until(lambda: sum(process.name == "sleep" for process in living()) == len(boxes))
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            assert living() == set()
            await asyncio.gather(*(box.aclose() for box in boxes))

        asyncio.run(work())


class TestThreads:
    @as_root_and_as_user
    def test_a_stop_from_another_thread_ends_a_command(self) -> None:
        """A blocked call is ended from another thread, and nothing of its command is left."""
        with sandbox() as box, box.open_session() as session:
            session.run("true")
            before = {process.number for process in living()}
            for call in (box.exec, session.run):
                stop = Stop()
                timer = threading.Timer(0.1, stop.set)
                timer.start()
                with pytest.raises(Stopped):
                    call("sleep 1000", wall_s=1000.0, stop=stop)
                timer.join()
                stop.close()
                assert not sleeping()
                if call == box.exec:
                    assert {process.number for process in living()} == before
            assert session.run("echo on").text.strip() == "on"

    @as_root_and_as_user
    def test_a_session_outlives_the_thread_that_opened_it(self) -> None:
        """A session stays as it is when the thread that opened it, or that ran its first command, has ended."""
        opened = []
        with sandbox() as box:

            def work() -> None:
                opened.append(box.open_session())
                opened[0].run("word=kept; sleep 1000 &")

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            time.sleep(0.05)  # for what would be the end of it
            done = opened[0].run("echo $word; kill -0 $! && echo there")
            assert done.text.split() == ["kept", "there"]
            assert not done.is_session_new

    @as_root_and_as_user
    def test_a_shell_that_ends_takes_along_what_it_began(self) -> None:
        """When a session's shell ends by itself, what it had put into the background has ended, too."""
        with sandbox() as box, box.open_session() as session:
            assert session.run("setsid sleep 1000 & sleep 1000 & exit 3").exit_code == 3
            assert living() == set()

    @as_root_and_as_user
    def test_closing_from_another_thread_ends_what_runs(self) -> None:
        """A sandbox that is closed while commands run ends them; whoever waits for them is told."""
        said: list[BaseException | int] = []
        box = sandbox()
        session = box.open_session()

        def wait_for(call: Callable[..., object]) -> None:
            try:
                call("sleep 1000", wall_s=1000.0)
            except BaseException as error:  # noqa: BLE001  # it is looked at below
                said.append(error)
            else:
                said.append(0)

        threads = [threading.Thread(target=wait_for, args=(call,)) for call in (box.exec, session.run)]
        for thread in threads:
            thread.start()
        assert wait_until(lambda: sum(p.name == "sleep" for p in living()) == 2)
        box.close()
        for thread in threads:
            thread.join()
        assert living() == set()
        assert all(isinstance(error, EnvironmentLost | UsageError) for error in said), said

    @as_root_and_as_user
    def test_what_is_not_wanted_any_more_has_no_result(self) -> None:
        """A command that a reset ends is told as that, also where its end looks like the end of any other."""
        with sandbox() as box, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(box.exec, "sleep 1000", wall_s=1000.0)
            assert wait_until(lambda: "sleep" in {each.name for each in living()})
            (process,) = box._running  # type: ignore[attr-defined]  # of this back end
            process.is_unwanted = True
            os.kill(process.status.process, signal.SIGKILL)
            with pytest.raises(EnvironmentLost, match="nothing is known of the command"):
                waiting.result(60)
            assert box.exec("echo on").text == "on\n"

    @as_root_and_as_user
    def test_a_fork_of_the_process_does_not_take_the_files_away(self) -> None:
        """A process forked from the one that has the sandbox may drop it without taking its files along."""
        box = sandbox({"/home/note.txt": "note"})
        child = os.fork()
        if not child:
            del box
            gc.collect()
            os._exit(0)
        os.waitpid(child, 0)
        assert box.read_file("/home/note.txt") == b"note"
        box.close()

    @as_root_and_as_user
    def test_a_forgotten_sandbox_takes_its_files_away(self) -> None:
        """A sandbox that nobody closed, and nobody has any more, leaves no file."""
        box = sandbox({"/home/note.txt": "note"})
        assert names_in(tempfile.gettempdir())
        del box
        gc.collect()
        assert names_in(tempfile.gettempdir()) == []


@as_root_and_as_user
def test_a_reset_is_whole_for_whoever_runs_meanwhile() -> None:
    """Commands and sessions that others begin while the files are made anew see all, or are told of their end."""
    names = {f"/home/{number}": "" for number in range(300)}
    said: list[Executed] = []
    counts: list[int] = []
    codes: set[int] = set()
    is_over = threading.Event()
    with sandbox(names, cwd="/home") as box:

        def count() -> None:
            while not is_over.is_set():
                with suppress(EnvironmentLost, UsageError):  # where it was ended
                    said.append(box.exec("ls -U | wc -l; touch more-$$; sleep 0.01"))
                    codes.add(said[-1].exit_code)

        def count_in_sessions() -> None:
            while not is_over.is_set():
                with suppress(EnvironmentLost, UsageError), box.open_session() as session:
                    said.append(session.run("ls -U | wc -l"))

        threads = [threading.Thread(target=work) for work in (count, count_in_sessions, count_in_sessions)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                box.reset()
                assert wait_until(lambda: sum(done.exit_code == 0 for done in said) > 1)
                counts += [int(done.text) for done in said if done.exit_code == 0]
                said.clear()
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
    assert len(counts) >= 10
    assert min(counts) >= 300
    assert codes == {0}
