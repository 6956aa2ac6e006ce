"""How `bwrap` is started: the isolation, the mounts and the limits of a sandbox, as its options.

Each line is held by a test. `bwrap` itself is started with an empty environment, since the first process within
is a copy of it and shows its environment to all others. Nothing is mounted at a path that those within can move or
replace by a link: whoever is next would mount wherever it leads. Limits of processes are set within, where the
kernel counts those of the sandbox alone. The first process has none, and those within could write its memory, so
it is not shown. `/dev` is memory that anybody may fill unless it is made read-only, and `/proc/keys` names keys of
the host's user.
"""

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tinysmith.sandbox._filter import system_call_filter
from tinysmith.sandbox._folder import PROGRAMS, SHOWN_ETC, Folder
from tinysmith.sandbox._running import Process, Status, in_memory, machinery
from tinysmith.sandbox._usage import COUNT, SHM
from tinysmith.sandbox.spec import MOST_CPU_S, SandboxLimits, SandboxSpec
from tinysmith.sandbox.tree import parents_of

BWRAP = "/usr/bin/bwrap"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
_ISOLATED = (
    "--unshare-user",
    "--unshare-all",
    "--disable-userns",
    "--uid",
    "0",
    "--gid",
    "0",
    "--hostname",
    "sandbox",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--clearenv",
)
_USR = tuple(
    part for name in ("usr", *PROGRAMS) for part in ("--ro-bind", str((Path("/") / name).resolve()), f"/{name}")
)
_BY_PROC = ("--proc", "/proc")  # by way of which cp sets modes
_OPEN_FILES = 256
_UMASK = "022"  # whatever ours is
_FIRST = ("--tmpfs", "/proc/1", "--remount-ro", "/proc/1")
_KEYS = tuple(name for name in ("/proc/keys", "/proc/key-users") if Path(name).exists())

_life = [0, -1, -1]  # the process, and both ends of its pipe
_life_lock = threading.Lock()


@frozen
class Invocation:
    """How `bwrap` is started.

    Attributes:
        arguments: Its own, and the command; nothing secret, since the sandbox sees them.
        options: What it reads from a file descriptor, so that the sandbox does not see host paths.
        filter: The filter of system calls, if there is one.
        uid: Whom it runs as; None for who we are.
        program: Where `bwrap` is.
    """

    arguments: tuple[str, ...]
    options: tuple[str, ...] = field(repr=False)
    filter: bytes | None = field(repr=False)
    uid: int | None
    program: str = BWRAP

    def begin(self, **streams: Any) -> Process:
        """Starts it, in the thread whose end ends it.

        Args:
            **streams: stdin, stdout and stderr as for `subprocess.Popen`.

        Raises:
            EnvironmentLost: It cannot be started.
        """
        with machinery():
            status = Status.new()
            try:
                main = self.start(told_at=status.sink, **streams)
            except BaseException:
                status.close()
                raise
        status.started()
        return Process(main, status)

    def alone(self, **streams: Any) -> "subprocess.Popen[bytes]":
        """Starts what is no command of the sandbox's, and is waited for by who reads it.

        Raises:
            EnvironmentLost: It cannot be started.
        """
        with machinery():
            return self.start(**streams)

    def admit(self, descriptor: int) -> None:
        """Lets whom it runs as open a pipe of ours by its name, as a script."""
        if self.uid is not None:
            os.fchown(descriptor, self.uid, self.uid)

    def start(self, *, told_at: int = -1, **streams: Any) -> "subprocess.Popen[bytes]":
        """Starts it alone; it tells its status on a file descriptor, where one is given."""
        sources = [] if self.filter is None else [in_memory(self.filter)]
        told: list[str] = ["--seccomp", str(sources[0])] if sources else []
        told += [] if told_at < 0 else ["--json-status-fd", str(told_at)]
        sources.append(in_memory("".join(f"{option}\0" for option in (*told, *self.options)).encode()))
        kept = [life(), *sources, *([] if told_at < 0 else [told_at])]
        try:
            return subprocess.Popen(  # noqa: S603  # this is the one door through which it comes
                [*heeding(), *_setpriv(self.uid), self.program, "--args", str(sources[-1]), "--", *self.arguments],
                env={},  # the first process within shows its own to all others
                cwd="/",
                pass_fds=kept,
                start_new_session=True,
                **streams,
            )
        finally:
            for source in sources:
                os.close(source)


