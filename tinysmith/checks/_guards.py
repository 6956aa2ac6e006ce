"""Guards, asked about one board: pure, total, and answering True or False, or what is wrong with them."""

from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from tinysmith._codec import codec
from tinysmith._scalars import MisfitError
from tinysmith._shown import one_line
from tinysmith._turn import Plan
from tinysmith.nodes import Guard

_TOTAL = "A guard answers on every board: let it answer False where it cannot tell."
_PURE = "A guard only reads the board that it is given: no clock, no randomness, nothing that it keeps."


@frozen
class Answer:
    """What a guard answered about a board.

    Attributes:
        guard: The guard.
        holds: Its answer; None where it gave none.
        code: What is wrong with it; empty where nothing is.
        problem: That, in words.
        remedy: What to do.
    """

    guard: Guard[Any]
    holds: bool | None = None
    code: str = ""
    problem: str = ""
    remedy: str = ""


class Questions:
    """Asks the guards of a strategy.

    Args:
        plan: The strategy, compiled.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._codec = codec(plan.board_type, plan.board_type.__name__)

    def ask(self, node: str, board: Any, *, is_thorough: bool = True) -> Sequence[Answer]:
        """What the guards on a node's edges answer about a board.

        Args:
            node: The node.
            board: The board.
            is_thorough: Whether each is asked three times, once about an equal board; else once.
        """
        saved = self._saved(board) if is_thorough else None
        return [self._ask(guard, board, saved) for guard in self.plan.guards[node]]

    def can_save(self, board: Any) -> bool:
        """Whether a board holds what its type says."""
        return self._saved(board) is not None

    def _ask(self, guard: Guard[Any], board: Any, saved: Any) -> Answer:
        name = guard.__name__
        first = _said(guard, board)
        if isinstance(first, Exception):
            said = one_line(f"{type(first).__name__}: {first}")
            return Answer(guard, None, "guard-raises", f"its guard {name} raised {said}.", _TOTAL)
        if type(first) is not bool:
            problem = f"its guard {name} answered {one_line(repr(first), 60)}, which is neither True nor False."
            return Answer(guard, None, "guard-not-bool", problem, "Answer with bool(…), or with a comparison.")
        if saved is None:
            return Answer(guard, first)
        after = self._saved(board)
        if after != saved:
            problem = f"its guard {name} changed the board{_changed(saved, after)}."
            return Answer(guard, first, "guard-mutates", problem, _PURE)
        second = _said(guard, board)
        if second is not first:
            problem = f"its guard {name} answered {first}, then {_told(second)}, on the same board."
            return Answer(guard, first, "guard-wavers", problem, _PURE)
        third = _said(guard, self._codec.decode(saved, ""))
        if third is not first:
            problem = (
                f"its guard {name} answered {first}, and {_told(third)} on an equal board that went through JSON."
            )
            return Answer(guard, first, "guard-wavers", problem, f"Compare values by ==, never by `is`. {_PURE}")
        return Answer(guard, first)

    def _saved(self, board: Any) -> Any:
        try:
            return self._codec.encode(board, "")
        except (MisfitError, RecursionError):  # that it cannot be saved is another finding
            return None


def _said(guard: Callable[[Any], Any], board: Any) -> Any:
    try:
        return guard(board)
    except Exception as error:  # noqa: BLE001  # that it raises, whatever that is, is what is looked for
        return error


def _told(answer: Any) -> str:
    if isinstance(answer, Exception):
        return f"raised {type(answer).__name__}"
    return one_line(repr(answer), 60)


def _changed(before: Any, after: Any) -> str:
    if after is None:
        return ", so that it cannot be saved any more"
    changed = [
        f"{name} from {one_line(repr(before[name]), 40)} to {one_line(repr(after[name]), 40)}"
        for name in before
        if before[name] != after[name]
    ]
    return f": {', '.join(changed)}"
