"""Where an `LLM`'s key goes, and where it does not."""

import asyncio
import copy
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from ctrl_c import until_it_waits
from leaks import CANARY, canary, texts_of
from loopback import DOORS, SERVED, drip, echo_key, hang_up, malformed, ok, serving, stall, status

from tinysmith.errors import AuthenticationError, ModelError, UsageError
from tinysmith.messages import Ask, Message, Reply
from tinysmith.models import _litellm
from tinysmith.models._secrets import Secret
from tinysmith.models.llm import LLM

HELLO = Ask((Message("user", "Say hello."),))
KEYS = {
    "openai/gpt-4o-mini": "OPENAI_API_KEY",
    "mistral/mistral-small-latest": "MISTRAL_API_KEY",
    "groq/openai/gpt-oss-20b": "GROQ_API_KEY",
    "hosted_vllm/own": "HOSTED_VLLM_API_KEY",
}
Door = Callable[[LLM, Ask], Reply]


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture(params=SERVED)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestLeaks:
    @pytest.mark.parametrize("bad", [echo_key(), echo_key(500), status(429), hang_up(), malformed(), drip()])
    @pytest.mark.parametrize("source", ["argument", "environment"])
    def test_failures(
        self,
        model: str,
        door: Door,
        bad: Any,
        source: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """No failure shows the key: in no message, repr, pickle, log or traceback, not with locals either."""
        caplog.set_level(logging.DEBUG, logger="tinysmith")
        monkeypatch.setenv("A_CANARY_OF_OURS", canary())
        with serving(rest=bad) as server:
            llm = LLM(model, base_url=server.base_url, timeout_s=0.5, max_retries=1, backoff_s=0.001)
            if source == "environment":
                llm = evolve(llm, api_key_env="A_CANARY_OF_OURS")
            else:
                llm = evolve(llm, api_key=Secret(canary()))
            with pytest.raises(ModelError) as caught:
                door(llm, HELLO)
            assert server.auth[0] == f"Bearer {CANARY}"
        for text in [*texts_of(caught.value), repr(llm), caplog.text]:
            assert CANARY not in text
        assert CANARY.encode() not in pickle.dumps(caught.value) + pickle.dumps(llm)

    def test_cancelled(self, model: str) -> None:
        """A cancellation, and the time-out that a caller makes of it, do not show the key."""

        async def timed_out() -> None:
            async with asyncio.timeout(0.2):
                await LLM(model, base_url=server.base_url, api_key=Secret(canary())).aask(HELLO)

        with serving(rest=stall()) as server, pytest.raises(TimeoutError) as caught:
            asyncio.run(timed_out())
        for text in texts_of(caught.value):
            assert CANARY not in text

    @pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
    def test_interrupted(self) -> None:
        """Nor does Ctrl-C, which ends a blocking request at once."""

        def interrupt() -> None:
            while not server.seen:
                time.sleep(0.01)
            until_it_waits(os.getpid())
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        with serving(rest=stall()) as server:
            threading.Thread(target=interrupt).start()
            with pytest.raises(KeyboardInterrupt) as caught:
                LLM("mistral/x", base_url=server.base_url, api_key=Secret(canary())).ask(HELLO)
        for text in texts_of(caught.value):
            assert CANARY not in text

    @pytest.mark.parametrize(
        "given",
        [{"temperature": "hot"}, {"model": "x"}, {"api_key_env": "GROQ_API_KEY"}, {"extra": {"seed": 1}}],
    )
    def test_constructor(self, given: dict[str, Any]) -> None:
        """Nor does a refusal to make the model, whatever else is wrong with it."""
        with pytest.raises(UsageError) as caught:
            LLM(**{"model": "openai/x", **given}, api_key=canary())
        for text in texts_of(caught.value):
            assert CANARY not in text

    def test_wrong_place(self) -> None:
        """A key given as api_key_env is refused unseen."""
        with pytest.raises(UsageError, match="is not the name of an environment variable") as caught:
            LLM("openai/x", api_key_env=canary())
        for text in texts_of(caught.value):
            assert CANARY not in text

    @pytest.mark.parametrize("flaw", ["a b", "ä", "line\nline", "", "  ", 3])
    def test_unsendable(self, flaw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key that no header can carry is refused at once, from wherever it comes."""
        with pytest.raises(UsageError, match="api_key"):
            LLM("openai/x", api_key=flaw)
        monkeypatch.setenv("OPENAI_API_KEY", str(flaw).replace("3", "\x03"))
        with pytest.raises(AuthenticationError, match="OPENAI_API_KEY"):
            LLM("openai/x").ask(HELLO)

    def test_other_keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Any key of the environment that a server repeats is hidden, too; short values are left alone."""
        monkeypatch.setenv("SOME_TOKEN", canary())
        monkeypatch.setenv("OTHER_TOKEN", "is")
        with serving(status(400, f"this is {CANARY}")) as server, pytest.raises(ModelError) as caught:
            LLM("openai/x", base_url=server.base_url).ask(HELLO)
        assert str(caught.value).endswith("this is ***")


class TestEnvironment:
    def test_stays_home(self, model: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing that the environment says of a provider travels to a host named by base_url."""
        for name in [
            *KEYS.values(),
            "OPENAI_ADMIN_KEY",
            "OPENAI_ORG_ID",
            "OPENAI_ORGANIZATION",
            "OPENAI_PROJECT_ID",
        ]:
            monkeypatch.setenv(name, canary())
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Mine: {CANARY}\nnonsense\nX-Yours: {CANARY}")
        with serving() as server:
            door(LLM(model, base_url=server.base_url), HELLO)
        assert server.auth == ["Bearer not-needed"]
        assert CANARY not in repr(server.seen)

    def test_named(self, model: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A variable that is named counts as given: it travels, and is read at each request."""
        with serving() as server:
            llm = LLM(model, base_url=server.base_url, api_key_env="MY_KEY")
            for key in ("one", "two"):
                monkeypatch.setenv("MY_KEY", f" {key}\n")
                door(llm, HELLO)
        assert server.auth == ["Bearer one", "Bearer two"]

    def test_own_server(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server named by the environment is sent the environment's key, or none."""
        with serving() as server:
            monkeypatch.setenv("HOSTED_VLLM_API_BASE", server.base_url)
            monkeypatch.delenv("HOSTED_VLLM_API_KEY", raising=False)
            door(LLM("hosted_vllm/own"), HELLO)
            monkeypatch.setenv("HOSTED_VLLM_API_KEY", "its-key")
            door(LLM("hosted_vllm/own"), HELLO)
        assert server.auth == ["Bearer not-needed", "Bearer its-key"]

    @pytest.mark.parametrize("model", [*SERVED[:3], "anthropic/claude-3-5-haiku-latest"])
    def test_missing(self, model: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A missing key fails at once, and the message names the variable to set."""
        name = KEYS.get(model, "ANTHROPIC_API_KEY")
        monkeypatch.delenv(name, raising=False)
        with pytest.raises(AuthenticationError, match=f"Set the environment variable {name}"):
            door(LLM(model), HELLO)

    def test_other_provider(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a provider that is not listed here, LiteLLM reads the environment."""
        with serving() as server:
            monkeypatch.setenv("DEEPSEEK_API_KEY", "its-key")
            monkeypatch.setenv("DEEPSEEK_API_BASE", server.base_url)
            assert door(LLM("deepseek/deepseek-chat"), HELLO).text == "hello"
            door(LLM("deepseek/deepseek-chat", base_url=server.base_url + "/"), HELLO)
        assert server.auth == ["Bearer its-key", "Bearer not-needed"]


class TestPickle:
    def test_back_to_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pickled model has lost its key, and reads the provider's variable again."""
        with serving() as server:
            monkeypatch.setenv("GROQ_API_BASE", server.base_url)
            monkeypatch.setenv("GROQ_API_KEY", "from-env")
            llm = LLM("groq/x", api_key="given", fallbacks=["openai/y"])
            data = pickle.dumps(llm)
            assert b"given" not in data
            llm.ask(HELLO)
            pickle.loads(data).ask(HELLO)
        assert server.auth == ["Bearer given", "Bearer from-env"]

    def test_own_host(self) -> None:
        """With base_url it refuses to ask, and names the way out."""
        llm = LLM("groq/x", api_key="given", base_url="http://127.0.0.1:1")
        with pytest.raises(AuthenticationError, match=r"left behind when it was pickled.*api_key_env="):
            pickle.loads(pickle.dumps(llm)).ask(HELLO)

    def test_named_variable(self) -> None:
        """api_key_env survives."""
        llm = LLM("groq/x", api_key_env="MY_KEY")
        assert pickle.loads(pickle.dumps(llm)) == llm

    def test_secret(self) -> None:
        """A secret shows a mask, compares, and is copied with its key."""
        assert copy.copy(Secret("a")) == Secret("a")
        assert (repr(Secret("a")), Secret("a") == Secret("a"), Secret("a") == "a") == (
            "Secret('***')",
            True,
            False,
        )
        assert evolve(LLM("openai/x", api_key="given"), seed=1) == LLM("openai/x", api_key="given", seed=1)


class TestImport:
    @pytest.mark.untraced
    def test_untouched(self, tmp_path: Path) -> None:
        """The import of LiteLLM reads no `.env`, opens no socket, prints nothing, leaves the environment alone."""
        (tmp_path / ".env").write_text("OPENAI_API_KEY=from-dot-env\nOPENAI_BASE_URL=http://127.0.0.1:1\n")
        with serving() as server:
            code = self.CODE.replace("BASE_URL", repr(server.base_url)).replace("PORT", str(server.server_port))
            ran = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
            )
        assert (ran.returncode, ran.stdout) == (0, "AuthenticationError hello")
        assert "litellm" not in ran.stderr.lower()

    CODE = """
import os, socket, sys
os.environ["LITELLM_MODE"] = "MINE"
os.environ["TIKTOKEN_CACHE_DIR"] = "mine"
for name in ("OPENAI_API_KEY", "DEEPSEEK_API_KEY"):
    os.environ.pop(name, None)
before = dict(os.environ)
opened = []
sys.addaudithook(lambda event, args: opened.append(args) if event == "socket.connect" else None)
from tinysmith.models.llm import LLM
from tinysmith.messages import Ask, Message
assert "litellm" not in sys.modules
hello = Ask((Message("user", "hello"),))
try:
    LLM("deepseek/x").ask(hello)
except Exception as error:
    print(type(error).__name__, end=" ")
assert "litellm" in sys.modules
assert not opened, opened
for model in ("openai/gpt-4o-mini", "mistral/x", "groq/llama-3.1-8b-instant", "hosted_vllm/x"):
    text = LLM(model, base_url=BASE_URL).ask(hello).text
print(text, end="")
assert {address[1] for _, address in opened} == {PORT}, opened
assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
"""

    @pytest.mark.untraced
    def test_first_use_async(self) -> None:
        """The first request may be an asynchronous one: the import happens beside the event loop."""
        with serving() as server:
            code = f"""
import asyncio
from tinysmith.models.llm import LLM
from tinysmith.messages import Ask, Message
ticks = 0
async def tick():
    global ticks
    while True:
        await asyncio.sleep(0.01)
        ticks += 1
async def main():
    ticking = asyncio.create_task(tick())
    reply = await LLM("mistral/x", base_url={server.base_url!r}).aask(Ask((Message("user", "hello"),)))
    print(reply.text, ticks > 10)
asyncio.run(main())
asyncio.run(main())
"""
            ran = subprocess.run(
                [sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False
            )
        assert (ran.returncode, ran.stdout.split()) == (0, ["hello", "True", "hello", "True"])
        assert "Unclosed" not in ran.stderr

    def test_only_loopback(self, door: Door) -> None:
        """A request opens a connection to its server, and no other."""
        with serving(ok(usage=None), ok()) as server:
            llm = LLM("groq/llama-3.1-8b-instant", base_url=server.base_url)
            with watched() as opened:
                door(llm, HELLO)
                door(llm, HELLO)
            assert {address[1] for address in opened} <= {server.server_port}

    def test_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A variable that was set is put back, one that was not is taken away."""
        monkeypatch.setenv("FIRST_OF_OURS", "mine")
        with _litellm._environment({"FIRST_OF_OURS": "x", "SECOND_OF_OURS": "y"}):
            assert (os.environ["FIRST_OF_OURS"], os.environ["SECOND_OF_OURS"]) == ("x", "y")
        assert os.environ["FIRST_OF_OURS"] == "mine"
        assert "SECOND_OF_OURS" not in os.environ


class watched:  # noqa: N801  # reads as a function
    """The addresses that are connected to inside the block."""

    opened: list[Any] | None = None
    is_hooked = False

    def __enter__(self) -> list[Any]:
        if not watched.is_hooked:
            sys.addaudithook(watched.hook)
            watched.is_hooked = True
        watched.opened = []
        return watched.opened

    def __exit__(self, *_: object) -> None:
        watched.opened = None

    @staticmethod
    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect" and watched.opened is not None and args[0].family != socket.AF_UNIX:
            watched.opened.append(args[1])
