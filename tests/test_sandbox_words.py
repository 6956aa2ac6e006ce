"""What a sandbox's methods are given is checked before anything runs."""

import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from tinysmith.errors import UsageError
from tinysmith.sandbox import Backend, Bubblewrap, Docker, Sandbox, SandboxSpec, Session, Tree, UnsafeLocal


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """Any sandbox: all check by the same functions."""
    with UnsafeLocal().create(SandboxSpec(Tree.of({"/w/a": "x"}))) as made:
        yield made


@pytest.fixture(scope="module")
def session(box: Sandbox) -> Iterator[Session]:
    """A shell that stays."""
    with box.open_session() as made:
        yield made


class TestExec:
    @pytest.mark.parametrize("command", [None, 3, b"ls", PurePosixPath("/bin/ls"), {"ls": "-l"}, ["ls", 3], []])
    def test_a_command_is_a_text_or_a_list_of_them(self, box: Sandbox, command: Any) -> None:
        """Anything else is refused."""
        with pytest.raises(UsageError, match=r"^The command "):
            box.exec(command)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"stdin": "abc"}, "stdin is a str; give bytes"),
            ({"stdin": None}, "stdin is a NoneType; give bytes"),
            ({"cwd": 3}, "cwd is 3; give an absolute path"),
            ({"cwd": b"/w"}, "cwd is b'/w'; give an absolute path"),
            ({"environment": "A=1"}, "The environment is a str; give a dict of texts by name"),
            ({"environment": {"A": 1}}, "The environment has the variable 'A' with a int; give texts"),
            ({"environment": {1: "A"}}, "The environment has the variable 1 with a str; give texts"),
            ({"wall_s": "5"}, "wall_s is '5'; give seconds"),
            ({"wall_s": True}, "wall_s is True; give seconds"),
            ({"wall_s": math.nan}, "wall_s is nan; give seconds"),
        ],
    )
    def test_an_option_of_another_kind(self, box: Sandbox, options: dict[str, Any], said: str) -> None:
        """It is refused in one sentence."""
        with pytest.raises(UsageError, match=said):
            box.exec("true", **options)

    def test_what_can_only_mean_one_thing(self, box: Sandbox) -> None:
        """Bytes may be a bytearray."""
        read: Any = bytearray(b"abc")
        assert box.exec("cat", stdin=read).stdout == b"abc"


class TestSession:
    @pytest.mark.parametrize("command", [None, 3, b"ls", ["ls", "-l"]])
    def test_a_command_is_a_text(self, session: Session, command: Any) -> None:
        """Anything else is refused, and the shell stays."""
        with pytest.raises(UsageError, match=r"^The command is .*; give a text for the shell"):
            session.run(command)
        assert session.run("echo here").text == "here\n"


class TestFiles:
    @pytest.mark.parametrize("path", [None, 3, b"/w/a", "w/a"])
    def test_a_path_is_a_text_or_a_path(self, box: Sandbox, path: Any) -> None:
        """Anything else is refused, whether to read or to write."""
        with pytest.raises(UsageError, match=r"is no file's path"):
            box.read_file(path)
        with pytest.raises(UsageError, match=r"is no file's path"):
            box.write_file(path, b"")

    @pytest.mark.parametrize("most", ["5", -1, 1.5, math.nan, True])
    def test_how_much_is_a_whole_number(self, box: Sandbox, most: Any) -> None:
        """Anything else is refused."""
        with pytest.raises(UsageError, match=r"^most_bytes is .*; give a whole number from 0 on"):
            box.read_file("/w/a", most_bytes=most)

    @pytest.mark.parametrize("mode", ["644", -1, 0o10000, True, None])
    def test_permissions_are_a_whole_number(self, box: Sandbox, mode: Any) -> None:
        """Anything else is refused, and nothing is written."""
        with pytest.raises(UsageError, match=r"^/w/b cannot be written: mode is .*; give an integer from 0"):
            box.write_file("/w/b", b"x", mode=mode)


class TestCreate:
    @pytest.mark.parametrize("back_end", [Bubblewrap(), Docker(), UnsafeLocal()])
    @pytest.mark.parametrize("spec", [Tree(), {"tree": Tree()}, None])
    def test_a_sandbox_is_made_of_a_spec(self, back_end: Backend, spec: Any) -> None:
        """A tree or a dict in its place is refused."""
        with pytest.raises(UsageError, match=r"^A sandbox is made of a SandboxSpec, and this is"):
            back_end.create(spec)
