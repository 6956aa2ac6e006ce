"""What a sandbox may not ask of the kernel, and the network that it does not have."""

import ctypes
import os
import platform
import socket
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from sandboxes import (
    apart,
    as_root_and_as_user,
    as_user,
    living,
    needs_root,
    needs_sandbox,
    sandbox,
    says,
    wait_until,
)
from system_calls import REFUSED, needs_python, not_refused, tried

from tinysmith.errors import SandboxUnavailable
from tinysmith.sandbox import Availability
from tinysmith.sandbox.bubblewrap import Bubblewrap

NEW_USER, NEW_NETWORK, NEW_MOUNTS, NEW_PROCESSES = 0x10000000, 0x40000000, 0x00020000, 0x20000000
SIGNAL = 17  # SIGCHLD, beside a new namespace's flag


@as_root_and_as_user
def test_a_command_has_no_capability_and_gets_none() -> None:
    """Nobody within has a capability in any set or can gain one by executing, and all stand behind a filter."""
    with sandbox() as box, box.open_session() as session:
        session.run(":")
        told = [Path(f"/proc/{process.number}/status").read_text(encoding="utf-8") for process in living()]
        seen = [dict(line.split(":\t", 1) for line in text.splitlines()) for text in told]
        within = {status["NSpid"].split()[-1]: status for status in seen if len(status["NSpid"].split()) > 1}
        assert sorted(within) == ["1", "2"]
        for status in within.values():
            sets = {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
            assert set(sets.values()) == {0}, sets
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@as_root_and_as_user
def test_root_inside_is_nobody_outside() -> None:
    """User 0 of the sandbox is one unprivileged user of the host; no second user or group is there."""
    with sandbox() as box, box.open_session() as session:
        assert says(box, "id -u; id -g; cat /proc/self/setgroups").split() == ["0", "0", "deny"]
        for kind in ("uid", "gid"):
            inside, _, count = says(box, f"cat /proc/self/{kind}_map").split()
            assert (inside, count) == ("0", "1")
        session.run("sleep 1000 &")  # which is a second `bash` until it has executed
        assert wait_until(lambda: {"bash", "sleep"} <= {process.name for process in living()})
        for process in living():
            status = Path(f"/proc/{process.number}/status").read_text(encoding="utf-8").splitlines()
            shown = dict(line.split(":", 1) for line in status)
            assert "0" not in (shown["Uid"] + shown["Gid"] + shown["Groups"]).split()


class TestProbe:
    @needs_sandbox
    def test_a_machine_without_user_namespaces_is_told_what_to_do(self) -> None:
        """Where the kernel lets nobody make namespaces there is no sandbox, and the reason names the remedies."""

        def work() -> Availability:
            if ctypes.CDLL(None).unshare(NEW_USER):
                pytest.skip("this user cannot make the namespace in which the test forbids them")
            Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
            return Bubblewrap().probe()

        found = as_user(work)
        assert not found.ok
        assert "user namespaces" in found.reason
        assert "AppArmor" in found.reason

    @needs_root
    @needs_sandbox
    def test_a_temporary_folder_that_is_closed_is_said(self) -> None:
        """Where the user of a sandbox of root's cannot come to its files the error says so."""

        def work() -> str:
            Path(tempfile.gettempdir()).chmod(0o700)
            with pytest.raises(SandboxUnavailable) as caught:
                sandbox().exec("true")
            return str(caught.value)

        assert "TMPDIR" in apart(work)


@needs_python
class TestSystemCalls:
    @as_root_and_as_user
    def test_no_namespace_can_be_made_or_entered(self) -> None:
        """Neither a new user namespace nor, without it, any other can be had, by whichever call."""
        flags = (NEW_USER, NEW_NETWORK, NEW_MOUNTS, NEW_PROCESSES, NEW_USER | NEW_NETWORK | NEW_MOUNTS)
        clone3 = "call('clone3', (ctypes.c_uint64 * 11)({}, 0, 0, 0, 17), 88)"
        attempts = [
            *(f"call('unshare', {flag})" for flag in flags),
            *(f"call('clone', {flag | SIGNAL}, 0, 0, 0, 0)" for flag in flags),
            *(clone3.format(flag) for flag in flags),
            *(
                f"call('setns', os.open('/proc/self/ns/{kind}', os.O_RDONLY), 0)"
                for kind in ("user", "mnt", "net")
            ),
            "written('/proc/sys/user/max_user_namespaces', '9')",
            "written('/proc/self/uid_map', '0 0 1')",
        ]
        with sandbox() as box:
            assert not_refused(box, attempts) == {}
            assert says(box, "unshare -Ur id; echo $?").endswith("1")

    @as_root_and_as_user
    def test_nothing_can_be_mounted(self) -> None:
        """No mount can be made, changed or taken away, by the old calls or the new, nor the root changed."""
        attempts = [
            "call('mount', b'none', b'/tmp', b'tmpfs', 0, 0)",
            "call('mount', b'/usr', b'/tmp', 0, 4096, 0)",
            "call('mount', 0, b'/usr', 0, 32 | 4096, 0)",
            "call('mount', b'proc', b'/tmp', b'proc', 0, 0)",
            "call('umount2', b'/usr', 2)",
            "call('umount2', b'/proc', 2)",
            "call('pivot_root', b'/', b'/tmp')",
            "call('chroot', b'/tmp')",
            "call('fsopen', b'tmpfs', 0)",
            "call('open_tree', -100, b'/usr', 1)",
            "call('move_mount', -100, b'/usr', -100, b'/tmp', 0)",
            "call('fsmount', 0, 0, 0)",
            "call('mount_setattr', -100, b'/usr', 0, (ctypes.c_uint64 * 4)(0, 1), 32)",
        ]
        with sandbox() as box:
            assert not_refused(box, attempts) == {}

    @as_root_and_as_user
    def test_no_process_can_be_read_or_steered(self) -> None:
        """A command can neither trace another process, its parent among them, nor read or write its memory."""
        host = os.getpid()
        area = "(ctypes.c_uint64 * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)"
        attempts = [
            "call('ptrace', 16, 1, 0, 0)",
            "call('ptrace', 0x4206, 1, 0, 0)",
            "call('ptrace', 0, 0, 0, 0)",
            f"call('process_vm_readv', 1, {area}, 1, {area}, 1, 0)",
            f"call('process_vm_writev', 1, {area}, 1, {area}, 1, 0)",
            f"call('process_vm_readv', os.getppid(), {area}, 1, {area}, 1, 0)",
            "call('pidfd_getfd', call('pidfd_open', 1, 0), 0, 0)",
        ]
        with sandbox() as box:
            assert not_refused(box, attempts) == {}
            memory = [
                "open('/proc/1/mem', 'r+b')",
                "open('/proc/1/task/1/mem', 'r+b')",
                "os.listdir('/proc/1/fd')",
            ]
            outcomes = tried(box, [f"os.kill({host}, 0)", f"os.listdir('/proc/{host}')", *memory])
            assert set(outcomes.values()) <= {"ESRCH", "ENOENT"}

    @as_root_and_as_user
    def test_the_kernels_wide_doors_are_shut(self) -> None:
        """Keyrings, the kernel's programs, counters, queues, modules, clock, log and power are not to be had."""
        attempts = [
            "call('keyctl', 0, -4, 0)",
            "call('keyctl', 0, -3, 1)",
            "call('keyctl', 1, b'mine')",
            "call('add_key', b'user', b'planted', b'x', 1, -3)",
            "call('request_key', b'user', b'planted', 0, -3)",
            "call('bpf', 0, ctypes.create_string_buffer(128), 128)",
            "call('perf_event_open', ctypes.create_string_buffer(b'\\x01\\0\\0\\0\\x80', 128), 0, -1, -1, 0)",
            "call('io_uring_setup', 8, ctypes.create_string_buffer(120))",
            "call('userfaultfd', 1)",
            "call('fanotify_init', 0, 0)",
            "call('open_by_handle_at', -100, ctypes.create_string_buffer(64), 0)",
            "call('init_module', 0, 0, b'')",
            "call('finit_module', 0, b'', 0)",
            "call('delete_module', b'none', 0)",
            "call('kexec_load', 0, 0, 0, 0)",
            "call('reboot', 0xfee1dead, 672274793, 0, 0)",
            "call('swapon', b'/tmp', 0)",
            "call('acct', 0)",
            "call('quotactl', 0, 0, 0, 0)",
            "call('syslog', 3, ctypes.create_string_buffer(64), 64)",
            "call('clock_settime', 0, (ctypes.c_int64 * 2)(1, 1))",
            "call('sethostname', b'mine', 4)",
            "call('setdomainname', b'mine', 4)",
            "call('vhangup')",
        ]
        with sandbox() as box:
            assert not_refused(box, attempts) == {}

    @as_root_and_as_user
    def test_a_host_users_keys_are_not_listed(self) -> None:
        """A key in the keyring of the user who started the sandbox is not to be seen in it."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(248 if platform.machine() == "x86_64" else 217, b"user", b"planted-key", b"x", 1, -4) < 0:
            pytest.skip("this kernel, or who started it, lets nobody keep keys")
        with sandbox() as box:
            assert "planted-key" not in says(box, "cat /proc/keys /proc/key-users; true")

    @as_root_and_as_user
    def test_no_device_is_made(self) -> None:
        """No device node can be made; a FIFO, which is none, can."""
        attempts = [
            "os.mknod('/tmp/null', stat.S_IFCHR | 0o666, os.makedev(1, 3))",
            "os.mknod('/tmp/memory', stat.S_IFCHR | 0o666, os.makedev(1, 1))",
            "os.mknod('/tmp/disk', stat.S_IFBLK | 0o666, os.makedev(254, 0))",
        ]
        with sandbox() as box:
            assert not_refused(box, attempts) == {}
            assert tried(box, ["os.mkfifo('/tmp/fifo')"]) == {"os.mkfifo('/tmp/fifo')": "done: None"}

    @pytest.mark.skipif(platform.machine() != "x86_64", reason="only there are two more ways to ask the kernel")
    @as_root_and_as_user
    def test_no_other_way_of_asking_goes_round_the_filter(self) -> None:
        """The x32 numbers and the 32-bit entry give nothing of what the filter refuses."""
        # keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0) by `int 0x80`
        code = (
            b"\x53\xb8\x20\x01\x00\x00\xbb\x00\x00\x00\x00\xb9\xfc\xff\xff\xff\xba\x00\x00\x00\x00\xcd\x80\x5b\xc3"
        )
        attempts = [
            "call(0x40000000 | 250, 0, -4, 0)",
            "call(0x40000000 | 41, 40, 1, 0)",
            f"machine_code({code!r})",
        ]
        with sandbox() as box:
            # a kernel without the 32-bit entry ends who tries it
            assert set(tried(box, attempts).values()) <= {*REFUSED, "killed by 11"}


@needs_python
class TestNetwork:
    @as_root_and_as_user
    def test_nothing_outside_can_be_reached(self) -> None:
        """There is no way out: no names, TCP, UDP, raw packets, metadata address, nor IPv6."""
        unreachable = [
            "socket.create_connection(('1.1.1.1', 53), 1)",
            "socket.create_connection(('169.254.169.254', 80), 1)",
            "socket.create_connection(('2606:4700:4700::1111', 53), 1)",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
        ]
        with sandbox() as box:
            assert set(tried(box, unreachable).values()) <= {"ENETUNREACH", "EADDRNOTAVAIL", *REFUSED}
            named = tried(box, ["socket.getaddrinfo('example.com', 80)"])
            assert "gaierror" in "".join(named.values())
            assert says(box, "cat /proc/net/dev | tail -n +3 | cut -d: -f1").split() in ([], ["lo"])

    @as_root_and_as_user
    def test_odd_kinds_of_sockets_are_refused(self) -> None:
        """Raw and packet sockets, and those to the hypervisor or the kernel's ciphers, cannot be opened."""
        kinds = (
            "AF_INET, socket.SOCK_RAW, 1",
            "AF_PACKET, socket.SOCK_RAW",
            "AF_VSOCK",
            "AF_ALG, 5",
            "AF_TIPC, 2",
        )
        attempts = [f"socket.socket(socket.{kind})" for kind in kinds]
        pairs = [f"socket.socketpair(socket.{kind})" for kind in kinds[1:]]
        with sandbox() as box:
            assert not_refused(box, attempts) == {}
            assert set(tried(box, pairs).values()) == {
                "EAFNOSUPPORT"
            }  # by the filter, before the kernel makes one
            assert tried(box, ["len(socket.socketpair())"]) == {"len(socket.socketpair())": "done: 2"}

    @as_root_and_as_user
    def test_the_hosts_loopback_is_another(self) -> None:
        """A service on the host's loopback interface is asked by nobody from within, at whichever address."""
        with closing(socket.create_server(("0.0.0.0", 0))) as server:
            port = server.getsockname()[1]
            server.setblocking(False)
            own = [address[4][0] for address in socket.getaddrinfo(socket.gethostname(), port)]
            attempts = [
                f"socket.create_connection(({address!r}, {port}), 1)" for address in {"127.0.0.1", "0.0.0.0", *own}
            ]
            with sandbox() as box:
                said = set(tried(box, attempts).values())
            assert said <= {"ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL", *REFUSED}
            with pytest.raises(BlockingIOError):
                server.accept()

    @as_root_and_as_user
    def test_the_hosts_sockets_without_a_file_are_not_there(self) -> None:
        """A Unix socket of the host that has a name and no file cannot be reached."""
        name = f"\0tinysmith-{os.getpid()}"
        with closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(name)
            server.listen()
            attempt = f"socket.socket(socket.AF_UNIX).connect({name!r})"
            with sandbox() as box:
                assert tried(box, [attempt])[attempt] in {"ECONNREFUSED", *REFUSED}
