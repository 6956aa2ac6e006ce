"""What `LLM` sends, and what it makes of an answer, over real HTTP on the loopback interface."""

import asyncio
import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from loopback import DOORS, SERVED, ok, serving

from tinysmith.errors import BadRequestError, RealRequestRefused, ServerError, UsageError
from tinysmith.mapping import FrozenDict, freeze
from tinysmith.messages import Ask, Message, Reply, ToolCall, Usage
from tinysmith.models.llm import LLM, allow_real_requests, forbid_real_requests
from tinysmith.protocols import Model

HELLO = Ask((Message("user", "Say hello."),))
Door = Callable[[LLM, Ask], Reply]


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


class TestRequest:
    @pytest.mark.parametrize("model", SERVED)
    def test_wire(self, model: str, door: Door) -> None:
        """One POST goes to /v1/chat/completions, with the key, the bare model name and the messages."""
        with serving() as server:
            reply = door(LLM(model, base_url=server.base_url, api_key="key-1"), HELLO)
        (seen,) = server.seen
        assert (seen.method, seen.path, seen.auth) == ("POST", "/v1/chat/completions", "Bearer key-1")
        assert seen.body["model"] == model.partition("/")[2]
        assert seen.body["messages"] == [{"role": "user", "content": "Say hello."}]
        assert (reply.text, reply.finish, reply.model, reply.calls) == ("hello", "stop", model, ())

    @pytest.mark.parametrize("model", SERVED)
    def test_not_given_not_sent(self, model: str) -> None:
        """An argument that was not given is not in the body."""
        with serving() as server:
            LLM(model, base_url=server.base_url).ask(HELLO)
        assert set(server.seen[0].body) == {"model", "messages"}

    @pytest.mark.parametrize("model", SERVED)
    def test_given_is_sent(self, model: str, door: Door) -> None:
        """Sampling arguments arrive under the provider's names, zeros too."""
        with serving() as server:
            llm = LLM(
                model, base_url=server.base_url, temperature=0, top_p=0.5, max_tokens=7, seed=0, stop=["a", "b"]
            )
            door(llm, HELLO)
        body = server.seen[0].body
        seed = "random_seed" if model.startswith("mistral/") else "seed"
        assert (body["temperature"], body["top_p"], body[seed], body["stop"]) == (0, 0.5, 0, ["a", "b"])
        assert body["max_tokens"] == 7

    def test_extra(self) -> None:
        """`extra` reaches the server, and each request gets its own copy."""
        with serving() as server:
            llm = LLM("hosted_vllm/own", base_url=server.base_url, extra={"top_k": 3}, stop="end")
            llm.ask(HELLO)
            llm.ask(HELLO)
        assert [(seen.body["top_k"], seen.body["stop"]) for seen in server.seen] == [(3, "end")] * 2

    @pytest.mark.parametrize("model", SERVED)
    def test_tools(self, model: str, door: Door) -> None:
        """Tools and a conversation with tool calls arrive in OpenAI's form; calls come back as ours."""
        tool = freeze({"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}})
        call = ToolCall("c1", "look", "{}")
        messages = (
            Message("user", "Look."),
            Message("assistant", "", calls=(call,)),
            Message("tool", "A cat.", call_id="c1"),
        )
        asked = {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{not json"}}
        answer = ok(None, message={"tool_calls": [asked]}, finish="tool_calls")
        with serving(answer) as server:
            reply = door(LLM(model, base_url=server.base_url), Ask(messages, tools=(tool,)))
        body = server.seen[0].body
        assert [tool["function"]["name"] for tool in body["tools"]] == ["look"]
        assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}
        assert body["messages"][2]["tool_call_id"] == "c1"
        assert not [name for name in body if name.startswith("_")]
        assert (reply.text, reply.finish) == ("", "tool_calls")
        assert reply.calls == (ToolCall("c2", "look", "{not json"),)

    @pytest.mark.parametrize("model", SERVED)
    def test_schema(self, model: str, door: Door) -> None:
        """A schema arrives as `response_format` of the kind `json_schema`."""
        schema: FrozenDict[str, Any] = freeze({"type": "object", "required": ["a"]})
        with serving() as server:
            door(LLM(model, base_url=server.base_url), evolve(HELLO, schema=schema))
        sent = server.seen[0].body["response_format"]
        assert sent["type"] == "json_schema"
        assert sent["json_schema"] == {"name": "reply", "schema": {"type": "object", "required": ["a"]}}

    @pytest.mark.parametrize("role", ["user", "system", "tool"])
    def test_empty_message(self, role: Any, door: Door) -> None:
        """An empty message is refused before anything is sent: LiteLLM would drop it in silence."""
        with serving() as server, pytest.raises(BadRequestError, match=f"an empty {role} message"):
            door(LLM(SERVED[1], base_url=server.base_url), Ask((*HELLO.messages, Message(role, ""))))
        assert server.seen == []

    def test_no_message(self) -> None:
        """A prompt without any text is refused before anything is sent."""
        with pytest.raises(BadRequestError, match="The prompt is empty"):
            LLM("hosted_vllm/own", base_url="http://127.0.0.1:1").ask(Ask((Message("assistant", ""),)))

    def test_empty_reply_in_conversation(self) -> None:
        """An assistant's empty message, as in a re-prompt after an empty reply, is left out."""
        messages = (*HELLO.messages, Message("assistant", ""), Message("user", "Say something."))
        with serving() as server:
            LLM("mistral/m", base_url=server.base_url).ask(Ask(messages))
        assert [message["role"] for message in server.seen[0].body["messages"]] == ["user", "user"]


class TestBaseURL:
    @pytest.mark.parametrize("model", SERVED)
    @pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
    def test_forms(self, model: str, tail: str) -> None:
        """Every form of base_url that people write means the same path."""
        with serving() as server:
            LLM(model, base_url=server.base_url.removesuffix("/v1") + tail).ask(HELLO)
        assert server.seen[0].path == "/v1/chat/completions"

    def test_own_path(self) -> None:
        """A path that is given is kept as it is."""
        with serving() as server:
            LLM("openai/x", base_url=server.base_url.removesuffix("/v1") + "/gateway/").ask(HELLO)
        assert server.seen[0].path == "/gateway/chat/completions"

    def test_from_environment(self, monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
        """OPENAI_BASE_URL sends requests elsewhere, with the environment's key, unless base_url is given."""
        with serving() as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url + "/")
            monkeypatch.setenv("OPENAI_API_KEY", "from-env")
            door(LLM("openai/x"), HELLO)
        assert server.auth == ["Bearer from-env"]

    def test_own_server_without_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """hosted_vllm/ without base_url says so."""
        monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
        with pytest.raises(BadRequestError, match="Say where it is: base_url="):
            LLM("hosted_vllm/own").ask(HELLO)


class TestReply:
    @pytest.mark.parametrize("model", SERVED)
    def test_usage(self, model: str, door: Door) -> None:
        """Tokens are the server's; the cost is LiteLLM's, and None where it knows no price."""
        with serving() as server:
            usage = door(LLM(model, base_url=server.base_url), HELLO).usage
        assert (usage.input_tokens, usage.output_tokens) == (11, 3)
        if model == "hosted_vllm/own":
            assert usage.cost_usd is None
        else:
            assert usage.cost_usd is not None
            assert 0 < usage.cost_usd < 0.001

    def test_own_prices(self) -> None:
        """One's own prices count, also of a model that LiteLLM knows, and zero is a price."""
        with serving() as server:
            for model in ("hosted_vllm/own", "openai/gpt-4o-mini"):
                llm = LLM(model, base_url=server.base_url, input_cost_per_token=0.01, output_cost_per_token=0)
                assert llm.ask(HELLO).usage == Usage(11, 3, 0.11)
            assert LLM("openai/gpt-4o-mini", base_url=server.base_url).ask(HELLO).usage.cost_usd != 0.11

    @pytest.mark.parametrize("model", SERVED)
    def test_uncounted(self, model: str) -> None:
        """A server that counts no tokens makes no reply that costs nothing: its cost is unknown."""
        with serving(ok(usage=None)) as server:
            llm = LLM(model, base_url=server.base_url, input_cost_per_token=1, output_cost_per_token=1)
            assert llm.ask(HELLO).usage == Usage(0, 0, None)

    @pytest.mark.parametrize("model", SERVED)
    def test_no_text(self, model: str, door: Door) -> None:
        """A reply without content is empty text."""
        with serving(ok(None)) as server:
            assert door(LLM(model, base_url=server.base_url), HELLO).text == ""

    def test_cut_off(self) -> None:
        """The finish reason is the server's."""
        with serving(ok("Once upon a", finish="length")) as server:
            assert LLM("hosted_vllm/own", base_url=server.base_url).ask(HELLO).finish == "length"

    @pytest.mark.parametrize(
        "message",
        [
            {"content": "<think>\nIt is easy.\n</think>\n\nNo."},
            {"content": "It is easy.</think>No."},
            {"content": "No.", "reasoning_content": "It is easy."},
        ],
    )
    def test_thinking(self, message: dict[str, str]) -> None:
        """What a reasoning model thought is kept apart from what it answers, however the server sends it."""
        with serving(ok(message=message)) as server:
            reply = LLM("hosted_vllm/own", base_url=server.base_url).ask(HELLO)
        assert (reply.text, reply.thinking) == ("No.", "It is easy.")

    def test_thinking_without_an_end(self) -> None:
        """Thinking that was cut off is no answer."""
        with serving(ok("<think>It is", finish="length")) as server:
            reply = LLM("hosted_vllm/own", base_url=server.base_url).ask(HELLO)
        assert (reply.text, reply.thinking, reply.finish) == ("", "It is", "length")

    def test_odd_content(self) -> None:
        """Content that is no text is no reply."""
        with serving(ok(message={"content": [{"type": "text", "text": "a"}]})) as server:
            llm = LLM("hosted_vllm/own", base_url=server.base_url, max_retries=0)
            with pytest.raises(ServerError, match="cannot be read"):
                llm.ask(HELLO)


class TestAtOnce:
    def test_many(self) -> None:
        """Fifty requests wait side by side, in two event loops one after the other."""

        async def fifty(llm: LLM) -> list[Reply]:
            return await asyncio.gather(*(llm.aask(HELLO) for _ in range(50)))

        with serving() as server:
            llm = LLM("mistral/m", base_url=server.base_url)
            for _ in range(2):
                assert [reply.text for reply in asyncio.run(fifty(llm))] == ["hello"] * 50
        assert len(server.seen) == 100

    def test_threads(self) -> None:
        """Threads share one model."""
        texts: list[str] = []
        with serving() as server:
            llm = LLM("openai/gpt-4o-mini", base_url=server.base_url)
            threads = [threading.Thread(target=lambda: texts.append(llm.ask(HELLO).text)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert texts == ["hello"] * 8


class TestLLM:
    def test_is_model(self) -> None:
        """An LLM is a Model."""
        assert isinstance(LLM("openai/x"), Model)

    def test_repr(self) -> None:
        """Its repr shows what was given, of extra the names, and no key."""
        assert repr(LLM("groq/llama-3.1-8b-instant", temperature=0.2)) == (
            "LLM('groq/llama-3.1-8b-instant', temperature=0.2)"
        )
        llm = LLM("openai/x", api_key="key-1", extra={"top_k": 3, "min_p": 0}, fallbacks=["groq/y"], timeout_s=5)
        assert (
            repr(llm)
            == "LLM('openai/x', timeout_s=5, fallbacks=(LLM('groq/y', timeout_s=5),), extra=<top_k, min_p>)"
        )

    def test_value(self) -> None:
        """It is a value: equal, hashable, copied with its key, changed by evolve alone."""
        llm = LLM("openai/x", api_key="key-1", stop=["a"], extra={"top_k": 3})
        assert llm == LLM("openai/x", api_key="key-1", stop=("a",), extra={"top_k": 3})
        assert llm != LLM("openai/x", api_key="key-2", stop=("a",), extra={"top_k": 3})
        assert hash(llm) == hash(copy.deepcopy(llm))
        assert copy.deepcopy(llm) == copy.copy(llm) == llm
        assert pickle.loads(pickle.dumps(evolve(llm, api_key=None))) == evolve(llm, api_key=None)
        with pytest.raises(AttributeError):
            llm.seed = 3  # type: ignore[misc]  # it does not change

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"model": "gpt-4o"}, r"'openai/gpt-4o'"),
            ({"model": "mistral-small"}, r"'mistral/mistral-small'"),
            ({"model": "llama-3.1-8b"}, r"'groq/llama-3.1-8b'"),
            ({"model": "openai/"}, r"'openai/openai'"),
            ({"model": ""}, r"'openai/gpt-4o'"),
            ({"model": None}, r"model=None is not text"),
            ({"temperature": "hot"}, r"temperature='hot' is not a number of at least 0"),
            ({"temperature": True}, r"temperature=True"),
            ({"top_p": float("nan")}, r"top_p=nan"),
            ({"max_tokens": 1.5}, r"max_tokens=1.5 is not a whole number of at least 1"),
            ({"max_tokens": 0}, r"max_tokens=0"),
            ({"seed": "x"}, r"seed='x' is not a whole number\."),
            ({"stop": 3}, r"stop=3"),
            ({"stop": ["a", 3]}, r"stop=\['a', 3\]"),
            ({"timeout_s": 0}, r"timeout_s=0"),
            ({"timeout_s": None}, r"timeout_s is None"),
            ({"max_retries": -1}, r"max_retries=-1 is not a whole number of at least 0"),
            ({"base_url": 3}, r"base_url=3 is not text"),
            ({"base_url": "localhost:8000"}, r"'localhost:8000' is no URL"),
            ({"base_url": "http://me:word@host/v1"}, r"holds a user name or a password"),
            ({"input_cost_per_token": 1}, r"go together"),
            ({"fallbacks": "openai/y"}, r"is one model, not several"),
            ({"takes_schema": 1}, r"takes_schema=1 is neither True nor False"),
            ({"extra": {"stream": True}}, r"extra\['stream'\] cannot be used"),
            ({"extra": {"timeout": 3}}, r"use timeout_s="),
            ({"extra": {"seed": 3}}, r"use seed="),
            ({"extra": {"a": {1}}}, r"extra holds what is no JSON data"),
        ],
    )
    def test_refused(self, given: dict[str, Any], message: str) -> None:
        """An argument that cannot be meant is refused when the model is made, in a sentence."""
        with pytest.raises(UsageError, match=message) as caught:
            LLM(**{"model": "openai/x", **given})
        assert "word" not in str(caught.value).split()


class TestSwitch:
    def test_real(self, door: Door) -> None:
        """Inside the block requests to real models are refused, those to this computer are not."""
        with forbid_real_requests(), serving() as server:
            with pytest.raises(RealRequestRefused, match="switched off"):
                door(LLM("openai/x", api_key="key-1", fallbacks=["mistral/y"]), HELLO)
            with pytest.raises(RealRequestRefused):
                door(LLM("openai/x", base_url="http://example.com"), HELLO)
            assert door(LLM("openai/x", base_url=server.base_url), HELLO).text == "hello"
            by_name = server.base_url.replace("127.0.0.1", "localhost")
            assert door(LLM("openai/x", base_url=by_name), HELLO).text == "hello"

    def test_block(self) -> None:
        """Blocks nest, and each puts back what was before."""
        llm = LLM("hosted_vllm/x", base_url="http://name.invalid", max_retries=0)
        with forbid_real_requests():
            with allow_real_requests(), pytest.raises(ServerError, match="is not known"):
                llm.ask(HELLO)
            with pytest.raises(RealRequestRefused):
                llm.ask(HELLO)

    def test_plain_call(self) -> None:
        """A plain call forbids for good, and nothing is imported to refuse."""
        code = """
import sys
from tinysmith.models.llm import LLM, forbid_real_requests
from tinysmith.messages import Ask, Message
forbid_real_requests()
try:
    LLM("openai/x", api_key="k").ask(Ask((Message("user", "hello"),)))
except Exception as error:
    print(type(error).__name__, "litellm" in sys.modules)
"""
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout == "RealRequestRefused False\n"
