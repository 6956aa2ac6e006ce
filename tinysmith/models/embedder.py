"""`Embedder`: an embedding model behind an API, through LiteLLM.

    Embedder("mistral/mistral-embed")
    Embedder("openai/text-embedding-3-small", batch=256)
    Embedder("hosted_vllm/my-model", base_url="http://localhost:8000")     # a server of your own

Keys, `base_url` and retries are as with `LLM`.
"""

import asyncio
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from inspect import signature
from typing import Any, TypeAlias

from attrs import frozen

from tinysmith._shown import encodable, one_line
from tinysmith.errors import ServerError, UsageError
from tinysmith.messages import FREE
from tinysmith.models import _checks, _endpoints, _litellm, _switch
from tinysmith.models._embeddings import EmbeddingCall, Embeddings
from tinysmith.models._endpoints import Endpoint
from tinysmith.models._failures import Failure
from tinysmith.models._secrets import Secret
from tinysmith.models._tries import Patience, Pause, Try, log, tries

_SHOWN = ("api_key_env", "base_url", "batch", "timeout_s", "max_retries", "backoff_s", "max_wait_s")
_NUMBERS = (
    ("batch", 1, True),
    ("timeout_s", 0.001, False),
    ("max_retries", 0, True),
    ("backoff_s", 0, False),
    ("max_wait_s", 0, False),
)
_MISTRAL = "https://api.mistral.ai/v1"
_TOO_MUCH = frozenset({400, 413, 422})
"""What servers answer where a request holds more texts, or longer ones, than they take at once."""

_HALVED = "%s refused %d texts at once (HTTP %d); asking for %d. With batch= that small, nothing is refused."
_ALONE = "(A request of one text was refused: {!r}.)"
_OTHER_LENGTH = "The server gave vectors of {} numbers, and now of {}. See whether it serves one model only."


class _Once(int):
    """No retries, but true: LiteLLM reads `max_retries or 2`, so a plain 0 sends each request three times."""

    def __bool__(self) -> bool:
        return True


_Outcome: TypeAlias = Embeddings | Failure | None
_Order: TypeAlias = Try[Embeddings] | Pause | Embeddings | Failure
_Orders: TypeAlias = Generator[_Order, _Outcome, None]
"""It is sent what came of an order: an answer or a failure, and nothing for what it gives itself."""


