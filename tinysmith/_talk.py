"""The conversation with a model: how prompts are read, which replies are bad, how an agent is asked again."""

from collections.abc import Sequence
from typing import cast

from attrs import evolve

from tinysmith.messages import Message, Reply
from tinysmith.nodes import Prompt


def spoken(prompt: Prompt) -> tuple[Message, ...]:
    """The messages of a prompt.

    Raises:
        ValueError: It is empty, or no prompt at all; providers drop or refuse such messages.
    """
    if isinstance(prompt, str):
        if not prompt.strip():
            raise ValueError("its prompt is empty. Return some text.")
        return (Message("user", prompt),)
    if not isinstance(cast("object", prompt), Sequence):
        raise TypeError(f"its prompt is a {type(prompt).__name__}. Return a text, or Message objects.")
    messages = tuple(prompt)
    if not messages:
        raise ValueError("its prompt has no messages. Return at least one.")
    for message in messages:
        if not isinstance(message, Message):
            raise TypeError(f"its prompt holds a {type(message).__name__}. Return a text, or Message objects.")
        if not message.content.strip() and not message.calls:
            raise ValueError(f"its prompt has an empty {message.role} message. Leave it out.")
    return messages


def flaw(reply: Reply) -> str | None:
    """Why a reply is bad before anybody reads it: empty, refused or cut off; None if it is not."""
    if reply.finish == "length":
        return "Your reply was cut off because it was too long. Reply again, more briefly."
    if reply.finish in {"content_filter", "refusal"}:
        return "Your reply was withheld by a content filter. Reply again, in other words."
    if not reply.calls and not reply.text.strip():
        return "Your reply was empty. Reply again."
    return None


def ask_again(messages: tuple[Message, ...], reply: Reply, complaint: str) -> tuple[Message, ...]:
    """The same conversation, with the bad reply and what is wrong with it appended.

    A bad tool call is answered by tool messages. An empty reply is not repeated, because providers drop or
    refuse empty messages; the complaint then joins the last message, so that roles go on alternating.
    """
    complaint = complaint if complaint.strip() else "Your reply cannot be used. Reply again."
    if reply.calls:
        answers = tuple(Message("tool", complaint, call_id=call.id) for call in reply.calls)
        return (*messages, Message("assistant", reply.text, calls=reply.calls), *answers)
    if reply.text.strip():
        return (*messages, Message("assistant", reply.text), Message("user", complaint))
    last = messages[-1]
    return (*messages[:-1], evolve(last, content=f"{last.content}\n\n{complaint}"))


def complaint_in(messages: tuple[Message, ...], again: tuple[Message, ...]) -> str:
    """What `ask_again` appended to a conversation: what was wrong with the reply to it."""
    if len(again) > len(messages):
        return again[-1].content
    return again[-1].content.removeprefix(messages[-1].content).strip()
