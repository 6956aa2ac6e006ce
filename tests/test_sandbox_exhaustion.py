"""What a command may use up: each resource is bounded, the next command works, and nothing is left."""

import subprocess
import threading
import time
from pathlib import Path

import pytest
from sandboxes import USER, as_root_and_as_user, living, sandbox, says, wait_until
from system_calls import needs_python, tried

from tinysmith.errors import SandboxError, UsageError
from tinysmith.sandbox import Sandbox, SandboxLimits
from tinysmith.sandbox.sandbox import Stop, Stopped

MEBIBYTE = 1 << 20


def goes_on(box: Sandbox) -> bool:
    """Whether the next command works."""
    return says(box, "echo on") == "on"


class TestDisk:
    @as_root_and_as_user
    def test_one_file_has_a_most_size(self) -> None:
        """A file cannot grow beyond the limit of one file, with or without holes, and its program is told."""
        with sandbox(limits=SandboxLimits(file_bytes=MEBIBYTE)) as box:
            full = box.exec("head -c 3M /dev/zero > /tmp/full")
            assert full.exit_code == 128 + 25
            assert says(box, "stat -c %s /tmp/full") == str(MEBIBYTE)
            assert box.exec("truncate -s 1G /tmp/holes").exit_code
            assert goes_on(box)

    @as_root_and_as_user
    def test_many_files_together_have_a_most_size(self) -> None:
        """A command whose files grow beyond the disk limit is ended; the room can be freed and used again."""
        fill = "for i in {1..99999}; do head -c 1M /dev/zero > /tmp/full-$i; sleep 0.005; done"
        with sandbox(limits=SandboxLimits(disk_bytes=4 * MEBIBYTE, wall_s=5.0)) as box:
            done = box.exec(fill)
            assert (done.ended_by, done.exit_code) == ("disk_bytes", 137)
            assert box.exec("rm /tmp/full-*").exit_code == 0
            assert box.exec("head -c 2M /dev/zero > /tmp/again; sleep 0.1").ended_by == ""
            assert goes_on(box)

    @as_root_and_as_user
    def test_a_file_without_a_name_counts_too(self) -> None:
        """A file that is removed while it is open takes its room, and does not hide it from the limit."""
        hide = "for i in {1..40}; do exec {f}>/tmp/x; rm /tmp/x; head -c 1M /dev/zero >&$f; done; sleep 5"
        with sandbox(limits=SandboxLimits(disk_bytes=4 * MEBIBYTE)) as box:
            assert box.exec(hide).ended_by == "disk_bytes"
            assert goes_on(box)

    @as_root_and_as_user
    def test_files_have_a_most_number(self) -> None:
        """A command that makes more files, folders or links than the limit is ended."""
        nested = "mkdir -p /tmp/$(printf %900s | sed 's, ,a/,g')"
        makes = ("touch /tmp/{1..900}", "mkdir /tmp/{1..900}", "ln -s -t /tmp /none/{1..900}", nested)
        with sandbox(limits=SandboxLimits(files=300)) as box:
            for command in makes:
                assert box.exec(f"{command}; sleep 5").ended_by == "files", command
                assert box.exec("rm -rf /tmp/*; echo on").text == "on\n"
                assert box.exec("touch /tmp/1; sleep 0.05").ended_by == ""

    @as_root_and_as_user
    def test_what_is_too_full_gets_no_fuller(self) -> None:
        """Where the limit is passed the next command works, but can only take away; then there is room again."""
        with sandbox(limits=SandboxLimits(disk_bytes=2 * MEBIBYTE, file_bytes=8 * MEBIBYTE)) as box:
            assert box.exec("head -c 8M /dev/zero > /tmp/full; sleep 5").ended_by == "disk_bytes"
            size = int(says(box, "du -s -B 1 /tmp").split()[0])
            assert box.exec("for i in {1..5}; do head -c 1M /dev/zero > /tmp/$i; done").exit_code
            assert int(says(box, "du -s -B 1 /tmp").split()[0]) < size + MEBIBYTE
            assert box.exec("rm /tmp/full; head -c 1M /dev/zero > /tmp/1").exit_code
            assert box.exec("head -c 1M /dev/zero > /tmp/1; sleep 0.05").exit_code == 0

    @as_root_and_as_user
    def test_a_closed_folder_hides_nothing(self) -> None:
        """Files in a folder that may not be read count too."""
        fill = (
            "mkdir /tmp/a; cd /tmp/a; chmod 300 .; for i in {1..99}; do head -c 1M /dev/zero > $i; done; sleep 5"
        )
        with sandbox(limits=SandboxLimits(disk_bytes=4 * MEBIBYTE)) as box:
            assert box.exec(fill).ended_by == "disk_bytes"
            box.reset()
            assert goes_on(box)

    @as_root_and_as_user
    def test_shared_memory_has_a_size(self) -> None:
        """/dev/shm takes its limit and no more, and no other place in memory can be written to."""
        with sandbox(limits=SandboxLimits(shm_bytes=MEBIBYTE)) as box:
            assert "No space left" in says(box, "head -c 3M /dev/zero > /dev/shm/full; stat -c %s /dev/shm/full")
            assert says(box, "ls -A /dev/shm") == ""
            for mount in says(box, "cat /proc/mounts").splitlines():
                _, place, kind, options, *_ = mount.split()
                if kind != "tmpfs":
                    continue
                assert "size=1024k" in options.split(",") or options.startswith("ro,"), place

    @needs_python
    @as_root_and_as_user
    def test_files_in_shared_memory_count_too(self) -> None:
        """Files without content in /dev/shm take memory that its size does not count; their number is limited."""
        fill = (
            "import os, time\nfor n in range(2000): os.close(os.open(f'/dev/shm/{n}', os.O_CREAT))\ntime.sleep(5)"
        )
        with sandbox(limits=SandboxLimits(files=300)) as box:
            assert box.exec(["python3", "-c", fill]).ended_by == "files"
            assert goes_on(box)


