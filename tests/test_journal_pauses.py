"""A run is paused for a person, and what an orchestrator's caller does is kept."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from journaled import Again, Numbered, Speak, Word, cut, rows_of, whole
from sketches import Pad, Rescue

from tinysmith import Journal, Orchestrator, Scripted, Step, arun, replay, resume, run, walk
from tinysmith.errors import RunOver, UsageError
from tinysmith.journal import Approve, Edit, Refuse


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    """A journal."""
    with Journal(tmp_path / "runs.db", synchronous="NORMAL") as opened:
        yield opened


class TestPauses:
    def test_approved_edited_refused(self, journal: Journal) -> None:
        """A paused run goes on with the request as it is, with another one, or with a refusal as what was seen."""
        seen = {}
        for decision in (Approve(), Edit("peek"), Refuse("Hands off.")):
            paused = whole(journal, Numbered(["fair", "aye"]), left=0, pause_before={"eye"})
            assert (paused.outcome, paused.is_paused, paused.position.node) == ("paused", True, "eye")
            assert journal.read(paused.run_id).outcome == "paused"
            with pytest.raises(UsageError, match="is paused before eye, and waits for a person"):
                resume(journal, paused.run_id, Rescue(), model=Numbered(), environment=Again())
            environment = Again()
            ended = resume(
                journal, paused.run_id, Rescue(), model=Numbered(["fair", "aye"]), environment=environment,
                decision=decision,
            )  # fmt: skip
            seen[type(decision)] = (environment.actions, ended.board.lines[3])
            assert replay(journal, paused.run_id, Rescue()) == ended
        assert seen == {
            Approve: (["look 3"], "did look 3"),
            Edit: (["peek"], "did peek"),
            Refuse: ([], "Hands off."),
        }

    def test_what_was_edited_is_done_again(self, journal: Journal) -> None:
        """When the environment is brought back, what a person put in place of an action is done."""
        paused = whole(journal, Numbered(["fair", "aye"]), left=1, pause_before="eye")
        with pytest.raises(ZeroDivisionError):
            resume(
                journal, paused.run_id, Rescue(), model=Numbered(["fair", "aye"]), environment=Again(),
                decision=Edit("peek"), listeners=[_raises_after(4)],
            )  # fmt: skip
        environment = Again()
        resume(journal, paused.run_id, Rescue(), model=Numbered(["fair", "aye"]), environment=environment)
        assert environment.actions[0] == "peek"

    @pytest.mark.parametrize(("decision", "acted"), [(Refuse("No."), []), (Edit("peek"), ["peek"])])
    def test_a_crash_after_a_decision(self, journal: Journal, decision: Any, acted: list[str]) -> None:
        """What was decided holds, also where the process died before anything came of it."""
        paused = whole(journal, Numbered(["fair", "aye"]), left=0, pause_before={"eye"})

        class Dying(Again):
            async def reset(self, **_: Any) -> Any:
                raise KeyboardInterrupt

        given: dict[str, Any] = {"model": Numbered(["fair", "aye"])}
        with pytest.raises(KeyboardInterrupt):  # before it was written what was decided: it still waits
            resume(journal, paused.run_id, Rescue(), environment=Dying(), decision=decision, **given)
        with pytest.raises(UsageError, match="waits for a person"):
            resume(journal, paused.run_id, Rescue(), environment=Again(), **given)
        resume(journal, paused.run_id, Rescue(), environment=Again(), decision=decision, **given)
        decided = next(each.row for each in journal.read(paused.run_id).log if each.kind == "decided")
        # as if the process had died just after that row
        rows_of(Path(journal.place)).execute("DELETE FROM log WHERE seq > ?", (decided,))
        rows_of(Path(journal.place)).execute("UPDATE runs SET known = ?", (decided,))
        environment = Again()
        ended = resume(journal, paused.run_id, Rescue(), environment=environment, **given)
        assert environment.actions == acted
        assert ended.board.lines[3] == ("No." if decision == Refuse("No.") else "did peek")

    def test_what_was_refused_is_not_done_later(self, journal: Journal) -> None:
        """When the environment is brought back, what a person refused is left out."""
        paused = whole(journal, Numbered(["fair", "aye"]), left=2, pause_before="eye")
        given: dict[str, Any] = {"model": Numbered(["fair", "aye"])}
        with pytest.raises(ZeroDivisionError):
            resume(
                journal, paused.run_id, Rescue(), environment=Again(), decision=Refuse("No."),
                listeners=[_raises_after(5)], **given,
            )  # fmt: skip
        environment = Again()
        resume(journal, paused.run_id, Rescue(), environment=environment, **given)
        assert len(environment.actions) == 1  # of the second round

    def test_nothing_to_decide(self, journal: Journal) -> None:
        """A decision about a run that is not paused is refused."""
        name = cut(journal, Numbered(), 2)
        with pytest.raises(UsageError, match="there is nothing to decide"):
            resume(journal, name, Rescue(), model=Numbered(), environment=Again(), decision=Approve())

    def test_a_pause_without_a_journal(self) -> None:
        """A run pauses without a journal, too, blocking or not, and in a walk."""
        paused = run(Speak(), Word(), model=Scripted(["a"]), pause_before={"speaker"})
        assert (paused.outcome, paused.position.request.id) == ("paused", "speaker")
        again = asyncio.run(arun(Speak(), Word(), model=Scripted(["a"]), pause_before=lambda request: True))
        assert again.is_paused
        assert list(walk(Speak(), Word(), model=Scripted(["a"]), pause_before=["speaker"])) == []
        with pytest.raises(UsageError, match="no node"):
            run(Speak(), Word(), model=Scripted(["a"]), pause_before={"shell"})

    def test_decided_at_once(self, journal: Journal) -> None:
        """What says whether to pause may decide at once, also asynchronously and for the seats of a panel."""
        asked: list[str] = []

        def decide(request: Any) -> Any:
            asked.append(request.id)
            if request.node == "vote":
                return Edit("Vote nay.") if request.id == "vote[0]" else Approve()
            return Refuse() if request.node == "fetch" else False

        for ended in (
            whole(journal, Numbered(["fair", "aye"]), left=0, pause_before=decide),
            asyncio.run(
                arun(
                    Rescue(),
                    Pad(left=0),
                    model=Numbered(["fair", "aye"]),
                    environment=Again(),
                    journal=journal,
                    pause_before=decide,
                )
            ),
        ):
            assert ended.outcome == "gave_up"
            assert [step.event.kind for step in ended.steps if hasattr(step.event, "kind")] == ["refused"]
            decided = [each.data for each in journal.read(ended.run_id).log if each.kind == "decided"]
            assert decided[0] == {"request": "vote[0]", "decision": "edit", "instead": "Vote nay."}
        assert asked[:5] == ["writer", "vote[0]", "vote[1]", "eye", "fetch"]

    def test_paused_again(self, journal: Journal) -> None:
        """A run that is resumed pauses at the next request that it is told to."""
        paused = whole(journal, Numbered(["fair"]), left=2, pause_before={"writer"})
        on = resume(
            journal, paused.run_id, Rescue(), model=Numbered(["fair"]), environment=Again(), decision=Approve(),
            pause_before={"writer"},
        )  # fmt: skip
        assert (on.outcome, len(on.steps)) == ("paused", 5)


class TestOrchestrators:
    def test_each_action_is_kept(self, journal: Journal) -> None:
        """What an orchestrator's caller did is in the journal, and how it ended."""
        for is_async in (False, True):
            player = Orchestrator(Rescue(), Pad(), model=Numbered(["fair", "aye"]), journal=journal)
            assert _forward(player, "hello", is_async=is_async) == "look 3"
            for seen in ("seen", "more"):
                with pytest.raises(RunOver):
                    _forward(player, seen, is_async=is_async)
            ended = replay(journal, player.run.run_id, Rescue())
            assert (ended, ended.opening) == (player.run, "hello")


def _forward(player: Orchestrator[Any], seen: str, *, is_async: bool) -> str:
    return asyncio.run(player.aforward(seen)) if is_async else player.forward(seen)


def _raises_after(number: int) -> Any:
    def listen(step: Step[Any]) -> None:
        if step.number == number:
            raise ZeroDivisionError

    return listen
