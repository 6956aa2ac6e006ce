"""Values of types, the same every time, for searches. Imports Hypothesis, when it is first asked for some."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, get_args, get_origin

from tinysmith.errors import UsageError
from tinysmith.nodes import Tool


class NotInstalledError(UsageError):
    """Hypothesis, which would generate values, is not installed."""


class CannotGenerateError(UsageError):
    """There are no values of a type, or its validators refuse all that are drawn."""


def values(kind: Any, most: int, *, what: str) -> tuple[Any, ...]:
    """Different values of a type, the simplest first.

    Args:
        kind: The type.
        most: How many at most.
        what: What they are for, in words, for the message.

    Raises:
        UsageError: Hypothesis is not installed.
    """
    return drawn(lambda strategies: strategies.from_type(kind), most, what=what)


def drawn(make: Any, most: int, *, what: str, tries: int = 4) -> tuple[Any, ...]:
    """Different values of a Hypothesis strategy, which `make` makes given the module of strategies.

    What a validator refuses is left out.

    Args:
        make: Makes the strategy.
        most: How many values at most.
        what: What they are for, in words, for the message.
        tries: How often is drawn for each of them.

    Raises:
        NotInstalledError: Hypothesis is not installed.
        CannotGenerateError: There are no such values, or none that is found.
    """
    hypothesis, strategies = _hypothesis(what)
    strategy = make(strategies)
    found: list[Any] = []

    def collect(data: Any) -> None:
        try:
            value = data.draw(strategy)
        except hypothesis.errors.HypothesisException:
            raise
        except Exception:  # noqa: BLE001  # whatever a class refuses values with
            return
        if len(found) < most and value not in found:
            found.append(value)

    settings = _settings(hypothesis, most * tries, hypothesis.Phase.generate)
    try:
        settings(hypothesis.given(strategies.data())(collect))()
    except hypothesis.errors.HypothesisException as error:
        raise CannotGenerateError(f"No {what} could be generated: {error}") from error
    return tuple(found)


def smallest(make: Any, holds: Callable[[Any], bool], *, what: str, tries: int = 400) -> Any:
    """The simplest value of a Hypothesis strategy for which a predicate holds; None where none is found."""
    hypothesis, strategies = _hypothesis(what)
    settings = _settings(hypothesis, tries, hypothesis.Phase.generate, hypothesis.Phase.shrink)
    try:
        return hypothesis.find(make(strategies), holds, settings=settings)
    except hypothesis.errors.HypothesisException:  # none is found, or it does not always hold
        return None


def _settings(hypothesis: Any, tries: int, *phases: Any) -> Any:
    """The same values every time, however long they take."""
    return hypothesis.settings(
        max_examples=tries,
        database=None,
        derandomize=True,
        deadline=None,
        phases=phases,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def _hypothesis(what: str) -> tuple[Any, Any]:
    try:
        return import_module("hypothesis"), import_module("hypothesis.strategies")
    except ImportError:
        problem = f"To generate {what}, install the package hypothesis; or give some."
        raise NotInstalledError(problem) from None


def typed_texts(kind: Any, most: int) -> tuple[str, ...]:
    """Values of a reply type as JSON; those that its validators refuse are left out."""
    from tinysmith._replies import written  # noqa: PLC0415  # msgspec, which few programs need

    return tuple(written(value) for value in values(kind, most, what=f"replies of type {kind}"))


def result_values(tool: object, most: int) -> tuple[Any, ...]:
    """Values of the declared type of a tool's results; texts, where it declares none."""
    kind = result_type(tool)
    return ("", "a result") if kind is None else values(kind, most, what=f"results of {type(tool).__name__}")


def result_type(tool: object) -> Any:
    """The type of a tool's results, as the class that binds it says; None where none does."""
    result: Any = Tool.__parameters__[1]  # type: ignore[attr-defined]  # every generic class has it
    for kind in reversed(type(tool).__mro__):
        for base in vars(kind).get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Tool):
                names: tuple[Any, ...] = origin.__parameters__  # type: ignore[attr-defined]  # as above
                result = dict(zip(names, get_args(base), strict=True)).get(result, result)
    return None if result is Any or isinstance(result, TypeVar) else result
