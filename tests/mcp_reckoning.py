"""A strategy whose model may call the tools of a server."""

from attrs import evolve, frozen

from tinysmith import Agent, Field, Halt, Message, ParseError, Reply, Run, Scripted, Strategy, ToolCall
from tinysmith.mcp import CallTool, ListTools, McpResult, McpTool, declarations

ADD = McpTool("add", "Adds two numbers.", '{"type": "object", "properties": {"a": {}, "b": {}}}')


@frozen
class Sum:
    """A question, the conversation about it, the calls that wait, and the answer."""

    question: str
    tools: tuple[McpTool, ...] = ()
    said: tuple[Message, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    answer: str = ""
    is_wrong: bool = False


def is_calling(sum_: Sum) -> bool:
    """The model waits for a tool."""
    return bool(sum_.calls)


def answered(sum_: Sum, result: McpResult) -> Sum:
    """The first call is answered, and waits no more."""
    message = Message("tool", result.shown, call_id=sum_.calls[0].id)
    return evolve(
        sum_, calls=sum_.calls[1:], said=(*sum_.said, message), is_wrong=sum_.is_wrong or result.is_error
    )


class Reckoner(Agent[Sum]):
    """Answers, with tools where it wants to."""

    samples = ("It is 3.",)
    tools = declarations([ADD])

    def prompt(self, sum_: Sum, /) -> list[Message]:
        shown = ", ".join(tool.name for tool in sum_.tools)
        return [Message("user", f"{sum_.question} There is {shown}."), *sum_.said]

    def parse(self, sum_: Sum, reply: str, /) -> Sum:
        if not reply.strip():
            raise ParseError("Answer.")
        return evolve(sum_, answer=reply)

    def receive(self, sum_: Sum, reply: Reply, /) -> Sum:
        if not reply.calls:
            return self.parse(sum_, reply.text)
        return evolve(
            sum_, calls=reply.calls, said=(*sum_.said, Message("assistant", reply.text, calls=reply.calls))
        )


class Reckon(Strategy[Sum]):
    """A model answers a question, with a server's tools."""

    lister = ListTools[Sum](Field(lambda sum_: sum_.tools, lambda sum_, tools: evolve(sum_, tools=tools)))
    reckoner = Reckoner()
    caller = CallTool[Sum](lambda sum_: sum_.calls[0], Field(lambda sum_: McpResult(""), answered))
    done = Halt(success=True)
    gave_up = Halt()

    initial = lister
    edges = (
        lister.to(reckoner),
        reckoner.to(caller, when=is_calling),
        reckoner.to(done),
        caller.to(caller, when=is_calling),
        caller.to(reckoner),
        caller.on_failure(gave_up),
    )


CALLS = (
    ToolCall("1", "add", '{"a": 1, "b": 2}'),
    ToolCall("2", "divide", '{"a": 1, "b": 0}'),
    ToolCall("3", "add", "1 and 2"),
    ToolCall("4", "no_such", "{}"),
)


def script() -> Scripted:
    """A model that makes these calls, and then answers."""
    return Scripted([Reply("", calls=CALLS, finish="tool_calls"), "It is 3."])


def told(ended: Run[Sum]) -> list[str]:
    """What the model was told of its calls."""
    return [message.content for message in ended.board.said if message.role == "tool"]
