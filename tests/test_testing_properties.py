"""What a user claims of runs: boards, transitions, whole runs; as arguments and as methods."""

import unittest
from typing import Any

import pytest
from attrs import evolve
from sketches import Once, Pad, Refine, Rescue, Spin, Writer

from tinysmith import Halt, Hop, Reply, Rule, Strategy
from tinysmith.errors import UsageError
from tinysmith.testing import eventually, invariant, never_after, strategy_test
from tinysmith.testing._properties import Properties


def played(strategy: type[Strategy[Any]], **options: Any) -> None:
    """Plays the strategy's property test as pytest would."""
    strategy_test(strategy, **options)("test_every_run").debug()


def is_counted(pad: Pad) -> bool:
    return pad.left >= 0


def is_short(pad: Pad) -> bool:
    return len(pad.lines) < 3


def has_lines(pad: Pad) -> bool:
    return bool(pad.lines)


def is_empty(pad: Pad) -> bool:
    return not pad.lines


def is_fair(pad: Pad) -> bool:
    return "fair" in pad.lines


def only_good_is_accepted(before: Pad, edge: Hop, after: Pad) -> bool:
    return edge.target != "accepted" or after.lines[-1] == "good"


def grows(before: Pad, edge: Hop, after: Pad) -> bool:
    return len(after.lines) == len(before.lines) + 1


def nothing_is_accepted(before: Pad, edge: Hop, after: Pad) -> bool:
    return edge.target != "accepted"


def raises_on_lines(pad: Pad) -> bool:
    return 1 / (1 - len(pad.lines)) > 0


class Erase(Rule[Pad]):
    """Takes all lines away."""

    def apply(self, pad: Pad, /) -> Pad:
        return evolve(pad, lines=())


class Wiped(Strategy[Pad]):
    """Writes a line, and takes it away."""

    writer = Writer()
    erase = Erase()
    done = Halt()

    initial = writer
    edges = (writer.to(erase), erase.to(done))


class TestBoards:
    def test_that_hold(self) -> None:
        """A claim that holds on every board passes."""
        played(Once, invariants=[is_short, is_counted], max_examples=20)

    def test_that_fail(self) -> None:
        """A claim that does not is named, with the board."""
        with pytest.raises(
            AssertionError, match=r"Refine\.\w+, step \d: invariant is_short does not hold on Pad\("
        ):
            played(Refine, boards=[Pad(left=3)], invariants=[is_short])

    def test_first_board(self) -> None:
        """The first board is looked at, before anything is answered."""
        with pytest.raises(
            AssertionError, match=r"Once\.writer, step 0: invariant has_lines does not hold on Pad\(\)\."
        ):
            played(Once, invariants=[has_lines])

    def test_that_raise(self) -> None:
        """A claim that raises is named with what it raised and with the board."""
        problem = r"invariant raises_on_lines raised ZeroDivisionError: division by zero, on Pad\("
        with pytest.raises(AssertionError, match=problem) as caught:
            played(Once, invariants=[raises_on_lines])
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


class TestTransitions:
    def test_that_hold(self) -> None:
        """A claim about transitions sees each with the boards with which its source was come to and left."""
        played(Refine, boards=[Pad(left=3)], invariants=[only_good_is_accepted, grows])

    def test_that_fail(self) -> None:
        """A claim that does not hold is named, with the edge and both boards."""
        problem = (
            r"transition invariant nothing_is_accepted does not hold for critic → accepted \(is_good\), from Pad\("
        )
        with pytest.raises(AssertionError, match=problem):
            played(Refine, boards=[Pad(left=3)], invariants=[nothing_is_accepted])

    def test_of_rules(self) -> None:
        """The hop out of a rule has the board that the rule was given, and the one that it made."""
        seen: set[tuple[str, int, int]] = set()

        def notes(before: Pad, edge: Hop, after: Pad) -> None:
            seen.add((edge.source, len(before.lines), len(after.lines)))

        played(Wiped, invariants=[notes], max_examples=10)
        assert seen == {("writer", 0, 1), ("erase", 1, 0)}

    def test_before_the_first_step(self) -> None:
        """Rules before the first step are transitions, too."""
        seen: list[str] = []

        def notes(before: Pad, edge: Hop, after: Pad) -> None:
            seen.append(edge.source)

        played(Spin, boards=[Pad(left=0)], invariants=[notes], max_examples=1)
        assert seen

    def test_of_failures(self) -> None:
        """The failure edge has the board that the node was come to with, unchanged."""
        same: set[bool] = set()

        def notes(before: Pad, edge: Hop, after: Pad) -> None:
            if edge.why == "failed":
                same.add(before == after)

        played(Rescue, invariants=[notes])
        assert same == {True}


