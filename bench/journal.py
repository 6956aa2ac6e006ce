"""What a journal costs: time a durable step, bytes a step, throughput of many runs, and time to resume.

A durable step is a whole one: the prompt is made, a model in this process answers at once, the reply is parsed,
one edge is taken, and the row is written. The floor beside it is a hand-written append of one row of the same
size to a file of SQLite with a write-ahead log.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

sys.path.insert(0, str(Path(__file__).parent))

from _machines import Count, Echo, Worker
from _measure import SHORT, bar, median, per_call, rounds
from attrs import frozen
from concurrency import ASKS, Slow

from tinysmith import Agent, Ask, Limits, Reply, Run, Strategy, arun, run
from tinysmith.journal import Approve, Journal, replay, resume
from tinysmith.messages import FREE

Synchronous: TypeAlias = Literal["FULL", "NORMAL"]

ROUNDS = 3 if SHORT else 15
STEPS: dict[Synchronous, int] = {"FULL": 100 if SHORT else 500, "NORMAL": 1_000 if SHORT else 5_000}
SIZES = (100, 1_000) if SHORT else (100, 1_000, 10_000)
RESUMED = 2_000 if SHORT else 10_000
CROWD = 200 if SHORT else 2_000
MESSAGE = 500
UNBOUNDED = {"no-exit": "the benchmark stops it by a limit"}


class Pair(Strategy[Count]):
    """Two agents in turn, without end."""

    writer = Worker()
    reader = Worker()

    initial = writer
    edges = (writer.to(reader), reader.to(writer))
    allow = UNBOUNDED


@frozen
class Talk:
    """What was said."""

    said: tuple[str, ...] = ()


class Speaker(Agent[Talk]):
    """Keeps its reply."""

    def prompt(self, talk: Talk, /) -> str:
        return "go"

    def parse(self, talk: Talk, reply: str, /) -> Talk:
        return Talk((*talk.said, reply))


class Debate(Strategy[Talk]):
    """Two speakers in turn, without end; the board grows by a message a step."""

    one = Speaker()
    other = Speaker()

    initial = one
    edges = (one.to(other), other.to(one))
    allow = UNBOUNDED


class Talker(Echo):
    """A model that says something of one length at once, and never the same."""

    def ask(self, request: Ask, /) -> Reply:
        return Reply(f"{request.number:<{MESSAGE}d}", usage=FREE, model="echo")


def driven(steps: int, journal: Journal | None) -> Run[Count]:
    """A run of so many steps."""
    return run(Pair(), Count(), model=Echo(), limits=Limits(max_asks=steps), journal=journal)


def drive(steps: int, *, journal: Journal | None) -> None:
    """As `driven`, for the time that it takes."""
    driven(steps, journal)


def row_size(folder: Path) -> int:
    """Bytes of what one step's row holds."""
    with Journal(folder / "one.db") as journal:
        driven(10, journal)
    with closing(sqlite3.connect(folder / "one.db")) as connection:
        ((size,),) = connection.execute(
            "SELECT length(asked) + length(body) + length(seal) FROM log WHERE seq = 5"
        )
    return int(size)


def appended(path: Path, synchronous: Synchronous, size: int) -> float:
    """Microseconds for an append of one row by hand."""
    content = b"x" * size
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")

        def work(rows: int) -> None:
            for seq in range(rows):
                connection.execute("INSERT INTO log VALUES (?, ?)", (seq, content))

        return per_call(work, STEPS[synchronous])


def stepped(path: Path, synchronous: Synchronous) -> float:
    """Microseconds for a durable step; the run's head and end are in it."""
    with Journal(path, synchronous=synchronous) as journal:
        return per_call(partial(drive, journal=journal), STEPS[synchronous])


def measure_steps(folder: Path) -> None:
    """A durable step beside the append."""
    size, files = row_size(folder), new_files(folder)
    cases: dict[str, Callable[[], float]] = {
        name: partial(lambda case, *given: case(next(files), *given), case, *given)
        for name, case, given in (
            ("append, FULL", appended, ("FULL", size)),
            ("step, FULL", stepped, ("FULL",)),
            ("append, NORMAL", appended, ("NORMAL", size)),
            ("step, NORMAL", stepped, ("NORMAL",)),
        )
    }
    cases["step, no journal"] = partial(per_call, partial(drive, journal=None), STEPS["NORMAL"])
    measured = rounds(cases, ROUNDS)
    for name, values in measured.items():
        print(f"{name:18} {median(values):9.2f} µs  ({min(values):.2f} to {max(values):.2f})")
    times = median(measured["step, FULL"]) / median(measured["append, FULL"])
    bar(f"a durable step at FULL, over an append of {size} bytes", times, 1.3, " x")
    more = median([a - b for a, b in zip(measured["step, NORMAL"], measured["append, NORMAL"], strict=True)])
    bar("a durable step at NORMAL, above that append", more, 30, " µs")


