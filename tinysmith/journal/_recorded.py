"""Runs of a journal as recorded episodes: what models said to them is said again, and no strategy is needed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import evolve

from tinysmith.errors import DataError, ModelError, RecordingOver, UsageError
from tinysmith.journal._events import asked
from tinysmith.journal._reading import RunRecord, folded
from tinysmith.journal.journal import Journal
from tinysmith.messages import Ask, Failed, Reply
from tinysmith.models.recorded import RecordedEpisode, RecordedTurns

Match: TypeAlias = Literal["question", "number"]

_HOW = "run_ids=[...], or recorded:FILE#RUN on the command line"
"""How runs are named."""


class RecordedFailure(ModelError):
    """A failure of a model, or of asking it, that was recorded."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.kind = failed.kind  # type: ignore[misc]  # of the class elsewhere; here of what was recorded


class RecordedRun(RecordedEpisode):
    """The model of one run of a journal.

    Args:
        record: What the journal says of the run.
        match: How an ask finds its answer; see `Recorded.from_journal`.
        place: The journal's name, for messages.
    """

    def __init__(self, record: RunRecord, *, match: Match, place: str) -> None:
        self._where = f"{place}, run {record.run_id}"
        self._match = match
        self._answers: dict[int, Reply | Failed] = {}
        self._questions: dict[bytes, list[int]] = {}
        for logged in folded(record.log):
            if logged.number is not None and isinstance(logged.event, Reply | Failed):
                self._answers[logged.number] = logged.event
                self._questions.setdefault(logged.asked, []).append(logged.number)
        task = record.header.task
        answers = (self._answers[number] for number in sorted(self._answers))
        texts = tuple(answer.text for answer in answers if isinstance(answer, Reply))
        named = ("", "") if task is None else (task.id, task.query)
        super().__init__(RecordedTurns(*named, texts, ()), model=f"recorded:{record.run_id}")

    def ask(self, request: Ask, /) -> Reply:
        """Answers as the run was answered, and fails as it failed.

        Raises:
            RecordingOver: The run was never asked that.
            RecordedFailure: That is what its model did.
        """
        number: int | None = request.number
        if self._match == "question":
            known = self._questions.get(asked(request), ())
            number = min(known, key=lambda each: (abs(each - request.number), each), default=None)
        answer = None if number is None else self._answers.get(number)
        if answer is None:
            raise RecordingOver(f"{self._where}: {self._lack(request)}. Record it anew.")
        if isinstance(answer, Failed):
            raise RecordedFailure(answer)
        return evolve(answer, answers="", elapsed_s=0.0)

    def _lack(self, request: Ask) -> str:
        """Why there is no answer."""
        lack = f"there is no answer to ask number {request.number}, of {request.id}"
        there = self._answers.get(request.number)
        if there is not None:
            which = "another one" if there.answers == request.id else "one"
            asks = f"at that number the run has {which} of {there.answers}"
            return f"{lack}: the strategy now asks something else ({asks})"
        last = max(self._answers, default=None)
        return f"{lack}: the run has " + ("none at all" if last is None else f"its last one at number {last}")


def recorded_runs(
    journal: Journal | Path | str, run_ids: Iterable[str], match: Match
) -> tuple[str, dict[str, RecordedEpisode]]:
    """The journal's name, and its runs as models, by the ids of their tasks; see `Recorded.from_journal`."""
    if match not in {"question", "number"}:
        raise UsageError(f"match is {match!r}. Give 'question' or 'number'.")
    wanted = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    if isinstance(journal, Journal):
        return journal.place, _episodes(journal, wanted, match)
    with Journal(journal, read_only=True) as opened:
        return opened.place, _episodes(opened, wanted, match)


def _episodes(journal: Journal, wanted: list[str], match: Match) -> dict[str, RecordedEpisode]:
    place = journal.place
    names = list(dict.fromkeys(map(journal.find, wanted))) or [run.run_id for run in journal.runs()]
    if not names:
        raise DataError(f"{place}: the journal has no runs. Make one with run(..., journal=...).")
    episodes: dict[str, RecordedEpisode] = {}
    runs: dict[str, str] = {}
    for name in names:
        episode = RecordedRun(journal.read(name), match=match, place=place)
        task = episode.turns.task_id
        if not task and len(names) > 1:
            problem = f"{place}: run {name} has no task to be found by, so it cannot be one of {len(names)}"
            raise UsageError(f"{problem}. Name it alone, or those that have: {_HOW}.")
        if task in runs:
            problem = f"{place}: runs {runs[task]} and {name} are both of task {task!r}"
            raise UsageError(f"{problem}. Name the one that is meant: {_HOW}.")
        episodes[task], runs[task] = episode, name
    return episodes
