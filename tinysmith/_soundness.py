"""The checks that a strategy's class must pass when it is created."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from tinysmith._codec import UnfitTypeError, class_faults, codec
from tinysmith._declare import Declaration
from tinysmith._shown import near, one_line
from tinysmith.errors import Finding, TemplateError
from tinysmith.limits import LIMIT_NAMES
from tinysmith.nodes import Agent, Guard, Halt, Node, World
from tinysmith.templates import GLOBALS, Template

OUTCOMES = LIMIT_NAMES | {
    "model_failed",
    "tool_failed",
    "environment_lost",
    "environment_over",
    "context_overflow",
    "recording_over",
}
"""The outcomes that are not halts; no halt may have such a name."""

_READS_BOARD = frozenset({"action", "prompt"})
"""Where a template is called with the board; elsewhere a node gives it values of its own."""


def soundness(declared: Declaration, allow: Mapping[str, str]) -> list[Finding]:
    """All findings on a declaration, those excepted that the class allows with a reason."""
    findings = list(declared.findings)
    for check in _ALWAYS if any(found.code == "not-an-edge" for found in findings) else (*_ALWAYS, _sources):
        findings += check(declared)
    if not declared.findings:
        findings += _reach(declared)
    left = (found for found in findings if found.code not in ALLOWABLE or reason_for(found, allow) is None)
    return [*_allowances(declared, allow), *left]


def reason_for(found: Finding, allow: Mapping[str, str]) -> str | None:
    """The reason with which a class allows a finding, everywhere or at its node; None where it does not."""
    node = found.where.rpartition(".")[2]
    return allow.get(found.code, allow.get(f"{found.code}:{node}"))


def _allowances(declared: Declaration, allow: Mapping[str, str]) -> Iterator[Finding]:
    for place, reason in allow.items():
        code, colon, node = str(place).partition(":")
        if code not in ALLOWABLE | CHECKED:
            known = ", ".join((*sorted(ALLOWABLE), *sorted(CHECKED)))
            problem = f"allow names {place!r}, which cannot be allowed."
            yield Finding("bad-allowance", declared.name, problem, f"What can: {known}.")
        elif colon and node not in declared.nodes:
            problem = f"allow names {place!r}, but there is no node {node!r}."
            yield Finding("bad-allowance", declared.name, problem, near(node, declared.nodes))
        elif not isinstance(reason, str) or not reason.strip():
            problem = f"allow[{place!r}] gives no reason."
            yield Finding("bad-allowance", declared.name, problem, "Say in a few words why it is right here.")


def _board(declared: Declaration) -> Iterator[Finding]:
    if declared.board_type is None:
        return
    if not attrs.has(declared.board_type):
        for fault in class_faults(declared.board_type, declared.board_type.__name__):
            yield Finding("board-type", f"{declared.name}: {fault.path}", fault.problem, fault.remedy)
        return
    try:
        codec(declared.board_type, declared.board_type.__name__)
    except UnfitTypeError as error:
        for fault in error.faults:
            yield Finding("board-type", f"{declared.name}: {fault.path}", fault.problem, fault.remedy)


def _halt_names(declared: Declaration) -> Iterator[Finding]:
    for name, node in declared.nodes.items():
        if isinstance(node, Halt) and name in OUTCOMES:
            problem = "a halt of this name could not be told from the outcome of that name."
            yield Finding("reserved-outcome", f"{declared.name}.{name}", problem, "Rename the halt.")


def _guards(declared: Declaration) -> Iterator[Finding]:
    for arrow in declared.arrows:
        problem = None if arrow.guard is None else guard_fault(arrow.guard)
        if problem:
            remedy = "Name a module-level function: def is_ready(board: Board) -> bool."
            yield Finding("bad-guard", f"{declared.name}.{arrow.source}", problem, remedy)


def guard_fault(guard: Guard[Any]) -> str | None:
    """Why something cannot be a guard, or None."""
    if not callable(guard):
        return f"its guard is {guard!r}, which is no function; a guard is named, not called."
    name = getattr(guard, "__name__", None)
    if name is None or name == "<lambda>":
        return "one of its guards has no name, so no diagram and no message could tell which it is."
    if inspect.iscoroutinefunction(guard):
        return f"its guard {name} is async, so its answer would never be True or False."
    try:
        inspect.signature(guard).bind(object())
    except (TypeError, ValueError):
        return f"its guard {name} does not take exactly one board."
    return None


def _templates(declared: Declaration) -> Iterator[Finding]:
    """Finds nodes' templates that are none, and names in their prompts that the board does not have."""
    known = _known_names(declared.board_type)
    for name, node in declared.nodes.items():
        where = f"{declared.name}.{name}"
        if isinstance(node, Agent) and not callable(node.prompt):
            problem = f"its prompt is {one_line(repr(node.prompt), 60)}, which is no method."
            yield Finding("bad-template", where, problem, 'Write a method, or prompt = Template("file.jinja").')
        for attribute, template in _templates_of(node).items():
            try:
                names = template.names
            except TemplateError as error:
                yield Finding("bad-template", where, str(error), f"The template is the node's `{attribute}`.")
                continue
            if known is None or attribute not in _READS_BOARD:
                continue
            for word in sorted(names - known - GLOBALS):
                place = template.place_of(word)
                problem = f"its {attribute} ({place}) reads {word!r}, which the board does not have."
                yield Finding("template-name", where, problem, near(word, known))


