"""What a sandbox is asked to be, and what a command in it gave."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import Attribute, field, fields, frozen

from tinysmith import _arguments
from tinysmith._arguments import path_text, several, told
from tinysmith.errors import UsageError
from tinysmith.mapping import EMPTY, FrozenDict
from tinysmith.sandbox._words import checked_environment
from tinysmith.sandbox.tree import Tree, is_passable, is_plain_path

MEBIBYTE = 1 << 20
_NO_LIMITS = "{}: limits is {}; give SandboxLimits(wall_s=…)."
_MOST = 1 << 60  # what is larger, no limit of the kernel holds
MOST_CPU_S = 1 << 32
"""More than the kernel, which counts nanoseconds, can be told as `cpu_s`; what is larger is so much."""

EndedBy: TypeAlias = Literal["", "wall_s", "output_bytes", "disk_bytes", "files"]
"""The limit that ended a command from outside; empty where it ended by itself, perhaps by a signal."""


@frozen
class SandboxLimits:
    """What may be used in a sandbox. `docs/sandbox.md` says how each back end holds them.

    Attributes:
        wall_s: Seconds that a command may take.
        cpu_s: Seconds of processor time that each process may take; whole seconds.
        memory_bytes: Address space that each process may have; together at most `processes` times that.
        processes: Processes and threads at one time.
        file_bytes: Size of one file.
        disk_bytes: Bytes of all files together.
        files: Files, folders and links together; a file counts by each of its names.
        shm_bytes: Bytes in `/dev/shm`.
        output_bytes: Bytes that a command may print, both streams together; one that prints more is ended.
    """

    wall_s: float = 10.0
    cpu_s: int = 60
    memory_bytes: int = 1024 * MEBIBYTE
    processes: int = 64
    file_bytes: int = 64 * MEBIBYTE
    disk_bytes: int = 256 * MEBIBYTE
    files: int = 20_000
    shm_bytes: int = 16 * MEBIBYTE
    output_bytes: int = MEBIBYTE

    def __attrs_post_init__(self) -> None:
        for limit in fields(SandboxLimits):
            value = getattr(self, limit.name)
            is_number = type(value) is int or (type(value) is float and limit.name == "wall_s")
            if not is_number or not 0 < value < _MOST:
                raise UsageError(f"SandboxLimits: {limit.name} is {value!r}; give a positive, finite number.")


def limits_of(limits: SandboxLimits | None, owner: str) -> SandboxLimits:
    """What may be used; what is usual where nothing is given.

    Raises:
        UsageError: It is something else.
    """
    if limits is not None and not isinstance(limits, SandboxLimits):
        raise UsageError(_NO_LIMITS.format(owner, told(limits)))
    return limits or SandboxLimits()


def _plain(owner: Any, attribute: "Attribute[str]", value: str) -> None:
    if not is_plain_path(value):
        raise UsageError(
            f"{type(owner).__name__}: {attribute.name} is {told(value)}; give an absolute path without `.`, `..`, "
            "doubled slashes and NUL."
        )


def _source(value: str | PathLike[str]) -> Path:
    source = _arguments.path(value, "Bind: source")
    if not is_passable(str(source)):
        raise UsageError(f"Bind: source is {told(value)}; give a path without NUL and halves of characters.")
    return source.absolute()  # wherever this process goes later


@frozen
class Bind:
    """A file or folder of the host that is shown in the sandbox, read-only.

    Attributes:
        source: Where it is on the host; it must be there when the sandbox is made. A relative path begins where
            this process is when the bind is made.
        target: Where it is shown: an absolute path.
    """

    source: Path = field(converter=_source)
    target: str = field(converter=path_text, validator=_plain)


def _environment(value: Mapping[str, str]) -> FrozenDict[str, str]:
    return FrozenDict(checked_environment(value))


def binds_of(binds: Iterable[Bind]) -> tuple[Bind, ...]:
    """What is shown, as a tuple."""
    return several(binds, Bind, "SandboxSpec: binds", "a tuple of Bind(source, target)")


@frozen
class SandboxSpec:
    """What a sandbox is made of.

    Attributes:
        tree: The files that it begins with, and is reset to.
        binds: What of the host is shown in it, read-only.
        environment: Environment variables, beside PATH, HOME and LANG; nothing of the host's is inherited.
        cwd: Where commands begin: an absolute path; it is made where the tree lacks it.
        network: There is none.
        limits: What may be used.
    """

    tree: Tree = field(factory=Tree)
    binds: tuple[Bind, ...] = field(default=(), converter=binds_of)
    environment: FrozenDict[str, str] = field(default=EMPTY, converter=_environment)
    cwd: str = field(default="/", converter=path_text, validator=_plain)
    network: Literal["none"] = "none"
    limits: SandboxLimits = field(factory=SandboxLimits)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.tree, Tree):
            raise UsageError(
                f"SandboxSpec: tree is {told(self.tree)}; give a Tree, such as Tree.of({{path: text}})."
            )
        if not isinstance(self.limits, SandboxLimits):
            raise UsageError(_NO_LIMITS.format("SandboxSpec", told(self.limits)))
        if self.network != "none":
            raise UsageError(f"SandboxSpec: network is {self.network!r}; there is only 'none'.")


def demand_spec(spec: object) -> None:
    """Raises a `UsageError` unless a sandbox can be made of it, as far as its kind tells."""
    if not isinstance(spec, SandboxSpec):
        raise UsageError(
            f"A sandbox is made of a SandboxSpec, and this is {told(spec)}; give SandboxSpec(tree, …)."
        )


@frozen
class Executed:
    """What a command gave.

    Attributes:
        stdout: What it printed; both streams in their order, where they were merged.
        stderr: What it printed as errors.
        exit_code: As a shell tells it: 128 + number where a signal ended it, 137 where a limit did.
        ended_by: The limit that ended it from outside; empty where none did.
        duration_s: Seconds that it took.
        is_session_new: Of a session: whether its shell was lost, and the next command meets a new one; or this one
            did, since the shell was lost in a call that raised, or between two commands.
    """

    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)
    exit_code: int
    ended_by: EndedBy = ""
    duration_s: float = 0.0
    is_session_new: bool = False

    @property
    def text(self) -> str:
        """`stdout` as text; what is no UTF-8 is replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def error_text(self) -> str:
        """`stderr` as text; what is no UTF-8 is replaced."""
        return self.stderr.decode(errors="replace")

    @property
    def is_timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.ended_by == "wall_s"


@frozen
class Availability:
    """Whether a back end can be used here.

    Attributes:
        ok: Whether it can.
        reason: Where it cannot: what is missing, and how to install it; whole sentences.
        features: What it has here, in a few words each, such as `root` or `bubblewrap 0.8.0`.
    """

    ok: bool
    reason: str = ""
    features: tuple[str, ...] = ()
