"""InterCode's data, taken from a checkout of it: a folder with what our environments need.

InterCode keeps its file trees as shell scripts that begin by deleting folders of the root. They are run in a
sandbox and nowhere else. What is made appears at its place whole, or not at all. A checkout is somebody else's:
its links lead nowhere outside of it, and sizes are bounded.
"""

import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tinysmith.environments import _ctf_tasks, _python_tasks
from tinysmith.environments._bash_tasks import TREE
from tinysmith.environments._intercode_tree import built
from tinysmith.environments._task_file import kind_at
from tinysmith.errors import DataError, UsageError
from tinysmith.sandbox import Backend, UnsafeLocal
from tinysmith.sandbox import backend as backend_of

FILE_SYSTEMS = tuple(f"nl2bash_fs_{number}" for number in range(1, 5))
ASSETS = "data/ctf/task_assets"
"""Where a checkout has the files of the challenges; they stay there."""

_QUESTIONS = {
    f"bash/{name}.json": (f"data/nl2bash/{name}.json", f"data/bash/nl2bash/{name}.json") for name in FILE_SYSTEMS
} | {
    "python/ic_mbpp.json": ("data/python/mbpp/ic_mbpp.json",),
    "ctf/ic_ctf.json": ("data/ctf/ic_ctf.json",),
    "sql/ic_spider_dev.json": ("data/sql/spider/ic_spider_dev.json",),
}
"""What files of tasks are called here, and where checkouts have them."""

_MADE: Mapping[str, Callable[[Path, list[Any]], object]] = {
    "python/ic_mbpp.json": _python_tasks.TASKS.made,
    "ctf/ic_ctf.json": _ctf_tasks.TASKS.made,
}
"""What refuses the rows that an environment would refuse."""

_DUMP, _DUMP_THERE = "sql/ic_spider_dbs.sql", "data/sql/spider/ic_spider_dbs.sql"
_SCRIPT = "docker/bash_scripts/setup_nl2b_fs_{}.sh"
_TREES = tuple(f"bash/{name}{TREE}" for name in FILE_SYSTEMS)
_MARK = "intercode.json"
_FORM = "1"  # of what is written; another one is another import
_MOST_BYTES = 32 << 20  # of one file of a checkout
_MOST_SCRIPT_BYTES = 1 << 20
_DIGITS = 12


@frozen
class FileSystem:
    """A file tree that was built.

    Attributes:
        name: Such as `nl2bash_fs_1`.
        tasks: How many tasks are on it.
        entries: How many files, folders and links it has.
        warnings: What its script said of errors, and what of its files no tree can hold; hostile text, bounded.
        duration_s: Seconds that it took.
    """

    name: str
    tasks: int
    entries: int
    warnings: tuple[str, ...]
    duration_s: float


@frozen
class Imported:
    """A folder with InterCode's data.

    Attributes:
        place: The folder; in it are `bash`, `python`, `ctf` and `sql`.
        digest: Of what it was made from; empty where files of it are gone.
        tasks: How many tasks there are, by file.
        entries: How many files, folders and links there are, by file system.
        is_new: Whether it was made now.
    """

    place: Path
    digest: str = field(repr=False)
    tasks: Mapping[str, int]
    entries: Mapping[str, int]
    is_new: bool = False


def import_intercode(
    checkout: Path,
    place: Path | None = None,
    *,
    backend: Backend | str = "auto",
    replaces: bool = False,
    on_built: Callable[[FileSystem], object] = lambda _: None,
) -> Imported:
    """Makes a folder of InterCode's data from a checkout; where the same was made before, it is left as it is.

    Args:
        checkout: A folder with InterCode's repository.
        place: The folder to make; by default one where the user keeps caches, named by what is in the checkout.
        backend: What makes the sandboxes that the scripts run in, or its name.
        replaces: Whether an import that is there is made again, in any case.
        on_built: Is told of each file tree.

    Raises:
        DataError: The checkout lacks a file, or one is broken or runs into a limit; or `place` is taken.
        UsageError: The back end is no sandbox.
        SandboxUnavailable: There is no sandbox here.
        EnvironmentLost: A sandbox broke.
    """
    if kind_at(checkout) != "dir":
        raise DataError(f"{checkout}: there is no such folder; name a checkout of InterCode.")
    sources, tasks = _sources(Path(os.path.realpath(checkout)))
    digest = _digest(sources)
    place = place or cache_folder() / digest[:_DIGITS]
    _demand_name(place)
    with _writing(place):
        old = _found(place)
        if old is not None and old.digest == digest and not replaces:
            return old
        _refuse(place, old, replaces=replaces)
    made_by = backend_of(backend) if isinstance(backend, str) else backend
    if isinstance(made_by, UnsafeLocal):
        raise UsageError("InterCode's scripts delete folders of the root; run them in a sandbox.")
    trees, entries = _trees(sources, tasks, made_by, on_built)
    files = {name: sources[name] for name in (*_QUESTIONS, _DUMP)} | trees
    return _put(Imported(place, digest, tasks, entries, is_new=True), files, replaces=replaces)


