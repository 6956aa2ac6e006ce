"""The guards that judge a trial of the strategy that reflects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines.reflexion import (
    FAULTS,
    MOST_COMPARED,
    Reflexion,
    Trial,
    is_error,
    is_out_of_reflections,
    is_out_of_steps,
    is_over,
    is_same,
    is_similar,
    is_solved,
)
from tinysmith.memory import Exchange


def tried(*commands: str, output: str = "") -> Trial:
    """A trial after these commands, the last of which printed that."""
    exchanges = [Exchange(command, "") for command in commands[:-1]]
    return Trial(exchanges=(*exchanges, *(Exchange(command, output) for command in commands[-1:])))


class TestGuards:
    def test_solved_is_over_with_the_full_reward(self) -> None:
        """Solved is the full reward of an episode that is over; over is what the environment said."""
        boards = [Trial(is_over=over, reward=reward) for over in (False, True) for reward in (0.5, 1.0)]
        assert [is_solved(board) for board in boards] == [False, False, False, True]
        assert [is_over(board) for board in boards] == [False, False, True, True]

    def test_counters(self) -> None:
        """Steps and reflections are used up at none left, however they got there."""
        assert [is_out_of_steps(Trial(steps_left=left)) for left in (1, 0, -1)] == [False, True, True]
        assert [is_out_of_reflections(Trial(reflections_left=left)) for left in (1, 0, -1)] == [False, True, True]

    @pytest.mark.parametrize(
        ("commands", "verdict"),
        [
            ((), False),
            (("a",), False),
            (("a", "b"), False),
            (("a", "a"), True),
            (("a", "b", "a"), True),
            (("a", "a", "b"), False),
            (("a", "A"), False),
        ],
    )
    def test_same(self, commands: tuple[str, ...], verdict: bool) -> None:
        """The same is what was sent at any time before, word for word."""
        assert is_same(tried(*commands)) is verdict

    @pytest.mark.parametrize(
        ("commands", "verdict"),
        [
            ((), False),
            (("0123456789",), False),
            (("012345678a", "012345678b", "012345678c", "0123456789"), False),  # three earlier ones
            (("012345678a", "012345678b", "012345678c", "012345678d", "0123456789"), True),
            (("012345678a", "x", "012345678b", "y", "012345678c", "012345678d", "0123456789"), True),
            (
                ("01234567aa", "01234567bb", "01234567cc", "01234567dd", "0123456789"),
                False,
            ),  # 0.2 is not under 0.2
            (("0123456789",) * 5, True),
            (("0123456789",) * 5 + ("something else",), False),
        ],
    )
    def test_similar(self, commands: tuple[str, ...], verdict: bool) -> None:
        """Similar is what has a distance under 0.2 to more than three earlier commands."""
        assert is_similar(tried(*commands)) is verdict

    def test_similar_reads_beginnings(self) -> None:
        """Of huge commands only the beginnings are compared, so that a guard's work is bounded."""
        beginnings = [chr(ord("a") + number) + "x" * (MOST_COMPARED - 1) for number in range(5)]
        assert is_similar(tried(*(text + text[0] * 1_000_000 for text in beginnings)))

    @pytest.mark.parametrize(
        "output",
        [
            "Error executing query: Table 'ferry_line.nope' doesn't exist",
            "ERROR 1146 (42S02) at line 1: Table 'x' doesn't exist",
            "(1146, \"Table 'x' doesn't exist\")",
            "Traceback (most recent call last):\n  File …",
            "a.txt\nsqlite3.OperationalError: no such column: x",
            '  Exception in thread "main" java.lang.NullPointerException: x',
            "error[E0425]: cannot find value `x`",
            "bash: line 1: foo: command not found",
            "sh: 1: foo: not found",
            "a.txt\nls: cannot access 'b.txt': No such file or directory\r\n",
            "cat: /etc/shadow: Permission denied",
            "fatal: not a git repository",
            "a.c:1:2: error: expected ';'",
            "a.c:1:2: fatal error: x.h: none",
            "bash: -c: line 1: syntax error near unexpected token `)'",
        ],
    )
    def test_error(self, output: str) -> None:
        """What databases, interpreters and shells print when they refuse is an error, also after other lines."""
        assert is_error(tried("x", output=output))

    @pytest.mark.parametrize(
        "output",
        [
            "(no output)",
            "[('boats',), ('ports',)]",
            "[(1146, 'Table')]",
            "(2016, 'Fulmar')",
            "1 row\n(1146, 'Fulmar')",
            "0 errors: all is well",
            "Errors: 0",
            "Errors are human",
            "three of the boats were not found",
            "Error rates by month",
            "An error: no",
            "mirror: x",
            "the file was not found in time",
            f"error {'x' * 100}:",
        ],
    )
    def test_no_error(self, output: str) -> None:
        """Rows, and words that speak of errors, are none."""
        assert not is_error(tried("x", output=output))
        assert not is_error(Trial())

    @pytest.mark.parametrize(
        "piece", ["error", "error ", "error.", " ", "\n", "\t\n", ": ", ": not found", "(", "a.b"]
    )
    def test_error_is_found_in_linear_time(self, piece: str) -> None:
        """A hostile output of a million characters is read like any other."""
        assert not is_error(tried("x", output=piece * (1_000_000 // len(piece)) + "\0"))

    @given(st.lists(st.text()), st.text(), st.integers(), st.integers(), st.booleans())
    def test_faults_are_the_guards_that_hold(
        self,
        commands: list[str],
        output: str,
        steps: int,
        reflections: int,
        over: bool,
    ) -> None:
        """The reflector is told of exactly those guards of the evaluator that hold, on any board."""
        exchanges = tuple(Exchange(command, output) for command in commands)
        trial = Trial(exchanges=exchanges, steps_left=steps, reflections_left=reflections, is_over=over)
        held = [guard(trial) for guard in (is_over, is_out_of_steps, is_same, is_similar, is_error)]
        assert len(trial.faults) == sum(held)

    def test_evaluator_and_faults_agree(self) -> None:
        """Every guard that leads to the reflector has its words, in the order in which they are tried."""
        guards = [edge.guard for edge in Reflexion.edges if edge.target is Reflexion.reflector]
        assert guards == list(FAULTS)
