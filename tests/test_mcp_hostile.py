"""Servers that misbehave: garbage, silence, floods, lies; each is bounded, and told in one sentence."""

import asyncio
import logging
import sys
import time
from typing import Any

import pytest
from mcp_servers import are_gone, raw

from tinysmith.errors import ToolError
from tinysmith.mcp import McpResult, McpServer

pytest.importorskip("mcp_types", reason="the Python package mcp, version 2, is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

ONE = "begin(tool('do'))\nrequest = hear()\n"
WHEN_HEARD = """
heard = [hear() for _ in range({})]
answer(next(request for request in heard if request["params"]["name"] == "seen"), text(str(os.getpid())))
"""
"""It answers `seen` once it has heard so many calls."""

NEXT = "\nwhile True:\n    answer(hear(), text('still here'))"


def told_by(server: McpServer) -> McpResult:
    """What its one tool answers."""
    with server:
        return server.call_tool("do", {})


def lost(body: str, **options: Any) -> str:
    """The error that a call of its one tool raises."""
    with pytest.raises(ToolError) as caught:
        told_by(raw(ONE + body, **options))
    return str(caught.value)


class TestStart:
    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (
                "sys.exit('no \\x1b[31mtoken')",
                r"has ended with exit code 1; it last wrote: no \\x1b\[31mtoken. Start it",
            ),
            ("sys.exit(3)", r"has ended with exit code 3. Start it again."),
            ("os.close(1)\ntime.sleep(600)", "has closed its output, and was stopped"),
            ("say(id=hear()['id'], error={'code': 1, 'message': 'no\\x1b'})", r"refused the session: no\\x1b"),
            (
                "answer(hear(), {**INFO, 'protocolVersion': '1'})",
                "gave an answer to initialize that cannot be read",
            ),
            ("answer(hear(), [])", "gave an answer to initialize that cannot be read"),
            ("greet()\nanswer(hear(), {'tools': 5})", "gave an answer to tools/list that cannot be read"),
            (
                "greet()\nsay(id=hear()['id'], error={'code': -32601, 'message': 'what?'})",
                "refused the session: what?",
            ),
            ("for _ in range(2000): print('garbage')", "wrote more than 1,000 lines that are no messages"),
            ("while True: os.write(1, b'x' * 65536)", "sent a message of more than 8 MiB, and was stopped"),
            ("os.write(1, b'x' * 8388609 + b'\\n')\ntime.sleep(600)", "sent a message of more than 8 MiB"),
        ],
    )
    def test_a_server_that_is_none_is_told(self, body: str, problem: str) -> None:
        """A start that cannot succeed fails soon, and says why."""
        with pytest.raises(ToolError, match=problem), raw(body, grace_s=0.05):
            pass

    def test_a_server_that_is_silent_is_told(self) -> None:
        """A server that says nothing is given up after the time-out."""
        silent = raw("time.sleep(600)", start_timeout_s=0.2, grace_s=0)
        with pytest.raises(ToolError, match=r"was not ready within 0\.2 s\. Raise start_timeout_s\."), silent:
            pass

    def test_a_server_of_a_later_protocol_is_understood(self) -> None:
        """A server that refuses `initialize` for its version is asked in the words of the later ones."""
        found = """
request = hear()
say(id=request["id"], error={"code": -32022, "message": "no", "data": {"supported": ["2026-07-28"]}})
common = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
answer(hear(), {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, **common})
answer(hear(), {"tools": [tool("do")], **common})
answer(hear(), {**text("modern"), "resultType": "complete"})
"""
        assert told_by(raw(found)).text == "modern"


