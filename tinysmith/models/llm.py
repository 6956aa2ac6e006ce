"""`LLM`: a language model behind an API, through LiteLLM.

    LLM("mistral/mistral-small-latest", temperature=0.2)
    LLM("groq/openai/gpt-oss-20b", fallbacks=("mistral/mistral-small-latest",))
    LLM("hosted_vllm/my-model", base_url="http://localhost:8000")     # a server of your own

The prefix says whose model it is, and which environment variable holds its key: `OPENAI_API_KEY`,
`MISTRAL_API_KEY`, `GROQ_API_KEY`, …. Such a key goes to that provider alone: what `base_url` names is sent
`api_key`, or the variable that `api_key_env` names, or no key. A `.env` file is not read. `OPENAI_BASE_URL`,
`OPENAI_API_BASE`, `GROQ_API_BASE`, `MISTRAL_AZURE_API_BASE` and `HOSTED_VLLM_API_BASE` send requests
elsewhere, and the environment's key with them, for both come from the same hand; `base_url` overrides them.

LiteLLM is imported at the first request, which takes some seconds.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

from attrs import field, frozen

from tinysmith.errors import BadRequestError, RealRequestRefused, UsageError
from tinysmith.mapping import JSON, FrozenDict, thaw
from tinysmith.messages import Ask, Reply
from tinysmith.models import _checks, _endpoints, _litellm, _switch
from tinysmith.models._failures import Failure
from tinysmith.models._secrets import Secret
from tinysmith.models._switch import allow_real_requests, forbid_real_requests
from tinysmith.models._translate import Call, Prices, request_arguments
from tinysmith.models._tries import Order, Outcome, Patience, Tries, Try, described, log, tries

__all__ = ["LLM", "allow_real_requests", "forbid_real_requests"]

_SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "stop")
_SHOWN = (*_SAMPLING, "api_key_env", "base_url", "timeout_s", "max_retries", "fallbacks", "takes_schema")
_HOPELESS = (BadRequestError, RealRequestRefused)
"""What no fallback is asked for: it would fail likewise, or must be seen."""

_LOCAL = frozenset({"ollama", "ollama_chat", "llamafile"})
"""Servers of the user's own that need no base_url. They take schemas, which LiteLLM's list does not know."""

_PATIENCE = ("timeout_s", "max_retries", "backoff_s", "max_wait_s")


@frozen(init=False, repr=False)
class LLM:
    """A language model behind an API. A value: any number of runs and threads may share it.

    What is not given is not sent. Requests that may succeed later (429, 5xx, broken connections, unreadable
    answers, time-outs) are tried again, with exponential back-off and full jitter; all others fail at once.

    A pickle holds no key. Where `api_key` was given, the unpickled model reads the provider's environment
    variable; with `base_url` it refuses to ask, since a key from the environment goes to no host named there.
    `api_key_env` survives a pickle.

    Attributes:
        model: `provider/name`.
        temperature: How random replies are.
        top_p: The share of probability that tokens are drawn from.
        max_tokens: The longest reply, in tokens.
        seed: For replies that repeat, where the provider can.
        stop: A text that ends the reply, or several.
        api_key: The key; never shown, never pickled. Left out, it is read from the environment at each
            request.
        api_key_env: The environment variable that holds the key. It may travel to `base_url`, like `api_key`.
        base_url: The server, in the form that `/chat/completions` is appended to. Where it is a host alone,
            `/v1` is added for `openai/`, `mistral/`, `groq/` and `hosted_vllm/`; a path that is given is kept
            as it is.
        timeout_s: The longest that one try may take, from sending to the last byte of the answer. What is
            left of the run's own time (`Ask.timeout_s`) shortens it, and limits all tries and waits together.
        max_retries: How many tries may follow the first.
        backoff_s: The longest wait before the first retry; it doubles with each.
        max_wait_s: The longest wait before any retry. `Retry-After` is honoured up to it; a server that asks
            for more is not asked again.
        fallbacks: Who is asked next when this model failed for good, in order: models, or names, which take
            over sampling and patience, but neither key nor base_url nor prices. A request that is refused as
            bad or too long is not passed on: it is wrong with every provider, and `Agent.shorten` is the
            remedy for length.
        input_cost_per_token: Your own price, in US dollars; with `output_cost_per_token`, instead of
            LiteLLM's list.
        output_cost_per_token: As above, for what the model writes.
        takes_schema: Whether a reply's schema is sent as one, or else put into the prompt. Left out, it is sent to
            `base_url` and to servers of your own, and to others as LiteLLM knows the model.
        extra: More arguments for `litellm.completion`. It is pickled, so it is no place for keys.
    """

    model: str
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    seed: int | None
    stop: str | tuple[str, ...] | None
    api_key: Secret | None
    api_key_env: str | None
    base_url: str | None
    timeout_s: float
    max_retries: int
    backoff_s: float
    max_wait_s: float
    fallbacks: "tuple[LLM, ...]"
    input_cost_per_token: float | None
    output_cost_per_token: float | None
    takes_schema: bool | None
    extra: FrozenDict[str, JSON] = field(hash=False)
    # What each request needs again, made once.
    _fixed: dict[str, Any] = field(init=False, eq=False)
    _patience: Patience = field(init=False, eq=False)
    _prices: Prices | None = field(init=False, eq=False)

    def __init__(
        self,
        model: str,
        *,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] | None = None,
        api_key: str | Secret | None = None,
        api_key_env: str | None = None,
        base_url: str | None = None,
        timeout_s: float = 60,
        max_retries: int = 3,
        backoff_s: float = 0.5,
        max_wait_s: float = 60,
        fallbacks: "Sequence[LLM | str]" = (),
        input_cost_per_token: float | None = None,
        output_cost_per_token: float | None = None,
        takes_schema: bool | None = None,
        extra: Mapping[str, JSON] | None = None,
    ) -> None:
        # First of all, so that no traceback shows this frame with the key in it.
        api_key, api_key_env = Secret.of(api_key), _checks.variable_name(api_key_env)
        given = {name: value for name, value in locals().items() if name != "self"}
        self.__attrs_init__(**_checked(given))

    def __attrs_post_init__(self) -> None:
        sampling = {name: thaw(value) for name in _SAMPLING if (value := getattr(self, name)) is not None}
        # The time-out never varies: OpenAI's clients are cached by it, so each new value would make a new client.
        fixed = {"model": self.model, "timeout": self.timeout_s, "num_retries": 0, "max_retries": 0}
        read, written = self.input_cost_per_token, self.output_cost_per_token
        set_once = object.__setattr__  # a frozen class leaves no other way
        set_once(self, "_fixed", sampling | fixed)
        set_once(self, "_patience", Patience(*(getattr(self, name) for name in _PATIENCE)))
        set_once(self, "_prices", None if read is None or written is None else Prices(read, written))

    def __repr__(self) -> str:
        # Tracebacks show locals, so this must not fail on an LLM whose making failed half-way.
        usual = {name: parameter.default for name, parameter in signature(LLM.__init__).parameters.items()}
        given = {name: getattr(self, name, usual[name]) for name in ("model", *_SHOWN)}
        shown = [f"{name}={value!r}" for name, value in given.items() if value != usual[name]][1:]
        extra = [f"extra=<{', '.join(self.extra)}>"] if getattr(self, "extra", None) else []
        return f"LLM({', '.join([repr(getattr(self, 'model', None)), *shown, *extra])})"

    def ask(self, request: Ask, /) -> Reply:
        """Asks the model, blocking.

        Raises:
            ModelError: There is no reply, still after the retries and from no fallback.
        """
        tries = self._tries(request, _end_of(request))
        try:
            order = next(tries)
            while True:
                order = tries.send(_do(order))
        except StopIteration as end:
            outcome: Outcome = end.value
        return _reply(outcome)

    async def aask(self, request: Ask, /) -> Reply:
        """Asks the model, asynchronously. Cancelling ends the request at once.

        Raises:
            ModelError: There is no reply, still after the retries and from no fallback.
        """
        tries = self._tries(request, _end_of(request))
        try:
            order = next(tries)
            while True:
                order = tries.send(await _ado(order))
        except StopIteration as end:
            outcome: Outcome = end.value
        return _reply(outcome)

    def _tries(self, request: Ask, ends_at: float) -> Tries:
        """Tries this model, then its fallbacks. The failure is this model's own, with theirs appended."""
        call = self._call(request)
        first = call if isinstance(call, Failure) else (yield from tries(call, self._patience, ends_at))
        last, also = first, ""
        for fallback in self.fallbacks:
            if isinstance(last, Reply) or issubclass(last.kind, _HOPELESS) or ends_at <= time.monotonic():
                break
            log.warning("%s failed (%s); asking %s.", last.model, described(last), fallback.model)
            last = yield from fallback._tries(request, ends_at)  # noqa: SLF001  # of the same class
            also += f" {last.model}: {last.message}" if isinstance(last, Failure) else ""
        if isinstance(last, Reply) or isinstance(first, Reply):
            return last
        return first.and_(f"Its fallbacks failed too.{also}") if also else first

    def _call(self, request: Ask) -> Call | Failure:
        """What to send, and where; or why that is in vain."""
        found = _endpoints.find(self.model, self.base_url, self.api_key, self.api_key_env)
        endpoint = _switch.permitted(found, self.model)
        if isinstance(endpoint, Failure):
            return endpoint
        is_own = endpoint.base_url is not None or _endpoints.prefix_of(self.model) in _LOCAL
        takes_schema = True if self.takes_schema is None and is_own else self.takes_schema
        arguments = request_arguments(request, self.model, takes_schema=takes_schema)
        if isinstance(arguments, Failure):
            return arguments
        more = thaw(self.extra) if self.extra else {}
        return Call(self.model, endpoint, self._fixed | more | arguments, self._prices)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an LLM, as they shall be."""
    _checks.check_key(given["api_key"], given["api_key_env"])
    _checks.check(given)
    prefix = _endpoints.prefix_of(given["model"])
    base_url = given["base_url"]
    given["base_url"] = None if base_url is None else _endpoints.normalised(base_url, prefix)
    given["stop"] = _checks.stops(given["stop"])
    given["extra"] = _checks.frozen_extra(given["extra"] or {}, given)
    passed_on = {name: given[name] for name in (*_SAMPLING, *_PATIENCE)}
    if isinstance(given["fallbacks"], str | LLM):
        raise UsageError(f"fallbacks={given['fallbacks']!r} is one model, not several. Write fallbacks=(…,).")
    given["fallbacks"] = tuple(x if isinstance(x, LLM) else LLM(x, **passed_on) for x in given["fallbacks"])
    return given


def _end_of(request: Ask) -> float:
    return float("inf") if request.timeout_s is None else time.monotonic() + request.timeout_s


def _do(order: Order) -> Outcome:
    if isinstance(order, Try):
        return _litellm.complete(order.call, order.timeout_s)
    time.sleep(order.seconds)
    return order.failure


async def _ado(order: Order) -> Outcome:
    if isinstance(order, Try):
        return await _litellm.acomplete(order.call, order.timeout_s)
    await asyncio.sleep(order.seconds)
    return order.failure


def _reply(outcome: Outcome) -> Reply:
    """Raises where there is none, in a frame and at a time that know of no key."""
    if isinstance(outcome, Failure):
        raise outcome.error()
    return outcome
