"""`Scripted`: a model that says what a script says."""

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinysmith.errors import DataError, RecordingOver, UsageError
from tinysmith.messages import FREE, Ask, Reply
from tinysmith.models._at_once import AtOnce

EVERY = "*"


class Scripted(AtOnce):
    """Answers with the replies of a script, each once; for one run.

    Args:
        replies: In the order of asking; or by node name, "*" for the nodes that are not named.

    Raises:
        UsageError: A text stands where a list of texts is wanted.
    """

    def __init__(self, replies: Sequence[str | Reply] | Mapping[str, Sequence[str | Reply]]) -> None:
        by_node = replies if isinstance(replies, Mapping) else {EVERY: replies}
        if any(isinstance(texts, str) for texts in by_node.values()):
            raise UsageError("A script is a list of replies, not one text. Write Scripted([text]).")
        self._left = {node: deque(_reply(text) for text in texts) for node, texts in by_node.items()}
        self._lock = threading.Lock()

    @classmethod
    def from_file(cls, path: Path | str) -> "Scripted":
        """The script in a JSON file: a list of texts, or an object of such lists by node name.

        Raises:
            DataError: The file is missing or is not such JSON.
        """
        path = Path(path)
        try:
            script = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{path}: the script cannot be read: {error.strerror}. Check the path.") from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: the script is not JSON: {error}. Write a list of texts.") from None
        lists = script.values() if isinstance(script, dict) else [script]
        if not all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in lists):
            raise DataError(f"{path}: the script is no list of texts, and no object of such lists by node name.")
        return cls(script)

    def ask(self, request: Ask, /) -> Reply:
        """Answers with the next reply of the script.

        Raises:
            RecordingOver: The script has none left.
        """
        with self._lock:
            left = self._left.get(request.node, self._left.get(EVERY))
            if not left:
                raise RecordingOver(f"The script has no reply left for {request.node}.", model="scripted")
            return left.popleft()

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that the script names."""
        return frozenset(self._left) - {EVERY}

    def assert_complete(self) -> None:
        """Asserts that every reply was used.

        Raises:
            AssertionError: Some were not; the message says how many, for which node, and the first of them.
        """
        unused = [
            f"{len(left)} for {node}, the first {left[0].text[:60]!r}" for node, left in self._left.items() if left
        ]
        if unused:
            raise AssertionError(f"The script has replies that nobody asked for: {'; '.join(unused)}.")


def _reply(text: Any) -> Reply:
    return text if isinstance(text, Reply) else Reply(text, usage=FREE, model="scripted")
