"""The index by meaning: vectors of an embedding model, compared by their cosine.

The file holds each text once, with its vector of length 1, and the passages in their order. A text that is in no
passage belongs to a build that is under way or was given up: it is paid for, so it stays, and it is not found.
"""

import importlib
import math
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from sqlite3 import Connection
from types import ModuleType
from typing import TYPE_CHECKING, Self

from tinysmith._shown import encodable
from tinysmith._threads import in_thread
from tinysmith.errors import DataError, UsageError
from tinysmith.models import Embedder, Embeddings
from tinysmith.retrieval._file import IndexFile, finish, make_index, open_index
from tinysmith.retrieval._passages import Found, Passage

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

_TABLES = (
    "CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, vector BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS passages (id INTEGER PRIMARY KEY, text INTEGER NOT NULL, source TEXT NOT NULL)",
)
_LOAD = "SELECT t.text, p.source, t.vector FROM passages p JOIN texts t ON t.id = p.text ORDER BY p.id"
_IN_USE = "SELECT text FROM passages"
_ADD = "INSERT INTO passages (text, source) SELECT id, ? FROM texts WHERE text = ?"
_NUMBER = struct.calcsize("<f")
_DECIMALS = 6
"""Of a cosine; what is beyond is the rounding of 32-bit floats, which may differ for equal vectors."""


