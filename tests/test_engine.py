"""The compiled machine: a real `transitions` machine that goes where the fold goes."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st
from transitions import MachineError
from transitions.extensions.markup import MarkupMachine

from tinysmith import Agent, Halt, Limits, Position, Rule, Strategy
from tinysmith._engine import Engine, GuardMisbehaved, Way


@frozen
class Walk:
    """The board: two numbers that the rules count down."""

    left: int = 0
    right: int = 0


def is_left(walk: Walk) -> bool:
    """There is more on the left."""
    return walk.left > walk.right


def is_right(walk: Walk) -> bool:
    """There is more on the right."""
    return walk.right > walk.left


def is_spent(walk: Walk) -> bool:
    """Both sides are used up."""
    return walk.left <= 0 and walk.right <= 0


class StepLeft(Rule[Walk]):
    def apply(self, walk: Walk, /) -> Walk:
        return evolve(walk, left=walk.left - 1)


class StepRight(Rule[Walk]):
    def apply(self, walk: Walk, /) -> Walk:
        return evolve(walk, right=walk.right - 1)


class StepBoth(Rule[Walk]):
    def apply(self, walk: Walk, /) -> Walk:
        return Walk(walk.left - 1, walk.right - 1)


class Scribe(Agent[Walk]):
    def prompt(self, walk: Walk, /) -> str:
        return f"{walk.left} {walk.right}"

    def parse(self, walk: Walk, reply: str, /) -> Walk:
        return walk


class Wander(Strategy[Walk]):
    """Rules that lead to one another until both sides are used up."""

    both = StepBoth()
    left = StepLeft()
    right = StepRight()
    home = Halt(success=True)
    away = Halt()

    initial = both
    edges = (
        both.to(home, when=is_spent),
        both.to(left, when=is_left),
        both.to(right, when=is_right),
        both.to(both),
        left.to(away, when=is_right),
        left.to(both, when=is_left),
        left.to(right),
        right.to(left, when=is_left),
        right.to(both),
    )


class Write(Strategy[Walk]):
    """An agent that may fail."""

    scribe = Scribe()
    written = Halt(success=True)
    lost = Halt()

    initial = scribe
    edges = (scribe.to(written, when=is_left), scribe.to(scribe), scribe.on_failure(lost))


def pawn(state: str, board: Walk) -> Any:
    """A mutable model that stands at a state; the engine writes the index of the edge on it."""
    made = type("Piece", (), {})()
    made.state, made.board, made.index = state, board, None
    return made


BOARDS = st.builds(Walk, st.integers(0, 6), st.integers(0, 6))


class TestMachine:
    @given(BOARDS)
    def test_it_goes_where_the_fold_goes(self, board: Walk) -> None:
        """Triggered by hand on each board of a run, the machine takes exactly the edges that the fold took."""
        position: Position[Walk] = Wander().start(board, Limits(max_hops=30))
        trigger = Wander.machine.events["advance"].trigger
        rules: dict[str, Any] = {"both": Wander.both, "left": Wander.left, "right": Wander.right}
        at = "both"
        for hop in position.hops:
            assert hop.source == at
            board = rules[at].apply(board)
            piece = pawn(at, board)
            assert trigger(piece) is True
            assert piece.state == hop.target
            at = hop.target
        assert at == position.node
        assert position.board == (rules[at].apply(board) if at in rules else board)

    def test_it_is_a_markup_machine(self) -> None:
        """Its markup shows states, which of them are final, and transitions with their guards by name."""
        machine = Wander.machine
        assert isinstance(machine, MarkupMachine)
        markup: Any = machine.markup
        assert markup["initial"] == "both"
        assert [(state["name"], state.get("final", False)) for state in markup["states"]] == [
            ("both", False), ("left", False), ("right", False), ("home", True), ("away", True),
        ]  # fmt: skip
        arrows = [(arrow["source"], arrow["dest"], arrow.get("conditions", [])) for arrow in markup["transitions"]]
        assert arrows[:5] == [
            ("both", "home", ["is_spent"]),
            ("both", "left", ["is_left"]),
            ("both", "right", ["is_right"]),
            ("both", "both", []),
            ("left", "away", ["is_right"]),
        ]
        assert len(arrows) == 9

    def test_it_has_one_trigger_and_one_for_failures(self) -> None:
        """Edges share the trigger `advance`, failure edges the trigger `fail`; nothing else moves the machine."""
        assert set(Wander.machine.events) == {"advance"}
        assert set(Write.machine.events) == {"advance", "fail"}
        piece = pawn("scribe", Walk())
        Write.machine.events["fail"].trigger(piece)
        assert piece.state == "lost"

    def test_no_run_is_registered_with_it(self) -> None:
        """A run leaves nothing behind in the machine, which so stays as small as it was."""
        Wander().start(Walk(3, 3), Limits(max_hops=30))
        assert Wander.machine.models == []

    def test_nothing_leaves_a_halt(self) -> None:
        """Triggered at a halt, the machine refuses."""
        with pytest.raises(MachineError):
            Wander.machine.events["advance"].trigger(pawn("home", Walk()))

    def test_conditions_keep_their_description(self) -> None:
        """A guard's docstring is on the machine's condition, for tools that show it."""
        (condition,) = Wander.machine.get_transitions("advance", "both", "home")[0].conditions
        function: Any = condition.func
        assert (function.__name__, function.__doc__) == ("is_spent", is_spent.__doc__)


class TestGraphMachine:
    def test_it_draws_mermaid(self) -> None:
        """The throw-away diagram machine draws all nodes and guards, and by default as mermaid text."""
        text = str(Wander.graph_machine().get_graph().draw(None))
        assert "stateDiagram" in text
        for name in ("both", "left", "right", "home", "away", "is_left", "is_right", "is_spent"):
            assert name in text
        assert "both --> home: advance [is_spent]" in text

    def test_options_are_passed_on(self) -> None:
        """Options go to the diagram machine, and may hide the guards."""
        text = str(Wander.graph_machine(show_conditions=False, title="A walk").get_graph().draw(None))
        assert "A walk" in text
        assert "is_spent" not in text

    def test_failure_edges_are_drawn(self) -> None:
        """A failure edge is in the diagram under its trigger."""
        assert "scribe --> lost: fail" in str(Write.graph_machine().get_graph().draw(None))

    def test_it_is_thrown_away(self) -> None:
        """Every call makes a machine of its own, and the strategy's is as before."""
        before = repr(Wander.machine.markup)
        assert Wander.graph_machine() is not Wander.graph_machine()
        assert repr(Wander.machine.markup) == before


