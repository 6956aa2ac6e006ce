"""A sandbox's files on the host: what may be in them, and what is left of them."""

import ctypes
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sandboxes import IS_ROOT, apart, as_root_and_as_user, as_user, needs_root, needs_sandbox, sandbox, says

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox import Bind, Bubblewrap, Entry, SandboxSpec, Tree

_NEW_MOUNTS, _PRIVATE, _DETACHED = 0x20000, 1 << 18 | 1 << 14, 2


def refused(spec: SandboxSpec) -> str:
    """Why a sandbox is not made."""
    with pytest.raises(UsageError) as caught:
        Bubblewrap().create(spec)
    return str(caught.value)


@contextmanager
def small_disk() -> Iterator[Path]:
    """A temporary folder of half a mebibyte, for this process alone."""
    folder = Path(tempfile.gettempdir())
    libc = ctypes.CDLL(None)
    if libc.unshare(_NEW_MOUNTS) or libc.mount(b"none", b"/", None, _PRIVATE, None):
        pytest.skip("nothing can be mounted here")
    assert not libc.mount(b"none", bytes(folder), b"tmpfs", 0, b"size=512k,mode=711"), os.strerror(
        ctypes.get_errno()
    )
    yield folder
    assert not libc.umount2(bytes(folder), _DETACHED)


@contextmanager
def without_descriptors(spare: int = 0) -> Iterator[None]:
    """While this process may open few more files, or none."""
    taken: list[int] = []
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    with suppress(OSError):
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    for _ in range(spare):
        os.close(taken.pop())
    yield
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


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

    def test_a_bind_beneath_a_bind(self, tmp_path: Path) -> None:
        """Nothing is shown within what is shown, in whichever order; beside it it may be."""
        targets = ("/a", "/a/b/c")
        for binds in (targets, targets[::-1]):
            said = refused(SandboxSpec(binds=tuple(Bind(tmp_path, target) for target in binds)))
            assert "Bind: /a/b/c lies beneath /a, which is shown read-only; show it somewhere else." in said
        Bubblewrap().create(SandboxSpec(binds=(Bind(tmp_path, "/a/b"), Bind(tmp_path, "/a/c")))).close()

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


class TestHost:
    @needs_root
    def test_a_full_disk_is_no_fault_of_the_tree(self) -> None:
        """Where nothing more fits on the host it says so, and what to do; what is there goes on later."""

        def work() -> None:
            big = {"/file": "x" * 200_000}
            with small_disk() as folder, sandbox(big) as box:
                with (
                    box.fork(),
                    pytest.raises(EnvironmentLost, match=r"copied: cp: .*: No space left on device\.$"),
                ):
                    box.fork()
                box.exec("rm /file")
                with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
                    while file.write(b"x" * 4096):
                        pass
                with pytest.raises(SandboxUnavailable) as caught:
                    sandbox(big)
                assert str(caught.value) == (
                    f"Sandboxes are made in {folder}, where nothing can be now: No space left on device; "
                    "free some space there, or name another folder with TMPDIR."
                )
                with pytest.raises(EnvironmentLost, match="files cannot be made anew"):
                    box.reset()
                (folder / "filler").unlink()
                box.reset()
                assert says(box, "wc -c < /file") == "200000"

        apart(work)

    @needs_sandbox
    def test_a_closed_temporary_folder_is_no_fault_of_the_tree(self) -> None:
        """Where nobody may make anything that is said, and not that the tree is wrong."""

        def work() -> str:
            folder = Path(tempfile.gettempdir())
            folder.chmod(0o500)
            with pytest.raises(SandboxUnavailable) as caught:
                sandbox()
            folder.chmod(0o711)
            return str(caught.value)

        if not os.geteuid():
            assert "where nothing can be now: Permission denied; mend that, or name another" in as_user(work)

    @as_root_and_as_user
    def test_too_many_open_files_are_no_fault_of_the_tree(self) -> None:
        """Where this process may open no more files, no sandbox is to be had now."""
        with (
            without_descriptors(spare=1),
            pytest.raises(SandboxUnavailable, match="now: Too many open files"),
        ):
            sandbox({"/a/b": "x"})
        sandbox().close()  # which takes away what could not be then
        assert not list(Path(os.environ["TMPDIR"]).iterdir())
        tempfile.tempdir = None
        with without_descriptors(), pytest.raises(SandboxUnavailable, match="temporary folder, and there is none"):
            sandbox()

    @as_root_and_as_user
    def test_what_only_the_tree_can_mend(self) -> None:
        """What the host refuses of one file is the tree's fault, and told without a name where it has none."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
        assert refused(SandboxSpec(Tree.of({"/a": "x" * 9000}))) == (
            "The sandbox's tree cannot be made: File too large; change the tree."
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        long = f"/{'/'.join(['x' * 200] * 25)}/b"
        assert refused(SandboxSpec(Tree.of({long: ""}))).endswith(
            f"cannot be made: File name too long: {'x' * 200}; change the tree."
        )

    @as_root_and_as_user
    def test_a_folder_is_closed_when_all_in_it_is_made(self) -> None:
        """What is in a folder that its owner may not enter has its time, and the folder its mode and time."""
        tree = Tree((Entry("/a", "dir", 0, mtime_s=1e9), Entry("/a/b", mtime_s=1e9)))
        with Bubblewrap().create(SandboxSpec(tree)) as box:
            assert says(box, "stat -c '%a %Y' /a") == "0 1000000000"


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

    @as_root_and_as_user
    def test_it_takes_no_descriptor_a_level(self) -> None:
        """However deep folders are nested, this process opens none of them to take them away."""
        opened: list[str] = []
        sys.addaudithook(lambda event, _: opened.append(event) if event in ("open", "os.scandir") else None)
        box = sandbox({"/a" * 300: ""})
        opened.clear()
        box.folder.empty()  # type: ignore[attr-defined]  # it has one
        assert len(opened) < 100
        box.close()

    @as_root_and_as_user
    def test_closing_again_tries_again(self) -> None:
        """Where this process may open no more files closing says so, and closing again takes the files away."""
        box = sandbox({"/a/b": "x"})
        box.exec("true")
        with (
            without_descriptors(),
            pytest.raises(EnvironmentLost, match="taken away: Too many open files"),
        ):
            box.close()
        assert list(Path(os.environ["TMPDIR"]).iterdir())
        box.close()
        box.close()
        assert not list(Path(os.environ["TMPDIR"]).iterdir())
