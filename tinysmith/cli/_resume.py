"""`tinysmith resume`: a run of a journal goes on."""

import argparse
import asyncio
from collections.abc import Mapping
from typing import Any

from attrs import evolve, fields

from tinysmith.approval import Approve, Edit, Refuse
from tinysmith.cli._approve import Answer, Approving, edit_of
from tinysmith.cli._bindings import bindings
from tinysmith.cli._environments import make_environment
from tinysmith.cli._journal import opened
from tinysmith.cli._load import load_strategy
from tinysmith.cli._models import ScriptOfTask, models
from tinysmith.cli._report import Episode, Report
from tinysmith.cli._run import exit_code, made
from tinysmith.errors import UsageError
from tinysmith.journal import Journal, RunRecord, aresume, replay
from tinysmith.journal._folding import limits_of
from tinysmith.limits import Limits
from tinysmith.messages import Ask, Call, Message, Reply
from tinysmith.models.scripted import Scripted
from tinysmith.protocols import Environment, Task
from tinysmith.run import Run
from tinysmith.strategy import Strategy


def resume_command(arguments: argparse.Namespace) -> int:
    """Goes on with the run, and returns the exit code, which is that of `run`."""
    kind = load_strategy(arguments.strategy)
    strategy = made(kind)
    bound = models(arguments, kind)
    tools = bindings(arguments, kind)
    environment = make_environment(arguments, kind)
    approving = Approving(arguments.approve, strategy, pauses=True) if arguments.approve else None
    report = Report(as_json=arguments.json, quiet=arguments.quiet)
    with opened(arguments.journal) as journal:
        record = journal.read(journal.find(arguments.run))
        task = record.header.task or Task("")
        decision = _decision(arguments, journal, record, strategy, approving)
        report.begin(task)
        if decision is True:  # nobody was there to decide
            run = replay(journal, record.run_id, strategy)
        else:
            run = asyncio.run(
                _gone_on(
                    journal, record, strategy, environment, model=_scripts_gone_on(bound, record, environment),
                    tools=tools, limits=_limits(arguments, record), listeners=[report.step],
                    pause_before=approving, decision=decision or None,
                    restore="leave" if arguments.leave_environment else "replay",
                )
            )  # fmt: skip
    episode = Episode(task, run, ())
    report.end(episode)
    return exit_code([episode], every=False)


async def _gone_on(
    journal: Journal, record: RunRecord, strategy: Strategy[Any], environment: Environment | None, **more: Any
) -> Run[Any]:
    try:
        return await aresume(journal, record.run_id, strategy, environment=environment, **more)
    finally:
        if environment is not None:
            await environment.close()


def _limits(arguments: argparse.Namespace, record: RunRecord) -> Limits | None:
    """The run's limits with those that are given; None if none is."""
    given = {limit.name: getattr(arguments, limit.name) for limit in fields(Limits) if limit.name in arguments}
    return evolve(limits_of(record), **given) if given else None


def _decision(
    arguments: argparse.Namespace,
    journal: Journal,
    record: RunRecord,
    strategy: Strategy[Any],
    approving: Approving | None,
) -> Answer:
    """What was decided about what a paused run waits for; False where it is not paused, so that nothing was."""
    if arguments.approve_pending:
        return Approve()
    if arguments.refuse is not None:
        return Refuse(arguments.refuse)
    if record.outcome != "paused":
        return False if arguments.edit is None else Edit(arguments.edit)
    pending: Any = replay(journal, record.run_id, strategy).position.requests
    if arguments.edit is not None:
        edit = edit_of(arguments.edit, is_call=isinstance(pending[0], Call))
        if edit is None:
            raise UsageError(f"--edit {arguments.edit!r} is no JSON object, which the arguments of a call are.")
        return edit
    # One decision is about all that is pending, so nobody is asked about a part of it.
    answer = approving(pending[0]) if approving is not None and len(pending) == 1 else False
    if answer is False:
        waiting = ", ".join(each.id for each in pending)
        problem = f"run {record.run_id} is paused before {waiting}, and waits for a person"
        raise UsageError(f"{problem}. Add --approve-pending, --edit TEXT or --refuse REASON.")
    return answer


def _scripts_gone_on(
    bound: Mapping[str, Any], record: RunRecord, environment: Environment | None
) -> Mapping[str, Any]:
    """The models; scripts, which are those of whole runs, go on behind the replies that the run has."""
    task = record.header.task or Task("")
    known = getattr(environment, "tasks", None) or ()
    for each in known.values() if isinstance(known, Mapping) else known:
        if each.id == task.id:
            task = evolve(task, script=each.script)  # a journal keeps none
    models = {
        name: model.episode(task) if isinstance(model, ScriptOfTask) else model for name, model in bound.items()
    }
    for event in record.events:
        node = event.answers.partition("[")[0]
        model = models.get(node, models.get("*"))
        if isinstance(event, Reply) and isinstance(model, Scripted):
            model.ask(Ask((Message("user", ""),), node=node))
    return models
