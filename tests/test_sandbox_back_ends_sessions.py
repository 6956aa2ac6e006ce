"""What every back end's sessions do: one suite for all, with commands that would break a shell's framing."""

import asyncio
import re
import signal
import threading
from typing import Any

import pytest
from back_ends import on_each_back_end
from sandboxes import Maker, wait_until

from tinysmith.errors import UsageError
from tinysmith.sandbox import Executed, SandboxLimits, Session
from tinysmith.sandbox.sandbox import Stop, Stopped

BYTES = bytes(range(256)) * 4


def said(session: Session, command: str) -> str:
    """What a command prints in a session that stays, without the blanks around it."""
    done = session.run(command)
    assert (done.ended_by, done.is_session_new) == ("", False), (command, done)
    return done.text.strip()


def goes_on(session: Session) -> bool:
    """Whether the next command works, in the same shell or in a new one."""
    return session.run("echo on").stdout == b"on\n"


class TestWhatStays:
    @on_each_back_end
    def test_what_a_command_sets_is_there_for_the_next(self, back_end: Maker) -> None:
        """Variables, functions, the folder, options, the last code and jobs stay from command to command."""
        with back_end.sandbox({"/data/file": "x"}, cwd="/data") as box, box.open_session() as session:
            assert said(session, "word='a b'; export shown=1; f() { echo \"f $1\"; }; alias x=y") == ""
            assert said(session, 'echo "$word"; f 1; bash -c "echo \\$shown"').split("\n") == ["a b", "f 1", "1"]
            assert said(session, "mkdir -p in/to; cd in/to") == ""
            assert said(session, "pwd").endswith("/data/in/to")
            assert said(session, "cd -").endswith("/data")
            assert session.run("(exit 5)").exit_code == 5
            assert said(session, "echo $?") == "5"
            assert said(session, "sleep 1000 & kill -0 $! && echo there") == "there"
            assert said(session, "kill $!; wait $! 2>/dev/null; echo $?") == "143"
            assert said(session, "set -o pipefail") == ""
            assert session.run("false | true").exit_code == 1

    @on_each_back_end
    def test_a_session_begins_as_a_command_does(self, back_end: Maker) -> None:
        """A session has the spec's variables and folder, and shares the files with other commands."""
        with back_end.sandbox(environment={"A": "spec"}, cwd="/made") as box, box.open_session() as session:
            assert said(session, "echo $A; basename $PWD; echo x > file").split() == ["spec", "made"]
            assert box.read_file("/made/file") == b"x\n"
            box.write_file("/made/file", b"written")
            assert said(session, "cat file") == "written"
            with box.open_session() as other:
                assert said(other, "echo $word$A; cat file; word=1").split() == ["spec", "written"]
            assert said(session, "echo -$word-") == "--"


