"""What a search reports is what the strategy does: against small strategies, all of whose runs are written out."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from sketches import Pad, Refine, Rescue, Round, Writer, is_over
from small_machines import Cell, machines, runs

from tinysmith import Halt, Observation, Panel, Reply, Strategy, World
from tinysmith._alphabet import alphabet
from tinysmith._sameness import key_of, makes_way
from tinysmith._search import LIMITS, Trail
from tinysmith.coverage import Item
from tinysmith.errors import NoEdgeError, RunError
from tinysmith.exploration import Bounds, explore, searched
from tinysmith.position import Hop
from tinysmith.strategy import plan_of


def _is_shown(hop: Hop, item: Item) -> bool:
    """Whether a hop shows an item, worked out from the guards that it says were tried."""
    if item.kind == "node":
        return hop.target == item.node
    if item.kind == "edge":
        return (hop.source, hop.index) == (item.node, item.index)
    guard = item.name.partition(": ")[2].partition(" ")[0]
    return hop.source == item.node and (guard, item.verdict) in hop.tried


class TestMachines:
    @given(machines())
    @settings(max_examples=40)
    def test_what_is_reported_is_what_the_strategy_does(self, strategy: Strategy[Cell]) -> None:
        """Against all runs written out: the same hops and outcomes, each by a shortest conversation."""
        found = explore(strategy, depth=4, walks=0)
        letters = alphabet(plan_of(strategy))
        nearest: dict[Any, int] = {}
        for events, positions in runs(strategy, Cell(), letters, 4):
            done = positions[-1].done
            first = [] if events else [Hop("", 0, (), plan_of(strategy).initial)]
            for name in [*first, *positions[-1].hops, *([done.outcome] if done else [])]:
                nearest[name] = min(nearest.get(name, 99), len(events))
        for item in found.coverage.items:
            hops = [hop for hop in nearest if isinstance(hop, Hop) and _is_shown(hop, item)]
            told = found.to(item)
            assert (told is None) == (hops == []) == (item.seen == 0)
            if told is not None:
                assert len(told.events) == min(nearest[hop] for hop in hops)
                assert not told.events or any(_is_shown(hop, item) for hop in list(told.positions())[-1].hops)
        assert {name for name in nearest if isinstance(name, str)} == set(found.outcomes)
        for name, conversation in found.outcomes.items():
            *_, last = conversation.positions()
            assert last.done is not None
            assert last.done.outcome == name
            assert len(conversation.events) == nearest[name]

    @given(machines())
    @settings(max_examples=40)
    def test_the_worst_case_is_the_most_of_all_runs(self, strategy: Strategy[Cell]) -> None:
        """Where no run goes round, the most asks are those of the longest run in which none is asked again."""
        found = explore(strategy)
        if found.most is None:
            assert found.cycle() is not None
            return
        assert found.cycle() is None
        letters = alphabet(plan_of(strategy))
        every = runs(strategy, Cell(), letters, 7, takes_all=True)
        asks = [positions[-1].spent.asks for _, positions in every]
        assert found.most == (max(asks, default=0), 0)

    @given(machines())
    @settings(max_examples=40)
    def test_who_is_trapped_never_halts(self, strategy: Strategy[Cell]) -> None:
        """From a live-lock no run comes to a halt; where there is none, from every position one does."""
        found = explore(strategy)
        halting = _positions_that_halt(strategy, alphabet(plan_of(strategy)))
        if found.livelock is None:
            assert all(halting.values())
        else:
            *_, last = found.livelock.positions()
            assert not halting[key_of(last)]

    @given(machines())
    @settings(max_examples=40)
    def test_a_cycle_comes_back(self, strategy: Strategy[Cell]) -> None:
        """A cycle's conversation folds, goes on at every event of its round, and ends in a position it was in."""
        told = explore(strategy).cycle()
        if told is not None:
            positions = list(told.positions())
            keys = [key_of(position) for position in positions]
            assert keys[-1] in keys[:-1]
            around = positions[keys.index(keys[-1]) :]
            assert all(makes_way(before, after) for before, after in pairwise(around))


class Same(Panel[Pad]):
    """Hears three seats, and forgets them."""

    samples = ("a",)

    def prompts(self, pad: Pad, /) -> Sequence[str]:
        return ["?"] * 3

    def parse(self, pad: Pad, replies: Sequence[str], /) -> Pad:
        return evolve(pad, is_over=False)


