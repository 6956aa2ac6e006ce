"""The sandbox of a Docker-compatible engine, against a real Podman."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from podman import IMAGE, Podman
from sandboxes import wait_until

from tinysmith.errors import EnvironmentLost, SandboxError, SandboxUnavailable, UsageError
from tinysmith.sandbox import Bind, Entry, Sandbox, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox.docker import Docker
from tinysmith.sandbox.sandbox import Stop, Stopped

BYTES = bytes(range(256)) * 4
ENTRIES = (
    Entry("/home/data", "dir", 0o750, mtime_s=1_000_000_000.0),
    Entry("/home/data/run.sh", mode=0o755, data=b"#!/bin/sh\necho ran\n", mtime_s=1_200_000_000.5),
    Entry("/home/data/raw", data=BYTES, mode=0o600),
    Entry("/home/data/link", "link", target="run.sh"),
)
FILES = Tree(ENTRIES)
LEFT = "for each in /proc/[1-9]*; do tr '\\0' ' ' < $each/cmdline; done 2> /dev/null"


@pytest.fixture(scope="module")
def back_end(podman: Podman) -> Docker:
    """The back end with that service."""
    return Docker(IMAGE, base_url=podman.url)


@pytest.fixture(scope="module")
def box(back_end: Docker) -> Iterator[Sandbox]:
    """A sandbox that tests share, which leave it as it was."""
    spec = SandboxSpec(tree=FILES, cwd="/made/for/it", limits=SandboxLimits(output_bytes=2_000_000))
    with back_end.create(spec) as made:
        yield made


def said(box: Sandbox, command: str) -> str:
    return box.exec(command, merges_stderr=True).text.strip()


class TestMaking:
    def test_the_engine_is_probed(self, podman: Podman, monkeypatch: pytest.MonkeyPatch) -> None:
        """The engine that DOCKER_HOST names is found, with its version, its runtime and the image."""
        monkeypatch.setenv("DOCKER_HOST", podman.url)
        found = Docker(IMAGE).probe()
        assert found.ok, found.reason
        assert found.features[0].startswith("Podman ")
        assert found.features[1:] == ("runtime crun", f"image {IMAGE}")
        assert Docker(IMAGE, runtime="oci").probe().ok  # what Podman calls its default

    def test_what_cannot_be_made_is_said(self, back_end: Docker, tmp_path: Path) -> None:
        """A missing image, runtime or bind, and a tree or a folder that cannot be, have a sentence each."""
        spec = SandboxSpec()
        with pytest.raises(SandboxUnavailable, match=r"has no image 'localhost/none'\. Pull it with `docker pull"):
            evolve(back_end, image="localhost/none").create(spec)
        with pytest.raises(SandboxUnavailable, match="runtime 'oci', although it was asked for 'none'"):
            evolve(back_end, runtime="none").create(spec)
        with pytest.raises(UsageError, match=r"there is no .*/missing on the host"):
            back_end.create(SandboxSpec(binds=(Bind(tmp_path / "missing", "/shown"),)))
        with pytest.raises(UsageError, match="tree cannot be made in the image"):
            back_end.create(SandboxSpec(tree=Tree.of({"/usr/bin/env/file": ""})))
        with pytest.raises(UsageError, match="'/usr/bin/env/folder' cannot be made"):
            back_end.create(SandboxSpec(cwd="/usr/bin/env/folder"))

    def test_the_container_is_closed_up(
        self, podman: Podman, back_end: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A container has the spec's limits and nothing of the host's: no network, no rights, no variables."""
        configuration = {"proxies": {"default": {"httpProxy": "http://user:canary@proxy"}}, "detachKeys": "ctrl-a"}
        (tmp_path / "config.json").write_text(json.dumps(configuration), encoding="utf-8")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        shown = tmp_path / "shown"
        shown.write_text("shown", encoding="ascii")
        limits = SandboxLimits(memory_bytes=64 << 20, shm_bytes=1 << 20, processes=9)
        spec = SandboxSpec(binds=(Bind(shown, "/srv/shown"),), environment={"A": "spec"}, limits=limits)
        with back_end.create(spec) as box:
            (name,) = podman.containers()
            found = podman.client.inspect_container(name)
            host = found["HostConfig"]
            assert (host["NetworkMode"], host["AutoRemove"], host["LogConfig"]["Type"]) == ("none", True, "none")
            assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (65 << 20, 65 << 20, 41)
            assert "no-new-privileges" in host["SecurityOpt"]
            assert found["Config"]["Labels"] == {"tinysmith": "sandbox"}
            assert "canary" not in json.dumps(found) + said(box, "cat /proc/*/environ")
            status = said(box, "cat /proc/self/status").splitlines()
            assert {"NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"} <= set(status)
            assert said(box, "ls /sys/class/net; id -u; cat /proc/sys/kernel/hostname").split() == [
                "lo",
                "0",
                "sandbox",
            ]
            assert "Read-only" in said(box, "cat /srv/shown; echo x > /srv/shown")
            assert said(box, "head -c 2M /dev/zero > /dev/shm/a; stat -c %s /dev/shm/a").endswith("1048576")
            names = {line.partition("=")[0] for line in said(box, "env").splitlines()}
            assert names <= {"A", "PATH", "HOME", "LANG", "PWD", "SHLVL", "_"}

    def test_the_tree_is_what_it_says(self, box: Sandbox) -> None:
        """Files, folders and links are there, with their contents, modes and times, and the folder to begin in."""
        assert box.exec("./link", cwd="/home/data").text == "ran\n"
        stats = said(box, "cd /home/data; stat -c '%a %Y %n %u' . run.sh raw").splitlines()
        assert stats[:2] == ["750 1000000000 . 0", "755 1200000000 run.sh 0"]
        assert stats[2].startswith("600 ")
        assert box.read_file("/home/data/raw") == BYTES
        assert said(box, "pwd") == "/made/for/it"