class TestLasting:
    def test_eventually(self) -> None:
        """What must be met once before a halt is looked for in every run that ends in one."""
        played(Once, invariants=[eventually(has_lines)], max_examples=20)
        problem = r"Once, step \d: eventually\(is_fair\) does not hold: on no board of the run did it\."
        with pytest.raises(AssertionError, match=problem):
            played(Once, invariants=[eventually(is_fair)])

    def test_eventually_not_without_a_halt(self) -> None:
        """A run that a failure ends need not have met it."""
        cut_off = [Reply("fair", finish="length")]
        played(Once, replies={"writer": cut_off}, max_examples=5, invariants=[eventually(has_lines)])

    def test_never_after(self) -> None:
        """What must not be met after something else is looked for on every later board."""
        played(Once, invariants=[never_after(has_lines, is_empty)], max_examples=20)
        problem = r"Wiped, step 1: never_after\(has_lines, is_empty\) does not hold on Pad\(\)\."
        with pytest.raises(AssertionError, match=problem):
            played(Wiped, boards=[Pad(("old",))], invariants=[never_after(has_lines, is_empty)])

    def test_never_after_may_hold_before(self) -> None:
        """What held before, or at the same time, does not count."""
        properties = Properties([never_after(has_lines, is_empty)])
        properties.check_run("here", [Pad(), Pad(), Pad(("a",)), Pad(("a", "b"))], is_halted=True)
        Properties([never_after(is_empty, is_empty)]).check_run("here", [Pad()], is_halted=True)


def raises_always(pad: Pad) -> bool:
    raise KeyError("x")


class TestAsking:
    @pytest.mark.parametrize("claim", [eventually(raises_always), never_after(is_short, raises_always)])
    def test_a_claim_about_runs_that_raises(self, claim: Any) -> None:
        """A claim about runs that raises is named with what it raised, and told with the conversation."""
        problem = r"Once, step \d: invariant raises_always raised KeyError: 'x', on"
        with pytest.raises(AssertionError, match=problem) as caught:
            played(Once, boards=[Pad()], invariants=[claim], max_examples=5)
        assert "As a test:" in str(caught.value)

    def test_a_long_board_is_cut(self) -> None:
        """Of a board that is long, a message shows the beginning; the conversation's test has it whole."""
        with pytest.raises(AssertionError) as caught:
            played(Once, boards=[Pad(("ab" * 5_000 + "c",))], invariants=[is_empty], max_examples=1)
        assert len(str(caught.value).splitlines()[0]) < 600


class Claims(strategy_test(Refine, boards=[Pad(left=2)], max_examples=20)):  # type: ignore[misc]  # a made class
    """Has claims of its own."""

    seen: list[str]

    def setUp(self) -> None:
        type(self).seen = []

    @invariant
    def is_counted(self, pad: Pad) -> bool:
        self.seen.append("board")
        return pad.left >= 0

    @invariant
    def moves(self, before: Pad, edge: Hop, after: Pad) -> None:
        self.seen.append("transition")
        assert edge.source != edge.target

    def is_nothing(self, pad: Pad) -> bool:
        """Is not marked, and so not asked."""
        raise AssertionError


class Stricter(Claims):
    """Has a claim more, which does not hold."""

    __test__ = False  # of pytest; below it is run by unittest

    @invariant
    def is_short(self, pad: Pad) -> bool:
        return len(pad.lines) < 2


def results(test: type[unittest.TestCase]) -> unittest.TestResult:
    """What unittest makes of a test class."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(test).run(result)
    return result


class TestMethods:
    def test_marked_methods_are_claims(self) -> None:
        """Methods that are marked are asked, of boards and of transitions; others are not."""
        assert results(Claims).wasSuccessful()
        assert set(Claims.seen) == {"board", "transition"}

    def test_a_subclass_adds_claims(self) -> None:
        """A subclass has its own claims beside the inherited ones, and says which one does not hold."""
        result = results(Stricter)
        assert result.testsRun == 1
        ((_, told),) = result.failures
        assert "invariant is_short does not hold" in told
        assert "Stricter('test_every_run').is_short]" in told


class TestRefused:
    @pytest.mark.parametrize("claim", [lambda: True, lambda a, b: True, lambda a, b, c, d: True, "text"])
    def test_other_arguments(self, claim: Any) -> None:
        """A claim that takes neither a board nor a transition is refused when the test is made."""
        with pytest.raises(
            UsageError, match=r"The invariant .* takes neither \(board\) nor \(before, edge, after\)"
        ):
            strategy_test(Once, invariants=[claim])
