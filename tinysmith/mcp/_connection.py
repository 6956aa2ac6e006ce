"""The session with a server: a thread with an event loop of its own, which owns the process and the session.

Charter: the one file that uses the SDK, `mcp`, which is imported when the first server is started. Its session
must be left in the task that entered it, so that task lives in this thread, and everybody else sends it requests.
The SDK's own transport is not used: it hands on more of our environment than was named, and bounds nothing.
"""

import asyncio
import importlib
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import aclosing, suppress
from contextvars import Context
from typing import Any

from attrs import frozen

from tinysmith._shown import one_line
from tinysmith.errors import TinysmithError, ToolError, UsageError
from tinysmith.mapping import JSON
from tinysmith.mcp._process import Launch, Process, started
from tinysmith.mcp._results import McpResult, refusal, result_of
from tinysmith.mcp._texts import cleaned, cut
from tinysmith.mcp._tools import MOST_PAGES, Listing

_LOG = logging.getLogger("tinysmith.mcp")

_MOST_OWED = 16
_CHANGED = "notifications/tools/list_changed"
_CHANGE_TOLD = (
    "It says that its tools have changed; those of the session's start are kept. Start it again for the new."
)
_ENDLESS = f"Its list of tools has more than {MOST_PAGES} pages, or comes back to one; the rest is left out."


@frozen
class Bounds:
    """What a session may take.

    Attributes:
        only: The names of the tools to take; None for all.
        start_timeout_s: Seconds for the start.
        grace_s: Seconds that the server has to end by itself.
        most_bytes: The most that a result's text may be, and its structured content.
    """

    only: tuple[str, ...] | None
    start_timeout_s: float
    grace_s: float
    most_bytes: int


@frozen
class _Sdk:
    """What is used of the SDK."""

    anyio: Any
    errors: Any
    messages: Any
    session: Any
    types: Any


class _Refused(Exception):
    """The server answered a request with an error."""

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.why = why
        self.code = code


class _Outbox:
    """What the session writes to: the server's stdin, which may not want to be read."""

    def __init__(self, process: Process, closed: type[Exception]) -> None:
        self._process = process
        self._closed = closed
        self._owed = 0

    def takes_another(self) -> bool:
        """Whether one more request of the server shall be answered; those that are not yet are counted."""
        if self._owed == _MOST_OWED:
            return False
        self._owed += 1
        return True

    async def send(self, item: Any) -> None:
        """Sends a message."""
        try:
            await self._process.send(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode())
        except ConnectionError:
            raise self._closed from None
        self._owed -= not hasattr(item.message, "method")

    async def __aenter__(self) -> "_Outbox":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass  # the process closes it


