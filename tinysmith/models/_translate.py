"""Our request in LiteLLM's words, and its response in ours; nothing here imports it."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from tinysmith._markup import parted
from tinysmith.errors import BadRequestError
from tinysmith.mapping import thaw
from tinysmith.messages import Ask, Message, Reply, ToolCall, Usage
from tinysmith.models._endpoints import Endpoint
from tinysmith.models._failures import Failure, fit_to_show, of_exception, unreadable
from tinysmith.models._schema import schema_in_prompt

SPELT_OUT = "_spelt_out"
"""Among LiteLLM's arguments, ours: the messages to send in place of a schema that the model does not take."""


@frozen
class Prices:
    """US dollars for a token, where the user knows better than LiteLLM's list."""

    input_per_token: float
    output_per_token: float

    def of(self, read: int, written: int) -> float:
        """What that many tokens cost."""
        return read * self.input_per_token + written * self.output_per_token


@frozen
class Call:
    """One request, ready to be sent, again if need be.

    Attributes:
        model: The model as the user named it.
        endpoint: Where it goes, and the key.
        arguments: LiteLLM's arguments, all but the key; `SPELT_OUT` is for the file that calls it.
        prices: The user's own, where given.
    """

    model: str
    endpoint: Endpoint
    arguments: Mapping[str, Any]
    prices: Prices | None = None

    def failed(self, error: BaseException) -> Failure:
        """What an exception of LiteLLM says."""
        return of_exception(error, self._quote, model=self.model, base_url=self.endpoint.base_url)

    def answered(self, response: Any) -> Reply | Failure:
        """What a response of LiteLLM says."""
        choices = getattr(response, "choices", None)
        if not choices:
            return unreadable(self.model, "it holds no choices")
        message = choices[0].message
        thinking, text = parted(message.content or "")
        thinking = thinking or (getattr(message, "reasoning_content", None) or "").strip()
        return Reply(
            text.lstrip() if thinking else text,
            calls=tuple(_tool_calls(message)),
            finish=choices[0].finish_reason or "stop",
            usage=self._usage(response),
            model=self.model,
            thinking=thinking,
        )

    def _quote(self, words: str) -> str:
        prompts = [message.get("content") or "" for message in self.arguments["messages"]]
        return fit_to_show(words, self.endpoint.key, prompts)

    def _usage(self, response: Any) -> Usage:
        counted = getattr(response, "usage", None)
        read = getattr(counted, "prompt_tokens", None) or 0
        written = getattr(counted, "completion_tokens", None) or 0
        if read + written == 0:
            return Usage()  # the server did not count: LiteLLM then says 0.0 dollars, which nobody knows
        if self.prices is not None:
            return Usage(read, written, self.prices.of(read, written))
        return Usage(read, written, getattr(response, "_hidden_params", {}).get("response_cost"))


def request_arguments(request: Ask, model: str, *, takes_schema: bool | None) -> dict[str, Any] | Failure:
    """What an `Ask` says, as LiteLLM's arguments.

    Its schema is sent as one where the model takes schemas, else in the prompt. None leaves that to what LiteLLM
    knows of the model when the request is sent; a schema that is not an object's is then put into the prompt,
    since OpenAI and others refuse it.

    An assistant's empty message is left out: some providers refuse it, LiteLLM leaves it out for others, and
    it says nothing. Any other empty message is refused, since LiteLLM would silently drop it, and the prompt
    with it.
    """
    lost = [m.role for m in request.messages if not (m.content or m.calls) and m.role != "assistant"]
    if lost or not _said(request):
        problem = f"The prompt has an empty {lost[0]} message." if lost else "The prompt is empty."
        return Failure(BadRequestError, f"{problem} Giving every message some text helps.", model=model)
    spelt_out = schema_in_prompt(request)
    if takes_schema is False or (takes_schema is None and _is_of_no_object(request)):
        request = spelt_out
    arguments: dict[str, Any] = {"messages": _said(request)}
    if request.schema is not None:
        schema = {"name": "reply", "schema": thaw(request.schema)}
        arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        if takes_schema is None:
            arguments[SPELT_OUT] = _said(spelt_out)
    if request.tools:
        arguments["tools"] = thaw(request.tools)
        # Else LiteLLM imports its MCP gateway for any tool, and fails: `mcp` is none of its dependencies.
        arguments["_skip_mcp_handler"] = True
    return arguments


def _is_of_no_object(request: Ask) -> bool:
    return request.schema is not None and request.schema.get("type") != "object"


def _said(request: Ask) -> list[dict[str, Any]]:
    return [_message(message) for message in request.messages if message.content or message.calls]


def _message(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content or None}
    if message.calls:
        plain["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.calls
        ]
    if message.role == "tool":
        plain["tool_call_id"] = message.call_id
    return plain


def _tool_calls(message: Any) -> Iterator[ToolCall]:
    for call in getattr(message, "tool_calls", None) or ():
        yield ToolCall(call.id or "", call.function.name or "", call.function.arguments or "")
