"""A shell that stays, and what would lose it, hold it up or get around its limits."""

import os
import signal
import sys
from contextlib import suppress
from typing import Any

import pytest
from sandboxes import as_root_and_as_user, living, names_in, parent_of, sandbox, wait_until

from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox.spec import MEBIBYTE


class TestShellSession:
    @as_root_and_as_user
    def test_a_shell_fills_no_disk_between_commands(self) -> None:
        """A shell that goes on by itself after its end is ended where it passes a limit; the next one is new."""
        busy = "for i in {1..400}; do builtin printf %99999s > /tmp/$i; done; while :; do :; done"
        with sandbox(limits=SandboxLimits(disk_bytes=4 * MEBIBYTE)) as box, box.open_session() as session:
            first = session.run(f"word=lost; _te() {{ builtin printf '\\n%s>0\\n' \"$1\" >&201; {busy}; }}")
            assert first.exit_code == 0
            assert wait_until(lambda: living() == set())
            done = session.run("rm -rf /tmp/*; echo on$word")
            assert (done.text, first.is_session_new ^ done.is_session_new) == ("on\n", True)  # it is said once
            assert session.run("echo x > /tmp/a; cat /tmp/a").text == "x\n"

    @as_root_and_as_user
    def test_an_exception_may_come_at_any_moment(self) -> None:
        """Whenever one comes while `run` works, as Ctrl-C may, the next command works and has its own output."""
        left = 0

        def interrupt(_: Any, event: str, __: Any) -> None:
            nonlocal left
            left -= event == "c_return"
            if not left:
                raise KeyboardInterrupt

        with sandbox() as box, box.open_session() as session:
            session.run("true")
            before = len(names_in("/proc/self/fd"))
            for moment in range(1, 50):
                left = moment
                with suppress(KeyboardInterrupt):
                    sys.setprofile(interrupt)
                    session.run("echo early")
                sys.setprofile(None)
                assert session.run("echo on").text == "on\n", moment
            assert len(names_in("/proc/self/fd")) == before

    @as_root_and_as_user
    def test_a_shell_that_takes_no_commands(self) -> None:
        """Where a job stops the shell and fills the pipe of its commands, the shell is lost when time is up."""
        fill = (
            "import os, sys, time; os.kill(int(sys.argv[1]), 19)\n"
            "pipe = os.open(f'/proc/{sys.argv[1]}/fd/255', os.O_WRONLY | os.O_NONBLOCK)\n"
            "for size in (4096, 1):\n"
            "    try:\n"
            "        while os.write(pipe, b'#' * size): pass\n"
            "    except BlockingIOError: pass\n"
            "open('/tmp/is-full', 'w').close()\n"
            "time.sleep(1000)\n"
        )
        with sandbox({"/fill.py": fill}) as box, box.open_session() as session:
            session.run("(sleep 0.2; exec python3 /fill.py $$) &")
            assert wait_until(lambda: box.exec("test -e /tmp/is-full").exit_code == 0)
            done = session.run("echo on", wall_s=0.3)
            assert (done.text, done.exit_code, done.ended_by, done.is_session_new) == ("", 137, "wall_s", True)
            assert session.run("echo on").text == "on\n"


class TestEnds:
    @as_root_and_as_user
    def test_a_shell_that_is_ended_from_outside_is_lost(self) -> None:
        """Where somebody on the host kills `bwrap`, nothing is known of the command; the next one works."""
        with sandbox() as box, box.open_session() as session:
            session.run("word=lost")
            ours = [process for process in living() if parent_of(process) == os.getpid()]
            os.kill(ours[0].number, signal.SIGKILL)
            assert wait_until(lambda: living() == set())
            with pytest.raises(EnvironmentLost, match="ended from outside"):
                session.run("echo $word")
            assert session.run("echo on$word").text == "on\n"

    @as_root_and_as_user
    def test_a_shell_that_ends_between_commands(self) -> None:
        """Where the shell ended after its last command, the next one is told so, and the one after works."""
        with sandbox() as box, box.open_session() as session:
            session.run("(sleep 0.05; kill -9 $$) &")
            assert wait_until(lambda: living() == set())
            done = session.run("echo lost")
            assert (done.is_session_new, done.exit_code, done.stdout) == (True, 137, b"")
            assert session.run("echo on").text == "on\n"

    @as_root_and_as_user
    def test_a_job_fills_no_disk_between_commands(self) -> None:
        """What is left running in a session is ended where it passes a limit of the files."""
        fill = "for i in {1..200}; do head -c 1M /dev/zero > /tmp/$i; sleep 0.02; done"
        with sandbox(limits=SandboxLimits(disk_bytes=4 * MEBIBYTE)) as box, box.open_session() as session:
            session.run("true")
            count = len(living())
            assert session.run(f"({fill}) & true").exit_code == 0
            assert wait_until(lambda: len(living()) == count)
            assert session.run("rm -rf /tmp/*; echo on").text.endswith("on\n")

    @as_root_and_as_user
    def test_a_flood_between_commands_is_let_go(self) -> None:
        """A job that prints without end is ended by a command or by its limit, and the next one goes on."""
        with sandbox(limits=SandboxLimits(output_bytes=200_000)) as box, box.open_session() as session:
            session.run("yes & true")
            done = session.run("kill %1; echo on")
            assert done.text.endswith("on\n") or done.ended_by == "output_bytes"
            done = session.run("echo on")
            *told, said = done.text.splitlines()  # what the shell tells of the job that was ended is no flood
            assert (said, len(told) <= 1, done.is_session_new) == ("on", True, False)

    @as_root_and_as_user
    def test_output_that_somebody_within_takes(self) -> None:
        """A job that reads what the shell prints takes nothing but output."""
        with sandbox(limits=SandboxLimits(wall_s=0.5)) as box, box.open_session() as session:
            session.run("cat /proc/self/fd/1 >/dev/null & for i in {1..300}; do echo $i; done")
            session.run("kill %1")
            assert session.run("echo on").text.endswith("on\n")