class EmbeddingIndex:
    """Finds passages by their meaning.

    Everything is read into memory, once; a file that is built anew meanwhile is not noticed. Any number of threads
    may search at once. Needs numpy. What the embedding model costs is not part of a run's usage.

    Args:
        path: A file that `build` or `tinysmith index` wrote.
        embedder: The model whose vectors are in it.

    Raises:
        DataError: There is no such index, it is broken or unfinished, or of another model.
        UsageError: numpy is not installed.
    """

    def __init__(self, path: str | PathLike[str], embedder: Embedder) -> None:
        self.path = Path(path)
        self.embedder = embedder
        self._numpy = _numpy()
        file = open_index(path, "embedding", model=embedder.model)
        try:
            with file.reading() as connection:
                passages, vectors, length = _loaded(self.path, connection)
        finally:
            file.close()
        self._passages = passages
        self._length = length
        self._matrix = self._array(vectors)
        if not self._numpy.isfinite(self._matrix).all():
            raise _damaged(self.path)

    @classmethod
    def build(
        cls,
        path: str | PathLike[str],
        passages: Iterable[Passage],
        embedder: Embedder,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Writes an index to a file and opens it. Only texts that the file does not hold are embedded.

        What each request brings is in the file before the next is sent. So a build that was interrupted goes on
        where it stopped when it is started again, and one after the documents have changed asks for what is new.
        Who opens an index that is there already finds it as it was, until the new one is whole.

        Args:
            path: The file.
            passages: What is indexed; of several with the same text the first, and nothing that is blank.
            embedder: The model.
            progress: Called with the number of passages whose vectors are there, and of all.

        Raises:
            DataError: The file cannot be written, is something else, or holds vectors of another model.
            ModelError: The model gave no vectors, still after the retries.
            UsageError: numpy is not installed.
        """
        _numpy()  # before anything is paid for
        sources = _by_text(passages)
        file = make_index(path, "embedding", model=embedder.model)
        try:
            for done in _embedded(file, sources, embedder):
                if progress is not None:
                    progress(done, len(sources))
            with file.writing() as connection:
                _order(file.path, connection, sources)
                finish(connection)
        finally:
            file.close()
        return cls(path, embedder)

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self._passages)

    async def __call__(self, *, queries: Sequence[str], most: int) -> list[Found]:
        """The same as `asearch`, as JSON data: what a `Retrieve` node calls."""
        return [{"text": passage.text, "source": passage.source} for passage in await self.asearch(queries, most)]

    def search(self, queries: Sequence[str], most: int = 5) -> list[Passage]:
        """The passages that are nearest to any of the queries, the nearest first, none twice.

        Costs one request to the embedding model; none if there is nothing to ask or to find.

        Args:
            queries: Plain text.
            most: How many passages, at most.

        Raises:
            UsageError: `queries` is one text, or `most` is less than 1.
            DataError: The model's vectors are not those of the index any more.
            ModelError: The model gave no vectors, still after the retries.
        """
        texts = self._asked(queries, most)
        return self._nearest(self.embedder.embed(texts), most) if texts else []

    async def asearch(self, queries: Sequence[str], most: int = 5) -> list[Passage]:
        """The same as `search`, asynchronously. Cancelling ends the request at once."""
        texts = self._asked(queries, most)
        if not texts:
            return []
        asked = await self.embedder.aembed(texts)
        return await in_thread(partial(self._nearest, asked, most))

    def _asked(self, queries: Sequence[str], most: int) -> list[str]:
        """The queries that are worth a request."""
        if isinstance(queries, str):
            raise UsageError(f"queries is the text {queries[:80]!r}. Give a sequence of texts.")
        if most < 1:
            raise UsageError(f"most is {most}. Give at least 1.")
        return list(dict.fromkeys(query for query in queries if query.strip())) if self._passages else []

    def _nearest(self, asked: Embeddings, most: int) -> list[Passage]:
        if asked.length != self._length:
            raise _other_length(self.path, self._length, self.embedder.model, asked.length)
        queries = self._array(b"".join(_packed(vector) for vector in asked.vectors))
        cosines = (self._matrix @ queries.T).max(axis=1).round(_DECIMALS)
        most = min(most, len(cosines))
        least = self._numpy.partition(cosines, -most)[-most]
        near = self._numpy.flatnonzero(cosines >= least)  # all that tie for the last place, in their order
        nearest = near[self._numpy.argsort(-cosines[near], kind="stable")][:most]
        return [self._passages[place] for place in nearest]

    def _array(self, vectors: bytes | bytearray) -> "NDArray[float32]":
        array: NDArray[float32] = self._numpy.frombuffer(vectors, "<f4").reshape(-1, self._length)
        return array


def _by_text(passages: Iterable[Passage]) -> dict[str, str]:
    """Each text's source, where it is first."""
    sources: dict[str, str] = {}
    for passage in passages:
        if passage.text.strip():
            sources.setdefault(encodable(passage.text), encodable(passage.source))
    return sources


def _embedded(file: IndexFile, texts: Collection[str], embedder: Embedder) -> Iterator[int]:
    """Writes the vectors that are missing, and tells how many are there, at first and after each request."""
    with file.writing() as connection:
        for table in _TABLES:
            connection.execute(table)
        known = {text for (text,) in connection.execute("SELECT text FROM texts")}
    missing = [text for text in texts if text not in known]
    done = len(texts) - len(missing)
    yield done
    for brought in embedder.batches(missing):
        some, missing = missing[: len(brought.vectors)], missing[len(brought.vectors) :]
        with file.writing() as connection:
            _keep(file.path, connection, some, brought, embedder.model)
        yield len(texts) - len(missing)


def _keep(place: Path, connection: Connection, texts: Sequence[str], brought: Embeddings, model: str) -> None:
    held = connection.execute("SELECT length(vector) FROM texts LIMIT 1").fetchone()
    if held is not None and held[0] != brought.length * _NUMBER:
        raise _other_length(place, held[0] // _NUMBER, model, brought.length)
    rows = zip(texts, map(_packed, brought.vectors), strict=True)
    connection.executemany("INSERT OR IGNORE INTO texts (text, vector) VALUES (?, ?)", rows)


def _order(place: Path, connection: Connection, sources: dict[str, str]) -> None:
    """Makes the index what it shall be, and drops the texts that only the old one had."""
    old = set(connection.execute(_IN_USE))
    connection.execute("DELETE FROM passages")
    connection.executemany(_ADD, ((source, text) for text, source in sources.items()))
    new = set(connection.execute(_IN_USE))
    if len(new) != len(sources):
        raise DataError(f"{place}: another build of this index has finished meanwhile. Build it again.")
    connection.executemany("DELETE FROM texts WHERE id = ?", old - new)


def _loaded(path: Path, connection: Connection) -> tuple[tuple[Passage, ...], bytearray, int]:
    """The passages, their vectors one after the other, and how many numbers each has."""
    passages: list[Passage] = []
    vectors = bytearray()
    sizes: set[int] = set()
    for text, source, vector in connection.execute(_LOAD):
        sizes.add(len(vector) if isinstance(vector, bytes) else 0)
        if len(sizes) > 1 or min(sizes) % _NUMBER or not min(sizes):
            raise _damaged(path)
        passages.append(Passage(str(text), str(source)))
        vectors += vector
    return tuple(passages), vectors, max(sizes, default=_NUMBER) // _NUMBER


def _packed(vector: Sequence[float]) -> bytes:
    """The vector as the file has it: of length 1, so that a product of two is their cosine."""
    length = math.hypot(*vector) or 1.0
    return struct.pack(f"<{len(vector)}f", *(number / length for number in vector))


def _numpy() -> ModuleType:
    try:
        return importlib.import_module("numpy")
    except ImportError as error:
        raise UsageError(
            "Retrieval by embeddings needs numpy, which is missing. Run `pip install numpy`."
        ) from error


def _damaged(path: Path) -> DataError:
    return DataError(f"{path}: its vectors are damaged. Delete the file and build the index anew.")


def _other_length(path: Path, held: int, model: str, given: int) -> DataError:
    problem = f"its vectors have {held} numbers, and {model} now gives {given}: it is another model by that name"
    return DataError(f"{path}: {problem}. Build another file with it.")
