"""`check`: a strategy is searched, and what is wrong with it told with the smallest board or run that shows it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from attrs import evolve

from tinysmith._alphabet import Alphabet, Given, alphabet
from tinysmith._beginnings import PLAIN, first_boards, generated_boards
from tinysmith._generated import CannotGenerateError, NotInstalledError
from tinysmith._shortening import shortened
from tinysmith._shown import one_line
from tinysmith._soundness import reason_for
from tinysmith.checks import _verdicts as verdicts
from tinysmith.checks._codes import RULES
from tinysmith.checks._holdings import changes, holdings
from tinysmith.checks._inspection import Inspection
from tinysmith.checks._places import last_line, place_of
from tinysmith.checks._report import LEVELS, Located, Report
from tinysmith.checks._sightings import POSSIBLE, Sighting, Sightings
from tinysmith.checks._type_checks import TypeChecks, has_no_otherwise
from tinysmith.conversation import Conversation, answered
from tinysmith.errors import DefinitionError, Finding, UsageError
from tinysmith.exploration import DEPTH, MAX_POSITIONS, WALKS, Bounds, Exploration, searched
from tinysmith.messages import Event, Observation, Reply, Result
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")

MOST_LINES = 24
WIDTH = 200
_POSSIBLE_ALONE = frozenset({"no-guard-holds", "guard-raises"})
"""What a class may allow only while no run is seen to come to it: a run that does refutes the reason."""


def check(
    strategy: Strategy[B] | type[Strategy[B]],
    *,
    boards: Sequence[B] | None = None,
    replies: Given | None = None,
    observations: Given | None = None,
    results: Given | None = None,
    has_failures: bool = True,
    depth: int = DEPTH,
    max_positions: int = MAX_POSITIONS,
    walks: int = WALKS,
) -> Report:
    """What is wrong with a strategy, as far as a search of its runs and boards of its board's type show.

    Args:
        strategy: What is checked.
        boards: First boards; by default the one that `brief` makes of a plain task, the board's defaults, or some
            that are generated where fields have none.
        replies: By agent or panel, what it is answered with, as for `explore`.
        observations: By world node.
        results: By tool node.
        has_failures: Whether requests may also fail.
        depth: How many events a run has at most.
        max_positions: How many different positions are kept at most.
        walks: How many walks follow, in which models reply carelessly too.

    Raises:
        UsageError: It is no strategy, or a mapping names a node that is not there.
    """
    checking = _Checking(strategy() if isinstance(strategy, type) else strategy)
    answers = {"replies": replies, "observations": observations, "results": results, "has_failures": has_failures}
    checking.run(boards, answers, Bounds(depth, max_positions, walks))
    return checking.report()


def refused(error: DefinitionError) -> Report:
    """The report on a class that was refused when it was created."""
    place = last_line(error)
    names = dict.fromkeys(found.where.partition(".")[0].partition(":")[0] for found in error.findings)
    return Report(tuple(names), tuple(Located(found, place) for found in error.findings))


class _Checking:
    """One strategy's check."""

    def __init__(self, strategy: Strategy[Any]) -> None:
        self.strategy = strategy
        self.plan = plan_of(strategy)
        self.sightings = Sightings()
        self.inspection = Inspection(strategy, self.sightings)
        self.told: dict[int, Conversation[Any]] = {}
        self.found: Exploration[Any] | None = None

    def run(self, boards: Sequence[Any] | None, answers: Mapping[str, Any], bounds: Bounds) -> None:
        """Makes the whole check."""
        try:
            first = self.first_boards() if boards is None else tuple(boards)
            letters = alphabet(self.plan, **answers)
        except (NotInstalledError, CannotGenerateError) as error:
            remedy = "Do that, or call check(…) with boards=, replies= or results=."
            self.sightings.keep(Sighting("not-searched", "", f"nothing was searched. {error}", remedy))
            return
        self.found = self.search(first, letters, bounds)
        is_briefed = boards is None and type(self.strategy).brief is not Strategy.brief
        self.conclude(self.found, letters, first, is_briefed=is_briefed)
        self.look_at_types()

    def first_boards(self) -> tuple[Any, ...]:
        """The first boards; where `brief` wants more than a plain task, some that are generated."""
        try:
            return first_boards(self.strategy)
        except (NotInstalledError, CannotGenerateError):
            raise
        except UsageError as error:
            boards = generated_boards(self.strategy)
            raised = one_line(f"{type(error.__cause__).__name__}: {error.__cause__}", 200).rstrip(".")
            problem = f"anything about the boards that `brief` makes: of a plain task it raised {raised}."
            remedy = "Give boards=, or let `brief` take a plain task."
            self.not_proved(f"{problem} Generated boards were searched instead.", remedy, "brief")
            return boards

    def search(self, boards: Sequence[Any], letters: Alphabet, bounds: Bounds) -> Exploration[Any]:
        """Goes by everything, and finds what nodes keep of it."""
        before = holdings(self.plan)
        for board in boards:
            self.inspection.begin(board)
        found = searched(self.strategy, boards, letters, bounds=bounds, visit=self.inspection, always_walks=True)
        remedy = "Put it on the board: nodes hold nothing that changes, since all runs share them."
        wavering = {sighting.node for sighting in self.sightings if sighting.code == "guard-wavers"}
        self.sightings.drop(lambda each: each.code == "hidden-state" and each.node in wavering)
        for node, problem in changes(before, holdings(self.plan)).items():
            self.sightings.keep(Sighting("hidden-state", node, problem, remedy), size=-1)
        return found

    def conclude(
        self, found: Exploration[Any], letters: Alphabet, boards: Sequence[Any], *, is_briefed: bool
    ) -> None:
        """What follows from the whole search."""
        for sighting, conversation in verdicts.raised(found):
            self._keep_told(sighting, conversation)
        faulty = {(each.node, each.guard) for each in self.sightings if each.code.startswith("guard-")}
        for sighting in verdicts.never(found, self.inspection):
            if (sighting.node, sighting.guard) not in faulty:
                self.sightings.keep(sighting, getattr(sighting.guard, "__name__", sighting.problem))
        if not any(each.code in {"hidden-state", "guard-wavers"} for each in self.sightings):
            for sighting, conversation in verdicts.replayed(found):
                self._keep_told(sighting, conversation)
        for sighting, conversation in verdicts.endless(found, self.inspection, letters):
            self._keep_told(sighting, conversation)
        use = self.inspection.fields
        begun = [*boards, *_briefed(self.strategy)] if is_briefed else boards
        for sighting in verdicts.field_use(found, use, begun, is_briefed=is_briefed):
            self.sightings.keep(sighting, sighting.problem)
        if use.unseen:
            self.not_proved(f"that no field is read before it is written: {use.unseen}", "", "fields")
        if not found.is_complete:
            problem = (
                "that what never was never is, that every run can end, and that every cycle is bounded: not all "
            )
            problem += f"positions were come to. {verdicts.how_far(found)}"
            remedy = f"Give smaller first boards by boards=, or {verdicts.further(found)}"
            self.not_proved(problem, remedy, "search")

    def look_at_types(self) -> None:
        """Asks the guards about boards that are possible by their type."""
        if not any(self.plan.guards.values()):
            return
        try:
            types = TypeChecks(self.plan, tuple(self.inspection.boards.values()), self.sightings)
        except (NotInstalledError, CannotGenerateError) as error:
            problem = f"what guards answer on boards that no run came to: {error}"
            self.not_proved(problem, "Install Hypothesis, or check the board's validators.", "types")
            return
        types.look()
        for node in self.plan.guards:
            if has_no_otherwise(self.plan, node) and not types.prove(node):
                count = len(types.boards)
                problem = (
                    f"that one of its guards always holds: it did on {count} generated boards, and in all runs."
                )
                if self.sightings.wants("no-guard-holds", node, size=POSSIBLE + 1):
                    self.not_proved(
                        problem,
                        "Let the types of the fields that they read be Literal, bool or an Enum.",
                        "otherwise",
                        node,
                    )
        self._tell_possible(types)

    def _tell_possible(self, types: TypeChecks) -> None:
        """Says of a guard that never held, whether it can at all."""
        for sighting in list(self.sightings):
            if sighting.code == "guard-never-held" and sighting.guard is not None:
                name = sighting.guard.__name__
                board = types.least(sighting.node, sighting.guard)
                self.sightings.keep(verdicts.never_held_but(sighting, board), name, size=-1)

    def _keep_told(self, sighting: Sighting, conversation: Conversation[Any]) -> None:
        about = getattr(sighting.guard, "__name__", "")
        size = len(conversation.events)
        if self.sightings.wants(sighting.code, sighting.node, about, size=size):
            self.sightings.keep(sighting, about, size=size)
            self.told[id(sighting)] = conversation

    def not_proved(self, problem: str, remedy: str, about: str, node: str = "") -> None:
        """Notes what could not be proved."""
        self.sightings.keep(Sighting("not-proved", node, problem, remedy), about)

    def report(self) -> Report:
        """Everything, with conversations and places, errors first."""
        located = [self._located(sighting) for sighting in self.sightings]
        located.sort(key=lambda each: (LEVELS.index(each.finding.level), each.finding.where, each.finding.code))
        return Report((self.plan.name,), tuple(located))

    def _located(self, sighting: Sighting) -> Located:
        lines = [*self._run_of(sighting), *([sighting.shown] if sighting.shown else [])]
        where = f"{self.plan.name}.{sighting.node}" if sighting.node else self.plan.name
        finding = Finding(
            sighting.code,
            where,
            sighting.problem,
            sighting.remedy,
            level=RULES[sighting.code].level,
            example="\n".join(lines),
            board=sighting.board,
        )
        reason = reason_for(finding, self.strategy.allow) or ""
        if finding.code in _POSSIBLE_ALONE and finding.board == "reachable":
            reason = ""
        return Located(finding, place_of(type(self.strategy), sighting.node, sighting.guard), reason)

    def _shows(self, told: Conversation[Any], sighting: Sighting, events: tuple[Event, ...]) -> bool:
        """Whether these events, in place of a walk's own, show the same."""
        sightings = Sightings()
        inspection = Inspection(self.strategy, sightings)
        inspection.begin(told.board)
        try:
            positions = evolve(told, events=events).positions()
            before = next(positions)
            for event, after in zip(events, positions, strict=True):
                inspection(before, answered(before, event), event, after, (told.board, ()))
                before = after
        except Exception:  # noqa: BLE001  # events that do not fit each other show nothing
            return False
        return any((each.code, each.node) == (sighting.code, sighting.node) for each in sightings)

    def _run_of(self, sighting: Sighting) -> list[str]:
        told = self.told.get(id(sighting))
        if told is None and self.found is not None and sighting.trail is not None:
            told = self.found.conversation(sighting.trail)
            told = evolve(told, events=(*told.events, *([] if sighting.event is None else [sighting.event])))
            if not isinstance(sighting.trail, int) and RULES[sighting.code].level != "information":
                told = evolve(told, events=shortened(told.events, partial(self._shows, told, sighting)))
        lines = [] if told is None else _lines(told)
        if len(lines) > MOST_LINES:
            lines[4 : 6 - MOST_LINES] = ["  …"]
        return [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines]


def _lines(told: Conversation[Any]) -> list[str]:
    """A conversation in lines, also where its last event cannot be folded."""
    try:
        list(told.positions())
    except Exception:  # noqa: BLE001  # that it raises is what is told
        before = evolve(told, events=told.events[:-1])
        try:
            *_, last = before.positions()
        except Exception:  # noqa: BLE001  # it raises when the run begins
            return [str(before).splitlines()[0]]
        *lines, path = str(before).splitlines()
        return [*lines, f"  {len(told.events):>3} {last.node}: {one_line(_said(told.events[-1]), 60)}", path]
    return str(told).splitlines()


def _said(event: Event) -> str:
    match event:
        case Reply(text=text) | Observation(text=text):
            return repr(text)
        case Result(value=value):
            return repr(value)
        case failed:
            return f"failed ({failed.kind})"


def _briefed(strategy: Strategy[Any]) -> list[Any]:
    """The board that `brief` makes where task and environment have something to say."""
    with suppress(Exception):  # a task of another kind is wanted
        return [strategy.brief(PLAIN, "It begins.")]
    return []
