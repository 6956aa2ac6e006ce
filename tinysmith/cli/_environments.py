"""`--env`, `--data`, `--task` and what else says what is acted on."""

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tinysmith._shown import near
from tinysmith.cli._load import load_factory
from tinysmith.environments import SqlEnvironment, StdinEnvironment, Tasks
from tinysmith.errors import UsageError
from tinysmith.models.recorded import Recorded
from tinysmith.nodes import World
from tinysmith.protocols import Environment, Task
from tinysmith.strategy import Strategy, plan_of

_OPTIONS = {"data": "data", "assets": "assets", "fidelity": "fidelity", "sandbox": "backend"}
"""Options of the command line that go to the environment, and what they are called there."""

_UNSAFE = (
    "tinysmith: --sandbox unsafe-local is no sandbox: commands run on this machine as you, with your files and "
    "your network."
)
_NO_ASSETS = "tinysmith: without --assets DIR the tasks lack their files, and few can be solved."


@frozen
class _BuiltIn:
    """What a built-in environment takes of the options, and a file that its data has, if it needs data."""

    takes: frozenset[str] = frozenset()
    data: str = ""


_SANDBOXED = frozenset({"data", "backend"})
_INTERCODE = _SANDBOXED | {"fidelity"}
BUILT_IN = {
    "demo": _BuiltIn(frozenset({"backend"})),
    "intercode-sql": _BuiltIn(frozenset({"data"}), "ic_spider_dev.json"),
    "intercode-bash": _BuiltIn(_INTERCODE, "nl2bash_fs_1.json"),
    "intercode-python": _BuiltIn(_INTERCODE, "ic_mbpp.json"),
    "intercode-ctf": _BuiltIn(_INTERCODE | {"assets"}, "ic_ctf.json"),
    "shell": _BuiltIn(_SANDBOXED, "tasks.json"),
    "stdin": _BuiltIn(),
}


def make_environment(arguments: argparse.Namespace, strategy: type[Strategy[Any]]) -> Environment | None:
    """The environment that `--env` names; None where none is named and none is needed.

    Raises:
        UsageError: There is none of that name, or it needs a folder of data, or the strategy needs one, or it does
            not take what is given besides.
    """
    name: str | None = arguments.env
    options = {of: getattr(arguments, flag) for flag, of in _OPTIONS.items()}
    options = {of: given for of, given in options.items() if given is not None}
    if name is None:
        _demand_none(strategy, options)
        return None
    if name in BUILT_IN:
        made = _built_in(name, options)
    elif ":" in name:
        made = _from_factory(name, options)
    else:
        problem = f"There is no environment {name!r}. {near(name, BUILT_IN)}"
        raise UsageError(f"{problem} Or name a factory, module:name.")
    if options.get("backend") == "unsafe-local":
        print(_UNSAFE, file=sys.stderr)
    if name == "intercode-ctf" and "assets" not in options:
        print(_NO_ASSETS, file=sys.stderr)
    return made


def _demand_none(strategy: type[Strategy[Any]], options: Mapping[str, str]) -> None:
    plan = plan_of(strategy)
    world = next((node for node, kind in plan.kinds.items() if kind is World), None)
    if world is not None:
        raise UsageError(
            f"{plan.name}.{world} acts in an environment. Add --env: {', '.join(BUILT_IN)}, or yours."
        )
    for flag, of in _OPTIONS.items():
        if of in options:
            raise UsageError(f"--{flag} is for an environment. Add --env, or leave it out.")


def _refuse(options: Mapping[str, str], takes: frozenset[str], name: str) -> None:
    for flag, of in _OPTIONS.items():
        if of in options and of not in takes:
            raise UsageError(f"{name} takes no {flag}; leave out --{flag}.")


def _built_in(name: str, options: Mapping[str, str]) -> Environment:
    needed = BUILT_IN[name]
    _refuse(options, needed.takes, f"--env {name}")
    if needed.data and "data" not in options:
        raise UsageError(f"--env {name} needs its data: add --data DIR, with {needed.data} in it.")
    if "data" in options:
        _refuse_the_folder_above(name, needed.data, options["data"])
    more = {of: given for of, given in options.items() if of != "data"}
    return _MAKERS[name](options.get("data", ""), more)


