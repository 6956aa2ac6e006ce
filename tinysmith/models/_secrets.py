"""Keys: how they are held, and how they are kept out of every text."""

import os
from collections.abc import Iterator
from typing import Any

_MASK = "***"
_TELLING = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_SHORTEST = 8
"""Values shorter than this are not hidden: `OPENAI_API_KEY=x` would blot every x out of a message."""


class Secret:
    """A key that shows itself to nobody who does not call `reveal`.

    A traceback that prints local variables prints the mask. A pickle holds no key: what comes out of it is a
    secret that `is_lost`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        self._text = text

    @classmethod
    def of(cls, key: object) -> "Secret | None":
        """Wraps whatever a user gave as a key. It never raises: a traceback shows the caller's variables."""
        if key is None or isinstance(key, Secret):
            return key
        return cls(key.strip() if isinstance(key, str) else "")

    @property
    def is_lost(self) -> bool:
        """Whether it went through a pickle."""
        return self._text is None

    @property
    def is_sendable(self) -> bool:
        """Whether an HTTP header can carry it; otherwise the HTTP library would quote it in its complaint."""
        return all("!" <= character <= "~" for character in self._text or "")

    def reveal(self) -> str:
        """The key. Call it where the result is bound to no name."""
        return self._text or ""

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        return Secret, (None,)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self


def scrub(text: str, key: Secret | None) -> str:
    """The text without the key, and without any other key that the environment holds."""
    for secret in sorted(_known(key), key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return text


def _known(key: Secret | None) -> Iterator[str]:
    if key is not None and key.reveal():
        yield key.reveal()
    for name, value in os.environ.items():
        # LiteLLM reads the keys of a hundred providers by itself; a careless gateway echoes any of them.
        if len(value) >= _SHORTEST and any(word in name.upper() for word in _TELLING):
            yield value
