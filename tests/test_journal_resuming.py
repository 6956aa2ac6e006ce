"""`resume`, `replay` and `fork`: a run goes on where it was, and nothing is bought twice."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from journaled import REPLIES, Again, Calmer, Numbered, Speak, SpeakCalmly, Speaker, Word, cut, trace, whole
from sketches import Eye, Fetch, Lookup, Pad, Rescue, Round, has_left, is_over
from worlds import Echo

from tinysmith import (
    Edge,
    Halt,
    Journal,
    Limits,
    Orchestrator,
    Scripted,
    Strategy,
    aresume,
    arun,
    awalk,
    fork,
    replay,
    resume,
    run,
)
from tinysmith.errors import BoardError, JournalError, NotRestored, ReplayDiverged, RunOver, UsageError

RUNS = st.lists(st.sampled_from(REPLIES), min_size=1, max_size=6)


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    """A journal."""
    with Journal(tmp_path / "runs.db", synchronous="NORMAL") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A journal that many runs share."""
    with Journal(tmp_path_factory.mktemp("journal") / "runs.db", synchronous="NORMAL") as opened:
        yield opened


class TestEveryRun:
    @given(replies=RUNS, left=st.integers(0, 3), at=st.integers(1, 40), data=st.data())
    def test_a_run_that_was_cut_ends_as_one_that_was_not(
        self, shared: Journal, replies: list[str], left: int, at: int, data: st.DataObject
    ) -> None:
        """Whatever is replied and wherever it is cut, a resumed run does the same, and asks nothing twice."""
        few: dict[str, Any] = {"left": left, "limits": Limits(max_asks=10)}
        unkilled = whole(shared, Numbered(replies), **few)
        assert replay(shared, unkilled.run_id, Rescue()) == unkilled
        if at < len(unkilled.steps):
            model = Numbered(replies)
            name = cut(shared, model, at, **few)
            resumed = resume(shared, name, Rescue(), model=model, environment=Again())
            assert trace(resumed) == trace(unkilled)
            assert len(model.asked) == len(set(model.asked))
            assert replay(shared, name, Rescue()) == resumed
        step = data.draw(st.integers(0, len(unkilled.steps) - 1))
        forked = fork(shared, unkilled.run_id, Rescue(), step=step)
        ended = resume(shared, forked, Rescue(), model=Numbered(replies), environment=Again())
        assert trace(ended) == trace(unkilled)
        assert shared.diff(forked, unkilled.run_id) is None
        assert replay(shared, unkilled.run_id, Rescue()) == unkilled

    def test_asynchronously(self, journal: Journal) -> None:
        """A run that was cut in an event loop goes on in another one."""

        async def cut_off() -> None:
            walked = awalk(Rescue(), Pad(left=1), model=Numbered(), environment=Again(), journal=journal)
            async for step in walked:
                if step.number == 3:
                    await walked.aclose()  # type: ignore[attr-defined]  # it is a generator
                    break

        asyncio.run(cut_off())
        name = journal.runs()[0].run_id
        assert journal.read(name).outcome == "interrupted"
        resumed = asyncio.run(aresume(journal, name, Rescue(), model=Numbered(), environment=Again()))
        whole_run = asyncio.run(
            arun(Rescue(), Pad(left=1), model=Numbered(), environment=Again(), journal=journal)
        )
        assert trace(resumed) == trace(whole_run)
        assert asyncio.run(aresume(journal, name, Rescue(), model=Numbered(), environment=Again())) == resumed
        left = asyncio.run(
            aresume(journal, cut_name(journal), Rescue(), model=Numbered(), environment=Echo(), restore="leave")
        )
        assert left.outcome == "gave_up"

    def test_a_cancelled_run(self, journal: Journal) -> None:
        """A run whose task is cancelled is let go, with every answer that it had."""

        async def cancelled() -> None:
            model = Slow()
            task = asyncio.ensure_future(
                arun(Rescue(), Pad(left=3), model=model, environment=Again(), journal=journal)
            )
            await model.has_answered.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancelled())
        assert journal.runs()[0].outcome == "interrupted"

    def test_an_ended_run_is_only_read(self, journal: Journal) -> None:
        """Resuming a run that has ended gives it, and asks nobody."""
        ended = whole(journal, Numbered())
        model = Numbered()
        assert resume(journal, ended.run_id, Rescue(), model=model, environment=Again()) == ended
        assert model.asked == []

    def test_more_may_be_spent(self, journal: Journal) -> None:
        """A run that a limit ended goes on under a wider one, which holds from then on."""
        short = whole(journal, Numbered(["fair"]), left=2, limits=Limits(max_asks=3))
        assert short.outcome == "max_asks"
        on = resume(
            journal,
            short.run_id,
            Rescue(),
            model=Numbered(["fair"]),
            environment=Again(),
            limits=Limits(max_asks=40),
        )
        assert on.outcome == "gave_up"
        assert replay(journal, short.run_id, Rescue()).position.limits.max_asks == 40

    def test_who_was_asked_again_is_written(self, journal: Journal) -> None:
        """The journal says which requests were asked again."""
        name = cut(journal, Numbered(["fair", "aye"]), 1)
        resume(journal, name, Rescue(), model=Numbered(["fair", "aye"]), environment=Again())
        resumed = next(each for each in journal.read(name).log if each.kind == "resumed")
        assert resumed.data == {"asked_again": ["vote[0]", "vote[1]"]}