class TestMemory:
    @needs_python
    @as_root_and_as_user
    def test_a_process_has_a_most_size(self) -> None:
        """A process gets no more memory than the limit, neither for itself nor to share."""
        size = 200 * MEBIBYTE
        attempts = [
            f"len(bytearray({size}))",
            f"len(mmap.mmap(-1, {size}))",
            f"len(mmap.mmap(-1, {size}, flags=2))",
        ]
        with sandbox(limits=SandboxLimits(memory_bytes=100 * MEBIBYTE)) as box:
            assert set(tried(box, attempts).values()) <= {"MemoryError()", "ENOMEM"}
            fits = f"len(bytearray({20 * MEBIBYTE}))"
            assert tried(box, [fits])[fits] == f"done: {20 * MEBIBYTE}"

    @needs_python
    @as_root_and_as_user
    def test_processes_times_size_is_the_most(self) -> None:
        """As many processes as are allowed have each no more than its size, so that their product bounds all."""
        grow = "import time; held = bytearray(30 << 20); print(len(held), flush=True); time.sleep(1)"
        command = f"for i in {{1..30}}; do python3 -c '{grow}' 2>/dev/null & done; wait"
        with sandbox(limits=SandboxLimits(memory_bytes=100 * MEBIBYTE, processes=8, wall_s=5.0)) as box:
            assert 1 <= box.exec(command).text.count(str(30 << 20)) < 8
            assert goes_on(box)

    @needs_python
    @as_root_and_as_user
    def test_memory_that_no_process_has_is_refused(self) -> None:
        """Memory behind file descriptors and by System V's calls, which no limit counts, cannot be had."""
        attempts = ["os.memfd_create('x')", "libc.shmget(0, 1 << 20, 0o1600)", "libc.msgget(0, 0o1600)"]
        with sandbox() as box:
            assert set(tried(box, attempts).values()) <= {"EPERM", "ENOSYS", "done: -1"}
            assert says(box, "tail -n +2 /proc/sysvipc/shm /proc/sysvipc/msg | grep -c '^ *[0-9]'") == "0"

    @as_root_and_as_user
    def test_open_files_and_the_rest_have_a_most(self) -> None:
        """Open files, locked memory and queues are few, and a process that dies leaves no image of itself."""
        with sandbox(limits=SandboxLimits(processes=17, cpu_s=7)) as box:
            asked = says(box, "ulimit -Hc; ulimit -Hn; ulimit -Hl; ulimit -Hq; ulimit -Hu; ulimit -Ht")
            core, files, locked, queued, processes, cpu = map(int, asked.split())
            assert core == 0
            assert files <= 4096
            assert max(locked, queued >> 10) <= 1024
            assert (processes, cpu) == (17, 7)
            assert says(box, "i=0; while exec {f}</dev/null; do i=$((i+1)); done 2>/dev/null; echo $i").isdigit()


