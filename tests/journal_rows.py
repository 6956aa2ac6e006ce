"""Heads, rows and owners for the tests of the journal's stores, and stores in files."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tinysmith.journal._packing import packed
from tinysmith.journal._rows import Entry, Head, Owner, Row, Text
from tinysmith.journal._sql import LAYOUTS, Layouts, SqlStore
from tinysmith.journal._sqlite import sqlite_store

ME = Owner("me", "here", 7, "1200")
NOBODY = 65534


def head(run: int, *said: str, owner: str | None = None, parent: int | None = None, shared: int = 0) -> Head:
    """A run that begins with these texts."""
    body, texts = packed(list(said))
    return Head(run, body, b"seal%d" % run, owner, parent, shared, texts=texts)


def row(run: int, seq: int, *said: str, lets_go: bool = False) -> Row:
    """A row that says these texts."""
    body, texts = packed(list(said))
    return Row(run, seq, "event", b"asked", body, b"seal%d" % seq, texts, lets_go)


def kept(entry: Row) -> Row:
    """A row as a store has it: without its texts."""
    return Row(entry.run, entry.seq, entry.kind, entry.asked, entry.body, entry.seal)


def texts_of(entries: Iterable[Entry]) -> dict[bytes, Text]:
    """The large texts of some entries."""
    return {text.digest: text for entry in entries for text in entry.texts}


@contextmanager
def opened(
    path: Path, *, read_only: bool = False, busy_s: float = 5.0, layouts: Layouts = LAYOUTS
) -> Iterator[SqlStore]:
    """A store in a file, closed at the end."""
    store = sqlite_store(path, "FULL", read_only=read_only, busy_s=busy_s, layouts=layouts)
    try:
        yield store
    finally:
        store.close()


def seqs(store: SqlStore, run: int) -> list[int]:
    """The numbers of a run's rows."""
    return [each.seq for each in store.rows(run)]


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user who is nobody, where root would be let in everywhere."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.seteuid(was)


def filled(path: Path, count: int = 3) -> None:
    """A journal with a run of so many rows."""
    with opened(path) as store:
        store.write([head(1)])
        for seq in range(1, count + 1):
            store.write([row(1, seq, f"{seq}")])


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def in_child(work: Callable[[], int]) -> int:
    """Does something in a process forked from this one; the code that it ends with."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(work())
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
