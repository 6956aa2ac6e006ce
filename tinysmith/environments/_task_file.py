"""A file with a list of tasks: read once, and kept while any environment uses what was made of it."""

import json
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from tinysmith.errors import DataError

D = TypeVar("D")


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
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; name a folder that holds InterCode's {self._name}.")
        found = path.stat()
        key = (path.resolve(), found.st_mtime_ns, found.st_size)
        with self._lock:
            data = self._shared.get(key)
            if data is None:
                data = self._shared[key] = self._make(path, self._rows(path))
        return data

    @staticmethod
    def _rows(path: Path) -> list[Any]:
        rows = rows_of(path)
        if not rows:
            raise DataError(f"{path}: this is no list of tasks; fetch it again.")
        return rows


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