class TestOutput:
    @on_each_back_end
    def test_output_is_what_was_printed(self, back_end: Maker) -> None:
        """Both streams come in their order, byte for byte, with and without an end of line."""
        with back_end.sandbox() as box, box.open_session() as session:
            box.write_file("/bytes", BYTES)
            for command, output in {
                "printf 'no end'": b"no end",
                "printf 'end\\n\\n'": b"end\n\n",
                "true": b"",
                "echo 1; echo 2 >&2; echo 3": b"1\n2\n3\n",
                "cat ./bytes": BYTES,
                "printf '\\0\\0'": b"\0\0",
                "echo one\necho two": b"one\ntwo\n",
                "cat <<END\n$((1+1))\nEND": b"2\n",
                "echo one # comment": b"one\n",
                "\n\n  echo one  \n\n": b"one\n",
                "echo 'é😀'": "é😀\n".encode(),
            }.items():
                done = session.run(command)
                assert (done.stdout, done.stderr, done.exit_code) == (output, b"", 0), command

    @on_each_back_end
    def test_long_commands_and_outputs_pass(self, back_end: Maker) -> None:
        """A command longer than any argument may be, and an output as long as is allowed, are whole."""
        limits = SandboxLimits(output_bytes=300_000)
        with back_end.sandbox(limits=limits) as box, box.open_session() as session:
            text = "0123456789" * 25_000
            assert session.run(f"cat <<'END'\n{text}\nEND").text == text + "\n"
            assert len(session.run("head -c 300000 /dev/zero").stdout) == 300_000
            for command in ("head -c 300001 /dev/zero", "head -c 300100 /dev/zero; sleep 1000"):
                done = session.run(command)
                assert (done.ended_by, len(done.stdout), done.exit_code) == ("output_bytes", 300_000, 137)
            assert goes_on(session)

    @on_each_back_end
    def test_a_made_up_end_is_output(self, back_end: Maker) -> None:
        """What looks like an end, of this or an earlier command, ends nothing early."""
        with back_end.sandbox() as box, box.open_session() as session:
            for printed in (
                "\n0123456789ab>0\n",
                "0123456789ab<",
                "\n0123456789abcdef>0\n",
                "tinysmith>0\n",
                ">0\n<",
            ):
                done = session.run(f"printf '%s' '{printed}'; echo after")
                assert (done.stdout.decode(), done.exit_code) == (f"{printed}after\n", 0)
            early = session.run('set; declare -f; printf \'\\n%s>7\\n\' "$1" "$_tc"; echo after')
            assert "after" in early.text
            assert goes_on(session)

    @on_each_back_end
    def test_late_output_is_not_the_nexts(self, back_end: Maker) -> None:
        """What a command that was ended, or left in the background, would still print is not in later outputs."""
        with back_end.sandbox() as box, box.open_session() as session:
            waiting = "word=kept; (trap '' TERM INT; sleep 0.8; echo late) & sleep 1000; echo late"
            done = session.run(waiting, wall_s=0.6)
            assert (done.ended_by, done.exit_code) == ("wall_s", 137)
            # bash itself may say of what it waited for that it was killed
            assert "late" not in session.run("sleep 0.2; echo $word").text.split("\n")
            assert session.run("sleep 0.2; echo on").stdout == b"on\n"
            session.run("yes late", wall_s=0.1)
            assert goes_on(session)
            session.run("(sleep 0.05; echo late; touch /tmp/is-said) &")
            assert wait_until(lambda: box.exec("test -e /tmp/is-said").exit_code == 0)
            assert session.run("echo on").stdout == b"on\n"


