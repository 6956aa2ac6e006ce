"""What follows from a whole search: what raised, what was never come by, what goes on for ever."""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from tinysmith._alphabet import Alphabet
from tinysmith._boards import board_after
from tinysmith._search import Fault
from tinysmith._shown import one_line
from tinysmith._turn import Plan
from tinysmith.checks._cycles import HOPS, Stay, regions, unbounded
from tinysmith.checks._fields import FieldUse
from tinysmith.checks._inspection import Inspection, shown
from tinysmith.checks._sightings import Sighting
from tinysmith.conversation import Conversation, answered, way
from tinysmith.coverage import FAILURE, Item
from tinysmith.errors import BoardError, EndlessCycleError, GuardError, NoEdgeError, ParseError, PromptError
from tinysmith.exploration import Exploration
from tinysmith.limits import UNLIMITED
from tinysmith.nodes import Rule, World
from tinysmith.strategy import plan_of

_COUNT = "Count rounds on the board, such as `rounds_left`, and lead out by a guard when none is left."


def how_far(found: Exploration[Any]) -> str:
    """How far a search went, in words."""
    positions = f"{found.positions:,} {'position' if found.positions == 1 else 'positions'}"
    if found.is_complete:
        return f"Searched: {positions}, all that there are over this alphabet."
    return (
        f"Searched: {positions}{f' and {found.walked:,} walks' if found.walked else ''}, to depth {found.depth}."
    )


def further(found: Exploration[Any]) -> str:
    """How to search past the bound that stopped a search, as a sentence's end."""
    if found.cut.startswith("depth"):
        return f"search deeper than {found.cut}: by depth=, on the command line --depth."
    options = "max_positions= or walks=, on the command line --max-positions or --walks"
    return f"go further than {found.cut}: by {options}."


def _or_further(found: Exploration[Any], remedy: str) -> str:
    return remedy if found.is_complete else f"{remedy} Or {further(found)}"


# What raised ---------------------------------------------------------------------------------------------


def raised(found: Exploration[Any]) -> Iterator[tuple[Sighting, Conversation[Any]]]:
    """What a run raised, each with the conversation that leads there."""
    plan = plan_of(found.strategy)
    for fault in found.faults:
        guard = _guard_of(plan, fault)
        board = _board_at(plan, fault)
        code, problem, remedy = _told(fault, guard)
        node = fault.path[-1] if code == "not-json" else fault.node
        line = "" if board is None else shown(board)
        sighting = Sighting(code, node, problem, remedy, guard=guard, shown=line, board="reachable")
        yield sighting, fault.conversation


def _told(fault: Fault, guard: Any) -> tuple[str, str, str]:
    error = fault.error
    said = one_line(f"{type(error).__name__}: {error}", 200)
    match error:
        case NoEdgeError():
            remedy = f"End its edges with one that has no `when`, e.g. `{fault.node}.to(gave_up)`."
            return "no-guard-holds", f"none of its guards holds (tried {', '.join(error.tried)}).", remedy
        case GuardError() if error.__cause__ is not None:
            said = one_line(f"{type(error.__cause__).__name__}: {error.__cause__}", 200)
            remedy = "A guard answers on every board: let it answer False where it cannot tell."
            return "guard-raises", f"its guard {guard.__name__} raised {said}.", remedy
        case GuardError():
            return "guard-not-bool", _bare(error), "Answer with bool(…), or with a comparison."
        case PromptError():
            remedy = "Return a text that is not empty, or messages; of a panel, one prompt a seat at least."
            return "bad-prompt", f"what it asks for cannot be sent: {_bare(error)}", remedy
        case BoardError() if isinstance(error.__cause__, TypeError):
            remedy = "Put only values on the board that the types of its fields say."
            return "not-json", f"it puts on the board what cannot be kept: {error.__cause__}.", remedy
        case ParseError():
            remedy = "Only an agent's `parse` or `receive` may: nobody else can be asked again."
            return "node-raises", f"it raised {said.rstrip('.')}, though nobody's reply is at fault.", remedy
    remedy = "Raise ParseError where a reply is at fault; else take care of that case."
    return "node-raises", f"it raised {said.rstrip('.')}.", remedy


def _bare(error: Exception) -> str:
    return one_line(str(error).partition(": ")[2], 200)


def _guard_of(plan: Plan, fault: Fault) -> Any:
    if not isinstance(fault.error, GuardError):
        return None
    said = str(fault.error)
    return next(guard for guard in plan.guards[fault.node] if f"its guard {guard.__name__} " in said)