def _setpriv(uid: int | None) -> tuple[str, ...]:
    """What `bwrap` itself comes to too late: to be the user, and to die with us."""
    who = () if uid is None else (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    return ("/usr/bin/setpriv", *who, "--")


def heeding() -> tuple[str, ...]:
    """What begins a program with the signals that we were told to ignore, as `nohup` and a script's `&` do."""
    ours = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores them, and what it begins does not
    ignored = {each for each in signal.valid_signals() if signal.getsignal(each) is signal.SIG_IGN}
    numbers = ",".join(str(int(each)) for each in sorted(ignored.difference(ours)))
    return ("/usr/bin/env", f"--default-signal={numbers}", "--") if numbers else ()


def life() -> int:
    """A file descriptor that is at its end when this process is dead; one for all sandboxes."""
    with _life_lock:
        if _life[0] != os.getpid():  # the first time, or in a process that was forked from the one that had it
            _life[:] = [os.getpid(), *os.pipe2(os.O_CLOEXEC)]
        return _life[1]


def invocation(
    spec: SandboxSpec,
    limits: SandboxLimits,
    folder: Folder,
    words: tuple[str, ...],
    cwd: str,
    *,
    more: dict[str, str],
) -> Invocation:
    """How a command of a sandbox is started; `more` are its own environment variables."""
    options = [*_ISOLATED, *_mounts(spec, folder), "--chdir", cwd]
    for name, value in {**ENVIRONMENT, **spec.environment, **more}.items():
        options += ["--setenv", name, value]
    return Invocation((*limited(limits, life()), *words), tuple(options), system_call_filter(), folder.uid)


def counting(folder: Folder) -> Invocation:
    """How what a sandbox's files take is counted: from within, by somebody who may read them all."""
    find, *what = COUNT
    files = ("--ro-bind", str(folder.root), "/old")
    options = (*_ISOLATED, "--cap-add", "CAP_DAC_READ_SEARCH", *_USR, *files)
    return Invocation((find, "/old", *what), options, system_call_filter(), folder.uid)


def copying(old: Folder, new: Folder, limits: SandboxLimits) -> Invocation:
    """How the files of one sandbox are copied to another: from within, where no link leads to the host."""
    capabilities = [part for name in ("DAC_OVERRIDE", "FOWNER") for part in ("--cap-add", f"CAP_{name}")]
    files = ("--ro-bind", str(old.root), "/old", "--bind", str(new.root), "/new")
    copied = SandboxLimits(file_bytes=max(limits.file_bytes, limits.disk_bytes))  # a tree may have larger ones
    return Invocation(
        (*limited(copied, life()), "/usr/bin/cp", "-a", "--", "/old/.", "/new"),
        (*_ISOLATED, *capabilities, *_USR, *_BY_PROC, *files),
        system_call_filter(),
        new.uid,
    )


def _mounts(spec: SandboxSpec, folder: Folder) -> list[str]:
    mounts = ["--bind", str(folder.root), "/", *_USR, "--ro-bind", str(folder.etc), "/etc"]
    for name in SHOWN_ETC:
        mounts += ["--ro-bind", f"/etc/{name}", f"/etc/{name}"]
    mounts += ["--proc", "/proc", *_FIRST, "--dev", "/dev", "--size", str(spec.limits.shm_bytes), "--tmpfs", SHM]
    for name in _KEYS:
        mounts += ["--ro-bind", "/dev/null", name]
    for parent in sorted({parent for bind in spec.binds for parent in parents_of(bind.target)}):
        mounts += ["--bind", f"{folder.root}{parent}", parent]  # so that it cannot be moved
    for bind in spec.binds:
        mounts += ["--ro-bind", str(bind.source), bind.target]
    return [*mounts, "--remount-ro", "/dev"]


def limited(limits: SandboxLimits, life: int | None = None) -> tuple[str, ...]:
    """What begins a command within limits.

    Args:
        limits: What it may use.
        life: A file descriptor that is at its end when we are dead, and then nothing is begun: `bwrap` dies with
            us only once it has come so far.
    """
    given = {
        "v": max(1, limits.memory_bytes // 1024),
        "t": min(limits.cpu_s, MOST_CPU_S),
        "f": f"$(({limits.file_bytes // 1024}<<${{POSIXLY_CORRECT+1}}+0))",  # where that is set it counts by 512
        "u": limits.processes,
        "n": _OPEN_FILES,
        "c": 0,
        "l": 64,
        "q": 65536,
    }
    # Where whoever runs this may have less, it is less; there need not be a /dev.
    script = f"umask {_UMASK};" + "".join(f"ulimit -{name} {value} 2>&-;" for name, value in given.items())
    if limits.file_bytes < 1024:
        script += "trap '' XFSZ;"  # then a write fails, instead of ending who writes
    if life is not None:
        # Bash can wait for none of 1024 or more.
        script = f"exec 3<&{life};read -t 0 -u 3 && exit 1;exec {life}<&- 3<&-;{script}"
    return ("/bin/bash", "-p", "-c", f'{script}exec -- "$@"', "sandbox")