class Connection:
    """A server that runs.

    Attributes:
        ready: Done once the server can be called, or not; then its result is the error.
        over: Done once nothing is left of it.
        listing: Its tools.
        remarks: What was wrong with its list.
    """

    def __init__(self, launch: Launch, bounds: Bounds) -> None:
        self.ready: Future[BaseException | None] = Future()
        self.over: Future[None] = Future()
        self.listing = Listing(bounds.only)
        self._launch = launch
        self._bounds = bounds
        self._closing: Future[None] = Future()
        self._has_changed = False
        self._page: list[Any] | None = None
        threading.Thread(target=self._run, name="tinysmith-mcp", daemon=True).start()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said about its list of tools."""
        return (*self.listing.remarks, *([_CHANGE_TOLD] if self._has_changed else ()))

    def close(self) -> None:
        """Begins to end it; `over` says when that is done."""
        with suppress(InvalidStateError):
            self._closing.set_result(None)

    def call(self, name: str, arguments: Mapping[str, JSON]) -> "Future[McpResult]":
        """Calls a tool. Cancelling the future ends the call."""
        work = self._call(name, arguments)
        try:
            # In a context of its own: what the caller's holds (a trace, its baggage) the SDK would send along.
            return Context().run(asyncio.run_coroutine_threadsafe, work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            raise self._lost() from None

    def _run(self) -> None:
        problem: BaseException | None
        try:
            problem = asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001  # raised where the start is waited for
            problem = error
        with suppress(InvalidStateError):  # it was ready before
            self.ready.set_result(problem)
        self.over.set_result(None)

    async def _live(self) -> TinysmithError | None:
        """Serves until it is closed; the error, if it could not begin."""
        self._sdk = _sdk()
        self._loop = asyncio.get_running_loop()
        closing = asyncio.wrap_future(self._closing)
        async with started(self._launch, self._bounds.grace_s) as self._process:
            inlet, outlet = self._sdk.anyio.create_memory_object_stream(1)
            outbox = _Outbox(self._process, self._sdk.anyio.ClosedResourceError)
            feeding = asyncio.create_task(self._feed(inlet, outbox))
            problem = None
            async with self._sdk.session.ClientSession(outlet, outbox) as self._session:
                try:
                    await self._open(closing)
                    self.ready.set_result(None)
                    await closing
                except TinysmithError as error:  # which the session would wrap in a group
                    problem = error
                self._process.over = self._process.over or "was closed"
            feeding.cancel()
            await asyncio.wait({feeding})
            inlet.close()
            closing.cancel()  # or it would tell a loop that is closed
        return problem

    async def _feed(self, inlet: Any, outbox: "_Outbox") -> None:
        """Hands on to the session what it needs of all that the server says, to the end."""
        anyio = self._sdk.anyio
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the session is left
            async with inlet, aclosing(self._process.messages()) as messages:
                async for message in messages:
                    taken = self._taken(message, outbox)
                    if taken is not None:
                        await inlet.send(self._sdk.messages.SessionMessage(taken))

    def _taken(self, message: dict[str, Any], outbox: "_Outbox") -> Any:
        """An answer, or a request that there is room to answer; no notification has anything to tell."""
        if message.get("method") == _CHANGED:
            self._tell_change()
        message = self._without_tools(message)
        try:
            taken = self._sdk.types.jsonrpc_message_adapter.validate_python(message)
        except ValueError:
            if "method" in message or type(message.get("id")) is not int:
                return None
            # An empty answer is refused where it is waited for; without one, that would wait for nothing.
            return self._sdk.types.JSONRPCResponse(jsonrpc="2.0", id=message["id"], result={})
        is_wanted = not hasattr(taken, "method") or (hasattr(taken, "id") and outbox.takes_another())
        return taken if is_wanted else None

    def _without_tools(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message; the tools that it lists are put by, as the SDK refuses a whole page for one odd tool."""
        result = message.get("result")
        if self._page is None or not isinstance(result, dict) or not isinstance(result.get("tools"), list):
            return message
        self._page = result["tools"]
        return {**message, "result": {**result, "tools": []}}

    def _tell_change(self) -> None:
        if not self._has_changed:
            _LOG.warning("the MCP server %s: %s", self._launch.name, _CHANGE_TOLD)
        self._has_changed = True

    async def _open(self, closing: asyncio.Future[None]) -> None:
        """Begins the session, and reads the list of tools."""
        opening = asyncio.create_task(self._begin())
        timeout_s = self._bounds.start_timeout_s
        await asyncio.wait({opening, closing}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            opening.cancel()
            raise ToolError(
                f"The MCP server {self._launch.name} was not ready within {timeout_s:g} s. Raise start_timeout_s."
            )
        opening.result()

    async def _begin(self) -> None:
        try:
            await self._begin_session()
            await self._list()
        except _Refused as error:
            raise ToolError(
                f"The MCP server {self._launch.name} refused the session: {one_line(error.why, 300)}"
            ) from None
        for remark in self.listing.remarks:
            _LOG.warning("the MCP server %s: %s", self._launch.name, remark)
        self.listing.check()

    async def _begin_session(self) -> None:
        unsupported = self._sdk.types.UNSUPPORTED_PROTOCOL_VERSION
        try:
            await self._answer("initialize", self._session.initialize())
        except _Refused as error:
            if error.code != unsupported:
                raise
            # It speaks only versions that know no `initialize`.
            await self._answer("server/discover", self._session.discover())

    async def _list(self) -> None:
        types, cursors = self._sdk.types, {None}
        cursor = None
        while not self.listing.is_cut_short:
            params = None if cursor is None else types.PaginatedRequestParams(cursor=cursor)
            request = types.ListToolsRequest(params=params)
            self._page = []
            page = await self._ask(request, types.ListToolsResult)
            self.listing.add(self._page)
            self._page = None
            cursor = page.get("nextCursor")
            if cursor is None:
                return
            if cursor in cursors or len(cursors) == MOST_PAGES:
                self.listing.cut_short(_ENDLESS)
            cursors.add(cursor)

    async def _call(self, name: str, arguments: Mapping[str, JSON]) -> McpResult:
        types = self._sdk.types
        request = types.CallToolRequest(params=types.CallToolRequestParams(name=name, arguments=arguments))
        try:
            # Not the session's `call_tool`, which runs the regular expressions of the server's own schemas.
            return result_of(await self._ask(request, types.CallToolResult), self._bounds.most_bytes)
        except _Refused as error:
            return refusal(f"The server refused the call: {error.why}")
        except asyncio.CancelledError:
            if self._process.over:
                raise self._lost() from None
            raise  # whoever called does not wait any more

    async def _ask(self, request: Any, kind: Any) -> dict[str, Any]:
        return await self._answer(request.method, self._asked(request, kind))  # type: ignore[no-any-return]  # it is what was given

    async def _asked(self, request: Any, kind: Any) -> dict[str, Any]:
        answer = await self._session.send_request(request, kind)
        return answer.model_dump(by_alias=True, mode="json")  # type: ignore[no-any-return]  # the SDK's

    async def _answer(self, method: str, asking: Any) -> Any:
        """What a request brings.

        Raises:
            ToolError: The server has ended, or its answer cannot be read.
            _Refused: It answered with an error.
        """
        try:
            answer = await asking
        except self._sdk.errors.MCPError as error:
            if self._process.over:
                raise self._lost() from None
            self._process.unasked.forget()
            raise _Refused(cut(cleaned(error.error.message), self._bounds.most_bytes), error.error.code) from None
        except (ValueError, RuntimeError):  # pydantic's errors are the former; their texts are the server's
            raise self._unreadable(method) from None
        self._process.unasked.forget()
        return answer

    def _lost(self) -> ToolError:
        return ToolError(
            f"The MCP server {self._launch.name} {self._process.over or 'was closed'}. Start it again."
        )

    def _unreadable(self, method: str) -> ToolError:
        return ToolError(f"The MCP server {self._launch.name} gave an answer to {method} that cannot be read.")


def _sdk() -> _Sdk:
    try:
        parts = ("anyio", "mcp.shared.exceptions", "mcp.shared.message", "mcp.client.session", "mcp_types")
        return _Sdk(*map(importlib.import_module, parts))
    except ImportError as error:
        problem = "MCP servers need the Python package mcp, version 2.3 or later, which is not installed here."
        raise UsageError(f"{problem} Install it: pip install 'mcp>=2.3,<3'.") from error
