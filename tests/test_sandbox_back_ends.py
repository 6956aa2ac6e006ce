"""What every back end's sandboxes do: one suite for all of them."""

import asyncio
import threading
from typing import Any

import pytest
from back_ends import on_each_back_end
from sandboxes import Maker, says

from tinysmith.errors import SandboxError, UsageError
from tinysmith.sandbox import Entry, SandboxLimits, Tree
from tinysmith.sandbox.sandbox import Stop, Stopped

BYTES = bytes(range(256)) * 4


class TestExec:
    @on_each_back_end
    def test_arguments_are_passed_as_they_are(self, back_end: Maker) -> None:
        """Arguments reach their program unchanged, whatever a shell or the back end would make of them."""
        awkward = [
            "--bind",
            "--",
            "-",
            "",
            "a b",
            "$HOME",
            "`id`",
            "'\"\\",
            "new\nline",
            "*",
            "é😀",
            "--help",
            "\x1b[0m",
        ]
        with back_end.sandbox() as box:
            done = box.exec(["/usr/bin/printf", "%s|", *awkward])
            assert done.stdout.decode() == "|".join(awkward) + "|"
            assert (done.stderr, done.exit_code, done.ended_by, done.is_session_new) == (b"", 0, "", False)
            assert 0 < done.duration_s < 60

    @on_each_back_end
    def test_a_text_is_for_bash(self, back_end: Maker) -> None:
        """A text may have pipes, variables, here-documents, several lines and a leading dash."""
        script = "x=5; echo $((x+1)) | tr 6 7\ncat <<END\n$x {a,b}\nEND\n[[ ab == a* ]] && echo {a,b}"
        with back_end.sandbox() as box:
            assert box.exec(script).text.split() == ["7", "5", "{a,b}", "a", "b"]
            assert box.exec("-c true").exit_code == 127
            assert box.exec("'").exit_code == 2
            assert box.exec("# nothing").exit_code == 0

    @on_each_back_end
    def test_exit_codes_are_a_shells(self, back_end: Maker) -> None:
        """A code is the program's own, 128 and its number for a signal, 126 or 127 for no program."""
        with back_end.sandbox() as box:
            for command, code in {
                "exit 3": 3,
                "exit 255": 255,
                "false": 1,
                "kill -9 $$": 137,
                "kill -TERM $$": 143,
                "no-such-program-at-all": 127,
                "/tmp": 126,
                "exit 137": 137,
            }.items():
                done = box.exec(command)
                assert (done.exit_code, done.ended_by) == (code, ""), command
            assert box.exec(["/bin/bash", "-c", "kill -SEGV $$"]).exit_code == 139
            assert box.exec(["no-such-program-at-all"]).exit_code == 127

    @on_each_back_end
    def test_standard_input_is_what_was_given_and_then_ends(self, back_end: Maker) -> None:
        """A command reads the bytes that it was given, and an end of file at once where there are none."""
        with back_end.sandbox(limits=SandboxLimits(output_bytes=1 << 21)) as box:
            assert box.exec("cat").stdout == b""
            assert box.exec(["cat"], stdin=BYTES).stdout == BYTES
            large = b"0123456789abcdef" * (1 << 16)
            assert box.exec("cat", stdin=large).stdout == large
            assert box.exec("true", stdin=large).exit_code == 0
            assert box.exec("head -c 3", stdin=large).stdout == b"012"
        with back_end.sandbox(limits=SandboxLimits(disk_bytes=1 << 20)) as box:
            done = box.exec("sleep 0.4; cat > /dev/null; echo $?", stdin=large * 4)
            assert done.stdout == b"0\n"  # it is no file of the sandbox's

    @on_each_back_end
    def test_output_is_bytes(self, back_end: Maker) -> None:
        """Bytes that are no text, NULs and missing ends of lines come as they were printed; as text, replaced."""
        with back_end.sandbox() as box:
            assert box.exec(["head", "-c", "1024"], stdin=BYTES).stdout == BYTES
            assert box.exec("printf 'a\\0b\\r\\n\\xff'").stdout == b"a\0b\r\n\xff"
            assert box.exec("printf '\\xff'").text == "�"
            assert box.exec("printf '\\xff' >&2").error_text == "�"

    @on_each_back_end
    def test_streams_are_apart_or_merged_in_order(self, back_end: Maker) -> None:
        """Both streams are told apart, or together in the order in which they were printed."""
        with back_end.sandbox() as box:
            command = "echo 1; echo 2 >&2; echo 3; echo 4 >&2"
            done = box.exec(command)
            assert (done.stdout, done.stderr) == (b"1\n3\n", b"2\n4\n")
            done = box.exec(command, merges_stderr=True)
            assert (done.stdout, done.stderr) == (b"1\n2\n3\n4\n", b"")

    @on_each_back_end
    def test_a_command_begins_where_it_is_told(self, back_end: Maker) -> None:
        """A command begins in the spec's folder, which is made, or in its own, which must be one."""
        with back_end.sandbox({"/data/file": "x"}, cwd="/made/for/it") as box:
            assert box.exec("basename $PWD; ls -A").text.split() == ["it"]
            assert box.exec("cat file", cwd="/data").text == "x"
            for place in ("/data/file", "/missing", "/data/missing/--bind"):
                with pytest.raises(SandboxError, match=place):
                    box.exec("true", cwd=place)
            for path in ("data", "", "/data/../data", "/data\0", "/a//b"):
                with pytest.raises(UsageError):
                    box.exec("true", cwd=path)

    @on_each_back_end
    def test_variables_are_the_specs_and_the_commands(self, back_end: Maker) -> None:
        """A command has PATH, HOME and LANG, the spec's variables, and its own, which come last; and no others."""
        with back_end.sandbox(environment={"A": "spec", "B": "spec", "C": "--bind\n$HOME é"}) as box:
            said = box.exec('echo "$A $B $C"', environment={"B": "own"}).text
            assert said == "spec own --bind\n$HOME é\n"
            names = {line.split("=")[0] for line in box.exec("env -0 | tr '\\n\\0' ' \\n'").text.splitlines()}
            assert {"PATH", "HOME", "LANG", *"ABC"} <= names
            # what bash adds, and where an unsafe one has its /tmp
            assert names <= {"PATH", "HOME", "LANG", *"ABC_", "PWD", "OLDPWD", "SHLVL", "HOSTNAME", "TMPDIR"}
            assert box.exec("echo $B").text == "spec\n"
            for name in ("", "A=B", "A\0"):
                with pytest.raises(UsageError):
                    box.exec("true", environment={name: "x"})
            with pytest.raises(UsageError):
                box.exec("true", environment={"A": "x\0"})
            number: Any = {"A": 1}
            with pytest.raises(UsageError, match="'A' with a int; give texts"):
                box.exec("true", environment=number)

    @on_each_back_end
    def test_what_is_no_command_is_refused(self, back_end: Maker) -> None:
        """No arguments, an empty program, a NUL and half a character are mistakes of the caller's."""
        with back_end.sandbox() as box:
            for command in ([], [""], ["true", "\0"], "true\0", ["true", "\ud800"], "\ud800"):
                with pytest.raises(UsageError):
                    box.exec(command)
            assert box.exec("").exit_code == 0
            odd: Any = None
            with pytest.raises(UsageError, match="The command is None; give a text"):
                box.exec(odd)
            with pytest.raises(UsageError, match="stdin is a NoneType; give bytes"):
                box.exec("true", stdin=odd)
            odd = "1"
            with pytest.raises(UsageError, match="wall_s is '1'; give seconds"):
                box.exec("true", wall_s=odd)

    @on_each_back_end
    def test_time_and_output_have_their_limits(self, back_end: Maker) -> None:
        """A command that takes too long or prints too much is ended, tells which, and has told what it printed."""
        with back_end.sandbox(limits=SandboxLimits(wall_s=1.0, output_bytes=10_000)) as box:
            done = box.exec("echo early; sleep 1000")
            assert (done.text, done.ended_by, done.exit_code) == ("early\n", "wall_s", 137)
            assert done.is_timed_out
            assert box.exec("sleep 1.1; echo late", wall_s=60.0).text == "late\n"
            done = box.exec("yes", wall_s=60.0)
            assert (done.ended_by, len(done.stdout), done.exit_code) == ("output_bytes", 10_000, 137)
            assert done.text.startswith("y\ny\n")
            assert box.exec("echo on", wall_s=60.0).text == "on\n"

    @on_each_back_end
    def test_a_command_is_ended_from_another_thread(self, back_end: Maker) -> None:
        """A stop that is set ends the command at once, also where it was set before."""
        with back_end.sandbox() as box:
            stop = Stop()
            timer = threading.Timer(0.1, stop.set)
            timer.start()
            with pytest.raises(Stopped):
                box.exec("sleep 1000", wall_s=1000.0, stop=stop)
            with pytest.raises(Stopped):
                box.exec("sleep 1000", wall_s=1000.0, stop=stop)
            timer.join()
            stop.close()
            assert box.exec("echo on").text == "on\n"

    @on_each_back_end
    def test_every_call_has_its_awaited_twin(self, back_end: Maker) -> None:
        """The awaited calls give what the blocking ones give, and many commands wait at the same time."""

        async def work() -> None:
            async with back_end.sandbox({"/tmp/a": "a"}) as box:
                assert (await box.aexec(["cat"], stdin=b"given")).text == "given"
                await box.awrite_file("/tmp/b", b"b", mode=0o600)
                assert await box.aread_file("/tmp/b") == b"b"
                async with await box.afork() as copy, await copy.aopen_session() as session:
                    assert (await session.arun("cat tmp/b")).text.strip() == "b"
                await box.areset()
                with pytest.raises(SandboxError):
                    await box.aread_file("/tmp/b")
                meet = "> tmp/met-{}; until set -- tmp/met-* && [ $# = 5 ]; do sleep 0.01; done; echo on"
                done = await asyncio.gather(*(box.aexec(meet.format(number)) for number in range(5)))
                assert [each.text for each in done] == ["on\n"] * 5

        asyncio.run(work())


