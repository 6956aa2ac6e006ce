"""What an `Embedder` does where it is refused: it asks for less, tries again, or gives up."""

import asyncio
import threading
from array import array
from typing import Any

import pytest
from loopback import (
    Answer,
    Handler,
    Seen,
    drip,
    empty,
    hang_up,
    html,
    malformed,
    ok,
    overflow,
    refused_base_url,
    serving,
    stall,
    status,
)
from loopback_embeddings import DOORS, EMBEDDED, Door, Maker, at_most, embeddings, letters, maker, own

from tinysmith.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflow,
    ModelError,
    ModelTimeout,
    RateLimited,
    ServerError,
    UsageError,
)
from tinysmith.models import Embedder


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture(params=EMBEDDED)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["argument", "environment"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Maker:
    return maker(request.param, monkeypatch.setenv)


class TestRefusals:
    @pytest.mark.parametrize("code", [400, 413, 422])
    def test_halved(self, model: str, door: Door, made: Maker, code: int) -> None:
        """A request that is too large is halved, and what was learned holds for the rest."""
        texts = [chr(97 + at) for at in range(12)]
        with serving(rest=at_most(2, code)) as server:
            found = door(made(model, server.base_url, batch=7), texts)
        assert [len(some) for some in server.embedded] == [7, 4, 2, 2, 2, 2, 2, 2]
        assert found.vectors == tuple(array("f", letters(text)) for text in texts)

    def test_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """The log says which `batch=` would spare the refusal."""
        with serving(rest=at_most(2)) as server:
            own(server.base_url, batch=4).embed(["a", "b", "c", "d"])
        (message,) = [record.getMessage() for record in caplog.records if record.name == "tinysmith.models"]
        assert message == (
            "hosted_vllm/own refused 4 texts at once (HTTP 400); asking for 2. With batch= that small, nothing is "
            "refused."
        )

    def test_one_text(self, door: Door) -> None:
        """Where one text alone is refused, the error begins with it, and says no more of it than a line."""
        with serving(rest=at_most(0)) as server, pytest.raises(BadRequestError) as caught:
            door(own(server.base_url), ["a " * 100, "b"])
        assert [len(some) for some in server.embedded] == [2, 1]
        assert "It said: at most 0 inputs" in str(caught.value)
        assert str(caught.value).endswith(f"(A request of one text was refused: '{'a ' * 39}a…'.)")

    def test_too_long(self, door: Door) -> None:
        """A text that is longer than the model's context is a `ContextOverflow`."""
        with (
            serving(rest=overflow("vllm")) as server,
            pytest.raises(ContextOverflow, match="of one text was refused"),
        ):
            door(own(server.base_url), ["a"])

    @pytest.mark.parametrize(("code", "kind"), [(401, AuthenticationError), (404, ModelError)])
    def test_others(self, code: int, kind: type[ModelError], door: Door) -> None:
        """What has another reason is not asked again, in no other size."""
        with serving(rest=status(code)) as server, pytest.raises(kind) as caught:
            door(own(server.base_url), ["a", "b"])
        assert len(server.seen) == 1
        assert "of one text" not in str(caught.value)

    @pytest.mark.parametrize(
        ("texts", "problem"),
        [
            ("a text", r"The texts are a str\. Give a sequence of texts: \[text\]\."),
            (None, r"The texts are a NoneType\."),
            ({"a"}, r"The texts are a set\."),
            (["a", 3], r"texts\[1\] is a int, no text\. Give its text\."),
            (["a", ""], r"texts\[1\] is empty, and has no vector\. Leave it out\."),
            ([" \n"], r"texts\[0\] is empty"),
        ],
    )
    def test_texts(self, texts: Any, problem: str, door: Door) -> None:
        """What is no text, or an empty one, is told before anybody is asked."""
        with pytest.raises(UsageError, match=problem):
            door(own(refused_base_url(), batch=1), texts)


class TestTries:
    @pytest.mark.parametrize(
        ("bad", "kind"),
        [
            (status(429), RateLimited),
            (status(503), ServerError),
            (hang_up(), ServerError),
            (empty(), ServerError),
            (malformed(), ServerError),
            (html(), ServerError),
            (ok(), ServerError),
        ],
    )
    def test_count(self, bad: Answer, kind: type[ModelError], model: str, door: Door, made: Maker) -> None:
        """What may succeed later is tried again as often as told, and never more."""
        with serving(rest=bad) as server, pytest.raises(kind, match=r"Tried 2 times\."):
            door(made(model, server.base_url, max_retries=1, backoff_s=0.001), ["a"])
        assert len(server.seen) == 2
        with serving(bad, rest=embeddings()) as server:
            assert door(made(model, server.base_url, backoff_s=0.001), ["a"]).length == 26
        assert len(server.seen) == 2

    def test_no_retry(self, model: str, door: Door, made: Maker) -> None:
        """Without retries there is one request: LiteLLM adds none of its own."""
        with serving(rest=status(429)) as server, pytest.raises(RateLimited):
            door(made(model, server.base_url, max_retries=0), ["a"])
        assert len(server.seen) == 1

    def test_retry_after(self, model: str, door: Door, made: Maker) -> None:
        """`Retry-After` is waited out, and only the request that failed is sent again."""
        slow = status(429, headers={"retry-after": "0.2"})
        with serving(embeddings(), slow, rest=embeddings()) as server:
            door(made(model, server.base_url, batch=1, backoff_s=0.001), ["a", "b"])
        assert server.embedded == [["a"], ["b"], ["b"]]
        assert server.waits[1] >= 0.2

    def test_asks_too_much(self, door: Door) -> None:
        """A server that asks to wait longer than `max_wait_s` is not asked again."""
        with (
            serving(rest=status(429, headers={"retry-after": "60"})) as server,
            pytest.raises(RateLimited) as caught,
        ):
            door(own(server.base_url, max_wait_s=1), ["a"])
        assert len(server.seen) == 1
        assert caught.value.retry_after_s == 60

    @pytest.mark.parametrize("slow", [stall(), drip()])
    def test_timeout(self, slow: Answer, model: str, door: Door, made: Maker) -> None:
        """A try ends after `timeout_s`, whether nothing comes or a byte every now and then."""
        with serving(rest=slow) as server, pytest.raises(ModelTimeout):
            door(made(model, server.base_url, max_retries=0, timeout_s=0.2), ["a"])

    def test_refused(self, door: Door) -> None:
        """Where nothing listens, the error says so, and where."""
        nowhere = refused_base_url()
        with pytest.raises(ServerError, match=f"Nothing listens at {nowhere}"):
            door(own(nowhere, max_retries=0), ["a"])

    def test_cancelled(self, model: str) -> None:
        """Cancelling ends the request at once: the server sees the client hang up."""

        async def cancelled(base_url: str, asked: threading.Event) -> None:
            embedder = Embedder(model, base_url=base_url, api_key="sk-given")
            task = asyncio.create_task(embedder.aembed(["a"]))
            await asyncio.to_thread(asked.wait, 60)
            task.cancel()
            await task

        asked = threading.Event()

        def stalling(handler: Handler, seen: Seen) -> None:
            asked.set()
            stall()(handler, seen)

        with serving(rest=stalling) as server:
            with pytest.raises(asyncio.CancelledError):
                asyncio.run(cancelled(server.base_url, asked))
            assert server.hung_up.wait(60)

    def test_cancelled_pause(self) -> None:
        """Cancelling ends a wait for the next try, too."""

        async def timed_out(base_url: str) -> None:
            async with asyncio.timeout(0.2):
                await own(base_url).aembed(["a"])

        with serving(rest=status(429, headers={"retry-after": "50"})) as server, pytest.raises(TimeoutError):
            asyncio.run(timed_out(server.base_url))
        assert len(server.seen) == 1
