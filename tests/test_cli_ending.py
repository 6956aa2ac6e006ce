"""How the command line ends before its command has, and what it does without its streams."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ctrl_c import until_it_asks
from journals_for_cli import PIN, WALL

from tinysmith.cli._ending import as_if_interrupted, open_streams

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
ASKED = [sys.executable, "-P", "-m", "tinysmith", "run", PIN, "--env", WALL, "--model", "human"]


def waiting(command: list[str]) -> "subprocess.Popen[bytes]":
    """A process that waits for what a person types."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    until_it_asks(process, "end with an empty line> ")
    return process


@needs_proc
class TestSignals:
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
    )
    def test_who_asks_for_the_end_interrupts(self, number: signal.Signals, code: int) -> None:
        """Ctrl-C, `kill` and a terminal that is closed end a command with one line and their exit codes."""
        with waiting(ASKED) as process:
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (code, b"tinysmith: interrupted\n")

    def test_what_is_ignored_stays_so(self) -> None:
        """A command under nohup goes on when its terminal is closed."""
        with waiting(["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *ASKED]) as process:
            process.send_signal(signal.SIGHUP)
            out, _ = process.communicate(b"a note\n\n", timeout=60)
        assert process.returncode == 0
        assert b"solved" in out

    def test_before_it_has_begun(self) -> None:
        """Ctrl-C while the command line is still being imported gives the same line."""
        code = (
            "import os, signal, sys\n"
            "class Presses:\n"
            "    def find_spec(self, name, path, target=None):\n"
            "        if name == 'tinysmith.cli._main':\n"
            "            signal.raise_signal(signal.SIGINT)\n"
            "sys.meta_path.insert(0, Presses())\n"
            "from tinysmith.cli import main\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "sys.exit(main(['--version']))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "tinysmith: interrupted\n")

    def test_where_nobody_is_interrupted(self) -> None:
        """Where Ctrl-C is ignored, as in the background of a shell, the others interrupt all the same."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with pytest.raises(KeyboardInterrupt), as_if_interrupted() as came:
                signal.raise_signal(signal.SIGTERM)
        finally:
            signal.signal(signal.SIGINT, before)
        assert came == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    def test_another_thread_has_no_signals(self) -> None:
        """In another thread than the main one, signals are left as they are."""
        seen: list[object] = []

        def work() -> None:
            with as_if_interrupted():
                seen.append(signal.getsignal(signal.SIGTERM))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [signal.SIG_DFL]


class TestStreams:
    def test_a_closed_input_is_at_its_end(self) -> None:
        """Without an input nobody is there to type, which is said as where the input ends."""
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *ASKED], capture_output=True, text=True, check=False
        )
        assert done.returncode == 3
        assert "The input ended before a reply was typed." in done.stdout

    def test_a_closed_output_is_nowhere(self) -> None:
        """Without an output a command does what it does, and says nothing."""
        version = [sys.executable, "-P", "-m", "tinysmith", "draw", "machines:TryAgain"]
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *version], stderr=subprocess.PIPE, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_what_is_there_is_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Streams that are there stay, and one that is not is put in its place."""
        monkeypatch.setattr(sys, "stdin", None)
        before = sys.stdout
        open_streams()
        assert sys.stdout is before
        assert sys.stdin.read() == ""
        sys.stdin.close()


@needs_proc
def test_what_a_command_made_is_gone(tmp_path: Path) -> None:
    """A command that is asked to end takes its sandboxes away."""
    command = [sys.executable, "-P", "-m", "tinysmith", "run", "machines:TryAgain", "--env", "demo", "--task"]
    hidden = [*command, "hidden-flag", "--sandbox", "unsafe-local", "--model", "human"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(hidden, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        until_it_asks(process, "end with an empty line> ")
        assert list(tmp_path.iterdir())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []
