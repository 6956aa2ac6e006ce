"""Guards, asked about boards that are possible by their type, whether or not a run comes to them."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import evolve

from tinysmith import _generated
from tinysmith._possible import boards
from tinysmith._source import source_of
from tinysmith._spy import spied
from tinysmith._turn import Plan
from tinysmith.checks._guards import Answer, Questions
from tinysmith.checks._inspection import fault_of, overlap, overlaps, pair_name, shown
from tinysmith.checks._sightings import POSSIBLE, Sighting, Sightings
from tinysmith.nodes import Guard

MOST_BOARDS = 100
MOST_CASES = 5_000
MOST_REACHED = 300
_STEADY = frozenset({"guard-raises", "guard-not-bool", "guard-mutates"})
"""What is wrong with a guard on one board whenever it is asked."""


class TypeChecks:
    """Asks a strategy's guards about generated boards, and keeps what is wrong at its smallest.

    Args:
        plan: The strategy, compiled.
        reached: Boards that a search came to.
        sightings: Where what is wrong is kept; what a run can come to is there already, and stays.

    Raises:
        NotInstalledError: Hypothesis is not installed.
        CannotGenerateError: No board can be generated.
    """

    def __init__(self, plan: Plan, reached: Sequence[Any], sightings: Sightings) -> None:
        self.plan = plan
        self.questions = Questions(plan)
        self.sightings = sightings
        self.held: dict[tuple[str, str], Any] = {}  # the guards that hold on some board, each with the smallest
        sound = [board for board in reached[:MOST_REACHED] if self.questions.can_save(board)]
        self._make = lambda strategies: boards(strategies, plan.board_type, sound)
        drawn = _generated.drawn(self._make, MOST_BOARDS, what=f"boards of {plan.name}", tries=1)
        self.boards = sorted(drawn, key=lambda board: len(source_of(board)))

    def look(self) -> None:
        """Asks all guards about all boards."""
        for node in self.plan.guards:
            for board in self.boards if self.plan.guards[node] else ():
                self._judge(node, board, self.questions.ask(node, board))

    def _judge(self, node: str, board: Any, answers: Sequence[Answer]) -> None:
        for answer in answers:
            name = answer.guard.__name__
            if answer.holds:
                self.held.setdefault((node, name), board)
            if answer.code and self.sightings.wants(answer.code, node, name, size=POSSIBLE):
                self._keep(node, board, answer)
        for first, second in overlaps(self.plan, node, answers):
            if self.sightings.wants("order-decides", node, pair_name(first, second), size=POSSIBLE):
                self._overlap(node, board, (first, second))
        if self._is_stuck(node, answers) and self.sightings.wants("no-guard-holds", node, size=POSSIBLE):
            least = self._smallest(lambda other: self._is_stuck(node, self.questions.ask(node, other)), board)
            self.sightings.keep(stuck(self.plan, node, least), size=POSSIBLE)

    def _keep(self, node: str, board: Any, answer: Answer) -> None:
        def is_so(other: Any) -> bool:
            return any(
                each.code == answer.code for each in self.questions.ask(node, other) if each.guard is answer.guard
            )

        least = self._smallest(is_so, board) if answer.code in _STEADY else board
        told = next(
            (each for each in self.questions.ask(node, least) if each.guard is answer.guard and each.code), answer
        )
        self.sightings.keep(fault_of(node, told, least, is_reachable=False), answer.guard.__name__, size=POSSIBLE)

    def _overlap(self, node: str, board: Any, pair: tuple[Guard[Any], Guard[Any]]) -> None:
        def is_so(other: Any) -> bool:
            return pair in overlaps(self.plan, node, self.questions.ask(node, other))

        sighting = overlap(self.plan, node, *pair, simpler(board, is_so))
        self.sightings.keep(sighting, pair_name(*pair), size=POSSIBLE)

    def _smallest(self, holds: Callable[[Any], bool], known: Any) -> Any:
        found = _generated.smallest(self._make, holds, what="boards")
        return simpler(known if found is None else found, holds)

    def _is_stuck(self, node: str, answers: Sequence[Answer]) -> bool:
        return has_no_otherwise(self.plan, node) and all(answer.holds is False for answer in answers)

    def least(self, node: str, guard: Guard[Any]) -> Any:
        """The smallest board that is found on which a guard holds; None where none is."""

        def is_so(board: Any) -> bool:
            return any(answer.holds for answer in self.questions.ask(node, board) if answer.guard is guard)

        known = self.held.get((node, guard.__name__))
        return None if known is None else self._smallest(is_so, known)

    def prove(self, node: str) -> bool:
        """Whether one of a node's guards holds on every board, tried on all cases of the fields that they read."""
        cases = _cases(self.plan, node, self.boards)
        if cases is None:
            return False
        for board in cases:
            if self._is_stuck(node, self.questions.ask(node, board)):
                self.sightings.keep(stuck(self.plan, node, board), size=POSSIBLE)
        return True


def simpler(board: Any, holds: Callable[[Any], bool]) -> Any:
    """The board with as many defaults as it can have while a predicate still holds."""
    for part in attrs.fields(type(board)):
        default: Any = part.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # attrs types its class as a function
            default = attrs.NOTHING if default.takes_self else default.factory()
        if default is not attrs.NOTHING:
            try:
                plainer = evolve(board, **{str(part.alias): default})
            except Exception:  # noqa: BLE001, S112  # whatever the class refuses values with
                continue
            board = plainer if holds(plainer) else board
    return board


def stuck(plan: Plan, node: str, board: Any) -> Sighting:
    """That a run would be stuck at a node with a board that is possible."""
    tried = ", ".join(guard.__name__ for guard in plan.guards[node])
    problem = f"none of its guards holds (tried {tried}) on a board that its type allows."
    remedy = "End its edges with one that has no `when`, or let the board's type rule such boards out."
    return Sighting("no-guard-holds", node, problem, remedy, shown=shown(board), board="possible")


def has_no_otherwise(plan: Plan, node: str) -> bool:
    """Whether all edges of a node have guards."""
    return 0 < len(plan.hops[node]) == len(plan.guards[node])


def _cases(plan: Plan, node: str, known: Sequence[Any]) -> Iterator[Any] | None:
    """A board for every case of the fields that a node's guards read; None where the cases cannot be counted."""
    try:
        read = {name for board in known for guard in plan.guards[node] for name in spied(guard, board).reads}
    except Exception:  # noqa: BLE001  # a guard raises, or no spy can be made: nothing is proved then
        return None
    hints = get_type_hints(plan.board_type)
    domains = {
        part.alias: _domain(hints[part.name]) for part in attrs.fields(plan.board_type) if part.name in read
    }
    count = 1
    for domain in domains.values():
        if domain is None:
            return None
        count *= len(domain)
    if count > MOST_CASES:
        return None
    return _evolved(known[0], domains)


def _evolved(board: Any, domains: Any) -> Iterator[Any]:
    for values in itertools.product(*domains.values()):
        try:
            yield evolve(board, **dict(zip(domains, values, strict=True)))
        except Exception:  # noqa: BLE001, S112  # whatever the class refuses that case with
            continue


def _domain(hint: Any) -> tuple[Any, ...] | None:
    """All values of a type; None where they are too many to tell."""
    if hint is bool:
        return (False, True)
    if hint is None or hint is type(None):
        return (None,)
    if get_origin(hint) is Literal:
        return get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(hint)
    if get_origin(hint) in {Union, UnionType}:
        parts = [_domain(part) for part in get_args(hint)]
        return None if None in parts else tuple(value for part in parts if part for value in part)
    return None
