"""Tasks for a shell with their file trees, read from a folder; right commands are kept apart from the tasks."""

import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from tinysmith.environments._task_file import kind_at, rows_of
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import DataError
from tinysmith.mapping import freeze
from tinysmith.protocols import Task
from tinysmith.sandbox import Tree

TREE = ".tree.json"
_PREFIX = "nl2bash_"

INSTRUCTIONS = (
    "You act on the file system of a Linux machine through Bash. One action is one command line, run in a new "
    "shell, and you see what it prints. Of a shell nothing is kept for the next, but the folder that a `cd` led "
    "to; the first is /. There is no network, and a command's time is limited. The action `submit` ends the task "
    "with the files as they are and the output of your last command as the answer; `skip` gives up."
)


@frozen(eq=False)
class BashData:
    """A folder's tasks and trees, shared by all environments on that folder.

    Attributes:
        tasks: What is to be done, with a split for each file tree.
        golds: The right command of each task; they never leave this package.
        trees: The file trees, by name of the split.
    """

    tasks: Tasks
    golds: Mapping[str, str] = field(repr=False)
    trees: Mapping[str, Tree] = field(repr=False)


_shared: "weakref.WeakValueDictionary[tuple[Any, ...], BashData]" = weakref.WeakValueDictionary()
_lock = threading.Lock()


def load_data(folder: Path) -> BashData:
    """The data of a folder: read once, and kept while any environment uses it.

    Raises:
        DataError: The folder, or one of its files, is missing or broken.
    """
    if kind_at(folder) != "dir":
        raise DataError(f"{folder}: there is no such folder; name one that holds nl2bash_fs_1.json and its tree.")
    pairs = [(path.with_name(path.name.removesuffix(TREE) + ".json"), path) for path in folder.glob(f"*{TREE}")]
    if not pairs:
        wanted = f"nl2bash_fs_1.json with nl2bash_fs_1{TREE}"
        raise DataError(
            f"{folder}: no file of tasks with a tree is in it; put {wanted} there, or others like them."
        )
    for path, tree in pairs:
        if kind_at(path) != "file":
            raise DataError(f"{path}: there is no such file, but {tree.name} is there; put both there.")
    pairs.sort()
    stats = [path.stat() for pair in pairs for path in pair]
    key = (folder.resolve(), *((stat.st_mtime_ns, stat.st_size) for stat in stats))
    with _lock:
        data = _shared.get(key)
        if data is None:
            data = _shared[key] = _load(pairs)
    return data


def _load(pairs: list[tuple[Path, Path]]) -> BashData:
    tasks: list[Task] = []
    golds: dict[str, str] = {}
    trees: dict[str, Tree] = {}
    splits: dict[str, list[str]] = {}
    for path, tree in pairs:
        name = path.stem.removeprefix(_PREFIX)
        trees[name] = Tree.read(tree)
        splits[name] = []
        for index, row in enumerate(rows_of(path)):
            if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("query", "gold")):
                raise DataError(
                    f"{path}: row {index} lacks one of the texts query and gold; fetch the file again."
                )
            task_id = f"{path.stem}/{index}"
            data = freeze({"file_system": name})
            tasks.append(Task(task_id, row["query"], instructions=INSTRUCTIONS, data=data))
            golds[task_id] = row["gold"]
            splits[name].append(task_id)
    return BashData(Tasks(tasks, splits=splits), golds, trees)


def dated(tree: Tree) -> Tree:
    """A tree whose undated files are of this second, so that they are as old in all sandboxes of an episode."""
    now = float(int(time.time()))
    entries = (entry if entry.mtime_s is not None else evolve(entry, mtime_s=now) for entry in tree.entries)
    return Tree(tuple(entries))


def as_git_leaves_it(tree: Tree) -> Tree:
    """A tree without the folders that hold no file, which InterCode's `git clean` takes away at each reset."""
    full = {folder for entry in tree.entries if entry.kind != "dir" for folder in _above(entry.path)}
    return Tree(tuple(entry for entry in tree.entries if entry.kind != "dir" or entry.path in full))


def _above(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path
