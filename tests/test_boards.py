"""The boards on which guards were asked, worked out once more."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import Look, Lookup, Pad, Refine, Rescue, Round, Spin, Writer
from small_machines import Cell, machines, runs

from tinysmith import Failed, Halt, Observation, ParseError, Reply, Result, Strategy
from tinysmith._alphabet import alphabet
from tinysmith._boards import board_after, boards_at_first_hops, boards_at_hops
from tinysmith.conversation import Conversation, answered
from tinysmith.position import Hop, Position
from tinysmith.strategy import plan_of


class Whimsy(Writer):
    """Takes what it hears only the first time."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        if reply in self.heard:
            raise ParseError("Say something new.")
        self.heard.append(reply)
        return super().parse(pad, reply)


class Whim(Strategy[Pad]):
    """Keeps something of its own."""

    writer = Whimsy()
    done = Halt()

    initial = writer
    edges = (writer.to(done),)
    allow = {"hidden-state": "that is what is looked at"}


def at_hops(
    strategy: Strategy[Any], before: Position[Any], event: Any, after: Position[Any]
) -> list[tuple[Hop, Any]]:
    """The hops of a step, each with its board."""
    return list(boards_at_hops(plan_of(strategy), before, answered(before, event), event, after))


def agrees(strategy: Strategy[Any], hop: Hop, board: Any) -> bool:
    """Whether the guards that a hop says were tried answer so on the board."""
    guards = {guard.__name__: guard for guard in plan_of(strategy).guards[hop.source]}
    return all(guards[name](board) is verdict for name, verdict in hop.tried)


class TestBoardsAtHops:
    @given(machines(), st.data())
    @settings(max_examples=40)
    def test_guards_answer_there_as_they_did(self, strategy: Strategy[Cell], data: st.DataObject) -> None:
        """On the board of each hop the guards answer as the hop says, and the last board is the position's."""
        every = list(runs(strategy, Cell(), alphabet(plan_of(strategy)), 3))
        events, positions = data.draw(st.sampled_from(every)) if every else ((), [])
        for event, (before, after) in zip(events, pairwise(positions), strict=True):
            hops = at_hops(strategy, before, event, after)
            assert tuple(hop for hop, _ in hops) == after.hops
            assert all(agrees(strategy, hop, board) for hop, board in hops if hop.index >= 0)
            if hops and hops[-1][0].target != "rule":
                assert hops[-1][1] == after.board
        if positions:
            first = list(boards_at_first_hops(plan_of(strategy), Cell(), positions[0]))
            assert all(agrees(strategy, hop, board) for hop, board in first)
            if first and first[-1][0].target != "rule":
                assert first[-1][1] == positions[0].board

    def test_every_kind_of_node(self) -> None:
        """Agents, panels, world nodes and tools each make the board that they made."""
        votes = (Reply("nay", answers="vote[1]"), Reply("aye", answers="vote[0]"))
        told = Conversation(Round(), Pad(left=1), (Reply("x"), *votes, Observation("seen"), Result("kept")))
        boards = []
        positions = list(told.positions())
        for event, (before, after) in zip(told.events, pairwise(positions), strict=True):
            boards += [board.lines for _, board in at_hops(told.strategy, before, event, after)]
        x = ("x",)
        assert boards == [
            x,
            (*x, "aye", "nay"),
            (*x, "aye", "nay", "seen"),
            *[(*x, "aye", "nay", "seen", "kept")] * 2,
        ]

    def test_a_failure_leaves_the_board(self) -> None:
        """After a failure edge the board is what it was, changed by the rules that follow."""
        strategy = Rescue()
        before = strategy.start(Pad(left=2))
        after = strategy.advance(before, Failed("server", "gone"))
        assert [
            (hop.source, board.left) for hop, board in at_hops(strategy, before, Failed("server", "gone"), after)
        ] == [
            ("writer", 2),
            ("count", 1),
        ]

    def test_a_panel_that_lost_a_seat_leaves_the_board(self) -> None:
        """Where another seat failed, the last reply changes nothing."""
        strategy = Rescue()
        first = strategy.advance(strategy.start(Pad(left=2)), Reply("x"))
        before = strategy.advance(first, Failed("server", "gone", answers="vote[0]"))
        reply = Reply("aye", answers="vote[1]")
        (failing, board), _ = at_hops(strategy, before, reply, strategy.advance(before, reply))
        assert failing.index == -1
        assert board.lines == ("x",)
        assert board_after(plan_of(strategy), before, before.request, Failed("server", "gone")) == before.board

    def test_a_step_without_hops_has_none(self) -> None:
        """Where a run stays, no guard was asked."""
        strategy = Refine()
        before = strategy.start(Pad())
        assert at_hops(strategy, before, Reply("bad"), strategy.advance(before, Reply("bad"))) == []

    def test_rules_at_the_start(self) -> None:
        """The hops before the first step are those of rules, each after it has changed the board."""
        strategy = Spin()
        first = strategy.start(Pad(left=2))
        hops = list(boards_at_first_hops(plan_of(strategy), Pad(left=2), first))
        assert [(hop.target, board.left) for hop, board in hops] == [("count", 1), ("done", 0)]
        look = Look().start(Pad())
        assert list(boards_at_first_hops(plan_of(Look), Pad(), look)) == []

    def test_a_rule_that_is_come_to_changes_the_next_board(self) -> None:
        """A tool's board, then the rule's."""
        strategy = Lookup()
        before = strategy.start(Pad(left=1))
        after = strategy.advance(before, Result("x"))
        assert [board.left for _, board in at_hops(strategy, before, Result("x"), after)] == [1, 0]

    def test_a_node_that_keeps_something_is_found_out(self) -> None:
        """What a node took and now refuses is raised to whoever works it out."""
        strategy = Whim()
        before = strategy.start(Pad())
        after = strategy.advance(before, Reply("a"))
        with pytest.raises(ParseError, match="Say something new"):
            at_hops(strategy, before, Reply("a"), after)
