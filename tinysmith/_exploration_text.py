"""What an exploration found, in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tinysmith._shown import one_line
from tinysmith.conversation import way
from tinysmith.errors import NoEdgeError
from tinysmith.strategy import plan_of

if TYPE_CHECKING:
    from tinysmith.exploration import Exploration


def lines(found: "Exploration[Any]") -> Iterator[str]:
    """The lines of a report."""
    name, coverage = plan_of(found.strategy).name, found.coverage
    bounds = "all there are over this alphabet" if found.is_complete else f"stopped at {found.cut}"
    walks = f", then {found.walked} walks" if found.walked else ""
    yield f"{name}: {found.positions:,} positions to depth {found.depth} ({bounds}{walks})"
    for kind, what in (("node", "nodes"), ("edge", "edges"), ("guard", "guard outcomes")):
        items = [item for item in coverage.items if item.kind == kind]
        yield f"  {what}: {sum(item.seen > 0 for item in items)} of {len(items)}"
    yield from (f"    not come by: {item.name}" for item in coverage.missing)
    yield f"  worst case: {_worst(found)}"
    yield f"  live-lock: {_livelock(found)}"
    for fault in found.faults:
        kind = "deadlock" if isinstance(fault.error, NoEdgeError) else "fault"
        yield f"  {kind} at {fault.node}, after {way(fault.path)}: {one_line(fault.problem, 160)}"
    yield "  how runs end, each by the shortest way that was found:"
    for outcome, conversation in sorted(found.outcomes.items()):
        yield f"    {outcome}, after {len(conversation.events)}: {way(conversation.path)}"


def _worst(found: "Exploration[Any]") -> str:
    if found.most is not None:
        asks, steps = found.most
        return f"{asks} asks and {steps} environment steps, and one ask more for each reply that is asked again"
    cycle = found.cycle()
    if cycle is None:
        asks, steps = found.most_seen
        return f"not proved, since the search is not complete; {asks} asks and {steps} environment steps were seen"
    return f"none: a run may be where it was before, after {len(cycle.events)} events ({way(cycle.path)})"


def _livelock(found: "Exploration[Any]") -> str:
    if found.livelock is not None:
        return f"after {way(found.livelock.path)} no answer leads to a halt any more"
    return "none" if found.is_complete else "not proved, since the search is not complete"
