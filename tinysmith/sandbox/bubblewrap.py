"""The sandbox that needs nothing but Linux and `bwrap`, as root and as any user.

Its guarantees, and what it does not promise, are in `docs/sandbox.md`. Source of the mechanism: Bubblewrap,
https://github.com/containers/bubblewrap; the settings are our own, each held by a test.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from tinysmith.errors import EnvironmentLost, SandboxUnavailable
from tinysmith.sandbox._filter import system_call_filter
from tinysmith.sandbox._folder import Folder, spare_uid
from tinysmith.sandbox._foldered import FolderSandbox
from tinysmith.sandbox._invocation import BWRAP, Invocation, copying, counting, invocation
from tinysmith.sandbox._usage import Count
from tinysmith.sandbox._words import checked_cwd, checked_environment, checked_words
from tinysmith.sandbox.sandbox import Sandbox, Stop
from tinysmith.sandbox.spec import Availability, SandboxLimits, SandboxSpec, demand_spec

_INSTALL = "Install it, on Debian or Ubuntu with `apt-get install bubblewrap`."
_REFUSED = (
    "bwrap is here, but cannot make a sandbox ({why}). Where a container is the reason, allow it user namespaces "
    "or run this outside of it; on Ubuntu 24.04 and later AppArmor has to be told to let bwrap make user "
    "namespaces (a profile for /usr/bin/bwrap with `userns,`); elsewhere set the sysctl "
    "kernel.unprivileged_userns_clone to 1."
)


@frozen
class Bubblewrap:
    """Makes sandboxes with `bwrap`: no network, no capabilities, no host files but /usr and a few of /etc.

    Attributes:
        program: Where `bwrap` is.
    """

    program: str = BWRAP

    def probe(self) -> Availability:
        """Whether `bwrap` can make a sandbox here; it makes one to find out."""
        try:
            with self.create(SandboxSpec()) as sandbox:
                sandbox.exec(["/usr/bin/true"])
        except SandboxUnavailable as error:
            return Availability(ok=False, reason=str(error))
        except EnvironmentLost as error:
            return Availability(ok=False, reason=_REFUSED.format(why=str(error).rstrip(".")))
        command = [self.program, "--version"]
        told = subprocess.run(command, check=False, capture_output=True, text=True, env={})  # noqa: S603  # the user's
        filters = [] if system_call_filter() else ["without a filter of system calls"]
        return Availability(
            ok=True, features=(told.stdout.strip(), "as a user" if os.geteuid() else "as root", *filters)
        )

    def create(self, spec: SandboxSpec) -> Sandbox:
        """A sandbox.

        Raises:
            SandboxUnavailable: There is no `bwrap`, or no place for its files.
            UsageError: A bind's source is not there, or the tree cannot be made.
        """
        demand_spec(spec)
        if not Path(self.program).exists():
            raise SandboxUnavailable(f"There is no {self.program}. {_INSTALL}")
        return BubblewrapSandbox(spec, self.program)


class BubblewrapSandbox(FolderSandbox):
    """A folder of the host, in which each command is a `bwrap` of its own.

    Args:
        spec: What it is made of.
        program: Where `bwrap` is.
        copied: What its files are copied from.
        stop: Ends copying when set.
    """

    def __init__(
        self,
        spec: SandboxSpec,
        program: str = BWRAP,
        *,
        copied: "BubblewrapSandbox | None" = None,
        stop: Stop | None = None,
    ) -> None:
        self.program = program
        super().__init__(spec, copied=copied, stop=stop)

    def fork(self, *, stop: Stop | None = None) -> "BubblewrapSandbox":
        """A second sandbox with a copy of the files."""
        return BubblewrapSandbox(self.spec, self.program, copied=self, stop=stop)

    def invocation(
        self,
        command: str | Sequence[str],
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        limits: SandboxLimits | None = None,
    ) -> Invocation:
        """How a command is started; `bench/sandbox.py` starts the same without us.

        Raises:
            UsageError: An argument is none.
        """
        place = checked_cwd(self.spec.cwd if cwd is None else cwd)
        variables = checked_environment(environment or {})
        words = checked_words(command)
        how = invocation(self.spec, limits or self.spec.limits, self.folder, words, place, more=variables)
        return evolve(how, program=self.program)

    @staticmethod
    def new_uid() -> int | None:
        """One that nobody has, where we are root."""
        return spare_uid()

    def counting(self) -> Count:
        """Begins to count what the files take, as somebody who may read them all."""
        return evolve(counting(self.folder), program=self.program).alone

    def copying(self, old: Folder) -> Invocation:
        """How the files of another sandbox are copied to this one's."""
        return evolve(copying(old, self.folder, self.spec.limits), program=self.program)

    def within(self, path: str) -> str:
        """The path itself."""
        return path
