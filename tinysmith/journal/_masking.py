"""What must not be kept is masked, before the strategy sees it: a run that is resumed sees the same texts."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tinysmith.mapping import JSON
from tinysmith.models._secrets import Secret

MASK = "***"

_TELLING = re.compile(
    "KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH|COOKIE|DSN|CONNECTION_STRING", re.IGNORECASE
)
_SHORTEST = 8  # what is shorter would blot innocent words out of every text
_PASSWORD = re.compile(r"[A-Za-z][\w+.-]*://[^\s/:@]*:([^\s/@]+)@")
_IS = r"['\"]?\s*[:=]\s*['\"]?"
_HEADER = re.compile(
    rf"((?:proxy-)?authorization{_IS}(?:\w+\s+)?|\bbearer\s+|\b(?:x-)?api[-_]?key{_IS})[^\s'\",;]+", re.IGNORECASE
)


class Mask:
    """Masks secrets, and whatever the user's own hook takes out.

    Args:
        secrets: The texts that must not be kept.
        redact: The user's own: a text without what he wants to keep to himself.
    """

    def __init__(self, secrets: Iterable[str], redact: Callable[[str], str] | None = None) -> None:
        self._secrets = sorted({text for text in secrets if text}, key=len, reverse=True)
        self._redact = redact
        self.is_idle = not self._secrets and redact is None

    def __repr__(self) -> str:
        return f"Mask({len(self._secrets)} secrets)"

    def text(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text if self._redact is None else self._redact(text)

    def data(self, data: JSON) -> JSON:
        """JSON data whose texts, and names, are without secrets."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {self.text(name) if type(name) is str else name: self.data(item) for name, item in data.items()}
        if isinstance(data, list | tuple):
            return [self.data(item) for item in data]
        return data


def unheaded(text: str) -> str:
    """What machinery complains of, without the values of headers that authorise."""
    return _HEADER.sub(rf"\g<1>{MASK}", text)


def secrets_of(models: Iterable[Any], more: Iterable[str] = ()) -> list[str]:
    """The keys that the models hold, and the secrets among the values of the process's environment variables.

    A variable is one if its name says so; of an address with a password, the password is one.
    """
    return [*_in_environment(), *(key for model in models for key in _keys(model)), *more]


def _in_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _TELLING.search(name):
            yield value
        for password in _PASSWORD.findall(value):
            if len(password) >= _SHORTEST:
                yield password


def _keys(model: Any) -> Iterator[str]:
    key = getattr(model, "api_key", None)
    if isinstance(key, Secret) and key.reveal():
        yield key.reveal()
    variable = getattr(model, "api_key_env", None)
    if isinstance(variable, str) and os.environ.get(variable):
        yield os.environ[variable]
    for other in getattr(model, "fallbacks", ()) or ():
        yield from _keys(other)