class TestFiles:
    @on_each_back_end
    def test_the_tree_is_what_it_says(self, back_end: Maker) -> None:
        """Files, folders and links are there, with their contents, modes and times."""
        entries = (
            Entry("/home/data", "dir", 0o750, mtime_s=1_000_000_000.0),
            Entry("/home/data/run.sh", mode=0o755, data=b"#!/bin/sh\necho ran\n", mtime_s=1_200_000_000.0),
            Entry("/home/data/raw", data=BYTES, mode=0o600),
            Entry("/home/data/link", "link", target="run.sh"),
            Entry("/srv/new/file", data=b"x"),
        )
        with back_end.sandbox(tree=Tree(entries)) as box:
            assert box.exec("./link", cwd="/home/data").text == "ran\n"
            stats = box.exec("stat -c '%a %Y %n' . run.sh", cwd="/home/data").text.splitlines()
            assert stats == ["750 1000000000 .", "755 1200000000 run.sh"]
            assert box.exec("stat -c %a raw; readlink link", cwd="/home/data").text.split() == ["600", "run.sh"]
            assert box.read_file("/home/data/raw") == BYTES
            assert box.read_file("/home/data/link").startswith(b"#!")
            assert box.read_file("/srv/new/file") == b"x"

    @on_each_back_end
    def test_folders_that_are_closed_to_their_owner(self, back_end: Maker) -> None:
        """A folder has its mode and time also where something is in it, in whichever order the tree names them."""
        entries = (
            Entry("/a", "dir", 0o555, mtime_s=1_000_000_000.0),
            Entry("/a/in", "dir", 0o500, mtime_s=1_000_000_001.0),
            Entry("/a/in/file", data=b"x"),
        )
        for tree in (Tree(entries), Tree(entries[::-1])):
            with back_end.sandbox(tree=tree) as box:
                assert says(box, "stat -c '%a %Y' a a/in").split("\n") == ["555 1000000000", "500 1000000001"]
                assert box.read_file("/a/in/file") == b"x"

    @on_each_back_end
    def test_files_are_read_and_written(self, back_end: Maker) -> None:
        """What is written is read again, of any bytes and any size up to the limits, and with its mode."""
        with back_end.sandbox(limits=SandboxLimits(output_bytes=100_000, file_bytes=1 << 20)) as box:
            for data in (b"", BYTES, b"no end of line", b"\n" * 90_000):
                box.write_file("/tmp/file", data)
                assert box.read_file("/tmp/file") == data
            viewed: Any = memoryview(b"viewed")
            box.write_file("/tmp/file", viewed)
            assert box.read_file("/tmp/file") == b"viewed"
            with pytest.raises(SandboxError, match=r"/tmp/file cannot be .* over the limit file_bytes"):
                box.write_file("/tmp/file", bytes(2 << 20))
            with pytest.raises(UsageError, match="mode is -1; give an integer"):
                box.write_file("/tmp/file", b"", mode=-1)
            box.write_file("/tmp/run", b"#!/bin/sh\necho ran\n", mode=0o755)
            assert box.exec("./run; stat -c %a run", cwd="/tmp").text.split() == ["ran", "755"]
            box.write_file("/tmp/-n 'é", b"odd")
            assert box.read_file("/tmp/-n 'é") == b"odd"
            assert box.read_file("/tmp/run", most_bytes=100).startswith(b"#!")
            with pytest.raises(SandboxError, match="more than 5 bytes"):
                box.read_file("/tmp/run", most_bytes=5)
            box.exec("head -c 200000 /dev/zero > large", cwd="/tmp")
            with pytest.raises(SandboxError, match="/tmp/large"):
                box.read_file("/tmp/large")

    @on_each_back_end
    def test_what_cannot_be_read_or_written_is_said(self, back_end: Maker) -> None:
        """What is no file there is an error of the sandbox; a path that is none, a mistake of the caller's."""
        with back_end.sandbox({"/tmp/folder/": ""}) as box:
            for path in ("/tmp/missing", "/tmp/folder"):
                with pytest.raises(SandboxError, match=path):
                    box.read_file(path)
            for path in ("/tmp/missing/file", "/tmp/folder"):
                with pytest.raises(SandboxError, match=path):
                    box.write_file(path, b"x")
            for path in ("tmp/file", "/", "", "/tmp/../etc/passwd", "/tmp/a\0b", "/tmp/"):
                with pytest.raises(UsageError):
                    box.read_file(path)
                with pytest.raises(UsageError):
                    box.write_file(path, b"x")


