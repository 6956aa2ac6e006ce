"""What the tests of the journal's stores write, and how they open them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinysmith.journal._packing import packed
from tinysmith.journal._postgres import postgres_store
from tinysmith.journal._rows import Head, Owner, Row, Store, Text
from tinysmith.journal._sqlite import sqlite_store

Opened = Callable[[], Store]


def opened_at(place: str, *, read_only: bool = False) -> Store:
    if place.startswith("postgresql:"):
        return postgres_store(place, read_only=read_only)
    return sqlite_store(Path(place), "NORMAL", read_only=read_only)


def row(run: int, seq: int, **more: object) -> Row:
    told = {"kind": "event", "asked": b"\x00\xff", "body": b"[1]", "seal": bytes([seq % 251])}
    return Row(run, seq, **{**told, **more})  # type: ignore[arg-type]  # the tests name what differs


def head(run: int, **more: object) -> Head:
    return Head(run, b"[]", b"seal", **more)  # type: ignore[arg-type]  # as above


def kept(text: str) -> tuple[bytes, Text]:
    """A body that refers to a large text, and that text."""
    body, (large,) = packed([text])
    return body, large


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """What they answer, each in a thread of its own; all begin together."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], object]) -> object:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def claimed(store: Store, run: int, name: str) -> bool:
    return store.claim(row(run, 1), name, None)


OWNER = Owner("me", "machine", 7, "since")
LONG = 2**60 - 1  # the largest number of a run
