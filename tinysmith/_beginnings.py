"""What a run begins with where nobody says it."""

from typing import Any, TypeVar, get_type_hints

import attrs

from tinysmith._generated import drawn
from tinysmith._possible import needed
from tinysmith.errors import UsageError
from tinysmith.protocols import Task
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")

PLAIN = Task("task", "Do it.", instructions="Do it well.")
MOST_BOARDS = 3


def needs_boards(strategy: Strategy[Any]) -> bool:
    """Whether a strategy has no `brief` of its own, and a board with fields that have no default."""
    return bool(_needed(strategy)) and type(strategy).brief is Strategy.brief


def first_boards(strategy: Strategy[B]) -> tuple[B, ...]:
    """The boards that a strategy begins with where nobody gives any.

    That is the one that `brief` makes of a plain task, or the board's defaults; where fields have no default,
    some boards whose other fields have theirs.

    Raises:
        UsageError: There are none: a brief wants more than a plain task, or Hypothesis, which would make values
            for the fields without a default, is not installed.
    """
    if needs_boards(strategy):
        return generated_boards(strategy)
    try:
        return (strategy.brief(PLAIN, ""),)
    except Exception as error:
        problem = f"{plan_of(strategy).name}.brief raised {type(error).__name__}: {error},"
        raise UsageError(f"{problem} when it was given a plain task. Give boards=[…].") from error


def generated_boards(strategy: Strategy[B]) -> tuple[B, ...]:
    """Some boards whose fields have their defaults, and where they have none, values of their types.

    Raises:
        UsageError: Hypothesis is not installed, or no values are found.
    """
    what = f"first boards of {plan_of(strategy).name}"
    return drawn(lambda strategies: boards_of(strategy, strategies), MOST_BOARDS, what=what)


def boards_of(strategy: Strategy[Any], strategies: Any) -> Any:
    """A Hypothesis strategy for boards whose fields have their defaults, and where they have none, any value.

    A text is the same plain one, since prompts are made of it, and an empty prompt is nobody's fault.

    Args:
        strategy: Whose boards they are.
        strategies: Hypothesis's module of strategies.
    """
    board_type = plan_of(strategy).board_type
    hints = get_type_hints(board_type)
    plain = [part for part in _needed(strategy) if hints[part.name] is str and part.validator is None]
    return needed(strategies, board_type, {part.alias: strategies.just(PLAIN.query) for part in plain})


def _needed(strategy: Strategy[Any]) -> list[Any]:
    parts = attrs.fields(plan_of(strategy).board_type)
    return [part for part in parts if part.init and part.default is attrs.NOTHING]
