"""An index of either kind is opened by what its file says."""

from pathlib import Path

import pytest
from loopback import serving
from loopback_embeddings import embeddings, own

from tinysmith.errors import DataError, UsageError
from tinysmith.retrieval import EmbeddingIndex, LexicalIndex, Passage, open_index

BOATS = Passage("The boats lie in the harbour.", "boats.md:1")
DELAYS = Passage("Delays of the ferries.", "delays.md:7")


class TestOpenIndex:
    def test_opens_a_lexical_index(self, tmp_path: Path) -> None:
        """A lexical index comes back as one."""
        path = tmp_path / "docs.db"
        LexicalIndex.build(path, [BOATS, DELAYS]).close()
        for place in (path, str(path)):
            index = open_index(place)
            assert isinstance(index, LexicalIndex)
            assert index.search(["boats"]) == [BOATS]
            index.close()

    def test_opens_an_index_of_embeddings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An index of embeddings comes back as one, asks the model that it was built with, where it is told to."""
        path = tmp_path / "docs.db"
        monkeypatch.setenv("DOCS_KEY", "sk-docs")
        with serving(rest=embeddings()) as server:
            EmbeddingIndex.build(path, [BOATS, DELAYS], own(server.base_url))
            index = open_index(path, base_url=server.base_url, api_key_env="DOCS_KEY")
            assert isinstance(index, EmbeddingIndex)
            assert index.embedder.model == "hosted_vllm/own"
            assert index.search(["Delays of the ferries."], most=1) == [DELAYS]
            assert server.auth[-1] == "Bearer sk-docs"

    @pytest.mark.parametrize("option", ["base_url", "api_key_env"])
    def test_a_lexical_index_asks_no_server(self, tmp_path: Path, option: str) -> None:
        """A server or a key for a lexical index is told, since nothing would be sent there."""
        path = tmp_path / "docs.db"
        LexicalIndex.build(path, [BOATS]).close()
        with pytest.raises(UsageError, match=r"docs\.db: it is a lexical index, which asks no server\. Leave out"):
            open_index(path, **{option: "x"})

    def test_tells_what_is_none(self, tmp_path: Path) -> None:
        """A missing file, and one that is something else, are told."""
        with pytest.raises(DataError, match=r"docs\.db: there is no such file\. Build the index first"):
            open_index(tmp_path / "docs.db")
        (tmp_path / "notes.txt").write_text("my notes " * 100)
        with pytest.raises(DataError, match=r"notes\.txt: it is no index"):
            open_index(tmp_path / "notes.txt")