def _known_names(board: type[Any] | None) -> set[str] | None:
    """What a template may read of a board; None, if it is no board."""
    if board is None or not attrs.has(board):
        return None
    return {part.name for part in attrs.fields(board)} | {name for name in dir(board) if name[0] != "_"}


def _templates_of(node: Node[Any]) -> dict[str, Template]:
    """The templates that a node holds, its class's and its own."""
    held: dict[str, object] = {}
    for holder in (*reversed(type(node).__mro__), node):
        held |= getattr(holder, "__dict__", {})
    return {name: value for name, value in held.items() if isinstance(value, Template)}


def _sources(declared: Declaration) -> Iterator[Finding]:
    for name, node in declared.nodes.items():
        where = f"{declared.name}.{name}"
        leaving = declared.leaving(name)
        if isinstance(node, Halt):
            if leaving or declared.leaving(name, on_failure=True):
                yield Finding("edge-from-halt", where, "an edge leaves a halt.", "Remove it.")
            continue
        if len(declared.leaving(name, on_failure=True)) > 1:
            problem = "it has two failure edges; only the first could be taken."
            yield Finding("second-failure-edge", where, problem, "Keep one.")
        open_ways = [place for place, arrow in enumerate(leaving) if arrow.guard is None]
        if open_ways and open_ways[0] != len(leaving) - 1:
            behind = leaving[open_ways[0] + 1].target
            problem = f"its edge to {behind} stands after the one without a guard, so it is never taken."
            yield Finding("edge-after-otherwise", where, problem, "Put the edge without `when` last.")
        if not open_ways and name in declared.mentioned() and name not in declared.unread:
            yield _no_otherwise(declared, name, where, [arrow.guard for arrow in leaving])
        yield from _guards_twice(where, [arrow.guard for arrow in leaving])


def _no_otherwise(declared: Declaration, name: str, where: str, guards: list[Any]) -> Finding:
    halts = [halt for halt, node in declared.nodes.items() if isinstance(node, Halt)]
    remedy = f"End them with one that has no `when`, e.g. `{name}.to({halts[0] if halts else 'gave_up'})`."
    if not guards:
        return Finding("no-edges", where, "no edge leaves it, so a run would be stuck there.", remedy)
    tried = ", ".join(getattr(guard, "__name__", "?") for guard in guards)
    return Finding("no-otherwise", where, f"a run is stuck there where no guard holds ({tried}).", remedy)


def _guards_twice(where: str, guards: list[Any]) -> Iterator[Finding]:
    seen: list[Any] = []
    for guard in guards:
        if guard is not None and guard_fault(guard) is None and any(guard is other for other in seen):
            problem = f"its guard {guard.__name__} stands on two edges; the second is never taken."
            yield Finding("same-guard-twice", where, problem, "Remove one, or ask something else.")
        seen.append(guard)


def _reach(declared: Declaration) -> Iterator[Finding]:
    used = declared.mentioned()
    reachable = declared.reached(str(declared.initial))
    for name in declared.nodes:
        where = f"{declared.name}.{name}"
        if name not in used:
            yield Finding("unused-node", where, "no edge mentions it.", "Add an edge to it, or remove it.")
        elif name not in reachable:
            problem = f"no edges lead to it from the initial node {declared.initial}."
            yield Finding("unreachable-node", where, problem, "Add an edge to it, or remove it.")
    ends = [name for name, node in declared.nodes.items() if isinstance(node, Halt | World)]
    with_exit = declared.reached(*ends, backwards=True)
    for name in declared.nodes:
        if name in used and name not in with_exit:
            problem = "from it neither a halt nor a world node can be reached, so a run could never end."
            yield Finding("no-exit", f"{declared.name}.{name}", problem, "Add an edge that leads out.")


_ALWAYS: tuple[Callable[[Declaration], Iterator[Finding]], ...] = (_board, _halt_names, _guards, _templates)

ALLOWABLE = frozenset(
    {
        "edge-after-otherwise",
        "no-exit",
        "no-otherwise",
        "same-guard-twice",
        "second-failure-edge",
        "unreachable-node",
        "unused-node",
    }
)
"""The findings that a class may switch off: those with which a machine can still be built."""

CHECKED = frozenset(
    {
        "bad-prompt",
        "edge-never-taken",
        "field-never-read",
        "guard-mutates",
        "guard-never-held",
        "guard-not-bool",
        "guard-raises",
        "guard-wavers",
        "hidden-state",
        "live-lock",
        "max-hops",
        "no-guard-holds",
        "node-raises",
        "not-json",
        "not-proved",
        "not-searched",
        "order-decides",
        "paid-after-end",
        "read-unwritten",
        "unbounded-cycle",
    }
)
"""What `tinysmith.checks` looks for, which a class may allow too."""
