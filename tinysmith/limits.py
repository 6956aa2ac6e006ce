"""`Limits`: how much a run may spend; `Spent`: what it has spent so far."""

from math import inf

from attrs import fields, frozen

from tinysmith.errors import UsageError

_AMOUNTS = frozenset({"max_cost_usd", "max_seconds"})


@frozen(kw_only=True)
class Limits:
    """How much a run may spend. A limit that is reached ends the run with its name as the outcome.

    The work done until then is kept. None means no limit of that kind.

    Attributes:
        max_errors: Bad replies in a row that are forgiven; one more ends the run.
        max_asks: Questions to models, those asked again and each seat of a panel included.
        max_steps: Steps in the environment.
        max_calls: Calls of tools.
        max_hops: Edges taken since the last answered request, so that pure cycles end.
        max_total_tokens: Tokens read and written by all models together.
        max_cost_usd: US dollars. A reply whose price is not known ends a run that has this limit.
        max_seconds: Seconds of waiting for models, environment and tools; what is in flight is cancelled, or left
            behind where it blocks. The environment's reset and its last grade do not count.
    """

    max_errors: int | None = 3
    max_asks: int | None = 100
    max_steps: int | None = 100
    max_calls: int | None = 100
    max_hops: int | None = 50
    max_total_tokens: int | None = None
    max_cost_usd: float | None = None
    max_seconds: float | None = None

    def __attrs_post_init__(self) -> None:
        for limit in fields(Limits):
            value = getattr(self, limit.name)
            least = 0 if limit.name == "max_errors" else 1
            if value is None:
                continue
            if limit.name in _AMOUNTS:
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
                    raise UsageError(f"Limits: {limit.name} is {value!r}; give more than 0, or None for no limit.")
            elif type(value) is not int or value < least:
                problem = f"Limits: {limit.name} is {value!r}"
                raise UsageError(f"{problem}; give a whole number from {least} on, or None for no limit.")


UNLIMITED = Limits(max_errors=None, max_asks=None, max_steps=None, max_calls=None, max_hops=None)

LIMIT_NAMES = frozenset(limit.name for limit in fields(Limits))


@frozen(weakref_slot=False)
class Spent:
    """What a run has spent. Money and time are whole numbers, so that the order of adding changes nothing.

    Attributes:
        asks: Questions put to models.
        steps: Steps in the environment.
        calls: Calls of tools.
        errors: Bad replies in a row.
        tokens: Tokens read and written.
        pico_usd: Millionths of a millionth of a US dollar; None once the price of a reply was not known.
        elapsed_ns: Nanoseconds of waiting for answers.
    """

    asks: int = 0
    steps: int = 0
    calls: int = 0
    errors: int = 0
    tokens: int = 0
    pico_usd: int | None = 0
    elapsed_ns: int = 0

    @property
    def cost_usd(self) -> float | None:
        """US dollars; None once the price of a reply was not known."""
        return None if self.pico_usd is None else self.pico_usd / 1e12

    @property
    def seconds(self) -> float:
        """Seconds of waiting for answers."""
        return self.elapsed_ns / 1e9
