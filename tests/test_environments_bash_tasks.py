"""Tasks for a shell and their trees, from a folder."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tinysmith.environments._bash_tasks import as_git_leaves_it, dated, load_data
from tinysmith.errors import DataError
from tinysmith.sandbox import Entry, Tree

ROWS = [{"query": "Which?", "gold": "ls secretname"}, {"query": "Who?", "gold": "id"}]
TREE = [{"path": "/work/a.txt", "type": "file", "text": "a"}]


def write(folder: Path, **files: Any) -> Path:
    """Files of JSON, or of text; `__` is a dot."""
    for name, data in files.items():
        text = data if isinstance(data, str) else json.dumps(data)
        (folder / f"{name.replace('__', '.')}.json").write_text(text, encoding="utf-8")
    return folder


class TestLoad:
    def test_sets(self, tmp_path: Path) -> None:
        """Each pair of files is a split with a tree; ids are the file's name and the row's index."""
        write(tmp_path, nl2bash_fs_2=ROWS[:1], nl2bash_fs_2__tree=[], nl2bash_fs_1=ROWS, nl2bash_fs_1__tree=TREE)
        data = load_data(write(tmp_path, mine=ROWS[1:], mine__tree=TREE, other={"no": "tasks"}))
        ids = ["mine/0", "nl2bash_fs_1/0", "nl2bash_fs_1/1", "nl2bash_fs_2/0"]
        assert [task.id for task in data.tasks] == ids
        assert data.tasks.splits == ("mine", "fs_1", "fs_2")
        assert [task.id for task in data.tasks.split("fs_1")] == ids[1:3]
        assert data.tasks["nl2bash_fs_2/0"].data == {"file_system": "fs_2"}
        assert [len(data.trees[name].entries) for name in ("fs_1", "fs_2")] == [1, 0]
        assert data.golds["nl2bash_fs_1/1"] == "id"

    def test_hidden(self, tmp_path: Path) -> None:
        """The right commands are in no task, and not shown."""
        data = load_data(write(tmp_path, x=ROWS, x__tree=TREE))
        assert "secretname" not in repr(data) + repr(list(data.tasks))

    def test_shared(self, tmp_path: Path) -> None:
        """A folder is read once for all who use it, and again when it has changed."""
        data = load_data(write(tmp_path, x=ROWS, x__tree=TREE))
        assert load_data(tmp_path) is data
        assert len(load_data(write(tmp_path, x=ROWS[:1])).tasks) == 1

    @pytest.mark.parametrize(
        ("files", "problem"),
        [
            ({}, "no file of tasks with a tree is in it; put nl2bash_fs_1.json with nl2bash_fs_1.tree.json there"),
            ({"x": ROWS}, "no file of tasks with a tree"),
            ({"x__tree": TREE}, r"x\.json: there is no such file, but x\.tree\.json is there"),
            ({"x": "{", "x__tree": TREE}, r"x\.json: this is no JSON file that can be read"),
            ({"x": "[" * 100_000, "x__tree": TREE}, r"x\.json: this is no JSON file that can be read"),
            ({"x": {}, "x__tree": TREE}, r"x\.json: this is no list of tasks"),
            ({"x": [*ROWS, None], "x__tree": TREE}, r"x\.json: row 2 lacks one of the texts query and gold"),
            ({"x": [{"query": "a"}], "x__tree": TREE}, r"x\.json: row 0 lacks"),
            ({"x": ROWS, "x__tree": "{}"}, r"x\.tree\.json: this is no list of entries"),
        ],
    )
    def test_broken(self, files: dict[str, Any], problem: str, tmp_path: Path) -> None:
        """A missing or broken file is named, with what to do."""
        with pytest.raises(DataError, match=problem):
            load_data(write(tmp_path, **files))

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that is not there is named."""
        with pytest.raises(DataError, match=r"none: there is no such folder"):
            load_data(tmp_path / "none")


class TestTree:
    def test_dated(self) -> None:
        """All that has no date is of this second; a date is kept."""
        old = Entry("/old", mtime_s=1.0)
        tree = dated(Tree((Entry("/a"), old, Entry("/b", "dir", 0o755))))
        assert tree.entries[1] == old
        assert tree.entries[0].mtime_s == tree.entries[2].mtime_s
        assert abs(time.time() - (tree.entries[0].mtime_s or 0.0)) < 60

    def test_as_git_leaves_it(self) -> None:
        """Folders without a file or link beneath go, the others stay."""
        tree = Tree.of({"/a/": "", "/a/b/": "", "/a/c/": "", "/a/c/d": "", "/e/": "", "/e/f/": ""})
        assert [entry.path for entry in as_git_leaves_it(tree).entries] == ["/a", "/a/c", "/a/c/d"]
