"""Positions as text: read back as they were, and whatever is damaged is a `DecodeError`, never another one."""

import json
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import (
    Agent,
    Failed,
    FrozenDict,
    Halt,
    Limits,
    Observation,
    Panel,
    Position,
    Reply,
    Result,
    Rule,
    Strategy,
    Tool,
    Usage,
    World,
)
from tinysmith.errors import BoardError, DecodeError, RunError
from tinysmith.messages import Event

NOBODY: FrozenDict[int, bool] = FrozenDict()


@frozen
class Note:
    """One thing that was found."""

    text: str
    score: float = 0.0


@frozen
class Inquiry:
    """The board."""

    text: str = ""
    notes: tuple[Note, ...] = ()
    best: Note | None = None
    votes: FrozenDict[int, bool] = NOBODY
    rounds_left: int = 3


def is_spent(inquiry: Inquiry) -> bool:
    """No rounds are left."""
    return inquiry.rounds_left <= 0


class Writer(Agent[Inquiry]):
    tools = ({"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}},)
    schema = {"type": "object", "required": ["text"]}

    def prompt(self, inquiry: Inquiry, /) -> str:
        return f"Write. So far: {inquiry.text!r}"

    def parse(self, inquiry: Inquiry, reply: str, /) -> Inquiry:
        note = Note(reply, len(reply) / 3)
        return evolve(inquiry, text=reply, notes=(*inquiry.notes, note), best=note)


class Jury(Panel[Inquiry]):
    def prompts(self, inquiry: Inquiry, /) -> list[str]:
        return ["Yes?", "No?", "Why?"]

    def parse(self, inquiry: Inquiry, replies: Any, /) -> Inquiry:
        return evolve(inquiry, votes=FrozenDict({seat: bool(reply) for seat, reply in enumerate(replies)}))


class Search(Tool[Inquiry, Any]):
    def arguments(self, inquiry: Inquiry, /) -> dict[str, Any]:
        return {"query": inquiry.text, "options": {"most": [1, 2.5, None, True]}}

    def receive(self, inquiry: Inquiry, result: Any, /) -> Inquiry:
        return inquiry


class Shell(World[Inquiry]):
    def action(self, inquiry: Inquiry, /) -> str:
        return inquiry.text

    def observe(self, inquiry: Inquiry, seen: Observation, /) -> Inquiry:
        return evolve(inquiry, text=seen.text)


class Count(Rule[Inquiry]):
    def apply(self, inquiry: Inquiry, /) -> Inquiry:
        return evolve(inquiry, rounds_left=inquiry.rounds_left - 1)


class Inquire(Strategy[Inquiry]):
    """A strategy with every kind of node."""

    writer = Writer()
    jury = Jury()
    search = Search()
    shell = Shell()
    count = Count()
    done = Halt(success=True)

    initial = writer
    edges = (
        writer.to(jury), jury.to(search), search.to(shell), shell.to(count), count.to(done, when=is_spent),
        count.to(writer),
    )  # fmt: skip


class Inquest(Inquire):
    """The same machine under another name."""


TEXT = st.text(st.characters(exclude_categories=()), max_size=6).filter(
    lambda text: json.loads(json.dumps(text)) == text
)
USAGE = st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6), st.none() | st.floats(0, 10))
FAILED = st.builds(Failed, st.sampled_from(["tool", "max_seconds", "context_overflow"]), TEXT)
LIMITS = (
    st.none() | st.just(Limits(max_seconds=1.5, max_cost_usd=0.25)) | st.just(Limits(max_errors=0, max_hops=1))
)


@st.composite
def positions(draw: st.DrawFn) -> Position[Inquiry]:
    """A position of some run of `Inquire`."""
    board = Inquiry(draw(TEXT), rounds_left=draw(st.integers(1, 3)))
    position = Inquire().start(board, draw(LIMITS))
    for _ in range(draw(st.integers(0, 12))):
        if position.done:
            break
        request = draw(st.sampled_from(position.requests))
        answers: dict[str, st.SearchStrategy[Event]] = {
            "Ask": st.builds(Reply, TEXT, usage=USAGE, answers=st.just(request.id), elapsed_s=st.floats(0, 9)),
            "Act": st.builds(Observation, TEXT, terminated=st.booleans(), info=st.just({"exit": [0]})),
            "Call": st.builds(Result, TEXT),
        }
        event = draw(answers[type(request).__name__] | st.nothing())
        if draw(st.integers(0, 9)) == 0:
            event = evolve(draw(FAILED), answers=request.id)
        position = Inquire().advance(position, event)
    return position


