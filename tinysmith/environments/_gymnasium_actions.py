"""From a model's text to an action of a gymnasium space, or to a sentence that says why it is none."""

import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import frozen

from tinysmith._arguments import told
from tinysmith._shown import escaped, near, one_line
from tinysmith.environments._plain import compact
from tinysmith.errors import ParseError, UsageError

Act: TypeAlias = Callable[[str], Any] | Mapping[str, Any]

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_LISTED = 16
_LONGEST = 100_000


@frozen
class Actions:
    """How texts are read as actions.

    Attributes:
        space: The space of the actions.
        read: Reads a text; raises `ValueError`, `LookupError` or `ParseError` where it cannot.
        hint: What to write, as a sentence; empty where only `read` knows.
    """

    space: Any
    read: Callable[[str], Any]
    hint: str = ""

    def of(self, text: str) -> tuple[Any]:
        """The action that a text says.

        Raises:
            ParseError: It is none; the message says why, and what to write.
        """
        try:
            action = self.read(text)
            if self.space.contains(action):
                return (action,)
            reason = ""
        except ParseError as error:
            reason = f" {escaped(error.message)}"
        except (ValueError, LookupError, RecursionError) as error:
            reason = "" if self.hint else f" {one_line(f'{type(error).__name__}: {error}')}"
        said = f'This is no action here, and nothing was done: "{one_line(text.strip(), 80)}".'
        raise ParseError(f"{said}{reason or f' {self.hint}'}".strip())


def actions_of(space: Any, act: Act | None) -> Actions:
    """How texts are read as actions of a space.

    Args:
        space: A space of gymnasium's.
        act: What reads them, or actions by their words; None for what is usual.

    Raises:
        UsageError: `act` is neither, there is nothing usual for such a space, two words are one, or a word's
            action is not in it.
    """
    if isinstance(act, Mapping):
        return _of_words(space, act)
    if callable(act):
        return Actions(space, act)
    if act is not None:
        remedy = "give a function, or a dict of actions by their words"
        raise UsageError(f"from_gymnasium: act is {told(act)}; {remedy}.")
    spaces = importlib.import_module("gymnasium.spaces")
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), int(space.start + space.n - 1)
        return Actions(space, _whole, f"Write a whole number from {low} to {high}.")
    if isinstance(space, spaces.Text):
        most = f"{space.min_length} to {space.max_length} characters"
        return Actions(space, str, f"Write {most} of these: {one_line(space.characters, 200)}")
    if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        return Actions(space, _array(space), _hint(space, spaces))
    kind = type(space).__name__
    raise UsageError(
        f"from_gymnasium: no text is usual for an action space {kind}. Give act=..., which makes an action of one."
    )


def _of_words(space: Any, words: Mapping[str, Any]) -> Actions:
    by_word: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    for word, action in words.items():
        if not isinstance(word, str):
            raise UsageError(f"from_gymnasium: act has the word {word!r}, which is no text; write it as one.")
        known = word.strip().casefold()
        if spelt.setdefault(known, word) != word:
            problem = f"the words {spelt[known]!r} and {word!r} are one here, since case and blanks do not count"
            raise UsageError(f"from_gymnasium: {problem}; leave one out.")
        by_word[known] = action
        if not space.contains(action):
            raise UsageError(
                f"from_gymnasium: the action {action!r} of the word {word!r} is not in {one_line(str(space))}."
            )

    def read(text: str) -> Any:
        word = text.strip().casefold()
        if word in by_word:
            return by_word[word]
        raise ParseError(near(word[:80], map(str, words)))

    return Actions(space, read)


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text.strip()):
        return int(text)
    raise ValueError


def _array(space: Any) -> Callable[[str], Any]:
    numpy = importlib.import_module("numpy")
    is_whole = space.dtype.kind in "iub"

    def check(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                check(item)
        elif type(value) is not int and (is_whole or type(value) is not float):
            raise ValueError

    def read(text: str) -> Any:
        if len(text) > _LONGEST:
            raise ValueError
        value = json.loads(text)
        check(value)
        with numpy.errstate(over="ignore"):
            try:
                array = numpy.array(value, dtype=space.dtype)
            except OverflowError:
                raise ValueError from None
        if not numpy.isfinite(array).all():
            raise ValueError
        return array

    return read


def _hint(space: Any, spaces: Any) -> str:
    if isinstance(space, spaces.Box):
        low, high = space.low, space.high
    elif isinstance(space, spaces.MultiDiscrete):
        low, high = space.start, space.start + (space.nvec - 1)
    else:
        low, high = 0, 1
    if getattr(low, "size", 1) > _LISTED:
        low, high = low.min(), high.max()
    whole = "whole numbers" if space.dtype.kind in "iub" else "numbers"
    return f"Write a JSON list of the shape {list(space.shape)}: {whole} from {compact(low)} to {compact(high)}."
