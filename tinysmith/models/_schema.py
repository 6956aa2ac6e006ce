"""A request's JSON schema, in words, for whoever takes it in no other form."""

import json

from attrs import evolve

from tinysmith.mapping import thaw
from tinysmith.messages import Ask, Message


def schema_in_prompt(request: Ask) -> Ask:
    """The request with its schema spelt out at the end of its last user message; the same one, if it has none.

    For models of your own whose server takes no schema.
    """
    if request.schema is None:
        return request
    schema = json.dumps(thaw(request.schema), ensure_ascii=False)
    words = f"Reply with JSON that fits this JSON schema, and with nothing else:\n{schema}"
    messages = list(request.messages)
    users = [place for place, message in enumerate(messages) if message.role == "user"]
    if users:
        last = messages[users[-1]]
        messages[users[-1]] = evolve(last, content=f"{last.content}\n\n{words}")
    else:
        messages.append(Message("user", words))
    return evolve(request, messages=tuple(messages), schema=None)
