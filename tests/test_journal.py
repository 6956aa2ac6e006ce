"""`Journal`: the list of runs, who may go on with one, and what is given back."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journaled import Again, Numbered, Speak, Word, cut, rows_of, whole
from sketches import Pad, Rescue

from tinysmith import Journal, Scripted, Task, aresume, arun, fork, resume, run
from tinysmith._hands import Hands
from tinysmith.errors import JournalError, RunOwned, UsageError
from tinysmith.journal._rows import Owner
from tinysmith.strategy import plan_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file for a journal."""
    return tmp_path / "runs.db"


class TestOpening:
    def test_a_wrong_argument(self, path: Path) -> None:
        """What `synchronous` and `lease_s` may be is said."""
        with pytest.raises(UsageError, match="FULL or NORMAL"):
            Journal(path, synchronous="OFF")  # type: ignore[arg-type]  # the mistake
        with pytest.raises(UsageError, match="more than 0"):
            Journal(path, lease_s=0)
        assert not path.exists()

    def test_reading_only(self, path: Path) -> None:
        """A journal that is opened for reading is read, and refuses to be written."""
        with Journal(path) as journal:
            name = whole(journal, Numbered()).run_id
        with Journal(path, read_only=True) as journal:
            assert journal.read(name).outcome == "gave_up"
            with pytest.raises(JournalError, match="reading only"):
                whole(journal, Numbered())
            with pytest.raises(JournalError, match="reading only"):
                journal.delete([name])
            assert repr(journal) == f"Journal({str(path)!r})"

    def test_a_forked_process(self, path: Path) -> None:
        """A process that was forked may not write with its parent's journal, and its closing it harms nobody."""
        with Journal(path) as journal:
            whole(journal, Numbered())
            child = os.fork()
            if child == 0:
                try:
                    whole(journal, Numbered())
                except JournalError as error:
                    journal.close()
                    os._exit(7 if "another process" in str(error) else 1)
                os._exit(2)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert len(journal.runs()) == 1


class TestRuns:
    def test_the_list(self, path: Path) -> None:
        """The list tells of every run how it ended, or that it has not, the oldest first."""
        with Journal(path) as journal:
            first = whole(journal, Numbered(), task=Task("t1", "What?"))
            second = cut(journal, Numbered(), 2)
            third = fork(journal, first.run_id, Rescue(), step=1)
            listed = {each.run_id: each for each in journal.runs()}
            assert [each.run_id for each in journal.runs()][:2] == [first.run_id, second]
            assert (listed[first.run_id].outcome, listed[first.run_id].task) == ("gave_up", "t1")
            assert (listed[second].outcome, listed[second].rows) == ("interrupted", 3)
            assert (listed[third].parent, listed[third].outcome) == (first.run_id, "unfinished")

    def test_a_run_without_rows(self, path: Path) -> None:
        """A run whose process died before its first answer is in the list."""
        with Journal(path) as journal:
            name = cut(journal, Numbered(), 1)
            rows_of(path).execute("DELETE FROM log")
            rows_of(path).execute("UPDATE runs SET known = 0")
            assert [(each.run_id, each.rows, each.outcome) for each in journal.runs()] == [(name, 0, "unfinished")]

    def test_a_prefix_finds(self, path: Path) -> None:
        """A run is found by the beginning of its id, if there is only one."""
        with Journal(path) as journal:
            names = [run(Speak(), Word(), model=Scripted(["a"]), journal=journal).run_id for _ in range(2)]
            assert journal.find(names[0]) == names[0]
            with pytest.raises(UsageError, match="has no run 'xyz'"):
                journal.find("xyz")
            with pytest.raises(UsageError, match="2 runs that begin"):
                journal.find("")

    def test_no_id(self, path: Path) -> None:
        """What is no id, and an id of no run, are said to be so."""
        with Journal(path) as journal:
            for name in ("xyz", "-1", "1", "FFFFFFFFFFFFFFF"):
                with pytest.raises(JournalError, match="no id of a run"):
                    journal.read(name)
            with pytest.raises(JournalError, match="no such run"):
                journal.read("0" * 15)


def give_away(journal: Journal, path: Path) -> None:
    """Has an owner on another machine go on with every run."""
    journal._store.add_owner(Owner("elsewhere", "another", 1, "5"))  # no process of the test's is elsewhere
    rows_of(path).execute("UPDATE runs SET owner = 'elsewhere'")