class TestExec:
    def test_a_command_gives_what_it_gives(self, box: Sandbox) -> None:
        """Arguments, input, both streams, variables and codes are passed as they are."""
        done = box.exec("cat; echo $A >&2; exit 3", stdin=BYTES + b"q", environment={"A": "é b"})
        assert (done.stdout, done.stderr, done.exit_code) == (BYTES + b"q", "é b\n".encode(), 3)
        done = box.exec("cat; echo 1; echo 2 >&2; echo 3; kill -9 $$", merges_stderr=True)
        assert (done.text, done.error_text, done.exit_code, done.ended_by) == ("1\n2\n3\n", "", 137, "")
        assert box.exec(["no=such", "a b"]).exit_code == 127
        for stdin in (b"\x10", b"\x10\x11", b"0\n" * 200_000):
            assert box.exec(["cat"], stdin=stdin).stdout == stdin

    def test_what_cannot_begin_is_said(self, box: Sandbox) -> None:
        """A missing folder is the sandbox's error; where bash is gone, nothing can be run."""
        with pytest.raises(SandboxError, match="cannot begin in that folder: /missing: No such file"):
            box.exec("true", cwd="/missing")
        with box.fork() as other:
            other.exec("rm /usr/bin/bash")
            with pytest.raises(EnvironmentLost, match=r"Nothing can be run in the sandbox: .*bash"):
                other.exec("true")

    def test_nothing_outlives_its_command(self, box: Sandbox) -> None:
        """Whatever a command leaves is ended with it: adopted, in a session of its own, or without a waiter."""
        with box.open_session() as session:
            session.run("sleep 1001 & word=kept")
            for command, code in {
                "sleep 1002 & echo on": 0,
                "setsid sleep 1003 & echo on": 0,
                "(trap '' TERM; setsid bash -c 'sleep 1004' &) & sleep 0.1; echo on": 0,
                "sleep 1005 & echo on; kill -9 $PPID; sleep 1006": 137,
                "sleep 1007 & echo on; trap '' TERM; kill 0": 0,
                "run() { (run &); }; for i in 1 2 3; do run & done; echo on": 0,
            }.items():
                done = box.exec(command, wall_s=5.0)
                assert (done.text, done.exit_code, done.ended_by) == ("on\n", code, ""), command
                left = said(box, LEFT)
                assert (left.count("sleep"), left.count("sleep 1001")) == (1, 1), command
            assert session.run("echo $word").text == "kept\n"

    def test_the_first_process_cannot_be_ended_from_within(self, box: Sandbox) -> None:
        """No signal from within ends the container, and what others print in its name is no answer."""
        box.exec("for each in $(kill -l | tr -d '0-9)'); do kill -s $each 1; done; echo 1 yes > /proc/1/fd/1")
        done = box.exec("while :; do echo 1 yes; done > /proc/1/fd/1", wall_s=0.2)
        assert done.ended_by == "wall_s"
        assert said(box, "echo on") == "on"

    def test_time_output_and_a_stop_end_a_command(self, box: Sandbox) -> None:
        """A command that takes too long, prints too much or is stopped is ended; what it printed is told."""
        done = box.exec("echo early; echo e >&2; sleep 1000", wall_s=0.3)
        assert (done.text, done.error_text, done.ended_by, done.exit_code) == ("early\n", "e\n", "wall_s", 137)
        most = box.spec.limits.output_bytes
        done = box.exec(f"head -c {most - 9} /dev/zero; head -c 40 /dev/zero >&2; sleep 1000")
        assert (done.ended_by, len(done.stdout + done.stderr)) == ("output_bytes", most)
        assert box.exec(f"head -c {most + 1} /dev/zero").ended_by == "output_bytes"
        stop = Stop()
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(Stopped):
            box.exec("sleep 1000", stop=stop)
        stop.close()
        assert said(box, "echo on") == "on"

    def test_many_commands_run_at_the_same_time(self, box: Sandbox) -> None:
        """Commands wait side by side, and the end of one leaves the others alone."""

        async def work() -> list[str]:
            done = await asyncio.gather(*(box.aexec(f"sleep 0.{number}; echo {number}") for number in range(4)))
            return [each.text for each in done]

        assert asyncio.run(work()) == ["0\n", "1\n", "2\n", "3\n"]


