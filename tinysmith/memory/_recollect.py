"""Retrieval over one's own past: of all that was done, what bears on the question at hand."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tinysmith.mapping import JSON
from tinysmith.memory._counts import at_least
from tinysmith.memory._exchanges import Exchange, Memory
from tinysmith.nodes import Field, Tool
from tinysmith.retrieval import LexicalIndex, Passage

B = TypeVar("B")


class Recollect(Tool[B, Sequence[int]]):
    """Looks the queries up in the exchanges that are remembered, and puts the best of them on the board.

    They are found by their words, offline, each once however often it happened. With this node, `Remember` may
    keep all (`keep=None`) while prompts show what was recollected; the whole past is an argument of each call.
    Costs: no model call; `WriteQueries` before it costs one.

    Args:
        queries: Reads the queries from the board, such as those that `WriteQueries` wrote.
        memory: Reads the memory from the board.
        recollected: Where the exchanges that bear on the queries go, in the order in which they happened.
        most: How many of them.

    Raises:
        UsageError: `most` is less than 1.
    """

    def __init__(
        self,
        queries: Callable[[B], Sequence[str]],
        memory: Callable[[B], Memory],
        recollected: Field[B, tuple[Exchange, ...]],
        *,
        most: int = 5,
    ) -> None:
        at_least(1, most=most)
        self.queries = queries
        self.memory = memory
        self.recollected = recollected
        self.most = most

    def arguments(self, board: B, /) -> Mapping[str, JSON]:
        """The queries, the past, and how many places in it."""
        past = [f"{exchange.command}\n{exchange.output}" for exchange in self.memory(board).exchanges]
        return {"queries": list(self.queries(board)), "past": past, "most": self.most}

    def call(self, *, queries: Sequence[str], past: Sequence[str], most: int) -> Sequence[int]:
        """The places in the past, from 0, of what bears on the queries, the best first."""
        passages = [Passage(text, str(place)) for place, text in enumerate(past)]
        with LexicalIndex.of(passages) as index:
            return [int(found.source) for found in index.search(queries, most)]

    def receive(self, board: B, result: Sequence[int], /) -> B:
        """The board with the exchanges on it."""
        exchanges = self.memory(board).exchanges
        places = sorted({place for place in result if 0 <= place < len(exchanges)})
        return self.recollected.put(board, tuple(exchanges[place] for place in places))
