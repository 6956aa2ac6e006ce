"""What becomes of everything that can go wrong between an `LLM` and its server, over real HTTP."""

import importlib
import pickle
from collections.abc import Callable

import pytest
from loopback import (
    DOORS,
    SERVED,
    Answer,
    completion,
    echo_prompt,
    empty,
    hang_up,
    html,
    malformed,
    no_choices,
    ok,
    overflow,
    raw,
    refused_base_url,
    serving,
    status,
)

from tinysmith.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflow,
    ModelError,
    ModelTimeout,
    RateLimited,
    ServerError,
    UnknownModelError,
)
from tinysmith.messages import Ask, Message, Reply
from tinysmith.models._failures import of_exception
from tinysmith.models.llm import LLM

HELLO = Ask((Message("user", "Say hello."),))
Door = Callable[[LLM, Ask], Reply]


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


def failure(model: str, door: Door, answer: Answer, request: Ask = HELLO) -> ModelError:
    """What asking raises, having checked what holds for all: one request; an error without chain that pickles."""
    with serving(rest=answer) as server:
        with pytest.raises(ModelError) as caught:
            door(LLM(model, base_url=server.base_url, max_retries=0), request)
        assert len(server.seen) == 1
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert (error.model, str(error).startswith(f"{model}: ")) == (model, True)
    return error


@pytest.mark.parametrize("model", SERVED)
class TestStatus:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (400, BadRequestError),
            (401, AuthenticationError),
            (403, AuthenticationError),
            (404, UnknownModelError),
            (408, ModelTimeout),
            (413, BadRequestError),
            (422, BadRequestError),
            (429, RateLimited),
            (500, ServerError),
            (503, ServerError),
            (504, ServerError),
            (529, ServerError),
        ],
    )
    def test_kind(self, model: str, door: Door, code: int, kind: type[ModelError]) -> None:
        """Each HTTP status becomes one of our errors, with the status and the server's words."""
        error = failure(model, door, status(code, "these are its words"))
        assert (type(error), error.status) == (kind, code)
        assert f"(HTTP {code})" in str(error)
        assert str(error).endswith("It said: these are its words")

    @pytest.mark.parametrize("wording", ["openai", "vllm"])
    def test_overflow(self, model: str, door: Door, wording: str) -> None:
        """A prompt that is too long is told apart from other bad requests."""
        error = failure(model, door, overflow(wording))
        assert (type(error), error.status) == (ContextOverflow, 400)

    def test_overflow_in_other_words(self, model: str, door: Door) -> None:
        """It is, too, where LiteLLM does not know the server's words."""
        words = "the request exceeds the available context size, try increasing it"
        assert type(failure(model, door, status(400, words))) is ContextOverflow

    @pytest.mark.parametrize("header", ["7", "7.0"])
    def test_retry_after(self, model: str, door: Door, header: str) -> None:
        """`Retry-After` is on the error."""
        assert failure(model, door, status(429, headers={"Retry-After": header})).retry_after_s == 7

    def test_long_words(self, model: str, door: Door) -> None:
        """A server's long words are cut."""
        assert len(str(failure(model, door, status(500, "word " * 1000)))) < 500

    def test_prompt_echo(self, model: str, door: Door) -> None:
        """Of a prompt that the server repeats, no more than the beginning is in the message."""
        prompt = 'A "quoted" line.\n' * 20
        error = failure(model, door, echo_prompt(), Ask((Message("user", prompt),)))
        assert 'Cannot answer: A "quoted" line.' in str(error)
        assert str(error).count("quoted") <= 6

    def test_short_prompt_echo(self, model: str, door: Door) -> None:
        """A prompt of a few words stays readable."""
        assert str(failure(model, door, echo_prompt())).endswith("It said: Cannot answer: Say hello.")


