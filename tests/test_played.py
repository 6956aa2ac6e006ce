"""What of a strategy was played, as data, and how to reach what was not."""

import json

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sketches import Look, Once, Pad, Refine, Spin

import machines
from tinysmith import Halt, Strategy
from tinysmith._played import Played, loaded, merged, name_of, ways
from tinysmith.coverage import Item, coverage_of
from tinysmith.strategy import plan_of

COUNTS = st.lists(st.integers(0, 9), min_size=16, max_size=16)


class Inherited(Once):
    """A class of this module."""


def played(strategy: type[Strategy[Pad]], *counts: int, name: str = "") -> Played:
    """As if the items of a strategy had been seen so often; those that are not counted, never."""
    items = coverage_of(strategy).items
    padded = [*counts, *[0] * len(items)][: len(items)]
    seen = (evolve(item, seen=count) for item, count in zip(items, padded, strict=True))
    return Played(name or name_of(strategy), tuple(seen))


class TestPlayed:
    @given(COUNTS)
    def test_it_goes_through_json(self, counts: list[int]) -> None:
        """As plain lists it reaches another process, and is the same there."""
        one = played(Refine, *counts)
        assert Played.from_data(json.loads(json.dumps(one.as_data()))) == one

    @given(st.lists(COUNTS, min_size=1, max_size=4))
    def test_sums_are_of_each_item(self, several: list[list[int]]) -> None:
        """What several processes counted is added up, item by item."""
        (whole,) = merged(played(Refine, *counts) for counts in several)
        seen = [item.seen for item in whole.items]
        assert seen == [sum(column) for column in zip(*several, strict=True)][: len(seen)]
        assert {item.name for item in whole.missing} == {item.name for item in whole.items if item.seen == 0}
        assert whole.percent == 100 * (len(seen) - len(whole.missing)) / len(seen)

    def test_classes_that_differ_stay_apart(self) -> None:
        """Two strategies of one name with other edges are two, in the order of names."""
        found = merged([played(Refine, name="b:X"), played(Once, name="b:X"), played(Once, name="a:X")])
        assert [one.name for one in found] == ["a:X", "b:X", "b:X"]

    def test_it_is_a_coverage(self) -> None:
        """Of the strategy it makes the coverage that a picture is painted with."""
        one = played(Once, 3, 2, 2)
        coverage = one.coverage(Once)
        assert coverage.items == one.items
        assert coverage.plan is plan_of(Once)
        assert one.counted("node") == "2/2"
        assert one.counted("guard") == "0/0"


class TestLoaded:
    def test_a_class_is_found_by_its_name(self) -> None:
        """What can be imported is; a nested class by its whole name."""
        assert loaded(played(machines.TryAgain)) is machines.TryAgain  # type: ignore[arg-type]  # of another board

    def test_what_is_not_there_or_another_is_none(self) -> None:
        """No module, no such class, something else, or a class with other edges: none of them is it."""
        assert loaded(played(Once, name="nowhere.at_all:Once")) is None
        assert loaded(played(Once, name="machines:Once")) is None
        assert loaded(played(Once, name="machines:__all__")) is None
        assert loaded(played(Once, name="machines.try_again:TryAgain")) is None


class TestWays:
    def test_one_line_for_all_that_one_conversation_reaches(self) -> None:
        """Things that are reached together are named together; rewards and ends are told."""
        told = list(ways(played(Look, 1), Look, [Pad(left=1)]))
        assert told[0] == "  writer; eye → writer (is_over); eye: is_good is False; eye: is_over is True"
        assert told[1] == "      reach it from Pad(('task', '')): eye: 'ok' [reward 1] [over]"
        assert "      reach it from Pad(('task', '')): eye: 'ok'" in told

    def test_what_takes_no_answer_is_told_by_its_board(self) -> None:
        """What rules alone come to is reached by the right board."""
        told = list(ways(played(Spin, 1), Spin(), [Pad(left=2)]))
        assert "      reach it from Pad()" in told
        assert "      reach it from Pad(left=2)" in told

    def test_what_cannot_be_made_is_told(self) -> None:
        """A strategy that wants arguments, and one that is not there, cannot be searched."""

        class Wants(Once):
            def __init__(self, something: int) -> None:
                self.something = something

        (names, why) = ways(played(Once, 1, 1), Wants, [])
        assert names == "  writer → done"
        assert "how to reach it cannot be worked out: " in why
        assert "missing 1 required positional argument" in why
        (_, why) = ways(played(Once, 1, 1), None, [])
        assert why == "      how to reach it cannot be worked out: the class cannot be imported in this process."

    def test_what_cannot_be_checked_by_name_is_not(self) -> None:
        """Only a class that has a name outside of a function is one for `tinysmith check`."""
        item = Item("edge", "writer", 7, None, "writer → nowhere", 0)
        for name, said in (("a:f.<locals>.B", "possible at all?"), ("a:B", "See `tinysmith check a:B`.")):
            (_, line) = ways(Played(name, (item,)), Once, [])
            assert line.endswith(said)
            assert "not found by a search of 1 positions" in line


class TestNameOf:
    def test_it_is_the_module_and_the_class(self) -> None:
        """A class is named as the command line names it."""
        assert name_of(Inherited) == f"{__name__}:Inherited"
        assert name_of(machines.TryAgain) == "machines.try_again:TryAgain"
        assert name_of(Halt) == "tinysmith.nodes:Halt"