def _refuse_the_folder_above(name: str, file: str, folder: str) -> None:
    """Refuses the folder that `tinysmith intercode import` makes where one of those in it is meant."""
    inner = os.path.join(folder, name.removeprefix("intercode-"))  # noqa: PTH118  # see below
    # `isfile`, unlike a Path's, answers False of what cannot be looked at; the environment says more of that.
    if not os.path.isfile(os.path.join(folder, file)) and os.path.isfile(os.path.join(inner, file)):  # noqa: PTH113, PTH118
        raise UsageError(f"--data {folder}: {file} is not in it, but in {inner}. Give --data {inner}.")


# What needs a sandbox is imported when it is asked for, so that nobody else waits for it.


def _demo(_: str, more: Mapping[str, Any]) -> Environment:
    from tinysmith.environments.demonstration import DemoEnvironment  # noqa: PLC0415  # see above

    return DemoEnvironment(**more)


def _bash(data: str, more: Mapping[str, Any]) -> Environment:
    from tinysmith.environments.bash import BashEnvironment  # noqa: PLC0415  # see above

    return BashEnvironment(data, **more)


def _python(data: str, more: Mapping[str, Any]) -> Environment:
    from tinysmith.environments.python import PythonEnvironment  # noqa: PLC0415  # see above

    return PythonEnvironment(data, **more)


def _ctf(data: str, more: Mapping[str, Any]) -> Environment:
    from tinysmith.environments.ctf import CtfEnvironment  # noqa: PLC0415  # see above

    return CtfEnvironment(data, **more)


def _shell(data: str, more: Mapping[str, Any]) -> Environment:
    from tinysmith.environments.shell import ShellEnvironment  # noqa: PLC0415  # see above

    return ShellEnvironment.read(data, **more)


_MAKERS: Mapping[str, Callable[[str, Mapping[str, Any]], Environment]] = {
    "demo": _demo,
    "intercode-sql": lambda data, _: SqlEnvironment(data),
    "intercode-bash": _bash,
    "intercode-python": _python,
    "intercode-ctf": _ctf,
    "shell": _shell,
    "stdin": lambda _, __: StdinEnvironment(stdout=sys.stderr),  # standard output is for results
}


def _from_factory(name: str, options: Mapping[str, Any]) -> Environment:
    factory = load_factory(name)
    _refuse(options, frozenset(inspect.signature(factory).parameters), name)
    given = {of: Path(value) if of in {"data", "assets"} else value for of, value in options.items()}
    try:
        made = factory(**given)
    except TypeError as error:
        takes = "`data`, `assets`, `fidelity` and `backend`"
        raise UsageError(f"{name} cannot be made: {error}. It may take {takes}, and nothing else.") from None
    for method in ("reset", "step", "close"):
        if not inspect.iscoroutinefunction(getattr(made, method, None)):
            problem = f"{name} made a {type(made).__name__}, which is no environment"
            raise UsageError(f"{problem}: it has no `async def {method}`.")
    environment: Environment = made
    return environment


def chosen_tasks(
    arguments: argparse.Namespace, environment: Environment | None, bound: Sequence[Any]
) -> list[Task]:
    """The tasks that `--task`, `--split` or `--all` names.

    Raises:
        UsageError: None is named where the environment has tasks, or one is not there.
    """
    tasks = getattr(environment, "tasks", None)
    named = [flag for flag in ("task", "split", "all") if getattr(arguments, flag)]
    if tasks is None:
        if named:
            of_env = f"--env {arguments.env} has no tasks of its own"
            none = "Without --env there are no tasks" if arguments.env is None else of_env
            raise UsageError(f"{none}; leave out --task, --split and --all.")
        return [Task("")]
    known = _by_id(tasks, arguments.env)
    if arguments.task:
        return [_task(known, name) for name in arguments.task]
    splits = tasks.splits if isinstance(tasks, Tasks) else ()
    if not named:
        some = f", --split {splits[0]}" if splits else ""
        raise UsageError(
            f"--env {arguments.env} has {len(known)} tasks: add --all{some}, or --task {next(iter(known))}."
        )
    if arguments.split:
        if not splits:
            raise UsageError(f"The tasks of --env {arguments.env} have no splits; use --all or --task.")
        ids = {task.id for name in arguments.split for task in tasks.split(name)}
        known = {name: task for name, task in known.items() if name in ids}
    recorded = [set(model.task_ids) for model in bound if isinstance(model, Recorded)]
    chosen = [task for task in known.values() if all(task.id in ids for ids in recorded)]
    if not chosen:
        of = f" in {' or '.join(arguments.split)}" if arguments.split else ""
        raise UsageError(f"None of the recorded tasks is among the {len(known)} of --env {arguments.env}{of}.")
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