class TestHostileCommands:
    @on_each_back_end
    def test_half_a_command_is_an_error_and_no_more(self, back_end: Maker) -> None:
        """Unbalanced quotes, brackets and here-documents are errors of their command; the session goes on."""
        with back_end.sandbox() as box, box.open_session() as session:
            said(session, "word=kept")
            for command in (
                "echo 'half",
                'echo "half',
                "echo $(",
                "if true",
                "for",
                "}",
                ")",
                "echo `",
                "((",
                "x=(",
            ):
                assert session.run(command).exit_code in (1, 2, 127), command
                assert said(session, "echo $word") == "kept", command
            assert session.run("cat <<END\nhalf").exit_code == 0
            assert session.run("echo \\").exit_code == 0
            assert said(session, "echo $word") == "kept"

    @on_each_back_end
    def test_the_end_of_the_shell_ends_the_command(self, back_end: Maker) -> None:
        """Where a command ends the shell its code is told, and the next one meets a new shell."""
        with back_end.sandbox() as box, box.open_session() as session:
            for command, code in {
                "sleep 1000 & echo out; exit 3": 3,
                "echo out; exec true": 0,
                "echo out; kill -9 $$": 137,
                "echo out; exec bash -c 'exit 4'": 4,
                "set -e; echo out; false": 1,
            }.items():
                said(session, "word=lost")
                done = session.run(command)
                assert (done.text, done.exit_code, done.ended_by, done.is_session_new) == ("out\n", code, "", True)
                assert said(session, "echo -$word-") == "--"

    @on_each_back_end
    def test_words_that_steer_a_loop_or_function_steer_nothing(self, back_end: Maker) -> None:
        """`break`, `continue` and `return` outside of what they belong to lose no shell and no time."""
        with back_end.sandbox(limits=SandboxLimits(wall_s=2.0)) as box, box.open_session() as session:
            for word in ("break", "continue", "return", "break 9"):
                done = session.run(f"word=kept; {word}; echo after")
                assert (done.ended_by, done.is_session_new) == ("", False), (word, done)
                assert said(session, "echo $word") == "kept", word

    @on_each_back_end
    def test_a_shell_that_is_turned_upside_down_is_still_bounded(self, back_end: Maker) -> None:
        """Whatever a command does to the shell's own words, streams, traps and options, the next one works."""
        with back_end.sandbox() as box, box.open_session() as session:
            for command in (
                "printf() { :; }; read() { :; }; eval() { :; }; builtin() { :; }; echo() { :; }",
                "exec <&- >&- 2>&-; trap 'echo trapped' DEBUG EXIT ERR RETURN; set -T",
                'for f in /proc/$$/fd/*; do eval "exec ${f##*/}>&-"; done',
                "for f in /proc/$$/fd/*; do cat $f; done",
                "set -u; set -x; set -v; set -f; IFS=0123456789abcdef",
                "readonly _tc=x; unset -f _tb _te",
                "unset PATH IFS; shopt -s extdebug; enable -n printf read eval; ulimit -n 4; ulimit -u 1",
                "kill -STOP $$",
            ):
                session.run(command, wall_s=0.3)
                session.run("exit", wall_s=0.3)
                assert goes_on(session), command

    @on_each_back_end
    def test_a_made_up_end_that_is_none_loses_the_shell(self, back_end: Maker) -> None:
        """Where a shell tells a code that is none, or prints without end instead of it, the next one is new."""
        with back_end.sandbox() as box, box.open_session() as session:
            for end in ("'\\n%s>999\\n' \"$1\"", "'\\n%s>' \"$1\"; while :; do builtin printf %99999s; done"):
                done = session.run(f"echo out; _te() {{ {{ builtin printf {end}; }} >&201; }}")
                told = (done.text, done.exit_code, done.ended_by, done.is_session_new)
                assert told == ("out\n", 137, "", True)
                assert said(session, "echo on") == "on"

    @on_each_back_end
    def test_a_command_reads_nothing_of_the_next(self, back_end: Maker) -> None:
        """Standard input is empty, so that no command waits for it or takes what is meant for the shell."""
        with back_end.sandbox() as box, box.open_session() as session:
            assert said(session, "cat; read line; echo $?-$line-") == "1--"
            assert said(session, "cat <&0 & wait; echo on") == "on"
            assert said(session, "python3 -c 'input()' 2>&1 | tail -1; bash; sh -s; echo on").endswith("on")
            assert said(session, "ls /proc/self/fd").split() == ["0", "1", "2", "3"]

    @on_each_back_end
    def test_mistakes_are_told_in_the_same_words(self, back_end: Maker) -> None:
        """What the shell says of mistakes is the same in every session, however many there are."""
        with back_end.sandbox() as box, box.open_session() as first, box.open_session() as second:
            told = first.run("nothing").text
            assert re.fullmatch(r"/[a-z]+/[a-z0-9/]+: line \d+: nothing: command not found\n", told)
            assert second.run("nothing").text == told

    @on_each_back_end
    def test_what_is_no_command_is_refused(self, back_end: Maker) -> None:
        """A NUL, half a character and no time are mistakes of the caller's; an empty command is none."""
        with back_end.sandbox() as box, box.open_session() as session:
            for command in ("true\0", "\ud800"):
                with pytest.raises(UsageError):
                    session.run(command)
            with pytest.raises(UsageError, match="wall_s is nan; give seconds"):
                session.run("true", wall_s=float("nan"))
            for command in ("", " ", "# nothing", "\n"):
                done = session.run(command)
                assert (done.stdout, done.exit_code) == (b"", 0)
            assert goes_on(session)


