"""`tinysmith run`: a strategy on tasks of an environment."""

import argparse
import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from attrs import fields

from tinysmith.approval import PauseBefore
from tinysmith.cli._approve import Approving
from tinysmith.cli._bindings import bindings
from tinysmith.cli._board import board_changes, first_board
from tinysmith.cli._continuing import Continuing
from tinysmith.cli._environments import chosen_tasks, make_environment
from tinysmith.cli._explain import Explaining
from tinysmith.cli._journal import opened
from tinysmith.cli._load import load_strategy
from tinysmith.cli._models import ScriptOfTask, models
from tinysmith.cli._report import Episode, Report
from tinysmith.drivers import arun
from tinysmith.errors import DataError, JournalError, SandboxUnavailable, UsageError
from tinysmith.journal import Journal
from tinysmith.limits import Limits
from tinysmith.models.recorded import Recorded
from tinysmith.protocols import Environment, Task
from tinysmith.strategy import Strategy

HOPELESS = frozenset({"authentication", "unknown_model", "refused_here"})
"""Failures that the next episode would have as well."""


def run_command(arguments: argparse.Namespace) -> int:
    """Runs the tasks, and returns the exit code."""
    strategy = load_strategy(arguments.strategy)
    changes = board_changes(strategy, arguments.set)
    limits = Limits(**{limit.name: getattr(arguments, limit.name) for limit in fields(Limits)})
    bound = models(arguments, strategy)
    tools = bindings(arguments, strategy)
    environment = make_environment(arguments, strategy)
    tasks = chosen_tasks(arguments, environment, list(bound.values()))
    for script in (model for model in bound.values() if isinstance(model, ScriptOfTask)):
        script.check(tasks)
    machine = made(strategy)
    approving = (
        Approving(arguments.approve, machine, pauses=bool(arguments.journal)) if arguments.approve else None
    )
    explaining = Explaining(machine, limits) if arguments.explain else None
    report = Report(as_json=arguments.json, quiet=arguments.quiet, explaining=explaining)
    with opened(arguments.journal, is_new=True) if arguments.journal else nullcontext() as journal:
        play = Play(
            machine,
            environment,
            bound,
            report,
            tools=tools,
            limits=limits,
            seed=arguments.seed,
            changes=changes,
            shows_traceback=arguments.traceback,
            journal=journal,
            pause_before=approving,
        )
        if arguments.goes_on:
            play.goes_on()
        episodes = asyncio.run(play.all(tasks))
    return exit_code(episodes, every=arguments.all or bool(arguments.split))


def made(strategy: type[Strategy[Any]]) -> Strategy[Any]:
    """An object of the strategy.

    Raises:
        UsageError: It wants arguments.
    """
    try:
        return strategy()
    except TypeError as error:
        raise UsageError(f"{strategy.__name__} cannot be made: {error}. Put what varies on the board.") from None


class Play:
    """Plays episodes one after another, in one event loop, and reports them."""

    def __init__(
        self,
        strategy: Strategy[Any],
        environment: Environment | None,
        bound: Mapping[str, Any],
        report: Report,
        *,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        limits: Limits | None = Limits(),
        seed: int | None = None,
        changes: Mapping[str, Any] | None = None,
        shows_traceback: bool = False,
        journal: Journal | None = None,
        pause_before: PauseBefore | None = None,
    ) -> None:
        self.strategy = strategy
        self.environment = environment
        self.bound = bound
        self.report = report
        self.tools = tools
        self.limits = limits
        self.seed = seed
        self.changes = changes or {}
        self.shows_traceback = shows_traceback
        self.journal = journal
        self.pause_before = pause_before
        self.continuing: Continuing | None = None

    def goes_on(self) -> None:
        """Takes runs of the journal that have ended for those of their tasks.

        Raises:
            UsageError: There is no journal.
            JournalError: It is damaged.
        """
        if self.journal is None:
            raise UsageError("--continue goes on with the runs of a journal. Add --journal FILE.")
        self.continuing = Continuing(
            self.journal,
            self.strategy,
            self.environment,
            bound=self.bound,
            tools=self.tools or {},
            limits=self.limits,
            seed=self.seed,
            changes=self.changes,
        )

    async def all(self, tasks: Sequence[Task]) -> list[Episode]:
        """Plays the tasks; the summary is told whatever happens to single episodes."""
        episodes: list[Episode] = []
        try:
            for task in tasks:
                episodes.append(await self.one(task))
                if episodes[-1].error_kind in HOPELESS:
                    break
        finally:
            if episodes:
                self.report.summary(episodes, of=len(tasks))
            if self.environment is not None:
                await self.environment.close()
        return episodes

    async def one(self, task: Task) -> Episode:
        """Plays one task. What is wrong with the strategy or the environment breaks this episode only.

        Raises:
            UsageError: What was asked for does not go together.
            JournalError: The journal cannot be written.
            SandboxUnavailable: The task needs a sandbox, and none can be had here.
        """
        self.report.begin(task)
        recordings = [model for model in self.bound.values() if isinstance(model, Recorded)]
        recorded = recordings[0].turns(task.id).rewards if recordings and task.id else ()
        try:
            kept = None if self.continuing is None else self.continuing.run_of(task)
            ended = kept or await arun(
                self.strategy,
                model=self.bound,
                environment=self.environment,
                tools=self.tools,
                task=task,
                limits=self.limits,
                seed=self.seed,
                brief=self._first_board,
                listeners=[self.report.step],
                journal=self.journal,
                pause_before=self.pause_before,
            )
            episode = Episode(task, ended, recorded)
        except (UsageError, DataError, JournalError, SandboxUnavailable):  # those after it would have it as well
            raise
        except Exception as error:  # noqa: BLE001  # told as the episode's error; the others are still played
            if self.shows_traceback:
                traceback.print_exc()
            episode = Episode(task, None, recorded, error)
        self.report.end(episode)
        return episode

    def _first_board(self, task: Task, seen: str) -> Any:
        board = first_board(self.strategy, task, seen, self.changes)
        self.report.start(board)
        return board


def exit_code(episodes: Sequence[Episode], *, every: bool) -> int:
    """3 when machinery failed; else 0 when all are solved, or with `every` when all came to a graded end."""
    if any(episode.is_broken for episode in episodes):
        return 3
    good = all(episode.score is not None if every else episode.is_solved for episode in episodes)
    return 0 if good else 1
