"""Starts a program, and ends it and all that it has started when nobody wants it any more.

Charter: this file is run as a script of its own, between us and a server, and imports the standard library alone.
It kills when the program has ended, and when the pipe `life` is closed, which the kernel does if we are killed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

_CHILD_SUBREAPER = 36
_CHILDREN = "/proc/self/task/{}/children"
CANNOT_START = 126
_POLL_S = 0.01


def keep(life: int, names: Sequence[str], command: Sequence[str]) -> int:
    """Runs a program to its end, and kills what is left of it then.

    Args:
        life: A pipe; once its other end is closed, the program is killed.
        names: The environment variables that it is given.
        command: The program's path, and its arguments.

    Returns:
        The program's exit code; 128 and the signal's number where a signal ended it.
    """
    _adopt_orphans()
    os.set_inheritable(life, False)  # noqa: FBT003  # it takes no keyword
    environment = {name: os.environ[name] for name in names}
    try:
        # Python ignores SIGPIPE, and a program inherits what is ignored.
        program = os.posix_spawn(command[0], list(command), environment, setpgroup=0, setsigdef=[signal.SIGPIPE])
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201  # this is a script's stderr
        return CANNOT_START
    _let_go_of_pipes()
    threading.Thread(target=_kill_when_unwanted, args=(life, program), daemon=True).start()
    code = _ended(program)
    _kill_group(program)
    _kill_orphans()
    return code if code >= 0 else 128 - code


def _adopt_orphans() -> None:
    """Makes this process the parent of the program's orphans, so that none gets away. Linux alone can do that."""
    with suppress(ImportError, AttributeError, OSError):
        import ctypes  # noqa: PLC0415  # some Pythons lack it

        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def _let_go_of_pipes() -> None:
    """Leaves the pipes to the program, so that their ends are seen when it closes them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)


def _kill_when_unwanted(life: int, program: int) -> None:
    os.read(life, 1)
    _kill_group(program)


def _kill_group(program: int) -> None:
    _kill(-program)


def _ended(program: int) -> int:
    """Waits for the program, and for orphans that end before; its exit code, negative for a signal."""
    ended = 0
    while ended != program:
        ended, status = os.waitpid(-1, 0)
    return os.waitstatus_to_exitcode(status)


def _kill_orphans() -> None:
    """Kills the children, and theirs, which come here when they are orphans, until there is none."""
    # Where there is no such file, as on other systems than Linux, no orphan comes here.
    with suppress(ChildProcessError, FileNotFoundError):
        while True:
            for child in _children():
                _kill(child)
            ended, _ = os.waitpid(-1, os.WNOHANG)
            if not ended:
                time.sleep(_POLL_S)  # and look again: the list may lack a child while others end


def _children() -> list[int]:
    with open(_CHILDREN.format(os.getpid()), "rb") as listed:  # noqa: PTH123  # pathlib takes longer than all of this
        return [int(child) for child in listed.read().split()]


def _kill(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2].split(",") if sys.argv[2] else [], sys.argv[3:]))
