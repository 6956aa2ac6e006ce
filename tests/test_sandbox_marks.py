"""How a shell's output is told apart, command by command."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.sandbox._marks import Reading

PARTS = [b"MARK", b"MARK<", b"\nMARK>", b"\nMARK>0\n", b"\n", b"7", b"255\n", b"256\n", "²\n".encode()]


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

    @pytest.mark.parametrize(
        "code",
        [b"", b"x", b"1234", b"-1", b"+1", b" 1", b"1_0", b"256", b"999", "²".encode(), "٣".encode(), b"1" * 5000],
    )
    @pytest.mark.parametrize("step", [1, 9999])
    def test_a_made_up_end_has_no_code(self, code: bytes, step: int) -> None:
        """A command that prints its own end cannot give it a code that is none: the end is broken."""
        reading = Reading.new(100, is_begun=True)
        fed(reading, b"out\n" + reading.mark + b">" + code + b"\n", step)
        assert (reading.output(), reading.exit_code, reading.is_broken, reading.is_over) == (
            b"out",
            None,
            True,
            True,
        )

    @given(
        st.lists(st.binary(max_size=20) | st.sampled_from(PARTS), max_size=12),
        st.integers(0, 40),
        st.integers(1, 30),
    )
    def test_whatever_is_printed_has_a_verdict(self, parts: list[bytes], most: int, step: int) -> None:
        """Out of any bytes come an output within its limit, and an exit code, a broken end or none at all."""
        for is_begun in (True, False):
            reading = Reading.new(most, is_begun=is_begun)
            printed = b"".join(parts).replace(b"MARK", reading.mark)
            output = fed(reading, printed, step).output()
            assert output in printed
            assert len(output) <= most
            assert reading.exit_code is None or reading.exit_code in range(256)
            assert reading.is_over == (reading.is_broken or reading.exit_code is not None)
            assert not (reading.is_broken and reading.exit_code is not None)

    @pytest.mark.parametrize("begin", [b"", b"MARK<", b"MARK<\nMARK>", b"MARK<\nMARK>0\n", b"MARK<out\nMARK>x\n"])
    def test_no_flood_is_kept(self, begin: bytes) -> None:
        """However much comes, before, within or behind an output, only so much is kept as was asked for."""
        reading, flood = Reading.new(1000), bytes(1 << 16)
        reading.take(begin.replace(b"MARK", reading.mark))
        tracemalloc.start()
        try:
            for _ in range(200):
                reading.take(flood)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 1 << 20

    def test_its_line_holds_any_command(self) -> None:
        """Quotes and line breaks of a command stay within it."""
        line = Reading(b"0" * 8, 1).line("echo 'a'\necho b")
        assert line.count(b"0" * 8) == 2
        assert Reading(b"0" * 8, 1, is_begun=True).line("x").count(b"0" * 8) == 1
        assert b"echo '\"'\"'a'\"'\"'\necho b" in line
