"""Our requests in Inspect's words, and its outputs in ours."""

import json
from collections.abc import Mapping
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    ContentReasoning,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    ResponseSchema,
)
from inspect_ai.tool import ToolCall as InspectCall
from inspect_ai.tool import ToolInfo, ToolParams
from inspect_ai.util import JSONSchema

from tinysmith.errors import BadRequestError, ContextOverflow, ServerError
from tinysmith.mapping import JSON, thaw
from tinysmith.messages import Ask, Message, Reply, ToolCall, Usage

_FINISH = {"max_tokens": "length", "unknown": "stop"}


def chat(messages: tuple[Message, ...], **metadata: JSON) -> list[ChatMessage]:
    """Messages as Inspect's, each with the same metadata."""
    names = {call.id: call.name for message in messages for call in message.calls}
    more = metadata or None
    said: list[ChatMessage] = []
    for message in messages:
        match message.role:
            case "system":
                said.append(ChatMessageSystem(content=message.content, metadata=more))
            case "user":
                said.append(ChatMessageUser(content=message.content, metadata=more))
            case "assistant":
                calls = [_call(call) for call in message.calls] or None
                said.append(ChatMessageAssistant(content=message.content, tool_calls=calls, metadata=more))
            case _:
                name = names.get(message.call_id)
                said.append(_answer(message, name, more))
    return said


def _answer(message: Message, name: str | None, metadata: dict[str, JSON] | None) -> ChatMessage:
    return ChatMessageTool(content=message.content, tool_call_id=message.call_id, function=name, metadata=metadata)


def _call(call: ToolCall) -> InspectCall:
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = None
    if isinstance(arguments, dict):
        return InspectCall(id=call.id, function=call.name, arguments=arguments)
    return InspectCall(id=call.id, function=call.name, arguments={}, parse_error=call.arguments)


def tools_of(request: Ask) -> list[ToolInfo]:
    """The tools of a request.

    Raises:
        BadRequestError: One of them has parameters that Inspect cannot express, or no name.
    """
    return [_tool(tool) for tool in request.tools]


def _tool(tool: Mapping[str, JSON]) -> ToolInfo:
    function = thaw(tool.get("function", tool))
    name = str(function.get("name", ""))
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    try:
        read = ToolParams.model_validate(parameters)
    except ValueError:
        read = None
    if not name or read is None or not _says(read.model_dump(exclude_none=True), parameters):
        problem = f"the tool {name!r} has no name, or a schema that Inspect cannot express, such as one with $ref"
        raise BadRequestError(f"Inspect cannot offer it: {problem}. Write its parameters out.")
    return ToolInfo(name=name, description=str(function.get("description", "")), parameters=read)


def config_of(request: Ask) -> GenerateConfig:
    """The schema of a request, where Inspect can express it; it is spelt out in the prompt, too."""
    if request.schema is None or request.schema.get("type") != "object":
        return GenerateConfig()
    schema = thaw(request.schema)
    try:
        read = JSONSchema.model_validate(schema)
    except ValueError:
        return GenerateConfig()
    if not _says(read.model_dump(exclude_none=True), schema):
        return GenerateConfig()
    return GenerateConfig(response_schema=ResponseSchema(name="reply", json_schema=read))


_ONLY_TOLD = ("title", "$schema", "$comment")
"""What constrains nothing."""


def _says(read: Any, schema: Any) -> bool:
    """Whether all that a schema says is in what Inspect read of it; it drops what it does not know."""
    if isinstance(schema, dict):
        told = {name: part for name, part in schema.items() if name not in _ONLY_TOLD and part is not None}
        return isinstance(read, dict) and all(name in read and _says(read[name], told[name]) for name in told)
    if isinstance(schema, list):
        return isinstance(read, list) and len(read) == len(schema) and all(map(_says, read, schema))
    return bool(read == schema)


def reply_of(output: ModelOutput, model: str) -> Reply:
    """An output as a reply.

    Raises:
        ContextOverflow: The prompt is too long for the model.
        ServerError: It holds nothing.
    """
    if output.empty:
        problem = output.error or "it holds no choices"
        raise ServerError(f"Inspect's model gave nothing: {problem}. See the sample's transcript.", model=model)
    if output.stop_reason == "model_length":
        raise ContextOverflow("The prompt is longer than the model's context window. Shorten it.", model=model)
    message = output.message
    parts = [] if isinstance(message.content, str) else message.content
    thinking = [part.reasoning for part in parts if isinstance(part, ContentReasoning) and not part.redacted]
    return Reply(
        message.text,
        calls=tuple(_called(call) for call in message.tool_calls or ()),
        finish=_FINISH.get(output.stop_reason, output.stop_reason),
        usage=usage_of(output.usage),
        model=model,
        thinking="\n".join(thinking),
    )


def _called(call: InspectCall) -> ToolCall:
    # Where Inspect could not read the arguments, its complaint has the text: no JSON, so we refuse it, too.
    return ToolCall(call.id, call.function, call.parse_error or json.dumps(call.arguments, ensure_ascii=False))


def usage_of(usage: ModelUsage | None) -> Usage:
    """What an output cost; Inspect counts what was read from a cache, and written to one, apart."""
    if usage is None:
        return Usage()
    cached = (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
    return Usage(usage.input_tokens + cached, usage.output_tokens, usage.total_cost)
