"""The fold: requests, hops, illegal events, purity."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import (
    Ballot,
    Look,
    Lookup,
    Once,
    Pad,
    Refine,
    Rescue,
    Round,
    Spin,
    Writer,
    added,
)

from tinysmith import (
    Act,
    Ask,
    Call,
    Done,
    Failed,
    FrozenDict,
    Limits,
    Message,
    Observation,
    ParseError,
    Position,
    Reply,
    Result,
    Strategy,
    ToolCall,
)
from tinysmith.errors import BoardError, EventError, RunError
from tinysmith.limits import UNLIMITED
from tinysmith.messages import Event
from tinysmith.testing import mutations


class TestStart:
    def test_asks_the_initial_node(self) -> None:
        """A run begins by asking what the initial node asks, with no step and no hop behind it."""
        position = Once().start(Pad())
        assert position.requests == (Ask((Message("user", "Write line 0."),), id="writer", node="writer"),)
        assert position.request is position.requests[0]
        assert (position.node, position.step, position.hops, position.done) == ("writer", 0, (), None)
        assert position.spent.asks == 1
        assert position.limits is UNLIMITED

    def test_keeps_limits(self) -> None:
        """A position carries the limits that the run was started with."""
        limits = Limits(max_asks=7)
        assert Once().start(Pad(), limits).limits is limits

    def test_follows_rules(self) -> None:
        """A run that begins at a rule is taken on until something is waited for."""
        position = Spin().start(Pad(left=3))
        assert position.done == Done("done", node="done")
        assert [hop.target for hop in position.hops] == ["count", "count", "done"]
        assert position.board.left == 0

    def test_refuses_a_strange_board(self) -> None:
        """A first board of another class is refused with both classes named."""
        with pytest.raises(BoardError, match=r"Once\.writer, step 0: start\(board\) gave a str, not a Pad"):
            Once().start("board")  # type: ignore[arg-type]  # the mistake that is tested


class TestRequests:
    def test_world_acts(self) -> None:
        """A world node's request is an Act with its action and its own name as id."""
        assert Look().start(Pad()).request == Act("look 0", id="eye", node="eye", grade=False)

    def test_tool_calls(self) -> None:
        """A tool node's request is a Call with frozen arguments."""
        request = Lookup().start(Pad()).request
        assert isinstance(request, Call)
        assert (request.id, request.node, request.arguments["key"]) == ("fetch", "fetch", "")
        assert request.arguments["deep"] == (1, FrozenDict({"two": 2}))

    def test_panel_asks_each_seat(self) -> None:
        """A panel's requests are numbered by seat in their ids, and by ask in their numbers."""
        requests = Ballot().start(Pad(seats=3)).requests
        assert [(ask.id, ask.node) for ask in requests] == [(f"vote[{i}]", "vote") for i in range(3)]
        assert [ask.number for ask in requests if isinstance(ask, Ask)] == [0, 1, 2]

    def test_number_counts_all_asks(self) -> None:
        """An ask's number is how many asks of the run came before it, whoever asked them."""
        strategy = Round()
        position = strategy.advance(strategy.start(Pad(left=2)), Reply("a line"))
        for event in (Reply("aye", answers="vote[1]"), Reply("nay", answers="vote[0]"), Observation("x")):
            position = strategy.advance(position, event)
        position = strategy.advance(position, Result("y"))
        assert isinstance(position.request, Ask)
        assert (position.request.id, position.request.number) == ("writer", 3)

    def test_time_left_is_told(self) -> None:
        """An ask says how many of the run's seconds are left."""
        strategy = Refine()
        position = strategy.start(Pad(), Limits(max_seconds=10))
        assert isinstance(position.request, Ask)
        assert position.request.timeout_s == 10
        position = strategy.advance(position, Reply("line", elapsed_s=2.5))
        assert isinstance(position.request, Ask)
        assert position.request.timeout_s == 7.5

    def test_schema_and_tools_are_sent(self) -> None:
        """What an agent declares as schema and tools is on its asks, frozen."""
        request = Equipped().start(Pad()).request
        assert isinstance(request, Ask)
        assert request.schema == FrozenDict({"type": "object"})
        assert request.tools == (FrozenDict({"name": "look"}),)


class Worker(Writer):
    """Has a schema and a tool, and reads the tool calls of its reply."""

    schema = {"type": "object"}
    tools = ({"name": "look"},)

    def receive(self, pad: Pad, reply: Reply, /) -> Pad:
        for call in reply.calls:
            if call.arguments == "{":
                raise ParseError("That is not JSON.")
        return added(pad, reply.text, *(call.name for call in reply.calls))


class Equipped(Once):
    """Its agent has a schema and a tool."""

    writer = Worker()