POSITIONS = positions()


class TestRoundTrip:
    @given(POSITIONS)
    def test_a_position_is_read_back(self, position: Position[Inquiry]) -> None:
        """Every position of every run survives as one line of text."""
        text = Inquire().dumps(position)
        assert "\n" not in text
        again = Inquire().loads(text)
        assert again == position
        assert Inquire().dumps(again) == text

    @given(POSITIONS)
    def test_a_run_goes_on_from_it(self, position: Position[Inquiry]) -> None:
        """A run that is read back goes where the one that was not would have gone."""
        if not position.done:
            event = Failed("tool", "It broke.", answers=position.request.id)
            again = Inquire().loads(Inquire().dumps(position))
            assert Inquire().advance(again, event) == Inquire().advance(position, event)


class TestDumps:
    @pytest.mark.parametrize(
        ("board", "path"),
        [
            (Inquiry(text=1), "position.board.text holds 1, which is no str"),  # type: ignore[arg-type]  # the fault
            (Inquiry(notes=[Note("a")]), "position.board.notes holds [Note("),  # type: ignore[arg-type]  # as above
            (Inquiry(notes=(Note("a", "b"),)), "position.board.notes[0].score holds 'b'"),  # type: ignore[arg-type]  # as above
            (Inquiry(rounds_left=True), "position.board.rounds_left holds True, which is no int"),
        ],
    )
    def test_a_misfit_is_told_with_its_path(self, board: Inquiry, path: str) -> None:
        """A board with a value that its type does not allow is not saved; the message says where the value is."""
        with pytest.raises(BoardError) as caught:
            Inquire().dumps(Inquire().start(board))
        assert str(caught.value).startswith("Inquire.writer, step 0: it cannot be saved: ")
        assert path in str(caught.value)


POSITION = Inquire().advance(
    Inquire().start(Inquiry("a"), Limits(max_cost_usd=1.0)), Reply("b", usage=Usage(1, 2, 0.1))
)
POSITION = Inquire().advance(POSITION, Reply("yes", answers="jury[1]", usage=Usage(1, 2, 0.1)))
SAVED = Inquire().dumps(POSITION)


def refused(text: Any) -> str:
    """What is said of a text that is no position."""
    with pytest.raises(DecodeError) as caught:
        Inquire().loads(text)
    return str(caught.value)


def changed(*path: Any, to: Any) -> str:
    """The saved position with another value at a path."""
    tree = json.loads(SAVED)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return json.dumps(tree)