def _board_at(plan: Plan, fault: Fault) -> Any:
    """The board about which the guards were asked, worked out once more; None where it was none of them."""
    if not isinstance(fault.error, NoEdgeError | GuardError):
        return None
    told = fault.conversation
    if told.events:
        *_, before = evolve(told, events=told.events[:-1]).positions()
        event = told.events[-1]
        node, board = before.node, board_after(plan, before, answered(before, event), event)
    else:
        node, board = plan.initial, told.board
        board = _ruled(plan, node, board)
    while node != fault.node:
        node = plan.hops[node][plan.engine.hop(node, board)].target
        board = _ruled(plan, node, board)
    return board


def _ruled(plan: Plan, node: str, board: Any) -> Any:
    rule: Any = plan.nodes[node]
    return rule.apply(board) if isinstance(rule, Rule) else board


def replayed(found: Exploration[Any]) -> Iterator[tuple[Sighting, Conversation[Any]]]:
    """Runs that end in another way when a fresh object of the strategy folds the same events again."""
    for outcome, told in found.outcomes.items():
        try:
            *_, last = evolve(told, strategy=type(found.strategy)()).positions()
            ended = "went on" if last.done is None else f"ended as {last.done.outcome}"
        except Exception as error:  # noqa: BLE001  # it did not raise before
            ended = f"raised {one_line(f'{type(error).__name__}: {error}')}"
        if ended != f"ended as {outcome}":
            problem = f"a run ended as {outcome}, and the same events, folded again, {ended}."
            remedy = (
                "Put whatever changes on the board; nodes and guards keep nothing, and ask no clock and no dice."
            )
            yield Sighting("hidden-state", "", problem, remedy, board="reachable"), told


# What was never come by ----------------------------------------------------------------------------------


def never(found: Exploration[Any], seen: Inspection) -> Iterator[Sighting]:
    """The guards that never held, and the edges that were never taken, of nodes that were come to.

    Not where something raised at either end, or on the way there through rules, which is reason enough.
    """
    plan = plan_of(found.strategy)
    coverage = found.coverage
    faulty = {node for fault in found.faults for node in (fault.node, fault.path[-1])}
    faulty |= {node for node, kind in plan.kinds.items() if kind is Rule and found.faults}
    if "max_hops" in found.outcomes:
        faulty.add(_last_node(found.outcomes["max_hops"]))
    for item in coverage.missing:
        if item.kind != "edge" or not coverage.nodes.get(item.node) or faulty.intersection(_ends(plan, item)):
            continue
        guards = plan.guards[item.node]
        guard = guards[item.index] if 0 <= item.index < len(guards) else None
        if guard is None or (item.node, guard.__name__) in seen.held:
            yield _never_taken(found, item, guard, seen)
        else:
            remedy = "Mend the guard, give `samples` that make it hold, or take the edge away."
            problem = f"its guard {guard.__name__} never held. {how_far(found)}"
            yield Sighting("guard-never-held", item.node, problem, _or_further(found, remedy), guard=guard)


def _ends(plan: Plan, item: Item) -> set[str]:
    hop = plan.failures[item.node][0] if item.index == FAILURE else plan.hops[item.node][item.index]
    return {hop.source, hop.target}


def never_held_but(sighting: Sighting, board: Any) -> Sighting:
    """That a guard never held, with a board that its type allows and on which it holds, or that none was found."""
    if board is None:
        return evolve(sighting, problem=f"{sighting.problem} Nor did it on any board that was generated.")
    return evolve(sighting, shown=shown(board), board="possible")


def _never_taken(found: Exploration[Any], item: Item, guard: Any, seen: Inspection) -> Sighting:
    problem = f"its edge {item.name} was never taken"
    if guard is not None:
        remedy = "Put its edge before the other, make the earlier guard narrower, or take the edge away."
        problem = f"{problem}: where {guard.__name__} holds, an earlier guard does, too. {how_far(found)}"
        line = shown(seen.held[item.node, guard.__name__])
        remedy = _or_further(found, remedy)
        return Sighting("edge-never-taken", item.node, problem, remedy, guard=guard, shown=line, board="reachable")
    remedy = "Make an earlier guard narrower, give `samples` that lead there, or take the edge away."
    problem = f"{problem}. {how_far(found)}"
    return Sighting("edge-never-taken", item.node, problem, _or_further(found, remedy))


