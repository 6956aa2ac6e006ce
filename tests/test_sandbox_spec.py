"""What a sandbox may be asked to be."""

import math
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from tinysmith.errors import UsageError
from tinysmith.sandbox import Availability, Bind, Executed, SandboxLimits, SandboxSpec


class TestSandboxLimits:
    @pytest.mark.parametrize("name", [limit.name for limit in fields(SandboxLimits)])
    @pytest.mark.parametrize("value", [0, -1, 1 << 60, math.inf, math.nan, "5", None, True])
    def test_each_is_a_positive_finite_number(self, name: str, value: Any) -> None:
        """Anything else is refused, and the message names the limit and the value."""
        with pytest.raises(UsageError, match=rf"SandboxLimits: {name} is {value!r}; give a positive"):
            SandboxLimits(**{name: value})

    def test_only_the_time_may_be_broken(self) -> None:
        """A command may take a tenth of a second; half a byte is refused."""
        assert SandboxLimits(wall_s=0.1).wall_s == 0.1
        with pytest.raises(UsageError, match=r"disk_bytes is 0\.5"):
            SandboxLimits(disk_bytes=0.5)  # type: ignore[arg-type]  # the mistake that is meant


class TestSandboxSpec:
    def test_its_defaults_are_an_empty_tree_and_no_network(self) -> None:
        """A spec needs nothing."""
        spec = SandboxSpec()
        assert (spec.tree.entries, spec.binds, spec.cwd, spec.network) == ((), (), "/", "none")

    @pytest.mark.parametrize("cwd", ["", "a", "/a/../b", "/a//b", "/a/", "/a\0b", "/./a"])
    def test_where_commands_begin_is_a_plain_path(self, cwd: str) -> None:
        """A path that is relative, or has a part that is none, is refused."""
        with pytest.raises(UsageError, match="SandboxSpec: cwd is"):
            SandboxSpec(cwd=cwd)

    def test_there_is_no_other_network_than_none(self) -> None:
        """A network is refused."""
        with pytest.raises(UsageError, match="network is 'host'; there is only 'none'"):
            SandboxSpec(network="host")  # type: ignore[arg-type]  # the mistake that is meant

    @pytest.mark.parametrize("name", ["", "A=B", "A\0B"])
    def test_names_of_variables(self, name: str) -> None:
        """A variable without a name, or with `=` or NUL in it, is refused."""
        with pytest.raises(UsageError, match="rename it"):
            SandboxSpec(environment={name: "1"})

    def test_values_of_variables(self) -> None:
        """A value with NUL is refused."""
        for value in ("1\0", "\ud800"):
            with pytest.raises(UsageError, match="'A' has no name, or a NUL"):
                SandboxSpec(environment={"A": value})

    @pytest.mark.parametrize("binds", [{"/data": "/x"}, ("/x", "/data"), [None], "/x", 5, Bind("/x", "/x")])
    def test_binds_are_binds(self, binds: Any) -> None:
        """What is shown is said by a tuple of `Bind`; anything else is refused."""
        with pytest.raises(UsageError, match=r"SandboxSpec: binds is .*; give a tuple of Bind\(source, target\)"):
            SandboxSpec(binds=binds)

    def test_a_bind_is_shown_at_a_plain_path(self) -> None:
        """A bind's target is absolute, and its source becomes a path."""
        assert Bind("/srv/data", "/data").source == Path("/srv/data")
        assert Bind("data", "/data").source == Path.cwd() / "data"  # wherever this process goes later
        with pytest.raises(UsageError, match="Bind: target is 'data'"):
            Bind(Path("/srv/data"), "data")

    @pytest.mark.parametrize("source", [None, 3, b"/usr", "/us\0r", "/us\ud800r"])
    def test_a_bind_s_source_is_a_path(self, source: Any) -> None:
        """Anything else, and what no path can hold, is refused when the bind is made."""
        with pytest.raises(UsageError, match=r"^Bind: source is .*; give a path"):
            Bind(source, "/data")

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"tree": {"/a": "x"}}, r"SandboxSpec: tree is \{'/a': 'x'\}; give a Tree, such as Tree\.of\("),
            ({"tree": None}, "SandboxSpec: tree is None; give a Tree"),
            ({"limits": {"wall_s": 3}}, r"SandboxSpec: limits is .*; give SandboxLimits\(wall_s="),
            ({"limits": None}, r"SandboxSpec: limits is None; give SandboxLimits\(wall_s="),
            ({"cwd": 3}, "SandboxSpec: cwd is 3; give an absolute path"),
            ({"cwd": b"/a"}, "SandboxSpec: cwd is b'/a'; give an absolute path"),
            ({"environment": "A=1"}, "The environment is a str; give a dict"),
            ({"environment": {"A": 1}}, "The environment has the variable 'A' with a int; give texts"),
            ({"environment": {"A": b"key"}}, "The environment has the variable 'A' with a bytes; give texts"),
            ({"environment": {1: "A"}}, "The environment has the variable 1 with a str; give texts"),
        ],
    )
    def test_each_is_of_its_kind(self, options: dict[str, Any], said: str) -> None:
        """A value of another kind is refused when the spec is made, in one sentence."""
        with pytest.raises(UsageError, match=f"^{said}"):
            SandboxSpec(**options)

    def test_what_can_only_mean_one_thing(self) -> None:
        """A list of binds, and paths as paths, are taken; the spec can be hashed."""
        spec = SandboxSpec(binds=[Bind("/srv", Path("/data"))], cwd=Path("/data"))
        assert spec == SandboxSpec(binds=(Bind(Path("/srv"), "/data"),), cwd="/data")
        assert len({spec}) == 1


class TestExecuted:
    def test_its_texts_show_what_is_no_text(self) -> None:
        """Bytes that are no UTF-8 are replaced, and none is lost from the bytes themselves."""
        done = Executed(b"a\xff", b"\xfe", 0)
        assert (done.text, done.error_text, done.stdout) == (
            "a\N{REPLACEMENT CHARACTER}",
            "\N{REPLACEMENT CHARACTER}",
            b"a\xff",
        )

    def test_only_the_time_limit_is_a_time_out(self) -> None:
        """A command that printed too much is no time-out."""
        assert Executed(b"", b"", 137, "wall_s").is_timed_out
        assert not Executed(b"", b"", 137, "output_bytes").is_timed_out

    def test_it_does_not_show_its_output(self) -> None:
        """A repr in a log has no output in it."""
        assert "secret" not in repr(Executed(b"secret", b"secret", 0))


class TestAvailability:
    def test_it_says_why(self) -> None:
        """What is not available has a reason."""
        assert Availability(ok=False, reason="There is none.").reason == "There is none."
