"""`Strategy`: what it refuses at run time, and that a refused step leaves the position before it standing."""

import copy
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Agent, Halt, Limits, Observation, Position, Reply, Rule, Strategy, Task, World
from tinysmith.errors import BoardError, EventError, GuardError, NoEdgeError, UsageError
from tinysmith.strategy import plan_of


@frozen
class Draft:
    """The board."""

    text: str = ""
    rounds_left: int = 3


@frozen
class Needy:
    """A board that cannot be made of nothing."""

    query: str
    depth: int
    text: str = ""


def is_done(draft: Draft) -> bool:
    """The draft says so."""
    return draft.text == "DONE"


def is_spent(draft: Draft) -> bool:
    """No rounds are left; raises on a draft that says so."""
    if draft.text == "RAISE":
        raise ZeroDivisionError("no such round")
    return draft.rounds_left <= 0


def has_text(draft: Draft) -> Any:
    """Answers with the text itself where it begins with a capital."""
    return draft.text if draft.text[:1].isupper() else False


class Writer(Agent[Draft]):
    def prompt(self, draft: Draft, /) -> str:
        return f"{draft.rounds_left} rounds left. So far: {draft.text}"

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply, rounds_left=draft.rounds_left - 1)


class Careless(Agent[Draft]):
    def prompt(self, draft: Draft, /) -> str:
        return "Write."

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        made: Any = {"text": reply, "sub": Loud(reply)}
        board: Draft = made.get(reply, draft)
        return board


class Needs(Rule[Needy]):
    def apply(self, board: Needy, /) -> Needy:
        return board


@frozen
class Loud(Draft):
    """A board of another class."""


class Shell(World[Draft]):
    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, text=seen.text)


class Refine(Strategy[Draft]):
    """Guards of all sorts, and no edge for what is left."""

    writer = Writer()
    done = Halt(success=True)
    spent = Halt()
    odd = Halt()

    initial = writer
    edges = (
        writer.to(done, when=is_done),
        writer.to(spent, when=is_spent),
        writer.to(odd, when=has_text),
    )
    allow = {"no-otherwise": "it is tested"}


class Slip(Strategy[Draft]):
    """An agent that returns what is no board."""

    careless = Careless()
    done = Halt()

    initial = careless
    edges = (careless.to(done),)


class Ask(Strategy[Needy]):
    """A strategy whose board needs values."""

    needs = Needs()
    done = Halt()

    initial = needs
    edges = (needs.to(done),)


class TestStart:
    def test_it_stands_at_the_initial_node(self) -> None:
        """A run begins at the initial node with the board that it is given, and asks."""
        position = Refine().start(Draft("Hello"))
        assert (position.node, position.board, position.step) == ("writer", Draft("Hello"), 0)
        assert position.done is None

    def test_without_limits_it_has_none(self) -> None:
        """A bare start has no limits; those given are kept."""
        assert Refine().start(Draft()).limits.max_asks is None
        assert Refine().start(Draft(), Limits(max_asks=1)).limits == Limits(max_asks=1)

    @pytest.mark.parametrize("board", [None, "Hello", Loud("Hello"), Needy("a", 1)])
    def test_another_board_is_refused(self, board: Any) -> None:
        """What is not exactly the strategy's board is refused, a subclass of it included."""
        message = rf"Refine.writer, step 0: start\(board\) gave a {type(board).__name__}, not a Draft"
        with pytest.raises(BoardError, match=message):
            Refine().start(board)


def refused(strategy: Strategy[Draft], board: Draft, event: Any, error: type[Exception]) -> Exception:
    """The error that an event raises; the position before it is afterwards deeply what it was."""
    position = strategy.start(board)
    before = copy.deepcopy(position)
    saved = strategy.dumps(position)
    with pytest.raises(error) as caught:
        strategy.advance(position, event)
    assert position == before
    assert strategy.dumps(position) == saved
    return caught.value


