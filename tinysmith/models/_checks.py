"""What `LLM` checks when it is made, so that a mistake is told where it was written."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tinysmith.errors import UsageError
from tinysmith.mapping import JSON, FrozenDict, freeze
from tinysmith.models._secrets import Secret

_OWN_WORDS = {
    "api_base": "base_url=",
    "timeout": "timeout_s=",
    "request_timeout": "timeout_s=",
    "num_retries": "max_retries=",
    "response_format": "the request's schema",
    "tools": "the request's tools",
    "messages": "the request's messages",
}
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_PRICES = ("input_cost_per_token", "output_cost_per_token")
_REFUSED = frozenset({"stream", "acompletion", "mock_response", "caching"})


def variable_name(name: object) -> str | None:
    """The name of an environment variable; empty, and so refused later, if it may be a key given by mistake."""
    if name is None:
        return None
    return name if isinstance(name, str) and _VARIABLE.fullmatch(name) else ""


def check_key(key: Secret | None, name: str | None) -> None:
    """Raises a `UsageError` unless the key can be used. Called where no variable holds the key itself."""
    if name == "":
        raise UsageError(
            "api_key_env is not the name of an environment variable in capital letters, such as 'GROQ_API_KEY'. "
            "A key itself goes into api_key."
        )
    if key is None:
        return
    if name is not None:
        raise UsageError(f"Both api_key and api_key_env={name!r} are given. Give one of them.")
    if not key.is_lost and not key.reveal():
        raise UsageError("api_key is empty, or no text. Leave it out to have it read from the environment.")
    if not key.is_sendable:
        raise UsageError("api_key holds a character that no HTTP header can carry. Give the key alone.")


def check_number(name: str, value: object, *, least: float = -math.inf, whole: bool = False) -> None:
    """Raises a `UsageError` unless the value is None, or a finite number of the right kind and not too small."""
    if value is None:
        return
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < least:  # type: ignore[arg-type,operator]  # is_number
        kind = "a whole number" if whole else "a number"
        bound = f" of at least {least:g}" if least > -math.inf else ""
        raise UsageError(f"{name}={value!r} is not {kind}{bound}.")


def stops(stop: object) -> str | tuple[str, ...] | None:
    """One text that ends a reply, or several.

    Raises:
        UsageError: Something in it is no text.
    """
    if stop is None or isinstance(stop, str):
        return stop
    several = tuple(stop) if isinstance(stop, Iterable) else (stop,)
    if all(isinstance(text, str) for text in several):
        return several
    raise UsageError(f"stop={stop!r} is neither a text nor a sequence of texts.")


def frozen_extra(extra: Mapping[str, Any], parameters: Iterable[str]) -> FrozenDict[str, JSON]:
    """More arguments for LiteLLM.

    Raises:
        UsageError: One has a parameter of its own, cannot work here, or is no JSON data.
    """
    for name in extra:
        if name in _REFUSED:
            raise UsageError(f"extra[{name!r}] cannot be used: an LLM asks for one whole reply at a time.")
        if name in _OWN_WORDS or name in parameters:
            raise UsageError(f"extra[{name!r}] has a place of its own: use {_OWN_WORDS.get(name, name + '=')}.")
    try:
        return freeze(extra)  # type: ignore[no-any-return]  # JSON is Any; of a mapping it makes a FrozenDict
    except TypeError as error:
        problem = f"extra holds what is no JSON data: {error}. Give numbers, texts, lists and mappings."
    raise UsageError(problem)


def check(given: Mapping[str, Any]) -> None:
    """Raises a `UsageError` for the first of an LLM's arguments that cannot be meant."""
    for name in ("model", "base_url"):
        if not isinstance(given[name], str) and not (name == "base_url" and given[name] is None):
            raise UsageError(f"{name}={given[name]!r} is not text.")
    for name in ("temperature", "top_p", "backoff_s", "max_wait_s", *_PRICES):
        check_number(name, given[name], least=0)
    check_number("max_tokens", given["max_tokens"], least=1, whole=True)
    check_number("seed", given["seed"], whole=True)
    check_number("max_retries", given["max_retries"], least=0, whole=True)
    check_number("timeout_s", given["timeout_s"], least=0.001)
    for name in ("timeout_s", "max_retries", "backoff_s", "max_wait_s"):
        if given[name] is None:
            raise UsageError(f"{name} is None. Give a number, or leave it out.")
    if given["takes_schema"] is not None and not isinstance(given["takes_schema"], bool):
        raise UsageError(
            f"takes_schema={given['takes_schema']!r} is neither True nor False. Give one, or leave it out."
        )
    if (given[_PRICES[0]] is None) != (given[_PRICES[1]] is None):
        raise UsageError(f"{_PRICES[0]} and {_PRICES[1]} go together. Give both, or neither.")
