"""The two nodes that put knowledge on a board: one writes queries, the other looks them up."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tinysmith.errors import ParseError, UsageError
from tinysmith.mapping import JSON
from tinysmith.nodes import Agent, Field, Tool
from tinysmith.retrieval._passages import Found, Passage
from tinysmith.templates import Template

B = TypeVar("B")

_LONGEST_QUERY = 300  # in characters; what is longer is an answer or an explanation
_LIST_MARK = re.compile(r"(?:[-*+>\u2013\u2014]\s+|[•·]\s*|\(?\d{1,2}[.):](?:\s+|$))+")
_QUOTES = "\"'`*“”„«»\u2018\u2019"


class WriteQueries(Agent[B]):
    """Turns the question at hand into a few queries, one a line.

    Costs: one model call.

    Args:
        question: Reads from the board what is to be found out.
        queries: Where the queries go.
        most: How many may be written.
    """

    samples = ("boats by home port\nmeaning of home_port_id", "1. average delay")
    template = Template("prompts/queries.jinja")

    def __init__(self, question: Callable[[B], str], queries: Field[B, tuple[str, ...]], *, most: int = 3) -> None:
        self.question = question
        self.queries = queries
        self.most = _positive(self, most)

    def prompt(self, board: B, /) -> str:
        """The question, and how to ask for what would help."""
        return self.template.render(question=self.question(board), most=self.most)

    def parse(self, board: B, reply: str, /) -> B:
        """Takes each line as a query, without what numbers or quotes it; an announcement (`…:`) is none."""
        lines = [_bare(line) for line in reply.splitlines()]
        queries = tuple(dict.fromkeys(line for line in lines if _is_query(line)))
        if not 1 <= len(queries) <= self.most:
            wanted = "one query" if self.most == 1 else f"1 to {self.most} queries, one a line,"
            raise ParseError(f"Write {wanted} and nothing else; your reply has {len(queries)}.")
        if max(map(len, queries)) > _LONGEST_QUERY:
            raise ParseError(f"Write queries of a few words each, none longer than {_LONGEST_QUERY} characters.")
        return self.queries.put(board, queries)


class Retrieve(Tool[B, Sequence[Found]]):
    """Looks the queries up, and puts the best passages on the board, none twice.

    It is bound to an index when the run starts: `run(..., tools={"retriever": LexicalIndex("docs.db")})`, by the
    node's name. Costs: no model call; with embeddings, one request to the embedding model.

    Args:
        queries: Reads the queries from the board, such as those that `WriteQueries` wrote.
        knowledge: Where the passages go, the best first.
        most: How many of them.
    """

    def __init__(
        self,
        queries: Callable[[B], Sequence[str]],
        knowledge: Field[B, tuple[Passage, ...]],
        *,
        most: int = 5,
    ) -> None:
        self.queries = queries
        self.knowledge = knowledge
        self.most = _positive(self, most)

    def arguments(self, board: B, /) -> Mapping[str, JSON]:
        """The queries, and how many passages."""
        return {"queries": list(self.queries(board)), "most": self.most}

    def receive(self, board: B, result: Sequence[Found], /) -> B:
        """The board with the passages on it.

        Raises:
            TypeError: What the node is bound to returned something else than passages.
        """
        if isinstance(result, str) or not isinstance(result, Sequence):
            raise _misfit(self, result)
        different: dict[str, Passage] = {}
        for found in result:
            passage = _passage(found)
            if passage is None:
                raise _misfit(self, found)
            different.setdefault(passage.text, passage)
        return self.knowledge.put(board, tuple(different.values())[: self.most])


def _positive(node: object, most: int) -> int:
    if most < 1:
        raise UsageError(f"{type(node).__name__}: most is {most!r}. Give at least 1.")
    return most


def _bare(line: str) -> str:
    marked = line.strip()
    text = marked[found.end() :] if (found := _LIST_MARK.match(marked)) else marked
    is_quoted = text[:1] in _QUOTES and text[-1:] in _QUOTES
    return text.strip(f"{_QUOTES} ") if is_quoted else text


def _is_query(line: str) -> bool:
    return any(char.isalnum() for char in line) and not line.endswith(":")


def _passage(found: object) -> Passage | None:
    if not isinstance(found, Mapping):
        return None
    text, source = found.get("text"), found.get("source", "")
    return Passage(text, source) if isinstance(text, str) and isinstance(source, str) else None


def _misfit(node: object, value: object) -> TypeError:
    problem = f"{type(node).__name__}: what it is bound to returned {repr(value)[:80]}"
    if isinstance(value, Passage):
        return TypeError(f"{problem}, which is no JSON data. Bind the index itself, not its search.")
    return TypeError(f'{problem}. Return a list of passages, each {{"text": "…", "source": "…"}}.')