class TestLimits:
    def test_each_process_has_its_limits(self, back_end: Docker) -> None:
        """Processor time, address space, files' sizes and open files are bounded, and can be raised by nobody."""
        limits = SandboxLimits(cpu_s=1, memory_bytes=64 << 20, file_bytes=4096)
        with back_end.create(SandboxSpec(limits=limits)) as box:
            assert box.exec("while :; do :; done").exit_code == 137
            assert "exhausted" in said(box, "dd if=/dev/zero of=/dev/null bs=100M count=1")
            assert box.exec("head -c 5000 /dev/zero > /tmp/a; stat -c %s /tmp/a").text == "4096\n"
            assert said(box, "ulimit -n; ulimit -c").split() == ["256", "0"]
            assert box.exec("ulimit -t 2 || ulimit -f 8 || ulimit -n 300 || ulimit -v 100000").exit_code == 1

    def test_the_files_are_measured(self, back_end: Docker) -> None:
        """Whoever fills the disk is ended; then files can be taken away, and once that is done, written again."""
        limits = SandboxLimits(disk_bytes=2 << 20)
        fill = "while :; do head -c 100000 /dev/zero > /tmp/$RANDOM; done"
        with back_end.create(SandboxSpec(limits=limits)) as box, box.open_session() as session:
            assert box.exec(fill).ended_by == "disk_bytes"
            assert box.exec("echo x > /tmp/a").exit_code != 0
            assert box.exec("rm -r /tmp/*").exit_code == 0
            assert box.exec("echo x > /tmp/a; cat /tmp/a").text == "x\n"
            assert session.run(fill).ended_by == "disk_bytes"


class TestSession:
    def test_a_session_keeps_what_it_is_told(self, box: Sandbox) -> None:
        """Folder, variables and code stay; both streams are one; only a NUL is refused."""
        with box.open_session() as session:
            done = session.run("cd /tmp; x=1; echo out; echo err >&2; (exit 7)")
            assert (done.text, done.exit_code, done.is_session_new) == ("out\nerr\n", 7, False)
            assert session.run("echo $? $x $PWD; cat").text == "7 1 /tmp\n"
            with pytest.raises(UsageError, match="NUL"):
                session.run("\0")
        session.close()
        with pytest.raises(UsageError, match="closed"):
            session.run("true")

    def test_a_command_is_ended_and_the_shell_stays_if_it_can(self, box: Sandbox) -> None:
        """Time and a stop end what the shell runs; only where it goes on is the shell lost, too."""
        with box.open_session() as session:
            done = session.run("x=kept; echo early; sleep 1000", wall_s=0.2)
            assert (done.text[:6], done.ended_by, done.is_session_new) == ("early\n", "wall_s", False)
            done = session.run("echo $x; while :; do :; done", wall_s=0.2)
            assert (done.text, done.ended_by, done.exit_code, done.is_session_new) == (
                "kept\n",
                "wall_s",
                137,
                True,
            )
            stop = Stop()
            stop.set()
            with pytest.raises(Stopped):
                session.run("x=new; sleep 1000", stop=stop)
            stop.close()
            assert session.run("echo -$x-").text in ("-new-\n", "--\n")

    def test_the_end_of_the_shell_is_told(self, box: Sandbox) -> None:
        """A shell that ends gives its code, or 137 where it was killed, and the next command meets a new one."""
        with box.open_session() as session:
            for command, code in {"echo out; exit 3": 3, "echo out; kill -9 $PPID; sleep 1000": 137}.items():
                done = session.run(command)
                assert (done.text, done.exit_code, done.is_session_new) == ("out\n", code, True)
            session.run("exit")
            session.close()

    def test_a_session_takes_one_command_at_a_time(self, box: Sandbox) -> None:
        """A second command is a mistake of the caller's; closing ends the first one, which says so."""
        session = box.open_session()
        caught: list[BaseException] = []

        def run() -> None:
            try:
                session.run("echo > /tmp/begun; sleep 1000")
            except EnvironmentLost as error:
                caught.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        assert box.exec("until [ -e /tmp/begun ]; do sleep 0.01; done; rm /tmp/begun").exit_code == 0
        with pytest.raises(UsageError, match="one at a time"):
            session.run("true")
        session.close()
        thread.join()
        assert "closed while a command ran" in str(caught[0])


