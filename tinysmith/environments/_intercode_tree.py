"""The file tree that a set-up script leaves: the script is run in a sandbox, and what is new is read from within.

Neither the script nor what a sandbox says after it has run is trusted.
"""

import math
from collections.abc import Mapping
from itertools import islice

from attrs import frozen

from tinysmith.errors import DataError, EnvironmentLost, SandboxError, UsageError
from tinysmith.sandbox import Backend, Entry, Executed, Sandbox, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox.spec import MEBIBYTE
from tinysmith.sandbox.tree import Kind

LIMITS = SandboxLimits(
    wall_s=60.0, disk_bytes=32 * MEBIBYTE, file_bytes=32 * MEBIBYTE, files=10_000, output_bytes=40 * MEBIBYTE
)
"""What a script may use, and what its tree may be."""

_MOST_WARNINGS = 20
_MOST_WARNING = 200  # characters
_MOST_PATH = 4095  # bytes; Linux takes no longer one
_LATEST_S = float((1 << 33) - 1)  # no entry has a later time, nor one as long before 1970
_YEARS = "1697 to 2242"  # which that is
_KINDS: Mapping[str, Kind] = {"f": "file", "d": "dir", "l": "link"}
# Every sandbox has its own of these.
_LEFT_OUT = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys", "usr")
_PRUNED = " -o ".join(f"-path /{name}" for name in _LEFT_OUT)
# A moment, then six texts for each path, and an `end`, all ended by NUL: no kind is called so. What its owner may
# not read is opened once it is listed, for the reading that follows.
_LIST = f"""set -e
printf '%s\\0' "$(/usr/bin/date +%s)"
/usr/bin/find / -xdev -mindepth 1 \\( {_PRUNED} \\) -prune -o \
-printf '%y\\0%m\\0%s\\0%T@\\0%l\\0%p\\0' \\( \
-type d ! -perm -u=rx -exec /usr/bin/chmod u+rx -- '{{}}' \\; \
-o -type f ! -perm -u=r -exec /usr/bin/chmod u+r -- '{{}}' \\; \\)
printf 'end\\0'"""
_READ = "/usr/bin/xargs -0r /usr/bin/cat --"
_PARTS = 6


@frozen
class _Found:
    """What `find` says of a path; bytes that are no UTF-8 are surrogates."""

    kind: str
    mode: int
    size: int
    mtime_s: float
    target: str


def built(name: str, script: bytes, backend: Backend) -> tuple[Tree, tuple[str, ...]]:
    """The tree that a script leaves in a fresh sandbox, and what is to be said of it.

    A script may fail, and its tree is what it has made by then, as in InterCode's images. Files are as old as the
    sandbox that they will be in, but those to which the script gave a time of their own; one that no tree can say
    becomes the nearest that it can.

    Args:
        name: Of the file system.
        script: Its set-up script.
        backend: What makes the sandbox.

    Raises:
        DataError: The script runs into a limit.
        EnvironmentLost: The sandbox broke.
    """
    path = f"/setup_{name}.sh"
    spec = SandboxSpec(tree=Tree((Entry(path, mode=0o755, data=script),)), limits=LIMITS)
    with backend.create(spec) as sandbox:
        begin, before = _listed(sandbox, name)
        # As an image is built: by a shell that starts it, in UTC.
        command = ["/bin/sh", "-c", f"umask 022; {path}"]
        done = sandbox.exec(command, cwd="/", environment={"TZ": "UTC0"})
        _demand_within(done, name)
        end, after = _listed(sandbox, name)
        found = {place: each for place, each in after.items() if place not in before}
        unfit = {place: problem for place, each in found.items() if (problem := _problem(place, each))}
        kept = {place: each for place, each in sorted(found.items()) if place not in unfit}
        contents = _contents(sandbox, {place: each.size for place, each in kept.items() if each.kind == "f"}, name)
    try:
        # A file system's clock is some milliseconds behind.
        tree = Tree(tuple(_entry(place, each, contents, (begin - 1, end + 1)) for place, each in kept.items()))
    except UsageError as error:
        raise _lost(name, str(error)) from None
    return tree, _warnings(done, unfit, kept)


