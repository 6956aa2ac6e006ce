"""What a run waits for (requests), and what answers it (events).

All of these are values: frozen, without behaviour, and nothing in them is read from a clock.
"""

from typing import ClassVar, Literal, TypeAlias

from attrs import field, frozen

from tinysmith.mapping import EMPTY, JSON, FrozenDict, freeze

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


@frozen(weakref_slot=False)
class ToolCall:
    """A tool that a model wants called.

    Attributes:
        id: The provider's name for this call; the answering message repeats it.
        name: The tool.
        arguments: JSON text as the model wrote it: hostile, and possibly not JSON at all.
    """

    id: str
    name: str
    arguments: str


@frozen(weakref_slot=False)
class Message:
    """One message of a conversation with a model.

    Attributes:
        role: Who says it.
        content: What is said.
        calls: Of an assistant: the tools that it wants called.
        call_id: Of a tool's answer: the call that it answers.
    """

    role: Role
    content: str
    calls: tuple[ToolCall, ...] = field(default=(), kw_only=True)
    call_id: str = field(default="", kw_only=True)


@frozen(weakref_slot=False)
class Usage:
    """What one or more replies cost.

    Attributes:
        input_tokens: Tokens read by the model.
        output_tokens: Tokens written by the model.
        cost_usd: US dollars; None where the price is not known, also of a part of a sum.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None

    @property
    def tokens(self) -> int:
        """Read and written tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
        )


FREE = Usage(cost_usd=0.0)
"""What a scripted, recorded or human reply costs."""


# Requests ------------------------------------------------------------------------------------------


@frozen(weakref_slot=False)
class Ask:
    """A model is asked.

    Attributes:
        messages: The conversation, oldest first; never empty.
        id: Which question of the run's position this is: `critic`, `vote[2]`.
        node: The agent or panel that asks.
        number: How many asks of this run came before it.
        schema: A JSON schema for the reply, where one is wanted.
        tools: Tools that the model may call, in OpenAI's form.
        timeout_s: What is left of the run's own time, in seconds; None where it has no such limit.
    """

    messages: tuple[Message, ...]
    id: str = field(default="", kw_only=True)
    node: str = field(default="", kw_only=True)
    number: int = field(default=0, kw_only=True)
    schema: FrozenDict[str, JSON] | None = field(default=None, kw_only=True)
    tools: tuple[FrozenDict[str, JSON], ...] = field(default=(), kw_only=True)
    timeout_s: float | None = field(default=None, kw_only=True)


@frozen(weakref_slot=False)
class Act:
    """The environment is acted on.

    Attributes:
        action: What to do there, such as a command.
        id: Which request of the run's position this is.
        node: The world node that acts.
        grade: Whether the observation's reward shall be the environment's grade so far: an oracle.
    """

    action: str
    id: str = field(default="", kw_only=True)
    node: str = field(default="", kw_only=True)
    grade: bool = field(default=False, kw_only=True)


@frozen(weakref_slot=False)
class Call:
    """A tool is called.

    Attributes:
        arguments: By name; JSON data.
        id: Which request of the run's position this is.
        node: The tool node that calls.
    """

    arguments: FrozenDict[str, JSON] = field(default=EMPTY, converter=freeze)
    id: str = field(default="", kw_only=True)
    node: str = field(default="", kw_only=True)


@frozen(weakref_slot=False)
class Done:
    """The run has ended; nothing is waited for.

    Attributes:
        outcome: The halt's name, or the name of the limit, or why the run could not go on.
        success: Whether the halt says that this is what was wanted.
        id: Always empty: nothing can answer it.
        node: Where the run ended.
    """

    outcome: str
    success: bool = field(default=False, kw_only=True)
    id: str = field(default="", kw_only=True)
    node: str = field(default="", kw_only=True)


Request: TypeAlias = Ask | Act | Call | Done

# Events ------------------------------------------------------------------------------------------


@frozen(weakref_slot=False)
class Reply:
    """A model's answer to an `Ask`.

    Attributes:
        text: What it says.
        calls: The tools that it wants called.
        finish: Why it stopped: "stop", "length" (cut off), "content_filter" (refused), "tool_calls", ….
        usage: What it cost.
        model: The model that answered, as the user named it.
        thinking: What a reasoning model thought before it answered, where that is known; no agent reads it.
        answers: The id of the request; empty means the only one.
        elapsed_s: Seconds since the event before it.
    """

    text: str
    calls: tuple[ToolCall, ...] = field(default=(), kw_only=True)
    finish: str = field(default="stop", kw_only=True)
    usage: Usage = field(default=Usage(), kw_only=True)
    model: str = field(default="", kw_only=True)
    thinking: str = field(default="", kw_only=True)
    answers: str = field(default="", kw_only=True)
    elapsed_s: float = field(default=0.0, kw_only=True)


@frozen(weakref_slot=False)
class Observation:
    """What the environment showed in answer to an `Act`.

    Attributes:
        text: What was seen.
        reward: The environment's reward for this step.
        terminated: Whether the task is over (submitted, solved, lost).
        truncated: Whether the environment stopped for a limit of its own.
        info: More, as JSON data.
        answers: The id of the request; empty means the only one.
        elapsed_s: Seconds since the event before it.
    """

    text: str
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: FrozenDict[str, JSON] = field(default=EMPTY, converter=freeze)
    answers: str = field(default="", kw_only=True)
    elapsed_s: float = field(default=0.0, kw_only=True)


@frozen(weakref_slot=False)
class Result:
    """What a tool returned in answer to a `Call`.

    Attributes:
        value: Whatever the tool returns.
        answers: The id of the request; empty means the only one.
        elapsed_s: Seconds since the event before it.
    """

    value: JSON
    answers: str = field(default="", kw_only=True)
    elapsed_s: float = field(default=0.0, kw_only=True)


@frozen(weakref_slot=False)
class Failed:
    """A request failed for good.

    Attributes:
        kind: What failed: "rate_limit", "environment", "tool", …. Three kinds are more than a failure:
            "context_overflow" asks the agent for a shorter board, "recording_over" and "max_seconds" end the
            run under that name.
        message: What happened and what to do, in whole sentences.
        answers: The id of the request; empty means the only one.
        elapsed_s: Seconds since the event before it.
    """

    kind: str
    message: str
    answers: str = field(default="", kw_only=True)
    elapsed_s: float = field(default=0.0, kw_only=True)

    ENDS_RUN: ClassVar[frozenset[str]] = frozenset({"recording_over", "max_seconds"})


Event: TypeAlias = Reply | Observation | Result | Failed
