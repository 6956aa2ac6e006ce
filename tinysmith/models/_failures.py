"""What went wrong with a request, in our words.

A failure is a value until the last moment: it is raised, as one of `tinysmith.errors`, in a frame that never
held a key, after LiteLLM's exception is gone with its frames.
"""

import json
import math
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from attrs import evolve, field, frozen

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
from tinysmith.models._secrets import Secret, scrub

MAX_WORDS = 300
"""How many characters of a server's own words are quoted."""

MAX_PROMPT = 80
"""How many characters of a prompt that the server repeats."""

_TOO_LONG = re.compile(
    r"context_length_exceeded|context (length|window|size)|prompt is too long|too many tokens|"
    r"reduce the length|too large for model",
    re.IGNORECASE,
)
_WRAPPING = re.compile(r"^((litellm\.)?\w*(Error|Timeout|Timeout Error|Exception)(: | - |:$))+")
_HTTP_LIBRARIES = frozenset({"httpx", "httpcore", "aiohttp", "httpx2", "httpcore2"})
_NOT_GROQ = "Address a server of your own as hosted_vllm/ or openai/ with base_url=."

_REMEDIES: Mapping[type[ModelError], str] = MappingProxyType(
    {
        AuthenticationError: "Check the key, and whether it may use this model.",
        BadRequestError: "Correct the request; sending it again does not help.",
        ContextOverflow: "Shorten it, or use a model with a longer one.",
        UnknownModelError: "Check the model's name, its prefix and base_url.",
        RateLimited: "Run fewer at once, or raise max_retries.",
        ServerError: "See the provider's status page, or the server's log.",
        ModelTimeout: "Raise timeout_s, or ask for less at once.",
    }
)
_SPEAKING = frozenset({BadRequestError, AuthenticationError, UnknownModelError, ContextOverflow})
"""Where nothing was heard from a server, only these come with words worth quoting: LiteLLM's own."""


@frozen
class Failure:
    """Why there is no reply.

    Attributes:
        kind: The error that says so.
        message: What happened and what to do, in whole sentences.
        model: The model as the user named it.
        status: The HTTP status, where there was one.
        retry_after_s: How long the server asked to wait, in seconds.
    """

    kind: type[ModelError]
    message: str
    model: str = field(kw_only=True)
    status: int | None = field(default=None, kw_only=True)
    retry_after_s: float | None = field(default=None, kw_only=True)

    def and_(self, more: str) -> "Failure":
        """The same failure, with another sentence."""
        return evolve(self, message=f"{self.message} {more}")

    def error(self) -> ModelError:
        """The exception to raise."""
        return self.kind(self.message, model=self.model, status=self.status, retry_after_s=self.retry_after_s)


def timeout(model: str, seconds: float) -> Failure:
    """No complete answer in time."""
    problem = f"No complete answer within {seconds:.3g} s. Raise timeout_s, or ask for less at once."
    return Failure(ModelTimeout, problem, model=model)


def unreadable(model: str, why: str) -> Failure:
    """An answer came, but it is none."""
    problem = f"The server's answer cannot be read ({why}). See what runs there."
    return Failure(ServerError, problem, model=model)


def of_exception(
    error: BaseException, quote: Callable[[str], str], *, model: str, base_url: str | None
) -> Failure:
    """Reads an exception of LiteLLM, or of a library under it, by types of Python and by names alone.

    Args:
        error: The exception.
        quote: Makes a server's words fit to be shown.
        model: The model as the user named it.
        base_url: Where the request went, if the user said so.
    """
    links = tuple(_links(error))
    status = next((found for link in links if (found := _http_status(link)) is not None), None)
    said = _said(quote(_words(error)))
    if status is not None:
        kind, problem = _of_status(status, is_too_long=_is_too_long(error))
        after = _retry_after(links)
        message = f"{problem} (HTTP {status}). {_REMEDIES[kind]}{said}"
        return Failure(kind, message, model=model, status=status, retry_after_s=after)
    kind, problem = _of_names(error, links, base_url or "the provider's address")
    return Failure(kind, f"{problem}{said if kind in _SPEAKING else ''}", model=model)