class TestOwners:
    def test_a_run_that_is_under_way(self, path: Path) -> None:
        """A run that is under way can be taken over neither by this journal nor by another process's."""
        with Journal(path) as journal, Journal(path) as other:
            names: list[str] = []

            def meddle(_step: Any) -> None:
                for each, who in ((journal, "this very journal"), (other, f"process {os.getpid()} goes on")):
                    with pytest.raises(RunOwned, match=who):
                        resume(each, journal.runs()[0].run_id, Speak(), model=Scripted(["b"]))
                    with pytest.raises(RunOwned):
                        each.delete([journal.runs()[0].run_id])
                assert other.delete_older(timedelta(0)) == []
                names.append("seen")

            run(Speak(), Word(), model=Scripted(["a"]), journal=journal, listeners=[meddle])
            assert names == ["seen"]

    def test_an_owner_elsewhere(self, path: Path) -> None:
        """A run of a process on another machine is free when that has shown no sign of life for a lease."""
        with Journal(path, lease_s=0.05) as journal:
            name = cut(journal, Numbered(), 2)
            give_away(journal, path)
            ended = resume(journal, name, Rescue(), model=Numbered(), environment=Again())
            assert ended.outcome == "gave_up"

    def test_deleting_what_a_dead_owner_left(self, path: Path) -> None:
        """Runs whose owner shows no sign of life can be deleted, however many they are."""
        with Journal(path, lease_s=0.05) as journal:
            names = [cut(journal, Numbered(), 2) for _ in range(2)]
            give_away(journal, path)
            journal.delete(names)
            assert journal.runs() == []

    def test_waiting_for_an_owner_elsewhere(self, path: Path) -> None:
        """While one waits for a sign of life, other runs of the journal go on; a cancellation ends the waiting."""
        with Journal(path, lease_s=1e6) as journal:
            name = cut(journal, Numbered(), 2)
            give_away(journal, path)

            async def both() -> str:
                waiting = asyncio.ensure_future(
                    aresume(journal, name, Rescue(), model=Numbered(), environment=Again())
                )
                await asyncio.sleep(0)
                other = await arun(Speak(), Word(), model=Scripted(["a"]), journal=journal)
                assert not waiting.done()
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                return other.outcome

            assert asyncio.run(both()) == "said"
            assert journal.read(name).owner == "elsewhere"

    @pytest.mark.parametrize("times", [1, 2])
    def test_a_cancelled_takeover(self, path: Path, times: int) -> None:
        """Whoever is cancelled, be it again and again, while it takes a run over lets it go again."""
        with Journal(path) as journal:
            name = cut(journal, Numbered(), 2)

            async def cancelled() -> None:
                taking = asyncio.ensure_future(
                    aresume(journal, name, Rescue(), model=Numbered(), environment=Again())
                )
                for _ in range(times):
                    await asyncio.sleep(0)
                    taking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await taking

            asyncio.run(cancelled())
            assert [each.kind for each in journal.read(name).log[-2:]] == ["resumed", "interrupted"]

    def test_an_owner_that_is_forgotten(self, path: Path) -> None:
        """A run whose owner gave everything back is free."""
        with Journal(path) as journal:
            name = cut(journal, Numbered(), 2)
            rows_of(path).execute("UPDATE runs SET owner = 'forgotten'")
            assert resume(journal, name, Rescue(), model=Numbered(), environment=Again()).outcome == "gave_up"

    def test_another_takes_it_first(self, path: Path) -> None:
        """Of two that take a run over, the second is refused, and whoever writes after it is told."""
        with Journal(path) as one, Journal(path) as other:
            name = cut(one, Numbered(), 2)
            record = one.read(name)
            plan, hands = bound()
            first = other.log_on(record, plan, hands, {"asked_again": []})
            first.let_go()
            first.let_go()
            assert [each.kind for each in one.read(name).log[-2:]] == ["resumed", "interrupted"]
            with pytest.raises(RunOwned, match="just taken"):
                one.log_on(record, plan, hands, {"asked_again": []})

    @pytest.mark.parametrize("is_async", [False, True])
    def test_an_owner_that_was_overtaken(self, path: Path, *, is_async: bool) -> None:
        """Whoever was held dead, but lives, is told at its next row; nothing of its own is written."""
        with Journal(path) as journal, Journal(path) as other:

            def overtaken(_step: Any) -> None:
                rows_of(path).execute("UPDATE runs SET owner = NULL")
                name = journal.runs()[0].run_id
                other.log_on(other.read(name), *bound(), {"asked_again": []}).let_go()

            with pytest.raises(RunOwned, match="row 2: somebody else goes on"):
                driven(journal, Numbered(), overtaken, is_async=is_async)
            kinds = [each.kind for each in journal.read(journal.runs()[0].run_id).log]
            assert kinds == ["event", "resumed", "interrupted"]