class TestList:
    def test_endless_pages_come_to_an_end(self) -> None:
        """A list without end is cut after 64 pages, one that comes back to a page at once; both are told."""
        endless = """
greet()
for page in range(10_000):
    answer(hear(), {"tools": [tool(f"tool{page}")] if page % 8 == 0 else [], "nextCursor": str(page % TURN)})
    if page == LAST: break
answer(hear(), text("fine"))
"""
        for turn, last, tools in ((10_000, 63, 8), (3, 3, 1)):
            with raw(endless.replace("TURN", str(turn)).replace("LAST", str(last))) as server:
                assert len(server.tools) == tools
                assert server.remarks == (
                    "Its list of tools has more than 64 pages, or comes back to one; the rest is left out.",
                )
                assert server.call_tool("tool0", {}).text == "fine"

    def test_a_flood_of_tools_is_bounded(self, caplog: pytest.LogCaptureFixture) -> None:
        """Thousands of tools, some of one name, are cut to 256, and the log says so."""
        with raw("begin(tool('a'), tool('a'), *(tool(f't{n}') for n in range(3000)))") as server:
            assert len(server.tools) == 255
            twice, many = server.remarks
        assert twice == "1 of its tools have the name of one before them: a. Left out."
        assert many == "It lists more than 256 tools; those beyond are left out."
        assert [record.levelname for record in caplog.records if many in record.message] == ["WARNING"]

    def test_one_odd_tool_does_no_harm_to_the_others(self, caplog: pytest.LogCaptureFixture) -> None:
        """Beside tools that are none, sound ones are listed and called; the log names what is left out."""
        deep = "it = {'type': 'object'}\nfor _ in range(300): it = {'type': 'object', 'not': it}\n"
        odd = "5, tool('deep', inputSchema=it), tool('three', description=3), {'name': 'b'}, tool('a', icons=5)"
        with raw(f"{deep}begin({odd}, tool('do'))\nanswer(hear(), text('fine'))") as server:
            assert [tool.name for tool in server.tools] == ["a", "do"]
            assert server.call_tool("do", {}).text == "fine"
            assert [remark.split(": ")[1] for remark in server.remarks] == [
                "(none). Left out.", "deep. Left out.", "three. Left out.", "b. Left out.",
            ]  # fmt: skip
        assert "have a schema of more than 128 levels: deep" in caplog.text

    def test_only_what_was_asked_for_can_be_called(self) -> None:
        """With `only`, other tools are neither listed nor called."""
        with raw("begin(tool('read'), tool('delete'))", only=("read",)) as server:
            assert [tool.name for tool in server.tools] == ["read"]
            assert server.call_tool("delete", {}).text == "There is no tool 'delete'. There is read."

    def test_a_change_of_the_list_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        """Tools that change meanwhile stay what they were at the start, and one remark says so."""
        changed = "say(method='notifications/tools/list_changed')\n" * 3
        with raw(f"{ONE}{changed}say(method='other')\nanswer(request, text('done'))") as server:
            assert server.call_tool("do", {}).text == "done"
            assert [tool.name for tool in server.tools] == ["do"]
            (remark,) = server.remarks
        assert remark.startswith("It says that its tools have changed; those of the session's start are kept.")
        assert len([record for record in caplog.records if remark in record.message]) == 1


