"""What files take, whatever is done to them meanwhile."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sandboxes import apart, as_root_and_as_user, names_in

from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox._usage import Quota, measure

_MOVING = """
import os, sys
os.chdir(sys.argv[1])
print(flush=True)
while True:
    os.rename("a/b", "c/b")
    os.rename("c/b", "a/b")
"""


class TestMeasure:
    def test_links_and_names_count_once(self, tmp_path: Path) -> None:
        """A file with two names counts once; a link counts as itself, and what it leads to does not."""
        (tmp_path / "file").write_bytes(b"x" * 100_000)
        (tmp_path / "name").hardlink_to(tmp_path / "file")
        (tmp_path / "link").symlink_to("/usr")
        used = measure(tmp_path, (), None)
        assert used.files == 2
        assert 100_000 <= used.size <= 110_000

    def test_it_stops_where_it_is_enough(self, tmp_path: Path) -> None:
        """Beyond a limit no more is counted."""
        for number in range(50):
            (tmp_path / str(number)).touch()
        assert measure(tmp_path, (), SandboxLimits(files=10)).files == 11

    def test_folders_that_move_are_not_looked_at_for_ever(self, tmp_path: Path) -> None:
        """Whoever moves a folder back and forth while it is looked at is over the limit at last, or is counted."""
        for name in ("a/b", "c"):
            (tmp_path / name).mkdir(parents=True)
        for number in range(300):
            (tmp_path / "a" / "b" / str(number)).mkdir()
        mover = subprocess.Popen([sys.executable, "-c", _MOVING, str(tmp_path)], stdout=subprocess.PIPE)
        try:
            assert mover.stdout is not None
            mover.stdout.readline()
            limits = SandboxLimits(files=1000)
            found = {measure(tmp_path, (), limits).files for _ in range(300)}
        finally:
            mover.kill()
            mover.communicate()
        assert 1001 in found

    @as_root_and_as_user
    def test_folders_that_are_closed_meanwhile_are_no_fault(self) -> None:
        """Whoever opens and closes a folder to himself and others is over the limit, or is counted."""
        with TemporaryDirectory() as name:
            for number in range(20):
                (Path(name) / str(number)).mkdir()
            closer = os.fork()
            while not closer:
                for mode in (0, 0o755):
                    Path(name).chmod(mode)
            try:
                found = {measure(Path(name), (), SandboxLimits(files=1000)).files for _ in range(300)}
            finally:
                os.kill(closer, signal.SIGKILL)
                os.waitpid(closer, 0)
                Path(name).chmod(0o755)
        assert found <= {20, 1001}

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
