"""The offline index: words, in SQLite's full-text search (FTS5), ranked by BM25.

English words are brought to their stems (Porter), accents do not count, and words are what spaces and signs set
apart: text in a script without spaces wants the index by embeddings.
"""

import itertools
import math
import re
import secrets
import sqlite3
import unicodedata
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from typing import Self, TypeAlias

from tinysmith._shown import encodable
from tinysmith.errors import DataError, UsageError
from tinysmith.retrieval._file import IndexFile, finish, make_index, open_index
from tinysmith.retrieval._passages import Found, Passage, fused

Progress: TypeAlias = Callable[[int, int], None]

_TABLE = """
CREATE VIRTUAL TABLE passages USING fts5(text, source UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2')
"""
_FIND = """
SELECT bm25(passages) AS score, rowid FROM passages WHERE passages MATCH ? ORDER BY score, rowid LIMIT ?
"""
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM passages WHERE passages MATCH ? LIMIT ?)"
_WORD = re.compile(r"[^\W_]+")

_MOST_WORDS = 100  # different ones that are looked at in a query
_LONGEST_WORD = 100  # in characters; what is longer is no word
_FEW = 1_000  # passages that are ranked at once; each takes about a microsecond
_SATURATION = 2.2  # a word that a passage repeats without end weighs so much more than 1 in FTS5's BM25
_LEAST_WEIGHT = 1e-6  # which FTS5 gives a word that half of the passages have, or more
_KNOWN_WORDS = 10_000
_BATCH = 500