def cache_folder() -> Path:
    """Where imports are kept that were given no place."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "tinysmith" / "intercode"


# What is read -----------------------------------------------------------------------------------


def _sources(root: Path) -> tuple[dict[str, bytes], dict[str, int]]:
    """What is read of a checkout, by the name that it gets, scripts by that of their tree; and counts of tasks."""
    read, tasks = {}, {}
    for name, places in _QUESTIONS.items():
        place, read[name] = _read(root, *places)
        rows = _rows(place, read[name])
        if name in _MADE:
            _MADE[name](place, rows)
        tasks[Path(name).stem] = len(rows)
    read[_DUMP] = _read(root, _DUMP_THERE)[1]
    for number, name in enumerate(_TREES, 1):
        place, script = _read(root, _SCRIPT.format(number), most=_MOST_SCRIPT_BYTES)
        if script.partition(b"\n")[0].endswith(b"\r"):
            problem = "its lines end with CR and LF, which no shell on Linux takes"
            raise DataError(f"{place}: {problem}; clone InterCode with `git clone -c core.autocrlf=false`.")
        read[name] = script
    return read, tasks


def _read(root: Path, *names: str, most: int = _MOST_BYTES) -> tuple[Path, bytes]:
    """The first of some files that is there, and where."""
    for place in (root / name for name in names):
        try:
            real = Path(os.path.realpath(place, strict=True))
            if not real.is_relative_to(root):
                raise DataError(f"{place}: this leads out of the checkout; put the file itself there.")
            # A named pipe is opened without waiting for who writes into it.
            with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise DataError(f"{place}: this is no file; name a checkout of InterCode.")
                data = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise DataError(f"{place}: this file cannot be read: {error.strerror}; check it.") from error
        if len(data) > most:
            raise DataError(f"{place}: this has more than {most:,} bytes; fetch the file again.")
        return place, data
    raise DataError(f"{root / names[0]}: there is no such file; name a whole checkout of InterCode.")


def _rows(place: Path, data: bytes) -> list[Any]:
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: this is no JSON file that can be read: {error}; fetch it again.") from error
    if not isinstance(rows, list):
        raise DataError(f"{place}: this is no list of tasks; fetch it again.")
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("query", "gold")):
            raise DataError(f"{place}: row {index} lacks one of the texts query and gold; fetch the file again.")
    return rows


def _digest(sources: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(_FORM.encode())
    for name, data in sources.items():
        digest.update(f"\0{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _trees(
    sources: Mapping[str, bytes],
    tasks: Mapping[str, int],
    backend: Backend,
    on_built: Callable[[FileSystem], object],
) -> tuple[dict[str, bytes], dict[str, int]]:
    """The files of the trees, and counts of their entries."""
    files, entries = {}, {}
    for name, file_system in zip(_TREES, FILE_SYSTEMS, strict=True):
        begin = time.monotonic()
        tree, warnings = built(file_system, sources[name], backend)
        files[name] = tree.json().encode()
        count = entries[file_system] = len(tree.entries)
        on_built(FileSystem(file_system, tasks[file_system], count, warnings, time.monotonic() - begin))
    return files, entries


# What is written --------------------------------------------------------------------------------


def _put(made: Imported, files: Mapping[str, bytes], *, replaces: bool) -> Imported:
    real = Path(os.path.realpath(made.place))
    mark = {"digest": made.digest, "tasks": made.tasks, "entries": made.entries}
    with _writing(made.place), ExitStack() as stack:
        real.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".tinysmith-", dir=real.parent)))
        for name, data in {**files, _MARK: json.dumps(mark, indent=1).encode()}.items():
            path = beside / "whole" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        try:
            publish(beside / "whole", real, beside / "old" if replaces else None)
        except OSError:
            faster = _found(made.place)
            if faster is None or faster.digest != made.digest:
                raise
            return faster
    return made


def publish(whole: Path, place: Path, aside: Path | None) -> None:
    """Puts a folder at its place, where nothing or an empty folder is.

    Args:
        whole: The folder.
        place: Where it goes.
        aside: Where an import goes that is there; it comes back where that fails.

    Raises:
        OSError: Something else is there.
    """
    with ExitStack() as stack:
        if aside is not None and (place / _MARK).is_file():
            place.rename(aside)
            stack.callback(aside.rename, place)
        whole.rename(place)  # a folder is replaced only where it is empty
        stack.pop_all()


def _demand_name(place: Path) -> None:
    """Refuses what no path can be, whatever is there."""
    try:
        if b"\0" not in os.fsencode(place):
            return
        problem = "it has a NUL character"
    except UnicodeEncodeError:
        problem = "it has half of a character"
    raise DataError(f"{place}: no folder can be named so, for {problem}; name another.")


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"nothing can be written there: {error.strerror}"
        raise DataError(f"{place}: {problem}; name another folder.") from error


def _found(place: Path) -> Imported | None:
    """What was imported to a place; None where that is something else."""
    try:
        mark: Any = json.loads((place / _MARK).read_text(encoding="utf-8"))
        tasks, entries = ({str(key): int(mark[of][key]) for key in mark[of]} for of in ("tasks", "entries"))
        digest = str(mark["digest"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, RecursionError):
        return None
    is_whole = all((place / name).is_file() for name in (*_QUESTIONS, _DUMP, *_TREES))
    return Imported(place, digest if is_whole else "", tasks, entries)


def _refuse(place: Path, old: Imported | None, *, replaces: bool) -> None:
    """Refuses a place with something that must not be replaced, and one where nothing can be made."""
    if old is not None and not replaces:
        problem = "what was imported there is from other files, or no longer whole"
        raise DataError(f"{place}: {problem}; add --force to replace it, or name another folder.")
    real = Path(os.path.realpath(place))
    if old is None and os.path.lexists(real) and not (real.is_dir() and not any(real.iterdir())):
        raise DataError(f"{place}: something is there that is no import of InterCode; name another folder.")
    above = next(folder for folder in real.parents if os.path.lexists(folder))
    try:  # rights alone do not say it, as in /proc
        tempfile.TemporaryDirectory(prefix=".tinysmith-", dir=above).cleanup()
    except OSError as error:
        raise DataError(f"{place}: nothing can be written in {above}; name another folder.") from error