@pytest.mark.parametrize("model", SERVED)
class TestUnreadable:
    @pytest.mark.parametrize(
        "answer", [no_choices(), empty(), malformed(), html(), raw(b"[1]"), raw(b"null"), raw(b'"x"')]
    )
    def test_answer(self, model: str, door: Door, answer: Answer) -> None:
        """An answer that is no completion is a server's failure, which has no status."""
        error = failure(model, door, answer)
        assert (type(error), error.status) == (ServerError, None)
        assert "cannot be read" in str(error)
        assert "Traceback" not in str(error)

    def test_hang_up(self, model: str, door: Door) -> None:
        """A connection that ends without an answer is a server's failure."""
        error = failure(model, door, hang_up())
        assert (type(error), error.status) == (ServerError, None)
        assert "broke before the answer was complete" in str(error)

    def test_cut_off(self, model: str, door: Door) -> None:
        """So is one that ends in the middle of an answer."""

        def half(handler: object, _: object) -> None:
            handler.close_connection = True  # type: ignore[attr-defined]  # a Handler
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")  # type: ignore[attr-defined]

        assert "broke before the answer" in str(failure(model, door, half))

    def test_refused(self, model: str, door: Door) -> None:
        """A refused connection says that nothing listens there."""
        base_url = refused_base_url()
        with pytest.raises(ServerError, match=f"Nothing listens at {base_url}") as caught:
            door(LLM(model, base_url=base_url, max_retries=0), HELLO)
        assert caught.value.status is None

    def test_unknown_host(self, model: str, door: Door) -> None:
        """A host without an address says so."""
        with pytest.raises(ServerError, match=r"The host of http://nowhere\.invalid/v1 is not known"):
            door(LLM(model, base_url="http://nowhere.invalid", max_retries=0), HELLO)


class TestProvider:
    @pytest.mark.parametrize("model", ["foo/bar", "meta-llama/Llama-3-8B", "openai_like/x"])
    def test_unknown(self, model: str, door: Door) -> None:
        """An unknown prefix lists known ones, and how to address a server of one's own."""
        with pytest.raises(UnknownModelError, match="openai, mistral, groq, hosted_vllm") as caught:
            door(LLM(model, base_url=refused_base_url()), HELLO)
        assert f"'hosted_vllm/{model}'" in str(caught.value)

    def test_near(self, door: Door) -> None:
        """A misspelt prefix is offered the right one."""
        with pytest.raises(UnknownModelError, match="such as mistral, "):
            door(LLM("mistrall/small"), HELLO)

    def test_not_groq(self, door: Door) -> None:
        """A server that is not Groq's, addressed as groq/, is told how it is addressed, and is asked but once."""
        body = {name: value for name, value in completion().items() if name != "service_tier"}
        with serving(rest=lambda handler, _: handler.send_json(200, body)) as server:
            with pytest.raises(BadRequestError, match=r"is not Groq.*hosted_vllm/ or openai/"):
                door(LLM("groq/x", base_url=server.base_url), HELLO)
            assert len(server.seen) == 1

    def test_in_process(self, door: Door) -> None:
        """A prefix whose package is missing says so."""
        with pytest.raises(BadRequestError, match="needs a package that is not installed"):
            door(LLM("vllm/x", base_url="http://127.0.0.1:1"), HELLO)

    def test_unsupported(self, door: Door) -> None:
        """An argument that the provider does not take is refused by name, before anything is sent."""
        with serving() as server, pytest.raises(BadRequestError, match="logit_bias") as caught:
            door(LLM("mistral/m", base_url=server.base_url, extra={"logit_bias": {"1": 2}}), HELLO)
        assert (server.seen, caught.value.status) == ([], None)

    def test_bug(self) -> None:
        """Where LiteLLM itself breaks, the request is bad, and is not sent again."""
        failed = of_exception(TypeError("broken"), str, model="openai/x", base_url=None)
        assert (failed.kind, failed.message) == (
            BadRequestError,
            "LiteLLM cannot send this request (TypeError). Correct it. It said: broken",
        )

    def test_early_timeout(self) -> None:
        """LiteLLM's own time-out, such as for connecting, is a time-out too."""
        error = importlib.import_module("litellm").Timeout("late", model="x", llm_provider="openai")
        assert of_exception(error, str, model="openai/x", base_url=None).kind is ModelTimeout

    def test_good_after_bad(self) -> None:
        """After a failure the same model answers."""
        with serving(hang_up(), ok("again")) as server:
            llm = LLM("openai/x", base_url=server.base_url, max_retries=0)
            with pytest.raises(ServerError):
                llm.ask(HELLO)
            assert llm.ask(HELLO).text == "again"
