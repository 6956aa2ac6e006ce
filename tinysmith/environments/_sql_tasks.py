"""Questions with their databases, read from a folder; reference answers are kept apart from the tasks."""

import json
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tinysmith.environments._mysql_dump import DumpError, load_dump
from tinysmith.environments._sql_connections import Connections
from tinysmith.environments._task_file import refuse_equal_ids
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import DataError
from tinysmith.mapping import freeze
from tinysmith.protocols import Task

FILES = (("ic_spider_dev.json", "ic_spider_dbs.sql"), ("tasks.json", "databases.sql"))
"""Names of the two files, questions and dump: InterCode's, and ours for other data of the same form."""

HARDNESS = ("easy", "medium", "hard", "extra")
"""Spider's grades of how hard a question is, the easiest first: each is a split."""

INSTRUCTIONS = (
    "You act on a MySQL database. One action is one SQL statement in MySQL's dialect, and you see the rows that "
    "it gives, or an error. SHOW TABLES and DESCRIBE <table> tell what there is; the database cannot be changed. "
    "The action `submit` ends the task with the output of your last statement as the answer; `skip` gives up."
)


@frozen(eq=False)
class SqlData:
    """A folder's tasks and databases, shared by all environments on that folder.

    Attributes:
        tasks: The questions, with a split for each hardness.
        references: The reference statement of each task; they never leave this package.
        databases: Connections by lower-case name of the database.
    """

    tasks: Tasks
    references: Mapping[str, str] = field(repr=False)
    databases: Mapping[str, Connections] = field(repr=False)


_shared: "weakref.WeakValueDictionary[tuple[Any, ...], SqlData]" = weakref.WeakValueDictionary()
_lock = threading.Lock()


def load_data(folder: Path) -> SqlData:
    """The data of a folder: read once, and kept while any environment uses it.

    Raises:
        DataError: The folder, or one of its two files, is missing or broken.
    """
    questions, dump = _files(folder)
    stats = [path.stat() for path in (questions, dump)]
    key = (questions.resolve(), *((stat.st_mtime_ns, stat.st_size) for stat in stats))
    with _lock:
        data = _shared.get(key)
        if data is None:
            data = _shared[key] = _load(questions, dump)
    return data


def _files(folder: Path) -> tuple[Path, Path]:
    try:
        if not folder.is_dir():
            raise DataError(f"{folder}: there is no such folder; name one that holds {_wanted()}.")
        for questions, dump in FILES:
            if (folder / questions).is_file() and (folder / dump).is_file():
                return folder / questions, folder / dump
    except OSError as error:
        raise _unreadable(folder, error) from error
    raise DataError(f"{folder}: the files are not in it; put {_wanted()} there.")


def _unreadable(place: Path, error: OSError) -> DataError:
    return DataError(f"{place}: it cannot be read: {error.strerror}. Make it readable.")


def _wanted() -> str:
    return ", or ".join(f"{questions} and {dump}" for questions, dump in FILES)


def _load(questions: Path, dump: Path) -> SqlData:
    try:
        loaded = load_dump(_text(dump))
    except (DumpError, UnicodeDecodeError) as error:
        raise DataError(f"{dump}: this is no MySQL dump that can be read: {error}; fetch it again.") from error
    try:
        rows = json.loads(_text(questions))
    except ValueError as error:
        raise DataError(f"{questions}: this is not JSON: {error}; fetch it again.") from error
    databases = {name: Connections(each) for name, each in loaded.items()}
    tasks: list[Task] = []
    references: dict[str, str] = {}
    for index, row in enumerate(rows if isinstance(rows, list) and rows else [None]):
        task = _task(index, row, databases, questions)
        tasks.append(task)
        references[task.id] = row["gold"]
    refuse_equal_ids(questions, (task.id for task in tasks))
    splits = {name: [task.id for task in tasks if task.data["hardness"] == name] for name in HARDNESS}
    return SqlData(Tasks(tasks, splits={name: ids for name, ids in splits.items() if ids}), references, databases)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(path, error) from error


def _task(index: int, row: Any, databases: Mapping[str, Connections], path: Path) -> Task:
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("db", "gold", "query")):
        raise DataError(f"{path}: row {index} lacks one of the texts db, gold and query; fetch the file again.")
    if row["db"].lower() not in databases:
        raise DataError(
            f"{path}: row {index} names the database {row['db']!r}, which the dump does not hold; "
            "fetch both files again."
        )
    return Task(
        str(row.get("id", index)),
        row["query"],
        instructions=INSTRUCTIONS,
        data=freeze(
            {"database": row["db"], "hardness": row.get("hardness", ""), "tables": row.get("db_tables", {})}
        ),
        script=tuple(row.get("script", ())),
    )
