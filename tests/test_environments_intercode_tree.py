"""The file trees that set-up scripts leave in a sandbox."""

import json
import os
import time
from pathlib import Path

import pytest
from checkouts import NOTHING, Says
from sandboxes import Shut, as_root_and_as_user, become, needs_sandbox

from tinysmith.environments._intercode_tree import LIMITS, built
from tinysmith.errors import DataError, EnvironmentLost
from tinysmith.sandbox import Bubblewrap, Entry, SandboxSpec, Tree

OLD = 1_672_531_200.0  # 2023-01-01, UTC
FAR = 10_413_792_000.0  # 2300-01-01


def tree_of(script: str) -> tuple[Tree, tuple[str, ...]]:
    """What a script for Bash leaves, and what is said of it."""
    return built("fs", f"#!/bin/bash\n{script}\n".encode(), Bubblewrap())


@needs_sandbox
class TestTree:
    def test_holds_what_the_script_made(self) -> None:
        """Each file, folder and link is in it, with mode and content; what was there before is not."""
        script = r"""
            mkdir -p /a/empty /home/me; chmod 700 /a/empty
            printf 'text\n' > $'/a/né\n w'; printf '\xff\0' > /a/binary; ln /a/binary /a/second
            touch here /tmp/there; chmod 4751 here; ln -s 'no where' /a/link
            echo x > /usr/x; echo x > /etc/x; echo x > /dev/x; rm -rf /bin; echo more >> "$0"
        """
        tree, warnings = tree_of(script)
        assert tree.entries == (
            Entry("/a", "dir", 0o755),
            Entry("/a/binary", data=b"\xff\0"),
            Entry("/a/empty", "dir", 0o700),
            Entry("/a/link", "link", target="no where"),
            Entry("/a/né\n w", data=b"text\n"),
            Entry("/a/second", data=b"\xff\0"),
            Entry("/here", mode=0o4751),
            Entry("/home/me", "dir", 0o755),
            Entry("/tmp/there"),
        )
        assert any("/usr/x: Read-only file system" in line for line in warnings)

    def test_can_be_made_again(self, tmp_path: Path) -> None:
        """A sandbox that begins with the tree, as it is written and read again, has the same files."""
        script = "mkdir -m 555 /a; mkdir -m 755 /b; echo 1 > /b/c; touch -d @1 /b/c; touch -d @2.5 /b; ln -s c /d"
        first, _ = tree_of(script)
        place = tmp_path / "x.tree.json"
        place.write_text(first.json(), encoding="utf-8")
        assert Tree.read(place) == first
        with Bubblewrap().create(SandboxSpec(tree=first)) as sandbox:
            done = sandbox.exec("stat -c '%n %a %Y' /a /b /b/c; cat /d /b/c; readlink /d", merges_stderr=True)
        lines = done.text.splitlines()
        assert lines[1:] == ["/b 755 2", "/b/c 644 1", "cat: /d: No such file or directory", "1", "c"]
        assert lines[0].startswith("/a 555 ")

    def test_dates_what_the_script_dates(self) -> None:
        """A time that the script gave is kept, in UTC; what is as old as the run has none."""
        script = (
            "touch /new; touch -m -t 202301010000 /old; mkdir /d; touch -d @0.25 /d; ln -s x /l; touch -hd @7 /l"
        )
        tree, _ = tree_of(script)
        assert {entry.path: entry.mtime_s for entry in tree.entries} == {
            "/d": 0.25,
            "/l": 7.0,
            "/new": None,
            "/old": OLD,
        }

    def test_dates_what_is_dated_too_far(self, tmp_path: Path) -> None:
        """A time that no tree can say becomes the nearest that it can, which is said; the tree can be written."""
        (tmp_path / "new").touch()
        os.utime(tmp_path / "new", (FAR, FAR))
        here = (tmp_path / "new").stat().st_mtime  # which some file systems cannot say either
        tree, warnings = tree_of("touch -d 2300-01-01 /new; touch -d 1960-01-01 /old")
        times = {entry.path: entry.mtime_s for entry in tree.entries}
        assert times == {"/new": min(here, 2.0**33 - 1), "/old": -315_619_200.0}
        said = "/new has a time out of the years 1697 to 2242, and gets the nearest"
        assert warnings == (said,) * (here == FAR)
        assert Tree.of_rows(json.loads(tree.json())) == tree

    @as_root_and_as_user
    def test_reads_what_is_closed(self) -> None:
        """What its owner may not read is read, and its mode kept, as root and as a user."""
        tree, _ = tree_of("mkdir -p /a/b; echo deep > /a/b/c; echo x > /d; chmod 0 /a/b/c /a/b /a; chmod 200 /d")
        assert tree.entries == (
            Entry("/a", "dir", 0),
            Entry("/a/b", "dir", 0),
            Entry("/a/b/c", mode=0, data=b"deep\n"),
            Entry("/d", mode=0o200, data=b"x\n"),
        )

    def test_is_not_of_our_umask(self) -> None:
        """Modes are those that an image would have, whatever our own umask is."""

        def closed() -> Tree:
            os.umask(0o077)
            return tree_of("mkdir /a; touch /a/b")[0]

        assert become("user", closed).entries == (Entry("/a", "dir", 0o755), Entry("/a/b"))

    def test_leaves_out_what_no_tree_can_hold(self) -> None:
        """A named pipe, and names and targets that are no UTF-8, are left out, which is said."""
        script = r"touch /ok; mkfifo /pipe; mkdir $'/\xff'; touch $'/\xff/x'; ln -s $'\xfe' /link"
        tree, warnings = tree_of(script)
        assert tree.entries == (Entry("/ok"),)
        assert sorted(warnings) == [
            "/link is left out: its name or target is no UTF-8",
            "/pipe is left out: neither a file nor a folder nor a link",
            "/\udcff is left out: its name or target is no UTF-8",
            "/\udcff/x is left out: its name or target is no UTF-8",
        ]

    def test_of_no_script(self) -> None:
        """A script that makes nothing has an empty tree."""
        assert tree_of("export x=4") == (Tree(), ())