class TestDeleting:
    def test_by_age(self, path: Path) -> None:
        """Old runs are deleted with their texts, and the file shrinks; younger ones stay."""
        with Journal(path) as journal:
            old = [whole(journal, Numbered(["y" * 9000 + str(each)])).run_id for each in range(8)]
            full = size(path)
            assert journal.delete_older(timedelta(days=1)) == []
            assert journal.delete_older(timedelta(0)) == old
            assert size(path) < full / 2
            assert journal.runs() == []

    def test_a_past_that_is_shared(self, path: Path) -> None:
        """A run that another one was forked from stays as long as that one does."""
        with Journal(path) as journal:
            past = whole(journal, Numbered()).run_id
            child = fork(journal, past, Rescue(), step=2)
            with pytest.raises(UsageError, match=f"{child} was forked from it"):
                journal.delete([past])
            journal.delete([past, child])
            assert journal.runs() == []


def driven(journal: Journal, model: Any, listener: Any, *, is_async: bool) -> None:
    """Drives a run through one door or the other."""
    given: dict[str, Any] = {"model": model, "environment": Again(), "journal": journal, "listeners": [listener]}
    if is_async:
        asyncio.run(arun(Rescue(), Pad(), **given))
    else:
        run(Rescue(), Pad(), **given)


def size(path: Path) -> int:
    """Bytes of the file and of its write-ahead log."""
    return path.stat().st_size + path.with_name(f"{path.name}-wal").stat().st_size


def bound() -> tuple[Any, Hands]:
    """A strategy, and what it is bound to."""
    plan = plan_of(Rescue)
    return plan, Hands(plan, model=Numbered(), environment=Again(), tools=None, task=None)


class TestAFailingFile:
    """The file is closed under the journal's feet, which is as bad as a disk that fails."""

    @pytest.mark.parametrize("is_async", [False, True])
    def test_nothing_is_acted_on(self, path: Path, caplog: pytest.LogCaptureFixture, *, is_async: bool) -> None:
        """A step that cannot be written is not taken: the run and the row are named, and nothing more is asked."""
        journal = Journal(path)
        model = Numbered()

        def fail(step: Any) -> None:
            if step.number == 2:
                journal._store.close()

        with pytest.raises(JournalError, match="row 3: ") as caught:
            driven(journal, model, fail, is_async=is_async)
        with pytest.raises(JournalError):  # nothing can be given back, but the threads end
            journal.close()
        assert caught.value.row == 3
        assert model.asked == ([0, 1, 2])
        assert "row 3" in caplog.text
        with Journal(path) as other:
            assert [each.kind for each in other.read(other.runs()[0].run_id).log] == ["event", "event"]


class TestSignsOfLife:
    def test_a_heart(self, path: Path) -> None:
        """A journal that goes on with runs shows signs of life by itself."""
        with Journal(path, lease_s=0.01) as journal:
            cut(journal, Numbered(), 1)
            until = time.monotonic() + 30
            while rows_of(path).execute("SELECT max(beat) FROM owners").fetchone()[0] < 2:
                assert time.monotonic() < until

    def test_a_run_that_is_owned_keeps_its_past(self, path: Path) -> None:
        """A run that a process goes on with is young, and so is what it was forked from."""
        with Journal(path) as journal:
            past = whole(journal, Numbered()).run_id
            child = fork(journal, past, Rescue(), step=2)
            old = run(Speak(), Word(), model=Scripted(["a"]), journal=journal).run_id
            journal.log_on(journal.read(child), *bound(), {"asked_again": []})
            assert journal.delete_older(timedelta(0)) == [old]
            assert {each.run_id for each in journal.runs()} == {past, child}
