"""What an agent did and saw lately, in the order in which it happened."""

from collections.abc import Callable
from typing import TypeVar

from attrs import evolve, frozen

from tinysmith.memory._counts import at_least
from tinysmith.nodes import Field, Rule

B = TypeVar("B")

MOST_WORDS = 1_000
MOST_CHARACTERS = 20_000
"""A line of base64, or a text in a script without spaces, is one word however long it is."""


@frozen
class Exchange:
    """A command and what it printed."""

    command: str
    output: str

    @property
    def text(self) -> str:
        """The exchange as a prompt shows it."""
        return f"Command: {self.command}\nOutput: {self.output}"


@frozen
class Memory:
    """What an agent remembers of an episode.

    Attributes:
        exchanges: The last commands with their output, oldest first.
        summary: What all that came before them amounts to; empty where nothing was summarised.
    """

    exchanges: tuple[Exchange, ...] = ()
    summary: str = ""

    @property
    def text(self) -> str:
        """The summary and the exchanges as a prompt shows them; empty where nothing is remembered."""
        parts = (self.summary, *(exchange.text for exchange in self.exchanges))
        return "\n\n".join(part for part in parts if part)


def fitted(output: str, *, max_words: int = MOST_WORDS, max_characters: int = MOST_CHARACTERS) -> str:
    """An output as a prompt shows it: word for word, or a hint where there is nothing in it, or too much."""
    if not output.strip():
        return "(no output)"
    words = len(output.split())
    if words <= max_words and len(output) <= max_characters:
        return output
    size = f"{words:,} words" if words > max_words else f"{len(output):,} characters"
    return f"({size} of output, too many to show: filter it, such as by a narrower command)"


class Remember(Rule[B]):
    """Adds the last exchange to the memory, and forgets the oldest beyond so many.

    Costs: no model call.

    Args:
        memory: Where the memory is on the board.
        latest: Reads the command and its output from the board.
        keep: How many exchanges are remembered; None for all, as where `Summarise` shall see them first.
        max_words: The longest output that is remembered word for word; in place of a longer one stands a hint.
        max_characters: The same in characters, since words alone bound nothing.

    Raises:
        UsageError: A number is negative.
    """

    def __init__(
        self,
        memory: Field[B, Memory],
        latest: Callable[[B], Exchange],
        *,
        keep: int | None = 10,
        max_words: int = MOST_WORDS,
        max_characters: int = MOST_CHARACTERS,
    ) -> None:
        at_least(0, keep=keep, max_words=max_words, max_characters=max_characters)
        self.memory = memory
        self.latest = latest
        self.keep = keep
        self.max_words = max_words
        self.max_characters = max_characters

    def apply(self, board: B, /) -> B:
        """The board with the exchange in its memory."""
        memory, latest = self.memory.get(board), self.latest(board)
        output = fitted(latest.output, max_words=self.max_words, max_characters=self.max_characters)
        exchanges = (*memory.exchanges, evolve(latest, output=output))
        first = 0 if self.keep is None else max(0, len(exchanges) - self.keep)
        return self.memory.put(board, evolve(memory, exchanges=exchanges[first:]))
