"""Files of tasks: where they are, and what is said of those that cannot be read."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sandboxes import as_user

from tinysmith.environments import (
    BashEnvironment,
    CtfEnvironment,
    PythonEnvironment,
    ShellEnvironment,
    SqlEnvironment,
)
from tinysmith.environments._task_file import kind_at, refuse_equal_ids
from tinysmith.errors import DataError

DUMP = "CREATE DATABASE d;\nUSE d;\nCREATE TABLE t (id int NOT NULL);\n"


def ctf_with_assets(folder: Path) -> CtfEnvironment:
    """An environment whose tasks can be read, with such a folder of the challenges' files."""
    with tempfile.TemporaryDirectory() as data:
        (Path(data) / "ic_ctf.json").write_text('[{"query": "a", "gold": "b"}]', encoding="utf-8")
        return CtfEnvironment(data, assets=folder)


READERS = [
    BashEnvironment,
    CtfEnvironment,
    PythonEnvironment,
    ShellEnvironment.read,
    SqlEnvironment,
    ctf_with_assets,
]


@pytest.mark.parametrize("read", READERS)
class TestPlaces:
    def test_too_long(self, read: Callable[[Path], Any]) -> None:
        """A path that is too long for the system is named."""
        place = Path("x" * 5000)
        with pytest.raises(DataError, match=r"xx.*: it cannot be read: File name too long"):
            read(place)

    def test_beyond_a_closed_folder(self, read: Callable[[Path], Any]) -> None:
        """What lies beyond a folder that may not be passed is named, and not said to be missing."""

        def beyond() -> None:
            with tempfile.TemporaryDirectory() as place:
                Path(place).chmod(0)
                with pytest.raises(DataError, match=f"^{place}/in.*: it cannot be read: Permission denied"):
                    read(Path(place) / "in")
                Path(place).chmod(0o700)

        as_user(beyond)

    @pytest.mark.parametrize("name", ["none", "a\0b", "\ud800", "file/below"])
    def test_nowhere(self, read: Callable[[Path], Any], name: str, tmp_path: Path) -> None:
        """A place where nothing is, or that no path can name, is no such file or folder."""
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match=f"{name}.*: there is no such"):
            read(tmp_path / name)


class TestKindAt:
    def test_of_each(self, tmp_path: Path) -> None:
        """It tells files, folders and links, which are followed unless one asks otherwise."""
        (tmp_path / "file").touch()
        (tmp_path / "link").symlink_to("file")
        (tmp_path / "lost").symlink_to("none")
        names = ("", "file", "link", "lost", "none")
        assert [kind_at(tmp_path / name) for name in names] == ["dir", "file", "file", "", ""]
        kinds = [kind_at(tmp_path / name, follows_links=False) for name in names]
        assert kinds == ["dir", "file", "link", "link", ""]
        assert kind_at(Path("/dev/null")) == "other"

    def test_of_a_loop(self, tmp_path: Path) -> None:
        """What the system says of a place is told."""
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(DataError, match="loop: it cannot be read: Too many levels of symbolic links; make it"):
            kind_at(tmp_path / "loop")


class TestEqualIds:
    def test_refused(self) -> None:
        """The later of two rows with one id is named with the former; a long id is cut."""
        refuse_equal_ids(Path("f"), iter("abc"))
        with pytest.raises(DataError, match=r"^f: row 3 has the id 'b' of row 1; give each its own"):
            refuse_equal_ids(Path("f"), "abcb")
        with pytest.raises(DataError, match=r"row 1 has the id 'x{98}… of row 0"):
            refuse_equal_ids(Path("f"), ["x" * 5000] * 2)

    def test_in_shell_tasks(self, tmp_path: Path) -> None:
        """Tasks for a shell are read with ids of their own, an id by number among them."""
        rows = [{"id": "1", "query": "a", "check": "true"}, {"query": "b", "check": "true"}]
        (tmp_path / "tasks.json").write_text(json.dumps(rows), encoding="utf-8")
        with pytest.raises(DataError, match=r"tasks\.json: row 1 has the id '1' of row 0; give each its own"):
            ShellEnvironment.read(tmp_path)

    def test_in_questions(self, tmp_path: Path) -> None:
        """So are questions on databases."""
        row = {"id": "1", "db": "d", "query": "a", "gold": "SELECT 1"}
        (tmp_path / "tasks.json").write_text(json.dumps([row, row]), encoding="utf-8")
        (tmp_path / "databases.sql").write_text(DUMP, encoding="utf-8")
        with pytest.raises(DataError, match=r"tasks\.json: row 1 has the id '1' of row 0; give each its own"):
            SqlEnvironment(tmp_path)
