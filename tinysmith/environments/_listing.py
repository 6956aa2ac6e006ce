"""What files are in a sandbox, asked by one command inside it; what it answers is not trusted.

The folders of the system are left out, as InterCode's images keep them out of the repository that shows changes. A
file that was not touched is not read, as git does not: reading would change when it was last read.
"""

import hashlib
import zlib
from collections.abc import Mapping
from itertools import islice
from typing import TypeAlias

from attrs import evolve, frozen

from tinysmith.errors import EnvironmentLost, SandboxError
from tinysmith.sandbox import Executed, Sandbox, Tree

SYSTEM = frozenset(
    {
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "media",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "usr",
    }
    | {"var"}
)
"""Names that InterCode's images ignore."""

_WALL_S = 60.0
_MOST_BYTES = 16 << 20  # unpacked
_LEFT_OUT = " -o ".join(f"-path /{name}" for name in sorted(SYSTEM | {"lib32", "lib64", "libx32"}))
_FIND = f"/usr/bin/find / -xdev -mindepth 1 \\( {_LEFT_OUT} \\) -prune -o"
_STAMPS = f"{_FIND} -type f -printf '%i %C@ %s %p\\0' 2>/dev/null | LC_ALL=C /usr/bin/sort -z"
_READ = f"{_FIND} -type f -exec /usr/bin/cat {{}} + >/dev/null 2>&1"
# Two parts, all ended by NUL: five texts for each path, then a line of md5sum for each file that is not stamped as
# it was. An empty kind ends the first part, `end` the second: no name can stand in these places. Packed, because
# names are said twice.
_SCRIPT = f"""{{
{_FIND} -printf '%y\\0%m\\0%s\\0%l\\0%p\\0'
printf '\\0'
LC_ALL=C /usr/bin/comm -z -13 - <({_STAMPS}) | /usr/bin/cut -z -d' ' -f4- |
/usr/bin/xargs -r0 /usr/bin/md5sum -z --
printf 'end\\0'
}} 2>/dev/null | /usr/bin/gzip -c"""
_PARTS = 5
_HASH = 32
_OWNER_EXECUTES = 0o100


@frozen
class Listed:
    """One thing that has a path.

    Attributes:
        kind: As `find` says it: `f` a file, `d` a folder, `l` a symbolic link, others are special files.
        is_executable: Whether its owner may execute it.
        size: In bytes.
        target: Where a link leads.
        md5: Of a file's content; empty where it cannot be read.
    """

    kind: str
    is_executable: bool = False
    size: int = 0
    target: str = ""
    md5: str = ""


Listing: TypeAlias = Mapping[str, Listed]
"""What is in a sandbox, by path without the leading slash; bytes that are no UTF-8 are surrogates."""


def first_listing(tree: Tree) -> Listing:
    """What is in a sandbox that has just been made of a tree; folders that the tree does not name are left out."""
    kinds = {"file": "f", "dir": "d", "link": "l"}
    return {
        entry.path[1:]: Listed(
            kinds[entry.kind],
            bool(entry.mode & _OWNER_EXECUTES),
            len(entry.data),
            entry.target,
            hashlib.md5(entry.data, usedforsecurity=False).hexdigest() if entry.kind == "file" else "",
        )
        for entry in tree.entries
    }


async def stamps(sandbox: Sandbox, *, reads: bool = False) -> bytes:
    """What tells whether a file was touched since now.

    Args:
        sandbox: Where.
        reads: Whether each file is read, so that this is when it was last read, where the host keeps such times.

    Raises:
        EnvironmentLost: The files cannot be listed within the limits.
    """
    done = await _told(sandbox, f"{_READ}; {_STAMPS}" if reads else _STAMPS)
    if done is None or done.ended_by:
        limit = f"within its limit {done.ended_by}; raise that limit" if done else "as nobody may enter /"
        raise EnvironmentLost(f"The sandbox's first files cannot be listed {limit}.")
    return done.stdout


async def listing(sandbox: Sandbox, first: Listing, stamped: bytes) -> Listing | None:
    """What is in a sandbox now, without the folders of the system; None where that cannot be told any more.

    Commands can bring that about: files beyond a limit, names beyond the limit on output, or beyond what is
    unpacked of it, a root without rights.

    Args:
        sandbox: Where.
        first: What was in it when it was stamped; files that were not touched are not read.
        stamped: Its stamps; without one, each file is read.

    Raises:
        EnvironmentLost: The sandbox is dead, or what it says is no list of files.
    """
    done = await _told(sandbox, _SCRIPT, stamped)
    if done is None or done.ended_by:
        return None
    try:
        text = _unpacked(done.stdout)
        return None if text is None else parsed(text, first)
    except (ValueError, zlib.error) as error:
        problem = f"{error} (exit code {done.exit_code})"
        raise EnvironmentLost(
            f"The sandbox's files cannot be listed: {problem}. Look whether it has GNU find, md5sum and gzip."
        ) from None


async def _told(sandbox: Sandbox, script: str, stdin: bytes = b"") -> Executed | None:
    try:
        # Not /bin, which is a link that a command may lead elsewhere.
        return await sandbox.aexec(["/usr/bin/bash", "-c", script], stdin=stdin, cwd="/", wall_s=_WALL_S)
    except SandboxError:  # nobody may enter /
        return None


def _unpacked(data: bytes) -> bytes | None:
    """What was packed; None where it is too much, as long names that are alike are: they pack well.

    Raises:
        ValueError: It is cut off.
    """
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = unpacking.decompress(data, _MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        return None
    if not unpacking.eof:
        raise ValueError("the list of files is cut off")
    return text


def parsed(data: bytes, first: Listing) -> Listing:
    """The files that a list tells; a file whose hash it does not tell has the first one, if it has the first size.

    Raises:
        ValueError: It is no such list.
    """
    parts = iter(data.decode(errors="surrogateescape").split("\0"))
    found: dict[str, Listed] = {}
    while kind := next(parts, ""):
        entry = list(islice(parts, _PARTS - 1))
        if len(entry) < _PARTS - 1:
            raise ValueError("the list of files breaks off")
        mode, size, target, path = entry
        found[path.removeprefix("/")] = Listed(kind, bool(int(mode, 8) & _OWNER_EXECUTES), int(size), target)
    hashes: dict[str, str] = {}
    for line in parts:
        if line == "end":
            return {path: evolve(each, md5=_md5(path, each, hashes, first)) for path, each in found.items()}
        hashes[line[_HASH + 2 :].removeprefix("/")] = line[:_HASH]
    raise ValueError("the list of files has no end")


def _md5(path: str, now: Listed, hashes: Mapping[str, str], first: Listing) -> str:
    """A file's hash; of one that has none it was not touched, or its owner has forbidden himself to read it."""
    if path in hashes:
        return hashes[path]
    was = first.get(path)
    return was.md5 if was and (was.kind, was.size) == (now.kind, now.size) else ""
