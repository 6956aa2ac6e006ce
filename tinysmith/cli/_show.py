"""`tinysmith show`: a run of a journal, row by row. No code of its strategy is needed, and none is run."""

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import asdict, evolve, fields

from tinysmith._shown import one_line
from tinysmith.cli._journal import opened
from tinysmith.journal import Logged, RunRecord
from tinysmith.journal._events import event_data
from tinysmith.journal._folding import limits_of
from tinysmith.limits import Limits
from tinysmith.mapping import JSON, thaw
from tinysmith.messages import Observation, Reply, Result

_MARGIN = " " * 7


def show_command(arguments: argparse.Namespace) -> int:
    """Shows the run."""
    with opened(arguments.journal, read_only=True) as journal:
        record = journal.read(journal.find(arguments.run))
    if arguments.json:
        for data in (_header_data(record), *(_row_data(each, record.graph) for each in record.log)):
            print(json.dumps(data))
    else:
        for line in (*_header_lines(record), *(line for each in record.log for line in _row_lines(each, record))):
            print(line)
    return 0


def _header_lines(record: RunRecord) -> Iterator[str]:
    header = record.header
    begun = f"begun {one_line(header.begun_at[:19])}"
    yield f"run {record.run_id}: {one_line(header.strategy)}, {one_line(record.outcome)}, {begun}"
    if record.parent:
        yield f"{_MARGIN}forked from {record.parent}"
    if header.task is not None and header.task.id:
        yield f"{_MARGIN}task {one_line(header.task.id)}: {one_line(header.task.query)}"
    if header.opening:
        yield f"{_MARGIN}opening: {one_line(header.opening)}"
    yield from _named("models", header.models.items())
    if header.environment:
        yield f"{_MARGIN}environment: {one_line(header.environment)}"
    yield from _named("limits", _differing(header.limits, Limits()))
    yield from _named("versions", header.versions.items())


def _named(what: str, pairs: Iterable[tuple[str, object]]) -> Iterator[str]:
    told = [f"{name}={value}" for name, value in pairs]
    if told:
        yield f"{_MARGIN}{what}: {one_line(', '.join(told), 140)}"


def _differing(limits: Limits, others: Limits) -> list[tuple[str, object]]:
    names = [each.name for each in fields(Limits)]
    return [(name, getattr(limits, name)) for name in names if getattr(limits, name) != getattr(others, name)]


def _row_lines(logged: Logged, record: RunRecord) -> Iterator[str]:
    if logged.event is None:
        yield f"{logged.row:>4} · {_told(logged, record)}"
        return
    ways = " ".join(
        f"→ {target}" + (f" ({guard})" if guard else "") for target, guard in _edges(logged, record.graph)
    )
    head = f"{logged.row:>4} {one_line(logged.event.answers, 40)} {one_line(ways, 120) or '…'}"
    yield f"{head:<41} {_done(logged)}{_said(logged.event)}"
    if logged.problem:
        yield f"{_MARGIN}the strategy raised {one_line(logged.problem, 200)}"
    for change in logged.changes:
        yield f"{_MARGIN}{_change(change)}"


def _done(logged: Logged) -> str:
    if logged.did is None:
        return ""
    did = logged.did if isinstance(logged.did, str) else repr(thaw(logged.did))
    return f"$ {one_line(did, 60)} ⇒ "


def _said(event: Any) -> str:
    match event:
        case Reply(text=text):
            return one_line(text)
        case Observation(text=text, reward=reward):
            return f"{one_line(text)}  [reward {reward:g}]"
        case Result(value=value):
            return one_line(repr(value))
        case failed:
            return one_line(f"{failed.kind}: {failed.message}")


def _change(change: JSON) -> str:
    """A field and its value; of a row that has grown, what is new behind what stays."""
    name, *stays, value = thaw(change)
    kept = f"[{stays[0]}:{stays[1]}] +" if stays else " ="
    return one_line(f"{name}{kept} {value!r}", 140)


def _edges(logged: Logged, graph: JSON) -> list[tuple[str, str]]:
    """The targets of the edges taken and their guards, as the graph has them; a file's graph may be anything."""
    node: Any = "" if logged.event is None else logged.event.answers.partition("[")[0]
    taken = []
    for index in logged.hops or ():
        try:
            node, guard = (graph["failures"][node], "failed") if index < 0 else graph["edges"][node][index]
        except (KeyError, IndexError, TypeError, ValueError):
            node, guard = f"edge {index}", "not in the graph"
        taken.append((str(node), str(guard or "")))
    return taken


def _told(logged: Logged, record: RunRecord) -> str:
    """What happened, in words."""
    data = thaw(logged.data)
    match logged.kind:
        case "ended":
            words = _ending(data)
        case "paused":
            words = f"paused before {', '.join(map(str, data.get('requests', ())))}"
        case "resumed":
            words = _resuming(logged, record)
        case "decided":
            words = f"{data.get('request')}: {data.get('decision')}"
            words += "".join(f" {data[name]!r}" for name in ("instead", "reason") if name in data)
        case "forked":
            words = f"forked at step {data.get('step')}" + (
                ", with another board" if data.get("board") is not None else ""
            )
        case kind:
            words = kind
    return one_line(words, 200)


def _ending(data: dict[str, Any]) -> str:
    grade, error = data.get("grade"), data.get("error")
    words = f"ended: {data.get('outcome')}" + (" (success)" if data.get("success") else "")
    words += f", score {grade['score']}" if isinstance(grade, dict) and "score" in grade else ""
    return words + (f"; {error}" if error else "")


def _resuming(logged: Logged, record: RunRecord) -> str:
    data = logged.data
    again = ", ".join(map(str, data.get("asked_again") or ())) or "nothing"
    words = f"resumed; asked again: {again}"
    if data.get("took"):
        words += f"; row {data['took']}, at which the strategy had raised, counts now"
    if data.get("fingerprint"):
        words += "; the strategy has been changed"
    given = limits_of(evolve(record, log=(logged,)))
    changed = ", ".join(f"{name}={value}" for name, value in _differing(given, record.header.limits))
    return words + (f"; limits: {changed}" if changed else "")


def _header_data(record: RunRecord) -> dict[str, Any]:
    header = record.header
    task = None if header.task is None else {"id": header.task.id, "query": header.task.query}
    return {
        "event": "run",
        "run_id": record.run_id,
        "strategy": header.strategy,
        "outcome": record.outcome,
        "begun_at": header.begun_at,
        "parent": record.parent,
        "task": task,
        "opening": header.opening,
        "environment": header.environment,
        "models": dict(header.models),
        "limits": asdict(header.limits),
        "versions": dict(header.versions),
        "board": record.board,
    }


def _row_data(logged: Logged, graph: JSON) -> dict[str, Any]:
    data: dict[str, Any] = {"event": logged.kind, "row": logged.row, "at": logged.at.isoformat()}
    if logged.event is None:
        return data | {"data": thaw(logged.data)}
    data |= {"answers": logged.event.answers, **event_data(logged.event), "did": thaw(logged.did)}
    hops = [{"target": target, "guard": guard} for target, guard in _edges(logged, graph)]
    return data | {"hops": hops, "changes": thaw(logged.changes), "problem": logged.problem}
