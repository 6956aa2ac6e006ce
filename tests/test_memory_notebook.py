"""Notes on disk: durable, in order, none twice, whoever writes at the same time and whatever is in the file."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith.errors import DataError
from tinysmith.memory import Notebook

HOSTILE = [
    "\x00",
    "a\x00b",
    "\ud83d",
    "\ude00",
    "\ud83d\ude00",
    "'; DROP TABLE note; --",
    "\n",
    "\ufeff",
    "x" * 10_000,
]
TEXTS = st.text(max_size=20) | st.sampled_from(HOSTILE)


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path / "notes.db")


def sound(text: str) -> str:
    """What is written of a text."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def execute(path: Path, *statements: str) -> None:
    """Changes a file as somebody else would."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


class TestNotes:
    def test_latest_ones_oldest_first(self, notebook: Notebook) -> None:
        """The latest notes on a topic come, oldest first, and `note` says how many there are."""
        assert [notebook.note(topic="boats", text=text) for text in "abcd"] == [1, 2, 3, 4]
        assert notebook.note(topic="ports", text="a") == 1
        assert notebook.recall(topic="boats", most=2) == ["c", "d"]
        assert notebook.recall(topic="boats", most=9) == ["a", "b", "c", "d"]
        assert notebook.recall(topic="ports", most=9) == ["a"]
        assert notebook.recall(topic="seas", most=9) == []
        assert notebook.notes() == {"boats": ["a", "b", "c", "d"], "ports": ["a"]}

    @pytest.mark.parametrize("most", [0, -1])
    def test_none_wanted(self, notebook: Notebook, most: int) -> None:
        """Who wants no notes gets none."""
        notebook.note(topic="boats", text="a")
        assert notebook.recall(topic="boats", most=most) == []

    def test_not_twice(self, notebook: Notebook) -> None:
        """What is learned again is kept once, as the latest note of its topic."""
        assert [notebook.note(topic="boats", text=text) for text in "aba"] == [1, 2, 2]
        assert notebook.recall(topic="boats", most=9) == ["b", "a"]

    @pytest.mark.parametrize("text", ["", " ", "\n\t"])
    def test_blank_ones_are_no_notes(self, notebook: Notebook, text: str) -> None:
        """A blank text takes no other note's place."""
        assert notebook.note(topic="boats", text=text) == 0
        assert notebook.notes() == {}

    def test_survive_their_notebook(self, notebook: Notebook) -> None:
        """Another notebook on the same file reads what the first one wrote, and the folder holds but that file."""
        notebook.note(topic="boats", text="a")
        assert Notebook(str(notebook.path)).recall(topic="boats", most=1) == ["a"]
        assert [path.name for path in notebook.path.parent.iterdir()] == ["notes.db"]

    @settings(max_examples=30)
    @given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8), st.integers(0, 4))
    def test_whatever_is_written(
        self, tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, str]], most: int
    ) -> None:
        """Any text comes back as it was, but for halves of surrogate pairs; order and topics are kept."""
        notebook = Notebook(tmp_path_factory.mktemp("notes") / "notes.db")
        expected: dict[str, list[str]] = {}
        for topic, text in written:
            texts = expected.setdefault(sound(topic), [])
            if text.strip():
                texts[:] = [*(other for other in texts if other != sound(text)), sound(text)]
            assert notebook.note(topic=topic, text=text) == len(texts)
        assert notebook.notes() == {topic: texts for topic, texts in expected.items() if texts}
        for topic, _ in written:
            texts = expected[sound(topic)]
            assert notebook.recall(topic=topic, most=most) == texts[max(0, len(texts) - most) :]

    def test_what_can_be_sent(self, notebook: Notebook) -> None:
        """What comes back can be sent in UTF-8: two halves of a character are joined, one half is replaced."""
        notebook.note(topic="\ud83d", text="\ud83d\ude00 \ude00")
        assert notebook.notes() == {"\ufffd": ["\N{GRINNING FACE} \ufffd"]}


