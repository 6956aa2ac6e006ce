"""The offline index: what it finds, what it bears, and what an interrupted build leaves."""

import itertools
import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysmith.errors import DataError, UsageError
from tinysmith.retrieval import LexicalIndex, Passage

BOATS = Passage("The boats lie in the harbour of Rostock.", "boats.md:1")
PORTS = Passage("A port has a name and a country. The port of Rostock is old.", "ports.md:1")
DELAYS = Passage("The average delay of the ferries was 12 minutes.", "delays.md:7")
GUIDE = (BOATS, PORTS, DELAYS)

SIGNS = st.sampled_from(["boats", *"\"'*()^-+:{}\0", "AND", "OR", "NOT", "NEAR(", "text:"])
HOSTILE = st.text() | st.lists(SIGNS).map(" ".join) | st.lists(SIGNS).map("".join)


@pytest.fixture(scope="module")
def guide() -> Iterator[LexicalIndex]:
    """An index of three passages."""
    with LexicalIndex.of(GUIDE) as index:
        yield index


class TestSearch:
    def test_finds_by_words(self, guide: LexicalIndex) -> None:
        """Only passages that have a word of the query are found."""
        assert guide.search(["average delay"]) == [DELAYS]
        assert guide.search(["submarine"]) == []

    def test_finds_by_stems(self, guide: LexicalIndex) -> None:
        """A word is found in its other forms, in capitals and without its accents."""
        assert guide.search(["DELAYED ferry"]) == [DELAYS]
        assert LexicalIndex.of([Passage("Le café est fermé.")]).search(["CAFE"]) == [Passage("Le café est fermé.")]
        assert LexicalIndex.of([Passage("Eine Straße")]).search(["straße"]) == [Passage("Eine Straße")]

    def test_finds_the_parts_of_names(self) -> None:
        """The parts of a name in code are words, in passages and in queries."""
        with LexicalIndex.of([Passage("The id of the home port"), Passage("SELECT home_port_id")]) as index:
            assert len(index.search(["home_port_id"])) == len(index.search(["port"])) == 2

    def test_composed_and_decomposed_accents_are_the_same(self) -> None:
        """An accent that is a character of its own makes no difference, on either side."""
        composed, decomposed = "na\u00efve", "nai\u0308ve"
        for text in (composed, decomposed):
            for query in (composed, decomposed):
                assert LexicalIndex.of([Passage(text)]).search([query]) == [Passage(text)]

    def test_the_better_fit_comes_first(self, guide: LexicalIndex) -> None:
        """A passage that has more of the words comes first."""
        assert guide.search(["port in Rostock"])[0] == PORTS
        assert guide.search(["boats in Rostock"])[0] == BOATS

    def test_the_best_of_each_query_gets_in(self, guide: LexicalIndex) -> None:
        """The best passage of each query comes first, in the order of the queries, and none twice."""
        assert guide.search(["delay", "boats"], most=2) == [DELAYS, BOATS]
        assert guide.search(["boats", "delay", "boats"]) == [BOATS, DELAYS]

    def test_equals_stand_in_the_order_of_the_index(self) -> None:
        """Passages that fit equally well stand in the order in which they were given."""
        equal = [Passage(f"boat {name}", name) for name in "dacb"]
        with LexicalIndex.of(equal) as index:
            assert index.search(["boat"]) == equal
            assert index.search(["boat"], most=2) == equal[:2]

    def test_in_a_small_index_every_word_finds(self) -> None:
        """Of few passages even those are found that have only what most have."""
        with LexicalIndex.of([Passage(f"water {number}") for number in range(499)]) as index:
            assert len(index.search(["water 7"], most=999)) == 499

    def test_what_is_found_does_not_depend_on_its_place(self) -> None:
        """The one passage that has a rare word is found though it is the last of those with a common one."""
        last = Passage("water and one zebra")
        with LexicalIndex.of([*(Passage(f"water {number}") for number in range(900)), last]) as index:
            assert index.search(["water zebra"])[0] == last

    def test_words_that_nothing_has_cost_nothing(self, guide: LexicalIndex) -> None:
        """A word that no passage has does not keep the others from finding."""
        assert guide.search(["submarine delay"]) == [DELAYS]

    @given(st.lists(HOSTILE, max_size=4), st.integers(1, 9))
    @example(['"'], 1)
    @example(["\ud800 boats"], 1)
    @example(["boats\0AND"], 1)
    def test_no_query_is_an_error(self, queries: list[str], most: int) -> None:
        """Whatever a query says, the answer is some of the passages, none twice, and at most as many as wanted."""
        with LexicalIndex.of(GUIDE) as index:
            found = index.search(queries, most)
            assert set(found) <= set(GUIDE)
            assert len(found) == len(set(found)) <= most
            assert found == index.search(queries, most)

    @given(HOSTILE, HOSTILE)
    def test_signs_do_not_hide_words(self, before: str, after: str) -> None:
        """A word is found whatever stands around it, operators of the search included."""
        with LexicalIndex.of(GUIDE) as index:
            assert DELAYS in index.search([f"{before} ferries {after}"])

    @pytest.mark.parametrize("query", ["x" * 100_000, "boats " * 20_000, "".join(map(chr, range(32, 50_000)))])
    def test_long_queries_are_borne(self, guide: LexicalIndex, query: str) -> None:
        """A query of 100 kB is answered like another."""
        assert guide.search([query, "delay"], most=2)[-1] == DELAYS

    def test_looks_at_the_first_words_of_a_query(self, guide: LexicalIndex) -> None:
        """Of a query's different words the first hundred are looked for; what is too long is no word."""
        assert guide.search([" ".join([*map(str, range(1000, 1099)), "delay"])]) == [DELAYS]
        assert guide.search([" ".join([*map(str, range(1000, 1100)), "delay"])]) == []
        assert guide.search([" ".join([*(f"{number:0101}" for number in range(100)), "delay"])]) == [DELAYS]
        assert guide.search([" ".join([*(f"{number:0100}" for number in range(100)), "delay"])]) == []

    def test_capitals_make_no_other_word(self, guide: LexicalIndex) -> None:
        """A word in all its spellings is one of the hundred."""
        spellings = map("".join, itertools.product(*zip("ferries", "FERRIES", strict=True)))
        assert guide.search([" ".join([*spellings, "harbour"])]) == [BOATS, DELAYS]

    def test_refuses_what_is_no_search(self, guide: LexicalIndex) -> None:
        """One text instead of several, and a number below 1, are told."""
        with pytest.raises(UsageError, match=r"queries is the text 'delay'. Give a sequence of texts."):
            guide.search("delay")
        with pytest.raises(UsageError, match=r"most is 0. Give at least 1."):
            guide.search(["delay"], most=0)

    def test_finds_nothing_in_an_empty_index(self) -> None:
        """An index without passages answers."""
        with LexicalIndex.of([]) as index:
            assert len(index) == 0
            assert index.search(["boats"]) == []