class LexicalIndex:
    """Finds passages by their words.

    A query's passages are found by its rarer words and ranked by all of them; those that have only its common
    words are looked at only if one may be better. So words that are everywhere cost little beside others. Any
    number of threads may search at once.

    Args:
        path: A file that `build` or `tinysmith index` wrote.

    Raises:
        DataError: There is none, or it is no such index.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._open(open_index(path, "lexical"))

    @classmethod
    def of(cls, passages: Iterable[Passage]) -> Self:
        """An index in memory."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        file = IndexFile(Path(":memory:"), connection)
        with file.writing() as lent:
            _fill(lent, list(passages), None)
        index = cls.__new__(cls)
        cls._open(index, file)
        return index

    @classmethod
    def build(
        cls, path: str | PathLike[str], passages: Iterable[Passage], progress: Progress | None = None
    ) -> Self:
        """Writes an index to a file, instead of the lexical index that may be there, and opens it.

        The file is complete or, where the building is interrupted, as it was before.

        Args:
            path: The file.
            passages: What is indexed; of several with the same text the first, and nothing that is blank.
            progress: Called now and then with the number of passages written and of all.

        Raises:
            DataError: The file cannot be written, or is there and no lexical index.
        """
        whole = list(passages)
        place = _vacant(path)
        unfinished = place.with_name(f".{secrets.token_hex(8)}.index")
        try:
            file = make_index(unfinished, "lexical")
            try:
                with file.writing() as connection:
                    _fill(connection, whole, progress)
                    finish(connection)
            finally:
                file.close()
            _move(unfinished, place)
        finally:
            unfinished.unlink(missing_ok=True)
        return cls(place)

    def __len__(self) -> int:
        """How many passages there are."""
        return self._size

    def __call__(self, *, queries: Sequence[str], most: int) -> list[Found]:
        """The same as `search`, as JSON data: what a `Retrieve` node calls."""
        return [{"text": passage.text, "source": passage.source} for passage in self.search(queries, most)]

    def search(self, queries: Sequence[str], most: int = 5) -> list[Passage]:
        """The passages that fit the queries best, none twice; the best of each query comes first.

        No passage is found in place of a better one. Where rare words find few, passages that have only
        common ones may be left out.

        Args:
            queries: Plain text; no sign in it means anything to the search.
            most: How many passages, at most.

        Raises:
            UsageError: `queries` is one text, or `most` is less than 1.
            DataError: The file is broken.
        """
        if isinstance(queries, str):
            raise UsageError(f"queries is the text {queries[:80]!r}. Give a sequence of texts.")
        if most < 1:
            raise UsageError(f"most is {most}. Give at least 1.")
        with self._file.reading() as connection:
            rows = fused([self._ranked(connection, query, most) for query in queries], most)
            find = "SELECT text, source FROM passages WHERE rowid = ?"
            return [Passage(*connection.execute(find, (row,)).fetchone()) for row in rows]

    def close(self) -> None:
        """Lets go of the file; it is also let go of when nobody uses the index any more."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, file: IndexFile) -> None:
        self._file = file
        self._finalizer = weakref.finalize(self, file.close)
        with file.reading() as connection:
            last = connection.execute("SELECT rowid FROM passages ORDER BY rowid DESC LIMIT 1").fetchone()
        self._size: int = last[0] if last else 0
        # What is opened never changes, so a word is counted once.
        self._count = lru_cache(_KNOWN_WORDS)(partial(_counted, max(self._size // 2, _FEW) + 1))

    def _ranked(self, connection: sqlite3.Connection, query: str, most: int) -> list[int]:
        """The beginning of the ranking of all passages that have any of the words.

        The rarest words find first; then more of them, as long as what they add may be better than the last found.
        """
        counts = {word: self._count(connection, word) for word in _words(query)}
        known = sorted((word for word in counts if counts[word]), key=counts.__getitem__)
        # BM25 as FTS5 has it gives next to no weight to a word that more than half of the passages have.
        words = [word for word in known if counts[word] <= max(self._size // 2, _FEW)] or known
        bounds = [_bound(counts[word], self._size) for word in words]
        ranking: list[tuple[float, int]] = []
        begin, end = 0, _rare([counts[word] for word in words])
        while begin < end:
            found = connection.execute(_FIND, (_wanted(words, begin, end), most))
            ranking = sorted([*ranking, *found])[:most]
            begin, end = end, _needed(bounds, -ranking[-1][0])
        return [row for _, row in ranking]


def _vacant(path: str | PathLike[str]) -> Path:
    """Where an index may be written: nothing is there, or a lexical index."""
    try:
        place = Path(path).resolve()  # a link stays, what it points to is replaced
        if not place.parent.is_dir():
            raise DataError(f"{path}: there is no folder {place.parent}. Make it, or name another file.")
        if place.exists():
            open_index(place, "lexical").close()
    except OSError as error:
        raise _unwritable(path, error) from error
    return place


def _move(unfinished: Path, place: Path) -> None:
    try:
        unfinished.replace(place)
    except OSError as error:
        raise _unwritable(place, error) from error


def _unwritable(path: str | PathLike[str], error: OSError) -> DataError:
    return DataError(f"{path}: no index can be written there: {error.strerror}. Name another file.")


def _fill(connection: sqlite3.Connection, passages: Sequence[Passage], progress: Progress | None) -> None:
    connection.execute(_TABLE)
    seen: set[bytes] = set()
    for start in range(0, len(passages), _BATCH):
        batch = passages[start : start + _BATCH]
        connection.executemany("INSERT INTO passages(text, source) VALUES (?, ?)", _rows(batch, seen))
        if progress is not None:
            progress(start + len(batch), len(passages))
    connection.execute("INSERT INTO passages(passages) VALUES ('optimize')")


def _rows(passages: Iterable[Passage], seen: set[bytes]) -> Iterator[tuple[str, str]]:
    for passage in passages:
        text = encodable(passage.text)
        digest = blake2b(text.encode(), digest_size=16).digest()
        if text.strip() and digest not in seen:
            seen.add(digest)
            yield text, encodable(passage.source)


def _counted(most: int, connection: sqlite3.Connection, word: str) -> int:
    """How many passages have the word; counting stops at `most`."""
    count: tuple[int] = connection.execute(_COUNT, (word, most)).fetchone()
    return count[0]


def _rare(counts: Sequence[int]) -> int:
    """How many of the words, the rarest first, have few passages together; one at least, if there is any."""
    totals = itertools.accumulate(counts)
    return max(min(1, len(counts)), sum(total <= _FEW for total in totals))


def _bound(count: int, size: int) -> float:
    """What a word that so many passages have adds to a score at most; twice, as in `_wanted`."""
    weight = math.log((size - count + 0.5) / (count + 0.5))
    return 2 * _SATURATION * max(weight, _LEAST_WEIGHT)


def _needed(bounds: Sequence[float], score: float) -> int:
    """How many of the words must find, so that a passage that has only the others cannot have a greater score."""
    return sum(sum(bounds[end:]) > score for end in range(len(bounds)))


def _wanted(words: Sequence[str], begin: int, end: int) -> str:
    """Finds the passages that have a word from `begin` to `end` and none before, and ranks them by all words.

    In FTS5 what finds also ranks. So the words that find are there twice, and to be fair the others are too.
    """
    finding, ranking = " OR ".join(words[begin:end]), " OR ".join([*words[begin:], *words[end:]])
    wanted = f"({finding}) AND ({ranking})"
    return f"({wanted}) NOT ({' OR '.join(words[:begin])})" if begin else wanted


def _words(query: str) -> list[str]:
    """The query's different words, each quoted, so that none is an operator."""
    words: dict[str, None] = {}
    for found in _WORD.finditer(unicodedata.normalize("NFC", query)):
        if len(found[0]) <= _LONGEST_WORD:
            words[f'"{found[0].lower()}"'] = None
        if len(words) == _MOST_WORDS:
            break
    return list(words)
