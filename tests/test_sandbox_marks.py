"""How a shell's output is told apart, command by command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.sandbox._marks import Reading


def fed(reading: Reading, printed: bytes, step: int) -> Reading:
    """A reading that has taken some bytes, a few at a time."""
    for place in range(0, len(printed), step):
        reading.take(printed[place : place + step])
    return reading


class TestReading:
    @given(st.binary(max_size=60), st.binary(max_size=40), st.integers(1, 30), st.booleans())
    def test_an_output_is_what_lies_between_its_marks(
        self, before: bytes, output: bytes, step: int, is_marked: bool
    ) -> None:
        """Whatever comes before and within, and however it is cut, output and exit code always come out."""
        reading = Reading.new(1000, is_begun=not is_marked)
        begin = before + reading.mark + b"<" if is_marked else b""
        fed(reading, begin + output + b"\n" + reading.mark + b">3\nlate", step)
        assert (reading.output(), reading.exit_code, reading.left) == (output, 3, 1000 - len(output))

    @given(st.binary(min_size=1, max_size=60), st.integers(0, 70), st.integers(1, 30))
    def test_no_more_is_kept_than_was_asked_for(self, output: bytes, most: int, step: int) -> None:
        """What is beyond the most is let go, and `left` says that it was too much."""
        reading = Reading.new(most, is_begun=True)
        fed(reading, output + b"\n" + reading.mark + b">0\n", step)
        assert (reading.output(), reading.left < 0) == (output[:most], len(output) > most)

    def test_an_output_without_an_end_is_kept(self) -> None:
        """Where the shell ends, what it had printed is the output; where it never began, there is none."""
        begun, unbegun = Reading.new(100, is_begun=True), Reading.new(100)
        assert (fed(begun, b"out", 1).output(), begun.exit_code) == (b"out", None)
        assert (fed(unbegun, b"of another" * 10, 7).output(), unbegun.exit_code) == (b"", None)

    @pytest.mark.parametrize("code", [b"", b"x", b"1234", b"-1", "²".encode()])
    def test_a_made_up_end_has_no_code(self, code: bytes) -> None:
        """A command that prints its own end cannot give it a code that is none."""
        reading = Reading.new(100, is_begun=True)
        reading.take(b"out\n" + reading.mark + b">" + code + b"\n")
        assert (reading.output(), reading.exit_code) == (b"out", 255)

    def test_its_line_holds_any_command(self) -> None:
        """Quotes and line breaks of a command stay within it."""
        line = Reading(b"0" * 8, 1).line("echo 'a'\necho b")
        assert line.count(b"0" * 8) == 2
        assert Reading(b"0" * 8, 1, is_begun=True).line("x").count(b"0" * 8) == 1
        assert b"echo '\"'\"'a'\"'\"'\necho b" in line
