"""A real server, written with the SDK: its tools, its results, its environment, its end."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from leaks import canary
from mcp_reckoning import Reckon, Sum, script, told
from mcp_servers import PRELUDE, are_gone, open_files, raw, with_sdk

from tinysmith import Ask, Journal, replay, run
from tinysmith.errors import ToolError, UsageError
from tinysmith.mcp import McpResult, McpServer, McpTool
from tinysmith.mcp._process import check_system

pytest.importorskip("mcp_types", reason="the Python package mcp, version 2, is not installed")
baggage = pytest.importorskip("opentelemetry.baggage", reason="it comes with mcp")
context = pytest.importorskip("opentelemetry.context", reason="it comes with mcp")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

TELLS_ITSELF = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
say(id=2, result=text(f"{os.getpid()} {child.pid}"))
time.sleep(600)
"""
ENDS_LATE = f"begin(tool('who'))\nhear()\n{TELLS_ITSELF}".replace("id=2", "id=3")
"""A server that does not end by itself, and has started a process that is in no group of its own."""


def processes_of(server: McpServer) -> list[int]:
    """The processes that it names."""
    return [int(number) for number in server.call_tool("who", {}).text.split()]


@pytest.fixture(scope="module")
def log() -> Iterator[list[str]]:
    """What is logged of servers, at any level."""
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(f"{record.levelname} {record.getMessage()}")  # type: ignore[method-assign]  # a list is all that is wanted
    logger = logging.getLogger("tinysmith.mcp")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield told
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, log: list[str]) -> Iterator[McpServer]:
    """The server, which runs for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARY_API_KEY", canary())
        patch.setenv("NAMED", "yes")
        with with_sdk(tmp_path_factory.mktemp("server"), env=("NAMED",)) as started:
            yield started


class TestTools:
    def test_are_listed(self, server: McpServer) -> None:
        """A server's tools have their names, descriptions and schemas."""
        assert [tool.name for tool in server.tools] == ["add", "divide", "environment", "picture"]
        add = server.tools[0]
        assert add == McpTool("add", "Adds two numbers.", add.schema)
        assert '"required": ["a", "b"]' in add.schema
        assert server.remarks == ()

    def test_are_called(self, server: McpServer) -> None:
        """A call brings text and structured content, with arguments by name or as a model writes them."""
        three = McpResult("3", '{"result": 3}')
        assert server.call_tool("add", {"a": 1, "b": 2}) == three
        assert server.call_tool("add", '{"a": 1, "b": 2}') == three
        assert server(name="add", arguments={"a": 1, "b": 2}) == {
            "text": "3", "structured": '{"result": 3}', "is_error": False,
        }  # fmt: skip

    def test_an_error_of_a_tool_is_a_result(self, server: McpServer) -> None:
        """A tool that raises, and arguments that do not fit, give a result that says that it is an error."""
        failed = server.call_tool("divide", {"a": 1, "b": 0})
        assert failed.is_error
        assert "divide" in failed.text
        misfit = server.call_tool("add", {"a": "\ud800", "b": 2})
        assert misfit.is_error
        assert "valid integer" in misfit.text

    @pytest.mark.parametrize("arguments", ["", "[]", "nothing", "[" * 100_000, '{"a": NaN}', {"a": object()}])
    def test_arguments_that_are_none_are_an_error(self, server: McpServer, arguments: str) -> None:
        """What is no JSON object is answered without the server."""
        told = "The arguments of add are no JSON object. Give them by name, as its schema says."
        assert server.call_tool("add", arguments) == McpResult(told, is_error=True)

    def test_a_tool_that_is_not_there_is_an_error(self, server: McpServer) -> None:
        """A wrong name is answered without the server, with the near ones."""
        told = McpResult("There is no tool 'ad\\x1b'. Did you mean add?", is_error=True)
        assert server.call_tool("ad\x1b", {}) == told
        assert asyncio.run(server.acall_tool("ad\x1b", {})) == told

    def test_an_image_is_told(self, server: McpServer) -> None:
        """An image is a line in the text."""
        assert server.call_tool("picture", {}) == McpResult("[image/png, 5 bytes, not kept]")

    def test_many_threads_and_loops_share_it(self, server: McpServer) -> None:
        """Calls from threads and from an event loop at once each get their own answer."""

        async def asked(first: int) -> list[str]:
            calls = (server.acall_tool("add", {"a": first, "b": number}) for number in range(20))
            return [result.text for result in await asyncio.gather(*calls)]

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda first: asyncio.run(asked(first)), [0, 100, 200, 300]))
        assert found == [[str(first + number) for number in range(20)] for first in (0, 100, 200, 300)]

    def test_it_is_started_once(self, server: McpServer) -> None:
        """A server that runs is not started again."""
        with pytest.raises(UsageError, match="is started already"), server:
            pass


