"""What nodes hold, before and after."""

import itertools
import random
from collections import deque
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

import planted_nodes
import pytest
from attrs import define
from planted import Draft, Writer

from tinysmith import Halt, Strategy, Template
from tinysmith.checks import check
from tinysmith.checks._holdings import changes, holdings
from tinysmith.checks._verdicts import replayed
from tinysmith.exploration import explore
from tinysmith.strategy import plan_of


class Slotted(Writer):
    """Keeps things in slots."""

    __slots__ = ("kept",)

    def __init__(self, kept: Any) -> None:
        self.kept = kept


@define
class Tally:
    """Counts, in a slot."""

    n: int = 0

    @cached_property
    def doubled(self) -> int:
        return 2 * self.n


class Single:
    """Has a slot with nothing in it."""

    __slots__ = ("number",)


class Classy(Writer):
    """Keeps things on its class."""

    seen: ClassVar[list[str]] = []


class Lazy(Writer):
    """Works something out once."""

    def __init__(self) -> None:
        self.template = Template(source="Write {{ text }}.")
        self.tally = Tally()

    @cached_property
    def words(self) -> tuple[str, ...]:
        return ("a", "b")


def with_writer(node: Writer) -> type[Strategy[Draft]]:
    """A strategy with this node."""

    class Held(Strategy[Draft]):
        writer, done = node, Halt()
        initial = writer
        edges = (writer.to(done),)

    return Held


class TestHoldings:
    @pytest.mark.parametrize(
        ("kept", "change", "said"),
        [
            ([], lambda kept: kept.append(1), "was a list of 0 before the search, and is a list of 1 after it."),
            ({}, lambda kept: kept.update(a=1), "was a dict of 0 before the search, and is a dict of 1 after it."),
            ({1}, lambda kept: kept.add(2), "was a set of 1 before the search, and is a set of 2 after it."),
            (
                deque(),
                lambda kept: kept.append(1),
                "was a deque of 0 before the search, and is a deque of 1 after it.",
            ),
            (
                bytearray(),
                lambda kept: kept.append(1),
                "was a bytearray of 0 before the search, and is a bytearray of 1 after it.",
            ),
            (
                random.Random(1),
                lambda kept: kept.random(),
                "was another Random before the search, and is another Random after it.",
            ),
            (
                itertools.count(),
                next,
                "was another count before the search, and is another count after it.",
            ),
            (
                SimpleNamespace(calls=SimpleNamespace(n=0)),
                lambda kept: setattr(kept.calls, "n", 1),
                "was another SimpleNamespace before the search, and is another SimpleNamespace after it.",
            ),
            (
                Tally(),
                lambda kept: setattr(kept, "n", 1),
                "was another Tally before the search, and is another Tally after it.",
            ),
            (
                Single(),
                lambda kept: setattr(kept, "number", 1),
                "was another Single before the search, and is another Single after it.",
            ),
        ],
        ids=["list", "dict", "set", "deque", "bytearray", "Random", "count", "object", "slots", "an empty slot"],
    )
    def test_what_changes_inside(self, kept: Any, change: Any, said: str) -> None:
        """A change at any depth of what a node keeps is seen, also in slots."""
        plan = plan_of(with_writer(Slotted(kept)))
        before = holdings(plan)
        assert changes(before, holdings(plan)) == {}
        change(kept)
        assert changes(before, holdings(plan)) == {"writer": f"its attribute kept {said}"}

    def test_what_is_added(self) -> None:
        """An attribute that was not there before is told."""
        node = Writer()
        plan = plan_of(with_writer(node))
        before = holdings(plan)
        node.calls = 3  # type: ignore[attr-defined]  # the fault
        told = "its attribute calls was not there before the search, and is 3 after it."
        assert changes(before, holdings(plan)) == {"writer": told}

    def test_what_the_class_keeps(self) -> None:
        """What nodes of one class share is seen, too."""
        plan = plan_of(with_writer(Classy()))
        before = holdings(plan)
        Classy.seen.append("x")
        told = "its attribute seen was a list of 0 before the search, and is a list of 1 after it."
        assert changes(before, holdings(plan)) == {"writer": told}

    def test_what_is_only_worked_out_is_no_state(self) -> None:
        """A cached property and a template's parsed text are not what a node keeps of runs."""
        node = Lazy()
        plan = plan_of(with_writer(node))
        before = holdings(plan)
        assert node.words == ("a", "b")
        assert node.tally.doubled == 0
        node.template(Draft())
        assert changes(before, holdings(plan)) == {}


class TestReplayed:
    @pytest.mark.parametrize(
        ("word", "ended"), [("fair", "ended as gave_up"), ("poor", "went on"), (None, "raised KeyError: ")]
    )
    def test_a_run_that_ends_in_another_way(self, monkeypatch: pytest.MonkeyPatch, word: Any, ended: str) -> None:
        """The same events are folded once more, and what ends otherwise is told."""
        found = explore(planted_nodes.Switched, has_failures=False)
        monkeypatch.setitem(planted_nodes.LAMP, "word", word)
        ((sighting, told),) = replayed(found)
        assert sighting.code == "hidden-state"
        assert f"a run ended as done, and the same events, folded again, {ended}" in sighting.problem
        assert told.board == Draft()

    def test_a_sound_run_ends_as_before(self) -> None:
        """Nothing is told of a strategy that keeps nothing."""
        assert list(replayed(explore(planted_nodes.Switched, has_failures=False))) == []


class TestFoldedAgain:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            (
                "Chatty",
                "the same answer, folded twice from the same position, asked for something else the second",
            ),
            ("Brittle", "the same answer was taken once, and the second time raised 'cracked'."),
            ("Flighty", "the same answer, folded twice from the same position, "),
            ("Made", "a run ended as done, and the same events, folded again, ended as gave_up."),
        ],
    )
    def test_what_differs_is_told(self, name: str, said: str) -> None:
        """An answer that is taken otherwise the second time, or by another object, is found."""
        planted_nodes.MADE.clear()
        findings = check(getattr(planted_nodes, name), max_positions=50, walks=1).findings
        assert any(said in each.problem for each in findings if each.code == "hidden-state"), findings

    def test_what_equals_nothing_is_no_difference(self) -> None:
        """A board with NaN is not another one because it is not equal to itself."""
        assert check(planted_nodes.Scores, max_positions=50, walks=1).is_clean

    def test_what_cannot_be_compared_is_told_as_what_cannot_be_saved(self) -> None:
        """Where boards can be neither compared nor saved, the latter is told."""
        findings = check(planted_nodes.Blobs, max_positions=50, walks=1).findings
        assert [each.code for each in findings if each.level == "error"] == ["not-json"]
