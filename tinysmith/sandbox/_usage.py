"""What a sandbox's files take on the host, and which of their limits that passes.

What runs within may change the files at any time. So a folder is opened by its name in the folder above it, never
through a link; on the way back up it must still be the one that it was; and only numbers are read. A command may
close a folder to us as well, and still fill it. It is not opened up for a look, which could undo what a command
sets at that moment: somebody else looks, who may read all.
"""

import os
import stat
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from attrs import define, evolve, field, frozen

from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox._held import held
from tinysmith.sandbox.spec import EndedBy, SandboxLimits

_SPARE_FILES = 64  # what `rm` or a shell may need while there are too many
PAUSE_S = 0.03
"""How long commands may run between two looks at what they do with the disk, where looking is quick."""

_TRIES = 3
SHM = "/dev/shm"  # noqa: S108  # of the sandbox, and of a size
COUNT = ("/usr/bin/find", "-printf", "%n %y %i %b\\n")
"""What tells, of a folder and each file in it, how many names it has, what it is, which one, and its blocks."""

_OPEN = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class Count(Protocol):
    """What begins `COUNT` as somebody who may read all."""

    def __call__(self, **streams: Any) -> "subprocess.Popen[bytes]":
        """Begins it.

        Args:
            **streams: stdin, stdout and stderr as for `subprocess.Popen`.
        """
        ...


@frozen
class Usage:
    """What files take.

    Attributes:
        files: Names of files, folders and links; a file may have several.
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
        count: Begins `COUNT` as somebody who may read all; None where nobody may.
    """

    root: Path
    limits: SandboxLimits
    count: Count | None = None
    _is_full: bool = False
    _looked_at: float = 0.0

    def look(self, processes: Sequence[int], limits: SandboxLimits) -> EndedBy:
        """Which limit is passed, if one.

        Args:
            processes: Those of the sandbox.
            limits: Those of the command that runs.
        """
        used = self._used(processes, limits)
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
        used = self._used((), None)
        files = max(self.limits.files, used.files) + _SPARE_FILES
        return evolve(self.limits, files=files, disk_bytes=max(self.limits.disk_bytes, 2 * used.size))

    def now(self) -> SandboxLimits:
        """The limits of the next command; where files are over theirs, it may only take some away."""
        limits = self.limits
        if not self._is_full:
            return limits
        used = self._used((), None)
        self._is_full = used.files > limits.files or used.size > limits.disk_bytes
        if not self._is_full:
            return limits
        files = max(limits.files, used.files + _SPARE_FILES)
        size = max(limits.disk_bytes, used.size + _SPARE_FILES * 4096)
        return evolve(limits, file_bytes=1, files=files, disk_bytes=size)

    def _used(self, processes: Sequence[int], limits: SandboxLimits | None) -> Usage:
        return measure(self.root, processes, limits, self.count)


def _in_memory(processes: Sequence[int]) -> int:
    """How many files are in the sandbox's /dev/shm, whose size does not count those without content."""
    with suppress(OSError, IndexError):
        found = os.statvfs(f"/proc/{processes[0]}/root{SHM}")
        return found.f_files - found.f_ffree
    return 0


def measure(
    root: Path, processes: Sequence[int], limits: SandboxLimits | None, count: Count | None = None
) -> Usage:
    """What the files beneath a folder take; it stops where that is more than the limits.

    Args:
        root: The folder.
        processes: Those whose open files without a name count, too.
        limits: When to stop; None for never.
        count: Begins `COUNT` as somebody who may read all; without it, what is closed to us is not looked into.
    """
    for _ in range(_TRIES):
        total = _Total(limits)
        try:
            _Walk(total, is_all=count is not None).through(root)
        except (_Moved, FileNotFoundError):
            continue
        except PermissionError:
            if count is not None:
                total = _counted(count, limits)
        except OSError as error:
            raise EnvironmentLost(f"A sandbox's files cannot be looked at: {error.strerror}.") from error
        return Usage(total.files, total.size + held(processes))
    # whoever moves folders all the time is not looked at for ever
    return Usage(total.files if limits is None else limits.files + 1, total.size)