class TestCall:
    def test_answers_with_json(self, guide: LexicalIndex) -> None:
        """As a tool it returns what the search finds, as JSON data."""
        assert guide(queries=["delay", "boats"], most=1) == [{"text": DELAYS.text, "source": DELAYS.source}]

    def test_bears_threads(self, guide: LexicalIndex) -> None:
        """Several threads at once get what one gets, also threads that did not open the index."""
        asked = [["boats"], ["port of Rostock", "delay"], ["the"]] * 30
        together = threading.Barrier(6)

        def search(part: list[list[str]]) -> list[list[Passage]]:
            together.wait()
            return [guide.search(queries) for queries in part]

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(search, [asked] * 6))
        assert answers == [[guide.search(queries) for queries in asked]] * 6


class TestPassages:
    def test_a_text_is_there_once(self) -> None:
        """Of several passages with the same text the first is kept, and nothing that is blank."""
        same = Passage(BOATS.text, "copy.md:1")
        with LexicalIndex.of([BOATS, same, Passage(" \n"), Passage(""), DELAYS]) as index:
            assert len(index) == 2
            assert index.search(["boats"]) == [BOATS]

    @given(st.text(), st.text())
    @example("a\0b", "\0")
    def test_come_back_as_they_went_in(self, text: str, source: str) -> None:
        """A passage is found as it was given, whatever is in it beside the word."""
        passage = Passage(f"{text} ferries", source)
        with LexicalIndex.of([passage]) as index:
            assert index.search(["ferries"]) == [passage]

    def test_halves_of_surrogate_pairs_are_replaced(self) -> None:
        """What no file can hold is replaced, since models write it."""
        with LexicalIndex.of([Passage("boats \ud800", "\udfff")]) as index:
            assert index.search(["boats"]) == [Passage("boats \ufffd", "\ufffd")]


