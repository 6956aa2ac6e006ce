"""Which passages the offline index puts first, in indexes large enough that it does not look at every passage."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith.retrieval import LexicalIndex, Passage

RARE, COMMON = ["aword", "bword"], ["cword", "dword", "eword", "fword", "gword", "hword"]
EVERY = "SELECT text, bm25(passages) FROM passages WHERE passages MATCH ? ORDER BY 2, rowid"


def made_up(dice: random.Random) -> Iterator[Passage]:
    """Passages with one to three common words, some of them repeated, now and then a rare one, and a number."""
    weights = [dice.uniform(2, 3) for _ in COMMON]
    for number in range(5_000):
        held = dice.choices(COMMON, weights, k=dice.randint(1, 3)) + [
            word for word in RARE if dice.random() < 0.001
        ]
        repeated = [word for word in held for _ in range(dice.choice((1, 1, 1, 2, 9)))]
        yield Passage(" ".join([*repeated, *["sand"] * dice.choice((0, 2, 20)), str(number)]))


class TestRanking:
    def test_common_words_do_not_find_but_rank(self) -> None:
        """Beside a rare word a common one finds nothing by itself, but decides between what is found."""
        rare = [Passage("zebra fish"), Passage("zebra water")]
        common = [Passage(f"water number {number}") for number in range(1200)]
        with LexicalIndex.of([*rare, *common, *(Passage(f"sand {number}") for number in range(1500))]) as index:
            assert index.search(["water zebra"]) == [rare[1], rare[0]]
            assert len(index.search(["water"], most=9)) == 9

    def test_a_word_in_most_passages_does_not_rank(self) -> None:
        """A word that more than half of the passages have makes no difference beside rarer ones."""
        everywhere = [Passage(f"water number {number}") for number in range(1200)]
        zebras = [Passage("zebra glass"), Passage("zebra water")]
        with LexicalIndex.of([*zebras, *everywhere]) as index:
            assert index.search(["water zebra"]) == index.search(["zebra"]) == zebras

    def test_of_words_in_most_passages_all_rank(self) -> None:
        """Where there are no rarer ones, the words that most passages have find and rank."""
        apart = [Passage(f"water {number}") for number in range(900)]
        apart += [Passage(f"sand {number}") for number in range(900)]
        together = [Passage(f"sand and water number {number}") for number in range(1000)]
        with LexicalIndex.of([*apart, *together]) as index:
            assert index.search(["water sand"]) == together[:5]
            assert len(index.search(["sand water"], most=9_000)) == 2_800

    def test_the_best_of_common_words_is_found_anywhere(self) -> None:
        """Where even the rarest word is common, the best passage is found though it is among the last."""
        passages = [Passage(f"{word} number {number}") for word in ("harbor", "permit") for number in range(1200)]
        passages += [Passage(f"sand {number}") for number in range(2400)]
        best, short = Passage("a permit for the harbor"), Passage("permit")
        with LexicalIndex.of([*passages, short, best]) as index:
            assert index.search(["harbor permit"], most=2) == [best, short]
            assert index.search(["permit", "submarine harbor permit"], most=2) == [short, best]

    @pytest.mark.parametrize(
        ("query", "best"),
        [
            ("red green blue", ["green and blue"]),
            ("red green blue", [" ".join(["red green blue"] * 9), "green and blue"]),
            ("red green", ["green " * 99]),
        ],
    )
    def test_what_lacks_the_rarest_word_may_be_better(self, query: str, best: list[str]) -> None:
        """A passage without the rarest word is found before one that has only that, where it fits better."""
        passages = [Passage(f"{'red ' * 9}{number}") for number in range(1100)]
        passages += [Passage(f"{word} {number}") for word in ("green", "blue") for number in range(1101)]
        passages += [Passage(f"sand {number} {'x ' * 60}") for number in range(3000)]
        wanted = [Passage(text) for text in best]
        with LexicalIndex.of([*passages, *wanted]) as index:
            assert index.search([query], len(wanted)) == wanted

    @pytest.mark.untraced
    @given(seed=st.integers(0, 10**9), most=st.integers(1, 8))
    @settings(max_examples=10, deadline=None)  # each builds an index
    def test_what_is_found_begins_the_ranking_of_all(
        self, seed: int, most: int, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """What a search finds is what BM25 puts first among all passages, whichever words are common or rare."""
        dice = random.Random(seed)
        path = tmp_path_factory.mktemp("ranking") / "index.db"
        with LexicalIndex.build(path, made_up(dice)) as index, closing(sqlite3.connect(path)) as connection:
            for _ in range(20):
                words = dice.sample([*RARE, *COMMON], dice.randint(1, 6))
                scores = dict(connection.execute(EVERY, (" OR ".join(words),)).fetchall())
                found = [scores[passage.text] for passage in index.search([" ".join(words)], most)]
                assert found == pytest.approx(list(scores.values())[: len(found)], abs=1e-4)
                assert len(found) == most or {*RARE} & {*words}