class TestLife:
    def test_a_fork_and_its_origin_go_their_own_ways(self, podman: Podman, back_end: Docker) -> None:
        """A fork has the files as they are, a reset those of the tree; images go with the last who needs them."""
        before = podman.images()
        with back_end.create(SandboxSpec(tree=Tree.of({"/tmp/a": "made"}))) as box:
            box.exec("echo changed > /tmp/a; chmod 700 /tmp/a")
            one = box.fork()
            two = one.fork()
            one.exec("echo one > /tmp/a")
            one.close()
            assert said(two, "cat /tmp/a; stat -c %a /tmp/a").split() == ["changed", "700"]
            session = two.open_session()
            two.reset()
            assert two.read_file("/tmp/a") == b"made"
            two.close()
            with pytest.raises(UsageError, match="closed"):
                session.run("true")
        box.close()
        assert podman.images() == before
        for call in (lambda: box.exec("true"), box.open_session, box.fork, box.reset):
            with pytest.raises(UsageError, match="closed"):
                call()

    def test_a_fork_that_cannot_be_made_leaves_nothing(
        self, podman: Podman, back_end: Docker, tmp_path: Path
    ) -> None:
        """Where the second container cannot be made, its image is taken away again."""
        shown = tmp_path / "shown"
        shown.touch()
        before = podman.images()
        with back_end.create(SandboxSpec(binds=(Bind(shown, "/srv/shown"),))) as box:
            shown.unlink()
            with pytest.raises(UsageError, match=r"no .*/shown"):
                box.fork()
        assert podman.images() == before

    def test_a_dead_container_is_lost(self, podman: Podman, back_end: Docker) -> None:
        """A container that was ended from outside is no wrong answer, but a lost environment; closing is fine."""
        before = set(podman.containers())
        box = back_end.create(SandboxSpec())
        session = box.open_session()
        (name,) = set(podman.containers()) - before
        podman.client.kill(name)
        for call in (lambda: session.run("true"), lambda: box.exec("true"), box.open_session, box.fork):
            with pytest.raises(EnvironmentLost):
                call()
        box.close()

    def test_closing_ends_what_runs(self, back_end: Docker) -> None:
        """A command whose sandbox is closed by another thread says so."""
        box = back_end.create(SandboxSpec())
        timer = threading.Timer(0.3, box.close)
        timer.start()
        with pytest.raises(EnvironmentLost, match="closed while a command ran"):
            box.exec("sleep 1000")
        timer.join()

    def test_a_container_ends_with_its_process(self, podman: Podman) -> None:
        """Where the process that made a sandbox dies, the container goes."""
        script = (
            "import os, sys; from tinysmith.sandbox import Docker, SandboxSpec;"
            "box = Docker(sys.argv[1], base_url=sys.argv[2]).create(SandboxSpec());"
            "print(box.exec('echo on').text, flush=True); os.kill(os.getpid(), 9)"
        )
        before = podman.containers()
        command = [sys.executable, "-c", script, IMAGE, podman.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == ("on\n\n", -9), done.stderr
        assert wait_until(lambda: podman.containers() == before, 20.0)
