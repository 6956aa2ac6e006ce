"""Passages found by meaning: what the index finds, and which files it refuses."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Handler, Seen, refused_base_url, serving, stall
from loopback_embeddings import BOATS, built, embeddings, letters, own

from tinysmith import Edge, Field, Halt, Strategy, arun, run
from tinysmith.errors import DataError, UsageError
from tinysmith.models import Embedder, Embeddings
from tinysmith.retrieval import EmbeddingIndex, Passage, Retrieve
from tinysmith.retrieval._embedding import _packed
from tinysmith.retrieval._file import make_index

Door = Callable[[EmbeddingIndex, Sequence[str], int], list[Passage]]
DOORS: dict[str, Door] = {
    "search": lambda index, queries, most: index.search(queries, most),
    "asearch": lambda index, queries, most: asyncio.run(index.asearch(queries, most)),
}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


def meddle(path: Path, *statements: str) -> Path:
    """What somebody else does to the file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


class Vectors(tuple["array[float]", ...]):
    """Vectors that note in which threads they are read."""

    read_in: ClassVar[list[threading.Thread]] = []

    def __iter__(self) -> Iterator["array[float]"]:
        self.read_in.append(threading.current_thread())
        return super().__iter__()


class Watched(Embedder):
    """An embedder that gives such vectors."""

    def embed(self, texts: Sequence[str]) -> Embeddings:
        return Embeddings(Vectors(super().embed(texts).vectors))

    async def aembed(self, texts: Sequence[str]) -> Embeddings:
        return Embeddings(Vectors((await super().aembed(texts)).vectors))


