"""`tinysmith index`, as a user types it."""

import io
import os
import re
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from loopback import Handler, Seen, serving, status
from loopback_embeddings import embeddings

from tinysmith.cli import main
from tinysmith.cli._index import Progress
from tinysmith.retrieval import EmbeddingIndex, LexicalIndex, Passage, open_index


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with two texts and a picture."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "boats.md").write_text("# Boats\n\nThe boats lie in the harbour.\n\n# Ports\n\nThere are two.\n")
    (folder / "delays.txt").write_text("The average delay was 12 minutes.\n")
    (folder / "boat.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    return folder


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder with 100 texts."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number:02}.txt").write_text(f"Boat {'abcdefghij'[number // 10]}{'klmnopqrst'[number % 10]}.")
    return folder


class TestLexical:
    def test_makes_an_index(self, docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The index is written, summed up in one line, and what is skipped is told on standard error."""
        path = tmp_path / "docs.db"
        assert main(["index", str(docs), "-o", str(path)]) == 0
        out, err = capsys.readouterr()
        size = f"{path.stat().st_size / 1e3:.0f} kB"
        pattern = rf"{re.escape(str(path))}: 3 passages of 2 files, 1 skipped, \d+\.\d s, {re.escape(size)}\n"
        assert re.fullmatch(pattern, out)
        assert err == "skipped boat.png: no text, but binary data\n3 of 3 passages\n"
        with LexicalIndex(path) as index:
            assert index.search(["delay"]) == [Passage("The average delay was 12 minutes.", "delays.txt:1")]

    def test_makes_it_anew(self, docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """An index that is in the folder itself is replaced, and is no document."""
        path = docs / "docs.db"
        assert main(["index", str(docs), "-o", str(path)]) == 0
        (docs / "boats.md").unlink()
        assert main(["index", str(docs), "-o", str(path)]) == 0
        assert ": 1 passage of 1 file, 1 skipped, " in capsys.readouterr().out.splitlines()[1]
        with LexicalIndex(path) as index:
            assert (len(index), index.search(["boats"])) == (1, [])

    def test_tells_the_first_files_that_it_skips(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Of many skipped files ten are named, the others counted; hostile names are written out."""
        (tmp_path / "a.txt").write_text("a")
        for number in range(12):
            (tmp_path / f"{number:02}\x1b.bin").write_bytes(b"\0")
        assert main(["index", str(tmp_path), "-o", str(tmp_path / "docs.db")]) == 0
        out, err = capsys.readouterr()
        assert err.count("skipped ") == 11
        assert "skipped 09\\x1b.bin: no text, but binary data\nskipped 2 more\n" in err
        assert ", 12 skipped, " in out


class TestEmbeddings:
    def test_makes_an_index(self, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With --model the texts are embedded by that model, on the server and with the key that are named."""
        path = tmp_path / "docs.db"
        monkeypatch.setenv("DOCS_KEY", "sk-docs")
        with serving(rest=embeddings()) as server:
            flags = ["--model", "hosted_vllm/own", "--base-url", server.base_url, "--api-key-env", "DOCS_KEY"]
            assert main(["index", str(docs), "-o", str(path), *flags]) == 0
            assert [len(texts) for texts in server.embedded] == [3]
            assert server.auth == ["Bearer sk-docs"]
            index = open_index(path, base_url=server.base_url)
        assert isinstance(index, EmbeddingIndex)
        assert len(index) == 3

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are other there")
    def test_goes_on_where_it_was_interrupted(
        self, many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Ctrl-C gives exit code 130; the same command then asks only for what is missing."""
        command = ["index", str(many), "-o", str(tmp_path / "docs.db"), "--model", "hosted_vllm/own", "--base-url"]

        def interrupt(handler: Handler, seen: Seen) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            embeddings()(handler, seen)

        with serving(embeddings(), interrupt, rest=embeddings()) as server:
            assert main([*command, server.base_url]) == 130
            assert capsys.readouterr().err.endswith("64 of 100 passages\ntinysmith: interrupted\n")
            assert main([*command, server.base_url]) == 0
            assert [len(texts) for texts in server.embedded] == [64, 36, 36]
        assert "100 of 100 passages\n" in capsys.readouterr().err

    def test_a_failure_of_the_model_is_told(
        self, docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A model that refuses gives exit code 3, and no index that could be opened."""
        path = tmp_path / "docs.db"
        with serving(rest=status(401)) as server:
            flags = ["--model", "hosted_vllm/own", "--base-url", server.base_url]
            assert main(["index", str(docs), "-o", str(path), *flags]) == 3
        assert "tinysmith: hosted_vllm/own: " in capsys.readouterr().err


class TestMisuse:
    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (
                "{t}/none -o {t}/docs.db",
                "none: there is no such folder. Name the folder that holds the documents.",
            ),
            ("{t}/notes.txt -o {t}/docs.db", "notes.txt: it is no folder. Name the folder that holds"),
            ("{t}/empty -o {t}/docs.db", "empty: there is no text in it. Name a folder of text files."),
            ("{t}/docs -o {t}", "it is a folder. Name the file that the index is written to."),
            ("{t}/docs -o {t}/none/docs.db", "docs.db: there is no folder"),
            ("{t}/docs -o {t}/none/docs.db --model hosted_vllm/own", "docs.db: there is no folder"),
            ("{t}/docs -o {t}/notes.txt", "notes.txt: it is no index. Give one that `tinysmith index` wrote"),
            ("{t}/docs -o {t}/other.db", "other.db: it is no index. Give one that `tinysmith index` wrote"),
            ("{t}/docs -o {t}/" + "x" * 300, "no index can be written there: File name too long."),
            ("{t}/docs -o {t}/notes.txt --model hosted_vllm/own --base-url http://127.0.0.1:1", "it is no index"),
            ("{t}/docs -o {t}/lexical.db --model hosted_vllm/own --base-url http://127.0.0.1:1", "kind 'lexical'"),
            ("{t}/docs -o {t}/docs.db --model embed", "The model 'embed' does not say whose it is."),
            (
                "{t}/docs -o {t}/docs.db --base-url http://127.0.0.1:1",
                "--base-url is of an embedding model. Name it with --model, or leave this out.",
            ),
            (
                "{t}/docs -o {t}/docs.db --api-key-env KEY",
                "--api-key-env is of an embedding model. Name it with --model, or leave this out.",
            ),
        ],
    )
    def test_is_told_in_one_line(
        self, command: str, said: str, docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Misuse gives exit code 2 and one line that says what to do, and changes no file."""
        (docs / "boat.png").unlink()
        (tmp_path / "empty").mkdir()
        (tmp_path / "notes.txt").write_text("my notes, the only copy " * 50)
        LexicalIndex.build(tmp_path / "lexical.db", [Passage("a")]).close()
        other = sqlite3.connect(tmp_path / "other.db")
        other.execute("CREATE TABLE passages (text)")
        other.close()
        before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        assert main(["index", *command.format(t=tmp_path).split()]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith("tinysmith: ")
        assert said in err
        assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before

    def test_needs_both_names(self, docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a file to write, the usage is shown, with exit code 2."""
        with pytest.raises(SystemExit) as ended:
            main(["index", str(docs)])
        assert ended.value.code == 2
        assert "required: -o/--output" in capsys.readouterr().err


class TestProgress:
    def test_a_log_gets_a_line_at_every_tenth(self) -> None:
        """Where nobody watches, lines are few and whole."""
        log = io.StringIO()
        with Progress(log) as progress:
            for done in range(1001):
                progress(done, 1000)
        assert log.getvalue() == "".join(f"{done} of 1000 passages\n" for done in range(100, 1001, 100))

    def test_a_terminal_gets_a_line_that_changes(self) -> None:
        """On a terminal one line is written over and over, and ended at the end."""

        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        terminal = Terminal()
        with Progress(terminal) as progress:
            progress(1, 3)
            progress(3, 3)
        assert terminal.getvalue() == "\r1 of 3 passages\r3 of 3 passages\n"
