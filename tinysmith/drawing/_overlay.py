"""What is painted on a plain scene: the current node, a run's path, coverage, heat."""

from typing import Any

from attrs import evolve

from tinysmith._shown import near
from tinysmith._turn import Plan
from tinysmith.coverage import Coverage
from tinysmith.drawing._heat import QUANTITIES, heat_of
from tinysmith.drawing._scene import Arrow, Box, Mark, Scene, scene_of
from tinysmith.errors import UsageError
from tinysmith.position import Position
from tinysmith.run import Run
from tinysmith.strategy import Strategy, plan_of


def overlaid(
    strategy: Strategy[Any] | type[Strategy[Any]],
    *,
    at: str | Position[Any] | None = None,
    run: Run[Any] | None = None,
    coverage: Coverage | None = None,
    heat: str = "",
) -> Scene:
    """A strategy's scene with overlays. The arguments are those of `draw`.

    Raises:
        UsageError: The overlays do not go together, or with this strategy.
    """
    plan, scene = plan_of(strategy), scene_of(strategy)
    _check(plan, run, coverage, heat)
    if run is not None:
        scene = _with_path(scene, run)
    if coverage is not None:
        scene = _with_coverage(scene, coverage)
    if run is not None and heat:
        scene = _with_heat(scene, run, heat)
    return scene if at is None else _with_place(scene, at)


def _check(plan: Plan, run: Run[Any] | None, coverage: Coverage | None, heat: str) -> None:
    """Raises where overlays do not go together, or with the strategy."""
    if run is not None and coverage is not None:
        raise UsageError(
            "A run's path and a coverage do not go on one picture. Draw two, or give coverage=Coverage.of(run)."
        )
    if heat and heat not in QUANTITIES:
        raise UsageError(f"There is no heat {heat!r}. {near(heat, QUANTITIES)}")
    if heat and run is None:
        raise UsageError(f"heat={heat!r} is of a run. Give run=, too.")
    if run is not None and (run.declared is None or plan_of(run.declared) is not plan):
        problem = f"The run is of {run.strategy}, which is not the class {plan.name} that is drawn"
        raise UsageError(f"{problem}. Draw the strategy that ran: run.declared.")
    if coverage is not None and coverage.plan is not plan:
        problem = f"The coverage is of {coverage.plan.name}, which is not the class {plan.name} that is drawn"
        raise UsageError(f"{problem}. Draw that class.")


def _with_place(scene: Scene, at: str | Position[Any]) -> Scene:
    name = at.node if isinstance(at, Position) else at
    names = [box.name for box in scene.boxes]
    if name not in names:
        raise UsageError(f"{scene.title} has no node {name!r}. {near(name, names)}")
    boxes = (
        evolve(box, mark=evolve(box.mark, tone="current")) if box.name == name else box for box in scene.boxes
    )
    return evolve(scene, boxes=tuple(boxes), caption=_joined(scene.caption, f"at {name}"))


def _with_path(scene: Scene, run: Run[Any]) -> Scene:
    seen = Coverage.of(run)
    boxes = (evolve(box, mark=_path_mark(seen.nodes.get(box.name, 0))) for box in scene.boxes)
    arrows = (
        evolve(arrow, mark=_path_mark(seen.edges.get((arrow.source, arrow.index), 0))) for arrow in scene.arrows
    )
    end = f"{run.outcome} at {run.position.node}" if run.outcome != run.position.node else run.outcome
    count = len(run.steps)
    told = f"a run of {count} step{'' if count == 1 else 's'}, {end if run.outcome else 'not over'}"
    return evolve(scene, boxes=tuple(boxes), arrows=tuple(arrows), caption=told)


def _path_mark(count: int) -> Mark:
    return Mark(f"×{count}", tone="seen") if count else Mark(tone="faint")


def _with_coverage(scene: Scene, coverage: Coverage) -> Scene:
    boxes = (evolve(box, mark=_counted(coverage.nodes.get(box.name, 0))) for box in scene.boxes)
    verdicts = {
        (item.node, item.index, item.verdict): item.seen for item in coverage.items if item.kind == "guard"
    }
    arrows = (evolve(arrow, mark=_covered(arrow, coverage, verdicts)) for arrow in scene.arrows)
    missing = len(coverage.missing)
    told = f"{int(coverage.share * 100)} % of nodes, edges and guard outcomes seen, {missing} missing"
    return evolve(scene, boxes=tuple(boxes), arrows=tuple(arrows), caption=told)


def _covered(arrow: Arrow, coverage: Coverage, verdicts: dict[tuple[str, int, bool | None], int]) -> Mark:
    taken = coverage.edges.get((arrow.source, arrow.index), 0)
    declined = verdicts.get((arrow.source, arrow.index, False))
    if declined is None:
        return _counted(taken)
    if not taken:
        return Mark(f"never true, false ×{declined}" if declined else "never tried", tone="missing")
    return Mark(f"{_times('true', taken)}, {_times('false', declined)}", tone="seen" if declined else "partly")


def _times(verdict: str, count: int) -> str:
    return f"{verdict} ×{count}" if count else f"never {verdict}"


def _counted(count: int) -> Mark:
    return Mark(f"×{count}", tone="seen") if count else Mark("never", tone="missing")


def _with_heat(scene: Scene, run: Run[Any], quantity: str) -> Scene:
    heat = heat_of(run, quantity)
    boxes = tuple(_heated(box, heat.badges.get(box.name), heat.shares.get(box.name)) for box in scene.boxes)
    return evolve(scene, boxes=boxes, caption=_joined(scene.caption, f"heat by {quantity}: {heat.total}"))


def _heated(box: Box, badge: str | None, share: float | None) -> Box:
    if badge is None:
        return box
    return evolve(box, mark=Mark(f"{box.mark.badge}, {badge}", share, box.mark.tone))


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))
