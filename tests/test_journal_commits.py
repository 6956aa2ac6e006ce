"""Group commit: few transactions for many entries, each durable before anybody goes on, and no refusal spreads."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from journal_rows import head, opened, row, seqs
from journaled import rows_of

from tinysmith.errors import JournalError
from tinysmith.journal._commits import Commits
from tinysmith.journal._rows import Entry, Taken
from tinysmith.journal._sql import SqlStore


class Counting(SqlStore):
    """A store that tells of each write, and can be held up in one.

    Args:
        store: The real one.
    """

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store._door)
        self.sizes: list[int] = []
        self.is_writing = threading.Event()
        self.may_write = threading.Event()
        self.may_write.set()
        self.before: Callable[[int], None] = lambda _: None

    def write(self, entries: Sequence[Entry]) -> None:
        self.sizes.append(len(entries))
        self.is_writing.set()
        assert self.may_write.wait(30)
        self.before(len(self.sizes))
        super().write(entries)

    def hold(self) -> None:
        """Holds up whoever writes from now on."""
        self.is_writing.clear()
        self.may_write.clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Counting]:
    """A store that counts."""
    with opened(tmp_path / "runs.db") as store:
        yield Counting(store)


@pytest.fixture
def commits(store: Counting) -> Iterator[Commits]:
    """Commits into it."""
    commits = Commits(store)
    yield commits
    commits.close()
    assert "tinysmith-journal" not in {thread.name for thread in threading.enumerate()}


def started(*works: Callable[[], None]) -> list[threading.Thread]:
    """Threads that do these."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    return threads


async def until(holds: Callable[[], bool]) -> None:
    """Lets the loop go round until something holds."""
    while not holds():  # noqa: ASYNC110  # what is waited for happens in threads
        await asyncio.sleep(0)


def handed_in(commits: Commits, count: int) -> None:
    """Goes on when so many entries wait."""
    while len(commits._pending) < count:
        pass


class TestCommit:
    def test_alone(self, store: Counting, commits: Commits) -> None:
        """A single committer writes at once, and is told what is wrong."""
        commits.commit(row(1, 1))
        assert seqs(store, 1) == [1]
        with pytest.raises(Taken):
            commits.commit(row(1, 1))
        commits.commit(row(1, 2))
        assert store.sizes == [1, 1, 1]

    def test_from_threads(self, store: Counting, commits: Commits) -> None:
        """Eight threads that write at the same time all find their row when they go on."""

        def work(run: int) -> None:
            for seq in range(1, 26):
                commits.commit(row(run, seq))
                with commits.lock:
                    assert seqs(store, run) == list(range(1, seq + 1))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert sum(store.sizes) == 200

    def test_together(self, store: Counting, commits: Commits) -> None:
        """What is handed in while somebody writes is written together; a refusal refuses nobody else's."""
        store.hold()
        refused: list[int] = []

        def work(run: int) -> None:
            try:
                commits.commit(row(run, 1))
            except Taken:
                refused.append(run)

        first = started(lambda: commits.commit(row(0, 1)))
        assert store.is_writing.wait(30)
        others = started(*(lambda run=run: work(run) for run in (1, 2, 3, 0)))
        handed_in(commits, 4)
        store.may_write.set()
        for thread in first + others:
            thread.join()
        assert store.sizes == [1, 4, 1, 1, 1, 1]
        assert refused == [0]
        assert [seqs(store, run) for run in range(4)] == [[1]] * 4

    @pytest.mark.parametrize("times", [1, 2])
    def test_an_interrupt(self, store: Counting, commits: Commits, times: int) -> None:
        """A thread that is interrupted while it writes for another one leaves it no false belief."""
        told: list[object] = []

        def interrupt(count: int) -> None:
            if count <= times:
                raise KeyboardInterrupt

        def work() -> None:
            try:
                commits.commit(row(1, 1))
            except KeyboardInterrupt as error:
                told.append(type(error))
            told.append(seqs(store, 1))

        store.before = interrupt
        with commits.lock:
            others = started(work)
            handed_in(commits, 1)
            with pytest.raises(KeyboardInterrupt):
                commits.commit(row(2, 1))
        others[0].join()
        assert told == ([[1]] if times == 1 else [KeyboardInterrupt, []])
        commits.commit(row(2, 1))


