"""What is looked at on every transition of a search."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve, field, frozen

from tinysmith import _fold
from tinysmith._boards import boards_at_first_hops, boards_at_hops
from tinysmith._scalars import MisfitError
from tinysmith._search import LIMITS, Trail
from tinysmith._shown import one_line
from tinysmith._source import source_of
from tinysmith._turn import Plan
from tinysmith.checks._fields import FieldUse
from tinysmith.checks._guards import Answer, Questions
from tinysmith.checks._sightings import Sighting, Sightings
from tinysmith.errors import DecodeError, RunError
from tinysmith.messages import Ask, Event
from tinysmith.nodes import Guard, Rule
from tinysmith.position import Position
from tinysmith.strategy import Strategy, plan_of

MOST_SAVED = 1_000
"""Positions that are taken through JSON, and boards about which guards are asked thoroughly."""
_OFTEN = 5
_SELDOM = 10
"""How often an answer at a node is folded a second time: at first always, then this seldom."""
WIDTH = 400


@frozen
class _Here:
    """Where a search is, which counterexamples are told from: at a node that was answered, with a board."""

    node: str
    board: Any
    trail: Trail
    event: Event | None
    size: int


@frozen
class Stand:
    """A position, and how the search came to it."""

    position: Position[Any]
    trail: Trail
    event: Event | None = field(default=None)


class Inspection:
    """Looks at transitions, and keeps the smallest sighting of each thing.

    Args:
        strategy: What is searched.
        sightings: Where they are kept.
    """

    MOST_STANDS = 3

    def __init__(self, strategy: Strategy[Any], sightings: Sightings) -> None:
        self.strategy = strategy
        self.plan = plan_of(strategy)
        self.sightings = sightings
        self.questions = Questions(self.plan)
        self.fields = FieldUse(self.plan)
        self.held: dict[tuple[str, str], Any] = {}  # the guards that held somewhere, each with a board
        self.boards: dict[int, Any] = {}  # some boards that were come to
        self.stands: dict[str, list[Stand]] = {}
        self._asked: set[int] = set()
        self._saved: set[int] = set()
        self._folded: Counter[tuple[str, str]] = Counter()

    def begin(self, board: Any) -> None:
        """Looks at where a run from this board begins; what raises there is among the search's faults."""
        try:
            first = _fold.start(self.plan, board, LIMITS)
        except Exception:  # noqa: BLE001  # as the docstring says
            return
        here = _Here(self.plan.initial, board, (board, ()), None, 0)
        last = board
        for hop, at in boards_at_first_hops(self.plan, board, first):
            self._leave(hop.source, last, at, here)
            last = at
        self._arrive(first, here)

    def __call__(
        self, before: Position[Any], request: Any, event: Event, after: Position[Any], trail: Trail
    ) -> None:
        """Looks at one transition."""
        here = _Here(before.node, before.board, trail, event, after.step)
        self._fold_again(before, event, after, here)
        if after.hops:
            self.fields.took(before, request, event)
        last = before.board
        try:
            for hop, at in boards_at_hops(self.plan, before, request, event, after):
                self._leave(hop.source, last, at, here)
                last = at
        except Exception as error:  # noqa: BLE001  # what was taken a moment ago is refused now
            problem = (
                f"it took an answer, and the second time raised {one_line(f'{type(error).__name__}: {error}')}."
            )
            self._hidden(before.node, problem, here)
        self.fields.changed(after.hops[-1].target if after.hops else before.node, last, after.board)
        self._arrive(after, here)
        if after.over and type(after.requests[0]) is Ask:
            self._paid(after.node, here)

    def _leave(self, node: str, before: Any, board: Any, here: _Here) -> None:
        """A run leaves a node: with `before` it came, and about `board` its guards are asked."""
        if self.plan.kinds[node] is Rule:
            self.fields.entered(node, before)
        self.fields.changed(node, before, board)
        self.fields.asked(node, board)
        name = _digest(board, node)
        if self.plan.guards[node] and name not in self._asked:
            self._asked.add(name)
            is_thorough = len(self._asked) < MOST_SAVED
            self._judge(node, board, self.questions.ask(node, board, is_thorough=is_thorough), here)

    def _judge(self, node: str, board: Any, answers: Sequence[Answer], here: _Here) -> None:
        for answer in answers:
            name = answer.guard.__name__
            if answer.holds:
                self.held.setdefault((node, name), board)
            if answer.code and self.sightings.wants(answer.code, node, name, size=here.size):
                self._keep(fault_of(node, answer, board, is_reachable=True), name, here)
        for first, second in overlaps(self.plan, node, answers):
            about = pair_name(first, second)
            if self.sightings.wants("order-decides", node, about, size=here.size):
                self._keep(overlap(self.plan, node, first, second, board), about, here)

    def _keep(self, sighting: Sighting, about: str, here: _Here) -> None:
        told = evolve(sighting, trail=here.trail, event=here.event, board="reachable")
        self.sightings.keep(told, about, size=here.size)

    def _arrive(self, position: Position[Any], here: _Here) -> None:
        node = position.node
        if position.hops or here.size == 0:
            self.fields.entered(node, position.board)
        if len(self.boards) < MOST_SAVED:
            self.boards.setdefault(_digest(position.board), position.board)
        if position.done is None and _is_hashable(position.board):
            stands = self.stands.setdefault(node, [])
            if len(stands) < self.MOST_STANDS and all(stand.position.board != position.board for stand in stands):
                stands.append(Stand(position, here.trail, here.event))
        name = _digest(position.board, node, position.over, len(position.heard))
        if name not in self._saved and len(self._saved) < MOST_SAVED:
            self._saved.add(name)
            self._save(position, here)

    def _save(self, position: Position[Any], here: _Here) -> None:
        try:
            text = self.strategy.dumps(position)
            again = self.strategy.dumps(self.strategy.loads(text))
            problem = "" if again == text else "after it a position reads back from JSON as another one."
        except (RunError, DecodeError, MisfitError) as error:
            problem = f"after it a position does not survive JSON: {one_line(_bare(error), 200)}"
        if problem and (here.size == 0 or self.questions.can_save(here.board)):  # else it was so before
            remedy = "Put only values on the board that the types of its fields say."
            self._keep(Sighting("not-json", here.node, problem, remedy), "", here)

    def _fold_again(self, before: Position[Any], event: Event, after: Position[Any], here: _Here) -> None:
        answer = before.node, str(getattr(event, "text", type(event)))
        times = self._folded[answer] = self._folded[answer] + 1
        if times > _OFTEN and times % _SELDOM:
            return
        try:
            again = _fold.advance(self.plan, before, event)
        except Exception as error:  # noqa: BLE001  # it did not raise a moment ago
            problem = f"the same answer was taken once, and the second time raised {one_line(str(error))}."
            self._hidden(before.node, problem, here)
            return
        if again != after:
            problem = difference(self.strategy, after, again)
            if problem:
                self._hidden(before.node, problem, here)

    def _hidden(self, node: str, problem: str, here: _Here) -> None:
        remedy = "Put whatever changes on the board; nodes and guards keep nothing, and ask no clock and no dice."
        self._keep(Sighting("hidden-state", node, problem, remedy), "", here)

    def _paid(self, node: str, here: _Here) -> None:
        if self.sightings.wants("paid-after-end", node, size=here.size):
            problem = "a model is asked after the environment has said that the episode is over."
            remedy = "Lead to a halt by a guard over a field that `observe` writes; or allow it with the reason."
            self._keep(Sighting("paid-after-end", node, problem, remedy), "", here)