class TestCall:
    def test_a_server_that_dies_is_told(self) -> None:
        """A call during which the server ends, and each after it, says so and how it ended."""
        with raw(ONE + "sys.stderr.write('\\n\\nout of luck\\n\\n')\nsys.exit(5)") as server:
            for _ in range(2):
                with pytest.raises(ToolError, match="has ended with exit code 5; it last wrote: out of luck"):
                    server.call_tool("do", {})

    def test_a_server_that_reads_nothing_any_more_is_told(self) -> None:
        """A server that has closed its input is stopped when it is next called."""
        with raw(f"{ONE}os.close(0)\nanswer(request, text('bye'))\ntime.sleep(600)", grace_s=0) as server:
            assert server.call_tool("do", {}).text == "bye"
            with pytest.raises(ToolError, match="reads nothing any more, and was stopped"):
                server.call_tool("do", {})

    def test_a_call_that_takes_too_long_is_told(self) -> None:
        """A call without an answer is given up at the time-out, blocking or not; the server goes on."""
        patient = "begin(tool('do'))\nfirst, second = hear(), None\nwhile True:\n    request = hear()\n"
        answers = "    if request.get('method') == 'tools/call' and second: answer(request, text('third'))\n"
        script = f"{patient}{answers}    second = second or request.get('method') == 'tools/call'"
        with raw(script, timeout_s=1.0) as server:
            with pytest.raises(ToolError, match=r"The tool do of .* gave no answer within 1 s\. Raise timeout_s"):
                server.call_tool("do", {})
            with pytest.raises(ToolError, match="gave no answer within 1 s"):
                asyncio.run(server.acall_tool("do", {}))
            assert server.call_tool("do", {}).text == "third"

    def test_a_server_that_does_not_read_is_no_obstacle(self) -> None:
        """Calls to a server that hangs with its input full are given up at the time-out, and it is ended."""
        with raw("begin(tool('do'))\ntime.sleep(600)", timeout_s=0.3, grace_s=0) as server:
            began = time.monotonic()
            for _ in range(2):
                with pytest.raises(ToolError, match="gave no answer"):
                    server.call_tool("do", {"text": "x" * 1_000_000})
        assert time.monotonic() - began < 10

    def test_an_error_of_the_protocol_is_a_result(self) -> None:
        """A server that refuses a call gives a result that says so, whatever number the error has."""
        refused = "say(id=request['id'], error={'code': -32000, 'message': 'busy\\x07'})"
        assert told_by(raw(ONE + refused)) == McpResult("The server refused the call: busy\\x07", is_error=True)

    @pytest.mark.parametrize(
        "answer",
        [
            "answer(request, {'content': 5})",
            "answer(request, {'content': [{'type': 'hologram'}]})",
            "answer(request, [])",
            "say(id=request['id'], error='bad')",
            "say(id=request['id'])",
            "it = {}\nfor _ in range(400): it = {'a': it}\nanswer(request, {**text(''), 'structuredContent': it})",
        ],
    )
    def test_an_answer_that_cannot_be_read_is_told(self, answer: str) -> None:
        """An answer that is none ends the call at once, and not the server."""
        with raw(f"{ONE}{answer}{NEXT}") as server:
            with pytest.raises(ToolError, match="gave an answer to tools/call that cannot be read"):
                server.call_tool("do", {})
            assert server.call_tool("do", {}).text == "still here"

    def test_noise_around_an_answer_is_ignored(self) -> None:
        """Garbage, answers to nothing, notifications and requests beside the answer do no harm."""
        noise = """
os.write(1, b'\\xff\\xfe\\n\\n{]\\n[1]\\n"x"\\n')
say(id=10**6, result={})
say(id="x", result={})
say(id=None, error={"code": 1, "message": "?"})
say(id=[], result={})
say(method=5)
say(method="notifications/message", params={"level": "info", "data": "x" * 100_000})
say(id=1, method="ping")
say(id=[], method="ping")
say(id=2, method="sampling/createMessage", params={"messages": [], "maxTokens": 1})
say(id=3, method="sampling/createMessage", params={})
say(id=4, method="no/such")
told = {answer["id"]: answer for answer in (hear(), hear(), hear(), hear())}
answer(request, text(json.dumps([told[1].get("result"), *(told[n]["error"]["code"] for n in (2, 3, 4))])))
"""
        assert told_by(raw(ONE + noise)).text == "[{}, -32600, -32602, -32601]"

    def test_a_flood_of_requests_is_bounded(self) -> None:
        """Of the requests of a server that reads no answers, few are kept; the rest get none."""
        flood = """
for number in range(1_000): say(id="x" * 2_000, method="ping")
answer(request, text("done"))
hear()
"""
        assert told_by(raw(ONE + flood)).text == "done"

    @pytest.mark.parametrize("what", ["method='notifications/progress', params={'of': 1}", "id=9, result={}"])
    def test_a_flood_that_nobody_asked_for_ends_the_server(self, what: str) -> None:
        """A server that sends notifications, or answers to nothing, without end is ended, and the call."""
        told = "sent more than 10,000 messages that nobody asked for, and was stopped. Start it again."
        assert told in lost(f"while True: say({what})", grace_s=0.05, timeout_s=120)

    def test_a_server_that_tells_much_is_heard(self) -> None:
        """Thousands of log messages before each answer do no harm, whatever their sum."""
        log = "for _ in range(6_000): say(method='notifications/message', params={'level': 'info', 'data': 'x'})"
        serve = f"while True:\n    request = hear()\n    {log}\n    answer(request, text('ok'))"
        with raw(f"begin(tool('do'))\n{serve}") as talker:
            assert [talker.call_tool("do", {}).text for _ in range(3)] == ["ok"] * 3

    def test_a_huge_result_is_cut(self) -> None:
        """A result of megabytes is cut to what is kept, and says so."""
        found = told_by(raw(ONE + "answer(request, text('é' * 500_000))", most_bytes=11))
        assert found == McpResult("ééééé\n[cut: the first 11 of 1,000,000 bytes]")

    def test_a_message_beyond_all_bounds_ends_the_server(self) -> None:
        """A message of more than 8 MiB ends the server and the call."""
        assert "sent a message of more than 8 MiB, and was stopped. Start it again." in lost(
            "answer(request, text('x' * 9_000_000))", grace_s=0.05
        )

    def test_words_without_end_on_stderr_are_bounded(self, caplog: pytest.LogCaptureFixture) -> None:
        """A flood on stderr, without a line break in it, does not keep an answer from coming."""
        caplog.set_level(logging.DEBUG, "tinysmith.mcp")
        flood = "sys.stderr.write('\\x1b' * 1_000_000)\nsys.stderr.flush()\nanswer(request, text('done'))"
        assert told_by(raw(ONE + flood)).text == "done"
        lines = [record.message for record in caplog.records if "wrote to stderr" in record.message]
        assert lines
        assert max(map(len, lines)) < 2_000
        assert all(line.isprintable() for line in lines)

    def test_a_description_is_text_and_nothing_more(self) -> None:
        """What a server writes is no template: it comes out as it went in."""
        words = "{{ 7 * 7 }} {0} %s $HOME `id`"
        with raw(f"begin(tool('do', description={words!r}))\nanswer(hear(), text({words!r}))") as server:
            assert server.tools[0].description == words
            assert server.call_tool("do", {}).text == words