class TestAtTheSameTime:
    def test_threads(self, notebook: Notebook) -> None:
        """Threads that write and read at the same time lose nothing."""

        def work(name: str) -> list[int]:
            assert len(notebook.recall(topic="all", most=3)) <= 3
            return [notebook.note(topic="all", text=f"{name}{number}") for number in range(5)]

        with ThreadPoolExecutor(8) as pool:
            counts = [count for counts in pool.map(work, "abcdefgh") for count in counts]
        assert sorted(counts) == list(range(1, 41))
        assert len(notebook.recall(topic="all", most=99)) == 40

    def test_processes(self, tmp_path: Path) -> None:
        """Processes that begin on a file that is not there yet make one notebook, and lose nothing."""
        program = (
            "import sys\n"
            "from tinysmith.memory import Notebook\n"
            "sys.stdin.readline()\n"
            "notebook = Notebook(sys.argv[1])\n"
            "for number in range(5): notebook.note(topic='all', text=f'{sys.argv[2]}{number}')\n"
        )
        path = tmp_path / "notes.db"
        workers = [
            subprocess.Popen([sys.executable, "-c", program, path, name], stdin=subprocess.PIPE) for name in "abcd"
        ]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(b"go\n")
            worker.stdin.close()
        assert [worker.wait() for worker in workers] == [0, 0, 0, 0]
        notes = Notebook(path).recall(topic="all", most=99)
        for name in "abcd":  # each one's notes are in its own order
            assert [note for note in notes if note[0] == name] == [f"{name}{number}" for number in range(5)]

    def test_a_process_that_is_killed(self, tmp_path: Path) -> None:
        """What `note` returned for is there after the process was killed, and nothing is there in part."""
        program = (
            "import itertools, sys\n"
            "from tinysmith.memory import Notebook\n"
            "notebook = Notebook(sys.argv[1])\n"
            "for number in itertools.count():\n"
            "    print(notebook.note(topic='all', text=f'{number} ' * 5000), flush=True)\n"
        )
        path = tmp_path / "notes.db"
        with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            assert [worker.stdout.readline() for _ in range(10)] == [f"{number}\n" for number in range(1, 11)]
            worker.kill()
        notes = Notebook(path).recall(topic="all", most=999_999)
        assert len(notes) >= 10
        assert notes == [f"{number} " * 5000 for number in range(len(notes))]

    def test_another_program_that_holds_it(self, notebook: Notebook) -> None:
        """Who waited as long as was said is told, and nothing is written."""
        hasty = Notebook(notebook.path, timeout_s=0)
        with closing(sqlite3.connect(notebook.path)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            calls: list[Callable[[], object]] = [
                lambda: hasty.note(topic="boats", text="a"),
                lambda: hasty.recall(topic="boats", most=1),
                hasty.notes,
                lambda: Notebook(notebook.path, timeout_s=0),
            ]
            for call in calls:
                with pytest.raises(DataError, match=r"database is locked\. Another program is holding it"):
                    call()
        assert hasty.notes() == {}


class TestFile:
    def test_an_empty_file(self, tmp_path: Path) -> None:
        """An empty file becomes a notebook; one that is taken away meanwhile is begun again."""
        (tmp_path / "notes.db").touch()
        notebook = Notebook(tmp_path / "notes.db")
        assert notebook.note(topic="boats", text="a") == 1
        notebook.path.unlink()
        assert notebook.recall(topic="boats", most=1) == []
        assert notebook.notes() == {}
        assert notebook.note(topic="boats", text="b") == 1
        assert notebook.recall(topic="boats", most=1) == ["b"]

    def test_the_working_directory_may_change(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative path is one of the directory in which the notebook was made; every name is a file's name."""
        monkeypatch.chdir(tmp_path)
        notebook = Notebook(":memory:")
        monkeypatch.chdir("/")
        notebook.note(topic="boats", text="a")
        assert notebook.recall(topic="boats", most=1) == ["a"]
        assert repr(notebook) == f"Notebook({str(tmp_path / ':memory:')!r})"

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("no/such/folder.db", r"unable to open database file\. Check that it is a file, and that its folder"),
            (".", r"unable to open database file\. Check that it is a file"),
            ("a\x00b", r"embedded null (character|byte)\. Check the file, or give another path\."),
        ],
    )
    def test_a_path_that_cannot_be(self, path: str, said: str, tmp_path: Path) -> None:
        """A folder, a missing folder and an impossible name are told when the notebook is made."""
        with pytest.raises(DataError, match=f"the notebook cannot be used: {said}"):
            Notebook(tmp_path / path)

    @pytest.mark.parametrize("content", [b"Dear diary,\n" * 99, b"SQLite format 3\x00" + bytes(4080), b"milk"])
    def test_what_is_no_notebook(self, content: bytes, tmp_path: Path) -> None:
        """Any other file is refused, and left as it is."""
        (tmp_path / "diary").write_bytes(content)
        with pytest.raises(DataError, match=r"no notebook[.;] [Gg]ive another path\."):
            Notebook(tmp_path / "diary")
        assert (tmp_path / "diary").read_bytes() == content

    @pytest.mark.parametrize(
        "statements",
        [
            ["CREATE TABLE note (id INTEGER PRIMARY KEY, topic TEXT, text TEXT, UNIQUE (topic, text))"],
            ["PRAGMA application_id = 7"],
        ],
    )
    def test_another_database(self, statements: list[str], tmp_path: Path) -> None:
        """An SQLite file of another program is refused, even if its tables are named like ours."""
        execute(tmp_path / "other.db", *statements)
        before = (tmp_path / "other.db").read_bytes()
        with pytest.raises(DataError, match=r"it is an SQLite file, but no notebook\. Give another path\."):
            Notebook(tmp_path / "other.db")
        assert (tmp_path / "other.db").read_bytes() == before

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TRIGGER lost AFTER INSERT ON note BEGIN DELETE FROM note; END",
            "DROP TABLE note",
            "ALTER TABLE note ADD COLUMN size INTEGER GENERATED ALWAYS AS (length(text))",
            "CREATE VIEW notes AS SELECT 1",
        ],
    )
    def test_a_notebook_that_was_changed(self, statement: str, notebook: Notebook) -> None:
        """A file that says it is a notebook, and holds more or less than one, is refused at the next call."""
        execute(notebook.path, statement)
        with pytest.raises(DataError, match="but no notebook"):
            notebook.note(topic="boats", text="a")

    def test_a_newer_format(self, notebook: Notebook) -> None:
        """A notebook of a format to come is refused, and left as it is."""
        execute(notebook.path, "PRAGMA user_version = 2")
        for call in (notebook.notes, lambda: notebook.note(topic="boats", text="a")):
            with pytest.raises(
                DataError, match=r"a notebook of format 2, and this version reads format 1\. Update"
            ):
                call()

    def test_a_damaged_file(self, notebook: Notebook) -> None:
        """Damage is told when it is met, and nothing is made up."""
        for letter in "abc":
            notebook.note(topic="boats", text=letter * 40_000)
        with notebook.path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 65536)
        for call in (notebook.notes, lambda: notebook.note(topic="boats", text="a")):
            with pytest.raises(DataError, match=r"malformed\. It is damaged; put back a copy, or move it away\."):
                call()

    def test_a_journal_that_cannot_be(self, notebook: Notebook) -> None:
        """A folder in the place of the journal is told, and nothing is written."""
        journal = notebook.path.with_name("notes.db-journal")
        journal.mkdir()
        with pytest.raises(DataError, match=r"disk I/O error\. Check the disk, and what stands beside the file"):
            notebook.note(topic="boats", text="a")
        journal.rmdir()
        assert notebook.notes() == {}

    def test_a_file_that_may_not_be_written(self, notebook: Notebook) -> None:
        """Notes can be read where none can be written."""
        notebook.note(topic="boats", text="a")
        with notebook.path.open("r+b") as file:
            file.seek(18)
            file.write(b"\x03")  # a write version to come: SQLite reads such a file, whoever it belongs to
        assert Notebook(notebook.path).recall(topic="boats", most=1) == ["a"]
        with pytest.raises(DataError, match=r"readonly database\. Make the file and its folder writable\."):
            notebook.note(topic="boats", text="b")
        assert notebook.notes() == {"boats": ["a"]}
