"""How often a request is tried, how long is waited between, and who is asked next: the one loop.

It does nothing itself. It yields what is to be done, `Try` or `Pause`, and is sent the outcome; `LLM.ask`
does it blocking and `LLM.aask` asynchronously, and so do the two doors of `Embedder`.
"""

import logging
import random
import time
from collections.abc import Generator, Mapping
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from attrs import evolve, frozen

from tinysmith.messages import Reply
from tinysmith.models._endpoints import Endpoint
from tinysmith.models._failures import Failure, timeout

log = logging.getLogger("tinysmith.models")

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Sendable(Protocol[A_co]):
    """A request, ready to be sent, again if need be; what it is answered with is an `A`."""

    @property
    def model(self) -> str:
        """The model as the user named it."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """Where it goes, and the key."""
        ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """LiteLLM's arguments, all but the key."""
        ...

    def failed(self, error: BaseException, /) -> Failure:
        """What an exception of LiteLLM says."""
        ...

    def answered(self, response: Any, /) -> A_co | Failure:
        """What a response of LiteLLM says."""
        ...


@frozen
class Try(Generic[A]):
    """Send this, and wait for the answer not longer than so many seconds."""

    call: Sendable[A]
    timeout_s: float


@frozen
class Pause:
    """Wait so many seconds, after this failure."""

    seconds: float
    failure: Failure


Order: TypeAlias = Try[Reply] | Pause
Outcome: TypeAlias = Reply | Failure
Tries: TypeAlias = Generator[Order, Outcome, Outcome]
"""It is sent what came of a `Try`, and after a `Pause` the failure that it was for."""


@frozen
class Patience:
    """How long to go on.

    Attributes:
        timeout_s: The longest that one try may take.
        max_retries: How many tries may follow the first.
        backoff_s: The back-off before the first retry, at most; it doubles with each.
        max_wait_s: The longest wait before a retry. A server that asks for more is not asked again.
    """

    timeout_s: float
    max_retries: int
    backoff_s: float
    max_wait_s: float

    def wait(self, failure: Failure, retries: int) -> float | None:
        """How long to wait before the next try; None if there shall be none.

        Full jitter: anything up to the doubled back-off, so that many runs that failed together do not come
        back together. A server's `Retry-After` is waited out in full, and jittered on top by one back-off.
        """
        if not failure.kind.is_retryable or retries >= self.max_retries:
            return None
        asked = failure.retry_after_s
        if asked is not None and asked > self.max_wait_s:
            return None
        doubled = min(self.max_wait_s, self.backoff_s * 2.0 ** min(retries, 60))
        spread = doubled if asked is None else self.backoff_s
        return (asked or 0.0) + random.uniform(0, spread)  # noqa: S311  # it guards no secret


def tries(
    call: Sendable[A], patience: Patience, ends_at: float
) -> Generator[Try[A] | Pause, A | Failure, A | Failure]:
    """Tries until there is an answer, or no hope, or the run's own time is over."""
    retries = 0
    while True:
        seconds = min(patience.timeout_s, ends_at - time.monotonic())
        if seconds <= 0:
            return timeout(call.model, 0.0)
        outcome = yield Try(call, seconds)
        if not isinstance(outcome, Failure):
            return outcome
        wait = patience.wait(outcome, retries)
        if wait is None or wait >= ends_at - time.monotonic():
            return _final(outcome, retries, patience)
        retries += 1
        what = described(outcome)
        log.warning("%s: try %d failed (%s); the next in %.2f s.", call.model, retries, what, wait)
        yield Pause(wait, outcome)


def described(failure: Failure) -> str:
    """A failure in a word or two, for logs: nothing that a server said."""
    return failure.kind.kind if failure.status is None else f"{failure.kind.kind}, HTTP {failure.status}"


def _final(failure: Failure, retries: int, patience: Patience) -> Failure:
    more = [f"Tried {retries + 1} times."] if retries else []
    if failure.retry_after_s is not None and failure.retry_after_s > patience.max_wait_s:
        more.append(
            f"It asks to wait {failure.retry_after_s:.0f} s, more than max_wait_s={patience.max_wait_s:g} allows."
        )
    return evolve(failure, message=" ".join([failure.message, *more]))
