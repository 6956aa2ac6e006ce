"""What a sandbox's files take on the host, and which of their limits that passes.

What runs within may change the files at any time. So a folder is opened by its name in the folder above it, never
through a link; on the way back up it must still be the one that it was; and only numbers are read.
"""

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, evolve, field, frozen

from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox.spec import EndedBy, SandboxLimits

_SPARE_FILES = 64  # what `rm` or a shell may need while there are too many
PAUSE_S = 0.03
"""How long commands may run between two looks at what they do with the disk, where looking is quick."""

_TRIES = 3
SHM = "/dev/shm"  # noqa: S108  # of the sandbox, and of a size
_OPEN = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@frozen
class Usage:
    """What files take.

    Attributes:
        files: Files, folders and links.
        size: Bytes on disk, with those of files that have no name any more and are still held open.
    """

    files: int
    size: int


@define(eq=False)
class Quota:
    """The limits of a sandbox's files.

    Attributes:
        root: The folder with the files.
        limits: The sandbox's.
    """

    root: Path
    limits: SandboxLimits
    _is_full: bool = False
    _looked_at: float = 0.0

    def look(self, processes: Sequence[int], limits: SandboxLimits) -> EndedBy:
        """Which limit is passed, if one.

        Args:
            processes: Those of the sandbox.
            limits: Those of the command that runs.
        """
        used = measure(self.root, processes, limits)
        used = evolve(used, files=used.files + _in_memory(processes))
        ended_by: EndedBy = "files" if used.files > limits.files else ""
        if used.size > limits.disk_bytes:
            ended_by = "disk_bytes"
        self._is_full = self._is_full or bool(ended_by)
        self._looked_at = time.monotonic()
        return ended_by

    def look_again(self, limits: SandboxLimits) -> None:
        """Looks after a command, where the last look is some time ago: many short ones are as one that is long."""
        if time.monotonic() - self._looked_at > PAUSE_S:
            self.look((), limits)

    def copied(self) -> SandboxLimits:
        """The limits of a copy of what is there now, which may be too much already."""
        used = measure(self.root, (), None)
        files = max(self.limits.files, used.files) + _SPARE_FILES
        return evolve(self.limits, files=files, disk_bytes=max(self.limits.disk_bytes, 2 * used.size))

    def now(self) -> SandboxLimits:
        """The limits of the next command; where files are over theirs, it may only take some away."""
        limits = self.limits
        if not self._is_full:
            return limits
        used = measure(self.root, (), None)
        self._is_full = used.files > limits.files or used.size > limits.disk_bytes
        if not self._is_full:
            return limits
        files = max(limits.files, used.files + _SPARE_FILES)
        size = max(limits.disk_bytes, used.size + _SPARE_FILES * 4096)
        return evolve(limits, file_bytes=1, files=files, disk_bytes=size)


def _in_memory(processes: Sequence[int]) -> int:
    """How many files are in the sandbox's /dev/shm, whose size does not count those without content."""
    with suppress(OSError, IndexError):
        found = os.statvfs(f"/proc/{processes[0]}/root{SHM}")
        return found.f_files - found.f_ffree
    return 0


def measure(root: Path, processes: Sequence[int], limits: SandboxLimits | None) -> Usage:
    """What the files beneath a folder take; it stops where that is more than the limits.

    Args:
        root: The folder.
        processes: Those whose open files without a name count, too.
        limits: When to stop; None for never.
    """
    for _ in range(_TRIES):
        walk = _Walk(limits)
        try:
            walk.through(root)
        except (_Moved, FileNotFoundError, PermissionError):
            continue
        except OSError as error:
            raise EnvironmentLost(f"A sandbox's files cannot be looked at: {error.strerror}.") from error
        size = walk.size + sum(_held(processes))
        return Usage(walk.files, size)
    # whoever moves or closes folders all the time is not looked at for ever
    return Usage(walk.files if limits is None else limits.files + 1, walk.size)


class _Moved(Exception):
    """A folder that was looked into is not where it was."""


@define(eq=False)
class _Level:
    """A folder that is looked into.

    Attributes:
        names: Those in it that are left.
        key: Which one it is.
        mode: What to give back to it; None where nothing was taken.
    """

    names: list[str]
    key: tuple[int, int]
    mode: int | None