@frozen(init=False, repr=False)
class Embedder:
    """An embedding model behind an API. A value: any number of threads may share it.

    Requests that may succeed later are tried again, as those of `LLM` are. A request that is refused as bad or too
    large (400, 413, 422) is halved, down to single texts, for servers differ in how much they take at once; the
    error then tells which text is refused.

    A pickle holds no key, as with `LLM`.

    Attributes:
        model: `provider/name`.
        api_key: The key; never shown, never pickled. Left out, it is read from the environment at each request.
        api_key_env: The environment variable that holds the key. It may travel to `base_url`, like `api_key`.
        base_url: The server, in the form that `/embeddings` is appended to. Where it is a host alone, `/v1` is
            added.
        batch: How many texts one request carries, at most.
        timeout_s: The longest that one try may take, from sending to the last byte of the answer.
        max_retries: How many tries may follow the first.
        backoff_s: The longest wait before the first retry; it doubles with each.
        max_wait_s: The longest wait before any retry. A server that asks for more is not asked again.
    """

    model: str
    api_key: Secret | None
    api_key_env: str | None
    base_url: str | None
    batch: int
    timeout_s: float
    max_retries: int
    backoff_s: float
    max_wait_s: float

    def __init__(
        self,
        model: str,
        *,
        api_key: str | Secret | None = None,
        api_key_env: str | None = None,
        base_url: str | None = None,
        batch: int = 64,
        timeout_s: float = 60,
        max_retries: int = 3,
        backoff_s: float = 0.5,
        max_wait_s: float = 60,
    ) -> None:
        # First of all, so that no traceback shows this frame with the key in it.
        api_key, api_key_env = Secret.of(api_key), _checks.variable_name(api_key_env)
        given = {name: value for name, value in locals().items() if name != "self"}
        self.__attrs_init__(**_checked(given))

    def __repr__(self) -> str:
        # Tracebacks show locals, so this must not fail on an Embedder whose making failed half-way.
        usual = {name: parameter.default for name, parameter in signature(Embedder.__init__).parameters.items()}
        given = {name: getattr(self, name, usual[name]) for name in _SHOWN}
        shown = [f"{name}={value!r}" for name, value in given.items() if value != usual[name]]
        return f"Embedder({', '.join([repr(getattr(self, 'model', None)), *shown])})"

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Turns texts into vectors, blocking.

        Raises:
            UsageError: A text is empty, or no text.
            ModelError: There are no vectors, still after the retries.
        """
        return _joined(self.batches(texts))

    async def aembed(self, texts: Sequence[str]) -> Embeddings:
        """Turns texts into vectors, asynchronously. Cancelling ends the request at once.

        Raises:
            UsageError: A text is empty, or no text.
            ModelError: There are no vectors, still after the retries.
        """
        orders, brought = self._orders(texts), []
        order = _next(orders)
        while order is not None:
            if isinstance(order, Embeddings):
                brought.append(order)
            order = _next(orders, await _ado(order))
        return _joined(brought)

    def batches(self, texts: Sequence[str]) -> Iterator[Embeddings]:
        """Turns texts into vectors, blocking, and gives what each request brought before the next is sent.

        Raises:
            UsageError: A text is empty, or no text.
            ModelError: There are no vectors, still after the retries.
        """
        orders = self._orders(texts)
        order = _next(orders)
        while order is not None:
            if isinstance(order, Embeddings):
                yield order
            order = _next(orders, _do(order))

    def _orders(self, texts: Sequence[str]) -> _Orders:
        """What is to be done, one after the other; among it what a request brought, or at last why all is over."""
        _check_texts(texts)
        patience = Patience(self.timeout_s, self.max_retries, self.backoff_s, self.max_wait_s)
        at, most, length = 0, self.batch, 0
        while at < len(texts):
            some = tuple(texts[at : at + most])
            call = self._call(some)
            outcome = call if isinstance(call, Failure) else (yield from tries(call, patience, float("inf")))
            if isinstance(outcome, Embeddings) and outcome.length != (length := length or outcome.length):
                outcome = Failure(ServerError, _OTHER_LENGTH.format(length, outcome.length), model=self.model)
            if isinstance(outcome, Embeddings):
                at += len(some)
                yield outcome
            elif outcome.status not in _TOO_MUCH:
                yield outcome
            elif len(some) == 1:
                yield outcome.and_(_ALONE.format(one_line(some[0], 80)))
            else:
                most = (len(some) + 1) // 2
                log.warning(_HALVED, self.model, len(some), outcome.status, most)

    def _call(self, texts: Sequence[str]) -> EmbeddingCall | Failure:
        """What to send, and where; or why that is in vain."""
        found = _endpoints.find(self.model, self.base_url, self.api_key, self.api_key_env)
        endpoint = _switch.permitted(found, self.model)
        if isinstance(endpoint, Failure):
            return endpoint
        name, endpoint = self._route(endpoint)
        once = {"timeout": self.timeout_s, "num_retries": 0, "max_retries": _Once(0)}
        return EmbeddingCall(self.model, endpoint, {"model": name, "input": [*map(encodable, texts)], **once})

    def _route(self, endpoint: Endpoint) -> tuple[str, Endpoint]:
        """The model's name for LiteLLM, and where it is.

        For `openai/` and `mistral/`, LiteLLM takes OpenAI's client. It adds headers from the environment, which
        are no business of another host, and here they cannot be taken out; and for Mistral it retries by itself.
        What LiteLLM does for `hosted_vllm/` is the same request, with neither.
        """
        prefix, _, name = self.model.partition("/")
        if prefix == "mistral" or (prefix == "openai" and self.base_url is not None):
            return f"hosted_vllm/{name}", Endpoint(endpoint.base_url or _MISTRAL, endpoint.key)
        return self.model, endpoint


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an Embedder, as they shall be."""
    _checks.check_key(given["api_key"], given["api_key_env"])
    model, base_url = given["model"], given["base_url"]
    if not isinstance(model, str):
        raise UsageError(f"model={model!r} is not text.")
    prefix = _endpoints.prefix_of(model)
    if not isinstance(base_url, str | None):
        raise UsageError(f"base_url={base_url!r} is not text.")
    for name, least, whole in _NUMBERS:
        if given[name] is None:
            raise UsageError(f"{name} is None. Give a number, or leave it out.")
        _checks.check_number(name, given[name], least=least, whole=whole)
    return given | {"base_url": None if base_url is None else _endpoints.normalised(base_url, prefix)}


def _check_texts(texts: object) -> None:
    """Raises a `UsageError` for what no server takes, before any of it is paid for."""
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise UsageError(f"The texts are a {type(texts).__name__}. Give a sequence of texts: [text].")
    for at, text in enumerate(texts):
        if not isinstance(text, str):
            raise UsageError(f"texts[{at}] is a {type(text).__name__}, no text. Give its text.")
        if not text.strip():
            raise UsageError(f"texts[{at}] is empty, and has no vector. Leave it out.")


def _joined(brought: Iterable[Embeddings]) -> Embeddings:
    whole = Embeddings((), FREE)
    for some in brought:
        whole = Embeddings(whole.vectors + some.vectors, whole.usage + some.usage)
    return whole


def _next(orders: _Orders, outcome: _Outcome = None) -> _Order | None:
    try:
        return orders.send(outcome)
    except StopIteration:
        return None


def _do(order: _Order) -> _Outcome:
    if isinstance(order, Try):
        return _litellm.complete(order.call, order.timeout_s, function="embedding")
    if isinstance(order, Pause):
        time.sleep(order.seconds)
        return order.failure
    _check(order)
    return None


async def _ado(order: _Order) -> _Outcome:
    if isinstance(order, Try):
        return await _litellm.acomplete(order.call, order.timeout_s, function="embedding")
    if isinstance(order, Pause):
        await asyncio.sleep(order.seconds)
        return order.failure
    _check(order)
    return None


def _check(result: Embeddings | Failure) -> None:
    """Raises what has failed, in a frame and at a time that know of no key."""
    if isinstance(result, Failure):
        raise result.error()
