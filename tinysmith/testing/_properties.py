"""What a user claims of every run: of its boards, of its transitions, and of the run as a whole."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, TypeVar

from attrs import frozen

from tinysmith._shown import one_line
from tinysmith._source import source_of
from tinysmith.errors import UsageError
from tinysmith.position import Hop

F = TypeVar("F", bound=Callable[..., Any])

Invariant: TypeAlias = "Callable[[Any], Any] | Callable[[Any, Hop, Any], Any] | Lasting"
"""A predicate over boards, one over transitions `(before, edge, after)`, or what `eventually` and `never_after`
make. False is a failure; a predicate may also assert by itself and return nothing."""

_MARK = "__tinysmith_invariant__"


@frozen
class Lasting:
    """A claim about a run from its beginning to its end.

    Attributes:
        name: It in words.
        sought: What must be met in every run that ends in a halt; or what opens the time of the other one.
        forbidden: What must not be met after it; None where there is no such thing.
    """

    name: str
    sought: Callable[[Any], bool]
    forbidden: Callable[[Any], bool] | None = None


def eventually(predicate: Callable[[Any], bool]) -> Lasting:
    """Claims that in every run which ends in a halt the predicate held on one of its boards."""
    return Lasting(f"eventually({_named(predicate)})", predicate)


def never_after(first: Callable[[Any], bool], then: Callable[[Any], bool]) -> Lasting:
    """Claims that once `first` has held on a board of a run, `then` holds on no later one."""
    return Lasting(f"never_after({_named(first)}, {_named(then)})", first, then)


def invariant(method: F) -> F:
    """Marks a method of a test class as a claim: `(self, board)` or `(self, before, edge, after)`."""
    setattr(method, _MARK, True)
    return method


def marked(test: object) -> Iterator[Callable[..., Any]]:
    """The methods of a test that `invariant` marks, ancestors' first."""
    names = [name for kind in reversed(type(test).__mro__) for name in vars(kind)]
    for name in dict.fromkeys(names):
        method = getattr(test, name, None)
        if getattr(method, _MARK, False) and callable(method):
            yield method


class Properties:
    """The claims about a strategy, sorted by what they are about.

    Args:
        given: The claims.

    Raises:
        UsageError: One of them takes neither a board nor a transition.
    """

    def __init__(self, given: Iterable[Invariant]) -> None:
        self.given = tuple(given)
        self.of_boards: list[Callable[..., Any]] = []
        self.of_transitions: list[Callable[..., Any]] = []
        self.lasting: list[Lasting] = []
        for claim in self.given:
            if isinstance(claim, Lasting):
                self.lasting.append(claim)
            elif _takes(claim, 1):
                self.of_boards.append(claim)
            elif _takes(claim, 3):
                self.of_transitions.append(claim)
            else:
                problem = f"The invariant {_named(claim)} takes neither (board) nor (before, edge, after)."
                raise UsageError(f"{problem} Write it so, or use eventually(…) or never_after(…).")

    def check_board(self, where: str, board: Any) -> None:
        """Checks what is claimed of every board."""
        for claim in self.of_boards:
            if _is_refuted(claim, where, board):
                raise AssertionError(f"{where}: invariant {_named(claim)} does not hold on {shown(board)}.")

    def check_transition(self, where: str, before: Any, hop: Hop, after: Any) -> None:
        """Checks what is claimed of every transition."""
        for claim in self.of_transitions:
            if _is_refuted(claim, where, before, hop, after):
                edge = f"{hop.source} → {hop.target}" + (f" ({hop.why})" if hop.why else "")
                problem = f"transition invariant {_named(claim)} does not hold for {edge}"
                raise AssertionError(f"{where}: {problem}, from {shown(before)} to {shown(after)}.")

    def check_run(self, where: str, boards: list[Any], *, is_halted: bool) -> None:
        """Checks what is claimed of a run from its first board to its last."""
        for claim in self.lasting:
            first = next((place for place, board in enumerate(boards) if _holds(claim.sought, where, board)), None)
            if claim.forbidden is None:
                if first is None and is_halted:
                    raise AssertionError(f"{where}: {claim.name} does not hold: on no board of the run did it.")
            elif first is not None:
                bad = next((board for board in boards[first + 1 :] if _holds(claim.forbidden, where, board)), None)
                if bad is not None:
                    raise AssertionError(f"{where}: {claim.name} does not hold on {shown(bad)}.")


def shown(board: Any) -> str:
    """A board in one line, cut where it is long; the test that a failure prints has it whole."""
    return one_line(source_of(board), 400)


def _takes(claim: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(claim).bind(*[object()] * count)
    except (TypeError, ValueError):
        return False
    return True


def _is_refuted(claim: Callable[..., Any], where: str, *arguments: Any) -> bool:
    answer = _asked(claim, where, *arguments)
    return answer is not None and not answer


def _holds(claim: Callable[[Any], Any], where: str, board: Any) -> bool:
    return bool(_asked(claim, where, board))


def _asked(claim: Callable[..., Any], where: str, *arguments: Any) -> Any:
    """What a claim answers."""
    try:
        return claim(*arguments)
    except AssertionError:
        raise
    except Exception as error:
        told = ", ".join(map(shown, arguments))
        problem = f"{where}: invariant {_named(claim)} raised {type(error).__name__}: {error}, on {told}."
        raise AssertionError(problem) from error


def _named(claim: Any) -> str:
    return str(getattr(claim, "__name__", "") or repr(claim))
