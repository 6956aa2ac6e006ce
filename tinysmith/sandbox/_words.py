"""What callers give to run, checked before anything is started."""

import math
from collections.abc import Mapping, Sequence

from tinysmith.errors import UsageError
from tinysmith.sandbox.tree import is_passable, is_plain_path

_LONGEST = 131_072  # bytes of one argument, and of one variable: the kernel's limit
_MOST = 1_500_000  # bytes of all together, of the 2 MiB that the kernel gives them


def checked_words(command: str | Sequence[str]) -> tuple[str, ...]:
    """The arguments of a command; a text is for bash.

    Raises:
        UsageError: There are none, or one of them cannot be an argument.
    """
    words = ("/bin/bash", "-c", "--", command) if isinstance(command, str) else tuple(command)
    if not words or not words[0]:
        raise UsageError("The command is empty; give a program and its arguments.")
    for word in words:
        if not isinstance(word, str) or not is_passable(word):
            raise UsageError(f"The command has an argument that is no text, or has a NUL: {str(word)[:40]!r}.")
    _demand_short("The command", words)
    return words


def checked_cwd(path: str) -> str:
    """Where a command begins.

    Raises:
        UsageError: It is no absolute, plain path.
    """
    if not is_plain_path(path) or not is_passable(path):
        raise UsageError(f"cwd is {path!r}; give an absolute path without `.`, `..` and NUL.")
    return path


def checked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables.

    Raises:
        UsageError: One of them cannot be one.
    """
    for name, value in environment.items():
        if not name or "=" in name or not is_passable(name + value):
            raise UsageError(f"The environment variable {name!r} has no name, or a NUL or `=`; rename it.")
    _demand_short("The environment", [f"{name}={value}" for name, value in environment.items()])
    return dict(environment)


def checked_seconds(seconds: float) -> float:
    """How long a command may take.

    Raises:
        UsageError: It is no number.
    """
    if math.isnan(seconds):
        raise UsageError("wall_s is nan; give seconds, or leave it out for those of the limits.")
    return seconds


def _demand_short(what: str, texts: Sequence[str]) -> None:
    sizes = [len(text.encode()) + 1 for text in texts]
    if max(sizes, default=0) > _LONGEST or sum(sizes) > _MOST:
        raise UsageError(f"{what} is too long for the kernel: {sum(sizes)} bytes; write it into a file first.")
