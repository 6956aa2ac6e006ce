"""`tinysmith draw`."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from machines import TryAgain
from tinysmith.cli import main
from tinysmith.cli._draw import write_whole
from tinysmith.drawing import mermaid, outline
from tinysmith.errors import DataError

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no dot on the PATH")


def draw(*arguments: object) -> int:
    """The exit code of `tinysmith draw machines:TryAgain` with more arguments."""
    return main(["draw", "machines:TryAgain", *map(str, arguments)])


class TestOutput:
    def test_mermaid_is_printed_unless_told_otherwise(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without options the strategy is printed as Mermaid; `-` is standard output, too."""
        for arguments in ((), ("-o", "-"), ("-f", "mermaid")):
            assert draw(*arguments) == 0
            assert capsys.readouterr().out == mermaid(TryAgain)

    @pytest.mark.parametrize(
        ("name", "begin"),
        [
            ("a.mmd", "flowchart"),
            ("a.mermaid", "flowchart"),
            ("A.TXT", "player →"),
            ("a.dot", "digraph"),
            ("a.gv", "di"),
        ],
    )
    def test_the_suffix_tells_the_format(self, tmp_path: Path, name: str, begin: str) -> None:
        """The file's suffix says which format is written."""
        assert draw("-o", tmp_path / name) == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begin)

    @needs_dot
    @pytest.mark.parametrize(
        ("name", "begin"),
        [("a.svg", b"<svg "), ("a.png", b"\x89PNG"), ("a.html", b"<!DOCTYPE"), ("a.htm", b"<!DOCTYPE")],
    )
    def test_pictures_are_written(self, tmp_path: Path, name: str, begin: bytes) -> None:
        """SVG, PNG and HTML are written as their suffixes say."""
        assert draw("-o", tmp_path / name) == 0
        assert (tmp_path / name).read_bytes().startswith(begin)

    def test_the_format_goes_before_the_suffix(self, tmp_path: Path) -> None:
        """-f says the format whatever the file is called."""
        assert draw("-f", "text", "-o", tmp_path / "a.svg") == 0
        assert (tmp_path / "a.svg").read_text(encoding="utf-8") == outline(TryAgain)

    def test_the_current_node_is_marked(self, capsys: pytest.CaptureFixture[str]) -> None:
        """--at marks a node; for a wrong name near ones are offered."""
        assert draw("-f", "text", "--at", "shell") == 0
        assert "shell [▶ here]" in capsys.readouterr().out
        assert draw("--at", "shel") == 2
        assert capsys.readouterr().err == "tinysmith: TryAgain has no node 'shel'. Did you mean shell?\n"

    def test_bytes_go_into_a_pipe(
        self, dot_that: Callable[[str], None], capsysbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """PNG may be sent into a pipe, as the bytes that it is."""
        dot_that(r"printf '\211PNG\r\n'")
        assert draw("-f", "png") == 0
        assert capsysbinary.readouterr().out == b"\x89PNG\r\n"

    def test_bytes_are_kept_from_a_terminal(
        self, dot_that: Callable[[str], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """PNG is refused in one line where standard output is a terminal, which is left alone."""
        dot_that(r"printf '\211PNG\r\n'")
        leader, terminal = pty.openpty()
        os.set_blocking(leader, False)
        with os.fdopen(terminal, "w") as screen, redirect_stdout(screen):
            assert draw("-f", "png") == 2
            with pytest.raises(BlockingIOError):
                os.read(leader, 100)
        os.close(leader)
        said = "tinysmith: png is no text for a terminal. Give -o FILE, or send it into a pipe.\n"
        assert capsys.readouterr().err == said


class TestMisuse:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["-f", "pgn"], "There is no format 'pgn'. Did you mean png?"),
            (["-o", "a.svgz"], "a.svgz: its name tells no format. Did you mean .svg"),
            (["-o", "picture"], "picture: its name tells no format."),
        ],
    )
    def test_what_is_no_format_is_refused(
        self,
        arguments: list[str],
        said: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A format or a suffix that is none is refused with what there is, and no file is made."""
        monkeypatch.chdir(tmp_path)
        assert draw(*arguments) == 2
        assert said in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []


class TestWriteWhole:
    def test_a_file_is_replaced_and_a_link_stays(self, tmp_path: Path) -> None:
        """What is there is replaced, through a link too, and nothing else is left behind."""
        place, link = tmp_path / "a.txt", tmp_path / "link"
        place.write_bytes(b"old")
        link.symlink_to(place)
        write_whole(link, b"new")
        assert place.read_bytes() == b"new"
        assert link.is_symlink()
        assert sorted(tmp_path.iterdir()) == [place, link]

    @pytest.mark.parametrize("name", ["none/a.txt", ".", "x" * 300])
    def test_where_nothing_can_be_written_is_told(self, tmp_path: Path, name: str) -> None:
        """A place that no file can be written at is told in one sentence."""
        with pytest.raises(DataError, match=r"it cannot be written: .*Name another file"):
            write_whole(tmp_path / name, b"new")
        assert list(tmp_path.iterdir()) == []

    def test_a_pipe_is_written_to(self, tmp_path: Path) -> None:
        """What is no file, such as a pipe or a device, is written to, not replaced."""
        place = tmp_path / "pipe"
        os.mkfifo(place)
        reader = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
        write_whole(place, b"new")
        assert os.read(reader, 10) == b"new"
        os.close(reader)
        assert place.is_fifo()

    def test_who_reads_sees_the_old_or_the_new(self, tmp_path: Path) -> None:
        """Who has the old file open reads it to its end."""
        place = tmp_path / "a.txt"
        place.write_bytes(b"old")
        with place.open("rb") as old:
            write_whole(place, b"new")
            assert old.read() == b"old"

    def test_a_full_disk_leaves_what_was_there(self, tmp_path: Path) -> None:
        """Where the file can only be half written the old one stays, and nothing else is left behind."""
        place = tmp_path / "a.txt"
        place.write_bytes(b"old")
        code = (
            "import resource, sys\nfrom tinysmith.cli import main\n"
            "limits = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))\n"
            f"code = main(['draw', 'machines:TryAgain', '-f', 'text', '-o', {str(place)!r}])\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, limits)\n"  # who measures coverage writes files, too
            "sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (
            2,
            f"tinysmith: {place}: it cannot be written: File too large. Name another file.\n",
        )
        assert place.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [place]
