"""How often an `LLM` tries, how long it waits, who is asked next, and what ends a request."""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import FrameType

import pytest
from attrs import evolve
from loopback import (
    DOORS,
    POLL_S,
    SERVED,
    Answer,
    Handler,
    Seen,
    drip,
    empty,
    hang_up,
    malformed,
    no_choices,
    ok,
    overflow,
    refused_base_url,
    serving,
    stall,
    status,
)

from tinysmith.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflow,
    ModelTimeout,
    RateLimited,
    ServerError,
    UnknownModelError,
)
from tinysmith.messages import Ask, Message, Reply
from tinysmith.models import _watchdog
from tinysmith.models._failures import seconds_of
from tinysmith.models.llm import LLM

HELLO = Ask((Message("user", "Say hello."),))
Door = Callable[[LLM, Ask], Reply]


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture(params=SERVED)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True, scope="module")
def warm() -> None:
    """LiteLLM's first request of a kind imports for a second, which these short time-outs would not forgive."""
    with serving() as server:
        for model in SERVED:
            for door in DOORS.values():
                door(LLM(model, base_url=server.base_url), HELLO)


def drip_headers() -> Answer:
    """An endless header, a byte at a time."""

    def answer(handler: Handler, _: Seen) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not handler.server.closing.wait(POLL_S) and not handler.has_hung_up():
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return answer


class Odd:
    """Whoever asks it for something that it has not asks for ever, as of some objects that are being made."""

    def __getattr__(self, name: str) -> object:
        return getattr(self, name)

    def frame(self) -> FrameType:
        """Where it is at work."""
        return sys._getframe()


class TestRetries:
    @pytest.mark.parametrize(
        "bad",
        [status(429), status(500), status(503), hang_up(), no_choices(), empty(), malformed()],
        ids=["429", "500", "503", "hang_up", "no_choices", "empty", "malformed"],
    )
    def test_then_success(self, model: str, door: Door, bad: Answer) -> None:
        """What may succeed later is tried again: two failures and a success are three requests."""
        with serving(bad, bad) as server:
            assert door(LLM(model, base_url=server.base_url, backoff_s=0.001), HELLO).text == "hello"
            assert len(server.seen) == 3

    @pytest.mark.parametrize("retries", [0, 2])
    def test_in_vain(self, model: str, door: Door, retries: int) -> None:
        """max_retries counts the requests after the first, exactly: nothing below retries by itself."""
        with serving(rest=status(500)) as server:
            with pytest.raises(ServerError) as caught:
                door(LLM(model, base_url=server.base_url, max_retries=retries, backoff_s=0.001), HELLO)
            assert len(server.seen) == retries + 1
        assert ("Tried 3 times." in str(caught.value)) == (retries == 2)

    @pytest.mark.parametrize("code", [400, 401, 403, 404, 422])
    def test_hopeless(self, model: str, door: Door, code: int) -> None:
        """What fails for good is asked once."""
        with serving(rest=status(code)) as server:
            with pytest.raises((BadRequestError, AuthenticationError, UnknownModelError)):
                door(LLM(model, base_url=server.base_url), HELLO)
            assert len(server.seen) == 1

    def test_backoff(self, door: Door) -> None:
        """The waits stay below a bound that doubles, and differ."""
        with serving(rest=status(500)) as server:
            with pytest.raises(ServerError):
                door(LLM("hosted_vllm/x", base_url=server.base_url, backoff_s=0.05, max_retries=4), HELLO)
            waits = server.waits
        assert all(wait < 0.05 * 2**n + 0.2 for n, wait in enumerate(waits))
        assert len(set(waits)) == len(waits) == 4

    def test_bounded(self) -> None:
        """No wait is longer than max_wait_s."""
        with serving(rest=status(500)) as server:
            llm = LLM("hosted_vllm/x", base_url=server.base_url, backoff_s=1000, max_wait_s=0.01)
            with pytest.raises(ServerError):
                llm.ask(HELLO)
            assert max(server.waits) < 1

    def test_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each retry is a warning that names model and reason, and neither prompt nor the server's words."""
        with serving(status(500, "its words"), hang_up()) as server:
            LLM("hosted_vllm/x", base_url=server.base_url, backoff_s=0.001).ask(HELLO)
        records = [record for record in caplog.records if record.name == "tinysmith.models"]
        assert [record.levelno for record in records] == [logging.WARNING] * 2
        assert records[0].getMessage().startswith("hosted_vllm/x: try 1 failed (server, HTTP 500); the next in ")
        assert records[1].getMessage().startswith("hosted_vllm/x: try 2 failed (server); the next in ")