def _counted(count: Count, limits: SandboxLimits | None) -> "_Total":
    """What somebody else finds."""
    total = _Total(limits)
    with count(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        lines = iter(process.stdout or ())
        try:
            if not next(lines, b""):  # of the folder itself
                raise EnvironmentLost("A sandbox's files cannot be looked at: they are closed to everybody.")
            for line in lines:
                names, kind, inode, blocks = line.split()
                total.add(int(names), int(inode), int(blocks), is_folder=kind == b"d")
                if total.is_enough:
                    break
        finally:
            process.kill()
    return total


class _Moved(Exception):
    """A folder that was looked into is not where it was."""


@define
class _Total:
    """What was counted so far; a file with several names is so many files, of the size of one.

    Attributes:
        limits: What is enough; None for nothing.
        files: As in `Usage`.
        size: As in `Usage`.
    """

    limits: SandboxLimits | None
    files: int = 0
    size: int = 0
    _seen: set[int] = field(factory=set)

    @property
    def is_enough(self) -> bool:
        """Whether that is more than the limits."""
        limits = self.limits
        return limits is not None and (self.files > limits.files or self.size > limits.disk_bytes)

    def add(self, names: int, inode: int, blocks: int, *, is_folder: bool) -> None:
        """Counts one."""
        self.files += 1
        if names > 1 and not is_folder:
            if inode in self._seen:
                return
            self._seen.add(inode)
        self.size += blocks * 512


@define(eq=False)
class _Walk:
    """One look at everything beneath a folder, however deep it is nested; only one folder is open at a time.

    Attributes:
        total: What it adds to.
        is_all: Whether a folder that is closed to us is a PermissionError, and not passed by.
    """

    total: _Total
    is_all: bool
    _at: int = -1
    _names: list[list[str]] = field(factory=list)  # that are left, of the folder where it is and of all above
    _keys: list[tuple[int, int]] = field(factory=list)  # which folders these are

    def through(self, root: Path) -> None:
        """Looks at all.

        Raises:
            _Moved: A folder was moved meanwhile.
            PermissionError: A folder is closed to us.
        """
        try:
            self._enter(root, None)
            while self._keys and not self.total.is_enough:
                if self._names[-1]:
                    self._visit(self._names[-1].pop())
                else:
                    self._leave()
        finally:
            if self._at >= 0:
                os.close(self._at)

    def _visit(self, name: str) -> None:
        try:
            found = os.stat(name, dir_fd=self._at, follow_symlinks=False)
            is_folder = stat.S_ISDIR(found.st_mode)
            self.total.add(found.st_nlink, found.st_ino, found.st_blocks, is_folder=is_folder)
            if is_folder:
                self._enter(name, self._at)
        except PermissionError:
            if self.is_all:
                raise
        except OSError:  # gone, or another thing, meanwhile
            return

    def _enter(self, name: Path | str, above: int | None) -> None:
        descriptor = os.open(name, _OPEN, dir_fd=above)
        try:
            found = os.fstat(descriptor)
            names = os.listdir(descriptor)  # noqa: PTH208  # a Path is no descriptor
        except BaseException:  # such as that it was taken away meanwhile: we stay where we are
            os.close(descriptor)
            raise
        self._move(descriptor)
        self._keys.append((found.st_dev, found.st_ino))
        self._names.append(names)

    def _move(self, to: int) -> None:
        """Closes the folder where it was; an interruption never lets it close it twice."""
        was, self._at = self._at, to
        if was >= 0:
            os.close(was)

    def _leave(self) -> None:
        self._keys.pop()
        self._names.pop()
        above = os.open("..", _OPEN, dir_fd=self._at) if self._keys else -1
        self._move(above)
        if above >= 0:
            found = os.fstat(above)
            if (found.st_dev, found.st_ino) != self._keys[-1]:
                raise _Moved
