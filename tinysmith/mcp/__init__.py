"""MCP: the tools of a server that speaks the Model Context Protocol, as tools of a strategy."""

from tinysmith.mcp._nodes import CallTool, ListTools
from tinysmith.mcp._results import Called, McpResult
from tinysmith.mcp._server import McpServer
from tinysmith.mcp._tools import Listed, McpTool, declarations

__all__ = [
    "CallTool",
    "Called",
    "ListTools",
    "Listed",
    "McpResult",
    "McpServer",
    "McpTool",
    "declarations",
]
