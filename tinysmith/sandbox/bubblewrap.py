"""The sandbox that needs nothing but Linux and `bwrap`, as root and as any user.

Its guarantees, and what it does not promise, are in `docs/sandbox.md`. Source of the mechanism: Bubblewrap,
https://github.com/containers/bubblewrap; the settings are our own, each held by a test.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinysmith.errors import EnvironmentLost, SandboxUnavailable
from tinysmith.sandbox._filter import system_call_filter
from tinysmith.sandbox._folder import Folder, spare_uid
from tinysmith.sandbox._foldered import FolderSandbox
from tinysmith.sandbox._invocation import BWRAP, Invocation, copying, invocation
from tinysmith.sandbox._words import checked_cwd, checked_environment, checked_words
from tinysmith.sandbox.sandbox import Sandbox
from tinysmith.sandbox.spec import Availability, SandboxLimits, SandboxSpec

_INSTALL = "Install it, on Debian or Ubuntu with `apt-get install bubblewrap`."
_REFUSED = (
    "bwrap is here, but cannot make a sandbox ({why}). Where a container is the reason, allow it user namespaces "
    "or run this outside of it; on Ubuntu 24.04 and later AppArmor has to be told to let bwrap make user "
    "namespaces (a profile for /usr/bin/bwrap with `userns,`); elsewhere set the sysctl "
    "kernel.unprivileged_userns_clone to 1."
)


class Bubblewrap:
    """Makes sandboxes with `bwrap`: no network, no capabilities, no host files but /usr and a few of /etc."""

    def probe(self) -> Availability:
        """Whether `bwrap` can make a sandbox here; it makes one to find out."""
        if not Path(BWRAP).exists():
            return Availability(ok=False, reason=f"There is no {BWRAP}. {_INSTALL}")
        try:
            with BubblewrapSandbox(SandboxSpec()) as sandbox:
                sandbox.exec(["/usr/bin/true"])
        except SandboxUnavailable as error:
            return Availability(ok=False, reason=str(error))
        except EnvironmentLost as error:
            return Availability(ok=False, reason=_REFUSED.format(why=str(error).rstrip(".")))
        told = subprocess.run([BWRAP, "--version"], check=False, capture_output=True, text=True, env={})  # noqa: S603  # a constant
        features = (told.stdout.strip(), "as a user" if os.geteuid() else "as root")
        if system_call_filter() is None:
            return Availability(ok=True, features=(*features, "without a filter of system calls"))
        return Availability(ok=True, features=features)

    def create(self, spec: SandboxSpec) -> Sandbox:
        """A sandbox.

        Raises:
            SandboxUnavailable: There is no `bwrap`.
            UsageError: A bind's source is not there, or the tree cannot be made.
        """
        if not Path(BWRAP).exists():
            raise SandboxUnavailable(f"There is no {BWRAP}. {_INSTALL}")
        return BubblewrapSandbox(spec)


class BubblewrapSandbox(FolderSandbox):
    """A folder of the host, in which each command is a `bwrap` of its own."""

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
        return invocation(self.spec, limits or self.spec.limits, self.folder, words, place, more=variables)

    @staticmethod
    def new_uid() -> int | None:
        """One that nobody has, where we are root."""
        return spare_uid()

    def copying(self, old: Folder) -> Invocation:
        """How the files of another sandbox are copied to this one's."""
        return copying(old, self.folder)