class TestStrategiesThatChanged:
    def test_another_prompt(self, journal: Journal) -> None:
        """A strategy that asks something else is caught at the step, with what both have."""
        name = whole(journal, Numbered(["fair", "aye", "nay"])).run_id

        class Nosy(Eye):
            def action(self, pad: Pad, /) -> str:
                return "peek"

        class Changed(Rescue):
            eye = Nosy()

            edges: tuple[Edge[Pad], ...] = Rescue.edges

        with pytest.raises(
            ReplayDiverged, match=r"step 4: the strategy asks something else.*'look 3' of eye.*peek"
        ):
            replay(journal, name, Changed())

    def test_another_way(self, journal: Journal) -> None:
        """A strategy that takes another edge, or makes another board, is caught at that step."""
        name = run(Speak(), Word(), model=Scripted(["a"]), journal=journal).run_id

        class Louder(Calmer):
            def parse(self, board: Word, reply: str, /) -> Word:
                return evolve(board, text=reply.upper())

        class Loud(Speak):
            speaker = Louder()

        class Deaf(Calmer):
            def parse(self, board: Word, reply: str, /) -> Word:
                return board

        class Dumb(Speak):
            speaker = Deaf()

        with pytest.raises(ReplayDiverged, match=r"text differs.*'a'.*'A'"):
            replay(journal, name, Loud())
        with pytest.raises(ReplayDiverged, match=r"text differs.*'a'.*no change"):
            replay(journal, name, Dumb())

    def test_other_edges(self, journal: Journal) -> None:
        """A strategy that takes another edge is caught."""
        name = whole(journal, Numbered(["fair"]), left=2).run_id

        class Long(Rescue):
            edges: tuple[Edge[Pad], ...] = (Round.eye.to(Round.accepted, when=is_over), *Rescue.edges)

        with pytest.raises(ReplayDiverged, match=r"takes other edges. .* the edges \(1,\); .* \(2,\), to fetch"):
            replay(journal, name, Long())

    def test_another_end(self, journal: Journal) -> None:
        """A strategy whose runs end under another name is caught at the last step."""
        name = run(Speak(), Word(), model=Scripted(["a"]), journal=journal).run_id

        class Hush(Strategy[Word]):
            speaker = Speaker()
            hushed = Halt()

            initial = speaker
            edges = (speaker.to(hushed),)

        with pytest.raises(ReplayDiverged, match=r"step 1: the run ends otherwise\. .* said; .* hushed"):
            replay(journal, name, Hush())

    def test_a_strategy_that_raises_now(self, journal: Journal) -> None:
        """A strategy that raises where it did not is caught; one that raises by itself is told as it is."""
        name = run(SpeakCalmly(), Word(), model=Scripted(["raise"]), journal=journal).run_id
        with pytest.raises(ReplayDiverged, match=r"the strategy raises.*a step.*ZeroDivisionError"):
            replay(journal, name, Speak())

    def test_other_arguments_and_an_early_end(self, journal: Journal) -> None:
        """What a tool would be called with now, and that the run would be over by now, are told."""
        name = run(Lookup(), Pad(left=2), journal=journal).run_id

        class Other(Fetch):
            def arguments(self, pad: Pad, /) -> dict[str, Any]:
                return {"key": "other"}

        class Elsewhere(Lookup):
            fetch = Other()

        class Early(Strategy[Pad]):
            fetch = Lookup.fetch
            done = Halt()

            initial = fetch
            edges = (fetch.to(done),)

        with pytest.raises(
            ReplayDiverged, match=r"'deep'.* of fetch; the strategy has .*'key': 'other'.* of fetch"
        ):
            replay(journal, name, Elsewhere())
        with pytest.raises(ReplayDiverged, match="takes other edges"):
            replay(journal, name, Early())
        long = whole(journal, Numbered(["fair"]), left=2).run_id

        class Short(Rescue):
            edges: tuple[Edge[Pad], ...] = (
                *(Round.count.to(Round.gave_up, when=has_left), *Rescue.edges[:5], *Rescue.edges[6:]),
            )

        with pytest.raises(ReplayDiverged, match=r"step 6: .*the strategy has the end: gave_up"):
            replay(journal, long, Short())

    def test_another_board(self, journal: Journal) -> None:
        """A strategy over another board is refused."""
        name = whole(journal, Numbered()).run_id
        with pytest.raises(JournalError, match="first board is none of this strategy"):
            replay(journal, name, Speak())

    def test_a_mended_strategy(self, journal: Journal) -> None:
        """A reply at which the strategy raised is kept, and a mended strategy goes on with it."""
        with pytest.raises(ZeroDivisionError):
            run(Speak(), Word(), model=Scripted(["raise"]), journal=journal)
        name = journal.runs()[0].run_id
        assert "ZeroDivisionError" in journal.read(name).log[0].problem
        with pytest.raises(ZeroDivisionError):
            resume(journal, name, Speak(), model=Scripted([]))
        mended = resume(journal, name, SpeakCalmly(), model=Scripted([]))
        assert (mended.outcome, mended.board.text) == ("said", "raise")
        assert replay(journal, name, SpeakCalmly()) == mended
        assert "fingerprint" in next(each for each in journal.read(name).log if each.kind == "resumed").data

    def test_a_reply_that_was_asked_for_anew(self, journal: Journal) -> None:
        """A reply at which the strategy raised counts no more where the driver has asked anew."""
        player = Orchestrator(Speak(), Word(), model=Scripted(["raise", "fine"]), journal=journal)
        with pytest.raises(ZeroDivisionError):
            player.forward()
        with pytest.raises(RunOver):
            player.forward()
        assert replay(journal, player.run.run_id, Speak()) == player.run

    def test_a_board_that_cannot_be_kept(self, journal: Journal) -> None:
        """A board that holds what its type does not allow is refused, and the reply is kept."""
        with pytest.raises(BoardError, match="cannot be journaled"):
            run(Speak(), Word(), model=Scripted(["misfit"]), journal=journal)
        with pytest.raises(BoardError, match="cannot be journaled"):
            run(Speak(), Word(3), model=Scripted(["a"]), journal=journal)  # type: ignore[arg-type]  # the mistake
        name = journal.runs()[0].run_id
        assert resume(journal, name, SpeakCalmly(), model=Scripted([])).board.text == "misfit"


