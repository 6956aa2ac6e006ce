"""`Coverage`: what of a strategy was seen, counted from what the fold says."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sketches import Look, Pad, Refine, Rescue, Spin, Writer, has_left, is_good
from small_machines import Cell, machines, runs

from tinysmith import Halt, Limits, Run, Scripted, Strategy, run
from tinysmith._alphabet import alphabet
from tinysmith.coverage import FAILURE, Coverage, Tally, coverage_of
from tinysmith.errors import UsageError
from tinysmith.strategy import plan_of


class Guarded(Strategy[Pad]):
    """All its edges have guards, one of them after one that is always open."""

    writer = Writer()
    one, two, three = Halt(), Halt(), Halt()

    initial = writer
    edges = (writer.to(one, when=is_good), writer.to(two), writer.to(three, when=has_left))
    allow = {"edge-after-otherwise": "that is what is looked at", "no-otherwise": "likewise"}


class Narrow(Strategy[Pad]):
    """Stops where its last guard does not hold."""

    writer = Writer()
    one, two = Halt(), Halt()

    initial = writer
    edges = (writer.to(one, when=is_good), writer.to(two, when=has_left))
    allow = {"no-otherwise": "that is what is looked at"}


def names(coverage: Coverage, *kinds: str) -> list[str]:
    """The names of the items of some kinds."""
    return [item.name for item in coverage.items if item.kind in kinds]


def played(*replies: str) -> Run[Pad]:
    """A run of Refine by a script."""
    return run(Refine(), Pad(left=2), model=Scripted(list(replies)))


class TestCoverage:
    def test_items_are_all_there_is(self) -> None:
        """Nodes, edges and guard outcomes stand in declared order, each under a name that tells it."""
        coverage = coverage_of(Refine)
        assert names(coverage, "node") == ["writer", "critic", "accepted", "gave_up"]
        assert names(coverage, "edge") == [
            "writer → critic",
            "critic → accepted (is_good)",
            "critic → writer (has_left)",
            "critic → gave_up (otherwise)",
        ]
        assert names(coverage, "guard") == [
            "critic: is_good is True",
            "critic: is_good is False",
            "critic: has_left is True",
            "critic: has_left is False",
        ]
        assert coverage.missing == coverage.items
        assert coverage.share == 0.0

    def test_failure_edges_are_edges(self) -> None:
        """A failure edge has the index -1, and counts."""
        failing = [item for item in coverage_of(Rescue).items if item.kind == "edge" and item.index == FAILURE]
        assert [item.name for item in failing][:1] == ["writer → count (failed)"]
        assert len(failing) == 4

    def test_where_a_run_would_stop_is_not_to_be_covered(self) -> None:
        """That the last guard does not hold is no outcome to aim at, where no edge follows it."""
        assert names(coverage_of(Narrow), "guard") == [
            "writer: is_good is True",
            "writer: is_good is False",
            "writer: has_left is True",
        ]

    def test_a_guard_is_told_by_the_place_of_its_edge(self) -> None:
        """A guard after an edge without one is counted at its own place."""
        guards = [item for item in coverage_of(Guarded).items if item.kind == "guard"]
        assert [(item.index, item.verdict) for item in guards] == [(0, True), (0, False), (2, True)]

    def test_runs_are_counted(self) -> None:
        """Every entry of a node, and every edge that was taken, counts; guards by the edges taken."""
        coverage = Coverage.of(played("fair", "good"), played("fair", "fair", "fair", "good"))
        assert dict(coverage.nodes) == {"writer": 3, "critic": 3, "accepted": 2}
        assert dict(coverage.edges) == {("writer", 0): 3, ("critic", 0): 2, ("critic", 1): 1}
        assert [(item.name, item.seen) for item in coverage.items if item.kind == "guard"] == [
            ("critic: is_good is True", 2),
            ("critic: is_good is False", 1),
            ("critic: has_left is True", 1),
            ("critic: has_left is False", 0),
        ]
        assert [item.name for item in coverage.missing] == [
            "gave_up",
            "critic → gave_up (otherwise)",
            "critic: has_left is False",
        ]
        assert coverage.share == 9 / 12

    def test_hops_before_the_first_step_count(self) -> None:
        """What rules did at the start is part of a run."""
        coverage = Coverage.of(run(Spin(), Pad(left=2)))
        assert dict(coverage.nodes) == {"count": 2, "done": 1}
        assert coverage.missing == ()
        assert coverage.share == 1.0

    @pytest.mark.parametrize("count", [0, 2])
    def test_runs_of_one_strategy_are_needed(self, count: int) -> None:
        """No run, and runs of two strategies, have no coverage."""
        ended = [played("fair", "good"), run(Spin(), Pad())][:count]
        with pytest.raises(UsageError, match=rf"runs of {count} strategies\. Give runs of one"):
            Coverage.of(*ended)

    def test_sums(self) -> None:
        """Coverages of one strategy add up, item by item; of two, they do not."""
        once, again = Coverage.of(played("fair", "good")), Coverage.of(played("fair", "fair", "fair", "good"))
        assert once + again == Coverage.of(played("fair", "good"), played("fair", "fair", "fair", "good"))
        assert once + coverage_of(Refine) == once
        with pytest.raises(UsageError, match=r"Coverage of Refine and of Look cannot be added\."):
            once + coverage_of(Look)

    def test_it_says_little_of_itself(self) -> None:
        """A coverage's repr names the strategy instead of writing out its plan."""
        assert repr(coverage_of(Refine)).startswith("Coverage(plan=Refine, nodes=FrozenDict({})")


class TestTally:
    @given(machines(), st.data())
    def test_counts_what_the_hops_say(self, strategy: Strategy[Cell], data: st.DataObject) -> None:
        """However a run went: an edge counts as often as a hop took it, and a node as often as it was come to."""
        plan = plan_of(strategy)
        every = list(runs(strategy, Cell(), alphabet(plan), 3))
        tally = Tally(plan)
        hops: list[Any] = []
        if every:
            _, positions = data.draw(st.sampled_from(every))
            for position in positions:
                tally.add(position)
                hops += position.hops
        coverage = tally.coverage()
        assert dict(coverage.edges) == Counter((hop.source, hop.index) for hop in hops)
        assert sum(coverage.nodes.values()) == len(hops) + bool(every)

    def test_follows_a_run_as_it_goes(self) -> None:
        """Position after position, the tally is what the whole run's coverage is."""
        strategy, ended = Refine(), played("fair", "good")
        tally = Tally(plan_of(Refine))
        position = strategy.start(Pad(left=2), Limits())
        tally.add(position)
        for step in ended.steps:
            position = strategy.advance(position, step.event)
            tally.add(position)
        assert tally.coverage() == Coverage.of(ended)