def _is_hashable(board: Any) -> bool:
    try:
        hash(board)
    except TypeError:  # it holds what its type does not say; that is told as another finding
        return False
    return True


def _digest(board: Any, *more: Any) -> int:
    return hash((board, *more)) if _is_hashable(board) else id(board)


def fault_of(node: str, answer: Answer, board: Any, *, is_reachable: bool) -> Sighting:
    """What is wrong with a guard, as a sighting."""
    kind: Any = "reachable" if is_reachable else "possible"
    return Sighting(
        answer.code, node, answer.problem, answer.remedy, guard=answer.guard, shown=shown(board), board=kind
    )


def overlaps(plan: Plan, node: str, answers: Sequence[Answer]) -> Iterator[tuple[Guard[Any], Guard[Any]]]:
    """Guards that hold beside the first one that does, with it, where their edges lead to different nodes."""
    holding = [place for place, answer in enumerate(answers) if answer.holds]
    hops = plan.hops[node]
    for second in holding[1:]:
        if hops[holding[0]].target != hops[second].target:
            yield answers[holding[0]].guard, answers[second].guard


def overlap(plan: Plan, node: str, first: Guard[Any], second: Guard[Any], board: Any) -> Sighting:
    """That two guards hold on a board."""
    taken = next(
        hop.target for hop, guard in zip(plan.hops[node], plan.guards[node], strict=False) if guard is first
    )
    problem = f"{first.__name__} and {second.__name__} both hold, so the order of the edges decides for {taken}."
    remedy = "Nothing to do, if that is meant; else make one of them narrower."
    return Sighting("order-decides", node, problem, remedy, guard=first, shown=shown(board), board="possible")


def pair_name(first: Guard[Any], second: Guard[Any]) -> str:
    """What tells the overlap of two guards from others."""
    return f"{first.__name__}/{second.__name__}"


def shown(board: Any) -> str:
    """A board, as a line of a counterexample."""
    return f"board: {one_line(source_of(board), WIDTH)}"


def difference(strategy: Strategy[Any], one: Position[Any], other: Position[Any]) -> str:
    """In what two positions differ that should be the same; empty where they are saved alike."""
    same = "the same answer, folded twice from the same position,"
    if one.node != other.node:
        return f"{same} led to {one.node} once and to {other.node} once."
    for name in strategy.__plan__.board_type.__attrs_attrs__:
        values = [one_line(repr(getattr(position.board, name.name)), 40) for position in (one, other)]
        if values[0] != values[1]:
            return f"{same} made the field {name.name} {values[0]} once and {values[1]} once."
    try:
        is_same = strategy.dumps(one) == strategy.dumps(other)
    except (RunError, MisfitError):  # that it cannot be saved is another finding
        return ""
    return "" if is_same else f"{same} asked for something else the second time."


def _bare(error: Exception) -> str:
    """The message without where it was, which is told apart."""
    return str(error).partition(": ")[2] if isinstance(error, RunError) else str(error)
