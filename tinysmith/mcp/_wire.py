"""Lines of bytes, and the messages in them; nothing here waits for anything."""

import json
from typing import Any


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
