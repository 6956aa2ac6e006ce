"""What a command could find of the host: its secrets, files, terminal, and other sandboxes."""

import fcntl
import os
import pty
import signal
import sys
import tempfile
import termios
from pathlib import Path

from sandboxes import USER, apart, as_root_and_as_user, names_in, needs_root, needs_sandbox, sandbox, says
from system_calls import REFUSED, needs_python, not_refused, tried

from tinysmith.sandbox import Bind, SandboxSpec
from tinysmith.sandbox.bubblewrap import Bubblewrap

SECRET = "planted-secret-0123456789"
OWN_FOLDERS = "bin dev etc home lib lib64 proc root run sbin tmp usr var"
OWN_DEVICES = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero"
OWN_ETC = "alternatives group hostname hosts ld.so.cache ld.so.conf ld.so.conf.d localtime nsswitch.conf passwd"


class TestSecrets:
    @as_root_and_as_user
    def test_no_process_shows_the_hosts_environment(self) -> None:
        """A key in the environment of who runs the sandbox is in no process's environment or arguments within."""
        os.environ["PLANTED_KEY"] = SECRET
        with sandbox() as box, box.open_session() as session:
            for shown in (
                says(box, "cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ /proc/[0-9]*/cmdline; env; set"),
                session.run("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; env; set; declare -p").text,
            ):
                assert "LANG=C.UTF-8" in shown
                assert "PLANTED_KEY" not in shown
                assert SECRET not in shown

    @as_root_and_as_user
    def test_the_first_process_tells_nothing(self) -> None:
        """Of the first process nothing is shown, and no command line names a place of the host's."""
        with sandbox() as box:
            assert says(box, "ls -A /proc/1") == ""
            assert "Read-only" in says(box, "mkdir /proc/1/task")
            shown = says(box, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls -l /proc/[0-9]*/cwd /proc/[0-9]*/root")
            assert "/proc/[0-9]*/cmdline" in shown
            for place in (tempfile.gettempdir(), sys.prefix, os.fspath(Path.cwd()), "tinysmith"):
                assert place not in shown

    @as_root_and_as_user
    def test_an_open_file_of_the_host_is_not_inherited(self) -> None:
        """A file that the host's process leaves open for its children is not open within."""
        place = Path(tempfile.gettempdir()) / "open"
        place.write_text(SECRET, encoding="utf-8")
        with place.open() as file, sandbox() as box, box.open_session() as session:
            os.set_inheritable(file.fileno(), True)
            listing = "for f in /proc/self/fd/*; do readlink $f; done; ls /proc/$$/fd"
            for shown in (says(box, listing), says(box, ["ls", "-l", "/proc/self/fd"]), session.run(listing).text):
                assert str(place) not in shown
            # `ls` itself opens the folder that it lists, which is the fourth
            assert says(box, ["ls", "/proc/self/fd"]).split() == ["0", "1", "2", "3"]
        place.unlink()


class TestHostFiles:
    @as_root_and_as_user
    def test_the_root_has_nothing_of_the_hosts(self) -> None:
        """The folders of the root, of /dev and of /etc are those that are written down, and no others."""
        with sandbox() as box:
            assert says(box, "ls -A /") == says(box, "ls -A /..")
            assert set(says(box, "ls -A /").split()) <= set(OWN_FOLDERS.split())
            assert set(says(box, "ls -A /dev").split()) <= set(OWN_DEVICES.split())
            assert set(says(box, "ls -A /etc").split()) <= set(OWN_ETC.split())
            assert says(box, "ls -A /home /root /tmp /var/tmp /run").split() == [
                "/home:",
                "/root:",
                "/run:",
                "/tmp:",
                "/var/tmp:",
            ]
            assert "shadow" not in says(box, "cat /etc/passwd /etc/group; ls /etc")

    @as_root_and_as_user
    def test_no_way_leads_to_a_host_file(self) -> None:
        """A host's file is at no path, from whichever start; nor are /etc/shadow and the project."""
        planted = Path(tempfile.gettempdir()) / "planted"
        planted.write_text(SECRET, encoding="utf-8")
        wanted = [
            planted,
            Path("/etc/shadow"),
            Path(__file__),
            Path(sys.prefix) / "pyvenv.cfg",
            Path("/root/.bashrc"),
        ]
        starts = ("", "/..", "/proc/1/root", "/proc/self/root", "/proc/1/cwd", "/proc/self/cwd/../..", "/oldroot")
        with sandbox() as box:
            for path in wanted:
                tries = " ".join(f"'{start}{path}'" for start in starts)
                assert says(box, f"for f in {tries}; do test -e $f && echo $f; done; true") == ""
        planted.unlink()

    @as_root_and_as_user
    def test_what_is_shown_cannot_be_written(self) -> None:
        """/usr, /etc, /dev, and what a bind shows, take no change, not even of a time or an owner."""
        shown = Path(tempfile.gettempdir()) / "shown"
        shown.mkdir()
        (shown / "file").write_text("as it was", encoding="utf-8")
        (shown / "file").chmod(0o666)
        shown.chmod(0o777)
        before = (shown / "file").stat()
        with Bubblewrap().create(SandboxSpec(binds=(Bind(shown, "/shown"),))) as box:
            assert says(box, "cat /shown/file") == "as it was"
            for folder in ("/usr", "/usr/bin", "/etc", "/dev", "/shown", "/sys", "/proc", "/lib64", "/lib"):
                assert box.exec(["touch", f"{folder}/new"]).exit_code == 1, folder
            for change in ("echo more >>", "truncate -s 0", "touch", "chmod 777", "rm -f", "mv -t /tmp"):
                for file in ("/shown/file", "/etc/passwd", "/usr/bin/env"):
                    assert box.exec(f"{change} {file}").exit_code == 1, (change, file)
            assert says(box, "echo evil > /etc/ld.so.preload; echo $?").endswith("1")
            assert says(box, "ln /usr/bin/env /tmp/env; ln /shown/file /tmp/file; echo $?").endswith("1")
        assert (shown / "file").stat() == before
        assert names_in(shown) == ["file"]
        (shown / "file").unlink()
        shown.rmdir()

    @as_root_and_as_user
    def test_the_kernels_files_cannot_be_written(self) -> None:
        """No file of /proc changes the machine, and no other door to the kernel is mounted."""
        files = (
            "sys/kernel/core_pattern sys/kernel/modprobe sys/kernel/hotplug sys/vm/drop_caches sys/fs/file-max "
            "sys/kernel/hostname sys/user/max_user_namespaces sysrq-trigger self/uid_map self/gid_map"
        )
        with sandbox() as box:
            for file in files.split():
                write = f"test -e /proc/{file} && echo 1 2>/dev/null > /proc/{file} && echo written; true"
                assert "written" not in says(box, write), file
            assert says(box, "head -c 1 /proc/kcore /proc/kmsg 2>/dev/null | wc -c") == "0"
            assert says(box, "ls /sys 2>/dev/null; grep -E ' /(sys|boot)' /proc/mounts; true") == ""

    @needs_root
    @needs_sandbox
    def test_another_user_of_the_host_cannot_enter_its_files(self) -> None:
        """Where root's sandbox keeps its files no other user gets in; a setuid file there helps nobody."""

        def listed() -> list[str]:
            with sandbox({"/home/note.txt": SECRET}) as box:
                assert says(
                    box, "cp /usr/bin/env /tmp/env; chmod 4777 /tmp /tmp/env; chmod 777 /; stat -c %a /tmp/env"
                )
                (place,) = Path(tempfile.gettempdir()).iterdir()
                place.parent.chmod(0o755)

                def look() -> list[str]:
                    try:
                        return names_in(place)
                    except PermissionError:
                        return ["refused"]

                return apart(look, uid=USER, is_tidy=False)

        assert apart(listed) == ["refused"]


class TestUsers:
    @as_root_and_as_user
    def test_a_setuid_program_gives_nothing(self) -> None:
        """Programs that make others root on the host do nothing, nor does one made so within."""
        with sandbox() as box:
            made = "cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id; /tmp/id -u; grep NoNewPrivs /proc/self/status"
            assert says(box, made).split() == ["0", "NoNewPrivs:", "1"]
            for program in (
                "su nobody -s /usr/bin/id",
                "mount -t tmpfs none /tmp",
                "umount /proc",
                "newgrp nogroup",
            ):
                assert box.exec(f"{program} < /dev/null").exit_code, program

    @needs_python
    @as_root_and_as_user
    def test_nobody_else_can_be_had(self) -> None:
        """A command can become no other user or group, nor give a file to one."""
        attempts = ["os.setuid(1)", "os.setgid(1)", "os.setgroups([1])", "os.chown('/tmp', 1, 1)"]
        with sandbox() as box:
            assert set(tried(box, attempts).values()) <= {"EINVAL", *REFUSED}


class TestTerminal:
    @needs_python
    @as_root_and_as_user
    def test_the_terminal_of_who_runs_it_is_out_of_reach(self) -> None:
        """A command can neither open the terminal from which its sandbox was started nor type into one."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which comes when the terminal goes
        master, slave = pty.openpty()
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        os.close(os.open("/dev/tty", os.O_RDWR))
        typed = "__import__('fcntl').ioctl(os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY), 0x5412, b'x')"
        with sandbox() as box:
            opened = "os.open('/dev/tty', os.O_RDWR)"
            assert tried(box, [opened])[opened] == "ENXIO"
            assert not_refused(box, [typed]) == {}
        os.close(master)


class TestOtherSandboxes:
    @as_root_and_as_user
    def test_two_sandboxes_share_nothing(self) -> None:
        """Neither files, processes, sockets, nor shared memory of another sandbox are to be seen or reached."""
        with sandbox({"/home/note.txt": SECRET}) as one, sandbox() as other, one.open_session() as session:
            session.run("sleep 1000 & echo x > /dev/shm/left; echo x > /tmp/left")
            shown = says(other, "ls -A /home /tmp /dev/shm; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
            assert "sleep" not in shown
            assert "note.txt" not in shown
            assert "left" not in shown
            other.exec("kill -9 -1")
            assert session.run("kill -0 $! && cat /home/note.txt").text == SECRET
            assert session.run("kill -0 $! && echo there").text.split() == ["there"]

    @as_root_and_as_user
    def test_nothing_stays_between_commands_but_files(self) -> None:
        """A process or shared memory of one command is not there for the next; a file in /tmp is."""
        with sandbox() as box:
            box.exec("sleep 1000 & echo x > /dev/shm/left; echo x > /tmp/left")
            assert says(box, "ls -A /dev/shm /tmp; ls /proc | grep -c '^[0-9]'").split()[:3] == [
                "/dev/shm:",
                "/tmp:",
                "left",
            ]
            assert "sleep" not in says(box, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
