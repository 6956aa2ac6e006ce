"""How an index of vectors is built, also in several goes, and what is paid for."""

import asyncio
import pickle
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from loopback import Handler, Seen, Server, refused_base_url, serving, stall, status
from loopback_embeddings import BOATS, at_most, built, embeddings, own

from tinysmith.errors import AuthenticationError, DataError, RateLimited
from tinysmith.retrieval import EmbeddingIndex, Passage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


def embedded(server: Server) -> list[str]:
    """All texts that were embedded, in order."""
    return [text for some in server.embedded for text in some]


class TestBuild:
    def test_batches(self, path: Path) -> None:
        """Each text is embedded once, in requests of the embedder's size, and progress is told after each."""
        told: list[tuple[int, int]] = []
        with serving(rest=embeddings()) as server:
            embedder = own(server.base_url, batch=2)
            index = EmbeddingIndex.build(path, iter(BOATS), embedder, lambda done, all_: told.append((done, all_)))
        assert server.embedded == [["aaa", "aab"], ["abb", "bbb"], ["ccc"]]
        assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
        assert len(index) == 5

    def test_limit(self, path: Path) -> None:
        """A server that takes less at once is asked for less, and nothing it has embedded is asked again."""
        with serving(rest=at_most(2, 413)) as server:
            assert len(EmbeddingIndex.build(path, BOATS, own(server.base_url))) == 5
        assert [len(some) for some in server.embedded] == [5, 3, 2, 2, 1]

    @pytest.mark.parametrize("headers", [{}, {"retry-after": "0.1"}])
    def test_rate_limit(self, path: Path, headers: dict[str, str]) -> None:
        """A 429 in the middle is waited out, and only that request is sent again."""
        with serving(embeddings(), status(429, headers=headers), rest=embeddings()) as server:
            EmbeddingIndex.build(path, BOATS, own(server.base_url, batch=2))
        assert server.embedded == [["aaa", "aab"], ["abb", "bbb"], ["abb", "bbb"], ["ccc"]]

    def test_restart(self, path: Path) -> None:
        """A finished index is there after a restart; only queries are embedded from then on."""
        built(path)
        with serving(rest=embeddings()) as server:
            assert EmbeddingIndex(path, own(server.base_url)).search(["b"], 1) == [Passage("bbb", "b.md:2")]
            EmbeddingIndex.build(path, BOATS, own(server.base_url))
        assert embedded(server) == ["b"]

    def test_gave_up(self, path: Path) -> None:
        """A build that the server ended goes on where it stopped, whatever server serves the model then."""
        with serving(embeddings(), rest=status(429)) as server, pytest.raises(RateLimited):
            EmbeddingIndex.build(path, BOATS, own(server.base_url, batch=2, max_retries=0))
        with pytest.raises(
            DataError, match=r"the index is unfinished\. Build it again; it goes on where it stopped"
        ):
            EmbeddingIndex(path, own(refused_base_url()))
        told: list[tuple[int, int]] = []
        with serving(rest=embeddings()) as server:
            embedder = own(server.base_url)
            index = EmbeddingIndex.build(path, BOATS, embedder, lambda done, all_: told.append((done, all_)))
            assert index.search(["c", "a"], 9)[:2] == [BOATS[0], BOATS[4]]
        assert embedded(server) == ["abb", "bbb", "ccc", "c", "a"]
        assert told == [(2, 5), (5, 5)]

    def test_interrupted(self, path: Path) -> None:
        """So does one that was interrupted from the keyboard."""

        def progress(done: int, _: int) -> None:
            if done == 2:
                raise KeyboardInterrupt

        with serving(rest=embeddings()) as server:
            embedder = own(server.base_url, batch=1)
            with pytest.raises(KeyboardInterrupt):
                EmbeddingIndex.build(path, BOATS, embedder, progress)
            EmbeddingIndex.build(path, BOATS, embedder)
        assert embedded(server) == [passage.text for passage in BOATS]

    def test_killed(self, path: Path) -> None:
        """So does one whose process was killed."""
        asked = threading.Event()

        def stalling(handler: Handler, seen: Seen) -> None:
            asked.set()
            stall()(handler, seen)

        script = (
            "import sys\n"
            "from tinysmith.models import Embedder\n"
            "from tinysmith.retrieval import EmbeddingIndex, Passage\n"
            "passages = [Passage(text) for text in sys.argv[3:]]\n"
            "embedder = Embedder('hosted_vllm/own', base_url=sys.argv[2], batch=2)\n"
            "EmbeddingIndex.build(sys.argv[1], passages, embedder)\n"
        )
        texts = [passage.text for passage in BOATS]
        with serving(embeddings(), rest=stalling) as server:
            arguments = [sys.executable, "-c", script, str(path), server.base_url, *texts]
            with subprocess.Popen(arguments) as process:
                assert asked.wait(120)
                process.kill()
        assert embedded(server) == texts[:4]
        with serving(rest=embeddings()) as server:
            assert len(EmbeddingIndex.build(path, BOATS, own(server.base_url))) == 5
        assert embedded(server) == texts[2:]

    def test_changed(self, path: Path) -> None:
        """After a change of the documents, only what is new is embedded, and what is gone is not found."""
        built(path)
        after = [Passage("ddd", "d.md:1"), evolve(BOATS[4], source="moved.md:7"), BOATS[0]]
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex.build(path, after, own(server.base_url))
            assert set(index.search(["abcd"], 9)) == set(after)
        assert embedded(server) == ["ddd", "abcd"]
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM texts").fetchone() == (3,)

    def test_readers(self, path: Path) -> None:
        """Until a new index is whole, whoever opens the file finds the old one."""
        built(path)
        with serving(embeddings(), rest=status(429)) as server:
            more = [Passage("ddd"), Passage("eee"), *BOATS[:1]]
            with pytest.raises(RateLimited):
                EmbeddingIndex.build(path, more, own(server.base_url, batch=1, max_retries=0))
        with serving(rest=embeddings()) as server:
            assert set(EmbeddingIndex(path, own(server.base_url)).search(["abcde"], 9)) == set(BOATS)

    def test_twice(self, path: Path) -> None:
        """A text that is there twice is one passage, of where it was first; what is blank is none."""
        passages = [
            Passage("aaa", "first"),
            Passage(" \n", "blank"),
            Passage("aaa", "second"),
            Passage("", "none"),
        ]
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex.build(path, passages, own(server.base_url))
            assert index.search(["a"]) == [Passage("aaa", "first")]
        assert embedded(server) == ["aaa", "a"]

    def test_surrogates(self, path: Path) -> None:
        """Half of a surrogate pair becomes U+FFFD, and is not embedded again."""
        passages = [Passage("a\ud800", "b\udfff")]
        with serving(rest=embeddings()) as server:
            for _ in range(2):
                index = EmbeddingIndex.build(path, passages, own(server.base_url))
            assert index.search(["a"]) == [Passage("a\ufffd", "b\ufffd")]
        assert embedded(server) == ["a\ufffd", "a"]

    def test_nothing(self, path: Path) -> None:
        """An index of nothing is one, asks nobody and finds nothing."""
        index = EmbeddingIndex.build(path, [], own(refused_base_url()))
        assert len(index) == 0
        assert index.search(["anything"]) == []
        reopened = EmbeddingIndex(path, own(refused_base_url()))
        assert reopened.search(["anything"]) == asyncio.run(reopened.asearch(["anything"])) == []

    def test_same_builds(self, path: Path) -> None:
        """Two builds of the same documents at once make one index."""

        def progress(done: int, _: int) -> None:
            if done == 0:
                built(path)

        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex.build(path, BOATS, own(server.base_url), progress)
            assert set(index.search(["abc"], 9)) == set(BOATS)

    def test_other_builds(self, path: Path) -> None:
        """Two builds of different documents at once leave each other what they paid for; the last one counts."""

        def progress(done: int, _: int) -> None:
            if done == 2:
                built(path, BOATS[4:])

        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex.build(path, BOATS[:4], own(server.base_url, batch=2), progress)
            assert set(index.search(["abc"], 9)) == set(BOATS[:4])
        assert server.embedded == [["aaa", "aab"], ["abb", "bbb"], ["abc"]]

    def test_a_build_leaves_an_earlier_one_what_it_paid_for(self, path: Path) -> None:
        """What a build brought that is not finished stays in the file, whatever is indexed before it goes on."""
        with serving(embeddings(), rest=status(429)) as server, pytest.raises(RateLimited):
            EmbeddingIndex.build(path, BOATS, own(server.base_url, batch=2, max_retries=0))
        built(path, BOATS[3:])
        with serving(rest=embeddings()) as server:
            assert len(EmbeddingIndex.build(path, BOATS, own(server.base_url))) == 5
        assert server.embedded == [["abb"]]

    def test_dropped_meanwhile(self, path: Path) -> None:
        """Where another build has dropped texts that this one found in the index, this one says so."""
        built(path)

        def progress(done: int, all_: int) -> None:
            if done == all_:
                built(path, BOATS[:1])

        with (
            serving(rest=embeddings()) as server,
            pytest.raises(DataError, match=r"another build .* Build it again"),
        ):
            EmbeddingIndex.build(path, BOATS, own(server.base_url), progress)
        with serving(rest=embeddings()) as server:
            assert len(EmbeddingIndex(path, own(server.base_url))) == 1

    def test_key(self, path: Path) -> None:
        """The key is neither in the file nor in an index that is shown or pickled."""
        with serving(rest=embeddings()) as server:
            index = EmbeddingIndex.build(path, BOATS, own(server.base_url, api_key="sk-canary-0123456789"))
            assert server.auth == ["Bearer sk-canary-0123456789"]
        assert b"sk-canary" not in path.read_bytes() + repr(vars(index)).encode()
        with pytest.raises(AuthenticationError, match="left behind"):
            pickle.loads(pickle.dumps(index.embedder)).embed(["a"])