class TestBuild:
    def test_survives_a_restart(self, tmp_path: Path) -> None:
        """A file that was built and closed answers when it is opened again."""
        path = tmp_path / "guide.db"
        with LexicalIndex.build(path, iter(GUIDE)) as built:
            assert built.search(["delay"]) == [DELAYS]
        with LexicalIndex(path) as index:
            assert (len(index), index.search(["delay"])) == (3, [DELAYS])

    def test_tells_its_progress(self, tmp_path: Path) -> None:
        """The progress is told now and then, and at the end."""
        told: list[tuple[int, int]] = []
        many = [Passage(f"number {number}") for number in range(1200)]
        LexicalIndex.build(tmp_path / "many.db", many, lambda done, total: told.append((done, total))).close()
        assert told == [(500, 1200), (1000, 1200), (1200, 1200)]

    def test_replaces_an_index(self, tmp_path: Path) -> None:
        """An index that is there is replaced; who has it open goes on with the old one."""
        path = tmp_path / "guide.db"
        with LexicalIndex.build(path, [BOATS]) as old:
            with LexicalIndex.build(path, [DELAYS]) as new:
                assert (old.search(["boats"]), new.search(["boats"])) == ([BOATS], [])
            assert [found.name for found in tmp_path.iterdir()] == ["guide.db"]

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
    def test_keeps_a_link(self, tmp_path: Path) -> None:
        """Where the file is a link, what it points to is replaced."""
        path, link = tmp_path / "guide.db", tmp_path / "link.db"
        LexicalIndex.build(path, [BOATS]).close()
        link.symlink_to(path)
        LexicalIndex.build(link, [DELAYS]).close()
        assert link.is_symlink()
        with LexicalIndex(path) as index:
            assert index.search(["delay"]) == [DELAYS]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    def test_an_interrupted_build_changes_nothing(self, tmp_path: Path, error: type[BaseException]) -> None:
        """A build that is interrupted leaves the old file byte for byte, and nothing beside it."""
        path = tmp_path / "guide.db"
        LexicalIndex.build(path, GUIDE).close()
        before = path.read_bytes()

        def interrupt(done: int, total: int) -> None:
            assert len(list(tmp_path.iterdir())) > 1  # it really is under way
            raise error

        with pytest.raises(error):
            LexicalIndex.build(path, [BOATS], interrupt)
        assert path.read_bytes() == before
        assert [found.name for found in tmp_path.iterdir()] == ["guide.db"]

    def test_does_not_overwrite_what_is_none(self, tmp_path: Path) -> None:
        """A file that is no lexical index is told, and stays as it is."""
        path = tmp_path / "notes.txt"
        for content in (b"my notes, the only copy " * 50, b""):
            path.write_bytes(content)
            with pytest.raises(DataError, match=r"notes\.txt: it is no index\. Give one"):
                LexicalIndex.build(path, GUIDE)
            assert path.read_bytes() == content
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE passages (text)")
        connection.close()
        with pytest.raises(DataError, match="it is no index"):
            LexicalIndex.build(path, GUIDE)

    def test_tells_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        """A missing folder and a name that no file can have are told."""
        with pytest.raises(DataError, match=r"guide\.db: there is no folder .*nowhere\. Make it, or name"):
            LexicalIndex.build(tmp_path / "nowhere" / "guide.db", GUIDE)
        with pytest.raises(DataError, match=r"no index can be written there: File name too long\. Name"):
            LexicalIndex.build(tmp_path / ("x" * 300), GUIDE)

    def test_tells_where_it_cannot_be_put(self, tmp_path: Path) -> None:
        """Where the place is taken while the index is built, that is told and nothing is left."""
        path = tmp_path / "guide.db"
        with pytest.raises(DataError, match=r"guide\.db: no index can be written there: .*\. Name another file"):
            LexicalIndex.build(path, GUIDE, lambda _done, _total: path.mkdir(exist_ok=True))
        assert [found.name for found in tmp_path.iterdir()] == ["guide.db"]


class TestOpen:
    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        """The message about a missing file says how to make one."""
        with pytest.raises(DataError, match=r"there is no such file\. Build the index first"):
            LexicalIndex(tmp_path / "none.db")

    def test_a_broken_file_is_told(self, tmp_path: Path) -> None:
        """A file that breaks after its beginning is told when it is opened or searched."""
        path = tmp_path / "guide.db"
        LexicalIndex.build(path, [Passage(f"boat number {number}") for number in range(2000)]).close()
        content = bytearray(path.read_bytes())
        content[8192:] = b"\xa5" * (len(content) - 8192)
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"guide\.db: the index cannot be used"):
            LexicalIndex(path).search(["boat"])

    def test_an_index_lets_go_of_its_file(self, tmp_path: Path) -> None:
        """A closed index answers no more; closing it again does no harm."""
        index = LexicalIndex.build(tmp_path / "guide.db", GUIDE)
        index.close()
        index.close()
        with pytest.raises(DataError):
            index.search(["boats"])