def fit_to_show(text: str, key: Secret | None, prompts: Iterable[str]) -> str:
    """A server's words: without keys, with the beginning of a prompt at most, on one line, not too long."""
    text = scrub(text, key)
    for prompt in prompts:
        for start in {prompt[: MAX_PROMPT + 1], json.dumps(prompt)[1:-1][: MAX_PROMPT + 1]}:
            at = text.find(start)
            if len(prompt) > MAX_PROMPT and at >= 0:
                text = text[: at + MAX_PROMPT] + "…"
    text = " ".join(text.split())
    return text if len(text) <= MAX_WORDS else text[:MAX_WORDS] + "…"


# What an exception says --------------------------------------------------------------------------


def _links(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _http_status(link: BaseException) -> int | None:
    """Only the HTTP library's exception has the true one; LiteLLM says 500 for a refused connection."""
    if "HTTPStatusError" not in _names(link):
        return None
    status = getattr(getattr(link, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _words(error: BaseException) -> str:
    """The server's own words, out of what LiteLLM wraps around them."""
    text = _WRAPPING.sub("", str(error))
    try:
        body = json.loads(text)
    except ValueError:
        return text
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message", inner) if isinstance(inner, dict) else inner
    return message if isinstance(message, str) else text


def _said(words: str) -> str:
    words, _, _ = words.partition("Traceback")  # LiteLLM's own goes into its messages
    return f" It said: {words.strip()}" if words.strip() else ""


def _retry_after(links: Iterable[BaseException]) -> float | None:
    for link in links:
        headers = getattr(getattr(link, "response", None), "headers", None) or {}
        if (value := headers.get("retry-after")) is not None:
            return seconds_of(value)
    return None


def seconds_of(retry_after: str) -> float | None:
    """The seconds that a `Retry-After` header asks to wait; None if it cannot be read."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            then = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (then.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


# What it means -----------------------------------------------------------------------------------


def _is_too_long(error: BaseException) -> bool:
    return type(error).__name__ == "ContextWindowExceededError" or _TOO_LONG.search(str(error)) is not None


def _of_status(status: int, *, is_too_long: bool) -> tuple[type[ModelError], str]:
    if status in {401, 403}:
        return AuthenticationError, "The provider refuses the key"
    if status == 404:
        return UnknownModelError, "There is no such model or path"
    if status == 408:
        return ModelTimeout, "The server gave up waiting"
    if status == 429:
        return RateLimited, "The provider asks for fewer requests"
    if 400 <= status < 500:
        if is_too_long:
            return ContextOverflow, "The prompt is longer than the model's context window"
        return BadRequestError, "The provider refuses this request"
    return ServerError, "The server failed"


def _of_names(error: BaseException, links: Sequence[BaseException], where: str) -> tuple[type[ModelError], str]:
    """No answer, or one that LiteLLM could not read, or none of its fault: no HTTP status tells them apart."""
    code = getattr(error, "status_code", None)
    for link in links:
        if isinstance(link, ConnectionRefusedError):
            return ServerError, f"Nothing listens at {where}. Start the server there, or correct base_url."
        if isinstance(link, socket.gaierror):
            return ServerError, f"The host of {where} is not known. Correct it, or check the network."
        if isinstance(link, ImportError):
            return BadRequestError, "LiteLLM's part for this provider needs a package that is not installed."
        if isinstance(link, AttributeError) and "service_tier" in str(link):
            return BadRequestError, f"What answers at {where} is not Groq. {_NOT_GROQ}"
    if type(error).__name__ == "Timeout":
        return ModelTimeout, f"No answer in time. {_REMEDIES[ModelTimeout]}"
    if type(error).__name__ == "LiteLLMUnknownProvider" or "LLM Provider NOT provided" in str(error):
        return UnknownModelError, "There is no such provider."
    if any(type(link).__module__.partition(".")[0] in _HTTP_LIBRARIES for link in links):
        return ServerError, f"The connection to {where} broke before the answer was complete. See its log."
    if isinstance(code, int) and 400 <= code < 500:
        kind, problem = _of_status(code, is_too_long=_is_too_long(error))
        return kind, f"{problem}. {_REMEDIES[kind]}"
    if isinstance(code, int):
        return ServerError, f"The answer from {where} cannot be read. See what runs there."
    return BadRequestError, f"LiteLLM cannot send this request ({type(error).__name__}). Correct it."
