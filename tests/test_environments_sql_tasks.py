"""Folders of questions and databases, and their tasks."""

import gc
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sandboxes import as_user

from tinysmith.environments import SqlEnvironment, Tasks
from tinysmith.environments._sql_tasks import _shared
from tinysmith.errors import DataError, UsageError

DUMP = """
CREATE DATABASE Seeds;
USE Seeds;
CREATE TABLE beds (id int NOT NULL, name text, PRIMARY KEY (id));
INSERT INTO beds VALUES (1, 'south'), (2, 'north'), (3, 'west');
"""
ROWS: list[dict[str, Any]] = [
    {"db": "Seeds", "query": "Which beds?", "gold": "SELECT name FROM beds ORDER BY id", "hardness": "easy"},
    {"db": "seeds", "query": "None?", "gold": "SELECT name FROM beds WHERE id > 9", "db_tables": {"beds": ["id"]}},
    {"db": "seeds", "query": "Broken?", "gold": "SELECT secretcolumn FROM beds"},
    {"db": "seeds", "query": "Endless?", "gold": "SELECT * FROM beds a, beds b, beds c", "id": "big"},
]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "ic_spider_dev.json").write_text(json.dumps(ROWS), encoding="utf-8")
    (tmp_path / "ic_spider_dbs.sql").write_text(DUMP, encoding="utf-8")
    return tmp_path


class TestTasks:
    def test_order(self, folder: Path) -> None:
        """Ids are the rows' own, else their index."""
        tasks = SqlEnvironment(folder).tasks
        assert [task.id for task in tasks] == ["0", "1", "2", "big"]
        assert len(tasks) == 4
        assert tasks["1"].query == "None?"
        assert "submit" in tasks["1"].instructions

    def test_data(self, folder: Path) -> None:
        """A task's data are its database, hardness and tables."""
        tasks = SqlEnvironment(folder).tasks
        assert dict(tasks["0"].data) == {"database": "Seeds", "hardness": "easy", "tables": {}}
        assert tasks["1"].data["tables"]["beds"] == ("id",)

    def test_splits(self, folder: Path) -> None:
        """Each hardness that the file has is a split, the easiest first."""
        assert SqlEnvironment(folder).tasks.splits == ("easy",)
        bundled = SqlEnvironment.demo().tasks
        assert bundled.splits == ("easy", "medium", "hard", "extra")
        assert bundled.split("extra").ids == ("late-islanders",)

    def test_filters(self, folder: Path) -> None:
        """They can be filtered by what a task's data tell, and by what is asked."""
        tasks = SqlEnvironment(folder).tasks
        assert isinstance(tasks, Tasks)
        assert tasks.where(lambda task: task.data["hardness"] == "easy").ids == ("0",)
        assert tasks.where(lambda task: "e" in task.query.lower()).ids == ("0", "1", "2", "big")
        with pytest.raises(UsageError, match=r"no task 'bigg' among these 4\. Did you mean big\?"):
            tasks["bigg"]


class TestFolder:
    def test_shared(self, folder: Path) -> None:
        """A folder's data are kept while an environment uses them, and read again once they have changed."""
        one, two = SqlEnvironment(folder), SqlEnvironment(str(folder))
        assert one._data is two._data
        (folder / "ic_spider_dev.json").write_text(json.dumps(ROWS[:2]), encoding="utf-8")
        assert len(SqlEnvironment(folder).tasks) == 2
        del one, two
        gc.collect()
        assert not [key for key in _shared if folder in key[0].parents]

    def test_other_names(self, folder: Path) -> None:
        """The files may have plain names."""
        (folder / "ic_spider_dev.json").rename(folder / "tasks.json")
        (folder / "ic_spider_dbs.sql").rename(folder / "databases.sql")
        assert len(SqlEnvironment(folder).tasks) == 4

    def test_missing(self, tmp_path: Path) -> None:
        """A missing folder or file is named, with what to do."""
        with pytest.raises(DataError, match="there is no such folder; name one that holds ic_spider_dev"):
            SqlEnvironment(tmp_path / "nowhere")
        with pytest.raises(DataError, match="the files are not in it; put ic_spider_dev"):
            SqlEnvironment(tmp_path)

    @pytest.mark.parametrize("closed", ["folder", "file"])
    def test_closed(self, closed: str) -> None:
        """A folder that may not be entered, and a file that may not be read, are named, with what to do."""

        def said() -> str:
            folder = Path(tempfile.mkdtemp())
            (folder / "tasks.json").write_text(json.dumps(ROWS), encoding="utf-8")
            (folder / "databases.sql").write_text(DUMP, encoding="utf-8")
            barred = folder if closed == "folder" else folder / "databases.sql"
            barred.chmod(0)
            with pytest.raises(DataError) as caught:
                SqlEnvironment(folder)
            barred.chmod(0o700)
            shutil.rmtree(folder)
            return str(caught.value).removeprefix(f"{barred}: ")

        assert as_user(said) == "it cannot be read: Permission denied. Make it readable."

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("ic_spider_dev.json", "[{", "this is not JSON"),
            ("ic_spider_dev.json", "[]", "row 0 lacks one of the texts db, gold and query"),
            ("ic_spider_dev.json", "{}", "row 0 lacks one of the texts db, gold and query"),
            ("ic_spider_dev.json", '[{"db": "seeds", "query": "x"}]', "row 0 lacks one of the texts"),
            ("ic_spider_dev.json", '[{"db": "s", "query": "x", "gold": "y"}]', "names the database 's', which"),
            ("ic_spider_dbs.sql", "", "no MySQL dump that can be read: there is no CREATE DATABASE"),
            ("ic_spider_dbs.sql", "\udcff", "no MySQL dump that can be read: 'utf-8' codec"),
        ],
    )
    def test_broken(self, folder: Path, name: str, content: str, said: str) -> None:
        """A broken file is named, with what is wrong and what to do."""
        (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
        with pytest.raises(DataError, match=re.escape(said)) as error:
            SqlEnvironment(folder)
        assert str(folder / name) in str(error.value)
        assert "fetch" in str(error.value)
