"""`explore` and `reach`: what a search says of a strategy is what the strategy does."""

from typing import Any

import pytest
from attrs import evolve
from sketches import Ballot, Look, Lookup, Once, Pad, Refine, Rescue, Spin, Writer, is_good

from tinysmith import Halt, Reply, Rule, Strategy
from tinysmith.coverage import coverage_of
from tinysmith.errors import NoEdgeError, UsageError
from tinysmith.exploration import explore, reach
from tinysmith.messages import Event

ROUNDS: dict[str, Any] = {
    "boards": [Pad(left=2)],
    "replies": {"writer": ["fair", "bad"], "critic": ["good", "fair"]},
}


class Narrow(Strategy[Pad]):
    """Knows no way on where a line is not good."""

    writer = Writer()
    done = Halt()

    initial = writer
    edges = (writer.to(done, when=is_good),)
    allow = {"no-otherwise": "that is what is searched for"}


class Broken(Writer):
    """Cannot be asked."""

    def prompt(self, pad: Pad, /) -> str:
        raise KeyError(f"lines\x1b[2J of {len(pad.lines)}")


class Breaking(Strategy[Pad]):
    """Its critic cannot be asked."""

    writer = Writer()
    critic = Broken()
    done = Halt()

    initial = writer
    edges = (writer.to(critic), critic.to(done))


class Unstartable(Strategy[Pad]):
    """Begins with what cannot be asked."""

    critic = Broken()
    done = Halt()

    initial = critic
    edges = (critic.to(done),)


class Ring(Rule[Pad]):
    """Changes nothing."""

    def apply(self, pad: Pad, /) -> Pad:
        return pad


class Endless(Strategy[Pad]):
    """Two rules that lead to each other."""

    writer = Writer()
    there, back = Ring(), Ring()

    initial = writer
    edges = (writer.to(there), there.to(back), back.to(there))
    allow = {"no-exit": "that is what is searched for"}


def _events(told: Any) -> tuple[Event, ...]:
    assert told is not None
    events: tuple[Event, ...] = told.events
    return events