class TestRefusals:
    def test_other_model(self, path: Path) -> None:
        """Another model's vectors are refused, before anybody is asked."""
        built(path)
        other = Embedder("hosted_vllm/other", base_url=refused_base_url())
        for make in (partial(EmbeddingIndex, path, other), partial(EmbeddingIndex.build, path, BOATS, other)):
            with pytest.raises(
                DataError, match="vectors of 'hosted_vllm/own', which those of 'hosted_vllm/other' can"
            ):
                make()

    def test_other_length(self, path: Path, door: Door) -> None:
        """Another model by the same name shows itself by its vectors' length."""
        built(path)
        problem = r"its vectors have 26 numbers, and hosted_vllm/own now gives 2: .* Build another file with it\."
        with serving(rest=embeddings(lambda _: [1.0, 2.0])) as server:
            with pytest.raises(DataError, match=problem):
                door(EmbeddingIndex(path, own(server.base_url)), ["a"], 5)
            with pytest.raises(DataError, match=problem):
                EmbeddingIndex.build(path, [*BOATS, Passage("ddd")], own(server.base_url))
        assert len(EmbeddingIndex(path, own(refused_base_url()))) == 5

    def test_lexical(self, path: Path) -> None:
        """An index of the other kind is refused, and left as it is."""
        make_index(path, "lexical").close()
        with pytest.raises(DataError, match="of kind 'lexical', not 'embedding'"):
            EmbeddingIndex.build(path, BOATS, own(refused_base_url()))

    def test_missing(self, path: Path) -> None:
        """So is a file that is not there."""
        with pytest.raises(DataError, match="there is no such file"):
            EmbeddingIndex(path, own(refused_base_url()))

    @pytest.mark.parametrize(
        "vector",
        [
            "'text'",
            "x''",
            "x'00'",
            "x'0000803f'",
            "17",
            "zeroblob(108)",
            f"x'{'0000c07f' * 26}'",
            f"x'{'000080ff' * 26}'",
        ],
    )
    def test_damaged(self, path: Path, vector: str) -> None:
        """Vectors that are none, of another length or not finite are refused."""
        meddle(built(path), f"UPDATE texts SET vector = {vector} WHERE id = 2")
        with pytest.raises(DataError, match=r"its vectors are damaged\. Delete the file and build the index anew"):
            EmbeddingIndex(path, own(refused_base_url()))

    @pytest.mark.parametrize("vector", ["x''", "x'0000'", "'text'"])
    def test_all_damaged(self, path: Path, vector: str) -> None:
        """Also where all are alike."""
        meddle(built(path), f"UPDATE texts SET vector = {vector}")
        with pytest.raises(DataError, match="its vectors are damaged"):
            EmbeddingIndex(path, own(refused_base_url()))

    def test_no_table(self, path: Path) -> None:
        """A file that lacks the passages is refused."""
        meddle(built(path), "DROP TABLE texts")
        with pytest.raises(DataError, match="no such table"):
            EmbeddingIndex(path, own(refused_base_url()))

    def test_no_numpy(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without numpy nothing is opened and nobody is asked; the error names it."""
        built(path)
        monkeypatch.setitem(sys.modules, "numpy", None)  # as if it were not installed
        nobody = own(refused_base_url())
        new = path.with_name("new.db")
        for make in (partial(EmbeddingIndex, path, nobody), partial(EmbeddingIndex.build, new, BOATS, nobody)):
            with pytest.raises(UsageError, match=r"needs numpy, which is missing\. Run `pip install numpy`\."):
                make()
        assert not new.exists()

    def test_import(self) -> None:
        """Importing retrieval imports neither numpy nor LiteLLM."""
        script = "import sys, tinysmith.retrieval; print({'numpy', 'litellm'} & {*sys.modules})"
        assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"set()\n"


class TestSearch:
    def test_order(self, path: Path, door: Door) -> None:
        """The nearest to any of the queries comes first; all are embedded in one request."""
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex(built(path), own(server.base_url))
            assert door(index, ["b"], 3) == [BOATS[3], BOATS[2], BOATS[1]]
            assert door(index, ["aab", "c"], 3) == [BOATS[1], BOATS[4], BOATS[0]]
            assert door(index, ["a", "b"], 2) == [BOATS[0], BOATS[3]]
        assert server.embedded == [["b"], ["aab", "c"], ["a", "b"]]

    def test_ties(self, path: Path) -> None:
        """What is equally near comes in the order of the documents, and nothing comes twice."""
        mixed = [Passage(word * times) for times in range(1, 41) for word in ("ab", "c")]
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex.build(path, mixed, own(server.base_url))
            for most in (1, 3, 40, 41, 79, 80, 99):
                assert index.search(["ba", "abab", "aabb"], most) == (mixed[::2] + mixed[1::2])[:most]

    @given(texts=st.lists(st.text("abc", min_size=1, max_size=6), max_size=12), query=st.text("abc", min_size=1))
    @settings(max_examples=30)  # each has a server of its own
    def test_exact(self, texts: list[str], query: str, tmp_path_factory: pytest.TempPathFactory) -> None:
        """What is found first has the greatest cosine there is."""

        def cosine(text: str) -> float:
            pairs = zip(letters(text), letters(query), strict=True)
            norms = [sum(number**2 for number in letters(each)) ** 0.5 for each in (text, query)]
            return float(sum(x * y for x, y in pairs) / norms[0] / norms[1])

        with serving(rest=embeddings()) as server:
            path = tmp_path_factory.mktemp("exact") / "index.db"
            index = EmbeddingIndex.build(path, [Passage(text) for text in texts], own(server.base_url))
            found = index.search([query], 3)
        assert len(found) == min(3, len({*texts}))
        best = sorted(map(cosine, {*texts}), reverse=True)[:3]
        assert [cosine(passage.text) for passage in found] == pytest.approx(best, abs=1e-5)

    def test_queries(self, path: Path, door: Door) -> None:
        """Blank and repeated queries are not asked; without any, nobody is."""
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex(built(path), own(server.base_url))
            assert door(index, [" ", "c", "", "c"], 1) == [BOATS[4]]
            assert door(index, [" "], 1) == door(index, [], 1) == []
        assert server.embedded == [["c"]]

    def test_zero(self, path: Path) -> None:
        """A vector of zeros, which has no direction, is found last and harms nothing."""
        with serving(rest=embeddings(lambda text: [0.0, 0.0] if text == "zero" else [1.0, 1.0])) as server:
            index = EmbeddingIndex.build(path, [Passage("zero"), Passage("one")], own(server.base_url))
            assert index.search(["x"]) == [Passage("one"), Passage("zero")]
            assert index.search(["zero"]) == [Passage("zero"), Passage("one")]

    def test_arguments(self, path: Path, door: Door) -> None:
        """One text instead of several, and less than one passage, are refused."""
        index = EmbeddingIndex(built(path), own(refused_base_url()))
        with pytest.raises(UsageError, match="queries is the text 'boats'"):
            door(index, "boats", 5)
        with pytest.raises(UsageError, match=r"most is 0\. Give at least 1\."):
            door(index, ["boats"], 0)

    def test_threads(self, path: Path) -> None:
        """Threads may search at once."""
        with serving(rest=embeddings()) as server, ThreadPoolExecutor(8) as pool:
            index = EmbeddingIndex(built(path), own(server.base_url))
            found = list(pool.map(lambda query: index.search([query], 1), "abcabcabcabc"))
        assert found == [[BOATS[0]], [BOATS[3]], [BOATS[4]]] * 4

    def test_leaves_the_event_loop_alone(self, path: Path) -> None:
        """Where the search is asynchronous, the vectors are compared in a thread, not in the event loop's."""
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex(built(path), Watched("hosted_vllm/own", base_url=server.base_url))
            for door in DOORS.values():
                assert door(index, ["b"], 1) == [BOATS[3]]
        in_search, in_asearch = Vectors.read_in
        assert in_search == threading.current_thread()
        assert in_asearch != in_search

    @given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
    def test_packed(self, numbers: list[float]) -> None:
        """Every vector of finite numbers can be packed, and the zeros alone are of length 0."""
        packed = memoryview(_packed(numbers)).cast("f")
        assert sum(number**2 for number in packed) == pytest.approx(1.0 if any(numbers) else 0.0, abs=1e-5)


@frozen
class Desk:
    """A board with queries and what was found.

    Attributes:
        queries: What is to be found out.
        knowledge: What was found.
    """

    queries: tuple[str, ...] = ("b", "c")
    knowledge: tuple[Passage, ...] = ()


class LookUp(Strategy[Desk]):
    """Looks the queries up once."""

    retriever = Retrieve[Desk](
        lambda desk: desk.queries,
        Field(lambda desk: desk.knowledge, lambda desk, found: evolve(desk, knowledge=found)),
        most=2,
    )
    done = Halt()

    initial = retriever
    edges: tuple[Edge[Desk], ...] = (retriever.to(done),)


class TestRetrieve:
    def test_bound(self, path: Path) -> None:
        """A `Retrieve` node is bound to an index in `run` and in `arun`."""
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex(built(path), own(server.base_url))
            found = run(LookUp(), Desk(), tools={"retriever": index})
            assert asyncio.run(arun(LookUp(), Desk(), tools={"retriever": index})).board == found.board
        assert found.board.knowledge == (BOATS[3], BOATS[4])
        assert server.embedded == [["b", "c"]] * 2

    def test_cancelled(self, path: Path) -> None:
        """Cancelling a run ends the request at once: the server sees the client hang up."""
        asked = threading.Event()

        def stalling(handler: Handler, seen: Seen) -> None:
            asked.set()
            stall()(handler, seen)

        async def cancelled(index: EmbeddingIndex) -> None:
            task = asyncio.create_task(arun(LookUp(), Desk(), tools={"retriever": index}))
            await asyncio.to_thread(asked.wait, 60)
            task.cancel()
            await task

        with serving(rest=stalling) as server:
            with pytest.raises(asyncio.CancelledError):
                asyncio.run(cancelled(EmbeddingIndex(built(path), own(server.base_url))))
            assert server.hung_up.wait(60)
