"""The filter of system calls: a program for the kernel's seccomp, made without a library.

It refuses what a sandboxed program has no use for and what has been a way out of namespaces before: namespaces,
mounts, tracing, keyrings, io_uring, bpf, and the memory that no other limit counts (memfd, System V). All else is
left to the namespaces, to the lack of capabilities and to the kernel's own checks.

Sources: seccomp(2), the kernel's `Documentation/userspace-api/seccomp_filter.rst`, and its tables of system calls.
"""

import platform
import struct
from collections.abc import Mapping, Sequence

from attrs import frozen

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ERROR = 0x00050000
_EPERM, _ENOSYS, _EOPNOTSUPP, _EAFNOSUPPORT = 1, 38, 95, 97
_NUMBER, _ARCHITECTURE = 0, 4
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET} and NEWTIME
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
# FS_IOC_{RESVSP,RESVSP64,ZERO_RANGE}: fallocate by other names
_RESERVATIONS = (0x40305828, 0x4030582A, 0x40305839)


@frozen
class _Machine:
    """What differs between processors."""

    audit: int
    clone: int
    socket: int
    socketpair: int
    ioctl: int
    fallocate: int
    refused: Mapping[str, int]


# numbers that newer system calls have on every processor
_EVERYWHERE = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
    "memfd_secret": 447,
}
_CLONE3 = 435
_X86_64 = {
    "shmget": 29,
    "semget": 64,
    "msgget": 68,
    "ptrace": 101,
    "syslog": 103,
    "vhangup": 153,
    "pivot_root": 155,
    "adjtimex": 159,
    "chroot": 161,
    "acct": 163,
    "settimeofday": 164,
    "mount": 165,
    "umount2": 166,
    "swapon": 167,
    "swapoff": 168,
    "reboot": 169,
    "iopl": 172,
    "ioperm": 173,
    "init_module": 175,
    "delete_module": 176,
    "quotactl": 179,
    "lookup_dcookie": 212,
    "clock_settime": 227,
    "kexec_load": 246,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "unshare": 272,
    "perf_event_open": 298,
    "fanotify_init": 300,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "setns": 308,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "finit_module": 313,
    "memfd_create": 319,
    "kexec_file_load": 320,
    "bpf": 321,
    "userfaultfd": 323,
}
_AARCH64 = {
    "lookup_dcookie": 18,
    "umount2": 39,
    "mount": 40,
    "pivot_root": 41,
    "chroot": 51,
    "vhangup": 58,
    "quotactl": 60,
    "acct": 89,
    "unshare": 97,
    "kexec_load": 104,
    "init_module": 105,
    "delete_module": 106,
    "clock_settime": 112,
    "syslog": 116,
    "ptrace": 117,
    "reboot": 142,
    "settimeofday": 170,
    "adjtimex": 171,
    "msgget": 186,
    "semget": 190,
    "shmget": 194,
    "add_key": 217,
    "request_key": 218,
    "keyctl": 219,
    "swapon": 224,
    "swapoff": 225,
    "perf_event_open": 241,
    "fanotify_init": 262,
    "name_to_handle_at": 264,
    "open_by_handle_at": 265,
    "setns": 268,
    "process_vm_readv": 270,
    "process_vm_writev": 271,
    "kcmp": 272,
    "finit_module": 273,
    "memfd_create": 279,
    "bpf": 280,
    "userfaultfd": 282,
    "kexec_file_load": 294,
}
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E, clone=56, socket=41, socketpair=53, ioctl=16, fallocate=285, refused={**_X86_64, **_EVERYWHERE}
    ),
    "aarch64": _Machine(
        0xC00000B7,
        clone=220,
        socket=198,
        socketpair=199,
        ioctl=29,
        fallocate=47,
        refused={**_AARCH64, **_EVERYWHERE},
    ),
}


def system_call_filter(machine: str | None = None) -> bytes | None:
    """The filter for a processor as `platform.machine()` names it, by default ours; None where there is none."""
    found = _MACHINES.get(platform.machine() if machine is None else machine)
    return None if found is None else b"".join(_program(found))


def _program(machine: _Machine) -> Sequence[bytes]:
    refuse = [_instruction(_RETURN, _ERROR | _EPERM)]
    return [
        _load(_ARCHITECTURE),
        _instruction(_JUMP_EQUAL, machine.audit, 1, 0),
        _instruction(_RETURN, _KILL),
        _load(_NUMBER),
        # x32 system calls have this bit, and numbers of their own
        _instruction(_JUMP_GREATER, _X32, 0, 1),
        _instruction(_RETURN, _ERROR | _ENOSYS),
        # its arguments are in memory, where no filter sees them: libc then falls back to clone
        _instruction(_JUMP_EQUAL, _CLONE3, 0, 1),
        _instruction(_RETURN, _ERROR | _ENOSYS),
        # it would fill the disk between two looks at it; libc then writes, which takes its time
        _instruction(_JUMP_EQUAL, machine.fallocate, 0, 1),
        _instruction(_RETURN, _ERROR | _EOPNOTSUPP),
        *(
            part
            for number in machine.refused.values()
            for part in (_instruction(_JUMP_EQUAL, number, 0, 1), *refuse)
        ),
        *_where(machine.clone, [_load(_argument(0)), _instruction(_JUMP_ANY, _NEW_NAMESPACES, 0, 1), *refuse]),
        *_where(machine.socket, _families()),
        *_where(machine.socketpair, _families()),
        *_where(machine.ioctl, _requests()),
        _instruction(_RETURN, _ALLOW),
    ]


def _families() -> list[bytes]:
    tests = [
        _instruction(_JUMP_EQUAL, family, len(_FAMILIES) - place, 0) for place, family in enumerate(_FAMILIES)
    ]
    return [_load(_argument(0)), *tests, _instruction(_RETURN, _ERROR | _EAFNOSUPPORT)]


def _requests() -> list[bytes]:
    refused = [
        *((request, _EPERM) for request in _TERMINAL_INPUT),
        *((request, _EOPNOTSUPP) for request in _RESERVATIONS),
    ]
    return [
        _load(_argument(1)),
        *(
            part
            for request, error in refused
            for part in (_instruction(_JUMP_EQUAL, request, 0, 1), _instruction(_RETURN, _ERROR | error))
        ),
    ]


def _where(number: int, then: list[bytes]) -> list[bytes]:
    """The instructions for one system call; what they let pass is allowed."""
    then = [*then, _instruction(_RETURN, _ALLOW)]
    return [_instruction(_JUMP_EQUAL, number, 0, len(then)), *then]


def _argument(index: int) -> int:
    """Where the lower half of an argument is: the machines here are little-endian."""
    return 16 + 8 * index


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
