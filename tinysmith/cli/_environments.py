"""`--env`, `--data`, `--task`: what is acted on."""

import argparse
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinysmith._shown import near
from tinysmith.cli._load import load_factory
from tinysmith.environments import SqlEnvironment, StdinEnvironment
from tinysmith.errors import UsageError
from tinysmith.models.recorded import Recorded
from tinysmith.nodes import World
from tinysmith.protocols import Environment, Task
from tinysmith.strategy import Strategy, plan_of

BUILT_IN = ("demo", "intercode-sql", "stdin")


def make_environment(name: str | None, data: str | None, strategy: type[Strategy[Any]]) -> Environment | None:
    """The environment that `--env` names; None where none is named and none is needed.

    Raises:
        UsageError: There is none of that name, or it needs a folder of data, or the strategy needs one.
    """
    if name is None:
        plan = plan_of(strategy)
        world = next((node for node, kind in plan.kinds.items() if kind is World), None)
        if world is not None:
            raise UsageError(
                f"{plan.name}.{world} acts in an environment. Add --env: {', '.join(BUILT_IN)}, or yours."
            )
        return None
    if name == "intercode-sql":
        if data is None:
            raise UsageError("--env intercode-sql needs its data: add --data DIR, with ic_spider_dev.json in it.")
        return SqlEnvironment(data)
    if name in BUILT_IN:
        if data is not None:
            raise UsageError(f"--env {name} takes no data; leave out --data.")
        # Standard output is for results.
        return SqlEnvironment.demo() if name == "demo" else StdinEnvironment(stdout=sys.stderr)
    if ":" not in name:
        raise UsageError(
            f"There is no environment {name!r}. {near(name, BUILT_IN)} Or name a factory, module:name."
        )
    return _from_factory(name, data)


def _from_factory(name: str, data: str | None) -> Environment:
    factory = load_factory(name)
    takes_data = "data" in inspect.signature(factory).parameters
    if data is not None and not takes_data:
        raise UsageError(f"{name} takes no data; leave out --data.")
    try:
        made = factory() if data is None else factory(data=Path(data))
    except TypeError as error:
        raise UsageError(f"{name} cannot be made: {error}. It may take `data`, and nothing else.") from None
    for method in ("reset", "step", "close"):
        if not inspect.iscoroutinefunction(getattr(made, method, None)):
            problem = f"{name} made a {type(made).__name__}, which is no environment"
            raise UsageError(f"{problem}: it has no `async def {method}`.")
    environment: Environment = made
    return environment


def chosen_tasks(
    arguments: argparse.Namespace, environment: Environment | None, bound: Sequence[Any]
) -> list[Task]:
    """The tasks that `--task` or `--all` names.

    Raises:
        UsageError: None is named where the environment has tasks, or one is not there.
    """
    tasks = getattr(environment, "tasks", None)
    if tasks is None:
        if arguments.all or arguments.task:
            of_env = f"--env {arguments.env} has no tasks of its own"
            none = "Without --env there are no tasks" if arguments.env is None else of_env
            raise UsageError(f"{none}; leave out --task and --all.")
        return [Task("")]
    known = _by_id(tasks, arguments.env)
    if arguments.task:
        return [_task(known, name) for name in arguments.task]
    if not arguments.all:
        raise UsageError(
            f"--env {arguments.env} has {len(known)} tasks: add --all, or --task {next(iter(known))}."
        )
    recorded = [set(model.task_ids) for model in bound if isinstance(model, Recorded)]
    chosen = [task for task in known.values() if all(task.id in ids for ids in recorded)]
    if not chosen:
        raise UsageError(f"None of the recorded tasks is among the {len(known)} of --env {arguments.env}.")
    return chosen


def _by_id(tasks: Any, name: str) -> dict[str, Task]:
    found = (
        list(tasks.values() if isinstance(tasks, Mapping) else tasks) if isinstance(tasks, Iterable) else [tasks]
    )
    strange = [task for task in found if not isinstance(task, Task)]
    if strange or not found:
        problem = f"the tasks of --env {name} hold {strange[0]!r}" if strange else f"--env {name} has no tasks"
        raise UsageError(f"{problem}. Give a sequence of Task objects, or a mapping from their ids.")
    return {task.id: task for task in found}


def _task(known: Mapping[str, Task], name: str) -> Task:
    if name not in known:
        raise UsageError(f"There is no task {name!r} among these {len(known)}. {near(name, known)}")
    return known[name]