class TestEnvironments:
    def test_one_that_may_not_act_again(self, journal: Journal) -> None:
        """An environment whose actions may not be done again is refused, and left alone where that is wanted."""
        name = cut_name(journal)
        echo = Echo()
        with pytest.raises(NotRestored, match=r"Echo does not say.*restore='leave'"):
            resume(journal, name, Rescue(), model=Numbered(), environment=echo)
        assert (echo.actions, echo.resets) == ([], [])
        with pytest.raises(UsageError, match="restore is 'again'"):
            resume(journal, name, Rescue(), environment=echo, model=Numbered(), restore="again")  # type: ignore[arg-type]  # the mistake
        left = resume(journal, name, Rescue(), model=Numbered(), environment=echo, restore="leave")
        assert (left.outcome, echo.resets) == ("gave_up", [])

    def test_one_that_shows_something_else(self, journal: Journal) -> None:
        """An environment that shows something else at its reset, or after an action, is refused."""

        class Other(Again):
            async def step(self, action: str) -> Any:
                return evolve_step(await super().step(action))

        name = cut_name(journal)
        with pytest.raises(NotRestored, match="its reset shows 'hello', not ''"):
            resume(journal, name, Rescue(), model=Numbered(), environment=Again("hello"))
        with pytest.raises(NotRestored, match=r"step 5 .*shows 'other'"):
            resume(journal, name, Rescue(), model=Numbered(), environment=Other())
        assert journal.read(name).outcome == "interrupted"

    def test_one_that_is_brought_back(self, journal: Journal) -> None:
        """The actions are done again after a reset with the same task and seed."""
        name = cut_name(journal)
        environment = Again()
        resume(journal, name, Rescue(), model=Numbered(), environment=environment)
        assert environment.actions[0].startswith("look")
        assert environment.resets == [(None, None)]
        name, other = cut_name(journal), Again()
        asyncio.run(aresume(journal, name, Rescue(), model=Numbered(), environment=other))
        assert other.actions == environment.actions


class Slow(Numbered):
    """Tells when it has answered four times, and lets others go on before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.has_answered = asyncio.Event()

    async def aask(self, request: Any, /) -> Any:
        await asyncio.sleep(0)
        if len(self.asked) == 4:
            self.has_answered.set()
        return self.ask(request)


def cut_name(journal: Journal) -> str:
    """A run that has acted once and was cut."""
    return cut(journal, Numbered(["fair", "bad", "aye", "nay"]), 5, left=1)


def evolve_step(step: Any) -> Any:
    """What an environment showed, but for the text."""
    return step._replace(observation="other")