@define(eq=False)
class _Walk:
    """One look at everything beneath a folder, however deep it is nested; only one folder is open at a time."""

    limits: SandboxLimits | None
    files: int = 0
    size: int = 0
    _at: int = -1
    _levels: list[_Level] = field(factory=list)
    _seen: set[int] = field(factory=set)

    def through(self, root: Path) -> None:
        """Looks at all.

        Raises:
            _Moved: A folder was moved meanwhile.
            PermissionError: A folder was closed meanwhile.
        """
        try:
            self._enter(root, None)
            while self._levels and not self._is_enough():
                names = self._levels[-1].names
                if names:
                    self._visit(names.pop())
                else:
                    self._leave()
        finally:
            while self._levels:
                self._give_back(self._levels.pop())
            if self._at >= 0:
                os.close(self._at)

    def _is_enough(self) -> bool:
        limits = self.limits
        return limits is not None and (self.files > limits.files or self.size > limits.disk_bytes)

    def _visit(self, name: str) -> None:
        try:
            found = os.stat(name, dir_fd=self._at, follow_symlinks=False)
            is_folder = stat.S_ISDIR(found.st_mode)
            if found.st_nlink > 1 and not is_folder:  # it has several names, and counts once
                if found.st_ino in self._seen:
                    return
                self._seen.add(found.st_ino)
            self.files += 1
            self.size += found.st_blocks * 512
            if is_folder:
                self._enter(name, self._at)
        except PermissionError:  # a folder that we have opened was closed meanwhile
            raise
        except OSError:  # gone, or another thing, meanwhile
            return

    def _enter(self, name: Path | str, above: int | None) -> None:
        mode = None
        try:
            descriptor = os.open(name, _OPEN, dir_fd=above)
        except PermissionError:
            descriptor, mode = _opened_up(name, above)
        found = os.fstat(descriptor)
        self._levels.append(_Level([], (found.st_dev, found.st_ino), mode))
        if self._at >= 0:
            os.close(self._at)
        self._at = descriptor
        self._levels[-1].names = os.listdir(descriptor)  # noqa: PTH208  # a Path is no descriptor

    def _leave(self) -> None:
        level = self._levels.pop()
        above = -1
        if self._levels:
            above = os.open("..", _OPEN, dir_fd=self._at)
        self._give_back(level)
        os.close(self._at)
        self._at = above
        if above >= 0:
            found = os.fstat(above)
            if (found.st_dev, found.st_ino) != self._levels[-1].key:
                raise _Moved

    def _give_back(self, level: _Level) -> None:
        found = os.fstat(self._at)
        if level.mode is not None and (found.st_dev, found.st_ino) == level.key:
            os.fchmod(self._at, level.mode)


def _opened_up(name: Path | str, above: int | None) -> tuple[int, int]:
    """Opens a folder of ours that is closed to us: who owns one may close it, and still fill it from within."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        itself = Path(f"/proc/self/fd/{handle}")
        itself.chmod(mode | 0o700)
        return os.open(itself, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), mode
    finally:
        os.close(handle)


def _held(processes: Sequence[int]) -> Iterator[int]:
    """Bytes of files that have no name any more, and that a process has open or mapped."""
    seen = set()
    for process in processes:
        with suppress(OSError):  # ended meanwhile
            for task in Path(f"/proc/{process}/task").iterdir():
                for entry in (task / "fd").iterdir():
                    found = entry.stat()
                    key = (found.st_dev, found.st_ino)
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and key not in seen:
                        seen.add(key)
                        yield found.st_blocks * 512
            mapped = Path(f"/proc/{process}/maps").read_text(encoding="utf-8", errors="replace")
            for line in mapped.splitlines():
                if line.endswith(" (deleted)"):
                    yield from _mapped(line, seen)


def _mapped(line: str, seen: set[tuple[int, int]]) -> Iterator[int]:
    """How much of a file without a name is mapped, as a line of `/proc/PID/maps` tells; own memory is none."""
    addresses, _, _, device, inode, path = line.split(maxsplit=5)
    major, minor = (int(part, 16) for part in device.split(":"))
    key = (os.makedev(major, minor), int(inode))
    if not path.startswith("/dev/") and key not in seen:
        begin, end = (int(part, 16) for part in addresses.split("-"))
        yield end - begin
