"""`McpServer`: a server's process, its tools, and a way to call them."""

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping
from os import PathLike
from threading import TIMEOUT_MAX
from typing import Self

from tinysmith._arguments import path, path_text
from tinysmith._shown import encodable, near, one_line
from tinysmith.errors import ToolError, UsageError
from tinysmith.mapping import JSON, thaw
from tinysmith.mcp._connection import Bounds, Connection
from tinysmith.mcp._process import prepared
from tinysmith.mcp._results import Called, McpResult, refusal
from tinysmith.mcp._tools import Listed, McpTool, named


class McpServer:
    """An MCP server that is started over stdio, and whose tools are called.

        with McpServer("mcp-server-time", only=("get_current_time",)) as server:
            server.call_tool("get_current_time", {"timezone": "Europe/Berlin"})
            run(Ask(), Question("How late is it?"), model=…, tools={"caller": server})

    Any number of runs and threads may use it at once. It runs with our rights, outside of any sandbox, and is
    given the environment variables that are named and no other: PATH, too, where it starts programs by name.
    It and all that it has started are gone when the block is left, and when our process dies.

    Args:
        command: The program: a path, or a name that is looked for on our PATH.
        arguments: What follows it.
        env: The names of the environment variables that it is given.
        cwd: The folder that it starts in; ours, unless given.
        only: The names of the tools that may be called; all that it lists, unless given.
        timeout_s: Seconds that a call may take.
        start_timeout_s: Seconds that its start may take; some servers are downloaded first.
        most_bytes: The most that is kept of a result's text, and of its structured content.
        grace_s: Seconds that it has to end by itself, once its input is closed; then it is killed.

    Raises:
        UsageError: An argument is none.
    """

    def __init__(
        self,
        command: str | PathLike[str],
        *arguments: str | PathLike[str],
        env: Collection[str] = (),
        cwd: str | PathLike[str] | None = None,
        only: Collection[str] | None = None,
        timeout_s: float = 30.0,
        start_timeout_s: float = 60.0,
        most_bytes: int = 100_000,
        grace_s: float = 2.0,
    ) -> None:
        if isinstance(env, str) or isinstance(only, str):
            raise UsageError("env= or only= is one text. Give a sequence of names: (name,).")
        numbers = (timeout_s, start_timeout_s, most_bytes, grace_s)
        are_numbers = type(most_bytes) is int and all(type(each) in {int, float} for each in numbers)
        if not (
            are_numbers and all(0 < each <= TIMEOUT_MAX for each in numbers[:3]) and 0 <= grace_s <= TIMEOUT_MAX
        ):
            given = f"{timeout_s=}, {start_timeout_s=}, {most_bytes=}, {grace_s=}"
            raise UsageError(f"{given}: give positive numbers, and times that come to an end.")
        self._command, *self._arguments = _words(command, arguments)
        self._env = named(env, "env=")
        self._cwd = None if cwd is None else path(cwd, "McpServer: cwd")
        taken = None if only is None else named(only, "only=")
        self._bounds = Bounds(taken, start_timeout_s, grace_s, most_bytes)
        self._timeout_s = timeout_s
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return f"McpServer({self._command!r})"  # an argument may hold a key

    @property
    def tools(self) -> tuple[McpTool, ...]:
        """Its tools, as it listed them when it started."""
        return tuple(self._open.listing.tools.values())

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was wrong with its list, and what was left out of it, in sentences; they are logged as well."""
        return self._open.remarks

    def call_tool(self, name: str, arguments: Mapping[str, JSON] | str) -> McpResult:
        """Calls a tool, blocking.

        Args:
            name: The tool.
            arguments: By name; or as JSON text, as a model writes them.

        Returns:
            What it answered. A tool that fails, that is not there or is called wrongly gives a result that
            `is_error`.

        Raises:
            ToolError: The server has ended, gave no answer in time, or one that cannot be read.
            UsageError: The server was not started.
        """
        call = self._checked(name, arguments)
        if isinstance(call, McpResult):
            return call
        future = self._open.call(name, call)
        try:
            return future.result(self._timeout_s)
        except TimeoutError:
            raise self._late(name) from None
        finally:
            future.cancel()

    async def acall_tool(self, name: str, arguments: Mapping[str, JSON] | str) -> McpResult:
        """As `call_tool`; cancelling it ends the call."""
        call = self._checked(name, arguments)
        if isinstance(call, McpResult):
            return call
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._open.call(name, call)), self._timeout_s)
        except TimeoutError:
            raise self._late(name) from None

    def __call__(
        self, *, name: str | None = None, arguments: Mapping[str, JSON] | str = "{}"
    ) -> list[Listed] | Called:
        """What `ListTools` and `CallTool` nodes call: without a name, the tools; with one, that tool."""
        if name is None:
            return [
                Listed(name=tool.name, description=tool.description, schema=tool.schema) for tool in self.tools
            ]
        result = self.call_tool(name, arguments)
        return Called(text=result.text, structured=result.structured, is_error=result.is_error)

    def __enter__(self) -> Self:
        connection = self._started()
        try:
            _raise(connection.ready.result())
        except BaseException:
            self._left().over.result()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._left().over.result()

    async def __aenter__(self) -> Self:
        connection = self._started()
        try:
            _raise(await asyncio.shield(asyncio.wrap_future(connection.ready)))
        except BaseException:
            await asyncio.shield(asyncio.wrap_future(self._left().over))
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(asyncio.wrap_future(self._left().over))

    def _started(self) -> Connection:
        if self._connection is not None:
            raise UsageError(f"{self!r} is started already. Share it, or make another.")
        launch = prepared(self._command, self._arguments, self._env, self._cwd)
        self._connection = Connection(launch, self._bounds)
        return self._connection

    def _left(self) -> Connection:
        connection, self._connection = self._open, None
        connection.close()
        return connection

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise UsageError(f"{self!r} is not started. Use it within `with` or `async with`.")
        return self._connection

    def _checked(self, name: str, arguments: Mapping[str, JSON] | str) -> dict[str, JSON] | McpResult:
        """The arguments as JSON data; or the result, where the call is wrong beyond doubt."""
        known = self._open.listing.tools
        if name not in known:
            return refusal(f"There is no tool '{one_line(name)}'. {near(name, known)}")
        try:
            # What a model wrote may hold halves of characters, which nothing can carry.
            text = arguments if isinstance(arguments, str) else json.dumps(thaw(arguments), ensure_ascii=False)
            plain = json.loads(encodable(json.dumps(json.loads(text), ensure_ascii=False, allow_nan=False)))
        except (ValueError, TypeError, RecursionError):
            plain = None
        if not isinstance(plain, dict):
            return refusal(f"The arguments of {name} are no JSON object. Give them by name, as its schema says.")
        return plain

    def _late(self, name: str) -> ToolError:
        told = f"The tool {name} of {self!r} gave no answer within {self._timeout_s:g} s."
        return ToolError(f"{told} Raise timeout_s, or ask it for less.")


def _words(command: str | PathLike[str], arguments: Iterable[str | PathLike[str]]) -> list[str]:
    words = [path_text(each) for each in (command, *arguments)]
    if not all(isinstance(each, str) for each in words):
        kind = next(type(each).__name__ for each in words if not isinstance(each, str))
        problem = f"A program and its arguments are texts, and one of these is a {kind}"  # which may hold a key
        raise UsageError(f'{problem}. Give them one by one: McpServer("python", "-m", "server").')
    return words


def _raise(problem: BaseException | None) -> None:
    if problem is not None:
        raise problem
