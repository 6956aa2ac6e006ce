"""`tinysmith run`: a strategy on tasks of an environment."""

import argparse
import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import attrs
from attrs import evolve, fields

from tinysmith._codec import codec
from tinysmith._scalars import MisfitError
from tinysmith._shown import near
from tinysmith.cli._load import load_factory, load_strategy
from tinysmith.cli._models import models
from tinysmith.cli._report import Episode, Report
from tinysmith.drivers import run
from tinysmith.environments import SqlEnvironment, StdinEnvironment
from tinysmith.errors import UsageError
from tinysmith.limits import Limits
from tinysmith.models.recorded import Recorded
from tinysmith.protocols import Environment, HasTasks, Task
from tinysmith.strategy import Strategy, plan_of

BUILT_IN = ("demo", "intercode-sql", "stdin")


def run_command(arguments: argparse.Namespace) -> int:
    """Runs the tasks, and returns the exit code."""
    strategy = load_strategy(arguments.strategy)
    changes = board_changes(strategy, arguments.set)
    limits = Limits(**{limit.name: getattr(arguments, limit.name) for limit in fields(Limits)})
    bound = models(arguments, strategy)
    environment = make_environment(arguments.env, arguments.data)
    tasks = chosen_tasks(arguments, environment, list(bound.values()))
    report = Report(as_json=arguments.json, quiet=arguments.quiet)
    try:
        episodes = [
            play(
                strategy(),
                environment,
                task,
                bound,
                limits=limits,
                seed=arguments.seed,
                changes=changes,
                report=report,
            )
            for task in tasks
        ]
    finally:
        asyncio.run(environment.close())
    report.summary(episodes)
    return exit_code(episodes, every=arguments.all)


def play(
    strategy: Strategy[Any],
    environment: Environment,
    task: Task,
    bound: Mapping[str, Any],
    *,
    report: Report,
    limits: Limits | None = Limits(),
    seed: int | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Episode:
    """Plays one episode and reports it."""
    report.begin(task)
    ended = run(
        strategy,
        model=bound,
        environment=environment,
        task=task,
        limits=limits,
        seed=seed,
        brief=lambda task, observation: evolve(strategy.brief(task, observation), **(changes or {})),
        listeners=[report.step],
    )
    recordings = [model for model in bound.values() if isinstance(model, Recorded)]
    recorded = recordings[0].turns(task.id).rewards if recordings and task.id else ()
    episode = Episode(task, ended, recorded)
    report.end(episode)
    return episode


def exit_code(episodes: Sequence[Episode], *, every: bool) -> int:
    """3 when machinery failed; else 0 when all are solved, or with `every` when all came to a graded end."""
    if any(episode.is_broken for episode in episodes):
        return 3
    good = all(episode.score is not None if every else episode.run.solved for episode in episodes)
    return 0 if good else 1


def make_environment(name: str, data: str | None) -> Environment:
    """The environment that `--env` names.

    Raises:
        UsageError: There is none of that name, or it needs a folder of data.
    """
    if name == "demo":
        return SqlEnvironment.demo()
    if name == "stdin":
        return StdinEnvironment()
    if name == "intercode-sql":
        if data is None:
            raise UsageError("--env intercode-sql needs its data: add --data DIR, with ic_spider_dev.json in it.")
        return SqlEnvironment(data)
    if ":" not in name:
        raise UsageError(
            f"There is no environment {name!r}. {near(name, BUILT_IN)} Or name a factory, module:name."
        )
    factory = load_factory(name)
    takes_data = data is not None and "data" in inspect.signature(factory).parameters
    made = factory(data=Path(str(data))) if takes_data else factory()
    lacking = [method for method in ("reset", "step", "close") if not callable(getattr(made, method, None))]
    if lacking:
        raise UsageError(
            f"{name} made a {type(made).__name__}, which is no environment: it has no {lacking[0]}()."
        )
    environment: Environment = made
    return environment


def chosen_tasks(arguments: argparse.Namespace, environment: Environment, bound: Sequence[Any]) -> list[Task]:
    """The tasks that `--task` or `--all` names.

    Raises:
        UsageError: None is named where the environment has tasks, or one is not there.
    """
    if not isinstance(environment, HasTasks):
        if arguments.all or arguments.task:
            raise UsageError(f"--env {arguments.env} has no tasks of its own; leave out --task and --all.")
        return [Task("")]
    if arguments.task:
        return [environment.tasks[name] for name in arguments.task]
    if not arguments.all:
        first = next(iter(environment.tasks)).id
        raise UsageError(
            f"--env {arguments.env} has {len(environment.tasks)} tasks: add --all, or --task {first}."
        )
    recorded = [set(model.task_ids) for model in bound if isinstance(model, Recorded)]
    return [task for task in environment.tasks if all(task.id in ids for ids in recorded)]


def board_changes(strategy: type[Strategy[Any]], settings: Sequence[str]) -> dict[str, Any]:
    """The fields that `--set FIELD=VALUE` changes on the first board; a value is JSON, or plain text.

    Raises:
        UsageError: There is no such field, or the value does not fit it.
    """
    board_type = plan_of(strategy).board_type
    hints = get_type_hints(board_type)
    names = [part.name for part in attrs.fields(board_type)]
    changes = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting!r} is not of the form FIELD=VALUE.")
        if name not in names:
            raise UsageError(
                f"--set names {name!r}, which is no field of {board_type.__name__}. {near(name, names)}"
            )
        changes[name] = _value(hints[name], name, text)
    return changes


def _value(hint: Any, name: str, text: str) -> Any:
    reading: list[Callable[[], Any]] = [lambda: json.loads(text), lambda: text]
    if hint is str:
        reading.reverse()
    problem = ""
    for read in reading:
        try:
            return codec(hint).decode(read(), name)
        except (MisfitError, ValueError) as error:
            problem = problem or str(error)
    raise UsageError(f"--set {name}={text}: the value does not fit {getattr(hint, '__name__', hint)}.")
