"""Files without a name that processes of a sandbox still hold: that they have open, or mapped.

What the kernel tells of a process is as much as whoever runs there likes: tens of thousands of mappings, with long
names. So no more than a certain amount is read at one look, and whoever makes it more is over the limit.
"""

import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from attrs import define, field

BEYOND = 1 << 60
"""More bytes than any limit allows."""

_MOST = 8 << 20  # bytes that are told of all processes: about 100,000 mappings, in a tenth of a second
_OPEN_FILE = 128  # what each open file counts of these
_BUFFER = 1 << 16

# A name has no newline here, which the kernel shows as `\012`, and may have whatever else Python takes for one.
_NAMELESS = re.compile(
    rb"([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) ([0-9]+) +(?!/dev/)/[^\n]* \(deleted\)\n"
)


def held(processes: Sequence[int]) -> int:
    """Bytes of files without a name that are open or mapped; `BEYOND` where that is too much to be told."""
    found = _Held()
    try:
        for process in processes:
            found.look(process)
    except _TooMuch:
        return BEYOND
    return found.size


@cache
def _memory() -> int:
    """The device of files in memory (memfd_create(2)), such as a command's standard input that we made."""
    descriptor = os.memfd_create("device", os.MFD_CLOEXEC)
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


class _TooMuch(Exception):
    """There is more to read than is read at one look."""


@define(eq=False)
class _Held:
    """What was found so far."""

    _known: dict[tuple[int, int], int] = field(factory=dict)  # bytes on disk, by device and number
    _reached: dict[tuple[int, int], int] = field(factory=dict)  # where the last mapped byte is
    _left: int = _MOST

    @property
    def size(self) -> int:
        """Bytes of all."""
        unknown = (size for key, size in self._reached.items() if key not in self._known)
        return sum(self._known.values()) + sum(unknown)

    def look(self, process: int) -> None:
        """Looks at what a process holds."""
        tasks: list[str] = []
        with suppress(OSError):  # ended meanwhile
            tasks = [task.name for task in Path(f"/proc/{process}/task").iterdir()]
        for task in tasks:  # each may have files of its own
            with suppress(OSError):
                self._look_at_open(Path(f"/proc/{task}/fd"))
        for task in tasks:  # they have one memory, which those that have ended, the first one too, do not show
            if self._look_at_mapped(Path(f"/proc/{task}")):
                break

    def _look_at_open(self, folder: Path) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                self._spend(_OPEN_FILE)
                with suppress(OSError):  # closed meanwhile
                    self._add(entry.stat())

    def _look_at_mapped(self, task: Path) -> bool:
        """Looks at what a thread has mapped; whether it has anything."""
        is_any = False
        with suppress(OSError), (task / "maps").open("rb", buffering=_BUFFER) as lines:
            for line in lines:
                is_any = True
                self._spend(len(line))
                if line.endswith(b" (deleted)\n"):
                    self._add_mapped(task, line)
        return is_any

    def _add_mapped(self, task: Path, line: bytes) -> None:
        found = _NAMELESS.fullmatch(line)
        if found is None:  # memory of its own, or of a size
            return
        begin, end, offset, major, minor = (int(part, 16) for part in found.groups()[:5])
        key = (os.makedev(major, minor), int(found[6]))
        if key in self._known or key[0] == _memory():
            return
        try:
            self._add((task / "map_files" / f"{begin:x}-{end:x}").stat())
        except OSError:  # only root may ask
            self._reached[key] = max(self._reached.get(key, 0), offset + end - begin)

    def _add(self, found: os.stat_result) -> None:
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and found.st_dev != _memory():
            self._known[found.st_dev, found.st_ino] = found.st_blocks * 512

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _TooMuch
