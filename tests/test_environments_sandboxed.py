"""What environments in sandboxes share."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sandboxes import needs_sandbox
from sandboxes import sandbox as made

from tinysmith.environments._sandboxed import (
    MOST_ACTION_BYTES,
    Ran,
    info_of,
    observed,
    run_fresh,
)
from tinysmith.sandbox import Executed, Sandbox, SandboxLimits

LIMITS = SandboxLimits()


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A sandbox with a few folders."""
    with made({"/ship/deck one/x": "1\n", "/ship/hold/": ""}, cwd="/ship") as found:
        yield found


def did(box: Sandbox, *actions: str, cwd: str = "/ship", tracks_folder: bool = True) -> list[Ran]:
    """What actions, one after another, give."""

    async def run() -> list[Ran]:
        rans = [Ran(Executed(b"", b"", 0), cwd)]
        for action in actions:
            rans.append(await run_fresh(box, action, rans[-1].cwd, tracks_folder=tracks_folder))
        return rans[1:]

    return asyncio.run(run())


@needs_sandbox
class TestRunFresh:
    def test_remembers_the_folder(self, box: Sandbox) -> None:
        """The next action begins in the folder in which one ended, however it ended."""
        actions = ("cd 'deck one'", "ls; cd ../hold; exit 3", "cd ..; set -e; false", "cd hold; cd none", "pwd")
        rans = did(box, *actions)
        assert [ran.cwd for ran in rans] == ["/ship/deck one", "/ship/hold", "/ship", "/ship/hold", "/ship/hold"]
        assert [ran.done.exit_code for ran in rans] == [0, 3, 1, 1, 0]
        assert rans[1].done.text == "x\n"
        assert rans[4].done.text == "/ship/hold\n"

    def test_remembers_nothing_else(self, box: Sandbox) -> None:
        """Variables are not kept, and an action has no arguments, as in a shell of its own."""
        _, second = did(box, "name=Ines; set -- a b", 'echo "<$name$1$#>"')
        assert second.done.text == "<0>\n"

    def test_tells_errors_as_of_one_line(self, box: Sandbox) -> None:
        """Both streams are shown in their order, and bash counts lines from the action's first."""
        (ran,) = did(box, "echo out; echo err >&2; echo more; none\necho )")
        said = "out\nerr\nmore\nbash: line 1: none: command not found\nbash: eval: line 2: syntax error near"
        assert ran.done.text.startswith(said)

    def test_can_be_exactly_a_shell_s(self, box: Sandbox) -> None:
        """Where the folder is not tracked, the action is what `bash -c` is given, and the folder stays."""
        (ran,) = did(box, "cd hold; pwd; none", tracks_folder=False)
        assert ran.done.text == "/ship/hold\n/bin/bash: line 1: none: command not found\n"
        assert ran.cwd == "/ship"

    @pytest.mark.parametrize(
        "action",
        [
            "cd hold; trap - EXIT",
            "cd hold; exec true",
            "cd hold; kill -9 $$",
            "cd hold; exec 9>&-",
            "trap 'printf \"hold\\0\" >&9' EXIT",
            "trap 'printf \"/a/../b\\0\" >&9' EXIT",
            "trap 'printf \"/hold\" >&9' EXIT",
            "mkdir -p /tmp/$'\\xff'; cd /tmp/$'\\xff'",
        ],
    )
    def test_a_folder_that_is_not_told_stays(self, action: str, box: Sandbox) -> None:
        """An action that tells no folder that can be begun in leaves the folder as it was."""
        assert did(box, action)[0].cwd == "/ship"

    def test_a_forged_folder_is_the_agent_s_own_matter(self, box: Sandbox) -> None:
        """What an action forges is the folder only if it is the last, and then harms nobody else."""
        rans = did(box, "printf '/tmp\\0' >&9", "trap 'printf \"/none\\0\" >&9' EXIT", "pwd")
        assert [ran.cwd for ran in rans] == ["/ship", "/none", "/ship"]
        assert rans[2].is_folder_lost

    def test_a_folder_that_is_gone(self) -> None:
        """Where the folder is gone, the first one is begun in, where that is gone the root, and it is said."""
        with made(cwd="/ship") as box:
            rans = did(box, "mkdir a; cd a; rmdir ../a", "pwd; mkdir b; cd b; rm -r /ship", "pwd", "pwd")
        assert [ran.done.text for ran in rans[1:]] == ["/ship\n", "/\n", "/\n"]
        assert [ran.is_folder_lost for ran in rans] == [False, True, True, False]

    def test_the_root(self, box: Sandbox) -> None:
        """Two slashes, which bash keeps, are one."""
        assert did(box, "cd //; pwd")[0].cwd == "/"

    def test_what_no_shell_can_be_given(self, box: Sandbox) -> None:
        """A NUL, or more than the kernel takes, runs nothing and says so; half a character is replaced."""
        null, long, half = did(box, "rm -r /ship\0", "#" * (MOST_ACTION_BYTES + 1), "echo '\ud800'")
        assert (null.done.exit_code, null.done.text) == (126, "bash: a command cannot hold a NUL character\n")
        assert long.done.text == f"bash: a command cannot be longer than {MOST_ACTION_BYTES} bytes\n"
        assert half.done.text == "\N{REPLACEMENT CHARACTER}\n"
        assert did(box, "#" * MOST_ACTION_BYTES)[0].done.exit_code == 0


class TestObserved:
    def test_is_the_output(self) -> None:
        """What was printed is shown without line breaks at its end."""
        assert observed(Executed(b"a\n\nb\n\n", b"", 1), LIMITS, character_limit=9) == ("a\n\nb", False)

    def test_is_cut_in_the_middle(self) -> None:
        """Of a long output, beginning and end are shown, with the number of characters between them."""
        text = "\n[6 characters are left out here.]\n"
        done = Executed(b"abcdefghi", b"", 0)
        assert observed(done, LIMITS, character_limit=3) == (f"ab{text}i", True)
        assert observed(done, LIMITS, character_limit=1) == ("a\n[8 characters are left out here.]\n", True)

    @pytest.mark.parametrize(
        ("ended_by", "said"),
        [
            ("wall_s", "it ran for more than 10 s"),
            ("output_bytes", "it printed more than 1048576 bytes"),
            ("disk_bytes", "the files took more than 268435456 bytes"),
            ("files", "there were more than 20000 files"),
        ],
    )
    def test_says_what_ended_a_command(self, ended_by: Any, said: str) -> None:
        """The limit that ended a command is said after its output, before other notes."""
        done = Executed(b"so far\n", b"", 137, ended_by)
        text, is_cut = observed(done, LIMITS, character_limit=99, notes=("More.",))
        assert text == f"so far\n[The command was ended: {said}.]\n[More.]"
        assert is_cut == (ended_by == "output_bytes")

    def test_info(self) -> None:
        """The info says how a command ended; what executes nothing is as good as executed."""
        assert info_of(Executed(b"", b"", 137, "wall_s", 10.1), is_cut=True) == {
            "exit_code": 137,
            "action_executed": False,
            "timed_out": True,
            "output_truncated": True,
            "duration_s": 10.1,
        }
        assert info_of()["action_executed"] is True
