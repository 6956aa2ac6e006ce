"""The two nodes that read and write a notebook."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tinysmith.memory._counts import at_least
from tinysmith.nodes import Field, Tool

B = TypeVar("B")


class Recall(Tool[B, Sequence[str]]):
    """Reads the latest notes on a topic. Where no notebook is bound, there are none.

    Notes that an agent wrote about its own failures, read before it tries again, are the long-term memory of
    Shinn et al., "Reflexion: Language Agents with Verbal Reinforcement Learning", 2023, arXiv:2303.11366, which
    keeps one to three of them. Costs: no model call.

    Args:
        topic: Reads the topic from the board, such as the question of the task.
        notes: Where the notes go on the board, oldest first.
        most: How many of them, the latest.

    Raises:
        UsageError: `most` is negative.
    """

    def __init__(self, topic: Callable[[B], str], notes: Field[B, tuple[str, ...]], *, most: int = 3) -> None:
        at_least(0, most=most)
        self.topic = topic
        self.notes = notes
        self.most = most

    def arguments(self, board: B, /) -> Mapping[str, str | int]:
        """The topic, and how many notes."""
        return {"topic": self.topic(board), "most": self.most}

    def call(self, *, topic: str, most: int) -> Sequence[str]:
        """No notes."""
        return []

    def receive(self, board: B, result: Sequence[str], /) -> B:
        """The board with the notes on it.

        Raises:
            TypeError: What the node is bound to returned something else than texts.
        """
        is_list = isinstance(result, Sequence) and not isinstance(result, str)
        if not is_list or not all(isinstance(note, str) for note in result):
            problem = f"Recall: what it is bound to returned {repr(result)[:80]}"
            raise TypeError(f"{problem}. Return a list of texts, as Notebook.recall does.")
        return self.notes.put(board, tuple(result)[max(0, len(result) - self.most) :])


class Note(Tool[B, int]):
    """Writes a note. Where no notebook is bound, it is lost with the run.

    What an agent learned in one trial, for `Recall` in the next. Costs: no model call.

    Args:
        topic: Reads the topic from the board, as `Recall`'s.
        text: Reads the note from the board.
    """

    def __init__(self, topic: Callable[[B], str], text: Callable[[B], str]) -> None:
        self.topic = topic
        self.text = text

    def arguments(self, board: B, /) -> Mapping[str, str]:
        """The topic and the note."""
        return {"topic": self.topic(board), "text": self.text(board)}

    def call(self, *, topic: str, text: str) -> int:
        """Writes nothing."""
        return 0

    def receive(self, board: B, result: int, /) -> B:
        """The same board."""
        return board