class TestProcesses:
    @as_root_and_as_user
    def test_a_fork_bomb_is_held(self) -> None:
        """A fork bomb has no more processes than the limit, and all are gone when its time is up."""
        seen = []
        with sandbox(limits=SandboxLimits(processes=12)) as box:
            stop = Stop()

            def explode() -> None:
                with pytest.raises(Stopped):
                    box.exec("b() { b | b & }; b; while :; do b; done 2>/dev/null", stop=stop)

            bomb = threading.Thread(target=explode)
            bomb.start()
            assert wait_until(lambda: len(living()) > 8, 10.0)
            for _ in range(10):
                seen.append(len(living()))
            stop.set()
            bomb.join()
            stop.close()
            assert living() == set()
            assert max(seen) <= 12 + 4  # two of bwrap, and what ended and began while we counted
            assert goes_on(box)

    @as_root_and_as_user
    def test_a_bomb_in_one_sandbox_leaves_others_theirs(self) -> None:
        """While one sandbox has all the processes that it may, another, and a new one, have theirs."""
        limits = SandboxLimits(processes=12, wall_s=5.0)
        with sandbox(limits=limits) as bombed, sandbox(limits=limits) as other:
            stop = Stop()
            held = "for i in {1..30}; do sleep 100 & done 2>/dev/null; wait"

            def bomb() -> None:
                with pytest.raises(Stopped):
                    bombed.exec(held, stop=stop)

            thread = threading.Thread(target=bomb)
            thread.start()
            while len(living()) < 12:
                time.sleep(0.005)
            assert says(other, "for i in 1 2 3 4 5; do sleep 0.01 & done; wait; echo on") == "on"
            with sandbox(limits=limits) as new:
                assert goes_on(new)
            stop.set()
            thread.join()
            stop.close()

    @as_root_and_as_user
    def test_the_users_other_processes_do_not_count(self) -> None:
        """What else runs on the host as the same user takes nothing of a sandbox's processes."""
        others = [subprocess.Popen(["/bin/sleep", "100"]) for _ in range(30)]
        try:
            with sandbox(limits=SandboxLimits(processes=12)) as box:
                assert says(box, "for i in 1 2 3 4 5; do sleep 0.01 & done; wait; echo on") == "on"
        finally:
            for process in others:
                process.kill()
                process.wait()

    @as_root_and_as_user
    def test_a_daemon_ends_with_its_command(self) -> None:
        """What was put into the background, in whichever way, does not hold its command up, and ends with it."""
        started = (
            "sleep 1000 &",
            "setsid nohup sleep 1000 >/dev/null 2>&1 & disown",
            "(trap '' TERM HUP INT; (setsid bash -c 'trap \"\" TERM HUP; while :; do sleep 1000; done' &) &) &",
        )
        with sandbox() as box:
            for command in started:
                done = box.exec(f"{command}\necho on")
                assert (done.text.strip(), done.exit_code) == ("on", 0)
                assert done.duration_s < 60
                assert living() == set()

    @as_root_and_as_user
    def test_what_does_not_end_is_ended(self) -> None:
        """Sleeping, spinning, stopping oneself and ignoring signals all end when the time is up."""
        endless = (
            "sleep 1000",
            "while :; do :; done",
            "kill -STOP $$",
            "trap '' TERM INT HUP QUIT; while :; do sleep 1000; done",
            "sleep 1000 | sleep 1000 & wait",
        )
        with sandbox() as box:
            for command in endless:
                done = box.exec(command, wall_s=0.4)
                assert (done.ended_by, done.is_timed_out, done.exit_code) == ("wall_s", True, 137)
                assert 0.4 <= done.duration_s < 60
                assert living() == set()
            assert goes_on(box)

    @as_root_and_as_user
    def test_killing_all_within_ends_the_command_alone(self) -> None:
        """A command that kills whatever it can is itself ended by it, and the next one works."""
        with sandbox() as box:
            assert box.exec("kill -9 1; kill -STOP 1; kill -9 -1; kill -9 $$").exit_code == 137
            assert goes_on(box)

    @as_root_and_as_user
    def test_processor_time_has_a_most(self) -> None:
        """A process that computes for longer than its share is ended by the kernel, long before the time is up."""
        with sandbox(limits=SandboxLimits(cpu_s=1, wall_s=20.0)) as box:
            done = box.exec("while :; do :; done")
            assert done.ended_by == ""
            assert done.exit_code in (128 + 9, 128 + 24)
            assert goes_on(box)


class TestOutput:
    @as_root_and_as_user
    def test_floods_are_cut(self) -> None:
        """Output beyond the limit ends its command, on either stream, with or without lines and text."""
        floods = (
            "yes",
            "yes | tr -d '\\n'",
            "cat /dev/zero",
            "cat /dev/urandom",
            "yes >&2",
            "yes & yes >&2",
        )
        with sandbox(limits=SandboxLimits(output_bytes=50_000, wall_s=5.0)) as box:
            for command in floods:
                for merges in (False, True):
                    done = box.exec(command, merges_stderr=merges)
                    assert (done.ended_by, done.exit_code) == ("output_bytes", 137), command
                    assert len(done.stdout) + len(done.stderr) == 50_000, command
            assert goes_on(box)

    @as_root_and_as_user
    def test_output_at_the_limit_is_whole(self) -> None:
        """Exactly as much as the limit is no flood; a byte more is."""
        with sandbox(limits=SandboxLimits(output_bytes=5000)) as box:
            done = box.exec("head -c 5000 /dev/zero")
            assert (len(done.stdout), done.ended_by, done.exit_code) == (5000, "", 0)
            assert box.exec("head -c 5001 /dev/zero; sleep 5").ended_by == "output_bytes"

    @as_root_and_as_user
    def test_huge_arguments_are_refused_plainly(self) -> None:
        """Arguments that no kernel takes are a mistake of the caller's, and the next command works."""
        with sandbox() as box:
            for command in (
                ["/bin/echo", *["x" * 1000] * 5000],
                ["/bin/echo", "x" * 200_000],
                "true " + "x" * 200_000,
            ):
                with pytest.raises((UsageError, SandboxError)):
                    box.exec(command)
            with pytest.raises((UsageError, SandboxError)):
                box.exec("true", environment={"NAME": "x" * 200_000})
            assert goes_on(box)


def test_the_users_number_is_free() -> None:
    """Nobody on the host has the number under which the tests act as a user."""
    assert f":{USER}:" not in Path("/etc/passwd").read_text(encoding="utf-8")
