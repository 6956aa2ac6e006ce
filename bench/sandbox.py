"""What a sandbox costs, and gets past its limits: starts, sessions, memory, leavings, overshoot.

The floor of a start is the same argument list and the same filter of system calls, started by a plain `subprocess`
and waited for; that of a session is the same words sent to a bare bash through a pipe. Everything is done as who
runs this and, where that is root, as an unprivileged user too. Overshoot is what a command got beyond a limit that
is watched from outside, or that the kernel keeps for it.
"""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))

from _measure import SHORT, bar, median, per_call, ratio, rounds
from _processes import descendants, living, memory_of, mounts, name_of

from tinysmith.sandbox import Sandbox, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox.bubblewrap import Bubblewrap, BubblewrapSandbox

ROUNDS = 5 if SHORT else 25
STARTS = 10 if SHORT else 20
COMMANDS = 500 if SHORT else 5_000
CROWD = 50 if SHORT else 200
FRESH = 20 if SHORT else 1_000
KILLED = 40 if SHORT else 400
USER = 54_321  # nobody's
MEBIBYTE = 1 << 20
SET_CHILD_SUBREAPER = 36
TREE = Tree.of({f"/home/notes/{number}.txt": f"note {number}\n" for number in range(40)})


def made(limits: SandboxLimits | None = None) -> BubblewrapSandbox:
    """A sandbox with some forty files."""
    return BubblewrapSandbox(SandboxSpec(tree=TREE, limits=limits or SandboxLimits()))


def started(box: Sandbox, times: int) -> None:
    """Runs a command in a sandbox."""
    for _ in range(times):
        done = box.exec(["/usr/bin/true"])
        assert done.exit_code == 0


