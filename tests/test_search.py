"""The search itself: bounds, keys, arcs, walks."""

from typing import Any

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import Ballot, Look, Once, Pad, Refine, Rescue
from small_machines import Cell, machines

from tinysmith import Agent, Failed, Halt, Reply, Strategy
from tinysmith._alphabet import Alphabet, alphabet
from tinysmith._sameness import key_of, makes_way
from tinysmith._search import MOST_FAULTS, Search
from tinysmith._watch import WATCHERS
from tinysmith.errors import BoardError
from tinysmith.strategy import plan_of


@frozen
class Bag:
    """A board whose field may hold what it should not."""

    things: tuple[str, ...] = ()


class Packer(Agent[Bag]):
    """Puts a list on the board."""

    samples = ("a", "b")

    def prompt(self, bag: Bag, /) -> str:
        return "pack"

    def parse(self, bag: Bag, reply: str, /) -> Bag:
        things: Any = [reply]
        return Bag(things)


class Pack(Strategy[Bag]):
    """Packs for ever."""

    packer = Packer()
    initial = packer
    edges = (packer.to(packer),)
    allow = {"no-exit": "what is on the board is the point"}


class Fussy(Agent[Bag]):
    """Raises another error for every reply."""

    def prompt(self, bag: Bag, /) -> str:
        return "say"

    def parse(self, bag: Bag, reply: str, /) -> Bag:
        raise ValueError(reply)


class Fuss(Strategy[Bag]):
    """Never gets on."""

    fussy = Fussy()
    done = Halt()
    initial = fussy
    edges = (fussy.to(done),)


def search(
    strategy: Strategy[Any], boards: list[Any], *, letters: Alphabet | None = None, **bounds: Any
) -> Search:
    """A search, breadth first."""
    known = letters or alphabet(plan_of(strategy))
    made = Search(strategy, known, **{"depth": 20, "max_positions": 500, **bounds})
    made.breadth(boards)
    return made


class TestBreadth:
    @given(machines(), st.integers(1, 5))
    @settings(max_examples=40)
    def test_it_never_keeps_more_than_it_may(self, strategy: Strategy[Cell], most: int) -> None:
        """Whatever the strategy, no more positions are kept than allowed, and each under one key."""
        found = search(strategy, [Cell(0), Cell(1), Cell(2)], max_positions=most)
        assert len(found.keys) == len(found.parents) == len(found.events) == len(found.asks) <= most
        assert list(found.keys.values()) == list(range(len(found.keys)))
        if found.cut:
            assert found.cut == f"{most} positions"
            assert len(found.keys) == most

    @given(machines())
    @settings(max_examples=40)
    def test_every_number_leads_to_its_key(self, strategy: Strategy[Cell]) -> None:
        """The conversation of a kept position ends in it, and its steps are its distance."""
        found = search(strategy, [Cell(0), Cell(2)])
        for number, key in enumerate(found.keys):
            positions = list(found.conversation(number).positions())
            assert key_of(positions[-1]) == key
            assert positions[-1].spent.asks == found.asks[number]
        for source, target in zip(found.sources, found.targets, strict=True):
            event = found.step(source, target)
            *_, before = found.conversation(source).positions()
            after = strategy.advance(before, event)
            assert key_of(after) == list(found.keys)[target]
            assert makes_way(before, after)

    def test_positions_are_kept_to_their_depth(self) -> None:
        """Nothing deeper than the depth is folded."""
        found = search(Look(), [Pad()], depth=3)
        assert found.deepest == 3
        assert found.level == 3
        assert found.cut == "depth 3"

    def test_first_boards_are_bound_too(self) -> None:
        """Of more first boards than may be kept, the first ones are."""
        found = search(Once(), [Pad(left=number) for number in range(9)], max_positions=4)
        assert len(found.keys) == 4
        assert found.cut == "4 positions"

    def test_it_stops_when_it_is_told(self) -> None:
        """What is sought ends the search before the next position is expanded."""
        made = Search(Look(), alphabet(plan_of(Look)), depth=9, max_positions=99)
        made.breadth([Pad()], lambda: bool(made.first))
        assert made.cut == "what was sought"
        assert len(made.sources) <= 5

    def test_a_board_that_cannot_be_kept_is_a_fault(self) -> None:
        """A list on the board is told as what it is, also where a first board holds it."""
        found = search(Pack(), [Bag()])
        (fault,) = found.faults.values()
        assert isinstance(fault.error, BoardError)
        assert fault.problem == (
            "Pack.packer, step 1: its board cannot be kept (unhashable type: 'list'). "
            "Put on the board what its type says."
        )
        things: Any = []
        (fault,) = search(Pack(), [Bag(things)]).faults.values()
        assert fault.conversation.events == ()

    def test_faults_are_kept_in_number(self) -> None:
        """Faults that differ are kept up to a number; the same one twice is kept once."""
        letters = alphabet(plan_of(Fuss), replies={"fussy": [str(n) for n in range(99)]}, has_failures=False)
        assert len(search(Fuss(), [Bag()], letters=letters).faults) == MOST_FAULTS
        same = alphabet(plan_of(Fuss), replies={"fussy": ["a"]}, has_failures=False)
        (fault,) = search(Fuss(), [Bag(), Bag(("b",))], letters=same).faults.values()
        assert fault.problem == "ValueError: a"

    def test_who_looks_on_is_not_told(self) -> None:
        """A search plays nothing, so watchers are not called."""
        seen: list[Any] = []
        WATCHERS.append(lambda *what: seen.append(what))
        try:
            made = search(Refine(), [Pad(left=1)], depth=2)
            made.walks([Pad(left=1)], 5)
            assert seen == []
        finally:
            WATCHERS.pop()

    def test_the_visitor_is_told_of_every_transition(self) -> None:
        """Each transition is shown with how it was come to: a number, or a walk's events."""
        told: list[tuple[Any, ...]] = []
        made = Search(
            Refine(), alphabet(plan_of(Refine)), depth=3, max_positions=3, visit=lambda *what: told.append(what)
        )
        made.breadth([Pad(left=1)])
        made.walks([Pad(left=1)], 3)
        assert {type(trail) for *_, trail in told} == {int, tuple}
        for before, request, event, after, trail in told:
            *_, position = made.conversation(trail).positions()
            assert key_of(position) == key_of(before)
            assert request in before.requests
            assert key_of(made.strategy.advance(before, event)) == key_of(after)


