"""Questions to a database, answered by SQL: InterCode's environment, in process on SQLite.

Source: Yang, Prabhakar, Narasimhan, Yao, "InterCode: Standardizing and Benchmarking Interactive Coding with
Execution Feedback", 2023, arXiv:2306.14898.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from attrs import define, field

from tinysmith._arguments import action_text, count, path, seconds
from tinysmith._shown import escaped
from tinysmith.environments._sql_connections import Output, StatementLimits
from tinysmith.environments._sql_reward import Likeness, likeness
from tinysmith.environments._sql_tasks import load_data
from tinysmith.environments.tasks import Tasks, chosen_task
from tinysmith.errors import DataError, EnvironmentLost, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task

_log = logging.getLogger("tinysmith.environments")
_DEMO = Path(__file__).parent / "demo"
R = TypeVar("R")


@define
class _Episode:
    task: Task
    last: Output = field(factory=lambda: Output("None"))
    steps: int = 0
    is_over: bool = False
    reference: tuple[str, ...] | None = field(default=None, repr=False)
    graded: Grade | None = None


class SqlEnvironment:
    """Answers questions to a database, one SQL statement an action.

    An action that begins with `submit` ends the episode with the grade of the last output as its reward, `skip`
    ends it with 0; any other is one statement in MySQL's dialect, rewarded with 0. Its rows are the observation,
    as a list of tuples in MySQL's types; so is an error, in MySQL's words. Nothing can be written.

    The grade compares the last output with the reference's: rows in common over rows in either, times Kendall's
    tau-b of the common rows' order where it is defined; -1 to 1, and 1 for the same rows in the same order. An
    output that is no list of rows is worth 0, two empty lists are the same.

    Differs from InterCode: SQLite plays MySQL, so rows without an ORDER BY, and ties under a LIMIT, may come
    otherwise; a database cannot be written; a score is rounded to two places, but never up to 1. InterCode's
    released logs were scored without tau: compare with them with `is_order_graded=False`.

    Any number of environments share one copy of a folder's data; what an episode holds is its last output.

    Args:
        data: A folder with InterCode's `ic_spider_dev.json` and `ic_spider_dbs.sql`, or with `tasks.json` and
            `databases.sql` of the same form; it is read at once, and only once for all environments on it.
        time_limit_s: Seconds that a statement may take.
        row_limit: Rows that are kept of an output, shown and graded.
        character_limit: Characters of an output's rows; whole rows beyond are cut off.
        is_order_graded: Whether tau is a factor of the score. It is one even where the question asks for no order.

    Raises:
        DataError: The folder or one of its files is missing or broken.
    """

    is_replayable = True  # nothing can be written, so a statement shows the same again

    def __init__(
        self,
        data: Path | str,
        *,
        time_limit_s: float = 10.0,
        row_limit: int = 10_000,
        character_limit: int = 1_000_000,
        is_order_graded: bool = True,
    ) -> None:
        self._data = load_data(path(data, "SqlEnvironment: data"))
        self._limits = StatementLimits(
            seconds(time_limit_s, "SqlEnvironment: time_limit_s"),
            count(row_limit, "SqlEnvironment: row_limit"),
            count(character_limit, "SqlEnvironment: character_limit"),
        )
        self._is_order_graded = is_order_graded
        self.variant = "" if is_order_graded else "order not graded"
        self._episode: _Episode | None = None
        self._running: set[threading.Event] = set()

    @classmethod
    def demo(cls) -> "SqlEnvironment":
        """The bundled demonstration: a ferry line, and six questions that come with scripts of replies."""
        return cls(_DEMO)

    @property
    def tasks(self) -> Tasks:
        """All tasks, with a split for each hardness; an id is a row's own, else its index from 0 as text."""
        return self._data.tasks

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode and returns the question.

        Args:
            task: One of `tasks`; without one, `seed` alone chooses it.
            seed: The same seed chooses the same task.

        Raises:
            UsageError: The task is none of these.
        """
        task = chosen_task(self.tasks, task, seed)
        await self.close()
        self._episode = _Episode(task)
        _log.info("sql task %s: episode begins", task.id)
        _log.debug("sql task %s: %s", task.id, task.query)
        return task.query, {"task_id": task.id, "database": task.data["database"]}

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action: a statement, `submit` or `skip`.

        Cancelling it ends the statement. `info` holds `action_executed`, `timed_out` and `output_truncated`.

        Raises:
            UsageError: There is no episode, or it is over.
            EnvironmentLost: The environment was closed meanwhile.
        """
        episode = self._current()
        if episode.is_over:
            raise UsageError("SqlEnvironment.step: the episode is over; reset the environment first.")
        action = action_text(action, "SqlEnvironment").strip()
        word = action.lower()
        if word.startswith("submit"):
            grade = episode.graded = await self.grade()
            return self._stepped(episode, action, reward=grade.score, is_over=True)
        if word == "skip":
            episode.graded = Grade(0.0, solved=False)
            return self._stepped(episode, action, is_over=True)
        episode.last = await self._run(episode, action)
        return self._stepped(episode, action)

    async def grade(self) -> Grade:
        """The grade of the last output, solved exactly at 1; once the episode is over, as it ended.

        Its parts are `iou` (0 to 1) and `tau` (-1 to 1); `skip` leaves 0 without.

        Raises:
            UsageError: There is no episode.
            DataError: The task's reference answer cannot be run within the limits.
            EnvironmentLost: The environment was closed meanwhile.
        """
        episode = self._current()
        if episode.graded is not None:
            return episode.graded
        found = await self._likeness(episode)
        return Grade(found.score, found.score == 1.0, {"iou": found.iou, "tau": found.tau})

    async def close(self) -> None:
        """Ends the episode, and whatever statement runs; a closed environment may be reset again."""
        self._episode = None
        for stop in self._running:
            stop.set()

    def _current(self) -> _Episode:
        if self._episode is None:
            raise UsageError("SqlEnvironment: there is no episode; reset the environment first.")
        return self._episode

    def _stepped(
        self, episode: _Episode, action: str, *, reward: float = 0.0, is_over: bool = False
    ) -> EnvironmentStep:
        episode.steps += 1
        episode.is_over |= is_over  # for good, although another step may end later
        last = episode.last
        info = {
            "action_executed": is_over or last.is_executed,
            "timed_out": not is_over and last.is_timed_out,
            "output_truncated": last.is_cut,
        }
        rows = "no rows" if last.rows is None else f"{len(last.rows)} rows"
        _log.info("sql task %s step %d: %s, reward %s", episode.task.id, episode.steps, rows, reward)
        _log.debug("sql task %s step %d: %r gave %s", episode.task.id, episode.steps, action, escaped(last.text))
        return EnvironmentStep(last.text, reward, terminated=is_over, truncated=False, info=info)

    async def _likeness(self, episode: _Episode) -> Likeness:
        if episode.reference is None:
            output = await self._run(episode, self._data.references[episode.task.id])
            if output.rows is None or output.is_cut:
                raise DataError(
                    f"task {episode.task.id!r}: its reference answer cannot be run within the limits; "
                    "raise the environment's limits, or leave this task out."
                )
            episode.reference = output.rows
        compare = partial(likeness, episode.last.rows, episode.reference, is_order_graded=self._is_order_graded)
        return await self._in_thread(episode, lambda _: compare())

    async def _run(self, episode: _Episode, statement: str) -> Output:
        connections = self._data.databases[episode.task.data["database"].lower()]
        return await self._in_thread(episode, lambda stop: connections.run(statement, self._limits, stop))

    async def _in_thread(self, episode: _Episode, work: Callable[[threading.Event], R]) -> R:
        """Does blocking work in a thread; if this is cancelled, or the episode closed, the work ends first."""
        stop = threading.Event()
        self._running.add(stop)
        thread = asyncio.ensure_future(asyncio.to_thread(work, stop))
        try:
            result = await asyncio.shield(thread)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.gather(thread, return_exceptions=True)
            raise
        finally:
            self._running.discard(stop)
        if self._episode is not episode:
            raise EnvironmentLost(
                "SqlEnvironment: it was closed or reset while an action ran; take one at a time."
            )
        return result