class TestStrategy:
    def test_a_model_calls_the_tools_of_a_server(self, server: McpServer, tmp_path: Path) -> None:
        """A run lists tools and answers a model's calls, errors too; its journal replays without the server."""
        place = str(tmp_path / "runs.db")
        with Journal(place) as journal:
            tools = {"lister": server, "caller": server}
            ended = run(Reckon(), Sum("1 + 2?"), model=script(), tools=tools, journal=journal)
            assert ended.outcome == "done"
            assert (ended.board.answer, ended.board.is_wrong) == ("It is 3.", True)
            assert ended.board.tools == server.tools
        three, failed, misfit, missing = told(ended)
        assert three == "3"
        assert "divide" in failed
        assert misfit.startswith("The arguments of add are no JSON object.")
        assert missing.startswith("There is no tool 'no_such'.")
        asked = [step.request for step in ended.steps if isinstance(step.request, Ask)]
        assert [tool["function"]["name"] for tool in asked[0].tools] == ["add"]
        with Journal(place) as journal:
            again = replay(journal, ended.run_id, Reckon())
        assert (again.outcome, again.board) == ("done", ended.board)


class TestSecrets:
    def test_only_what_is_named_comes_through(self, server: McpServer) -> None:
        """Of our environment a server has what was named, and nothing else: no key, not even PATH."""
        assert server.call_tool("environment", {}).text == "NAMED=yes\\x00"

    def test_nothing_of_the_arguments_is_shown(self) -> None:
        """An argument, which may hold a key, is not in the server's repr."""
        assert repr(McpServer("tool", "--key", canary())) == "McpServer('tool')"

    def test_a_key_in_place_of_a_name_is_not_shown(self) -> None:
        """A value given as a variable's name is refused, and not repeated."""
        with pytest.raises(UsageError, match="Give names, not values") as caught, McpServer("sh", env=[canary()]):
            pass
        assert canary() not in str(caught.value)

    def test_our_context_is_not_sent(self) -> None:
        """A call is made in a context of its own, so that no trace of ours, nor its baggage, travels along."""
        with raw("begin(tool('echo'))\nanswer(request := hear(), text(json.dumps(request['params'])))") as server:
            token = context.attach(baggage.set_baggage("user", canary()))
            assert server.call_tool("echo", {"a": 1}).text == '{"name": "echo", "arguments": {"a": 1}}'
            context.detach(token)


class TestLog:
    def test_stray_words_are_logged(
        self, server: McpServer, log: list[str], capfd: pytest.CaptureFixture[str]
    ) -> None:
        """What a server writes to stderr, and what is no message, is in the log at debug, escaped, alone."""
        assert server.call_tool("add", {"a": 1, "b": 2}).text == "3"
        assert (
            f"DEBUG the MCP server {Path(sys.executable).name} wrote to stderr: a word to \\x1b[31mstderr" in log
        )
        assert any("wrote what is no message: a greeting, where" in line for line in log)
        assert capfd.readouterr() == ("", "")


