"""Inspect's models as ours: what is sent, what comes back, and what goes wrong."""

import asyncio
from typing import Any

import pytest
from evaluations import model, output
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.tool import ToolCall as InspectCall
from inspect_ai.util import LimitExceededError

from tinysmith import Ask, Message
from tinysmith.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflow,
    ModelError,
    ModelTimeout,
    RateLimited,
    ServerError,
    UnknownModelError,
    UsageError,
)
from tinysmith.inspect_ai._model import InspectModel
from tinysmith.inspect_ai._translate import chat, reply_of, usage_of
from tinysmith.inspect_ai._waiting import Ended
from tinysmith.mapping import freeze
from tinysmith.messages import Reply, ToolCall, Usage

# tenacity's, which Inspect calls in an older way
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def asked(request: Ask) -> tuple[Reply, list[Any], list[Any], GenerateConfig]:
    """What the mock model is sent for a request."""
    sent: list[Any] = []

    def answer(messages: Any, tools: Any, choice: Any, config: Any) -> ModelOutput:
        sent[:] = [messages, tools, config]
        return output("yes")

    inspects = get_model("mockllm/model", custom_outputs=answer, memoize=False)
    reply = asyncio.run(InspectModel(inspects).aask(request))
    return reply, sent[0], sent[1], sent[2]


def tool(parameters: Any, name: str = "add") -> Any:
    return freeze(
        {"type": "function", "function": {"name": name, "description": "Adds.", "parameters": parameters}}
    )


def failing(error: Exception) -> None:
    """Asks a model that raises."""

    def fail(_: str) -> Any:
        raise error

    asyncio.run(InspectModel(model(fail)).aask(Ask((Message("user", "a secret plan " * 9),))))


class WithStatus(Exception):
    def __init__(self, status: Any, words: str = "no") -> None:
        super().__init__(words)
        self.status_code = status


class TestRequest:
    def test_a_conversation(self) -> None:
        """Roles, calls and their answers are Inspect's; arguments that are no JSON object are kept as an error."""
        calls = (ToolCall("1", "add", '{"n": 1}'), ToolCall("2", "add", "{n"), ToolCall("3", "add", "[1]"))
        said = (
            Message("system", "Be brief."),
            Message("user", "Add."),
            Message("assistant", "", calls=calls),
            Message("tool", "2", call_id="1"),
            Message("tool", "?", call_id="9"),
        )
        told: Any = chat(said, node="a")
        assert [message.role for message in told] == ["system", "user", "assistant", "tool", "tool"]
        assert [(call.arguments, call.parse_error) for call in told[2].tool_calls] == [
            ({"n": 1}, None), ({}, "{n"), ({}, "[1]"),
        ]  # fmt: skip
        assert [(told[n].tool_call_id, told[n].function) for n in (3, 4)] == [("1", "add"), ("9", None)]
        assert told[0].metadata == {"node": "a"}

    def test_tools(self) -> None:
        """Tools are offered with their parameters, and none where they have none."""
        ask = Ask((Message("user", "Add."),), tools=(tool({**OBJECT, "title": "T"}), tool(None, "now")))
        reply, _, tools, _ = asked(ask)
        assert reply.text == "yes"
        assert [each.name for each in tools] == ["add", "now"]
        assert tools[0].description == "Adds."
        assert tools[0].parameters.model_dump(exclude_none=True)["properties"] == {"n": {"type": "integer"}}

    @pytest.mark.parametrize(
        "wrong",
        [
            tool({**OBJECT, "properties": {"n": {"$ref": "#/$defs/N"}}}),
            tool({"type": "array"}),
            tool(OBJECT, ""),
            tool({**OBJECT, "properties": {"n": {"enum": [1], "anyOf": [{"const": 1}]}}}),
        ],
    )
    def test_a_tool_that_inspect_cannot_express_is_refused(self, wrong: Any) -> None:
        """What Inspect would silently drop of a tool's schema is refused, as is a tool without a name."""
        with pytest.raises(BadRequestError, match="Inspect cannot offer it"):
            asked(Ask((Message("user", "Add."),), tools=(wrong,)))

    def test_a_schema(self) -> None:
        """A schema is in the prompt, and sent as one where Inspect can express all of it."""
        _, messages, _, config = asked(Ask((Message("user", "Say."),), schema=freeze(OBJECT)))
        assert messages[0].text.startswith("Say.\n\nReply with JSON that fits this JSON schema")
        assert config.response_schema is not None
        assert config.response_schema.json_schema.required == ["n"]

    @pytest.mark.parametrize(
        "schema",
        [
            None,
            {"type": "array", "items": {"type": "integer"}},
            {**OBJECT, "properties": {"n": {"const": 1}}},
            {**OBJECT, "properties": {"n": {"type": "something"}}},
        ],
    )
    def test_a_schema_that_inspect_cannot_express_is_not_sent(self, schema: Any) -> None:
        """Any other schema is in the prompt alone."""
        _, _, _, config = asked(Ask((Message("user", "Say."),), schema=freeze(schema)))
        assert config.response_schema is None


