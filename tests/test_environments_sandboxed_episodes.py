"""An environment's episodes in sandboxes: whose turn it is, what is reused, what ends when."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sandboxes import needs_sandbox

from tinysmith.environments._sandboxed import Episode, Episodes
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import Task
from tinysmith.sandbox import Availability, Executed, Sandbox, SandboxSpec, Session, Tree
from tinysmith.sandbox.sandbox import Stop


class Shed:
    """A back end whose sandboxes only remember what was done to them.

    Args:
        during: What happens while one is made.
    """

    def __init__(self, during: Callable[[], object] = lambda: None) -> None:
        self.done: list[str] = []
        self.during = during
        self.dead: set[str] = set()

    def probe(self) -> Availability:
        return Availability(ok=True)

    def create(self, spec: SandboxSpec) -> Sandbox:
        self.during()
        self.done.append(f"make {spec.cwd}")
        return Box(self, spec)


class Box(Sandbox):
    """A sandbox of a shed."""

    def __init__(self, shed: Shed, spec: SandboxSpec) -> None:
        self.shed = shed
        self.spec = spec

    def exec(self, command: str | Sequence[str], **_: Any) -> Executed:
        raise NotImplementedError

    def open_session(self) -> Session:
        raise NotImplementedError

    def fork(self, *, stop: Stop | None = None) -> Sandbox:
        raise NotImplementedError

    def reset(self) -> None:
        if self.spec.cwd in self.shed.dead:
            raise EnvironmentLost("It is dead.")
        self.shed.done.append(f"reset {self.spec.cwd}")

    def close(self) -> None:
        self.shed.done.append(f"close {self.spec.cwd}")


ONE, TWO = SandboxSpec(cwd="/one"), SandboxSpec(Tree.of({"/x": ""}), cwd="/two")
TASK = Task("t", "What?")


def episodes(shed: Any) -> Episodes[Episode]:
    """The episodes of an environment."""
    return Episodes("Env", Episode, shed)


class TestEpisodes:
    def test_use_a_sandbox_again(self) -> None:
        """A sandbox of the same spec is reset and used again, others are closed, and closing gives all back."""
        shed = Shed()
        at = episodes(shed)

        async def play() -> None:
            first = await at.begin(TASK, ONE, ONE)
            assert len(set(map(id, first.sandboxes))) == 2
            assert (first.cwd, first.steps, first.is_over) == ("/one", 0, False)
            second = await at.begin(TASK, ONE, TWO)
            assert second.sandboxes[0] is first.sandboxes[0]
            await at.close()
            await at.close()

        asyncio.run(play())
        assert shed.done == [
            *("make /one", "make /one"),
            *("close /one", "reset /one", "make /two"),
            *("close /two", "close /one"),
        ]

    def test_replace_a_dead_sandbox(self) -> None:
        """A sandbox that is dead is closed, and another made."""
        shed = Shed()
        at = episodes(shed)

        async def play() -> None:
            await at.begin(TASK, ONE)
            shed.dead.add("/one")
            await at.begin(TASK, ONE)
            await at.close()

        asyncio.run(play())
        assert shed.done == ["make /one", "close /one", "make /one", "close /one"]

    def test_refuse_what_is_out_of_turn(self) -> None:
        """Without an episode, or after its end, there is none to play."""
        at = episodes(Shed())

        async def play() -> None:
            with pytest.raises(UsageError, match=r"Env: there is no episode; reset the environment first\."):
                _ = at.playing
            episode = await at.begin(TASK, ONE)
            step = at.stepped(episode, "act", "seen", {"exit_code": 0}, reward=1.0, is_over=True)
            assert tuple(step) == ("seen", 1.0, True, False, {"exit_code": 0})
            assert at.current is episode
            with pytest.raises(UsageError, match=r"Env\.step: the episode is over"):
                _ = at.playing
            at.stepped(episode, "another, which ends late", "seen", {})
            with pytest.raises(UsageError, match=r"Env\.step: the episode is over"):
                _ = at.playing
            await at.close()
            with pytest.raises(UsageError, match="no episode"):
                _ = at.current

        asyncio.run(play())

    @pytest.mark.parametrize("ends", ["close", "begin", "cancel"])
    def test_end_what_runs(self, ends: str) -> None:
        """Closing, resetting and cancelling end the work, and the first two are told to whom waits for it."""
        at = episodes(Shed())
        ended = []

        async def work(begun: asyncio.Event) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append("work")

        async def play() -> None:
            episode = await at.begin(TASK, ONE)
            begun = asyncio.Event()
            doing = asyncio.ensure_future(at.during(episode, work(begun)))
            await begun.wait()
            if ends == "cancel":
                doing.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await doing
                assert at.current is episode
            else:
                await (at.close() if ends == "close" else at.begin(TASK, ONE))
                assert ended == ["work"]
                with pytest.raises(EnvironmentLost, match=r"Env: it was closed or reset while an action ran"):
                    await doing

        asyncio.run(play())
        assert ended == ["work"]

    def test_what_the_work_raises_is_raised(self) -> None:
        """What work gives is given, what it raises is raised, but not to those who ended it meanwhile."""
        at = episodes(Shed())

        async def fail(begun: asyncio.Event) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise EnvironmentLost("The sandbox died.")

        async def give(value: int) -> int:
            return value

        async def play() -> None:
            episode = await at.begin(TASK, ONE)
            assert await at.during(episode, give(3)) == 3
            begun = asyncio.Event()
            doing = asyncio.ensure_future(at.during(episode, fail(begun)))
            await begun.wait()
            for each in at._running:
                each.cancel()
            with pytest.raises(EnvironmentLost, match="The sandbox died"):
                await doing
            begun = asyncio.Event()
            doing = asyncio.ensure_future(at.during(episode, fail(begun)))
            await begun.wait()
            await at.close()
            with pytest.raises(EnvironmentLost, match="closed or reset"):
                await doing

        asyncio.run(play())

    def test_a_sandbox_that_nobody_waits_for_is_given_back(self) -> None:
        """Where a reset is cancelled while its sandbox is made, closing gives that back."""
        going = []

        async def play() -> None:
            loop, begun = asyncio.get_running_loop(), asyncio.Event()
            shed = Shed(lambda: loop.call_soon_threadsafe(begun.set))
            at = episodes(shed)
            doing = asyncio.ensure_future(at.begin(TASK, ONE))
            await begun.wait()
            doing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doing
            await at.close()
            going.extend(shed.done)

        asyncio.run(play())
        assert going == ["make /one", "close /one"]

    @pytest.mark.parametrize("first", ["begin", "close"])
    def test_begin_and_close_at_once(self, first: str) -> None:
        """What begins and closes episodes at once is done in its order; after a close nothing is left alive."""
        shed = Shed()
        at = episodes(shed)

        async def play() -> None:
            await at.begin(TASK, ONE)
            if first == "begin":
                await asyncio.gather(at.begin(TASK, TWO), at.begin(TASK, TWO, ONE), at.close(), at.close())
                with pytest.raises(UsageError, match="no episode"):
                    _ = at.current
            else:
                _, episode = await asyncio.gather(at.close(), at.begin(TASK, ONE))
                assert at.current is episode
                await at.close()

        for _ in range(2):  # an environment may be used in one event loop after the other
            asyncio.run(play())
        again = {
            "begin": ["close /one", "make /two", "reset /two", "make /one", "close /one", "close /two"],
            "close": ["close /one", "make /one", "close /one"],
        }
        assert shed.done == 2 * ["make /one", *again[first]]

    def test_close_while_one_begins(self) -> None:
        """A close that comes while an episode begins is done afterwards, and leaves no sandbox and no episode."""

        async def play() -> list[str]:
            loop, begun = asyncio.get_running_loop(), asyncio.Event()
            shed = Shed(lambda: loop.call_soon_threadsafe(begun.set))
            at = episodes(shed)
            doing = asyncio.ensure_future(at.begin(TASK, ONE))
            await begun.wait()
            await at.close()
            await doing
            with pytest.raises(UsageError, match="no episode"):
                _ = at.current
            return shed.done

        assert asyncio.run(play()) == ["make /one", "close /one"]

    def test_find_a_back_end_by_name(self) -> None:
        """A name that no back end has is told when the first episode begins."""
        with pytest.raises(UsageError, match=r"There is no sandbox 'bubblewarp'\. Did you mean bubblewrap"):
            asyncio.run(episodes("bubblewarp").begin(TASK, ONE))

    @needs_sandbox
    def test_find_the_best_back_end(self) -> None:
        """`auto` finds one that works."""

        async def play() -> Executed:
            at = episodes("auto")
            (box,) = (await at.begin(TASK, ONE)).sandboxes
            try:
                return await box.aexec("pwd")
            finally:
                await at.close()

        assert asyncio.run(play()).text == "/one\n"

    def test_tell_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """What is said and shown is logged for debugging alone, control characters written out."""
        caplog.set_level("DEBUG", "tinysmith")
        at = episodes(Shed())

        async def play() -> None:
            at.stepped(await at.begin(TASK, ONE), "secret \x1b", "seen \x1b", {"exit_code": 3})

        asyncio.run(play())
        told: Mapping[str, list[str]] = {
            name: [record.getMessage() for record in caplog.records if record.levelname == name]
            for name in ("INFO", "DEBUG")
        }
        assert told["INFO"] == ["Env task t: episode begins", "Env task t step 1: exit code 3, reward 0.0"]
        assert told["DEBUG"] == ["Env task t: What?", "Env task t step 1: 'secret \\x1b' gave seen \\x1b"]


class TestBackEnd:
    @pytest.mark.parametrize("backend", [None, 3, Shed, {"name": "auto"}])
    def test_is_one_or_named(self, backend: Any) -> None:
        """What is neither a back end nor a name, such as a back end's class, is refused when it is given."""
        with pytest.raises(UsageError, match=r"^Owner: backend is .*; give a name, such as 'auto', or a back end"):
            Episodes("Owner", Episode, backend)

    def test_has_a_name_that_there_is(self) -> None:
        """A misspelt name is told when it is given, not when the first episode begins."""
        with pytest.raises(UsageError, match=r"There is no sandbox 'bwrap'\. Did you mean bubblewrap"):
            Episodes("Owner", Episode, "bwrap")
