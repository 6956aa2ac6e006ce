"""What files take, whatever is done to them meanwhile."""

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from sandboxes import apart, as_root_and_as_user, as_user, names_in

from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox import SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox._usage import Quota, measure
from tinysmith.sandbox.bubblewrap import BubblewrapSandbox

_MOVING = """
import os, sys
os.chdir(sys.argv[1])
print(flush=True)
while True:
    os.rename("a/b", "c/b")
    os.rename("c/b", "a/b")
"""


def made(files: dict[str, str | bytes]) -> BubblewrapSandbox:
    """A sandbox whose files can be looked at."""
    return BubblewrapSandbox(SandboxSpec(tree=Tree.of(files)))


@contextmanager
def repeating(work: Callable[[], object]) -> Iterator[None]:
    """Another process that does some work again and again."""
    child = os.fork()
    if not child:
        try:
            while True:
                work()
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the other process failed"


class TestMeasure:
    def test_each_name_counts_and_its_size_once(self, tmp_path: Path) -> None:
        """A file with two names is two files of one size; what a link leads to does not count."""
        (tmp_path / "file").write_bytes(b"x" * 100_000)
        (tmp_path / "name").hardlink_to(tmp_path / "file")
        (tmp_path / "link").symlink_to("/usr")
        used = measure(tmp_path, (), None)
        assert used.files == 3
        assert 100_000 <= used.size <= 110_000

    def test_it_stops_where_it_is_enough(self, tmp_path: Path) -> None:
        """Beyond a limit no more is counted."""
        for number in range(50):
            (tmp_path / str(number)).touch()
        assert measure(tmp_path, (), SandboxLimits(files=10)).files == 11

    def test_folders_that_move_are_not_looked_at_for_ever(self, tmp_path: Path) -> None:
        """Whoever moves a folder back and forth while it is looked at is over the limit at last."""
        for name in ("a/b", "c"):
            (tmp_path / name).mkdir(parents=True)
        for number in range(300):
            (tmp_path / "a" / "b" / str(number)).mkdir()
        mover = subprocess.Popen([sys.executable, "-c", _MOVING, str(tmp_path)], stdout=subprocess.PIPE)
        try:
            assert mover.stdout is not None
            mover.stdout.readline()
            limits = SandboxLimits(files=1000)
            assert any(measure(tmp_path, (), limits).files == 1001 for _ in range(2000))
        finally:
            mover.kill()
            mover.communicate()

    @as_root_and_as_user
    def test_a_folder_that_is_opened_and_closed_hides_nothing(self) -> None:
        """Whatever is closed while it is counted, all is counted."""
        with made({f"/tmp/a/{number}": "" for number in range(20)}) as box:
            count = partial(measure, box.folder.root, (), None, box.counting())
            most = count().files
            with box.open_session() as session:
                session.run("while :; do chmod 0 /tmp/a /tmp; chmod 755 /tmp /tmp/a; done &")
                assert {count().files for _ in range(50)} == {most}
            box.exec("chmod 0 /tmp/a /tmp /")
            assert count().files == most
            assert count().size > 0

    @as_root_and_as_user
    def test_what_a_command_sets_stays(self) -> None:
        """Looking into a folder that is closed changes nothing about it, at no moment."""
        with made({"/tmp/a/b": ""}) as box:
            folder = box.folder.root / "tmp" / "a"
            wrong = []
            with repeating(lambda: measure(folder, (), None, box.counting())):
                for mode in [0o700, 0, 0o750, 0] * 100:
                    folder.chmod(mode)
                    time.sleep(0.001)
                    found = stat.S_IMODE(folder.stat().st_mode)
                    wrong += [found] if found != mode else []
        assert wrong == []

    def test_what_nobody_may_read_is_passed_by_or_told(self) -> None:
        """Where nobody may read all, a closed folder is one file; where who may cannot, it is a fault."""

        def work() -> tuple[int, str]:
            folder = Path(tempfile.mkdtemp())
            (folder / "a" / "b").mkdir(parents=True)
            (folder / "a").chmod(0)
            with pytest.raises(EnvironmentLost) as caught:
                measure(folder, (), None, partial(subprocess.Popen, ["/bin/false"]))
            found = measure(folder, (), None).files
            folder.chmod(0)
            assert measure(folder, (), None).files == 0
            folder.chmod(0o700)
            (folder / "a").chmod(0o700)
            shutil.rmtree(folder)
            return found, str(caught.value)

        if os.geteuid():
            assert work()[0] == 1
        else:
            found, said = as_user(work)
            assert found == 1
            assert "closed to everybody" in said

    def test_without_file_descriptors_it_is_a_fault(self, tmp_path: Path) -> None:
        """Where this process may open no more files, nothing is taken for empty."""
        (tmp_path / "a" / "b").mkdir(parents=True)

        def work() -> list[str]:
            taken = []
            before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, names_in("/proc/self/fd"))) + 8, most))
            with suppress(OSError):
                while True:
                    taken.append(os.open(os.devnull, os.O_RDONLY))
            said = []
            for _ in range(2):
                try:
                    measure(tmp_path, (), None)
                except EnvironmentLost as error:
                    said.append(str(error))
                os.close(taken.pop())
            resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
            return said

        tmp_path.chmod(0o755)
        assert apart(work) == ["A sandbox's files cannot be looked at: Too many open files."] * 2


class TestQuota:
    def test_there_is_room_again_when_enough_is_gone(self, tmp_path: Path) -> None:
        """Over its limits files may only be taken away; then all is as it was."""
        limits = SandboxLimits(files=5)
        quota = Quota(tmp_path, limits)
        assert (quota.look((), limits), quota.now()) == ("", limits)
        for number in range(6):
            (tmp_path / str(number)).touch()
        assert quota.look((), limits) == "files"
        assert (quota.now().file_bytes, quota.now().files) == (1, 70)
        (tmp_path / "0").unlink()
        assert quota.now() == limits

    @pytest.mark.parametrize("processes", [(), (1 << 30,)])
    def test_processes_that_are_gone_hold_nothing(self, tmp_path: Path, processes: tuple[int, ...]) -> None:
        """Numbers of processes that have ended meanwhile are no error."""
        assert measure(tmp_path, processes, None).size == 0
        assert Quota(tmp_path, SandboxLimits()).look(processes, SandboxLimits()) == ""
