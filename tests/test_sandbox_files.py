"""What a hostile tree of files does to who reads, writes, copies and takes it away on the host."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sandboxes import as_root_and_as_user, names_in, needs_sandbox, sandbox, says
from system_calls import needs_python

from tinysmith.errors import EnvironmentLost, SandboxError, UsageError
from tinysmith.sandbox import Bind, Entry, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox.bubblewrap import Bubblewrap

SECRET = "planted-secret-0123456789"


@contextmanager
def host_folder() -> Iterator[Path]:
    """A folder of the host that everybody may write to, with a secret; nothing of it may change."""
    folder = Path(tempfile.gettempdir()) / "host"
    folder.mkdir()
    folder.chmod(0o777)
    secret = folder / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    secret.chmod(0o666)
    before = (folder.stat(), secret.stat())
    yield folder
    assert names_in(folder) == ["secret"]
    after = (folder.stat(), secret.stat())
    assert [(s.st_mode, s.st_uid, s.st_mtime_ns, s.st_nlink, s.st_size) for s in after] == [
        (s.st_mode, s.st_uid, s.st_mtime_ns, s.st_nlink, s.st_size) for s in before
    ]
    assert secret.read_text(encoding="utf-8") == SECRET
    secret.unlink()
    folder.rmdir()


class TestLinks:
    @as_root_and_as_user
    def test_a_link_leads_nowhere_on_the_host(self) -> None:
        """A link to a host's file is read and written as within the sandbox, where it leads to nothing."""
        with host_folder() as host, sandbox() as box:
            for target in (host, f"../../../../../..{host}", f"/proc/1/root{host}", f"/oldroot{host}"):
                says(box, f"rm -f /tmp/link /tmp/file; ln -s {target} /tmp/link; ln -s {target}/secret /tmp/file")
                for path in ("/tmp/link/secret", "/tmp/file"):
                    with pytest.raises(SandboxError):
                        box.read_file(path)
                with pytest.raises(SandboxError):
                    box.write_file("/tmp/link/new", b"x")
                box.write_file("/tmp/file", b"replaces the link")
                assert box.read_file("/tmp/file") == b"replaces the link"

    @as_root_and_as_user
    def test_a_link_of_the_tree_is_made_and_not_followed(self) -> None:
        """A tree's link to a host's folder is a link; what the tree puts beside it lands in the sandbox."""
        with host_folder() as host:
            tree = Tree((Entry("/home/out", "link", target=str(host)), Entry("/tmp/a", data=b"a")))
            with Bubblewrap().create(SandboxSpec(tree=tree)) as box:
                assert says(box, "readlink /home/out; ls -A /home") == f"{host}\nout"
                assert says(box, "cat /home/out/secret; ls /home/out/").count("No such file") == 2
                box.reset()
                box.fork().close()

    @as_root_and_as_user
    def test_a_folder_that_becomes_a_link_takes_nothing_along(self) -> None:
        """Folders swapped for links to the host's: copying, resetting and closing leave the host's as they are."""
        swap = (
            "chmod 777 / /home; rm -rf /home /var/tmp /root; ln -s {0} /home; ln -s {0} /root; ln -s {0} /var/tmp"
        )
        with host_folder() as host, sandbox({"/home/note.txt": "note"}) as box:
            assert box.exec(swap.format(host)).exit_code == 0
            with box.fork() as copy:
                assert says(copy, "readlink /home; cat /home/secret 2>&1 | wc -l").split() == [str(host), "1"]
                copy.reset()
                assert copy.read_file("/home/note.txt") == b"note"
            box.reset()
            assert says(box, "ls -A /home /root /var/tmp; cat /home/note.txt").split()[:2] == [
                "/home:",
                "note.txt",
            ]
            box.exec(swap.format(host))

    @as_root_and_as_user
    def test_the_places_of_mounts_cannot_be_moved_to_the_host(self) -> None:
        """What a command puts where something is mounted leads the next command's mounts nowhere else."""
        with host_folder() as host, tempfile.TemporaryDirectory() as shown:
            (Path(shown) / "given").write_text("given", encoding="utf-8")
            Path(shown).chmod(0o755)
            binds = (Bind(Path(shown), "/data/deep/in"), Bind(Path(shown) / "given", "/data/file"))
            with Bubblewrap().create(SandboxSpec(binds=binds)) as box:
                assert says(box, "cat /data/deep/in/given /data/file") == "givengiven"
                # bwrap has the host at /oldroot while it makes its mounts
                targets = (f"/oldroot{host}", f"/newroot{host}")
                tries = [(place, target) for place in ("/data", "/data/deep", "/data/file") for target in targets]
                tries += [(place, f"/oldroot{host}") for place in ("/etc", "/dev/shm", "/tmp")]
                for place, target in tries:
                    box.exec(f"mv {place} /moved; ln -s {target} {place}")
                    with suppress(EnvironmentLost):  # refusing is as good
                        assert "secret" not in says(
                            box, "cat /data/deep/in/given; ls -A /data /data/deep /etc /tmp"
                        )
                    box.reset()
                assert says(box, "cat /data/deep/in/given /data/file") == "givengiven"

    @as_root_and_as_user
    def test_swapping_while_it_is_copied_gives_nothing_away(self) -> None:
        """A folder that is swapped for a link to the host's all the time is copied as one or the other."""
        swapping = "cd /home; mkdir -p a; echo x > a/secret; while :; do mv a b; ln -s {0} a; rm a; mv b a; done &"
        with (
            host_folder() as host,
            sandbox(limits=SandboxLimits(wall_s=5.0)) as box,
            box.open_session() as session,
        ):
            session.run(swapping.format(host))
            for _ in range(5):
                try:
                    copy = box.fork()
                except SandboxError:
                    continue  # what changes while it is read may be refused
                with copy:
                    assert says(copy, f"grep -rs {SECRET} /home; true") == ""

    @as_root_and_as_user
    def test_hard_links_reach_no_further(self) -> None:
        """Hard links within are fine and are copied as files; none can be made to what the host shows."""
        with sandbox({"/tmp/a": "x" * 5000}) as box:
            assert says(box, "for i in 1 2 3; do ln /tmp/a /tmp/b$i; done; stat -c %h /tmp/a") == "4"
            assert box.exec("ln /usr/bin/su /tmp/su || ln /etc/passwd /tmp/su").exit_code == 1
            with box.fork() as copy:
                copy.write_file("/tmp/a", b"changed")
                assert box.read_file("/tmp/a") == b"x" * 5000
                copy.exec("echo more >> /tmp/b1")
                assert box.read_file("/tmp/b1") == b"x" * 5000


