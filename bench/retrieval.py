"""The lexical index: the time to build it of 10,000 passages and to answer three questions, and what haste loses.

The passages are made up: 60 to 120 words each, of a vocabulary whose frequencies follow Zipf's law.
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


def exhaustive(path: Path, question: str) -> str:
    """The source of the passage that BM25 puts first, every word searched for."""
    connection = sqlite3.connect(path)
    wanted = " OR ".join(question.split())
    find = "SELECT source FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT 1"
    source: str = connection.execute(find, (wanted,)).fetchone()[0]
    connection.close()
    return source


def report(name: str, index: LexicalIndex, searches: list[list[str]]) -> float:
    """Prints the times, and returns the median."""
    times = spent(index, searches)
    print(f"three questions, {name:25} {median(times):6.2f} ms, at most {max(times):6.2f} ms")
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
            usual = report("words of a passage", index, asked)
            slow = report("common words only", index, common)
            single = [queries[0] for queries in asked[:50]]
            same = [index.search([query], 1)[0].source == exhaustive(path, query) for query in single]
    print(f"the same passage first as with an exhaustive search: {sum(same)} of {len(same)}")
    bar("the index is built", median(builds), 2, " s")
    bar("three questions, words of a passage", usual, 5, " ms")
    bar("three questions, common words only", slow, 5, " ms")


if __name__ == "__main__":
    main()
