"""What a run begins with where nobody says it."""

from typing import Any, TypeVar

import attrs

from tinysmith.errors import UsageError
from tinysmith.protocols import Task
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")


def needs_boards(strategy: Strategy[Any]) -> bool:
    """Whether a strategy has no `brief` of its own, and a board with fields that have no default."""
    parts = attrs.fields(plan_of(strategy).board_type)
    lacks_defaults = any(part.init and part.default is attrs.NOTHING for part in parts)
    return lacks_defaults and type(strategy).brief is Strategy.brief


def first_boards(strategy: Strategy[B]) -> tuple[B, ...]:
    """The board that a strategy begins with where nobody gives one.

    Raises:
        UsageError: It cannot be made of a plain task.
    """
    task = Task("task", "Do it.", instructions="Do it well.")
    try:
        return (strategy.brief(task, ""),)
    except UsageError as error:
        raise UsageError(f"{error} Here: boards=[…].") from None
    except Exception as error:
        name = plan_of(strategy).name
        problem = f"{name}.brief raised {type(error).__name__}: {error}, when it was given a plain task."
        raise UsageError(f"{problem} Give boards=[…].") from error