class TestClose:
    def test_a_call_under_way_is_told(self) -> None:
        """Closing a server ends the calls under way, of both doors, with an error that says so."""
        script = f"begin(tool('do'), tool('seen'))\n{WHEN_HEARD.format(3)}\ntime.sleep(600)"

        async def both() -> list[object]:
            async with raw(script, grace_s=0) as server:
                calls = [
                    asyncio.create_task(server.acall_tool("do", {})),
                    asyncio.create_task(asyncio.to_thread(server.call_tool, "do", {})),
                ]
                process = int((await server.acall_tool("seen", {})).text)
            assert are_gone(process, within_s=0)
            return await asyncio.gather(*calls, return_exceptions=True)

        for error in asyncio.run(both()):
            assert isinstance(error, ToolError)
            assert "was closed. Start it again." in str(error)

    def test_a_call_that_is_cancelled_is_ended(self) -> None:
        """Cancelling a call tells the server, and the next one is answered."""
        ended = "told = hear()\nrequest = hear()\nanswer(request, text(told['method']))"

        async def cancelled() -> str:
            async with raw(f"begin(tool('do'), tool('seen'))\n{WHEN_HEARD.format(2)}\n{ended}") as server:
                call = asyncio.create_task(server.acall_tool("do", {}))
                await server.acall_tool("seen", {})
                call.cancel()
                await asyncio.wait({call})
                assert call.cancelled()
                return (await server.acall_tool("do", {})).text

        assert asyncio.run(cancelled()) == "notifications/cancelled"
