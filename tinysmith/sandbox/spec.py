"""What a sandbox is asked to be, and what a command in it gave."""

from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import Attribute, field, fields, frozen

from tinysmith.errors import UsageError
from tinysmith.mapping import EMPTY, FrozenDict, freeze
from tinysmith.sandbox.tree import Tree, is_passable, is_plain_path

MEBIBYTE = 1 << 20
_MOST = 1 << 60  # what is larger, no limit of the kernel holds

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


def _plain(owner: Any, attribute: "Attribute[str]", value: str) -> None:
    if not is_plain_path(value):
        raise UsageError(
            f"{type(owner).__name__}: {attribute.name} is {value!r}; give an absolute path without `.`, `..`, "
            "doubled slashes and NUL."
        )


@frozen
class Bind:
    """A file or folder of the host that is shown in the sandbox, read-only.

    Attributes:
        source: Where it is on the host; it must be there when the sandbox is made.
        target: Where it is shown: an absolute path.
    """

    source: Path = field(converter=Path)
    target: str = field(validator=_plain)


def _is_environment(_: Any, __: "Attribute[Any]", value: FrozenDict[str, str]) -> None:
    for name, text in value.items():
        if not name or "=" in name or not is_passable(name + text):
            problem = f"the environment variable {name!r} has no name, or a NUL or a `=` where none may be"
            raise UsageError(f"SandboxSpec: {problem}; rename it.")


def _are_binds(_: Any, __: "Attribute[Any]", value: tuple[Bind, ...]) -> None:
    if not isinstance(value, (tuple, list)) or not all(isinstance(bind, Bind) for bind in value):
        raise UsageError(f"SandboxSpec: binds is {str(value)[:80]!r}; give a tuple of Bind(source, target).")


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
    binds: tuple[Bind, ...] = field(default=(), validator=_are_binds)
    environment: FrozenDict[str, str] = field(default=EMPTY, converter=freeze, validator=_is_environment)
    cwd: str = field(default="/", validator=_plain)
    network: Literal["none"] = "none"
    limits: SandboxLimits = field(factory=SandboxLimits)

    def __attrs_post_init__(self) -> None:
        if self.network != "none":
            raise UsageError(f"SandboxSpec: network is {self.network!r}; there is only 'none'.")


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
