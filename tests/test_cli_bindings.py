"""`--index` and `--notebook` bind a strategy's nodes of retrieval and memory."""

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from loopback import serving
from loopback_embeddings import embeddings, own

from tinysmith import Agent, Field, Halt, Strategy
from tinysmith.cli import main
from tinysmith.memory import Note, Notebook, Recall
from tinysmith.retrieval import EmbeddingIndex, LexicalIndex, Passage, Retrieve, WriteQueries

PASSAGE = Passage("The boats lie in the harbour of Rostock.", "boats.md:1")


@frozen
class Inquiry:
    """A question, and what is known about it."""

    question: str = "boats"
    queries: tuple[str, ...] = ()
    knowledge: tuple[Passage, ...] = ()
    lessons: tuple[str, ...] = ()


QUERIES = Field[Inquiry, tuple[str, ...]](lambda at: at.queries, lambda at, new: evolve(at, queries=new))
KNOWLEDGE = Field[Inquiry, tuple[Passage, ...]](lambda at: at.knowledge, lambda at, new: evolve(at, knowledge=new))
LESSONS = Field[Inquiry, tuple[str, ...]](lambda at: at.lessons, lambda at, new: evolve(at, lessons=new))


class Librarian(WriteQueries[Inquiry]):
    samples = ("boats", "harbour")


class OwnRetrieve(Retrieve[Inquiry]):
    """Has a library of its own."""

    def call(self, *, queries: list[str], most: int) -> list[dict[str, str]]:
        return [{"text": "from the node's own library", "source": ""}]


class Writer(Agent[Inquiry]):
    samples = ("written",)

    def prompt(self, inquiry: Inquiry, /) -> str:
        return f"Write about {inquiry.question}: {inquiry.knowledge} {inquiry.lessons}"

    def parse(self, inquiry: Inquiry, reply: str, /) -> Inquiry:
        return evolve(inquiry, question=f"{reply} of {inquiry.knowledge[:1]} {inquiry.lessons}")


class LookUp(Strategy[Inquiry]):
    """Looks something up."""

    librarian = Librarian(lambda inquiry: inquiry.question, QUERIES)
    retriever = Retrieve[Inquiry](lambda inquiry: inquiry.queries, KNOWLEDGE)
    done = Halt(success=True)
    initial = librarian
    edges = (librarian.to(retriever), retriever.to(done))


class LookUpTwice(Strategy[Inquiry]):
    """Looks something up in two nodes."""

    librarian = Librarian(lambda inquiry: inquiry.question, QUERIES)
    retriever = Retrieve[Inquiry](lambda inquiry: inquiry.queries, KNOWLEDGE)
    again = Retrieve[Inquiry](lambda inquiry: inquiry.queries, KNOWLEDGE)
    done = Halt(success=True)
    initial = librarian
    edges = (librarian.to(retriever), retriever.to(again), again.to(done))


class OwnLookUp(Strategy[Inquiry]):
    """Looks something up in a library of its own."""

    retriever = OwnRetrieve(lambda inquiry: inquiry.queries or ("boats",), KNOWLEDGE)
    done = Halt(success=True)
    initial = retriever
    edges = (retriever.to(done),)


class Learn(Strategy[Inquiry]):
    """Reads what is noted, and notes what is written."""

    recall = Recall[Inquiry](lambda _: "boats", LESSONS)
    writer = Writer()
    note = Note[Inquiry](lambda _: "boats", lambda inquiry: inquiry.question)
    done = Halt(success=True)
    initial = recall
    edges = (recall.to(writer), writer.to(note), note.to(done))


class Study(Strategy[Inquiry]):
    """Only reads what is noted."""

    recall = Recall[Inquiry](lambda _: "boats", LESSONS)
    done = Halt(success=True)
    initial = recall
    edges = (recall.to(done),)


class Jot(Strategy[Inquiry]):
    """Only writes notes."""

    note = Note[Inquiry](lambda _: "boats", lambda inquiry: inquiry.question)
    done = Halt(success=True)
    initial = note
    edges = (note.to(done),)


@pytest.fixture
def index(tmp_path: Path) -> str:
    """A lexical index of one passage."""
    path = tmp_path / "docs.db"
    LexicalIndex.build(path, [PASSAGE]).close()
    return str(path)


def ran(strategy: type[Strategy[Any]], *flags: str) -> int:
    """The exit code of `tinysmith run`."""
    return main(["run", f"{__file__}:{strategy.__name__}", "--model", "samples", *flags])