class TestRetryAfter:
    @pytest.mark.parametrize("code", [429, 503])
    def test_waited_out(self, model: str, door: Door, code: int) -> None:
        """`Retry-After` is waited out in full."""
        with serving(status(code, headers={"Retry-After": "0.3"})) as server:
            door(LLM(model, base_url=server.base_url, backoff_s=0.01), HELLO)
            (wait,) = server.waits
        assert 0.3 <= wait < 30  # a slow machine is no fault of the code

    def test_too_long(self, model: str, door: Door) -> None:
        """A server that asks to wait longer than max_wait_s is not asked again, and the message says so."""
        with serving(rest=status(429, headers={"Retry-After": "3600"})) as server:
            with pytest.raises(RateLimited, match="asks to wait 3600 s, more than max_wait_s=60") as caught:
                door(LLM(model, base_url=server.base_url), HELLO)
            assert len(server.seen) == 1
        assert caught.value.retry_after_s == 3600

    def test_date(self) -> None:
        """It may be a date, and one that is past means no wait."""
        soon = seconds_of(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
        assert soon is not None
        assert 25 < soon <= 30
        assert seconds_of(format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)) == 0

    @pytest.mark.parametrize("header", ["soon", "", "nan", "inf"])
    def test_unreadable(self, header: str) -> None:
        """What cannot be read asks for nothing."""
        assert seconds_of(header) is None

    def test_negative(self) -> None:
        """A negative number asks for no wait."""
        assert seconds_of("-3") == 0


class TestTimeout:
    @pytest.mark.parametrize("slow", [stall, drip, drip_headers])
    def test_ends(self, model: str, door: Door, slow: Callable[[], Answer]) -> None:
        """A server that stalls, or sends a byte now and then for ever, is left when timeout_s is over."""
        with serving(rest=slow()) as server:
            begun = time.monotonic()
            with pytest.raises(ModelTimeout, match=r"No complete answer within 0\.6 s|No answer in time"):
                door(LLM(model, base_url=server.base_url, timeout_s=0.6, max_retries=0), HELLO)
            assert time.monotonic() - begun < 30
            assert len(server.seen) == 1

    def test_tried_again(self, model: str, door: Door) -> None:
        """A time-out is tried again."""
        with serving(drip()) as server:
            llm = LLM(model, base_url=server.base_url, timeout_s=0.6, backoff_s=0.001)
            assert door(llm, HELLO).text == "hello"
            assert len(server.seen) == 2

    @pytest.mark.parametrize("slow", [stall, drip])
    def test_run_time(self, model: str, door: Door, slow: Callable[[], Answer]) -> None:
        """What is left of the run's time ends a try before timeout_s does, and no other try follows."""
        with serving(rest=slow()) as server:
            begun = time.monotonic()
            with pytest.raises(ModelTimeout):
                door(LLM(model, base_url=server.base_url), evolve(HELLO, timeout_s=0.6))
            assert time.monotonic() - begun < 30
            assert len(server.seen) == 1

    def test_run_time_in_wait(self, door: Door) -> None:
        """A wait that would outlast the run's time is not begun: the failure is told at once."""
        with serving(rest=status(429, headers={"Retry-After": "20"})) as server:
            with pytest.raises(RateLimited):
                door(LLM("hosted_vllm/x", base_url=server.base_url), evolve(HELLO, timeout_s=10))
            assert len(server.seen) == 1

    def test_no_time(self, door: Door) -> None:
        """With no time left, nothing is sent."""
        with serving() as server, pytest.raises(ModelTimeout):
            door(LLM("hosted_vllm/x", base_url=server.base_url), evolve(HELLO, timeout_s=0))
        assert server.seen == []

    def test_hang_up(self, door: Door) -> None:
        """A time-out ends the request: the server sees the connection go."""
        with serving(stall()) as server:
            with pytest.raises(ModelTimeout):
                door(LLM("mistral/x", base_url=server.base_url, timeout_s=0.2, max_retries=0), HELLO)
            assert server.hung_up.wait(5)

    def test_after_fork(self) -> None:
        """A forked process, which has none of its parent's threads, watches anew."""
        _watchdog._begin_anew()
        self.test_ends(SERVED[0], DOORS["ask"], drip)

    def test_socketless(self) -> None:
        """A late thread that reads no socket is left alone until it does."""
        with _watchdog.watching(0.01) as watch:
            time.sleep(0.1)
        assert watch.is_late
        _watchdog._shut_socket_of(None)
        _watchdog._shut_socket_of(Odd().frame())
        with socket.socket() as unconnected:
            _watchdog._shut(unconnected)

    def test_others(self) -> None:
        """A late thread's end leaves the others alone."""
        with _watchdog.watching(60) as other:
            self.test_ends(SERVED[1], DOORS["ask"], drip)
        assert not other.is_late


