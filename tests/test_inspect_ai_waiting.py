"""Waiting in Inspect's event loop, and for it from other threads."""

import asyncio
import threading
from contextvars import ContextVar

import anyio
import pytest
from evaluations import Asking as _  # noqa: F401  # without Inspect, it skips these tests
from sniffio import current_async_library_cvar

from tinysmith._threads import in_thread
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.inspect_ai._waiting import Home, demand_asyncio, whole
from tinysmith.sandbox.sandbox import Stop, Stopped

WHERE: ContextVar[str] = ContextVar("where", default="nowhere")


class TestWhole:
    def test_a_scope_that_is_cancelled_waits_for_the_end(self) -> None:
        """Work that takes its time to end is waited for, although anyio cancels every wait of its scope."""
        ended: list[str] = []

        async def work() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.05)  # what anyio would cancel again
                ended.append("tidy")
                raise

        async def cancelled() -> bool:
            with anyio.move_on_after(0.01) as scope:
                await whole(work())
            return scope.cancelled_caught

        assert asyncio.run(cancelled())
        assert ended == ["tidy"]

    def test_a_failure_while_it_is_cancelled_is_known(self) -> None:
        """What work raises when it is cancelled is not raised in its place."""

        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise ValueError

        async def cancelled() -> bool:
            with anyio.move_on_after(0.01) as scope:
                await whole(work())
            return scope.cancelled_caught

        assert asyncio.run(cancelled())

    def test_another_event_loop_is_refused(self) -> None:
        """On trio, a sentence says what to do."""
        token = current_async_library_cvar.set("trio")
        try:
            with pytest.raises(UsageError, match="unset INSPECT_ASYNC_BACKEND"):
                demand_asyncio()
        finally:
            current_async_library_cvar.reset(token)


class TestHome:
    def test_a_thread_has_work_done_in_the_samples_context(self) -> None:
        """Work runs in the loop, with the context variables of where the home was made."""

        async def where() -> str:
            return f"{WHERE.get()} {threading.current_thread() is threading.main_thread()}"

        async def main() -> str:
            WHERE.set("here")
            home = Home()
            return await in_thread(lambda: home.wait(where))

        assert asyncio.run(main()) == "here True"

    def test_the_loop_does_not_wait_for_itself(self) -> None:
        """A blocking call in the loop is refused."""

        async def main() -> None:
            Home().wait(lambda: asyncio.sleep(0))

        with pytest.raises(UsageError, match="use the method with an `a`"):
            asyncio.run(main())

    def test_a_stop_ends_the_work(self) -> None:
        """Work that is stopped from outside, or cancelled from within, has ended when that is said."""
        ended: list[int] = []

        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(1)

        async def main() -> None:
            home, stop = Home(), Stop()
            asyncio.get_running_loop().call_later(0.3, stop.set)
            try:
                with pytest.raises(Stopped):
                    await in_thread(lambda: home.wait(work, stop))
            finally:
                stop.close()

        asyncio.run(main())
        assert ended == [1]

    def test_a_loop_that_is_gone(self) -> None:
        """After the sample, a thread is told that it is over."""
        homes: list[Home] = []

        async def main() -> None:
            homes.append(Home())

        asyncio.run(main())
        with pytest.raises(EnvironmentLost, match="sample is over"):
            asyncio.run(in_thread(lambda: homes[0].wait(lambda: asyncio.sleep(0))))

    def test_a_loop_that_stops_meanwhile(self) -> None:
        """A loop that runs no more, but is not closed, is noticed within seconds."""
        loop = asyncio.new_event_loop()
        told: list[Exception] = []

        async def begin() -> Home:
            return Home()

        home = loop.run_until_complete(begin())

        def wait() -> None:
            try:
                home.wait(lambda: asyncio.sleep(60))
            except EnvironmentLost as error:
                told.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(10)
        loop.close()
        assert str(told[0]) == "Inspect's sample is over: its event loop runs no more."