@needs_sandbox
class TestWarnings:
    def test_of_a_script_that_fails(self) -> None:
        """What it made before is there; its errors and its exit code are said."""
        tree, warnings = tree_of("touch /a; echo 'no luck' >&2; echo; echo >&2; exit 7")
        assert tree.entries == (Entry("/a"),)
        assert warnings == ("no luck", "exit code 7")

    def test_are_bounded(self) -> None:
        """Twenty are kept, each cut to 200 characters, and the others counted."""
        _, warnings = tree_of("for n in {1..30}; do printf '%0300d\\n' $n >&2; done")
        assert len(warnings) == 21
        assert warnings[0] == f"{'0' * 199}…"
        assert warnings[-1] == "10 more lines"


@needs_sandbox
class TestLimits:
    def test_of_output(self) -> None:
        """A script that a limit ends has no tree; the limit is named."""
        with pytest.raises(
            DataError, match="script of fs runs into the limit output_bytes of 41,943,040; check it"
        ):
            tree_of("yes")

    def test_of_what_is_read(self) -> None:
        """Files that have no blocks are not read beyond the limit."""
        begin = time.monotonic()
        with pytest.raises(DataError, match="script of fs makes files of more than 33,554,432 bytes; check it"):
            tree_of("for n in {1..50}; do truncate -s 32M /$n; done")
        assert time.monotonic() - begin < LIMITS.wall_s / 2

    def test_of_a_root_without_rights(self) -> None:
        """A script that closes the root is read all the same; where nobody can look any more, that is told."""
        tree, _ = tree_of("touch /a; chmod 0 /")
        assert "/a" in {entry.path for entry in tree.entries}
        with pytest.raises(
            EnvironmentLost, match=r"script of fs has made cannot be read: .*Permission denied\. Look"
        ):
            built("fs", b"touch /a", Shut(2))


class TestLies:
    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"x\0end\0",
            b"1700000000\0",
            b"1700000000\0f\x00644\x000\0",
            b"1700000000\0f\x00999\x000\x001.5\0\0/a\0end\0",
            b"1700000000\0f\x0077777\x000\x001.5\0\0/a\0end\0",
            b"1700000000\0f\x00644\x000\x001.5\0\0a/../b\0end\0",
            b"1700000000\0f\x00644\x005\x001.5\0\0/a\0end\0",
            b"1700000000\0f\x00644\x000\x001.5\0\0/a\0f\x00644\x000\x001.5\0\0/a/b\0end\0",
        ],
    )
    def test_are_found(self, said: bytes) -> None:
        """What is no list of files, or not that of the files, is the sandbox's fault, and no tree."""
        with pytest.raises(EnvironmentLost, match=r"script of fs has made cannot be read: .* GNU find"):
            built("fs", b"", Says(said))

    def test_of_a_time(self) -> None:
        """A time that is no number leaves its file out, and so does a path that Linux would not take.

        However far a time is, it becomes one that a tree can say.
        """
        path = "/x" * 3000
        said = f"1700000000\0f\x00644\x000\0nan\0\0/a\0f\x00644\x000\x001\0\0{path}\0"
        said += "d\x00644\x000\x00-inf\0\0/b\0d\x00644\x000\x001e9999\0\0/c\0end\0"
        tree, warnings = built("fs", b"", Says(said.encode()))
        assert [(entry.path, entry.mtime_s) for entry in tree.entries] == [
            ("/b", 1 - 2.0**33),
            ("/c", 2.0**33 - 1),
        ]
        assert warnings[0] == "/a is left out: its time is no number"
        assert warnings[1].startswith("/x/x/x")
        assert all("has a time out of the years 1697 to 2242" in warning for warning in warnings[2:])
        assert len(warnings) == 4

    def test_say_nothing(self) -> None:
        """A sandbox that says it has no files gives an empty tree."""
        assert built("fs", b"", Says(NOTHING)) == (Tree(), ())
