"""A file with a list of tasks: read once, and kept while any environment uses what was made of it."""

import json
import stat
import threading
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from tinysmith._shown import one_line
from tinysmith.errors import DataError

D = TypeVar("D")
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link"}


class TaskFile(Generic[D]):
    """InterCode's file of one set of tasks.

    Args:
        name: The file's, in whatever folder.
        make: Makes the data of the file's path and its rows, of which there is at least one.
    """

    def __init__(self, name: str, make: Callable[[Path, list[Any]], D]) -> None:
        self._name = name
        self._make = make
        self._shared: weakref.WeakValueDictionary[tuple[Any, ...], D] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def load(self, folder: Path) -> D:
        """The data of a folder: read once, and kept while any environment uses it.

        Raises:
            DataError: The folder, or its file, is missing or broken.
        """
        path = folder / self._name
        if kind_at(path) != "file":
            raise DataError(f"{path}: there is no such file; name a folder that holds InterCode's {self._name}.")
        found = path.stat()
        key = (path.resolve(), found.st_mtime_ns, found.st_size)
        with self._lock:
            data = self._shared.get(key)
            if data is None:
                data = self._shared[key] = self.made(path, rows_of(path))
        return data

    def made(self, path: Path, rows: list[Any]) -> D:
        """The data of a file's rows.

        Raises:
            DataError: There is none, or one is broken.
        """
        if not rows:
            raise DataError(f"{path}: this is no list of tasks; fetch it again.")
        return self._make(path, rows)


def rows_of(path: Path) -> list[Any]:
    """The rows of a JSON file, of which there may be none.

    Raises:
        DataError: It is no such file, or holds no list.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: this is no JSON file that can be read: {error}; fetch it again.") from error
    if not isinstance(rows, list):
        raise DataError(f"{path}: this is no list of tasks; fetch it again.")
    return rows


def kind_at(place: Path, *, follows_links: bool = True) -> str:
    """Whether a `file`, a `dir`, a `link` or something `other` is at a place; empty where nothing is.

    Raises:
        DataError: That cannot be told, as beyond a folder that may not be passed.
    """
    try:
        mode = place.stat(follow_symlinks=follows_links).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: what no path can hold, such as NUL
        return ""
    except OSError as error:
        raise unreadable(place, error) from error
    return _KINDS.get(stat.S_IFMT(mode), "other")


def unreadable(place: Path, error: OSError) -> DataError:
    """What is said of a place that cannot be read."""
    return DataError(f"{place}: it cannot be read: {error.strerror}; make it readable, or name another.")


def refuse_equal_ids(path: Path, ids: Iterable[str]) -> None:
    """Refuses a file in which two rows have one id.

    Raises:
        DataError: Two have.
    """
    rows: dict[str, int] = {}
    for row, task_id in enumerate(ids):
        first = rows.setdefault(task_id, row)
        if first != row:
            shown = one_line(repr(task_id))
            raise DataError(f"{path}: row {row} has the id {shown} of row {first}; give each its own.")
