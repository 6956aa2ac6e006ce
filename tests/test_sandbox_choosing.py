"""Which sandbox is taken, and what is said where there is none."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from sandboxes import AVAILABLE, needs_sandbox

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox import Backend, Bind, Bubblewrap, SandboxSpec, UnsafeLocal, backend
from tinysmith.sandbox._invocation import BWRAP
from tinysmith.sandbox.choosing import first_of

NOWHERE = Bubblewrap("/nowhere/bwrap")
BROKEN = Bubblewrap("/usr/bin/false")


class TestBackend:
    def test_a_wrong_name_is_told_with_near_ones(self) -> None:
        """The message names what there is."""
        with pytest.raises(UsageError, match=r"no sandbox 'buble'\. Did you mean bubblewrap"):
            backend("buble")

    @pytest.mark.parametrize("name", [None, 3, ["bubblewrap"], Bubblewrap()])
    def test_a_name_is_a_text(self, name: Any) -> None:
        """What is none, such as a back end that there is already, is refused as a wrong name is."""
        with pytest.raises(UsageError, match=r"^There is no sandbox "):
            backend(name)

    @needs_sandbox
    def test_auto_takes_bubblewrap_where_it_works(self) -> None:
        """The first that works is taken, without being asked for."""
        assert isinstance(backend(), Bubblewrap)
        assert isinstance(backend("bubblewrap"), Bubblewrap)

    def test_nothing_falls_to_the_host(self) -> None:
        """Where no sandbox works an error says for each what is missing; the host is never taken instead."""
        with pytest.raises(SandboxUnavailable) as caught:
            first_of({"bubblewrap": NOWHERE, "other": BROKEN})
        told = str(caught.value)
        assert told.startswith("No sandbox works here. bubblewrap: There is no /nowhere/bwrap. Install it")
        assert "other: bwrap is here, but cannot make a sandbox" in told

    def test_the_host_is_taken_by_its_full_name_alone(self) -> None:
        """`unsafe-local` is what it says."""
        assert isinstance(backend("unsafe-local"), UnsafeLocal)
        assert backend("unsafe-local").probe().features == ("no isolation",)


class TestProbe:
    @needs_sandbox
    def test_what_works_says_what_it_is(self) -> None:
        """Version and privilege are features."""
        assert AVAILABLE.features[0].startswith("bubblewrap ")
        assert AVAILABLE.features[1] in ("as root", "as a user")

    def test_without_bwrap(self) -> None:
        """What is missing is named, and how to install it; making a sandbox says the same."""
        found = NOWHERE.probe()
        assert (found.ok, "apt-get install bubblewrap" in found.reason) == (False, True)
        with pytest.raises(SandboxUnavailable, match="no /nowhere/bwrap"):
            NOWHERE.create(SandboxSpec())

    def test_where_bwrap_may_not(self) -> None:
        """The remedies for containers, AppArmor and the sysctl are told, and what bwrap said."""
        reason = BROKEN.probe().reason
        assert "Nothing can be run in the sandbox: it was killed" in reason
        assert all(word in reason for word in ("container", "AppArmor", "kernel.unprivileged_userns_clone"))

    def test_a_broken_bwrap_loses_everything_but_the_files(self) -> None:
        """Commands, sessions and forks raise `EnvironmentLost`; closing still works."""
        with BROKEN.create(SandboxSpec()) as box:
            with pytest.raises(EnvironmentLost, match="Nothing can be run"):
                box.exec("true")
            with pytest.raises(EnvironmentLost, match="files cannot be copied"):
                box.fork()
            with box.open_session() as session, pytest.raises(EnvironmentLost, match="ended from outside"):
                session.run("true")


class TestCreate:
    @pytest.mark.parametrize("made", [Bubblewrap(), UnsafeLocal()])
    def test_a_bind_of_nothing(self, made: Backend, tmp_path: Path) -> None:
        """A bind whose source is not there is refused when the sandbox is made."""
        if isinstance(made, Bubblewrap) and not AVAILABLE.ok:
            pytest.skip(AVAILABLE.reason)
        spec = SandboxSpec(binds=(Bind(tmp_path / "none", "/data"),))
        with pytest.raises(UsageError, match=r"Bind: there is no|UnsafeLocal shows no binds"):
            made.create(spec)


class TestWhereBwrapWorks:
    def test_a_sandbox_works_where_bwrap_does(self) -> None:
        """What the suite skips is skipped for want of bwrap or of its permission, and not for a fault of ours."""
        plain = [BWRAP, "--unshare-all", "--ro-bind", "/", "/", "/usr/bin/true"]
        if not Path(BWRAP).exists() or subprocess.run(plain, check=False, capture_output=True).returncode:
            pytest.skip("bwrap is not here, or may not make a sandbox")
        assert AVAILABLE.ok, AVAILABLE.reason