def started_plainly(box: BubblewrapSandbox, times: int) -> None:
    """Starts the same without tinysmith: nobody watches it, and nobody looks whether all of it has ended."""
    how = box.invocation(["/usr/bin/true"])
    for _ in range(times):
        with how.start(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.communicate()
        assert process.returncode == 0


def started_bare(times: int) -> None:
    """Starts the command itself."""
    for _ in range(times):
        subprocess.run(["/usr/bin/true"], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def lived(times: int) -> None:
    """Makes a sandbox, runs a command in it and takes it away."""
    for _ in range(times):
        with made() as box:
            started(box, 1)


def measure_starting(who: str) -> None:
    """A command in a sandbox beside the same one without tinysmith."""
    box = made()
    with box:
        cases: dict[str, Callable[[], float]] = {
            "bare": lambda: per_call(started_bare, STARTS),
            "plain": lambda: per_call(partial(started_plainly, box), STARTS),
            "exec": lambda: per_call(partial(started, box), STARTS),
            "make, exec, close": lambda: per_call(lived, STARTS),
        }
        measured = rounds(cases, ROUNDS)
    for name, values in measured.items():
        print(f"{name:18} {median(values) / 1e3:9.2f} ms  ({min(values) / 1e3:.2f} to {max(values) / 1e3:.2f})")
    bar(f"a command {who}, over the same started by subprocess", ratio(measured, "exec", "plain"), 1.3, " x")


def measure_sessions(who: str) -> None:
    """A builtin in an open session beside a bare bash that is written to and read from."""
    with made() as box, box.open_session() as session, bare_bash() as bash:
        assert bash.stdin is not None
        assert bash.stdout is not None
        ask, answer = bash.stdin, bash.stdout

        def barely(times: int) -> None:
            for _ in range(times):
                ask.write(b"echo on\n")
                answer.readline()

        def in_session(times: int) -> None:
            for _ in range(times):
                session.run("echo on")

        cases: dict[str, Callable[[], float]] = {
            "bare bash": lambda: per_call(barely, COMMANDS),
            "session": lambda: per_call(in_session, COMMANDS),
        }
        measured = rounds(cases, ROUNDS)
        bash.stdin.close()
    for name, values in measured.items():
        print(f"{name:18} {median(values) / 1e3:9.4f} ms  ({min(values) / 1e3:.4f} to {max(values) / 1e3:.4f})")
    bar(f"a builtin in an open session {who}", median(measured["session"]) / 1e3, 0.2, " ms")


def bare_bash() -> "subprocess.Popen[bytes]":
    """A bash outside of any sandbox, that reads commands from a pipe."""
    return subprocess.Popen(["/bin/bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def measure_crowd(who: str) -> None:
    """Memory of many sandboxes with an open session each."""
    before = memory_of(os.getpid())
    boxes = [made() for _ in range(CROWD)]
    sessions = [box.open_session() for box in boxes]
    for number, session in enumerate(sessions):
        assert session.run(f"number={number}; echo $number").text.strip() == str(number)
    family = descendants(os.getpid())
    ours = memory_of(os.getpid()) - before
    theirs = sum(memory_of(number) for number in family)
    alive = sum(session.run("echo $number").text.strip() == str(n) for n, session in enumerate(sessions))
    for box in boxes:
        box.close()
    print(f"{len(family)} processes with {theirs / MEBIBYTE:.0f} MiB; we grew by {ours / MEBIBYTE:.1f} MiB")
    assert alive == CROWD
    bar(f"{CROWD} sandboxes {who}, a session each", (theirs + ours) / MEBIBYTE, 2048 * CROWD / 200, " MiB")


def measure_leavings(who: str) -> None:
    """What many sandboxes leave: processes, mounts, files, and in this process descriptors and threads."""
    folder = Path(os.environ["TMPDIR"])

    def found() -> tuple[int, int, int, int, int]:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        family = len(descendants(os.getpid()))
        return family, len(mounts()), len(list(folder.iterdir())), descriptors, threading.active_count()

    before = found()
    begin = time.perf_counter()
    for number in range(FRESH):
        with made() as box:
            box.exec("sleep 1000 & echo x > /home/notes/new; mkdir /tmp/a")
            if number % 10 == 0:
                with box.fork() as copy, copy.open_session() as session:
                    session.run("sleep 1000 & cd /tmp/a")
    spent = time.perf_counter() - begin
    print(f"{FRESH:,} sandboxes {who} in {spent:.1f} s, each tenth with a fork and a session")
    names = ("processes", "mounts", "files", "descriptors", "threads")
    for name, early, late in zip(names, before, found(), strict=True):
        bar(f"{name} left by them", late - early, 0)


def measure_killed_beginnings(who: str) -> None:
    """How often somebody who is killed while a command begins leaves it, or a `bwrap` that waits for ever."""
    libc = ctypes.CDLL(None)
    libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # so that what is left can be found
    left, inert = 0, 0
    for number in range(KILLED):
        child = os.fork()
        if not child:
            while True:
                made().exec("sleep 1000", wall_s=1000.0)
        time.sleep(number % 40 / 1e3)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        end = time.monotonic() + 2.0
        while (family := living(os.getpid())) and time.monotonic() < end:
            time.sleep(0.005)
        is_inert = {name_of(each) for each in family} <= {"bwrap", ""}
        left += not is_inert
        inert += bool(family) and is_inert
        for each in family:
            os.kill(each, signal.SIGKILL)
    libc.prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    bar(f"of {KILLED} {who} that were killed while they began, left a command", left, 0)
    print(f"       left a bwrap that had begun nothing, and never will: {inert}")
    measure_leftovers(who)


def measure_leftovers(who: str) -> None:
    """What is left of the files of those who were killed, once another process has made a sandbox."""
    folder = Path(os.environ["TMPDIR"])
    count = len(list(folder.iterdir()))
    child = os.fork()
    if not child:
        made().close()
        os._exit(0)
    os.waitpid(child, 0)
    held = {place: {each.name for each in place.iterdir()} for place in folder.iterdir()}
    left = [place for place, names in held.items() if names - {"not-yet-owned"}]  # an empty one goes in an hour
    bar(f"of {count} folders {who} that killed processes left, not taken away", len(left), 0)


# Overshoot ---------------------------------------------------------------------------------------


def overshot(what: str, limit: float, got: float, unit: str, spent_s: float) -> None:
    """Prints a row."""
    beyond = max(0.0, got - limit)
    print(f"{what:44} {limit:12,.0f} {got:12,.0f} {beyond:12,.0f} {unit:10} {spent_s * 1e3:8.0f} ms")


def measure_overshoot(who: str) -> None:
    """What commands get beyond their limits, as fast as they can."""
    print(f"{'beyond the limits ' + who:44} {'limit':>12} {'had':>12} {'beyond':>12}")
    limits = SandboxLimits(disk_bytes=32 * MEBIBYTE, shm_bytes=MEBIBYTE, processes=32)
    with made(limits) as box:
        filled = "i=0; while :; do head -c 32M /dev/zero > /tmp/$i; i=$((i+1)); done"
        overshot("disk, one writer of large files", limits.disk_bytes, *disk_after(box, filled))
        filled = f"for n in 1 2 3 4 5 6 7 8; do ({filled.replace('/tmp/', '/tmp/$n-')}) & done; wait"
        overshot("disk, eight writers", limits.disk_bytes, *disk_after(box, filled))
        filled = "import os\nfor n in range(10**9):\n f = open(f'/tmp/{n}', 'wb'); f.write(b'x' * 4096)"
        overshot("disk, small files", limits.disk_bytes, *disk_after(box, ["python3", "-c", filled]))
        size, unit, spent = shared_after(box)
        overshot("/dev/shm", limits.shm_bytes, size, unit, spent)
    limits = SandboxLimits(files=2_000)
    with made(limits) as box:
        filled = "import os\nfor n in range(10**9): os.close(os.open(f'/tmp/{n}', os.O_CREAT | os.O_WRONLY))"
        overshot("files, empty ones", limits.files, *files_after(box, ["python3", "-c", filled]))
        overshot("files, folders in folders", limits.files, *files_after(box, ["python3", "-c", DEEP]))
        filled = "import os\nfor n in range(10**9):\n os.close(os.open(f'/dev/shm/{n}', 65)); n % 100 or print(n)"
        done = box.exec(["python3", "-u", "-c", filled])
        count = float(done.text.split()[-1])
        overshot("files in /dev/shm", limits.files, count, f"files ({done.ended_by})", done.duration_s)
    measure_other_overshoot()


DEEP = "import os\nos.chdir('/tmp')\nfor n in range(10**9): os.mkdir('a'); os.chdir('a')"


def disk_after(box: Sandbox, command: str | list[str]) -> tuple[float, str, float]:
    """Bytes that its files take when a command was ended, and how long that took."""
    done = box.exec(command)
    assert done.ended_by, done
    size = float(box.exec(["du", "-s", "-B", "1", "/tmp"]).text.split()[0])
    box.reset()
    return size, f"B ({done.ended_by})", done.duration_s


def files_after(box: Sandbox, command: list[str]) -> tuple[float, str, float]:
    """How many files there are when a command was ended, and how long that took."""
    done = box.exec(command)
    assert done.ended_by == "files", done
    count = float(box.exec("find /tmp | wc -l", wall_s=100.0).text)
    box.reset()
    return count, "files", done.duration_s


def shared_after(box: Sandbox) -> tuple[float, str, float]:
    """Bytes that /dev/shm takes."""
    done = box.exec("head -c 100M /dev/zero > /dev/shm/full 2>/dev/null; stat -c %s /dev/shm/full")
    return float(done.text), "B", done.duration_s


def measure_other_overshoot() -> None:
    """Memory, processes, output and time."""
    limits = SandboxLimits(memory_bytes=128 * MEBIBYTE, processes=12, output_bytes=MEBIBYTE, wall_s=1.0)
    grow = "python3 -c 'import time; held = bytes([1]) * (90 << 20); time.sleep(9)'"
    peak = Peak()
    with made(limits) as box, peak:
        spent = box.exec(f"for i in {{1..30}}; do {grow} & done 2>/dev/null; wait").duration_s
    most = limits.memory_bytes * limits.processes
    overshot("memory, all processes together (PSS)", most, peak.memory, "B", spent)
    peak = Peak()
    with made(limits) as box, peak:
        spent = box.exec("b() { b | b & }; b; while :; do b; done 2>/dev/null", wall_s=0.5).duration_s
    overshot("processes, with two of bwrap", limits.processes + 2, peak.processes, "", spent)
    with made(limits) as box:
        done = box.exec("cat /dev/zero")
        overshot("output", limits.output_bytes, len(done.stdout), "B", done.duration_s)
        done = box.exec("trap '' TERM; while :; do sleep 9; done", wall_s=0.2)
        overshot("time", 200, done.duration_s * 1e3, "ms", done.duration_s)


class Peak:
    """The most processes, and the most memory of them together, while something runs."""

    def __init__(self) -> None:
        self.processes = 0
        self.memory = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            family = descendants(os.getpid())
            self.processes = max(self.processes, len(family))
            self.memory = max(self.memory, sum(memory_of(number) for number in family))


def measure_all(who: str, uid: int, folder: str) -> None:
    """Everything, in a process of its own."""
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    print(f"\n-- {who}: {', '.join(Bubblewrap().probe().features)}")
    for measure in (measure_starting, measure_sessions, measure_crowd, measure_leavings, measure_overshoot):
        measure(who)
    measure_killed_beginnings(who)
    sys.stdout.flush()


def main() -> int:
    """Prints all measurements."""
    found = Bubblewrap().probe()
    if not found.ok:
        print(found.reason)
        return 1
    broken = 0
    people = {"as root": 0, "as a user": USER} if os.geteuid() == 0 else {"as a user": 0}
    for who, uid in people.items():
        with TemporaryDirectory(prefix="tinysmith-bench-") as folder:
            os.chown(folder, uid or os.geteuid(), -1)
            Path(folder).chmod(0o711)  # a sandbox of root's has a user of its own, who must come through
            process = multiprocessing.get_context("fork").Process(target=measure_all, args=(who, uid, folder))
            process.start()
            process.join()
            broken += process.exitcode != 0
    return broken


if __name__ == "__main__":
    sys.exit(main())
