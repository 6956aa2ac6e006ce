"""Heads, rows and owners for the tests of the journal's stores, and stores in files."""

import os
from collections.abc import Iterable, Iterator
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
    return Head(run, body, b"seal%d" % run, owner, parent, shared, texts)


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
