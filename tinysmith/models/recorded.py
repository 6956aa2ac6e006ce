"""`Recorded`: a model that says what a real one said, from a file of recorded episodes, or from a journal."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from tinysmith._shown import near
from tinysmith.errors import DataError, RecordingOver, UsageError
from tinysmith.messages import FREE, Ask, Reply
from tinysmith.models._at_once import AtOnce
from tinysmith.protocols import Task

if TYPE_CHECKING:
    from tinysmith.journal import Journal


@frozen
class RecordedTurns:
    """One recorded episode.

    Attributes:
        task_id: The task.
        query: The question that was asked; empty if it was not recorded.
        replies: What the model said, turn by turn.
        rewards: The reward of each turn, where they were recorded.
        id_in_set: The task's id within its set; empty if no set was recorded.
    """

    task_id: str
    query: str
    replies: tuple[str, ...]
    rewards: tuple[float, ...]
    id_in_set: str = ""


class RecordedEpisode(AtOnce):
    """The model of one recorded episode: the run's ask of number n is answered with turn n.

    Args:
        turns: What was recorded.
        model: What it is called in journals.
    """

    def __init__(self, turns: RecordedTurns, *, model: str = "recorded") -> None:
        self.turns = turns
        self.model = model

    def ask(self, request: Ask, /) -> Reply:
        """Answers with the turn that the ask's number names.

        Raises:
            RecordingOver: The recording is shorter than that.
        """
        replies = self.turns.replies
        if request.number >= len(replies):
            problem = (
                f"The recording of task {self.turns.task_id} has {len(replies)} turns, and one more is asked."
            )
            raise RecordingOver(problem, model="recorded")
        return Reply(replies[request.number], usage=FREE, model="recorded")


class Recorded(AtOnce):
    """Recorded episodes, one JSON object a line, found by the id of the run's task.

    An object has `task_id`, `actions` (a list of texts) and, where they were recorded, `thoughts`, `rewards` and
    `query`. A turn is said as `Thought: …` and `Action: …` on lines of their own, or as the action alone. Where an
    object names the `set` of its task, as InterCode's do, the task is found by `set/task_id`, and by `task_id`
    alone where no other set of the file has that one.

    Args:
        path: The file.
        episodes: The episodes by task, instead of those that the file holds.

    Raises:
        DataError: The file is missing, or a line is broken; the message names the line.
    """

    def __init__(self, path: Path | str, *, episodes: Mapping[str, RecordedEpisode] | None = None) -> None:
        self.place = str(path)
        self.model = f"recorded:{Path(path).name}" if episodes is None else "recorded"
        self._episodes = _read(Path(path)) if episodes is None else episodes
        self._ids = {**_short_ids(self._episodes), **{task_id: task_id for task_id in self._episodes}}

    @classmethod
    def from_journal(
        cls,
        journal: "Journal | Path | str",
        run_ids: Iterable[str] = (),
        *,
        match: Literal["question", "number"] = "question",
    ) -> "Recorded":
        """Runs of a journal as recorded episodes: a strategy that has not changed goes the same way again.

        What models said is said again as it was, and where they failed, they fail. Of the strategy nothing is
        needed.

        Args:
            journal: The journal, or its file or address, which is only read.
            run_ids: The runs, or how their ids begin; all, if none is named. They are found by the ids of their
                tasks, so a run without a task can only be recorded alone.
            match: "question" answers with the reply to the same question. Of several, that is the one to the ask
                of the same number, else of the nearest; of two as near, of the one before. "number" answers with
                the reply to the ask of the same number, whatever was asked.

        Raises:
            UsageError: A run is not there, two are of the same task, or one of several has no task.
            DataError: The journal has no runs.
            JournalError: The journal, or something of a run, is damaged.
        """
        from tinysmith.journal._recorded import recorded_runs  # noqa: PLC0415  # journals stand above models

        place, episodes = recorded_runs(journal, run_ids, match)
        return cls(place, episodes=episodes)

    @property
    def task_ids(self) -> tuple[str, ...]:
        """The recorded tasks, in their order, then the shorter ids by which some of them are found, too."""
        return tuple(filter(None, dict.fromkeys((*self._episodes, *self._ids))))

    def turns(self, task_id: str) -> RecordedTurns:
        """The recorded turns of a task.

        Raises:
            UsageError: There are none.
        """
        return self._found(task_id).turns

    def episode(self, task: Task, /) -> AtOnce:
        """The model for an episode of that task; for one without an id, the only episode, if there is only one.

        Raises:
            UsageError: There is no recording of it.
            DataError: The recording is of another question under the same id.
        """
        if not task.id:
            return self
        episode = self._found(task.id)
        turns = episode.turns
        if turns.query and task.query and turns.query.strip() != task.query.strip():
            problem = f"{self.place}: task {task.id!r} was recorded with another question"
            raise DataError(
                f"{problem}: {turns.query[:60]!r}, not {task.query[:60]!r}. Name the data it was made with."
            )
        return episode

    def ask(self, request: Ask, /) -> Reply:
        """Answers from the only episode.

        Raises:
            UsageError: There are several; give the run its `task`.
        """
        if len(self._episodes) != 1:
            raise UsageError(
                f"{self.place} has {len(self._episodes)} episodes; say which one with run(..., task=...)."
            )
        (episode,) = self._episodes.values()
        return episode.ask(request)

    def _found(self, task_id: str) -> RecordedEpisode:
        if task_id not in self._ids:
            raise UsageError(f"{self.place} has no recording of task {task_id!r}. {near(task_id, self.task_ids)}")
        return self._episodes[self._ids[task_id]]


def _short_ids(episodes: Mapping[str, RecordedEpisode]) -> dict[str, str]:
    """The tasks by their ids within their sets, where one set alone has it."""
    short: dict[str, list[str]] = {}
    for task_id, episode in episodes.items():
        short.setdefault(episode.turns.id_in_set, []).append(task_id)
    return {name: ids[0] for name, ids in short.items() if name and len(ids) == 1}


class _NotAnEpisode(ValueError):
    """What is wrong with a line."""


def _read(path: Path) -> dict[str, RecordedEpisode]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise DataError(f"{path}: the recording cannot be read: {error.strerror}. Check the path.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: the recording is not UTF-8 text. Give a file of JSON lines.") from None
    episodes: dict[str, RecordedEpisode] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                turns = _turns(json.loads(line))
            except (ValueError, OverflowError, RecursionError) as error:
                remedy = "Mend or remove the line."
                raise DataError(f"{path}:{number}: this line is no recorded episode: {error}. {remedy}") from None
            if turns.task_id in episodes:
                raise DataError(f"{path}:{number}: task {turns.task_id!r} is recorded twice. Remove one.")
            episodes[turns.task_id] = RecordedEpisode(turns, model=f"recorded:{path.name}")
    if not episodes:
        raise DataError(f"{path}: the recording is empty. Give a file with one JSON object a line.")
    return episodes


def _turns(data: Any) -> RecordedTurns:
    if not isinstance(data, dict):
        raise _NotAnEpisode("it is not a JSON object")
    task_id = data.get("task_id")
    if isinstance(task_id, bool) or not isinstance(task_id, int | str):
        raise _NotAnEpisode("it has no task_id")
    actions = _texts(data, "actions")
    if actions is None:
        raise _NotAnEpisode("it has no actions")
    thoughts = _texts(data, "thoughts")
    if thoughts is not None and len(thoughts) != len(actions):
        raise _NotAnEpisode(f"it has {len(thoughts)} thoughts for {len(actions)} actions")
    rewards = data.get("rewards") or []
    if not isinstance(rewards, list) or not all(type(reward) in {int, float} for reward in rewards):
        raise _NotAnEpisode("its rewards are no list of numbers")
    if rewards and len(rewards) != len(actions):
        raise _NotAnEpisode(f"it has {len(rewards)} rewards for {len(actions)} actions")
    query = data.get("query") or ""
    if not isinstance(query, str):
        raise _NotAnEpisode("its query is no text")
    its_set = data.get("set") or ""
    if not isinstance(its_set, str):
        raise _NotAnEpisode("its set is no text")
    replies = actions
    if thoughts is not None:
        replies = [f"Thought: {said}\nAction: {done}" for said, done in zip(thoughts, actions, strict=True)]
    told = (query, tuple(replies), tuple(map(float, rewards)))
    if not its_set:
        return RecordedTurns(str(task_id), *told)
    return RecordedTurns(f"{its_set}/{task_id}", *told, id_in_set=str(task_id))


def _texts(data: Mapping[str, Any], name: str) -> list[str] | None:
    texts = data.get(name)
    if texts is None:
        return None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _NotAnEpisode(f"its {name} are no list of texts")
    return texts