def _listed(sandbox: Sandbox, name: str) -> tuple[int, Mapping[str, _Found]]:
    """The time, and all that is there but what each sandbox has of its own."""
    try:
        done = sandbox.exec(["/usr/bin/bash", "-c", _LIST], cwd="/")
    except SandboxError as error:  # a root without rights
        raise _lost(name, str(error).rstrip(".")) from None
    _demand_within(done, name)
    parts = iter(done.stdout.decode(errors="surrogateescape").split("\0"))
    found: dict[str, _Found] = {}
    try:
        moment = int(next(parts))
        while (kind := next(parts)) != "end":
            mode, size, mtime, target, path = islice(parts, _PARTS - 1)
            found[path] = _Found(kind, int(mode, 8), int(size), float(mtime), target)
    except (ValueError, StopIteration):
        raise _lost(name, f"exit code {done.exit_code}") from None
    return moment, found


def _contents(sandbox: Sandbox, sizes: Mapping[str, int], name: str) -> Mapping[str, bytes]:
    """What is in files, whose sizes are known and do not change, since nothing runs any more."""
    if sum(sizes.values()) > LIMITS.disk_bytes:
        problem = f"files of more than {LIMITS.disk_bytes:,} bytes"
        raise DataError(f"The set-up script of {name} makes {problem}; check it.")
    paths = "".join(f"{path}\0" for path in sizes).encode()
    done = sandbox.exec(["/usr/bin/bash", "-c", _READ], stdin=paths, cwd="/")
    if len(done.stdout) != sum(sizes.values()):
        raise _lost(name, f"exit code {done.exit_code}")
    rest = memoryview(done.stdout)
    contents = {}
    for path, size in sizes.items():
        contents[path], rest = bytes(rest[:size]), rest[size:]
    return contents


def _entry(path: str, found: _Found, contents: Mapping[str, bytes], now: tuple[int, int]) -> Entry:
    kind = _KINDS[found.kind]
    is_new = now[0] <= found.mtime_s <= now[1]
    mtime_s = None if is_new else max(-_LATEST_S, min(found.mtime_s, _LATEST_S))
    if kind == "link":
        return Entry(path, kind, target=found.target, mtime_s=mtime_s)
    return Entry(path, kind, found.mode, contents.get(path, b""), mtime_s=mtime_s)


def _problem(path: str, found: _Found) -> str:
    """Why a tree cannot hold something; empty where it can."""
    if found.kind not in _KINDS:
        return "neither a file nor a folder nor a link"
    try:
        length = len(path.encode())
        found.target.encode()
    except UnicodeEncodeError:
        return "its name or target is no UTF-8"
    if length > _MOST_PATH:
        return f"its path is longer than {_MOST_PATH} bytes"
    return "its time is no number" if math.isnan(found.mtime_s) else ""


def _warnings(done: Executed, unfit: Mapping[str, str], kept: Mapping[str, _Found]) -> tuple[str, ...]:
    lines = [line for line in done.error_text.splitlines() if line.strip()]
    lines += [f"exit code {done.exit_code}"] if done.exit_code else []
    lines += [f"{path} is left out: {problem}" for path, problem in unfit.items()]
    far = [path for path, each in kept.items() if abs(each.mtime_s) > _LATEST_S]
    lines += [f"{path} has a time out of the years {_YEARS}, and gets the nearest" for path in far]
    more = len(lines) - _MOST_WARNINGS
    return (*(_cut(line) for line in lines[:_MOST_WARNINGS]), *([f"{more} more lines"] if more > 0 else []))


def _cut(line: str) -> str:
    return line if len(line) <= _MOST_WARNING else f"{line[: _MOST_WARNING - 1]}…"


def _demand_within(done: Executed, name: str) -> None:
    if done.ended_by:
        limit = f"{done.ended_by} of {getattr(LIMITS, done.ended_by):,}"
        raise DataError(f"The set-up script of {name} runs into the limit {limit}; check it.")


def _lost(name: str, problem: str) -> EnvironmentLost:
    problem = f"What the set-up script of {name} has made cannot be read: {problem}."
    return EnvironmentLost(f"{problem} Look whether the sandbox has bash, GNU find, xargs and cat.")
