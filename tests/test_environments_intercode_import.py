"""InterCode's data, from a checkout of it to a folder."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkouts import MBPP, ROWS, SOUTH, Says, checkout, contents
from sandboxes import needs_sandbox

from tinysmith.environments import SqlEnvironment
from tinysmith.environments._intercode_import import FileSystem, Imported, import_intercode, publish
from tinysmith.environments.bash import BashEnvironment
from tinysmith.environments.ctf import CtfEnvironment
from tinysmith.environments.python import PythonEnvironment
from tinysmith.errors import DataError, UsageError
from tinysmith.sandbox import Tree, UnsafeLocal

SCRIPT = "docker/bash_scripts/setup_nl2b_fs_2.sh"
QUESTIONS = "data/nl2bash/nl2bash_fs_2.json"


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


def taken(source: Path, place: Path, *, replaces: bool = False) -> Imported:
    """What comes of an import with sandboxes that have no files."""
    return import_intercode(source, place, backend=Says(), replaces=replaces)


class TestFolder:
    @needs_sandbox
    def test_is_what_environments_take(self, source: Path, tmp_path: Path) -> None:
        """It has the trees that the scripts leave, and all tasks; each environment takes its part of it."""
        told: list[FileSystem] = []
        imported = import_intercode(source, tmp_path / "deep" / "er", on_built=told.append)
        place = imported.place
        assert (place, imported.is_new) == (tmp_path / "deep" / "er", True)
        assert imported.entries == {
            "nl2bash_fs_1": 4,
            "nl2bash_fs_2": 2,
            "nl2bash_fs_3": 1,
            "nl2bash_fs_4": 0,
        }
        assert [(each.name, each.tasks, each.entries) for each in told] == [
            (name, imported.tasks[name], count) for name, count in imported.entries.items()
        ]
        assert told[1].warnings == ("no \x1b[31mrake", "exit code 3")
        assert all(each.duration_s > 0 for each in told)
        assert BashEnvironment(place / "bash").tasks.splits == ("fs_1", "fs_2", "fs_3", "fs_4")
        assert len(BashEnvironment(place / "bash").tasks) == 5
        assert len(PythonEnvironment(place / "python").tasks) == imported.tasks["ic_mbpp"] == 1
        assert len(CtfEnvironment(place / "ctf").tasks) == imported.tasks["ic_ctf"] == 1
        assert len(SqlEnvironment(place / "sql").tasks) == imported.tasks["ic_spider_dev"] == 1
        tree = Tree.read(place / "bash" / "nl2bash_fs_1.tree.json")
        assert {entry.path: (entry.data, entry.mtime_s) for entry in tree.entries} == {
            "/garden": (b"", None),
            "/garden/beds": (b"", None),
            "/garden/beds/south.txt": (b"roses\n", None),
            "/garden/old": (b"", 1_672_531_200.0),
        }

    def test_has_the_files_as_they_are(self, source: Path, tmp_path: Path) -> None:
        """Files of tasks are copied byte for byte, and nothing else is left beside the folder."""
        (source / QUESTIONS).write_bytes(b'[ {"gold":"x",  "query" : "y"}\r\n]')
        place = taken(source, tmp_path / "made").place
        there = contents(place)
        assert there["bash/nl2bash_fs_2.json"] == b'[ {"gold":"x",  "query" : "y"}\r\n]'
        assert len(there) == 13
        assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout", "made"]
        assert SOUTH not in repr(taken(source, place))

    def test_where_checkouts_have_it(self, source: Path, tmp_path: Path) -> None:
        """A checkout may have Bash's tasks in a folder of its own, and links that stay within."""
        (source / "data/bash").mkdir()
        (source / "data/nl2bash").rename(source / "data/bash/nl2bash")
        (source / "data/sql/spider").rename(source / "elsewhere")
        (source / "data/sql/spider").symlink_to("../../elsewhere")
        assert taken(source, tmp_path / "made").tasks["nl2bash_fs_1"] == len(ROWS)

    def test_default(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a place it is where the user keeps caches, and another one where the checkout is another."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        first = import_intercode(source, backend=Says()).place
        assert first.parent == tmp_path / "cache" / "tinysmith" / "intercode"
        (source / SCRIPT).write_text("#!/bin/sh\n", encoding="utf-8")
        second = import_intercode(source, backend=Says()).place
        assert second != first
        monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        third = import_intercode(source, backend=Says()).place
        assert third == tmp_path / "home" / ".cache" / "tinysmith" / "intercode" / second.name


class TestAgain:
    def test_does_nothing(self, source: Path, tmp_path: Path) -> None:
        """Where the same was imported before, nothing is run; the counts are told again."""
        first = taken(source, tmp_path / "made")
        assert first.is_new
        again = import_intercode(source, tmp_path / "made", backend=Says(after=b"broken"))
        assert not again.is_new
        assert (again.digest, again.tasks, again.entries) == (first.digest, first.tasks, first.entries)

    @pytest.mark.parametrize("changed", [SCRIPT, QUESTIONS, "data/sql/spider/ic_spider_dbs.sql"])
    def test_refuses_another(self, changed: str, source: Path, tmp_path: Path) -> None:
        """An import from other files is replaced only when that is asked for, and then as a whole."""
        place = taken(source, tmp_path / "made").place
        before = contents(place)
        (source / changed).write_text("[]", encoding="utf-8")
        with pytest.raises(DataError, match=r"made: what was imported there is from other files, .* add --force"):
            taken(source, place)
        assert contents(place) == before
        (place / "mine.txt").touch()
        assert taken(source, place, replaces=True).is_new
        assert contents(place).keys() == before.keys()
        assert contents(place) != before

    def test_refuses_half(self, source: Path, tmp_path: Path) -> None:
        """An import of which a file is gone is not taken for a whole one."""
        place = taken(source, tmp_path / "made").place
        (place / "bash" / "nl2bash_fs_4.tree.json").unlink()
        with pytest.raises(DataError, match="or no longer whole; add --force to replace it"):
            taken(source, place)
        assert taken(source, place, replaces=True).is_new
        assert (place / "bash" / "nl2bash_fs_4.tree.json").is_file()

    @pytest.mark.parametrize(
        "mark", ["[", "[" * 100_000, "{}", "[]", '{"digest": "x", "tasks": 3, "entries": {}}']
    )
    @pytest.mark.parametrize("replaces", [False, True])
    def test_never_replaces_what_is_none(self, mark: str, source: Path, tmp_path: Path, *, replaces: bool) -> None:
        """A folder that no import made is kept, forced or not."""
        place = tmp_path / "made"
        place.mkdir()
        (place / "intercode.json").write_text(mark, encoding="utf-8")
        with pytest.raises(DataError, match="made: something is there that is no import of InterCode"):
            taken(source, place, replaces=replaces)
        assert contents(place) == {"intercode.json": mark.encode()}

    def test_what_is_taken(self, source: Path, tmp_path: Path) -> None:
        """A file, a full folder and a place beneath a file are refused, before anything is run."""
        (tmp_path / "file").touch()
        (tmp_path / "folder" / "kept").mkdir(parents=True)
        for name in ("file", "folder"):
            with pytest.raises(DataError, match=f"{name}: something is there"):
                taken(source, tmp_path / name)
        with pytest.raises(DataError, match=r"below: nothing can be written in .*file; name another folder"):
            import_intercode(source, tmp_path / "file" / "below", backend=Says(after=b"broken"))

    @pytest.mark.parametrize("is_forced", [False, True])
    def test_what_can_be_read_only(self, source: Path, *, is_forced: bool) -> None:
        """A place where nothing can be written, whatever the rights say, is refused before anything is run."""
        place = Path("/proc/tinysmith-import/made")
        with pytest.raises(DataError, match="made: nothing can be written in /proc; name another folder"):
            import_intercode(source, place, backend=Says(after=b"broken"), replaces=is_forced)

    @pytest.mark.parametrize(("name", "problem"), [("a\0b", "a NUL character"), ("\ud800", "half of a character")])
    def test_names_that_no_folder_has(self, name: str, problem: str, source: Path, tmp_path: Path) -> None:
        """What the system cannot even be asked for is refused in a sentence."""
        with pytest.raises(
            DataError, match=f"{name}: no folder can be named so, for it has {problem}; name another"
        ):
            taken(source, tmp_path / name)
        with pytest.raises(DataError, match=f"{name}: there is no such folder; name a checkout of InterCode"):
            taken(tmp_path / name, tmp_path / "made")

    def test_names_that_are_none(self, source: Path, tmp_path: Path) -> None:
        """What the system says of a place is told."""
        with pytest.raises(DataError, match="nothing can be written there: File name too long; name another"):
            taken(source, tmp_path / ("x" * 300))
        with pytest.raises(
            DataError, match="xx: it cannot be read: File name too long; make it readable, or name"
        ):
            taken(tmp_path / ("x" * 300), tmp_path / "made")

    def test_what_is_empty(self, source: Path, tmp_path: Path) -> None:
        """An empty folder is filled, by way of a link, too."""
        (tmp_path / "empty").mkdir()
        (tmp_path / "link").symlink_to("empty")
        assert taken(source, tmp_path / "link").is_new
        assert (tmp_path / "empty" / "bash").is_dir()
        assert (tmp_path / "link").is_symlink()


class TestRace:
    def raced(self, source: Path, place: Path, meanwhile: Callable[[], object]) -> Imported:
        """What comes of an import, while something else is done before it is put to its place."""
        return import_intercode(source, place, backend=Says(), on_built=lambda _: place.exists() or meanwhile())

    def test_with_the_same(self, source: Path, tmp_path: Path) -> None:
        """Where somebody else has meanwhile imported the same, that is taken."""
        other = taken(source, tmp_path / "other").place
        made = self.raced(source, tmp_path / "made", lambda: shutil.copytree(other, tmp_path / "made"))
        assert not made.is_new
        assert contents(tmp_path / "made") == contents(other)

    def test_with_another(self, source: Path, tmp_path: Path) -> None:
        """What somebody else has meanwhile put there is kept."""

        def meanwhile() -> None:
            (tmp_path / "made").mkdir()
            (tmp_path / "made" / "theirs").touch()

        with pytest.raises(DataError, match="made: nothing can be written there: Directory not empty"):
            self.raced(source, tmp_path / "made", meanwhile)
        assert contents(tmp_path / "made") == {"theirs": b""}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout", "made"]

    def test_of_a_replacement_that_fails(self, source: Path, tmp_path: Path) -> None:
        """An import whose replacement cannot be put to its place comes back to it."""
        place = taken(source, tmp_path / "made").place
        before = contents(place)
        with pytest.raises(FileNotFoundError):
            publish(tmp_path / "nowhere", place, tmp_path / "aside")
        assert contents(place) == before
        assert not (tmp_path / "aside").exists()


class TestCheckout:
    @pytest.mark.parametrize("name", [SCRIPT, QUESTIONS, "data/sql/spider/ic_spider_dbs.sql"])
    def test_missing(self, name: str, source: Path, tmp_path: Path) -> None:
        """A file that is not there is named, and nothing is made."""
        (source / name).unlink()
        with pytest.raises(DataError, match=f"{re.escape(name)}: there is no such file; name a whole checkout"):
            taken(source, tmp_path / "deep" / "made")
        assert not (tmp_path / "deep").exists()

    def test_none(self, tmp_path: Path) -> None:
        """A checkout is a folder."""
        with pytest.raises(DataError, match="none: there is no such folder; name a checkout of InterCode"):
            taken(tmp_path / "none", tmp_path / "made")
        (tmp_path / "data").touch()
        with pytest.raises(DataError, match=r"fs_1\.json: there is no such file; name a whole checkout"):
            taken(tmp_path, tmp_path / "made")

    @pytest.mark.parametrize("name", [SCRIPT, QUESTIONS])
    def test_leads_out(self, name: str, source: Path, tmp_path: Path) -> None:
        """What leads out of a checkout is not read, by whatever link."""
        (tmp_path / "secret.json").write_text("[]", encoding="utf-8")
        (source / name).unlink()
        (source / name).symlink_to("../../../secret.json")
        with pytest.raises(DataError, match=f"{re.escape(name)}: this leads out of the checkout"):
            taken(source, tmp_path / "made")
        (source / name).unlink()
        (source / name).parent.rename(tmp_path / "outside")
        (tmp_path / "outside" / Path(name).name).touch()
        (source / name).parent.symlink_to(tmp_path / "outside")
        with pytest.raises(DataError, match="this leads out of the checkout; put the file itself there"):
            taken(source, tmp_path / "made")

    def test_is_no_file(self, source: Path, tmp_path: Path) -> None:
        """A named pipe is not waited for, and a link to itself is not followed for ever."""
        (source / QUESTIONS).unlink()
        os.mkfifo(source / QUESTIONS)
        with pytest.raises(DataError, match=r"fs_2\.json: this is no file"):
            taken(source, tmp_path / "made")
        (source / QUESTIONS).unlink()
        (source / QUESTIONS).symlink_to("nl2bash_fs_2.json")
        with pytest.raises(DataError, match=r"fs_2\.json: this file cannot be read: Too many levels"):
            taken(source, tmp_path / "made")

    @pytest.mark.parametrize(("name", "most"), [(SCRIPT, 1 << 20), (QUESTIONS, 32 << 20)])
    def test_is_too_large(self, name: str, most: int, source: Path, tmp_path: Path) -> None:
        """A file beyond the bound is refused, and not read further."""
        with (source / name).open("r+b") as file:
            file.truncate(1 << 40)
        with pytest.raises(DataError, match=f"{re.escape(name)}: this has more than {most:,} bytes"):
            taken(source, tmp_path / "made")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{", "this is no JSON file that can be read: .*; fetch it again"),
            ("[" * 100_000, "this is no JSON file that can be read"),
            ("{}", "this is no list of tasks"),
            ('[{"query": "a", "gold": "b"}, 3]', "row 1 lacks one of the texts query and gold"),
            ('[{"query": "a", "gold": 3}]', "row 0 lacks one of the texts query and gold"),
        ],
    )
    def test_is_broken(self, text: str, problem: str, source: Path, tmp_path: Path) -> None:
        """What is no file of tasks is named, with the row."""
        (source / QUESTIONS).write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=rf"nl2bash_fs_2\.json: {problem}"):
            taken(source, tmp_path / "made")

    @pytest.mark.parametrize(
        ("name", "rows", "problem"),
        [
            ("python/mbpp/ic_mbpp.json", [], "this is no list of tasks; fetch it again"),
            ("python/mbpp/ic_mbpp.json", [{**MBPP[0], "tests": []}], "row 0 has no list of tests; fetch the file"),
            (
                "ctf/ic_ctf.json",
                [{**ROWS[0], "task_id": 1}] * 2,
                "row 1 has the id '1' of row 0; give each its own",
            ),
            ("ctf/ic_ctf.json", [{**ROWS[0], "task_id": "a/b"}], "the task_id of row 0 is no name of a folder"),
        ],
    )
    def test_is_refused_later(
        self, name: str, rows: list[Any], problem: str, source: Path, tmp_path: Path
    ) -> None:
        """What an environment would refuse is refused here in the same sentence, of the file in the checkout."""
        (source / "data" / name).write_text(json.dumps(rows), encoding="utf-8")
        with pytest.raises(DataError, match=f"^{source / 'data' / name}: {problem}"):
            taken(source, tmp_path / "made")
        assert not (tmp_path / "made").exists()

    def test_has_line_ends_of_windows(self, source: Path, tmp_path: Path) -> None:
        """Scripts with CR LF, which no shell would run, are refused with the remedy."""
        (source / SCRIPT).write_bytes(b"#!/bin/bash\r\ntouch /x\r\n")
        with pytest.raises(DataError, match=r"fs_2\.sh: its lines end with CR and LF, .* core\.autocrlf=false"):
            taken(source, tmp_path / "made")

    def test_runs_in_a_sandbox_alone(self, source: Path, tmp_path: Path) -> None:
        """No script is run by what is no sandbox, even where one asks for it."""
        for backend in ("unsafe-local", UnsafeLocal()):
            with pytest.raises(UsageError, match="delete folders of the root; run them in a sandbox"):
                import_intercode(source, tmp_path / "made", backend=backend)
        assert not (tmp_path / "made").exists()