class TestLoads:
    @pytest.mark.parametrize("text", ["", "{", "nul", "[" * 100_000, '{"a":' * 100_000, "1" * 5000, "\x00", "'a'"])
    def test_no_json(self, text: str) -> None:
        """What is no JSON, or is nested too deep, or holds a number too long, is refused."""
        assert refused(text).startswith("A saved position")

    @pytest.mark.parametrize("text", ["null", "[]", "1", '"a"', "{}", '{"format": 1}', "NaN", "[[[]]]"])
    def test_no_position(self, text: str) -> None:
        """JSON that is no saved position is refused by what it lacks."""
        assert refused(text) == "A saved position lacks its format, its strategy or its position."

    @pytest.mark.parametrize("version", [0, 2, "1", None, [], True, 1.0])
    def test_another_format(self, version: Any) -> None:
        """Only the number of this format is this format."""
        assert f"format {version!r} of 'Inquire', not format 1 of 'Inquire'" in refused(
            changed("format", to=version)
        )

    def test_another_strategy(self) -> None:
        """A position of another strategy is refused, though its boards are the same."""
        with pytest.raises(DecodeError, match="of 'Inquire', not format 1 of 'Inquest'"):
            Inquest().loads(SAVED)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["board"], None),
            (["board", "text"], 1),
            (["board", "votes"], [[0]]),
            (["board", "more"], 1),
            (["board", "rounds_left"], 1.0),
            (["spent", "asks"], True),
            (["limits", "max_asks"], 100),
            (["limits", "max_asks"], {"int": 0}),
            (["limits", "max_cost_usd"], {"float": []}),
            (["requests", 0], {"Ask": {}}),
            (["requests", 0], {"Nothing": {}}),
            (["requests", 0, "Ask", "messages", 0, "role"], "boss"),
            (["requests", 0, "Ask", "messages", 0, "role"], []),
            (["hops"], {}),
            (["heard"], [[]]),
            (["over"], "false"),
            (["step"], "1"),
        ],
    )
    def test_what_does_not_fit(self, path: list[Any], value: Any) -> None:
        """A value that its type does not allow is refused, with the path to it."""
        message = refused(changed("position", *path, to=value))
        assert message.startswith("A saved position of Inquire does not fit: position.")

    @pytest.mark.parametrize(("path", "value"), [(["node"], "nowhere"), (["requests"], [])])
    def test_a_place_that_is_not_there(self, path: list[Any], value: Any) -> None:
        """A position at no node of the strategy, or that waits for nothing, is refused."""
        assert "which Inquire does not have" in refused(changed("position", *path, to=value))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["node"], "done"),
            (["node"], "writer"),
            (["node"], "shell"),
            (["requests", 0], {"Act": {"action": "ls", "id": "jury[0]", "node": "jury", "grade": False}}),
            (["requests", 0, "Ask", "node"], "writer"),
            (["requests", 0, "Ask", "id"], "jury"),
            (["requests", 0, "Ask", "id"], "jury[x]"),
        ],
    )
    def test_a_request_that_its_node_does_not_make(self, path: list[Any], value: Any) -> None:
        """A position that waits for what its node never asks is refused, before a run could stumble over it."""
        assert refused(changed("position", *path, to=value)).startswith("A saved position")


JSON_DATA: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("jury[0]"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all values in JSON data."""
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [*([path] if path else []), *(found for key, inner in below for found in places(inner, (*path, key)))]


PLACES = places(json.loads(SAVED))


def survives(text: str) -> None:
    """A text is read as a position that can be saved, or refused as none; nothing else is raised."""
    try:
        position = Inquire().loads(text)
    except DecodeError:
        return
    assert isinstance(Inquire().dumps(position), str)


class TestDamage:
    @given(st.sampled_from(PLACES), JSON_DATA)
    def test_another_value_anywhere(self, path: tuple[Any, ...], value: Any) -> None:
        """Whatever is put in the place of any part of the tree, nothing but a DecodeError is raised."""
        survives(changed(*path, to=value))

    @given(st.sampled_from(PLACES), st.sampled_from(PLACES))
    def test_parts_that_changed_places(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
        """A part of the tree in the place of another raises nothing but a DecodeError."""
        part: Any = json.loads(SAVED)
        for key in other:
            part = part[key]
        survives(changed(*one, to=part))

    @given(st.integers(0, len(SAVED)), st.integers(0, 5), st.text(max_size=5))
    def test_another_text_anywhere(self, start: int, length: int, text: str) -> None:
        """Whatever is put in the place of any characters, nothing but a DecodeError is raised."""
        survives(SAVED[:start] + text + SAVED[start + length :])

    @given(st.sampled_from(PLACES), st.integers(1, 2000))
    def test_deep_nesting_anywhere(self, path: tuple[Any, ...], depth: int) -> None:
        """However deep the data in some place is nested, nothing but a DecodeError is raised."""
        survives(changed(*path, to="@").replace('"@"', "[" * depth + "]" * depth))

    @given(st.sampled_from(PLACES), JSON_DATA)
    def test_a_damaged_position_cannot_break_a_run(self, path: tuple[Any, ...], value: Any) -> None:
        """What was read in spite of the damage can be advanced, or refuses with a RunError."""
        try:
            position = Inquire().loads(changed(*path, to=value))
        except DecodeError:
            return
        if not position.done:
            try:
                Inquire().advance(position, Failed("tool", "It broke.", answers=position.request.id))
            except RunError:
                return
