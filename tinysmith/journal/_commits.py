"""Group commit: whoever waits for the file system waits for all that was handed in meanwhile, once.

A blocking run commits in its own thread, and takes along what others have handed in. Runs of an event loop are
committed by one thread, so that the loop never waits for a disk. An entry that is refused refuses nobody else's.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue

from tinysmith.journal._rows import Entry, Store


class _Ticket:
    """One entry on its way, and how it went."""

    __slots__ = ("entry", "error", "is_done", "loop", "waiter")

    def __init__(self, entry: Entry, loop: asyncio.AbstractEventLoop | None) -> None:
        self.entry = entry
        self.is_done = False
        self.error: BaseException | None = None
        self.loop = loop
        self.waiter: asyncio.Future[None] | None = None if loop is None else loop.create_future()


class Commits:
    """Brings entries into a store, many at a time.

    Args:
        store: The store.

    Attributes:
        lock: Held by whoever uses the store.
    """

    def __init__(self, store: Store) -> None:
        self.lock = threading.RLock()
        self._store = store
        self._pending: list[_Ticket] = []
        self._handing_in = threading.Lock()
        self._calls: SimpleQueue[bool] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def commit(self, entry: Entry) -> None:
        """Adds an entry; it is durable when this returns.

        Raises:
            Taken: It is there already.
            JournalError: It cannot be written.
        """
        if not self._pending and self.lock.acquire(blocking=False):
            try:
                self._store.write((entry,))
            finally:
                self.lock.release()
            return
        ticket = _Ticket(entry, None)
        with self._handing_in:
            self._pending.append(ticket)
        with self.lock:
            if not ticket.is_done:
                self._write_pending(ticket)
        if ticket.error is not None:
            raise ticket.error

    async def acommit(self, entry: Entry) -> None:
        """As `commit`. A cancellation is delivered only when it is known how the entry went."""
        ticket = _Ticket(entry, asyncio.get_running_loop())
        with self._handing_in:
            self._pending.append(ticket)
            is_first = len(self._pending) == 1
        if is_first:
            self._call()
        waiter = ticket.waiter
        assert waiter is not None  # noqa: S101  # for mypy: there is a loop
        try:
            await waiter
        except asyncio.CancelledError:
            with self.lock:
                if not ticket.is_done:
                    self._write_pending()
            if ticket.error is None:
                raise
        if ticket.error is not None:
            raise ticket.error

    def close(self) -> None:
        """Ends the thread, and writes what was handed in."""
        if self._thread is not None:
            self._calls.put(False)  # noqa: FBT003  # the queue holds nothing else
            self._thread.join()
            self._thread = None
        with self.lock:  # also what was handed in while the thread ended
            self._write_pending()

    def _call(self) -> None:
        with self._handing_in:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="tinysmith-journal", daemon=True)
                self._thread.start()
        self._calls.put(True)  # noqa: FBT003  # as above

    def _serve(self) -> None:
        while self._calls.get():
            with self.lock:
                self._write_pending()

    def _write_pending(self, own: _Ticket | None = None) -> None:
        with self._handing_in:
            tickets, self._pending = self._pending, []
        if not tickets:
            return
        try:
            self._store.write([ticket.entry for ticket in tickets])
        except Exception as error:  # noqa: BLE001  # handed on to whoever waits for it
            self._write_each(tickets, error)
        except BaseException as error:
            # This thread was interrupted, which is nothing to the others.
            self._write_each([ticket for ticket in tickets if ticket is not own], error)
            raise
        finally:
            _tell(tickets)

    def _write_each(self, tickets: Sequence[_Ticket], error: BaseException) -> None:
        for ticket in tickets:
            ticket.error = error  # until it is known to be written
        if len(tickets) == 1 and isinstance(error, Exception):
            return
        for ticket in tickets:
            try:
                self._store.write([ticket.entry])
                ticket.error = None
            except Exception as its_error:  # noqa: BLE001  # as above
                ticket.error = its_error


def _tell(tickets: Sequence[_Ticket]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Ticket]] = {}
    for ticket in tickets:
        ticket.is_done = True
        if ticket.loop is not None:
            by_loop.setdefault(ticket.loop, []).append(ticket)
    for loop, theirs in by_loop.items():
        with suppress(RuntimeError):  # nobody waits in a loop that is closed
            loop.call_soon_threadsafe(_wake, theirs)


def _wake(tickets: Sequence[_Ticket]) -> None:
    for ticket in tickets:
        if ticket.waiter is not None and not ticket.waiter.done():
            ticket.waiter.set_result(None)
