"""A sandbox's files on the host: what may be in them, and what is left of them."""

import os
import tempfile
from pathlib import Path

import pytest
from sandboxes import IS_ROOT, apart, as_root_and_as_user, as_user, needs_root, needs_sandbox, sandbox, says

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox import Bind, Bubblewrap, Entry, SandboxSpec, Tree


def refused(spec: SandboxSpec) -> str:
    """Why a sandbox is not made."""
    with pytest.raises(UsageError) as caught:
        Bubblewrap().create(spec)
    return str(caught.value)


@needs_sandbox
class TestWhatIsRefused:
    @pytest.mark.parametrize("path", ["/usr/bin/x", "/proc/x", "/dev/x", "/bin/sh", "/lib64/x", "/usr"])
    def test_what_is_the_sandboxes_own(self, path: str, tmp_path: Path) -> None:
        """Neither the tree nor a bind may lie where the sandbox has its own; the message says where it may."""
        assert "is the sandbox's own; put it somewhere else, such as /data" in refused(
            SandboxSpec(Tree.of({path: ""}))
        )
        assert f"{path} is the sandbox's own" in refused(SandboxSpec(binds=(Bind(tmp_path, path),)))

    def test_a_link_in_the_place_of_a_folder(self, tmp_path: Path) -> None:
        """The folders that every sandbox has are no links, and no bind leads through one."""
        link = Tree((Entry("/tmp", "link", target="/data"),))
        assert "/tmp is the sandbox's own" in refused(SandboxSpec(link))
        spec = SandboxSpec(Tree((Entry("/a", "link", target="/b"),)), binds=(Bind(tmp_path, "/a/c"),))
        assert "Bind: /a is a link in the tree" in refused(spec)

    def test_a_bind_at_the_root(self, tmp_path: Path) -> None:
        """Nothing is shown in the place of all."""
        assert "/ is the sandbox's own" in refused(SandboxSpec(binds=(Bind(tmp_path, "/"),)))

    def test_what_is_shown_of_the_hosts(self) -> None:
        """The few files of /etc that are the host's cannot be others."""
        assert "The tree has /etc/ld.so.cache" in refused(SandboxSpec(Tree.of({"/etc/ld.so.cache": ""})))

    def test_what_the_host_cannot_hold(self) -> None:
        """A path that is too long as a whole is refused, and nothing stays behind."""
        deep = "/" + "/".join(["a" * 200] * 25)
        assert "cannot be made: File name too long" in refused(SandboxSpec(Tree.of({deep: ""})))

    @needs_root
    def test_a_temporary_folder_that_only_root_may_pass(self) -> None:
        """Where the sandbox's user could not pass, the folder is named, and what to do."""

        def work() -> str:
            closed = Path(os.environ["TMPDIR"]) / "closed"
            closed.mkdir(mode=0o700)
            tempfile.tempdir = str(closed)
            with pytest.raises(SandboxUnavailable, match="only root may pass"):
                Bubblewrap().create(SandboxSpec())
            reason = Bubblewrap().probe().reason
            closed.rmdir()
            return reason

        assert "name another folder with TMPDIR" in apart(work)


class TestEtc:
    @as_root_and_as_user
    def test_the_tree_may_have_files_there(self) -> None:
        """Files of the tree in /etc are there, in place of ours where they have the same name, and read-only."""
        with sandbox({"/etc/passwd": "root:x:0:0::/:/bin/sh\n", "/etc/deep/app.conf": "a=1\n"}) as box:
            assert says(box, "cat /etc/passwd /etc/deep/app.conf") == "root:x:0:0::/:/bin/sh\na=1"
            assert "Read-only" in says(box, "echo x > /etc/deep/app.conf")
            box.reset()
            with box.fork() as other:
                assert says(other, "cat /etc/deep/app.conf") == "a=1"


class TestUmask:
    @as_root_and_as_user
    def test_no_umask_closes_a_sandbox(self) -> None:
        """A process that lets nobody read its files makes sandboxes all the same."""
        os.umask(0o077)
        with sandbox({"/a/b": "x"}) as box:
            assert says(box, "cat /a/b /etc/hostname; stat -c %a /a /a/b") == "xsandbox\n755\n644"


class TestRemoval:
    @needs_sandbox
    def test_what_cannot_be_taken_away_is_told(self) -> None:
        """Where somebody closed the temporary folder meanwhile, closing says what stays behind."""

        def work() -> str:
            box = sandbox()
            folder = Path(os.environ["TMPDIR"])
            folder.chmod(0o500)
            try:
                with pytest.raises(EnvironmentLost) as caught:
                    box.close()
            finally:
                folder.chmod(0o700)
                for each in folder.glob("tinysmith-*"):
                    each.rmdir()
            return str(caught.value)

        assert "cannot be taken away" in as_user(work)
        assert IS_ROOT or "Permission denied" in as_user(work)