class TestIndex:
    def test_binds_every_retrieve_node(self, index: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Every Retrieve node looks things up in the index that --index names."""
        assert ran(LookUpTwice, "--index", index) == 0
        out = capsys.readouterr().out
        assert out.count("The boats lie in the harbour of Rostock.") == 2

    def test_binds_a_node_that_has_a_call(self, index: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A node with a call of its own needs no index, and uses one that is given."""
        assert ran(OwnLookUp) == 0
        assert "from the node's own library" in capsys.readouterr().out
        assert ran(OwnLookUp, "--index", index) == 0
        out = capsys.readouterr().out
        assert PASSAGE.text in out
        assert "from the node's own library" not in out

    def test_binds_an_index_of_embeddings(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """An index of embeddings asks the server of --index-base-url, with the key of --index-api-key-env."""
        path = tmp_path / "docs.db"
        with serving(rest=embeddings()) as server, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCS_KEY", "sk-docs")
            EmbeddingIndex.build(path, [PASSAGE], own(server.base_url))
            flags = ["--index-base-url", server.base_url, "--index-api-key-env", "DOCS_KEY"]
            assert ran(LookUp, "--index", str(path), *flags) == 0
            assert server.embedded[1:] in ([["boats"]], [["harbour"]])
            assert server.auth[1] == "Bearer sk-docs"
        assert PASSAGE.text in capsys.readouterr().out


class TestNotebook:
    def test_binds_reading_and_writing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What a run's Note node writes, the next run's Recall node reads; without --notebook nothing is kept."""
        path = tmp_path / "notes.db"
        assert ran(Learn) == 0
        assert ran(Learn, "--notebook", str(path)) == 0
        assert Notebook(path).recall(topic="boats", most=9) == ["written of () ()"]
        assert ran(Learn, "--notebook", str(path)) == 0
        assert Notebook(path).recall(topic="boats", most=9)[1] == "written of () ('written of () ()',)"

    def test_binds_one_kind_alone(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One of the two kinds of node is enough, whichever it is."""
        path = tmp_path / "notes.db"
        assert ran(Jot, "--notebook", str(path), "--set", "question=They are seven.") == 0
        assert "They are seven." in Notebook(path).recall(topic="boats", most=9)
        capsys.readouterr()
        assert ran(Study, "--notebook", str(path)) == 0
        assert "They are seven." in capsys.readouterr().out


class TestMisuse:
    @pytest.mark.parametrize(
        ("strategy", "flags", "said"),
        [
            (LookUp, "", "LookUp.retriever looks things up. Add --index FILE, which `tinysmith index` makes."),
            (Learn, "--index {index}", "Learn has no Retrieve node that would use an index. Leave out --index."),
            (LookUp, "--index {folder}/none.db", "none.db: there is no such file. Build the index first, e.g."),
            (LookUp, "--index {folder}/notes.txt", "notes.txt: it is no index. Give one that `tinysmith index`"),
            (LookUp, "--index {folder}", "the index cannot be used (unable to open database file)."),
            (
                LookUp,
                "--index {index} --index-base-url http://127.0.0.1:1",
                "docs.db: it is a lexical index, which asks no server. Leave out the URL and the key.",
            ),
            (
                LookUp,
                "--index {index} --index-api-key-env KEY",
                "docs.db: it is a lexical index, which asks no server. Leave out the URL and the key.",
            ),
            (
                OwnLookUp,
                "--index-base-url http://127.0.0.1:1",
                "--index-base-url is of an index of embeddings. Name it with --index, or leave this out.",
            ),
            (
                Learn,
                "--index-api-key-env KEY",
                "--index-api-key-env is of an index of embeddings. Name it with --index, or leave this out.",
            ),
            (
                OwnLookUp,
                "--notebook {folder}/notes.db",
                "OwnLookUp has no Recall or Note node that would use a notebook. Leave out --notebook.",
            ),
            (Learn, "--notebook {folder}/notes.txt", "notes.txt: the notebook cannot be used"),
        ],
    )
    def test_is_told_in_one_line(
        self,
        strategy: type[Strategy[Any]],
        flags: str,
        said: str,
        index: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Misuse gives exit code 2 and one line that says what to do, and makes no file."""
        (tmp_path / "notes.txt").write_text("my notes, the only copy " * 50)
        assert ran(strategy, *flags.format(index=index, folder=tmp_path).split()) == 2
        err = capsys.readouterr().err
        assert err.startswith("tinysmith: ")
        assert err.count("\n") == 1
        assert said in err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["docs.db", "notes.txt"]