# What goes on for ever -----------------------------------------------------------------------------------


def endless(found: Exploration[Any], seen: Inspection, letters: Alphabet) -> Iterator[tuple[Sighting, Any]]:
    """Cycles that nothing bounds, rules that lead to rules, and positions with no way to an end."""
    cycle = found.cycle(avoiding=World)
    if cycle is not None:
        yield _cycle(cycle), cycle
    round_about = set() if cycle is None else set(cycle.path)
    for region in regions(plan_of(found.strategy)):
        if not round_about.intersection(region):
            yield from _stays(found, seen, letters, region)
    hops = found.outcomes.get("max_hops")
    if hops is not None:
        yield _rules(hops), hops
    trapped = found.livelock
    if trapped is not None and not found.faults:
        node = trapped.path[-1]
        problem = f"after {way(trapped.path)} no answer leads to a halt any more."
        remedy = "Add an edge that leads out, with a guard that can still hold then."
        yield Sighting("live-lock", node, problem, remedy, board="reachable"), trapped


def _cycle(cycle: Conversation[Any]) -> Sighting:
    path = cycle.path
    start = len(path) - 2 - path[-2::-1].index(path[-1])
    around = " → ".join(path[start:])
    problem = f"a run can go {around} for ever: it comes back to the same board, and meets no world node."
    return Sighting("unbounded-cycle", path[-1], problem, _COUNT, board="reachable")


def _stays(
    found: Exploration[Any], seen: Inspection, letters: Alphabet, region: tuple[str, ...]
) -> Iterator[tuple[Sighting, Any]]:
    for node in region:
        for stand in seen.stands.get(node, ()):
            stay = unbounded(found.strategy, letters, region, stand.position)
            if stay is not None:
                told = found.conversation(stand.trail)
                begun = (*told.events, *([] if stand.event is None else [stand.event]))
                yield _stayed(stay), evolve(told, events=(*begun, *_first_rounds(stay)))
                return


def _first_rounds(stay: Stay) -> Sequence[Any]:
    return stay.events[: 2 * len(stay.region)]


def _stayed(stay: Stay) -> Sighting:
    problem = (
        f"a run can stay in {', '.join(stay.region)} for {HOPS} hops and more without meeting a world node, and "
        "nothing on the board that changes with each round leads it out."
    )
    return Sighting("unbounded-cycle", stay.positions[0].node, problem, _COUNT, board="reachable")


def _rules(told: Conversation[Any]) -> Sighting:
    node = _last_node(told)
    remedy = "Let each round come nearer to a guard that leads out, or ask somebody in between."
    try:
        *_, last = evolve(told, limits=UNLIMITED).positions()
    except EndlessCycleError:
        problem = "rules lead to rules for ever: 10,000 hops without a request."
    else:
        problem = f"rules take {len(last.hops)} hops in a row, and by default a run ends after 50, as max_hops."
        remedy = "Do it in one rule; or give runs a higher Limits(max_hops=…), and allow this."
    return Sighting("max-hops", node, problem, remedy, board="reachable")


def _last_node(told: Conversation[Any]) -> str:
    *_, last = told.positions()
    return last.node


# What is read too early ----------------------------------------------------------------------------------


def field_use(
    found: Exploration[Any], use: FieldUse, boards: Sequence[Any], *, is_briefed: bool
) -> Iterator[Sighting]:
    """Fields that are read before they are written, and those that nothing reads."""
    told: set[tuple[str, str]] = set()
    for each in use.unwritten(found.coverage, boards, is_briefed=is_briefed):
        if (each.node, each.name) not in told:
            told.add((each.node, each.name))
            verb = "writes" if len(each.writers) == 1 else "write"
            late = f"only {' and '.join(each.writers)} {verb} it, later" if each.writers else "no node writes it"
            problem = f"{each.reader} reads the field {each.name}, which is still {each.value!r} there: {late}."
            remedy = "Write it before, in a node or in `brief`; or do not read it here. "
            remedy += "Where whoever starts a run gives it, allow this with that reason."
            yield Sighting("read-unwritten", each.node, problem, remedy)
    unread = use.never_read()
    if unread and not found.faults:
        fields = f"the field{'' if len(unread) == 1 else 's'} {', '.join(unread)}"
        problem = f"no node and no guard reads {fields} of its board."
        yield Sighting("field-never-read", "", problem, "Nothing to do, if that is a result; else take it away.")
