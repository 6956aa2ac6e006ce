"""`--set FIELD=VALUE`: fields of the first board."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import evolve

from tinysmith._codec import codec
from tinysmith._scalars import MisfitError
from tinysmith._shown import near
from tinysmith.errors import UsageError
from tinysmith.protocols import Task
from tinysmith.strategy import Strategy, plan_of


def board_changes(strategy: type[Strategy[Any]], settings: Sequence[str]) -> dict[str, Any]:
    """The fields that `--set` names, with their values: JSON, or plain text.

    Raises:
        UsageError: There is no such field, or the value does not fit it.
    """
    board_type = plan_of(strategy).board_type
    hints = get_type_hints(board_type)
    names = {part.name: part.alias for part in attrs.fields(board_type)}
    changes = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting!r} is not of the form FIELD=VALUE.")
        if name not in names:
            raise UsageError(
                f"--set names {name!r}, which is no field of {board_type.__name__}. {near(name, names)}"
            )
        changes[str(names[name])] = _value(hints[name], name, text)
    return changes


def first_board(strategy: Strategy[Any], task: Task, observation: str, changes: Mapping[str, Any]) -> Any:
    """The board that the strategy's brief makes, changed; or one of the changes alone, where it has no brief.

    Raises:
        UsageError: It has no brief and fields are missing, or a value is refused by the board.
    """
    board_type = plan_of(strategy).board_type
    try:
        if type(strategy).brief is not Strategy.brief:
            return evolve(strategy.brief(task, observation), **changes)
        needed = [part.alias for part in attrs.fields(board_type) if part.default is attrs.NOTHING]
        lacking = [name for name in needed if name not in changes]
        if lacking:
            problem = (
                f"{plan_of(strategy).name} has no brief(), and its board needs {', '.join(map(str, lacking))}."
            )
            raise UsageError(f"{problem} Add --set {lacking[0]}=….")
        return board_type(**changes)
    except (TypeError, ValueError) as error:
        if not changes:
            raise
        raise UsageError(f"--set: the board refuses these values: {error}.") from None


def _value(hint: Any, name: str, text: str) -> Any:
    readings: list[Any] = [text]
    with suppress(ValueError, RecursionError):  # not JSON: plain text, then
        readings.insert(hint is str, json.loads(text))
    options = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    for option in options:
        for reading in readings:
            with suppress(MisfitError):
                return codec(option).decode(reading, name)
    raise UsageError(f"--set {name}={text}: the value does not fit {getattr(hint, '__name__', hint)}.")
