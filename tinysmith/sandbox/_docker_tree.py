"""A tree as the archive that an engine takes."""

import io
import tarfile
import time

from tinysmith.errors import UsageError
from tinysmith.sandbox.tree import Entry, Tree

_TYPES = {"dir": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "link": tarfile.SYMTYPE}
_MOUNTED = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


def archive(tree: Tree) -> bytes:
    """All of a tree, owned by root; the engine makes the folders that it lacks.

    Raises:
        UsageError: It has something where the engine mounts its own.
    """
    sink = io.BytesIO()
    now = time.time()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in tree.entries:
            for place in _MOUNTED:
                if f"{entry.path}/".startswith(f"{place}/"):
                    raise UsageError(f"The tree has {entry.path}, which is the container's own; leave it out.")
            tar.addfile(_head(entry, now), io.BytesIO(entry.data))
        end = tar.offset + 2 * tarfile.BLOCKSIZE
    return sink.getvalue()[:end]  # who reads it may close it there, and then what follows is an error to an engine


def _head(entry: Entry, now: float) -> tarfile.TarInfo:
    head = tarfile.TarInfo(entry.path[1:])
    head.type = _TYPES[entry.kind]
    head.mode = entry.mode
    head.size = len(entry.data)
    head.linkname = entry.target
    head.mtime = now if entry.mtime_s is None else entry.mtime_s
    return head
