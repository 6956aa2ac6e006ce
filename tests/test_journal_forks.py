"""`fork`: a new run shares the past of another, which stays as it was; and grades are kept."""

from pathlib import Path
from typing import Any

import pytest
from journaled import Again, Numbered, Speak, Word, trace, whole
from sketches import Pad, Rescue
from worlds import Marked

from tinysmith import Journal, Scripted, fork, replay, resume, run
from tinysmith.errors import UsageError


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    """A journal."""
    with Journal(tmp_path / "runs.db", synchronous="NORMAL") as opened:
        yield opened


class TestGrades:
    def test_the_grade_is_kept(self, journal: Journal) -> None:
        """What the environment graded is in the journal."""
        graded = whole(journal, Numbered(["fair"]), environment=Marked(0.0, 0.5, 0.75))
        assert graded.grade is not None
        assert replay(journal, graded.run_id, Rescue()) == graded


class TestForks:
    def test_another_board(self, journal: Journal) -> None:
        """A fork with another board asks anew at that step, and the original stays as it was."""
        original = whole(journal, Numbered(["fair", "aye"]), left=2)
        name = fork(journal, original.run_id, Rescue(), step=3, board=Pad(("other",), left=0))
        environment = Again()
        ended = resume(journal, name, Rescue(), model=Numbered(["fair", "aye"]), environment=environment)
        assert (ended.outcome, ended.board.lines[0]) == ("gave_up", "other")
        assert replay(journal, original.run_id, Rescue()) == original
        assert journal.diff(name, original.run_id) is not None
        first = fork(journal, original.run_id, Rescue(), step=0, board=Pad(left=0))
        assert resume(journal, first, Rescue(), model=Numbered(["fair"]), environment=Again()).outcome == "gave_up"

    def test_a_fork_of_a_fork(self, journal: Journal) -> None:
        """A fork may be forked."""
        original = whole(journal, Numbered())
        child = fork(journal, original.run_id, Rescue(), step=2)
        grandchild = fork(journal, child, Rescue())
        ended = resume(journal, grandchild, Rescue(), model=Numbered(), environment=Again())
        assert trace(ended) == trace(original)

    def test_what_cannot_be_forked(self, journal: Journal) -> None:
        """A step that is not there, the end of a run, and a board that cannot be kept are refused."""
        name = run(Speak(), Word(), model=Scripted(["a"]), journal=journal).run_id
        with pytest.raises(UsageError, match="has 1 steps"):
            fork(journal, name, Speak(), step=2)
        with pytest.raises(UsageError, match=r"over at step 1 \(said\)"):
            fork(journal, name, Speak())
        with pytest.raises(UsageError, match="cannot be kept"):
            fork(journal, name, Speak(), step=0, board=Word(3))  # type: ignore[arg-type]  # the mistake
        assert len(journal.runs()) == 1
