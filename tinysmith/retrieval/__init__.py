"""Retrieval: a question becomes queries, queries become passages of documents, passages go into the prompt."""

from tinysmith.retrieval._documents import read_passages
from tinysmith.retrieval._embedding import EmbeddingIndex
from tinysmith.retrieval._lexical import LexicalIndex
from tinysmith.retrieval._nodes import Retrieve, WriteQueries
from tinysmith.retrieval._open import open_index
from tinysmith.retrieval._passages import Found, Passage

__all__ = [
    "EmbeddingIndex",
    "Found",
    "LexicalIndex",
    "Passage",
    "Retrieve",
    "WriteQueries",
    "open_index",
    "read_passages",
]
