"""Runs in a journal that is kept in PostgreSQL."""

import pytest
from journaled import Again, Numbered, cut, trace, whole
from postgres import Server
from sketches import Rescue

from tinysmith import Journal, replay, resume
from tinysmith.errors import JournalError


class TestRuns:
    def test_a_run_that_was_cut(self, postgres: Server) -> None:
        """A run that was cut goes on in another connection, and does what an uncut one does."""
        with Journal(postgres.url()) as journal:
            unkilled = whole(journal, Numbered())
            model = Numbered()
            name = cut(journal, model, 3)
        with Journal(postgres.url()) as journal:
            resumed = resume(journal, name, Rescue(), model=model, environment=Again())
            assert trace(resumed) == trace(unkilled)
            assert replay(journal, name, Rescue()) == resumed
            assert len(model.asked) == len(set(model.asked))
            assert {run.outcome for run in journal.runs()} == {"gave_up"}
            journal.delete([name])
            assert [run.run_id for run in journal.runs()] == [unkilled.run_id]

    def test_no_server(self) -> None:
        """A server that cannot be reached is said to be so."""
        with pytest.raises(JournalError, match=r"127\.0\.0\.1"):
            Journal("postgresql://ada@127.0.0.1:1/runs")