class TestRefusedSteps:
    def test_a_guard_that_raises(self) -> None:
        """A guard that raises is told with its name and cause, and changes nothing."""
        error = refused(Refine(), Draft(), Reply("RAISE"), GuardError)
        problem = "its guard is_spent raised ZeroDivisionError: no such round."
        assert str(error) == f"Refine.writer, step 1: {problem}"
        assert isinstance(error.__cause__, ZeroDivisionError)

    def test_a_guard_that_answers_with_something_else(self) -> None:
        """A guard that answers neither True nor False is told with its answer, and changes nothing."""
        error = refused(Refine(), Draft(), Reply("Hello"), GuardError)
        assert "its guard has_text answered 'Hello', which is neither True nor False" in str(error)

    def test_no_edge(self) -> None:
        """Where no guard holds, all that were tried are named, and nothing changes."""
        error: Any = refused(Refine(), Draft(), Reply("hello"), NoEdgeError)
        assert error.tried == ("is_done", "is_spent", "has_text")
        assert (error.strategy, error.node, error.step) == ("Refine", "writer", 1)

    @pytest.mark.parametrize("reply", ["text", "sub"])
    def test_no_board(self, reply: str) -> None:
        """A method that returns no board of this strategy is named, and changes nothing."""
        error = refused(Slip(), Draft(), Reply(reply), BoardError)
        assert str(error).startswith("Slip.careless, step 1: parse() gave a ")

    @pytest.mark.parametrize("event", [Observation("a"), Reply("a", answers="shell"), Reply("a", answers="?")])
    def test_an_event_that_answers_nothing(self, event: Any) -> None:
        """An event of another kind, or for another request, is refused, and changes nothing."""
        refused(Refine(), Draft(), event, EventError)

    @given(st.lists(st.sampled_from(["a", "Hello", "RAISE", "hello", "b"]), max_size=3), st.integers(1, 3))
    def test_a_position_can_be_advanced_again(self, replies: list[str], rounds: int) -> None:
        """After a refused step the run goes on from the position before it, as if nothing had been."""
        position = Refine().start(Draft(rounds_left=rounds))
        for reply in replies:
            try:
                Refine().advance(position, Reply(reply))
            except (GuardError, NoEdgeError):
                continue
        assert Refine().advance(position, Reply("DONE")).done == Refine().advance(
            Refine().start(Draft(rounds_left=rounds)), Reply("DONE")
        ).done  # fmt: skip


class TestAdvance:
    @given(st.integers(2, 5), st.text(min_size=1).filter(str.strip))
    def test_the_same_input_gives_the_same_position(self, rounds: int, text: str) -> None:
        """A step is a pure function, on any instance of the strategy."""

        def step(strategy: Refine) -> Position[Draft] | str:
            try:
                return strategy.advance(strategy.start(Draft("", rounds)), Reply(text))
            except (GuardError, NoEdgeError) as error:
                return str(error)

        assert step(Refine()) == step(Refine())


class TestBrief:
    def test_a_board_with_defaults(self) -> None:
        """By default the first board is one with nothing but default values."""
        assert Refine().brief(Task("1", "Write."), "Hello") == Draft()

    def test_a_board_without(self) -> None:
        """Where the board needs values, they are named, with both remedies."""
        with pytest.raises(UsageError) as caught:
            Ask().brief(Task("1"), "")
        message = "Ask cannot make its first board: Needy needs query, depth."
        remedy = "Define Ask.brief(task, observation), or give a board."
        assert str(caught.value) == f"{message} {remedy}"


class TestPlan:
    def test_it_is_one_for_all_instances(self) -> None:
        """A class is compiled once; its objects hold nothing."""
        assert plan_of(Refine()) is plan_of(Refine)
        assert vars(Refine()) == {}

    def test_hops_are_made_beforehand(self) -> None:
        """Every edge's hop tells the guards that said no before its own said yes."""
        hops = plan_of(Refine).hops["writer"]
        assert [hop.tried for hop in hops] == [
            (("is_done", True),),
            (("is_done", False), ("is_spent", True)),
            (("is_done", False), ("is_spent", False), ("has_text", True)),
        ]
        assert [hop.index for hop in hops] == [0, 1, 2]

    def test_a_node_beside_the_rest(self) -> None:
        """The last edge without a guard means that all others said no."""
        (hop,) = plan_of(Slip).hops["careless"]
        assert (hop.tried, hop.target, hop.why) == ((), "done", "")
