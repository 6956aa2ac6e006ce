"""Files as archives, on their way to and from Inspect's sandboxes, which have `bash`, `find` and `tar`."""

import io
import tarfile
import time
from collections.abc import Iterable

from tinysmith.sandbox.spec import SandboxSpec
from tinysmith.sandbox.tree import Entry, Tree

_KINDS = {"dir": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "link": tarfile.SYMTYPE}

_SYSTEM = frozenset(
    (
        *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/proc", "/run"),
        *("/sbin", "/srv", "/sys", "/usr", "/var"),
    )
)
"""Folders that are never emptied, whatever a tree has in them."""

UNPACK = 'set -e; /bin/mkdir -p -- "$2"; tar -C / --no-same-owner -xpf "$1"; /bin/rm -f -- "$1"'
"""Unpacks the archive `$1`, and makes the folder `$2`."""

PACK = """set -e; archive=$1; shift; found=()
for path; do if [ -e "$path" ] || [ -L "$path" ]; then found+=(".$path"); fi; done
tar -C / --exclude=".$archive" -cf "$archive" -T /dev/null "${found[@]}"
"""
"""Packs those of the paths `$2` and so on that are there into the archive `$1`."""

RESTORE = """set -e; archive=$1; shift
for path; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then find "$path" -xdev -mindepth 1 ! -path "$archive" -delete
    else /bin/rm -f -- "$path"; fi
done
tar -C / -xpf "$archive"; /bin/rm -f -- "$archive"
"""
"""Empties the paths `$2` and so on, and unpacks the archive `$1`."""


def packed(tree: Tree) -> bytes:
    """A tree as an archive."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in tree.entries:
            archive.addfile(_member(entry), io.BytesIO(entry.data))
    return data.getvalue()


def _member(entry: Entry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(entry.path[1:])
    member.type = _KINDS[entry.kind]
    member.mode = entry.mode
    member.size = len(entry.data)
    member.linkname = entry.target
    member.mtime = time.time() if entry.mtime_s is None else entry.mtime_s
    return member


def kept(spec: SandboxSpec) -> tuple[str, ...]:
    """What is copied and brought back: where commands begin, and the outermost folders of the tree's files.

    Of what lies in the system's own folders, only the tree's files and links themselves.
    """
    paths = {spec.cwd} - {"/"} - _SYSTEM
    for entry in spec.tree.entries:
        top = "/" + entry.path.split("/")[1]
        if top not in _SYSTEM:
            paths.add(top)
        elif entry.kind != "dir":
            paths.add(entry.path)
    return outermost(paths)


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths, sorted, without those that lie beneath another."""
    found: list[str] = []
    for path in sorted(set(paths), key=lambda path: path.split("/")):
        if not found or not path.startswith(f"{found[-1]}/"):
            found.append(path)
    return tuple(found)
