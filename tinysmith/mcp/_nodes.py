"""The two nodes of MCP: one puts a server's tools on a board, the other calls one of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tinysmith.mapping import JSON
from tinysmith.mcp._results import Called, McpResult
from tinysmith.mcp._tools import Listed, McpTool
from tinysmith.messages import ToolCall
from tinysmith.nodes import Field, Tool

B = TypeVar("B")


class ListTools(Tool[B, Sequence[Listed]]):
    """Puts a server's tools on the board.

    It is bound to a server when the run starts: `run(..., tools={"lister": server})`, by the node's name.
    Costs: no model call.

    Args:
        tools: Where they go, in the server's order.
    """

    def __init__(self, tools: Field[B, tuple[McpTool, ...]]) -> None:
        self.tools = tools

    def arguments(self, board: B, /) -> Mapping[str, JSON]:
        """None."""
        return {}

    def receive(self, board: B, result: Sequence[Listed], /) -> B:
        """The board with the tools on it.

        Raises:
            TypeError: What the node is bound to returned something else.
        """
        if isinstance(result, str) or not isinstance(result, Sequence):
            raise _misfit(self, result, '[{"name": "…", "description": "…", "schema": "…"}]')
        return self.tools.put(board, tuple(self._tool(listed) for listed in result))

    def _tool(self, listed: object) -> McpTool:
        texts = _texts(listed, "name", "description", "schema")
        if texts is None:
            raise _misfit(self, listed, '[{"name": "…", "description": "…", "schema": "…"}]')
        return McpTool(*texts)


class CallTool(Tool[B, Called]):
    """Calls one tool of a server, and puts what it answered on the board.

    It is bound to a server when the run starts: `run(..., tools={"caller": server})`, by the node's name. A tool
    that fails, that is not there or is called wrongly gives a result that `is_error`; a server that has ended, or
    gives no answer in time, is a failure of the node. Costs: no model call.

    Args:
        call: Reads from the board what to call, such as a model's `reply.calls[0]`.
        result: Where the answer goes.
    """

    def __init__(self, call: Callable[[B], ToolCall], result: Field[B, McpResult]) -> None:
        self.call_of = call
        self.result = result

    def arguments(self, board: B, /) -> Mapping[str, JSON]:
        """The tool's name, and its arguments as the model wrote them."""
        call = self.call_of(board)
        return {"name": call.name, "arguments": call.arguments}

    def receive(self, board: B, result: Called, /) -> B:
        """The board with the answer on it.

        Raises:
            TypeError: What the node is bound to returned something else.
        """
        texts = _texts(result, "text", "structured")
        if texts is None:
            raise _misfit(self, result, '{"text": "…", "structured": "…", "is_error": False}')
        return self.result.put(board, McpResult(texts[0], texts[1], bool(result.get("is_error"))))


def _texts(value: object, *names: str) -> list[str] | None:
    found: list[Any] = [value.get(name, "") for name in names] if isinstance(value, Mapping) else [None]
    return found if all(isinstance(text, str) for text in found) else None


def _misfit(node: object, value: object, wanted: str) -> TypeError:
    problem = f"{type(node).__name__}: what it is bound to returned {repr(value)[:80]}"
    return TypeError(f"{problem}. Bind an McpServer, or return {wanted}.")