def new_files(folder: Path) -> Iterator[Path]:
    """Paths of files that are not there yet."""
    return (folder / f"{number}.db" for number in count())


def bytes_a_step(path: Path, steps: int, strategy: Strategy[Any], board: Any, model: Echo) -> float:
    """Bytes of the closed file for each step, beside the texts themselves."""
    with Journal(path, synchronous="NORMAL") as journal:
        done = run(strategy, board, model=model, limits=Limits(max_asks=steps), journal=journal)
    texts = sum(len(step.event.text) for step in done.steps if isinstance(step.event, Reply))
    return (path.stat().st_size - texts) / steps


def measure_bytes(folder: Path) -> None:
    """Bytes a step, of runs of several lengths."""
    kinds: dict[str, tuple[Strategy[Any], Any, Echo]] = {
        "constant": (Pair(), Count(), Echo()),
        "growing": (Debate(), Talk(), Talker()),
    }
    with Journal(folder / "empty.db") as journal:
        driven(1, journal)
    empty = (folder / "empty.db").stat().st_size
    print(f"the file of a run of one step has {empty:,} bytes")
    for kind, given in kinds.items():
        for steps in SIZES:
            size = bytes_a_step(folder / f"{kind}-{steps}.db", steps, *given)
            bar(f"bytes a step beside its texts, {kind} board, {steps:,} steps", size - empty / steps, 300, " B")
            print(f"       with the file of a run of one step: {size:.0f} B")


async def crowd(journal: Journal | None) -> float:
    """Seconds for many runs at once."""
    strategy, model, limits = Pair(), Slow(), Limits(max_asks=ASKS, max_seconds=60)
    begin = time.perf_counter()
    runs = await asyncio.gather(
        *(arun(strategy, Count(), model=model, limits=limits, journal=journal) for _ in range(CROWD))
    )
    spent = time.perf_counter() - begin
    assert all(len(run.steps) == ASKS for run in runs)
    return spent


def measure_crowd(folder: Path) -> None:
    """What many concurrent runs lose that share a journal."""
    files = new_files(folder / "crowd")
    (folder / "crowd").mkdir()

    def journaled() -> float:
        with Journal(next(files)) as journal:
            return asyncio.run(crowd(journal))

    measured = rounds({"with": journaled, "without": lambda: asyncio.run(crowd(None))}, 2 if SHORT else 7)
    kept, plain = median(measured["with"]), median(measured["without"])
    print(f"{CROWD:,} runs of {ASKS} asks of 100 ms: {kept:.2f} s with a journal, {plain:.2f} s without")
    bar("throughput lost to the journal", (1 - plain / kept) * 100, 10, " %")


def measure_resuming(folder: Path) -> None:
    """How long a run takes to be folded again, and to be gone on with."""
    with Journal(folder / "long.db", synchronous="NORMAL") as journal:
        done = driven(RESUMED, journal)
        begin = time.perf_counter()
        again = replay(journal, done.run_id, Pair())
        spent = time.perf_counter() - begin
        assert again.position == done.position
        bar(f"replaying {RESUMED:,} steps", spent, RESUMED / 10_000, " s")
    with Journal(folder / "cut.db", synchronous="NORMAL") as journal:
        limits = Limits(max_asks=RESUMED + 1)
        cut = run(
            Pair(), Count(), model=Echo(), limits=limits, journal=journal,
            pause_before=lambda request: isinstance(request, Ask) and request.number == RESUMED,
        )  # fmt: skip
        begin = time.perf_counter()
        on = resume(journal, cut.run_id, Pair(), model=Echo(), decision=Approve())
        bar(f"resuming {RESUMED:,} steps, and one more", time.perf_counter() - begin, RESUMED / 10_000, " s")
        assert len(on.steps) == RESUMED + 1


def main() -> None:
    """Measures and prints."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        measure_steps(folder)
        measure_bytes(folder)
        measure_crowd(folder)
        measure_resuming(folder)


if __name__ == "__main__":
    main()
