"""Blocking work in threads that nobody waits for longer than told."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from tinysmith._threads import in_thread, settled, within


def _planted() -> None:
    raise KeyError("planted")


class TestWithin:
    def test_without_a_limit_it_works_here(self) -> None:
        """Without a limit the work is done in the calling thread."""
        assert within(None, threading.current_thread) is threading.current_thread()

    def test_with_a_limit_it_works_elsewhere(self) -> None:
        """With a limit the work is done in a thread of its own, and its result or exception comes back."""
        assert within(10, threading.current_thread) is not threading.current_thread()
        with pytest.raises(KeyError, match="planted"):
            within(10, _planted)

    def test_what_is_late_is_left_behind(self) -> None:
        """Work that is late raises TimeoutError at once, and may still end by itself."""
        gate = threading.Event()
        with pytest.raises(TimeoutError):
            within(0.01, gate.wait)
        gate.set()

    def test_what_is_left_behind_does_not_keep_the_process(self) -> None:
        """A process ends though work that it left behind still blocks."""
        code = (
            "import threading\nfrom tinysmith._threads import within\n"
            "try:\n    within(0.01, threading.Event().wait)\nexcept TimeoutError:\n    pass"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


class TestInThread:
    def test_the_loop_goes_on(self) -> None:
        """Other tasks of the loop go on while the work blocks, and its exception comes back."""

        async def both() -> bool:
            gate = threading.Event()
            waiting = asyncio.ensure_future(in_thread(lambda: gate.wait(10)))
            await asyncio.sleep(0)
            gate.set()
            return await waiting

        assert asyncio.run(both())
        with pytest.raises(KeyError, match="planted"):
            asyncio.run(in_thread(_planted))

    def test_one_that_is_at_its_end_is_told(self) -> None:
        """A StopIteration of the work, which no coroutine can raise, is an error like another."""
        with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
            asyncio.run(in_thread(lambda: next(iter(()))))
        assert isinstance(caught.value.__cause__, StopIteration)

    def test_a_cancelled_wait_leaves_the_thread_behind(self) -> None:
        """A cancelled wait ends at once, and so does the loop, though the work still blocks."""
        gate = threading.Event()

        async def hurry() -> None:
            await asyncio.wait_for(in_thread(lambda: gate.wait(30)), 0.01)

        before = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(hurry())
        assert time.monotonic() - before < 10
        gate.set()


class TestSettled:
    def test_a_cancelled_waiter_waits_all_the_same(self) -> None:
        """Whoever is cancelled while it waits goes on only when the future is done, whose error stays there."""

        async def main() -> bool:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting = asyncio.ensure_future(settled(future))
            for _ in range(3):
                await asyncio.sleep(0.001)
                waiting.cancel()
            await asyncio.sleep(0.001)
            assert not waiting.done()
            future.set_exception(KeyError("planted"))
            await waiting
            return isinstance(future.exception(), KeyError)

        assert asyncio.run(main())
