"""The fold: a bad reply is sent back to the agent that wrote it, and not for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sketches import Once, Pad, Refine, Writer, added

from tinysmith import Ask, Failed, Limits, Message, ParseError, Position, Reply, Strategy, ToolCall

LOOK = ToolCall("call-1", "look", "{")
JUMP = ToolCall("call-2", "jump", "{}")


class Worker(Writer):
    """Reads tool calls, and refuses arguments that are no JSON."""

    def receive(self, pad: Pad, reply: Reply, /) -> Pad:
        if any(call.arguments == "{" for call in reply.calls):
            raise ParseError("The arguments are no JSON.")
        return added(pad, *(call.name for call in reply.calls))


class Working(Once):
    """Its agent's model calls tools."""

    writer = Worker()


class Patient(Once):
    """Its agent takes whatever comes."""

    writer = type("Taker", (Writer,), {"takes_flawed": True})()


def asked(position: Position[Pad]) -> tuple[Message, ...]:
    """The conversation of the pending ask."""
    request = position.request
    assert isinstance(request, Ask)
    return request.messages


def after(strategy: Strategy[Pad], *replies: Reply | str, limits: Limits | None = None) -> Position[Pad]:
    """The position after these replies."""
    position = strategy.start(Pad(left=5), limits)
    for reply in replies:
        position = strategy.advance(position, Reply(reply) if isinstance(reply, str) else reply)
    return position


class TestConversation:
    def test_parse_error_is_answered(self) -> None:
        """A reply that the parser refuses is sent back with the parser's message, under the same id."""
        position = after(Once(), "bad line")
        assert asked(position) == (
            Message("user", "Write line 0."),
            Message("assistant", "bad line"),
            Message("user", "Do not write 'bad line'."),
        )
        assert (position.request.id, position.node, position.hops) == ("writer", "writer", ())
        assert (position.spent.asks, position.spent.errors, position.board) == (2, 1, Pad(left=5))

    def test_it_grows(self) -> None:
        """Every bad reply in a row stays in the conversation."""
        assert [message.content for message in asked(after(Once(), "bad 1", "bad 2"))] == [
            "Write line 0.",
            "bad 1",
            "Do not write 'bad 1'.",
            "bad 2",
            "Do not write 'bad 2'.",
        ]

    @pytest.mark.parametrize("text", ["", "  \n"])
    def test_empty_reply_is_not_repeated(self, text: str) -> None:
        """An empty reply is not sent back; the complaint joins the last message, so that roles alternate."""
        assert asked(after(Once(), text)) == (
            Message("user", "Write line 0.\n\nYour reply was empty. Reply again."),
        )

    def test_system_message_stays_first(self) -> None:
        """A prompt of whole messages is sent as it is, and the complaint joins its last one."""
        assert asked(after(Refine(), "line", "")) == (
            Message("system", "You are strict."),
            Message("user", "Judge 'line'.\n\nYour reply was empty. Reply again."),
        )

    def test_cut_off_reply(self) -> None:
        """A reply that was cut off is bad whatever it says, and the model is told to be brief."""
        again = asked(after(Once(), Reply("a good line", finish="length")))
        assert again[1] == Message("assistant", "a good line")
        assert again[2].content == "Your reply was cut off because it was too long. Reply again, more briefly."

    @pytest.mark.parametrize("finish", ["content_filter", "refusal"])
    def test_refused_reply(self, finish: str) -> None:
        """A reply that a filter withheld is bad, and the model is told so."""
        (only,) = asked(after(Once(), Reply("", finish=finish)))
        assert only.content.endswith("Your reply was withheld by a content filter. Reply again, in other words.")

    def test_bad_tool_call_is_answered_by_tool_messages(self) -> None:
        """Every call of a bad reply is answered by a tool message, as providers demand."""
        assert asked(after(Working(), Reply("", calls=(LOOK, JUMP)))) == (
            Message("user", "Write line 0."),
            Message("assistant", "", calls=(LOOK, JUMP)),
            Message("tool", "The arguments are no JSON.", call_id="call-1"),
            Message("tool", "The arguments are no JSON.", call_id="call-2"),
        )

    def test_calls_without_text_are_no_empty_reply(self) -> None:
        """A reply that only calls tools is a good one."""
        assert after(Working(), Reply("", calls=(JUMP,))).board.lines == ("jump",)


class TestMaxErrors:
    def test_three_are_forgiven(self) -> None:
        """Three bad replies in a row are forgiven, the fourth ends the run with the board kept."""
        limits = Limits()
        assert after(Once(), *["bad"] * 3, limits=limits).done is None
        assert after(Once(), *["bad"] * 3, "line", limits=limits).board.lines == ("line",)
        last = after(Refine(), "line", *["bad"] * 4, limits=limits)
        assert last.done is not None
        assert (last.done.outcome, last.done.success, last.node) == ("max_errors", False, "critic")
        assert last.board == Pad(("line",), left=5)
        assert last.error == Failed("bad_reply", "Do not write 'bad'.")

    def test_every_kind_counts(self) -> None:
        """Empty, cut-off, refused and unparsable replies count alike."""
        bad = ("", Reply("x", finish="length"), Reply("x", finish="refusal"), "bad")
        last = after(Once(), *bad, limits=Limits())
        assert last.done is not None
        assert last.done.outcome == "max_errors"

    def test_a_good_reply_resets(self) -> None:
        """Only bad replies in a row count: a good one in between begins anew."""
        bad = ["bad"] * 3
        position = after(Refine(), *bad, "line", *bad, "fair", *bad, limits=Limits())
        assert position.done is None
        assert (position.spent.errors, position.spent.asks) == (3, 12)

    def test_none_is_forgiven(self) -> None:
        """With max_errors=0 the first bad reply ends the run."""
        last = after(Once(), "bad", limits=Limits(max_errors=0))
        assert last.done is not None
        assert last.done.outcome == "max_errors"

    @given(st.integers(0, 6), st.integers(0, 6))
    def test_always_the_next_one(self, forgiven: int, bad: int) -> None:
        """A run ends at its bad reply number max_errors + 1, never before and never after."""
        strategy = Once()
        position = strategy.start(Pad(), Limits(max_errors=forgiven))
        for _ in range(min(bad, forgiven + 1)):
            assert position.done is None
            position = strategy.advance(position, Reply("bad"))
        assert (position.done is not None) == (bad > forgiven)


class TestFlawed:
    @pytest.mark.parametrize("reply", [Reply(""), Reply("a", finish="length"), Reply("a", finish="refusal")])
    def test_may_be_taken(self, reply: Reply) -> None:
        """An agent that says so is given empty, cut-off and refused replies; any other is asked again."""
        assert after(Patient(), reply).board.lines == (reply.text,)
        assert after(Once(), reply).board.lines == ()