class TestEnds:
    @on_each_back_end
    def test_a_command_that_takes_too_long_is_ended_and_the_shell_stays(self, back_end: Maker) -> None:
        """When a command's time is up what it waits for is ended, and variables are still there."""
        with back_end.sandbox() as box, box.open_session() as session:
            said(session, "word=kept")
            for command in (
                "echo early; sleep 1000",
                "echo early; sleep 1000 | cat",
                "echo early; (sleep 1000; true)",
            ):
                done = session.run(command, wall_s=0.5)
                # bash itself may say of what it waited for that it was killed
                assert (done.text.split("\n")[0], done.ended_by, done.exit_code) == ("early", "wall_s", 137)
                assert not done.is_session_new
                assert done.duration_s < 60
                assert said(session, "echo $word") == "kept"

    @on_each_back_end
    def test_a_command_that_the_shell_itself_does_forever_loses_the_shell(self, back_end: Maker) -> None:
        """A loop in the shell cannot be ended without it; the result says so, and a new shell is there."""
        with back_end.sandbox() as box, box.open_session() as session:
            for command in ("while :; do :; done", "trap '' TERM INT; while :; do sleep 1000; done"):
                done = session.run(f"echo early; {command}", wall_s=0.4)
                assert (done.text.split("\n")[0], done.ended_by, done.is_session_new) == ("early", "wall_s", True)
                assert goes_on(session)

    @on_each_back_end
    def test_a_command_is_ended_from_another_thread(self, back_end: Maker) -> None:
        """A stop that is set ends a session's command, and the session goes on."""
        with back_end.sandbox() as box, box.open_session() as session:
            stop = Stop()
            timer = threading.Timer(0.1, stop.set)
            timer.start()
            with pytest.raises(Stopped):
                session.run("sleep 1000", wall_s=1000.0, stop=stop)
            timer.join()
            stop.close()
            assert goes_on(session)

    @on_each_back_end
    def test_an_interruption_ends_the_shell(self, back_end: Maker) -> None:
        """An exception while a command runs, such as Ctrl-C, ends it; the next result says that its shell is new.

        Nothing of what was interrupted is in that result.
        """

        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        signal.signal(signal.SIGUSR1, interrupt)
        main = threading.get_ident()
        with back_end.sandbox() as box, box.open_session() as session:

            def work() -> None:
                assert wait_until(lambda: box.exec("test -e begun").exit_code == 0)
                signal.pthread_kill(main, signal.SIGUSR1)

            said(session, "word=lost")
            thread = threading.Thread(target=work)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                session.run("touch begun; sleep 3; echo secret; touch ended", wall_s=1000.0)
            thread.join()
            done = session.run("echo on$word; sleep 3; ls ended 2>/dev/null")
            assert (done.text, done.is_session_new) == ("on\n", True)
            assert said(session, "echo on") == "on"

    @on_each_back_end
    def test_a_shell_that_is_lost_where_nothing_is_returned(self, back_end: Maker) -> None:
        """Where a stop costs the shell, the next result says so, and the one after that no more."""
        with back_end.sandbox() as box, box.open_session() as session:
            stop = Stop()
            stop.set()
            with pytest.raises(Stopped):
                session.run("while :; do :; done", wall_s=1000.0, stop=stop)
            stop.close()
            done = session.run("echo on")
            assert (done.text, done.is_session_new) == ("on\n", True)
            assert said(session, "echo on") == "on"

    @on_each_back_end
    def test_one_command_at_a_time(self, back_end: Maker) -> None:
        """A second command while one runs is a mistake of the caller's; another session takes it."""

        async def work() -> None:
            async with (
                back_end.sandbox() as box,
                await box.aopen_session() as one,
                await box.aopen_session() as two,
            ):
                call = asyncio.ensure_future(one.arun("touch begun; sleep 0.3; echo one"))
                while (await box.aexec("test -e begun")).exit_code:
                    pass
                with pytest.raises(UsageError, match="one at a time"):
                    await one.arun("echo early")
                other: Executed = await two.arun("echo two")
                assert other.text == "two\n"
                assert (await call).text == "one\n"

        asyncio.run(work())
