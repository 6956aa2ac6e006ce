"""File trees as data: what a sandbox begins with."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from tinysmith import _arguments
from tinysmith._arguments import path_text, several, told
from tinysmith._shown import encodable
from tinysmith.errors import DataError, UsageError

Kind: TypeAlias = Literal["dir", "file", "link"]
_KINDS = ("dir", "file", "link")
MOST_MODE = 0o7777
_LATEST_S = float(1 << 33)  # beyond it some file systems have no times
_MOST_NAME = 255  # bytes; Linux has no longer ones


def is_plain_path(path: object) -> bool:
    """Whether this is an absolute path as text, without `.`, `..`, empty, too long or NUL-bearing parts."""
    if not isinstance(path, str):
        return False
    if path == "/":
        return True
    parts = path.split("/")
    return (
        path.startswith("/")
        and is_passable(path)
        and all(part not in ("", ".", "..") and len(part.encode()) <= _MOST_NAME for part in parts[1:])
    )


def is_passable(text: object) -> bool:
    """Whether this is a text that can be given to the system: it has no NUL and no half of a character."""
    try:
        return isinstance(text, str) and b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _bytes(data: bytes | bytearray | memoryview) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UsageError(f"Entry: data is a {type(data).__name__}; give bytes (`text.encode()`).")
    return bytes(data)


def _entries(entries: "Iterable[Entry]") -> "tuple[Entry, ...]":
    return several(entries, Entry, "Tree: entries", "a list of Entry, or use Tree.of({path: text})")


@frozen
class Entry:
    """One file, folder or symbolic link.

    Attributes:
        path: Absolute, without `.` and `..`.
        kind: What it is.
        mode: Permissions, 0 to 0o7777; a link has none.
        data: What is in the file.
        target: Where the link leads; it need not be there.
        mtime_s: When it was changed, in seconds since 1970 (UTC); None for when the sandbox is made.
    """

    path: str = field(converter=path_text)
    kind: Kind = "file"
    mode: int = 0o644
    data: bytes = field(default=b"", repr=False, converter=_bytes)
    target: str = field(default="", converter=path_text)
    mtime_s: float | None = None

    def __attrs_post_init__(self) -> None:
        if not is_plain_path(self.path) or self.path == "/":
            raise UsageError(f"Entry: {told(self.path)} is no path of a tree; give an absolute one without `..`.")
        if self.kind not in _KINDS:
            raise UsageError(f"Entry {self.path}: kind is {self.kind!r}; give dir, file or link.")
        if type(self.mode) is not int or not 0 <= self.mode <= MOST_MODE:
            raise UsageError(f"Entry {self.path}: mode is {self.mode!r}; give an integer from 0 to 0o7777.")
        if (self.kind == "link") != bool(self.target) or not is_passable(self.target):
            raise UsageError(f"Entry {self.path}: a link has a target, without NUL, and nothing else has one.")
        is_time = type(self.mtime_s) in {int, float, type(None)} and abs(self.mtime_s or 0) < _LATEST_S
        if not is_time:
            raise UsageError(f"Entry {self.path}: mtime_s is {self.mtime_s!r}; give seconds since 1970.")
        if self.data and self.kind != "file":
            raise UsageError(f"Entry {self.path}: a {self.kind} holds no data; make it a file.")


@frozen
class Tree:
    """Files, folders and links, each path once, none beneath a file or a link; missing folders are made.

    Attributes:
        entries: In the order in which they are made.
    """

    entries: tuple[Entry, ...] = field(default=(), converter=_entries)

    def __attrs_post_init__(self) -> None:
        kinds: dict[str, Kind] = {}
        for entry in self.entries:
            if entry.path in kinds:
                raise UsageError(f"Tree: {entry.path} is in it twice; leave one out.")
            kinds[entry.path] = entry.kind
        for path in kinds:
            for parent in parents_of(path):
                if kinds.get(parent, "dir") != "dir":
                    problem = f"{path} lies beneath {parent}, which is a {kinds[parent]}"
                    raise UsageError(f"Tree: {problem}; what has something beneath it must be a dir.")

    @classmethod
    def of(cls, files: Mapping[str, str | bytes]) -> "Tree":
        """The tree of some files, by path: `{"/notes/a.txt": "text"}`; a path that ends with `/` is a folder.

        Raises:
            UsageError: Something is no path, neither a text nor bytes, or given to a folder.
        """
        if not isinstance(files, Mapping):
            raise UsageError(f"Tree.of: this is {told(files)}; give a dict of texts by path.")
        return cls(tuple(_given(path_text(path), text) for path, text in files.items()))

    @classmethod
    def read(cls, path: Path | str) -> "Tree":
        """The tree in a `*.tree.json` file.

        It is a list of objects with `path`, `type` (dir, file, link), `mode` (octal, as text), a file's `text` or
        `base64`, a link's `target`, and perhaps `mtime` (ISO 8601, UTC).

        Raises:
            DataError: There is no such file, or it is none of these; the message says which row.
        """
        place = _arguments.path(path, "Tree.read: path")
        try:
            rows = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{place}: there is no such file; name a tree.json file.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{place}: this is no JSON file that can be read: {error}; make it again.") from error
        try:
            return cls.of_rows(rows)
        except (DataError, UsageError) as error:
            raise DataError(f"{place}: {error}") from None

    @classmethod
    def of_rows(cls, rows: Any) -> "Tree":
        """The tree of a list of objects, as `read` describes them.

        Raises:
            DataError: It is none; the message says which row.
            UsageError: The entries do not go together.
        """
        if not isinstance(rows, list):
            raise DataError("this is no list of entries; make it again.")
        return cls(tuple(_entry(number, row) for number, row in enumerate(rows)))

    def json(self) -> str:
        """The tree as the text of a `*.tree.json` file."""
        return json.dumps([_row(entry) for entry in self.entries], indent=1, ensure_ascii=False) + "\n"

    def __add__(self, other: "Tree") -> "Tree":
        """Both trees; what the second has replaces what the first has at the same path."""
        if not isinstance(other, Tree):
            return NotImplemented
        theirs = {entry.path for entry in other.entries}
        return Tree((*(entry for entry in self.entries if entry.path not in theirs), *other.entries))


def parents_of(path: str) -> Iterable[str]:
    """The folders that a path lies in, the nearest first, without the root."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _given(path: Any, text: Any) -> Entry:
    if isinstance(path, str) and path.endswith("/"):
        if text not in ("", b""):
            raise UsageError(f"Tree.of: {path!r} is a folder and holds {told(text)}; give it the empty text.")
        return Entry(path[:-1], "dir", 0o755)
    if isinstance(text, str):
        if text != encodable(text):
            raise UsageError(
                f"Tree.of: in {path!r} is half of a surrogate pair; write another text, or give bytes."
            )
        return Entry(path, data=text.encode())
    if not isinstance(text, (bytes, bytearray, memoryview)):
        raise UsageError(f"Tree.of: {path!r} holds {told(text)}; give a text or bytes.")
    return Entry(path, data=text)


def _entry(number: int, row: Any) -> Entry:
    try:
        mtime = row.get("mtime")
        return Entry(
            row["path"],
            row["type"],
            int(row.get("mode", "755" if row["type"] == "dir" else "644"), 8),
            data=base64.b64decode(row["base64"], validate=True)
            if "base64" in row
            else row.get("text", "").encode(),
            target=row.get("target", ""),
            mtime_s=None if mtime is None else _seconds(mtime),
        )
    except UsageError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        problem = f"row {number} is no entry: {type(error).__name__}: {error}"
        raise DataError(f"{problem}; make it again.") from None


def _seconds(moment: str) -> float:
    read = datetime.fromisoformat(moment)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _row(entry: Entry) -> dict[str, str]:
    row = {"path": entry.path, "mode": oct(entry.mode), "type": entry.kind}
    if entry.kind == "link":
        row["target"] = entry.target
    if entry.kind == "file":
        try:
            row["text"] = entry.data.decode()
        except UnicodeDecodeError:
            row["base64"] = base64.b64encode(entry.data).decode()
    if entry.mtime_s is not None:
        row["mtime"] = datetime.fromtimestamp(entry.mtime_s, UTC).isoformat().replace("+00:00", "Z")
    return row