class TestReply:
    def test_text_thinking_and_usage(self) -> None:
        """Thoughts are apart from the text; tokens of a cache count as read; a cost is a cost."""
        hidden = ContentReasoning(reasoning="x", redacted=True)
        parts: Any = [ContentReasoning(reasoning="Hm."), hidden, ContentText(text="Yes.")]
        reply = reply_of(_output(ChatMessageAssistant(content=parts), "max_tokens"), "m")
        assert (reply.text, reply.thinking, reply.finish, reply.model) == ("Yes.", "Hm.", "length", "m")
        assert reply.usage == Usage()
        read = ModelUsage(
            input_tokens=1, output_tokens=2, input_tokens_cache_read=3, input_tokens_cache_write=4, total_cost=0.5
        )
        assert usage_of(read) == Usage(8, 2, 0.5)

    def test_calls(self) -> None:
        """A call's arguments are JSON again; where Inspect could not read them, its complaint is no JSON."""
        calls = [
            InspectCall(id="1", function="add", arguments={"n": "é"}),
            InspectCall(id="2", function="add", arguments={}, parse_error="cannot read {n"),
        ]
        reply = reply_of(_output(ChatMessageAssistant(content="", tool_calls=calls), "tool_calls"), "m")
        assert reply.calls == (ToolCall("1", "add", '{"n": "é"}'), ToolCall("2", "add", "cannot read {n"))
        assert reply.finish == "tool_calls"

    def test_nothing(self) -> None:
        """An output without a choice is the server's failure, in its words."""
        with pytest.raises(ServerError, match="refused by policy"):
            reply_of(ModelOutput(error="refused by policy"), "m")

    def test_too_long(self) -> None:
        """An output that stopped at the model's length says that the prompt is too long."""
        with pytest.raises(ContextOverflow, match="m: The prompt is longer"):
            reply_of(output("400: 9 tokens", "model_length"), "m")


def _output(message: ChatMessageAssistant, stop: Any) -> ModelOutput:
    return ModelOutput(model="m", choices=[ChatCompletionChoice(message=message, stop_reason=stop)])


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (WithStatus(401), AuthenticationError),
            (WithStatus(404), UnknownModelError),
            (WithStatus(429), RateLimited),
            (WithStatus(422), BadRequestError),
            (WithStatus(503), ServerError),
            (TimeoutError(), ModelTimeout),
            (WithStatus("none"), ModelError),
        ],
    )
    def test_each_status_has_its_error(self, error: Exception, kind: type[ModelError]) -> None:
        """What a provider raises is ours by its HTTP status, and names the model."""
        with pytest.raises(ModelError, match="mockllm/model: Inspect's model raised") as caught:
            failing(error)
        assert type(caught.value) is kind

    def test_the_prompt_is_not_repeated(self) -> None:
        """Of a prompt that a provider repeats, 80 characters are told, and no control characters."""
        with pytest.raises(BadRequestError) as caught:
            failing(WithStatus(400, "bad: " + "a secret plan " * 9 + "\x1b[31m"))
        assert "\x1b" not in str(caught.value)
        assert str(caught.value).count("secret") == 6

    def test_what_ends_a_sample_is_no_failure(self) -> None:
        """A limit of Inspect passes through a run, which catches exceptions, untouched."""
        limit = LimitExceededError("token", value=2, limit=1)
        with pytest.raises(Ended) as caught:
            failing(limit)
        assert caught.value.error is limit

    def test_it_does_not_block(self) -> None:
        """The blocking door says which one is open."""
        with pytest.raises(UsageError, match=r"run the strategy with arun\(\)"):
            InspectModel().ask(Ask((Message("user", "x"),)))