class Fork(World[Pad]):
    """Goes by the panel where it sees so."""

    def action(self, pad: Pad, /) -> str:
        return "look"

    def observe(self, pad: Pad, seen: Observation, /) -> Pad:
        return evolve(pad, is_over=seen.text == "panel")


class Forked(Strategy[Pad]):
    """Two ways to one position: the longer one asks less."""

    fork = Fork()
    same = Same()
    first, second, third, fourth = Fork(), Fork(), Fork(), Fork()
    last = Writer()
    done = Halt()

    initial = fork
    edges = (
        fork.to(same, when=is_over),
        fork.to(first),
        same.to(last),
        first.to(second),
        second.to(third),
        third.to(fourth),
        fourth.to(last),
        last.to(done),
    )


class TestMost:
    def test_it_is_the_most_of_all_ways(self) -> None:
        """Of two ways to one position, the worst case counts the one that costs more, be it the shorter one."""
        seen = {name: ["x"] for name in ("first", "second", "third", "fourth")}
        seen["fork"] = ["panel", "worlds"]
        found = explore(Forked, observations=seen, replies={"last": ["x"]}, has_failures=False)
        assert found.is_complete
        assert found.most == (4, 5)


class TestWalks:
    def test_what_they_found_is_told_without_what_it_does_not_need(self) -> None:
        """No event of a conversation that a walk found can be left out."""
        found = explore(Rescue, boards=[Pad(left=3, seats=1)], max_positions=1, walks=2)
        items = [item for item in found.coverage.items if item.seen and item.node != plan_of(Rescue).initial]
        assert len(items) > 10
        for item in items:
            told = found.to(item)
            assert told is not None
            for place in range(len(told.events)):
                fewer = evolve(told, events=(*told.events[:place], *told.events[place + 1 :]))
                try:
                    *_, last = fewer.positions()
                except RunError:
                    continue
                assert not any(_is_shown(hop, item) for hop in last.hops)


class TestSearched:
    def test_it_ends_once_every_edge_was_taken(self) -> None:
        """A search for all edges goes on until the last was taken, and no further."""
        letters = alphabet(plan_of(Refine))
        told: list[Trail] = []
        found = searched(
            Refine(),
            [Pad(left=2)],
            letters,
            bounds=Bounds(walks=0),
            visit=lambda _before, _request, _event, _after, trail: told.append(trail),
            until_covered=True,
        )
        assert found.cut == "what was sought"
        assert [item.name for item in found.coverage.missing] == []
        assert found.positions < searched(Refine(), [Pad(left=2)], letters).positions
        assert [len(found.conversation(trail).events) for trail in told][:1] == [0]
        assert found.conversation((Pad(left=2), (Reply("fair"),))).path == ("writer", "critic")

    def test_an_outcome_that_only_walks_come_to_is_shortened(self) -> None:
        """Of a walk to an outcome that is no node, what is not needed is left out as well."""
        bounds = Bounds(max_positions=2)
        found = searched(Round(), [Pad(left=3, seats=1)], alphabet(plan_of(Round)), bounds=bounds)
        assert [type(event).__name__ for event in found.outcomes["tool_failed"].events] == [
            "Reply",
            "Reply",
            "Observation",
            "Failed",
        ]


def _positions_that_halt(strategy: Strategy[Cell], letters: Any) -> dict[Any, bool]:
    """Every position that is come to, with whether any run from it ends in a halt; by brute force."""
    try:
        first = strategy.start(Cell(), LIMITS)
    except NoEdgeError:
        return {}
    stack = [first] if first.done is None else []
    after: dict[Any, set[Any]] = {}
    halts: set[Any] = set()
    while stack:
        position = stack.pop()
        key = key_of(position)
        if key in after:
            continue
        after[key] = set()
        request: Any = position.request
        for event in letters.narrow[request.node]:
            try:
                reached = strategy.advance(position, event)
            except NoEdgeError:
                continue
            if reached.done is None:
                after[key].add(key_of(reached))
                stack.append(reached)
            elif reached.done.outcome in plan_of(strategy).nodes:
                halts.add(key)
    while True:
        more = {key for key, targets in after.items() if targets & halts} - halts
        if not more:
            return {key: key in halts for key in after}
        halts |= more
