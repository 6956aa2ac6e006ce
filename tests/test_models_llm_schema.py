"""How a reply's JSON schema reaches a model: as one, or in the prompt."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import evolve
from loopback import DOORS, SERVED, Seen, serving

from tinysmith import LLM, Ask, FrozenDict, Message, Reply
from tinysmith.mapping import freeze
from tinysmith.models import schema_in_prompt

PLAIN: Mapping[str, Any] = {"type": "object", "required": ["é"]}
SCHEMA: FrozenDict[str, Any] = freeze(PLAIN)
HELLO = Ask((Message("system", "Be brief."), Message("user", "Say hello.")), schema=SCHEMA)
WORDS = "Reply with JSON that fits this JSON schema, and with nothing else:\n"
SPELT_OUT = f'Say hello.\n\n{WORDS}{{"type": "object", "required": ["é"]}}'
Door = Callable[[LLM, Ask], Reply]


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


def is_sent(seen: Seen) -> bool:
    """Whether the schema was sent as one; else it must be in the prompt, and never in both."""
    texts = [message["content"] for message in seen.body["messages"]]
    if "response_format" in seen.body:
        assert seen.body["response_format"]["json_schema"] == {"name": "reply", "schema": PLAIN}
        assert texts == ["Be brief.", "Say hello."]
        return True
    assert texts == ["Be brief.", SPELT_OUT]
    return False


class TestSchemaInPrompt:
    def test_last_user_message(self) -> None:
        """The schema stands at the end of the last user message, and the request has none any more."""
        talk = (Message("user", "One."), Message("user", "Two."), Message("assistant", "Three."))
        asked = schema_in_prompt(Ask(talk, id="a", node="a", schema=SCHEMA))
        assert asked == Ask(
            (talk[0], Message("user", f"Two.\n\n{WORDS}{json.dumps(PLAIN, ensure_ascii=False)}"), talk[2]),
            id="a",
            node="a",
        )

    def test_no_user_message(self) -> None:
        """Where nobody has said anything as the user, a message is added."""
        asked = schema_in_prompt(Ask((Message("system", "Be brief."),), schema=SCHEMA))
        assert [message.role for message in asked.messages] == ["system", "user"]
        assert asked.messages[1].content.startswith(WORDS)

    def test_no_schema(self) -> None:
        """A request without a schema stays as it is."""
        asked = evolve(HELLO, schema=None)
        assert schema_in_prompt(asked) is asked


class TestSent:
    @pytest.mark.parametrize("model", SERVED)
    @pytest.mark.parametrize("takes_schema", [None, True, False])
    def test_own_server(self, model: str, takes_schema: bool | None, door: Door) -> None:
        """A server that base_url names is sent the schema, unless it is said not to take one."""
        with serving() as server:
            door(LLM(model, base_url=server.base_url, takes_schema=takes_schema), HELLO)
        assert is_sent(server.seen[0]) is (takes_schema is not False)

    @pytest.mark.parametrize(
        ("model", "takes_schema", "sent"),
        [
            ("deepseek/deepseek-chat", None, True),
            ("deepseek/deepseek-chat", False, False),
            ("deepseek/unheard-of", None, False),
            ("deepseek/unheard-of", True, True),
        ],
    )
    def test_provider(
        self, model: str, takes_schema: bool | None, sent: bool, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A provider is sent the schema where LiteLLM knows that the model takes one, or as it is said."""
        with serving() as server:
            monkeypatch.setenv("DEEPSEEK_API_BASE", server.base_url)
            monkeypatch.setenv("DEEPSEEK_API_KEY", "key-1")
            door(LLM(model, takes_schema=takes_schema), HELLO)
        assert is_sent(server.seen[0]) is sent
        assert not [name for name in server.seen[0].body if name.startswith("_")]

    def test_local_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server of one's own that is found without base_url is sent the schema too."""
        with serving() as server:
            monkeypatch.setenv("LLAMAFILE_API_BASE", server.base_url)
            LLM("llamafile/own").ask(HELLO)
        assert is_sent(server.seen[0])

    def test_no_object(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A schema that is no object's goes into the prompt, but to a server of one's own as it is."""
        asked = evolve(HELLO, schema=freeze({"type": "array"}))
        with serving() as server:
            monkeypatch.setenv("DEEPSEEK_API_BASE", server.base_url)
            monkeypatch.setenv("DEEPSEEK_API_KEY", "key-1")
            LLM("deepseek/deepseek-chat").ask(asked)
            LLM("hosted_vllm/own", base_url=server.base_url).ask(asked)
        provider, own = server.seen
        assert "response_format" not in provider.body
        assert provider.body["messages"][-1]["content"].endswith('{"type": "array"}')
        assert own.body["response_format"]["json_schema"]["schema"] == {"type": "array"}

    @pytest.mark.parametrize("takes_schema", [None, False])
    def test_no_schema(self, takes_schema: bool | None) -> None:
        """A request without a schema is sent as it is."""
        with serving() as server:
            LLM("openai/x", base_url=server.base_url, takes_schema=takes_schema).ask(evolve(HELLO, schema=None))
        assert server.seen[0].body["messages"][-1]["content"] == "Say hello."
        assert "response_format" not in server.seen[0].body

    def test_fallback(self) -> None:
        """Each model of a chain is asked in its own way."""
        with serving() as server:
            gone = LLM(
                "openai/x",
                base_url="http://127.0.0.1:1",
                max_retries=0,
                fallbacks=[LLM("openai/y", base_url=server.base_url, takes_schema=False)],
            )
            gone.ask(HELLO)
        assert not is_sent(server.seen[0])

    def test_is_part_of_the_value(self) -> None:
        """Models that differ in it are different models, and it is shown."""
        assert LLM("openai/x", takes_schema=False) != LLM("openai/x")
        assert repr(LLM("openai/x", takes_schema=False)) == "LLM('openai/x', takes_schema=False)"

    def test_nothing_is_imported_before_the_request(self) -> None:
        """LiteLLM is asked what a model takes at the request, not before."""
        code = "import sys, tinysmith; tinysmith.LLM('openai/x'); print('litellm' in sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout == "False\n"
