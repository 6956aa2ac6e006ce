"""What the sandbox's tests share: work in a process of its own, as root or as a user, that leaves nothing."""

import ctypes
import encodings.idna  # noqa: F401  # for sockets of who may not read where it is
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial, wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import pytest
from attrs import frozen

from tinysmith.errors import SandboxError
from tinysmith.mapping import freeze
from tinysmith.sandbox import Availability, Backend, Executed, Sandbox, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox.bubblewrap import Bubblewrap, BubblewrapSandbox

R = TypeVar("R")

LONGEST_S = 60  # a test that hangs is ended
# Nobody else's, not even another worker's, so that its count of processes is the test's own.
USER = 54_321 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
IS_ROOT = os.geteuid() == 0
_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36

AVAILABLE = Bubblewrap().probe()
needs_sandbox = pytest.mark.skipif(not AVAILABLE.ok, reason=f"no sandbox here: {AVAILABLE.reason}")
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become others")


@frozen
class Process:
    """A process of the host, told from a later one that has its number."""

    number: int
    began: int
    name: str
    status: str

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        now = _process(self.number)
        return now is not None and now[0].began == self.began and now[0].status not in "ZX"


def _process(number: int) -> tuple[Process, int] | None:
    """It and its parent's number."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(") ")
    fields = rest.split()
    return Process(number, int(fields[19]), name, fields[0]), int(fields[1])


def parent_of(process: Process) -> int:
    """Who began it, or has taken it in; 0 where it has gone."""
    found = _process(process.number)
    return found[1] if found else 0


def descendants(number: int) -> set[Process]:
    """The children of a process, and theirs, zombies too."""
    children: dict[int, list[Process]] = {}
    for name in names_in("/proc"):
        if name.isdigit() and (found := _process(int(name))):
            children.setdefault(found[1], []).append(found[0])
    family: set[Process] = set()
    left = [number]
    while left:
        born = children.get(left.pop(), [])
        family.update(born)
        left += [process.number for process in born]
    return family


def living(number: int | None = None) -> set[Process]:
    """The descendants of a process, by default this one, that are no zombies."""
    return {process for process in descendants(number or os.getpid()) if process.status not in "ZX"}


def names_in(folder: Path | str) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in Path(folder).iterdir())


def mounts() -> list[str]:
    """Where something is mounted for this process."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return sorted(line.split()[4] for line in lines)


def wait_until(is_so: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something becomes so within some seconds."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def all_gone(family: Collection[Process], seconds: float = 20.0) -> bool:
    """Whether some processes end within some seconds."""
    return wait_until(lambda: not any(process.is_alive for process in family), seconds)


# A process apart ---------------------------------------------------------------------------------


def apart(work: Callable[[], R], *, uid: int = 0, is_tidy: bool = True, takes_in: bool = True) -> R:
    """Does work in a forked process with a temporary folder of its own, and gives what it gives.

    Whatever it has imported is there for it, although a user could not read it. It takes in its orphans, so that
    none is missed: no process, mount or file may be left when the work is done.

    Args:
        work: What to do; what it raises is raised here.
        uid: Who does it; 0 for who runs the tests.
        is_tidy: Whether leaving something is a failure.
        takes_in: Whether it takes in orphans; else the machine's first process does, and reaps them.
    """
    with tempfile.TemporaryDirectory(prefix="tinysmith-test-", ignore_cleanup_errors=True) as folder:
        if uid:
            os.chown(folder, uid, uid)
        Path(folder).chmod(0o711)  # the user of a sandbox of root's must come through
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the work uses none of theirs
            child = os.fork()
        if not child:
            os.close(reading)
            _do_apart(work, uid, folder, writing, takes_in=takes_in)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        left = names_in(folder)
    if not said:
        raise AssertionError(f"the process apart died: {os.waitstatus_to_exitcode(status)}")
    error, result, found = cast("tuple[BaseException | None, R, list[str]]", pickle.loads(said))
    if error:
        raise error
    if is_tidy:
        assert not found + left, f"processes and mounts {found}, and files {left}, were left"
    return result


def _do_apart(work: Callable[[], Any], uid: int, folder: str, writing: int, *, takes_in: bool) -> None:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LONGEST_S)
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(takes_in), 0, 0, 0)
        if uid:
            _become(uid)
            os.environ["HOME"] = folder
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        error, result, found = None, None, []
        try:
            before = mounts()
            result = work()
            # The first process within a sandbox, taken in from a dead `bwrap`, is a zombie that nobody waits for.
            wait_until(lambda: not living())
            found = [str(process) for process in living()] + sorted(set(mounts()) - set(before))
        except BaseException as caught:  # noqa: BLE001  # raised again in the process that waits
            caught.add_note("".join(traceback.format_exception(caught)))
            error = caught
        _tell(writing, error, result, found)
        with suppress(OSError):  # in a namespace where there is no root
            os.setresuid(0, 0, 0)  # what measures coverage writes beside the sources
    finally:
        _exit()


