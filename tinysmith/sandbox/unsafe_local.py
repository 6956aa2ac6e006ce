"""No sandbox at all: commands run on the host, as its user, with its network and all its files.

It is for machines that are sandboxes themselves, and for looking at a failure. It is never chosen by `auto`.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, evolve, frozen

from tinysmith.errors import SandboxError, UsageError
from tinysmith.sandbox._folder import Folder
from tinysmith.sandbox._foldered import FolderSandbox
from tinysmith.sandbox._invocation import ENVIRONMENT, heeding, limited
from tinysmith.sandbox._running import Process, Status, descendants, machinery
from tinysmith.sandbox._words import checked_cwd, checked_environment, checked_words
from tinysmith.sandbox.sandbox import Sandbox, Stop
from tinysmith.sandbox.spec import Availability, SandboxLimits, SandboxSpec, demand_spec


class UnsafeLocal:
    """Runs commands on the host, in a folder; nothing keeps them there."""

    def probe(self) -> Availability:
        """Always available."""
        return Availability(ok=True, features=("no isolation",))

    def create(self, spec: SandboxSpec) -> Sandbox:
        """A folder with the tree; commands begin in it, and an absolute path is the host's.

        Raises:
            UsageError: The spec has binds, or its tree cannot be made.
        """
        demand_spec(spec)
        if spec.binds:
            raise UsageError("UnsafeLocal shows no binds: commands see the whole host; leave them out.")
        return LocalSandbox(spec)


class LocalSandbox(FolderSandbox):
    """A folder of the host, in which commands begin."""

    def invocation(
        self,
        command: str | Sequence[str],
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        limits: SandboxLimits | None = None,
    ) -> "LocalInvocation":
        """How a command is started."""
        root = self.folder.root
        place = root / checked_cwd(self.spec.cwd if cwd is None else cwd)[1:]
        variables = {
            **ENVIRONMENT,
            "HOME": str(root / "root"),
            "TMPDIR": str(root / "tmp"),
            **self.spec.environment,
        }
        variables |= checked_environment(environment or {})
        most = limits or self.spec.limits
        words = (*limited(evolve(most, processes=most.processes + _running())), *checked_words(command))
        return LocalInvocation(words, place, variables)

    def fork(self, *, stop: Stop | None = None) -> "LocalSandbox":
        """A second sandbox with a copy of the files."""
        return LocalSandbox(self.spec, copied=self, stop=stop)

    @staticmethod
    def new_uid() -> int | None:
        """Ours."""
        return None

    def within(self, path: str) -> str:
        """Where it is on the host."""
        return str(self.folder.root / path[1:])

    def counting(self) -> None:
        """Nobody may read what is closed to us."""

    def copying(self, old: Folder) -> "LocalInvocation":
        """How the files of another sandbox are copied to this one's."""
        return LocalInvocation(("/bin/cp", "-a", "--", f"{old.root}/.", str(self.folder.root)), Path("/"), {})


@frozen
class LocalInvocation:
    """How a command is started on the host."""

    words: tuple[str, ...]
    place: Path
    environment: dict[str, str]

    def admit(self, descriptor: int) -> None:
        """Does nothing: it runs as we do."""

    def begin(self, **streams: Any) -> Process:
        """Starts it."""
        if not self.place.is_dir():
            raise SandboxError(f"The command cannot begin in that folder: there is no {self.place}.")
        with machinery():
            main = subprocess.Popen(  # noqa: S603  # it is what this back end is for, and it says so by its name
                (*heeding(), *self.words), env=self.environment, cwd=self.place, start_new_session=True, **streams
            )
            status = Status.new()
        status.started()
        status.process = main.pid
        return LocalProcess(main, status)


@define(eq=False)
class LocalProcess(Process):
    """A process of the host, and those of its session."""

    def kill(self) -> None:
        """Ends it, what it has begun, and its process group."""
        self.end_others()
        self.main_ended()

    def main_ended(self) -> None:
        """Ends what is left of its process group; who left that goes on."""
        with suppress(ProcessLookupError):
            os.killpg(self.main.pid, signal.SIGKILL)

    def others(self) -> list[int]:
        """What it has begun."""
        return descendants(self.main.pid)[1:]

    def end_others(self) -> None:
        """Ends what it has begun."""
        for process in self.others():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def finish(self) -> int | None:
        """Waits for it, and returns its exit code."""
        code = self.main.wait()
        return code if code >= 0 else 128 - code


def _running() -> int:
    """How many processes and threads our user has now, which the kernel counts with those of a command."""
    count = 0
    for threads in Path("/proc").glob("[0-9]*/task"):
        with suppress(OSError):  # it has ended
            count += len(os.listdir(threads)) if threads.stat().st_uid == os.getuid() else 0  # noqa: PTH208
    return count