class TestHops:
    def test_says_why(self) -> None:
        """A hop keeps the guards that were tried with their verdicts, and says in a word why it was taken."""
        strategy = Refine()
        position = strategy.advance(strategy.start(Pad(left=2)), Reply("line"))
        assert [(hop.source, hop.index, hop.tried, hop.target, hop.why) for hop in position.hops] == [
            ("writer", 0, (), "critic", "")
        ]
        again = strategy.advance(position, Reply("fair"))
        (hop,) = again.hops
        assert (hop.tried, hop.why) == ((("is_good", False), ("has_left", True)), "has_left")
        (hop,) = strategy.advance(position, Reply("good")).hops
        assert (hop.tried, hop.why, hop.target) == ((("is_good", True),), "is_good", "accepted")
        last = strategy.advance(strategy.advance(again, Reply("line")), Reply("fair"))
        assert (last.hops[0].why, last.hops[0].index) == ("otherwise", 2)
        assert last.done == Done("gave_up", node="gave_up")

    def test_halt_says_success(self) -> None:
        """A run that ends in a halt is done with its name and with whether it is a success."""
        strategy = Once()
        position = strategy.advance(strategy.start(Pad()), Reply("line"))
        assert position.done == Done("done", success=True, node="done")
        assert position.board == Pad(("line",))


class TestIllegalEvents:
    @pytest.mark.parametrize(
        ("strategy", "event", "problem"),
        [
            (Once(), Reply("x", answers="critic"), "answers 'critic', but what is pending is 'writer'"),
            (Once(), Observation("x"), "a Observation cannot answer Ask 'writer'"),
            (Once(), Result("x"), "a Result cannot answer Ask 'writer'"),
            (Look(), Reply("x"), "a Reply cannot answer Act 'eye'"),
            (Lookup(), Reply("x", answers="fetch"), "a Reply cannot answer Call 'fetch'"),
            (Ballot(), Reply("x"), r"answers '', but what is pending is 'vote\[0\]', 'vote\[1\]'"),
            (Ballot(), Reply("x", answers="vote[2]"), r"answers 'vote\[2\]', but what is pending"),
            (Spin(), Reply("x"), r"a Reply cannot answer a run that is over \(done\)"),
            (Spin(), Failed("server", "x"), r"a Failed cannot answer a run that is over \(done\)"),
            (Spin(), Reply("x", answers="writer"), r"a Reply cannot answer a run that is over \(done\)"),
        ],
    )
    def test_raise_and_change_nothing(self, strategy: Strategy[Pad], event: Reply, problem: str) -> None:
        """An event that answers nothing pending, or is of the wrong kind, raises; the position stays as it was."""
        position = strategy.start(Pad())
        before = copy.deepcopy(position)
        with pytest.raises(EventError, match=problem) as caught:
            strategy.advance(position, event)
        assert position == before
        assert (caught.value.node, caught.value.step) == (position.node, 0)

    def test_the_run_goes_on(self) -> None:
        """After an illegal event the position before it can be advanced as if nothing had been."""
        strategy = Ballot()
        position = strategy.advance(strategy.start(Pad()), Reply("aye", answers="vote[1]"))
        with pytest.raises(EventError, match=r"pending is 'vote\[0\]'\."):
            strategy.advance(position, Reply("nay", answers="vote[1]"))
        assert strategy.advance(position, Reply("nay")).board.lines == ("nay", "aye")


def _events() -> st.SearchStrategy[Event]:
    text = mutations(("good", "bad line", "worst", "lost"))
    kinds = st.sampled_from(["server", "context_overflow", "recording_over", "environment", "tool"])
    calls = st.just((ToolCall("1", "look", "{"),))
    return st.one_of(
        st.builds(Reply, text, finish=st.sampled_from(["stop", "stop", "length", "refusal"])),
        st.builds(Reply, text, calls=calls),
        st.builds(Observation, text, terminated=st.booleans()),
        st.builds(Result, text),
        st.builds(Failed, kinds, st.just("It failed.")),
    )


def _outcome(strategy: Strategy[Pad], position: Position[Pad], event: Event) -> Position[Pad] | str:
    try:
        return strategy.advance(position, event)
    except RunError as error:
        return str(error)


class TestPurity:
    @pytest.mark.untraced
    @settings(max_examples=40, deadline=None)
    @given(strategy=st.sampled_from([Round(), Rescue(), Refine()]), seats=st.integers(1, 3), data=st.data())
    def test_same_input_same_output(self, strategy: Strategy[Pad], seats: int, data: st.DataObject) -> None:
        """The fold gives the same position, or the same error, for the same input, and never changes its input."""
        board = Pad(left=3, seats=seats)
        limits = Limits(max_asks=20)
        position = strategy.start(board, limits)
        assert position == strategy.start(Pad(left=3, seats=seats), limits)
        for _ in range(12):
            event = data.draw(_events())
            saved = strategy.dumps(position)
            after = _outcome(strategy, position, event)
            assert _outcome(strategy, strategy.loads(saved), copy.deepcopy(event)) == after
            assert strategy.dumps(position) == saved
            position = position if isinstance(after, str) else after
        assert board == Pad(left=3, seats=seats)