class TestWalks:
    def test_they_are_the_same_every_time(self) -> None:
        """Walks draw, but from the same numbers."""
        twice = []
        for _ in range(2):
            made = Search(Rescue(), alphabet(plan_of(Rescue)), depth=30, max_positions=1)
            made.walks([Pad(left=3), Pad(left=1)], 20)
            twice.append((made.outcomes, list(made.first.values()), sorted(made.counts.values())))
        assert twice[0] == twice[1]
        assert "rescued" in twice[0][0]

    def test_the_shorter_of_two_is_kept(self) -> None:
        """Of the walks that come by something, the shortest is told."""
        made = Search(Look(), alphabet(plan_of(Look)), depth=30, max_positions=1)
        made.walks([Pad()], 1)
        few = {name: len(events) for name, (_, events) in made.outcomes.items()}
        made.walks([Pad()], 60)
        assert all(len(made.outcomes[name][1]) <= length for name, length in few.items())
        assert len(made.outcomes["environment_lost"][1]) == 1

    def test_they_stop_when_they_are_told(self) -> None:
        """What is sought ends the walks."""
        made = Search(Look(), alphabet(plan_of(Look)), depth=30, max_positions=1)
        made.walks([Pad()], 60, lambda: bool(made.outcomes))
        assert 0 < made.walked < 60

    def test_what_raises_ends_a_walk(self) -> None:
        """A walk that cannot go on is a fault; one that cannot begin, too."""
        made = Search(Fuss(), alphabet(plan_of(Fuss), replies={"fussy": ["a"]}), depth=5, max_positions=1)
        made.walks([Bag()], 3)
        (fault,) = made.faults.values()
        assert fault.conversation.events == (Reply("a"),)
        things: Any = []
        lost = Search(Pack(), alphabet(plan_of(Pack)), depth=5, max_positions=1)
        lost.walks([Bag(things)], 2)
        assert lost.walked == 2
        assert len(lost.faults) == 1


class TestKeys:
    def test_what_a_panel_heard_is_part_of_it(self) -> None:
        """Positions of a panel differ by what was heard and what is pending, not by who asks how often."""
        strategy = Ballot()
        first = strategy.start(Pad())
        ayes = strategy.advance(first, Reply("aye", answers="vote[0]"))
        nays = strategy.advance(first, Reply("nay", answers="vote[0]"))
        lost = strategy.advance(first, Failed("server", "gone", answers="vote[0]"))
        assert len({key_of(position) for position in (first, ayes, nays, lost)}) == 4
        again = strategy.advance(ayes, Reply("bad", answers="vote[1]"))
        assert key_of(again) == key_of(ayes)
        assert not makes_way(ayes, again)
        assert makes_way(first, ayes)

    def test_what_was_spent_is_no_part_of_it(self) -> None:
        """A reply that is asked again leads to the same position."""
        strategy = Refine()
        first = strategy.start(Pad(lines=("x",)))
        again = strategy.advance(first, Reply("bad"))
        assert again.spent.asks == 2
        assert key_of(again) == key_of(first)
        assert not makes_way(first, again)

    def test_a_shorter_prompt_makes_way(self) -> None:
        """A node that asks with a shorter board got on."""
        strategy = Refine()
        first = strategy.start(Pad(lines=("x",)))
        shorter = strategy.advance(first, Failed("context_overflow", "too long"))
        assert makes_way(first, shorter)
        assert key_of(first) != key_of(shorter)
