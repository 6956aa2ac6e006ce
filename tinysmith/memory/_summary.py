"""A summary that grows with the episode while its length does not."""

from typing import TypeVar

from attrs import evolve

from tinysmith.errors import ParseError
from tinysmith.memory._counts import at_least
from tinysmith.memory._exchanges import Exchange, Memory
from tinysmith.nodes import Agent, Field
from tinysmith.templates import Template

B = TypeVar("B")

MOST_WORDS = 300
CHARACTERS_A_WORD = 20
"""More than a word has in most languages; it bounds what has no spaces."""


class Summarise(Agent[B]):
    """Folds the older exchanges into the summary: the new one is made of the old one and of them.

    Source: Wang et al., "Recursively Summarizing Enables Long-Term Dialogue Memory in Large Language Models",
    2023, arXiv:2308.15022. Costs: one model call, also where nothing is older than `keep`; then the summary stays
    as it is, whatever the reply, so that a guard on the edge to this node saves the call.

    Args:
        memory: Where the memory is on the board.
        keep: How many of the last exchanges stay as they are.
        max_words: How long the summary may get, in words of at most 20 characters on average; a longer one is
            asked for again.

    Raises:
        UsageError: `keep` is negative, or `max_words` less than 1.
    """

    samples = ("The tables are boats and ports; boats has a row a boat.",)
    template = Template("prompts/summarise.jinja")

    def __init__(self, memory: Field[B, Memory], *, keep: int = 0, max_words: int = MOST_WORDS) -> None:
        at_least(0, keep=keep)
        at_least(1, max_words=max_words)
        self.memory = memory
        self.keep = keep
        self.max_words = max_words

    def prompt(self, board: B, /) -> str:
        """The summary so far and what shall go into it."""
        memory = self.memory.get(board)
        older, _ = self._parted(memory)
        return self.template.render(summary=memory.summary, exchanges=older, max_words=self.max_words)

    def parse(self, board: B, reply: str, /) -> B:
        """Takes the reply as the summary, and drops what is in it now."""
        summary = reply.strip()
        if not summary:
            raise ParseError("There are no notes in your reply. Write them.")
        if len(summary.split()) > self.max_words or len(summary) > self.max_words * CHARACTERS_A_WORD:
            raise ParseError(f"Your notes are too long. Write at most {self.max_words} words.")
        memory = self.memory.get(board)
        older, recent = self._parted(memory)
        if not older:
            return board
        return self.memory.put(board, evolve(memory, exchanges=recent, summary=summary))

    def _parted(self, memory: Memory) -> tuple[tuple[Exchange, ...], tuple[Exchange, ...]]:
        """The older exchanges, and the last `keep`."""
        cut = max(0, len(memory.exchanges) - self.keep)
        return memory.exchanges[:cut], memory.exchanges[cut:]
