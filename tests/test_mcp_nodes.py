"""The nodes of MCP in whole strategies: a model asks for a tool, a server answers, a journal tells it again."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp_reckoning import CALLS, Reckon, Sum, script, told
from mcp_servers import raw

from tinysmith import (
    Failed,
    Reply,
    Scripted,
    ToolCall,
    arun,
    run,
)
from tinysmith.mcp import McpServer, McpTool
from tinysmith.testing import strategy_test

TestReckon = strategy_test(Reckon, max_examples=20)


class TestStrategy:
    @pytest.mark.parametrize("is_async", [False, True])
    def test_a_server_that_dies_follows_the_failure_edge(self, is_async: bool) -> None:
        """A server that ends during a call is a failure of the node, in both doors, and the board is kept."""
        pytest.importorskip("mcp_types", reason="the Python package mcp, version 2, is not installed")
        with raw("begin(tool('add'))\nhear()\nsys.exit(9)") as server:
            tools = {"lister": server, "caller": server}
            if is_async:
                ended = asyncio.run(arun(Reckon(), Sum("1 + 2?"), model=script(), tools=tools))
            else:
                ended = run(Reckon(), Sum("1 + 2?"), model=script(), tools=tools)
        assert ended.outcome == "gave_up"
        assert told(ended) == []
        (failed,) = [step.event for step in ended.steps if isinstance(step.event, Failed)]
        assert (
            failed.message
            == f"The MCP server {Path(sys.executable).name} has ended with exit code 9. Start it again."
        )


class TestNodes:
    def test_a_call_is_told_as_the_model_wrote_it(self) -> None:
        """What is journaled of a call is the tool's name and the model's own text."""
        board = Sum("?", calls=(ToolCall("1", "add", "{'a'"),))
        assert Reckon.caller.arguments(board) == {"name": "add", "arguments": "{'a'"}
        assert Reckon.lister.arguments(board) == {}

    def test_what_is_no_answer_is_refused(self) -> None:
        """A node that is bound to something else says what it wants."""
        board = Sum("?", calls=CALLS)
        lists: list[Any] = [None, "tools", [1], [{"name": 1}]]
        for result in lists:
            with pytest.raises(TypeError, match="ListTools: what it is bound to returned"):
                Reckon.lister.receive(board, result)
        answers: list[Any] = [None, "3", {"text": 3}, {"structured": []}]
        for result in answers:
            with pytest.raises(TypeError, match=r"CallTool: what it is bound to returned .* Bind an McpServer"):
                Reckon.caller.receive(board, result)

    def test_anything_may_stand_in_for_a_server(self) -> None:
        """A callable that returns the same shapes is a server to the nodes."""

        def add(*, name: str, arguments: str) -> dict[str, str]:
            numbers = json.loads(arguments)
            return {"text": f"{name}: {numbers['a'] + numbers['b']}"}

        model = Scripted([Reply("", calls=CALLS[:1], finish="tool_calls"), "It is 3."])
        tools = {"lister": lambda: [{"name": "add"}], "caller": add}
        ended = run(Reckon(), Sum("1 + 2?"), model=model, tools=tools)
        assert told(ended) == ["add: 3"]
        assert ended.board.tools == (McpTool("add", "", ""),)
        assert not ended.board.is_wrong

    def test_a_server_says_what_it_is(self) -> None:
        """A server that is not entered is refused by the run as any tool that raises."""
        ended = run(Reckon(), Sum("?"), model=script(), tools=dict.fromkeys(("lister", "caller"), McpServer("sh")))
        assert ended.outcome == "tool_failed"
        assert ended.error is not None
        assert "is not started. Use it within `with`" in ended.error.message