class TestStart:
    @pytest.mark.parametrize(
        ("server", "problem"),
        [
            (McpServer("no-such-program-here"), "There is no program 'no-such-program-here' here"),
            (McpServer("sh", env=("NO_SUCH_NAME",)), "env= names 'NO_SUCH_NAME', which is not set"),
            (McpServer("sh", cwd="/no/such"), "cwd='/no/such' is no folder"),
            (
                raw("begin(tool('add'))", only=("ad",)),
                "only= names 'ad', which is no tool of the server. Did you mean",
            ),
        ],
        ids=["program", "variable", "folder", "tool"],
    )
    def test_what_is_missing_is_told(self, server: McpServer, problem: str) -> None:
        """A program, a variable, a folder or a tool that is not there is told at the start."""
        with pytest.raises(UsageError, match=problem), server:
            pass

    @pytest.mark.parametrize(
        "options",
        [
            {"env": "A"},
            {"only": "a"},
            {"timeout_s": 0},
            {"timeout_s": float("inf")},
            {"timeout_s": float("nan")},
            {"start_timeout_s": 1e300},
            {"most_bytes": 0},
            {"grace_s": -1},
            {"grace_s": float("nan")},
            {"grace_s": "2"},
            {"timeout_s": None},
            {"timeout_s": True},
            {"most_bytes": 1.5},
            {"env": {"PATH": "/bin"}},
            {"env": None},
            {"env": [3]},
            {"only": 3},
            {"cwd": 3},
        ],
    )
    def test_arguments_that_are_none_are_refused(self, options: dict[str, Any]) -> None:
        """A text in place of names, and numbers that are not positive or have no end, are refused at once."""
        with pytest.raises(UsageError):
            raw("", **options)

    @pytest.mark.parametrize("words", [(["sh", "-c"],), (None,), ("sh", ["-c", "key"]), ("sh", 3), ("sh", b"-c")])
    def test_words_that_are_none_are_refused(self, words: tuple[Any, ...]) -> None:
        """A list in place of a program and its arguments is refused at once, and not shown: it may hold a key."""
        with pytest.raises(
            UsageError, match="A program and its arguments are texts, and one of these is a"
        ) as told:
            McpServer(*words)
        assert "key" not in str(told.value)

    def test_a_path_may_be_a_word(self) -> None:
        """A program may be named by a `Path`."""
        assert repr(McpServer(Path("/usr/bin/env"), Path("/a"))) == "McpServer('/usr/bin/env')"

    def test_it_is_not_started_by_itself(self) -> None:
        """A server that was not started says how to."""
        with pytest.raises(UsageError, match="Use it within `with` or `async with`"):
            McpServer("sh").call_tool("add", {})

    def test_the_sdk_is_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the SDK, the message names the package."""
        monkeypatch.setitem(sys.modules, "mcp_types", None)  # as if it were not installed
        with pytest.raises(UsageError, match=r"Install it: pip install 'mcp>=2\.3,<3'"), raw("begin()"):
            pass

    def test_windows_is_refused(self) -> None:
        """Where a process cannot be kept, that is said."""
        with pytest.raises(UsageError, match="on Linux and macOS alone"):
            check_system("win32")

    def test_a_nul_in_an_argument_is_told(self) -> None:
        """Arguments that no process can have are refused by the start."""
        with pytest.raises(ToolError, match="cannot be started: embedded null byte"), McpServer("sh", "\0"):
            pass

    def test_a_start_that_is_cancelled_leaves_nothing(self, tmp_path: Path) -> None:
        """Cancelling the asynchronous start ends the process before it is over."""
        told = tmp_path / "told"
        script = f"open({str(told)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"

        async def begin() -> None:
            async with raw(script, grace_s=0):
                pass

        async def cancel() -> None:
            task = asyncio.create_task(begin())
            while not (told.exists() and told.read_text()):  # noqa: ASYNC110  # another process writes it
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled()

        asyncio.run(cancel())
        assert are_gone(int(told.read_text()), within_s=0)


class TestEnd:
    def test_nothing_is_left(self) -> None:
        """After the block, also after an exception, no process, thread or file is left, and it may start again."""
        server = raw(ENDS_LATE, grace_s=0.05)
        files, threads = open_files(), set(threading.enumerate())
        for _ in range(2):
            processes: list[int] = []
            with suppress(KeyError), server:
                processes += processes_of(server)
                assert not are_gone(*processes, within_s=0)
                raise KeyError
            assert are_gone(*processes, within_s=0)
        assert open_files() <= files  # of other tests some may have gone meanwhile
        assert set(threading.enumerate()) <= threads

    def test_a_server_ends_by_itself(self, tmp_path: Path) -> None:
        """A server whose input is closed has time to end, and to write what it has left to say."""
        place = tmp_path / "last"
        script = f"begin()\nsys.stdin.read()\nprint('x' * 1_000_000)\nopen({str(place)!r}, 'w').write('done')"
        with raw(script, grace_s=20):
            pass
        assert place.read_text() == "done"

    def test_nothing_is_left_if_we_are_killed(self) -> None:
        """If our process is killed, the server and what it has started are, too."""
        code = f"""
import asyncio, sys
from tinysmith.mcp._process import prepared, started

async def serve():
    async with started(prepared(sys.executable, ["-c", {PRELUDE + TELLS_ITSELF!r}], (), None), 20) as process:
        async for message in process.messages():
            print(message["result"]["content"][0]["text"], flush=True)

asyncio.run(serve())
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as ours:
            assert ours.stdout is not None
            processes = [int(number) for number in ours.stdout.readline().split()]
            assert len(processes) == 2
            assert not are_gone(*processes, within_s=0)
            ours.kill()
        assert are_gone(*processes)

    def test_a_call_after_the_end_is_told(self) -> None:
        """A call that comes when the server has just been left says that it was closed."""
        with raw("begin(tool('do'))\ntime.sleep(600)", grace_s=0) as server:
            connection = server._open
        with pytest.raises(ToolError, match=r"was closed\. Start it again"):
            connection.call("do", {})

    def test_a_keeper_that_hangs_is_killed(self) -> None:
        """A keeper that is stopped does not keep the end from coming."""
        with raw(ENDS_LATE, grace_s=0.05) as server:
            processes = processes_of(server)
            keeper = int(Path(f"/proc/{processes[0]}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(keeper, 19)
        assert are_gone(keeper, within_s=0)
        for process in processes:
            os.kill(process, 9)
