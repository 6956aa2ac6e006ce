"""How commands begin, whatever this process and its variables are like."""

import os
import signal
import threading

import pytest
from back_ends import on_each_back_end
from sandboxes import Maker, as_user, needs_root, says

from tinysmith.errors import UsageError
from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox.unsafe_local import UnsafeLocal

MEBIBYTE = 1 << 20
FORKS = """
import os, time
count = 0
try:
    while count < 40 and os.fork():
        count += 1
except BlockingIOError:
    print(count)
time.sleep(1)
"""


class TestHost:
    @on_each_back_end
    def test_the_umask_is_no_matter_of_ours(self, back_end: Maker) -> None:
        """What commands and sessions make may be read by others, whatever the umask of this process is."""
        os.umask(0o077)
        with back_end.sandbox() as box, box.open_session() as session:
            assert says(box, "umask") == "0022"
            assert session.run("umask").text == "0022\n"

    @on_each_back_end
    def test_signals_are_not_ignored(self, back_end: Maker) -> None:
        """Commands and sessions can trap what this process was told to ignore, as `nohup` and `&` tell it."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        command = "trap 'printf %s, trapped' INT QUIT HUP; kill -INT $$; kill -QUIT $$; kill -HUP $$"
        with back_end.sandbox() as box, box.open_session() as session:
            assert says(box, command) == "trapped," * 3
            assert session.run(command).text == "trapped," * 3


class TestLimits:
    @on_each_back_end
    def test_a_posix_shell_has_the_same_limits(self, back_end: Maker) -> None:
        """`file_bytes` is the same where a variable makes bash count in smaller units."""
        with back_end.sandbox(limits=SandboxLimits(file_bytes=MEBIBYTE)) as box:
            for variables in ({}, {"POSIXLY_CORRECT": "1"}, {"POSIXLY_CORRECT": ""}):
                command = "set +o posix; ulimit -f"
                assert says(box, command, environment=variables) == "1024"

    @on_each_back_end
    def test_large_limits_are_as_good_as_none(self, back_end: Maker) -> None:
        """Processor time beyond what the kernel can count ends nothing."""
        with back_end.sandbox(limits=SandboxLimits(cpu_s=1 << 59)) as box, box.open_session() as session:
            assert says(box, "true; echo fine") == "fine"
            assert session.run("/bin/true; echo fine").text == "fine\n"

    @needs_root  # else others of the user's processes may end meanwhile
    def test_a_busy_user_may_run_commands_on_the_host(self) -> None:
        """`UnsafeLocal` counts a command's processes beyond what its user runs: it may have some, and no more."""

        def work() -> int:
            over = threading.Event()
            threads = [threading.Thread(target=over.wait) for _ in range(20)]
            for thread in threads:
                thread.start()
            try:
                with Maker(UnsafeLocal()).sandbox(limits=SandboxLimits(processes=10, wall_s=20.0)) as box:
                    return int(says(box, ["/usr/bin/python3", "-c", FORKS]))
            finally:
                over.set()

        assert 5 <= as_user(work) <= 10


class TestArguments:
    @on_each_back_end
    def test_many_arguments(self, back_end: Maker) -> None:
        """As many arguments as may be arrive; more are a mistake of the caller's, which says what to do."""
        command = ["/bin/bash", "-c", "echo $#", "bash"]
        with back_end.sandbox() as box:
            assert says(box, command + ["x"] * (8000 - len(command))) == "7996"
            with pytest.raises(UsageError, match=r"8001 arguments.*xargs"):
                box.exec(command + ["x"] * (8001 - len(command)))