class TestOddFiles:
    @as_root_and_as_user
    def test_reading_what_is_no_file_is_bounded(self) -> None:
        """FIFOs, folders, devices, loops and what does not end or exist are refused within the time limit."""
        with sandbox(limits=SandboxLimits(wall_s=2.0, output_bytes=100_000)) as box:
            says(box, "mkfifo /tmp/fifo; ln -s loop /tmp/loop; ln -s /dev/zero /tmp/zero; mkdir /tmp/folder")
            for path in ("fifo", "loop", "zero", "folder", "missing", "fifo/x"):
                with pytest.raises(SandboxError, match=f"^/tmp/{path} "):
                    box.read_file(f"/tmp/{path}")
            for path in ("folder", "missing/x", "loop/x"):
                with pytest.raises(SandboxError, match=f"^/tmp/{path} "):
                    box.write_file(f"/tmp/{path}", b"x")
            for path in ("fifo", "loop", "zero"):
                box.write_file(f"/tmp/{path}", b"x")
                assert box.read_file(f"/tmp/{path}") == b"x"

    @needs_sandbox
    def test_text_is_no_data(self) -> None:
        """Who writes a text instead of bytes is told in one sentence."""
        with (
            sandbox() as box,
            pytest.raises(UsageError, match="/tmp/a cannot be written: this is str; give"),
        ):
            box.write_file("/tmp/a", "text")  # type: ignore[arg-type]  # the mistake that is meant

    @as_root_and_as_user
    def test_odd_names_are_copied_and_taken_away(self) -> None:
        """Names with newlines, dashes and bytes that are no text are copied, reset and closed like others."""
        script = r"""cd /home; printf x > $'new\nline'; printf x > $'\xff\xfe'; printf x > '-rf'; printf x > ' '
            printf x > '*'; mkdir -- '--help'; printf x > "$(printf 'n%.0s' {1..255})"; mkfifo fifo
            ln -s dangling link; ln -s loop loop; python3 -c 'import socket; socket.socket(1).bind("socket")'"""
        listing = "ls -A --quoting-style=c /home | grep -v -e fifo -e socket | sort"
        with sandbox() as box:
            box.exec(script)
            assert box.read_file("/home/new\nline") == b"x"
            assert box.read_file("/home/-rf") == b"x"
            names = says(box, listing)
            assert len(names.splitlines()) == 9
            with box.fork() as copy:
                assert says(copy, listing) == names
            box.reset()
            assert says(box, "ls -A /home") == ""
            box.exec(script)

    @as_root_and_as_user
    def test_closed_folders_are_copied_and_taken_away(self) -> None:
        """Files and folders that their owner may not even read are copied, reset and closed like others."""
        closed = (
            "mkdir -p /home/a/b; echo x > /home/a/b/c; chmod 000 /home/a/b/c /home/a/b /home/a; chmod 000 /home"
        )
        opened = "chmod 755 /home /home/a /home/a/b; chmod 644 /home/a/b/c; cat /home/a/b/c"
        with sandbox() as box:
            box.exec(closed)
            with box.fork() as copy:
                assert says(copy, "stat -c %a /home") == "0"
                assert says(copy, opened) == "x"
            assert says(box, opened) == "x"
            box.exec(closed)
            box.reset()
            assert says(box, "stat -c %a /home; ls -A /home") == "755"
            box.exec(closed)

    @as_root_and_as_user
    def test_a_closed_root_does_not_lock_the_host_out(self) -> None:
        """A root folder without permissions can be reset and closed."""
        with sandbox() as box:
            box.exec("chmod 000 /tmp / ")
            box.reset()
            assert says(box, "echo on") == "on"
            box.exec("chmod 000 /")

    @needs_python
    @as_root_and_as_user
    def test_very_deep_folders_are_taken_away(self) -> None:
        """Folders nested deeper than any path can be long are reset and closed, and stop no command."""
        # not in bash, which is slow where paths are long
        program = (
            "import os\nos.chdir('/tmp')\nfor i in range(400): os.mkdir('deep-folder'); os.chdir('deep-folder')"
        )
        deep = ["python3", "-c", program]
        with sandbox(limits=SandboxLimits(wall_s=5.0)) as box:
            box.exec(deep)
            assert says(box, "rm -rf /tmp/*; echo on") == "on"
            box.exec(deep)
            box.reset()
            assert says(box, "ls -A /tmp; echo on") == "on"

    @as_root_and_as_user
    def test_all_that_was_taken_away_comes_back(self) -> None:
        """Where a command took all away that it can, programs still run, and a reset brings the rest back."""
        with sandbox({"/home/note.txt": "note"}) as box:
            assert (
                box.exec("rm -rf /home /root /tmp /var /run; rm /bin/sh /usr/bin/env /etc/passwd").exit_code == 1
            )
            assert says(box, ["ls", "-d", "/home", "/bin/sh", "/usr/bin/env", "/etc/passwd"]).count("No such") == 1
            box.reset()
            assert says(box, "cat /home/note.txt; ls -d /tmp /root") == "note/root\n/tmp"

    @as_root_and_as_user
    def test_a_file_with_holes_stays_small_in_a_copy(self) -> None:
        """A copy of files that are mostly holes takes no more of the disk than they do."""
        limits = SandboxLimits(disk_bytes=4 << 20, file_bytes=64 << 20)
        with Bubblewrap().create(SandboxSpec(limits=limits)) as box:
            box.exec("for i in 1 2 3 4; do truncate -s 60M /tmp/$i; done")
            with box.fork() as copy:
                assert int(says(copy, "du -s -B 1 /tmp").split()[0]) < 4 << 20
