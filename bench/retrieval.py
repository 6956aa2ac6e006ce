"""The lexical index of 10,000 passages: the time to build it and to answer questions, and whether it is exact.

The passages are made up: 60 to 120 words each, of a vocabulary whose frequencies follow Zipf's law.
Questions of common words only are the worst case: whatever has one of them may be the best, and is ranked.
"""

import itertools
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _measure import SHORT, bar, median

from tinysmith.retrieval import LexicalIndex, Passage

PASSAGES = 10_000
BUILDS = 3 if SHORT else 9
SEARCHES = 50 if SHORT else 400
MOST = 5
QUESTION = 8
COMMON = 25
"""So many words are in a third of the passages or more."""

NEGLIGIBLE = 1e-4
"""A difference of scores that words in more than half of the passages can make."""

_SYLLABLES = (
    "ba", "co", "di", "fu", "ge", "hi", "jo", "ku", "la", "me", "ni", "or",
    "pa", "que", "ri", "so", "tu", "ver", "wa", "xi", "yo", "zu", "ion", "ing",
)  # fmt: skip


def vocabulary(dice: random.Random, size: int = 30_000) -> list[str]:
    """Words, the most frequent first."""
    words: dict[str, None] = {}
    while len(words) < size:
        words["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 4)))] = None
    return list(words)


def passages(dice: random.Random, words: list[str]) -> list[Passage]:
    """Passages of those words."""
    weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    lengths = (dice.randint(60, 120) for _ in range(PASSAGES))
    texts = (" ".join(dice.choices(words, cum_weights=weights, k=length)) for length in lengths)
    return [Passage(text, f"made/up.md:{number}") for number, text in enumerate(texts)]


def spent(index: LexicalIndex, searches: list[list[str]]) -> list[float]:
    """Milliseconds for each search."""
    times = []
    for queries in searches:
        begin = time.perf_counter()
        index.search(queries, MOST)
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def is_exact(path: Path, index: LexicalIndex, question: str) -> bool:
    """Whether the search finds what BM25 puts first where every word is searched for; ties count as the same."""
    connection = sqlite3.connect(path)
    wanted = " OR ".join(dict.fromkeys(question.split()))
    find = "SELECT source, bm25(passages) FROM passages WHERE passages MATCH ?"
    scores: dict[str, float] = dict(connection.execute(find, (wanted,)).fetchall())
    connection.close()
    found = [scores[passage.source] for passage in index.search([question], MOST)]
    best = sorted(scores.values())[: len(found)]
    return all(abs(one - other) < NEGLIGIBLE for one, other in zip(found, best, strict=True))


def report(name: str, index: LexicalIndex, searches: list[list[str]]) -> float:
    """Prints the times, and returns the median."""
    times = spent(index, searches)
    print(f"{name:38} {median(times):6.2f} ms, at most {max(times):6.2f} ms")
    return median(times)


def main() -> None:
    """Measures and prints."""
    dice = random.Random(3)
    words = vocabulary(dice)
    everything = passages(dice, words)
    size = sum(len(passage.text) for passage in everything)

    def question() -> str:
        return " ".join(dice.choices(dice.choice(everything).text.split(), k=QUESTION))

    builds = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        for _ in range(BUILDS):
            begin = time.perf_counter()
            LexicalIndex.build(path, everything).close()
            builds.append(time.perf_counter() - begin)
        print(f"{PASSAGES} passages, {size / 1e6:.1f} MB, in a file of {path.stat().st_size / 1e6:.1f} MB")
        with LexicalIndex(path) as index:
            asked = [[question() for _ in range(3)] for _ in range(SEARCHES)]
            common = [[" ".join(dice.choices(words[:COMMON], k=QUESTION)) for _ in range(3)] for _ in asked]
            single = [queries[:1] for queries in asked]
            usual = report("a question, words of a passage", index, single)
            several = report("three questions, words of a passage", index, asked)
            report("a question, common words only", index, [queries[:1] for queries in common])
            report("three questions, common words only", index, common)
            checked = [query for (query,) in single[:50]] + [queries[0] for queries in common[:50]]
            same = [is_exact(path, index, query) for query in checked]
    print(f"the same passages as with an exhaustive search: {sum(same)} of {len(same)}")
    bar("the index is built", median(builds), 2, " s")
    bar("a question, words of a passage", usual, 5, " ms")
    bar("three questions, words of a passage", several, 5, " ms")


if __name__ == "__main__":
    main()