def _exit() -> NoReturn:
    """Ends this process as `os._exit` does, by which coverage would also save all that its parent had measured."""
    try:
        measuring = sys.modules.get("coverage")
        current = measuring and measuring.Coverage.current()
        if current:
            current.save()
    finally:  # also where it cannot be written, as in a namespace without root
        ctypes.CDLL(None)._exit(0)
    raise AssertionError


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, 0)
    # Root is kept where only this process could find it again: what it executes loses that, too.
    os.setresuid(uid, uid, 0)
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 1, 0, 0, 0)


def _tell(writing: int, error: BaseException | None, result: Any, found: list[str]) -> None:
    try:
        said = pickle.dumps((error, result, found))
    except Exception as problem:  # noqa: BLE001  # of any kind that pickle or a value's own method raises
        told = AssertionError(f"{error or result!r} cannot be told: {problem}")
        said = pickle.dumps((told, None, found))
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(said)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def as_user(work: Callable[[], R]) -> R:
    """Does work as an unprivileged user in a process apart; as oneself where one is no root."""
    return apart(work, uid=USER if IS_ROOT else 0)


@cache
def user_availability() -> Availability:
    """Whether an unprivileged user can have sandboxes here."""
    return as_user(Bubblewrap().probe)


def become(who: str, work: Callable[[], R]) -> R:
    """Does work apart as `root` or as `user`, or skips the test where that cannot be."""
    if not AVAILABLE.ok:
        pytest.skip(f"no sandbox here: {AVAILABLE.reason}")
    if who == "user" and not user_availability().ok:
        pytest.skip(f"no sandbox for users here: {user_availability().reason}")
    if who == "root" and not IS_ROOT:
        pytest.skip("the tests are not run by root")
    return apart(work) if who == "root" else as_user(work)


def for_each(
    test: Callable[..., None],
    name: str,
    values: Sequence[str],
    call: Callable[[str, Callable[..., None], pytest.FixtureRequest], None],
) -> Callable[..., None]:
    """A test that is done once for each value, which `call` has for doing it."""

    @wraps(test)
    def run(*arguments: Any, request: pytest.FixtureRequest, **fixtures: Any) -> None:
        value = fixtures.pop(name)
        call(value, partial(test, *arguments, **fixtures), request)

    asked = [each for each in signature(test).parameters.values() if each.name != name]
    asked += [Parameter(each, Parameter.KEYWORD_ONLY) for each in (name, "request")]
    # inspect's own protocol, by which pytest finds the names of fixtures
    vars(run)["__signature__"] = Signature(asked)
    parametrized: Callable[..., None] = pytest.mark.parametrize(name, values)(run)
    return parametrized


def as_root_and_as_user(test: Callable[..., None]) -> Callable[..., None]:
    """A test that is done twice, each time in a process apart, after which nothing may be left."""
    return for_each(test, "who", ["root", "user"], lambda who, work, _: become(who, work))


# Sandboxes ---------------------------------------------------------------------------------------


@frozen
class Maker:
    """Makes sandboxes of one back end.

    Attributes:
        back_end: Which.
    """

    back_end: Backend

    def sandbox(
        self,
        files: Mapping[str, str | bytes] | None = None,
        *,
        tree: Tree | None = None,
        cwd: str = "/",
        environment: Mapping[str, str] | None = None,
        limits: SandboxLimits | None = None,
    ) -> Sandbox:
        """One with some files."""
        spec = SandboxSpec(
            tree=Tree.of(files or {}) if tree is None else tree,
            cwd=cwd,
            environment=freeze(environment or {}),
            limits=limits or SandboxLimits(),
        )
        return self.back_end.create(spec)


def sandbox(
    files: Mapping[str, str | bytes] | None = None, *, cwd: str = "/", limits: SandboxLimits | None = None
) -> Sandbox:
    """One of bubblewrap's."""
    return Maker(Bubblewrap()).sandbox(files, cwd=cwd, limits=limits)


def says(box: Sandbox, command: str | list[str], **options: Any) -> str:
    """What a command prints, both streams, without the blanks around it."""
    return box.exec(command, merges_stderr=True, **options).text.strip()


class ShutSandbox(BubblewrapSandbox):
    """One whose root nobody may enter after some commands, as with an engine it may be."""

    opened = 0

    def exec(self, *arguments: Any, **options: Any) -> Executed:
        """Runs the first commands, and none after those."""
        if not self.opened:
            raise SandboxError("The command cannot begin in that folder: Can't chdir to /: Permission denied.")
        self.opened -= 1
        return super().exec(*arguments, **options)


class Shut:
    """Makes sandboxes that run a few commands each."""

    def __init__(self, opened: int) -> None:
        self._opened = opened

    def probe(self) -> Availability:
        """It is there where bubblewrap is."""
        return Bubblewrap().probe()

    def create(self, spec: SandboxSpec) -> Sandbox:
        """One that runs a few commands."""
        made = ShutSandbox(spec)
        made.opened = self._opened
        return made