def guard(index: int) -> Callable[[Any], bool]:
    """A guard that answers with one item of its board."""

    def answers(board: Any) -> Any:
        answer = board[index]
        if isinstance(answer, Exception):
            raise answer
        return answer

    answers.__name__ = f"is_open_{index}"
    return answers


def engine(ways: list[Way]) -> Engine:
    """An engine with one node that has these ways out."""
    return Engine("here", {"here": ways, "there": []}, {}, halts=frozenset({"there"}))


class TestHop:
    @given(st.lists(st.booleans(), min_size=1, max_size=6), st.booleans())
    def test_the_first_open_edge_is_taken(self, verdicts: list[bool], has_rest: bool) -> None:
        """The index is that of the first guard that holds, else of the edge without one, else -1."""
        ways: list[Way] = [("there", guard(index)) for index in range(len(verdicts))]
        rest = len(verdicts) if has_rest else -1
        index = engine([*ways, ("there", None)] if has_rest else ways).hop("here", verdicts)
        assert index == (verdicts.index(True) if True in verdicts else rest)

    def test_guards_behind_the_open_edge_are_not_asked(self) -> None:
        """A guard is only asked where all before it said no."""
        ways: list[Way] = [("there", guard(0)), ("there", guard(1))]
        assert engine(ways).hop("here", [True, ValueError("asked")]) == 0

    @pytest.mark.parametrize("answer", [1, 0, None, "", "yes", (), 1.0])
    def test_an_answer_that_is_no_bool(self, answer: object) -> None:
        """A truthy or falsy answer is neither True nor False, and says so by the guard's name."""
        with pytest.raises(GuardMisbehaved, match="which is neither True nor False") as caught:
            engine([("there", guard(0)), ("there", None)]).hop("here", [answer])
        assert caught.value.guard == "is_open_0"
        assert repr(answer) in caught.value.problem

    def test_a_guard_that_raises(self) -> None:
        """What a guard raised is the cause."""
        error = ValueError("no such side")
        with pytest.raises(GuardMisbehaved, match="raised ValueError: no such side") as caught:
            engine([("there", guard(0)), ("there", None)]).hop("here", [error])
        assert caught.value.__cause__ is error