class TestAcommit:
    def test_many(self, store: Counting, commits: Commits) -> None:
        """What two hundred tasks of a loop hand in while somebody writes is written in one transaction."""

        async def main() -> None:
            store.hold()
            tasks = [asyncio.create_task(commits.acommit(row(run, 1))) for run in range(200)]
            await until(lambda: store.is_writing.is_set() and sum(store.sizes) + len(commits._pending) == 200)
            store.may_write.set()
            await asyncio.gather(*tasks)

        asyncio.run(main())
        assert (sum(store.sizes), len(store.sizes)) == (200, len(store.sizes[:2]))
        assert len(store.last_rows()) == 200

    def test_in_a_row(self, store: Counting, commits: Commits, tmp_path: Path) -> None:
        """A task that goes on finds its row in the file; all need fewer transactions than they have rows."""

        async def work(run: int) -> None:
            for seq in range(1, 6):
                await commits.acommit(row(run, seq))
            found = file.execute("SELECT count(*) FROM log WHERE run = ?", (run,)).fetchone()
            assert found == (5,)

        async def main() -> None:
            await asyncio.gather(*(work(run) for run in range(200)))

        with closing(rows_of(tmp_path / "runs.db")) as file:
            asyncio.run(main())
        assert sum(store.sizes) == 1000
        assert len(store.sizes) < 500

    def test_a_refusal(self, store: Counting, commits: Commits) -> None:
        """An entry that is refused refuses nobody else's, alone or in a group."""
        commits.commit(head(1))

        async def main() -> list[BaseException | None]:
            alone = await asyncio.gather(commits.acommit(head(1)), return_exceptions=True)
            group = (commits.acommit(entry) for entry in (head(2), head(1), head(3)))
            return [*alone, *await asyncio.gather(*group, return_exceptions=True)]

        assert [type(error) for error in asyncio.run(main())] == [Taken, type(None), Taken, type(None)]
        assert {each.run for each in store.heads()} == {1, 2, 3}

    @pytest.mark.parametrize("is_known", [True, False])
    def test_a_cancellation(self, store: Counting, commits: Commits, is_known: bool) -> None:  # as above
        """A task that is cancelled learns of it only when its row is durable, whoever writes it."""
        seen: list[list[int]] = []

        async def work() -> None:
            try:
                await commits.acommit(row(1, 1))
            except asyncio.CancelledError:
                seen.append(seqs(store, 1))
                raise

        async def main() -> None:
            if is_known:
                store.hold()
            else:
                commits.lock.acquire()
            task = asyncio.create_task(work())
            await until(store.is_writing.is_set if is_known else lambda: bool(commits._pending))
            task.cancel()
            store.may_write.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            if not is_known:
                commits.lock.release()

        asyncio.run(main())
        assert seen == [[1]]

    def test_a_cancellation_and_a_refusal(self, store: Counting, commits: Commits) -> None:
        """A task that is cancelled is told of the refusal of its row."""
        commits.commit(row(1, 1))

        async def main() -> None:
            store.hold()
            task = asyncio.create_task(commits.acommit(row(1, 1)))
            await until(store.is_writing.is_set)
            task.cancel()
            store.may_write.set()
            with pytest.raises(Taken):
                await task

        asyncio.run(main())

    def test_two_loops(self, store: Counting, commits: Commits) -> None:
        """Tasks of several loops, and threads without one, write through the same store."""

        def loop(first: int) -> None:
            async def main() -> None:
                await asyncio.gather(*(commits.acommit(row(run, 1)) for run in range(first, first + 50)))

            asyncio.run(main())

        def work() -> None:
            for run in range(50):
                commits.commit(row(run, 1))

        for thread in started(work, lambda: loop(100), lambda: loop(200)):
            thread.join()
        assert len(store.last_rows()) == 150

    def test_a_loop_that_is_gone(self, store: Counting, commits: Commits) -> None:
        """A loop that was closed with a row on its way harms nobody else."""
        loop = asyncio.new_event_loop()
        with commits.lock:
            coroutine = commits.acommit(row(1, 1))
            waiter = coroutine.__await__()
            loop.call_soon(lambda: next(waiter))
            loop.call_soon(loop.stop)
            loop.run_forever()
            loop.close()
        asyncio.run(asyncio.wait_for(commits.acommit(row(2, 1)), 10))
        assert (seqs(store, 1), seqs(store, 2)) == ([1], [1])
        with pytest.raises(GeneratorExit):
            waiter.throw(GeneratorExit)


class TestClose:
    def test_writes_what_waits(self, store: Counting) -> None:
        """What was handed in before is written, and those who wait for it go on."""
        commits = Commits(store)

        async def main() -> None:
            with commits.lock:
                tasks = [asyncio.create_task(commits.acommit(row(run, 1))) for run in range(5)]
                await until(lambda: len(commits._pending) == 5)
            await asyncio.to_thread(commits.close)
            await asyncio.gather(*tasks)

        asyncio.run(main())
        assert len(store.last_rows()) == 5

    def test_without_a_thread(self, store: Counting) -> None:
        """Where nothing was written there is nothing to end."""
        commits = Commits(store)
        commits.close()
        commits.close()
        assert store.sizes == []

    def test_a_closed_store(self, store: Counting, commits: Commits) -> None:
        """Who writes after the store is closed is told so, and does not wait for ever."""
        asyncio.run(commits.acommit(row(1, 1)))
        commits.close()
        store.close()
        with pytest.raises(JournalError, match="it is closed"):
            asyncio.run(commits.acommit(row(1, 2)))