class TestCancel:
    def test_ends_request(self, model: str) -> None:
        """Cancelling ends the request at once: the server sees the connection go."""

        async def cancelled() -> float:
            asking = asyncio.create_task(LLM(model, base_url=server.base_url).aask(HELLO))
            while not server.seen:  # noqa: ASYNC110  # the server is in another thread
                await asyncio.sleep(0.01)
            begun = time.monotonic()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            return time.monotonic() - begun

        with serving(rest=stall()) as server:
            assert asyncio.run(cancelled()) < 0.5
            assert server.hung_up.wait(5)

    def test_in_wait(self) -> None:
        """Cancelling ends a wait between tries."""

        async def cancelled() -> None:
            async with asyncio.timeout(0.3):
                await LLM("hosted_vllm/x", base_url=server.base_url).aask(HELLO)

        with serving(rest=status(429, headers={"Retry-After": "30"})) as server:
            with pytest.raises(TimeoutError):
                asyncio.run(cancelled())
            assert len(server.seen) == 1


class TestFallbacks:
    def test_order(self, door: Door) -> None:
        """When a model failed for good, the next is asked; the reply says who answered."""
        with serving(rest=status(500)) as bad, serving(rest=status(401)) as worse, serving() as good:
            third = LLM("mistral/c", base_url=good.base_url)
            second = LLM("groq/b", base_url=worse.base_url)
            llm = LLM("openai/a", base_url=bad.base_url, max_retries=1, backoff_s=0.001, fallbacks=(second, third))
            assert door(llm, HELLO).model == "mistral/c"
            assert [len(server.seen) for server in (bad, worse, good)] == [2, 1, 1]

    def test_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each step to a fallback is a warning."""
        with serving(status(404)) as server:
            LLM("openai/a", base_url=server.base_url, fallbacks=[LLM("openai/b", base_url=server.base_url)]).ask(
                HELLO
            )
        assert [r.getMessage() for r in caplog.records if r.name == "tinysmith.models"] == [
            "openai/a failed (unknown_model, HTTP 404); asking openai/b."
        ]

    @pytest.mark.parametrize(
        ("bad", "kind"), [(status(400), BadRequestError), (overflow("openai"), ContextOverflow)]
    )
    def test_bad_request(self, door: Door, bad: Answer, kind: type[Exception]) -> None:
        """A request that is wrong itself is not passed on."""
        with serving(bad) as server:
            other = LLM("openai/b", base_url=server.base_url)
            with pytest.raises(kind):
                door(LLM("openai/a", base_url=server.base_url, fallbacks=[other]), HELLO)
            assert len(server.seen) == 1

    def test_all_fail(self, door: Door) -> None:
        """When all fail, the error is the first model's, and names the others'."""
        with serving(rest=status(401)) as server:
            other = LLM("mistral/b", base_url=refused_base_url(), max_retries=0)
            with pytest.raises(
                AuthenticationError, match=r"^openai/a: .*fallbacks failed too\. mistral/b: Nothing listens"
            ):
                door(LLM("openai/a", base_url=server.base_url, fallbacks=[other]), HELLO)

    def test_names(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A fallback that is a name takes over sampling and patience, and has the key of its own provider."""
        with serving(status(500)) as bad, serving() as good:
            monkeypatch.setenv("GROQ_API_BASE", good.base_url)
            monkeypatch.setenv("GROQ_API_KEY", "groqs-own-key")
            llm = LLM(
                "openai/a", base_url=bad.base_url, api_key="first-key", seed=3, max_retries=0, fallbacks=["groq/b"]
            )
            assert door(llm, HELLO).model == "groq/b"
            assert (good.auth, good.seen[0].body["seed"]) == (["Bearer groqs-own-key"], 3)

    def test_shared_time(self, door: Door) -> None:
        """The run's time is one for all: when it is over, no fallback is asked."""
        with serving(stall()) as server:
            other = LLM("openai/b", base_url=server.base_url)
            with pytest.raises(ModelTimeout):
                door(LLM("openai/a", base_url=server.base_url, fallbacks=[other]), evolve(HELLO, timeout_s=0.6))
            assert len(server.seen) == 1

    def test_answer(self, door: Door) -> None:
        """A model that answers needs no fallback."""
        with serving(ok("first")) as server:
            assert door(LLM("openai/a", base_url=server.base_url, fallbacks=["groq/b"]), HELLO).text == "first"
