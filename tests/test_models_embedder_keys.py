"""Where an `Embedder`'s key goes, and where it does not."""

import asyncio
import copy
import logging
import pickle
from typing import Any

import pytest
from attrs import evolve
from leaks import CANARY, canary, texts_of
from loopback import Answer, echo_key, hang_up, malformed, refused_base_url, serving, stall, status
from loopback_embeddings import DOORS, EMBEDDED, KEYS, Door, embeddings, own

from tinysmith.errors import (
    AuthenticationError,
    BadRequestError,
    ModelError,
    RealRequestRefused,
    UsageError,
)
from tinysmith.models import Embedder
from tinysmith.models._secrets import Secret
from tinysmith.models.llm import allow_real_requests, forbid_real_requests


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture(params=EMBEDDED)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestKeys:
    @pytest.mark.parametrize(
        "bad", [echo_key(), echo_key(500), echo_key(400), status(429), hang_up(), malformed()]
    )
    @pytest.mark.parametrize("source", ["argument", "environment"])
    def test_leaks(
        self,
        model: str,
        door: Door,
        bad: Answer,
        source: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """No failure shows the key: in no message, repr, pickle, log or traceback, not with locals either."""
        caplog.set_level(logging.DEBUG, logger="tinysmith")
        monkeypatch.setenv("A_CANARY_OF_OURS", canary())
        with serving(rest=bad) as server:
            embedder = Embedder(model, base_url=server.base_url, max_retries=1, backoff_s=0.001)
            given = {"api_key": Secret(canary())} if source == "argument" else {"api_key_env": "A_CANARY_OF_OURS"}
            embedder = evolve(embedder, **given)
            with pytest.raises(ModelError) as caught:
                door(embedder, ["a", "b"])
            assert server.auth[0] == f"Bearer {CANARY}"
        for text in [*texts_of(caught.value), repr(embedder), caplog.text]:
            assert CANARY not in text
        assert CANARY.encode() not in pickle.dumps(caught.value) + pickle.dumps(embedder)

    def test_cancelled(self, model: str) -> None:
        """A cancellation, and the time-out that a caller makes of it, do not show the key."""

        async def timed_out() -> None:
            async with asyncio.timeout(0.2):
                await Embedder(model, base_url=server.base_url, api_key=Secret(canary())).aembed(["a"])

        with serving(rest=stall()) as server, pytest.raises(TimeoutError) as caught:
            asyncio.run(timed_out())
        assert all(CANARY not in text for text in texts_of(caught.value))

    @pytest.mark.parametrize("given", [{"batch": 0}, {"model": "x"}, {"model": 1}, {"base_url": "x"}])
    def test_constructor(self, given: dict[str, Any]) -> None:
        """Nor does a refusal to make the embedder."""
        with pytest.raises(UsageError) as caught:
            Embedder(**{"model": "openai/x", **given}, api_key=canary())
        assert all(CANARY not in text for text in texts_of(caught.value))

    def test_other_host(self, model: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing that the environment says of a provider goes to the server that `base_url` names."""
        for name in (*KEYS.values(), "OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID"):
            monkeypatch.setenv(name, canary())
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Mine: {CANARY}")
        with serving(rest=embeddings()) as server:
            door(Embedder(model, base_url=server.base_url), ["a"])
        assert CANARY not in repr(server.seen)

    def test_named(self, model: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """`api_key_env` is read at each request, also from another process's pickle."""
        with serving(rest=embeddings()) as server:
            embedder = pickle.loads(pickle.dumps(Embedder(model, base_url=server.base_url, api_key_env="OF_OURS")))
            for key in ("sk-first", "sk-second"):
                monkeypatch.setenv("OF_OURS", key)
                door(embedder, ["a"])
        assert server.auth == ["Bearer sk-first", "Bearer sk-second"]

    def test_missing(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A key that is not there is told before anybody is asked, with the variable that it belongs in."""
        for prefix in ("openai", "mistral"):
            monkeypatch.delenv(KEYS[prefix], raising=False)
            with pytest.raises(AuthenticationError, match=f"Set the environment variable {KEYS[prefix]}"):
                door(Embedder(f"{prefix}/some-embed"), ["a"])

    def test_lost(self, door: Door) -> None:
        """A key that a pickle left behind is not replaced by one that the environment holds."""
        embedder = pickle.loads(pickle.dumps(own(refused_base_url(), api_key="sk-given")))
        with pytest.raises(AuthenticationError, match="left behind when it was pickled"):
            door(embedder, ["a"])

    def test_copies(self) -> None:
        """Copies keep the key, and are equal."""
        embedder = own("http://localhost", api_key=Secret(canary()))
        assert copy.copy(embedder) == copy.deepcopy(embedder) == embedder
        assert embedder != own("http://localhost", api_key="sk-other")
        assert len({embedder, copy.deepcopy(embedder)}) == 1


class TestSwitch:
    def test_forbidden(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where real requests are switched off, no provider is asked."""
        for name in KEYS.values():
            monkeypatch.setenv(name, "sk-given")
        with forbid_real_requests():
            for embedder in (
                Embedder("mistral/mistral-embed"),
                Embedder("hosted_vllm/x", base_url="http://a.example"),
            ):
                with pytest.raises(RealRequestRefused, match="switched off"):
                    door(embedder, ["a"])

    def test_no_place(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where it is not known whom to ask; else the lack of a place is told."""
        monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
        for switch, kind in ((forbid_real_requests, RealRequestRefused), (allow_real_requests, BadRequestError)):
            with switch(), pytest.raises(kind):
                door(Embedder("hosted_vllm/x"), ["a"])

    def test_loopback(self, door: Door) -> None:
        """A server on this computer is asked nevertheless."""
        with serving(rest=embeddings()) as server, forbid_real_requests():
            assert door(own(server.base_url), ["a"]).length == 26