class TestExplore:
    def test_comes_to_all_positions_of_a_small_strategy(self) -> None:
        """What is found is every node, edge and guard outcome there is, and the worst case."""
        found = explore(Refine, **ROUNDS, has_failures=False)
        assert found.is_complete
        assert found.cut == ""
        assert found.walked == 0
        assert found.coverage.missing == ()
        assert found.coverage.share == 1.0
        assert found.most == (4, 0)
        assert set(found.outcomes) == {"accepted", "gave_up"}
        assert len(found.outcomes["accepted"].events) == 2
        assert found.faults == ()
        assert found.livelock is None
        assert found.cycle() is None

    def test_a_panel_is_answered_seat_by_seat(self) -> None:
        """Each seat of a panel is one event, and the seats that are asked again are answered again."""
        found = explore(Ballot, replies={"vote": ["aye", "bad"]}, has_failures=False)
        assert found.is_complete
        told = found.to("done")
        assert told is not None
        assert [event.answers for event in told.events] == ["vote[0]", "vote[1]"]
        assert found.positions == 4  # nothing heard, aye or bad of the first, and aye of the second alone

    def test_failures_are_part_of_it_unless_said_otherwise(self) -> None:
        """By default requests fail too, and a prompt overflows where it can be shortened."""
        assert "model_failed" in explore(Refine).outcomes
        assert "context_overflow" in explore(Refine).outcomes
        assert set(explore(Refine, has_failures=False).outcomes) == {"accepted", "gave_up"}
        found = explore(Rescue, boards=[Pad(left=2, seats=1)])
        assert found.to("rescued") is not None
        assert found.coverage.edges["writer", -1] > 0

    def test_a_shorter_prompt_is_asked_for_once(self) -> None:
        """What an overflow costs is part of the worst case."""
        spoken: dict[str, Any] = {
            "boards": [Pad(lines=("long",))],
            "replies": {"writer": ["fair"], "critic": ["good"]},
        }
        assert explore(Refine, **spoken).most == (3, 0)
        assert explore(Refine, **spoken, has_failures=False).most == (2, 0)

    def test_begins_at_every_board(self) -> None:
        """Conversations begin at the board that is nearest."""
        found = explore(Spin, boards=[Pad(left=0), Pad(left=3)])
        assert found.is_complete
        assert found.positions == 0
        assert found.coverage.missing == ()
        one = next(item for item in found.coverage.items if item.name == "count → count (has_left)")
        told = found.to(one)
        assert told is not None
        assert told.board == Pad(left=3)
        assert told.events == ()
        assert found.coverage.nodes["count"] == 2 + 2

    def test_equal_boards_count_once(self) -> None:
        """A board given twice makes one first position, also where rules lead to the same one."""
        assert explore(Once, boards=[Pad(), Pad()]).positions == 1
        assert explore(Refine, boards=[Pad(left=1), Pad(left=1)]).cycle() is None

    def test_a_strategy_that_is_over_at_once(self) -> None:
        """Where nothing is asked there are no positions, and the outcome's conversation is empty."""
        found = explore(Spin)
        assert found.positions == 0
        assert found.depth == 0
        assert found.is_complete
        assert found.outcomes["done"].events == ()
        assert found.outcomes["done"].path == ("count", "done")
        assert found.most == (0, 0)

    def test_a_cycle_of_rules_ends_as_a_limit(self) -> None:
        """Rules that lead to each other end in max_hops, and can be reached so."""
        found = explore(Endless, has_failures=False)
        told = found.to("max_hops")
        assert told is not None
        assert len(told.events) == 1
        assert found.livelock is None  # it has no halts

    def test_what_raises_is_a_fault(self) -> None:
        """A node's error ends one conversation only; it is told where it was raised, and after what."""
        found = explore(Breaking, has_failures=False)
        (fault,) = found.faults
        assert fault.node == "critic"
        assert isinstance(fault.error, KeyError)
        assert [event.text for event in fault.conversation.events if isinstance(event, Reply)] == ["good"]
        assert fault.path == ("writer",)
        assert found.deadlocks == ()
        assert "fault at critic, after writer: KeyError: 'lines\\x1b[2J of 1'" in str(found)

    def test_what_raises_at_the_start_is_a_fault(self) -> None:
        """Where no run begins, there is a fault and nothing else; nothing can be reached."""
        found = explore(Unstartable)
        (fault,) = found.faults
        assert fault.node == "critic"
        assert fault.conversation.events == ()
        assert fault.path == ("critic",)
        assert found.to("critic") is None
        assert found.to("done") is None
        assert found.coverage.share == 0.0

    def test_a_deadlock_is_told_with_its_conversation(self) -> None:
        """Where no guard holds, the shortest conversation to that place is kept."""
        found = explore(Narrow, has_failures=False)
        (fault,) = found.deadlocks
        assert isinstance(fault.error, NoEdgeError)
        assert fault.error.tried == ("is_good",)
        assert fault.conversation.events == (Reply("fair"),)
        assert "deadlock at writer, after writer: Narrow.writer, step 1: none of its guards holds" in str(found)

    def test_bounds_are_kept_and_said(self) -> None:
        """A search that a bound stops says which, and walks go deeper."""
        wide = explore(Look, boards=[Pad()], max_positions=50, depth=30, walks=20)
        assert wide.positions == 50
        assert wide.cut == "50 positions"
        assert wide.walked == 20
        assert wide.depth == 30
        deep = explore(Look, boards=[Pad()], depth=2, walks=0)
        assert deep.cut == "depth 2"
        assert deep.depth == 2
        assert not deep.is_complete
        assert wide.most is None
        assert wide.livelock is None
        assert wide.most_seen[1] > 2

    def test_the_same_search_finds_the_same(self) -> None:
        """Two searches of one strategy, walks and all, give one report."""
        once, again = (explore(Look, boards=[Pad()], max_positions=100, walks=30) for _ in range(2))
        assert str(once) == str(again)
        assert once.coverage == evolve(again.coverage, plan=once.coverage.plan)
        assert [told.events for told in once.outcomes.values()] == [
            told.events for told in again.outcomes.values()
        ]

    def test_a_walk_is_told_without_its_detours(self) -> None:
        """Of what only a walk came by, the events that are not needed are left out."""
        found = explore(Lookup, boards=[Pad(left=5)], results={"fetch": ["a", "b"]}, max_positions=3)
        told = found.to("done")
        assert told is not None
        assert len(told.events) == 5
        long = explore(Rescue, boards=[Pad(left=3, seats=1)], max_positions=2, has_failures=True, walks=300)
        rescued = long.to("rescued")
        assert rescued is not None
        assert rescued.path[-1] == "rescued"
        assert len(rescued.events) == 3

    def test_an_empty_list_of_boards_is_refused(self) -> None:
        """A search needs a board to begin with."""
        with pytest.raises(UsageError, match=r"boards= is empty\. Give one board at least\."):
            explore(Once, boards=[])


class TestReach:
    def test_a_name_or_an_item_is_reached_by_the_shortest_way(self) -> None:
        """Nodes, outcomes and items, by themselves or by their names, are all reached."""
        options: dict[str, Any] = {**ROUNDS, "has_failures": False}
        assert _events(reach(Refine(), "critic", **options)) == (Reply("fair"),)
        for target, length in [("writer", 0), ("critic", 1), ("gave_up", 4), ("critic → writer (has_left)", 2)]:
            told = reach(Refine, target, **options)
            assert len(_events(told)) == length, target
        item = next(item for item in coverage_of(Refine).items if item.name == "critic: has_left is False")
        assert _events(reach(Refine, item, **options)) == _events(reach(Refine, "gave_up", **options))

    def test_it_stops_where_it_found_what_was_sought(self) -> None:
        """A search for something does not go on to come by everything."""
        found = explore(Look, boards=[Pad()], sought=["writer"])
        assert found.cut == "what was sought"
        assert found.positions < 50
        assert found.walked == 0
        deep = explore(Rescue, boards=[Pad(left=3, seats=1)], max_positions=2, sought=["rescued"])
        assert 0 < deep.walked < 400

    def test_what_was_not_found_is_none(self) -> None:
        """Nothing is told of what no conversation came to."""
        assert reach(Refine, "critic → writer (has_left)", replies={"critic": ["good"]}) is None
        assert reach(Once, "max_hops") is None

    def test_a_wrong_name_is_told(self) -> None:
        """A name that the strategy does not have is refused, with near ones."""
        with pytest.raises(
            UsageError, match=r"Refine has no node and no outcome 'acepted'\. Did you mean accepted"
        ):
            reach(Refine, "acepted")
