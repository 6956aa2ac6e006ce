"""Lines of bytes, and the messages in them; nothing here waits for anything."""

import json
from typing import Any

MOST_UNASKED = 10_000
_UNASKED_A_SECOND = 100
_BYTES_OF_ONE = 8_192


class Unasked:
    """Counts messages that nobody asked for: a burst of so many may come, and so many more each second."""

    def __init__(self) -> None:
        self._count = 0.0
        self._last_s = 0.0

    def is_too_many(self, size: int, now_s: float) -> bool:
        """Whether it is too much with one more message, which comes now; a long one counts as several."""
        self._count = max(0.0, self._count - (now_s - self._last_s) * _UNASKED_A_SECOND)
        self._count += 1 + size // _BYTES_OF_ONE
        self._last_s = now_s
        return self._count > MOST_UNASKED

    def forget(self) -> None:
        """Begins anew, as after an answer that was waited for."""
        self._count = 0.0


class Lines:
    """Puts lines together from the chunks in which they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk ends; what comes after them is kept, and `size` says how much that is."""
        if b"\n" not in chunk:
            self._parts.append(chunk)
            self.size += len(chunk)
            return []
        *lines, rest = (self.flush() + chunk).split(b"\n")
        self._parts = [rest]
        self.size = len(rest)
        return lines

    def flush(self) -> bytes:
        """What was kept, which is kept no longer."""
        kept = b"".join(self._parts)
        self._parts, self.size = [], 0
        return kept


def message_in(line: bytes) -> dict[str, Any] | None:
    """The JSON-RPC message that a line holds; None where it holds something else."""
    try:
        # NaN and Infinity are no JSON, but Python reads them.
        found = json.loads(line.decode(errors="replace"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("jsonrpc") == "2.0" else None
