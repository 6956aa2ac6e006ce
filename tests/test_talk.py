"""The conversation: prompts as they are read, replies that are bad, conversations that go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Message, Reply, ToolCall
from tinysmith._talk import ask_again, complaint_in, flaw, spoken

CALL = ToolCall("1", "look", "{}")


class TestSpoken:
    def test_text(self) -> None:
        """A text is one message of the user, unchanged."""
        assert spoken(" Hello\n") == (Message("user", " Hello\n"),)

    def test_messages(self) -> None:
        """Messages are sent as they are, in their order."""
        prompt = [Message("system", "Be brief."), Message("assistant", "", calls=(CALL,)), Message("user", "Go.")]
        assert spoken(prompt) == tuple(prompt)

    @pytest.mark.parametrize("text", ["", " ", "\n\t"])
    def test_empty_text(self, text: str) -> None:
        """A text without a word is refused."""
        with pytest.raises(ValueError, match=r"its prompt is empty\. Return some text\."):
            spoken(text)

    def test_no_messages(self) -> None:
        """A prompt of no messages is refused."""
        with pytest.raises(ValueError, match=r"its prompt has no messages\. Return at least one\."):
            spoken([])

    def test_empty_message(self) -> None:
        """A message that says nothing and calls nothing is refused by its role."""
        with pytest.raises(ValueError, match=r"its prompt has an empty system message\. Leave it out\."):
            spoken([Message("system", " "), Message("user", "Go.")])

    @pytest.mark.parametrize(
        ("prompt", "kind"), [(None, "a NoneType"), (7, "a int"), (["Go."], "a str"), ({"user": "Go."}, "a ")]
    )
    def test_no_prompt(self, prompt: object, kind: str) -> None:
        """What is neither a text nor messages is refused by its type, with what is wanted."""
        with pytest.raises(TypeError, match=rf"its prompt .*{kind}.* Return a text, or Message objects\."):
            spoken(prompt)  # type: ignore[arg-type]  # the mistake that is tested


class TestFlaw:
    @pytest.mark.parametrize(
        ("reply", "complaint"),
        [
            (Reply(""), "Your reply was empty. Reply again."),
            (Reply(" \n"), "Your reply was empty. Reply again."),
            (Reply("x", finish="length"), "cut off"),
            (Reply("", finish="length"), "cut off"),
            (Reply("x", finish="content_filter"), "content filter"),
            (Reply("x", finish="refusal"), "content filter"),
        ],
    )
    def test_bad(self, reply: Reply, complaint: str) -> None:
        """Empty, cut-off and withheld replies are bad before anybody reads them."""
        assert complaint in (flaw(reply) or "")

    @pytest.mark.parametrize(
        "reply",
        [Reply("x"), Reply("x", finish="who knows"), Reply("", calls=(CALL,)), Reply("x", finish="tool_calls")],
    )
    def test_good(self, reply: Reply) -> None:
        """Whatever says or calls something is left to the parser."""
        assert flaw(reply) is None


class TestAskAgain:
    @given(
        contents=st.lists(st.text(min_size=1), min_size=1, max_size=4),
        reply=st.builds(Reply, st.text(), calls=st.lists(st.just(CALL), max_size=2).map(tuple)),
        complaint=st.text(min_size=1),
    )
    def test_always_keeps_what_was_said(self, contents: list[str], reply: Reply, complaint: str) -> None:
        """The conversation grows at its end only, holds the complaint, and gets no empty message."""
        messages = tuple(Message("user", content) for content in contents)
        again = ask_again(messages, reply, complaint)
        assert again[: len(messages) - 1] == messages[:-1]
        assert again[len(messages) - 1].content.startswith(contents[-1])
        assert (complaint if complaint.strip() else "cannot be used") in again[-1].content
        assert all(message.content.strip() or message.calls for message in again[len(messages) :])
        if complaint.strip():
            assert complaint_in(messages, again).strip() == complaint.strip()

    def test_calls_with_text(self) -> None:
        """The text beside bad tool calls is kept in the model's own message."""
        again = ask_again((Message("user", "Go."),), Reply("I look.", calls=(CALL,)), "Look elsewhere.")
        assert again[1:] == (
            Message("assistant", "I look.", calls=(CALL,)),
            Message("tool", "Look elsewhere.", call_id="1"),
        )
