"""Raw system calls, tried one by one from within a sandbox, with no library before the kernel."""

import json
import platform
import shutil
from collections.abc import Sequence

import pytest

from tinysmith.sandbox import Sandbox

MACHINE = platform.machine()
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(MACHINE)

needs_python = pytest.mark.skipif(
    _COLUMN is None or shutil.which("python3", path="/usr/local/bin:/usr/bin") is None,
    reason="raw system calls are tried by a python3 beneath /usr, on x86_64 or aarch64",
)

_NUMBERS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
NUMBERS = {name: columns[_COLUMN or 0] for name, columns in _NUMBERS.items()}

REFUSED = {"EPERM", "EACCES", "ENOSYS", "ENOSPC", "EAFNOSUPPORT", "EPROTONOSUPPORT", "killed by 31"}
"""What the kernel says of what is not allowed: also that no namespace is left, and that a call does not exist."""

_PROGRAM = r"""
import ctypes, errno, json, mmap, os, signal, socket, stat, sys

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = json.loads(sys.argv[1])


def call(name, *arguments):
    number = NUMBERS.get(name, name)
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *given)
    if result == -1:
        raise OSError(ctypes.get_errno(), str(name))
    if name in ("clone", "clone3") and result == 0:
        os._exit(0)
    return result


def machine_code(code):
    page = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(start)()
    if -4096 < result < 0:
        raise OSError(-result, "machine code")
    return result


def written(path, text):
    with open(path, "w") as file:
        return file.write(text)


def tried(text):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = f"done: {eval(text)!r}"
        except OSError as error:
            said = errno.errorcode.get(error.errno, repr(error))
        except BaseException as error:
            said = repr(error)
        os.write(writing, said.encode()[:4000])
        os._exit(0)
    os.close(writing)
    said = b""
    while more := os.read(reading, 4096):
        said += more
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return said.decode() or f"killed by {os.WTERMSIG(status)}"


print(json.dumps([tried(text) for text in json.load(sys.stdin)]))
"""


def tried(box: Sandbox, attempts: Sequence[str]) -> dict[str, str]:
    """What became of each attempt, an expression of Python, in a process of its own in the sandbox.

    It is `done: …` with the value, or the name of the error, or the signal that ended it. Beside Python's own
    names there are `call(name or number, *arguments)`, `machine_code(bytes)` and `written(path, text)`.
    """
    command = ["python3", "-c", _PROGRAM, json.dumps(NUMBERS)]
    done = box.exec(command, stdin=json.dumps(list(attempts)).encode())
    assert done.exit_code == 0, done
    outcomes = dict(zip(attempts, json.loads(done.stdout), strict=True))
    assert len(outcomes) == len(attempts)
    return outcomes


def not_refused(box: Sandbox, attempts: Sequence[str]) -> dict[str, str]:
    """The attempts that the kernel did not plainly refuse."""
    return {attempt: said for attempt, said in tried(box, attempts).items() if said not in REFUSED}