class TestLife:
    @on_each_back_end
    def test_a_fork_and_its_origin_go_their_own_ways(self, back_end: Maker) -> None:
        """A fork has the files as they are, with modes, times and links; changes on either side stay there."""
        with back_end.sandbox({"/tmp/a": "as made"}) as box:
            box.exec(
                "echo changed > a; mkdir -p d/e; ln -s ../a d/l; chmod 700 d; touch -d @1000000000 d/e", cwd="/tmp"
            )
            with box.fork() as one, one.fork() as two:
                for copy in (one, two):
                    assert copy.spec == box.spec
                    assert copy.exec("cat a d/l; stat -c '%a %Y' d/e; stat -c %a d", cwd="/tmp").text.split() == [
                        "changed",
                        "changed",
                        "755",
                        "1000000000",
                        "700",
                    ]
                one.exec("echo one > a", cwd="/tmp")
                box.exec("echo origin > a", cwd="/tmp")
                texts = [each.read_file("/tmp/a") for each in (box, one, two)]
                assert texts == [b"origin\n", b"one\n", b"changed\n"]
                one.close()
                assert two.read_file("/tmp/a") == b"changed\n"
                two.reset()
                assert two.read_file("/tmp/a") == b"as made"
            assert box.read_file("/tmp/a") == b"origin\n"

    @on_each_back_end
    def test_a_reset_brings_the_tree_back(self, back_end: Maker) -> None:
        """After a reset the files are the tree's, and sessions have ended."""
        with back_end.sandbox({"/home/a": "a", "/home/b": "b"}, cwd="/home") as box:
            session = box.open_session()
            session.run("rm a; echo changed > b; mkdir c; chmod 000 .")
            box.reset()
            assert box.exec("cat a b; ls -A").text.split() == ["aba", "b"]
            with pytest.raises(UsageError):
                session.run("true")
            session.close()

    @on_each_back_end
    def test_after_closing_nothing_works(self, back_end: Maker) -> None:
        """Closing twice is fine; all else that is asked of what is closed is a mistake of the caller's."""
        box = back_end.sandbox()
        session = box.open_session()
        other = box.open_session()
        session.close()
        session.close()
        with pytest.raises(UsageError, match="closed"):
            session.run("true")
        box.close()
        box.close()
        for call in (
            lambda: box.exec("true"),
            box.open_session,
            box.fork,
            box.reset,
            lambda: box.read_file("/tmp/a"),
            lambda: box.write_file("/tmp/a", b""),
            lambda: other.run("true"),
        ):
            with pytest.raises(UsageError, match="closed"):
                call()
