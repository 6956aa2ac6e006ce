"""What callers give to run, checked before anything is started."""

import math
from collections.abc import Mapping, Sequence

from tinysmith._arguments import path_text, told
from tinysmith.errors import UsageError
from tinysmith.sandbox.tree import is_passable, is_plain_path

_LONGEST = 131_072  # bytes of one argument, and of one variable: the kernel's limit
_MOST_WORDS = 8000  # `bwrap` takes 9,000, with ours
_MOST = 1_500_000  # bytes of all together, of the 2 MiB that the kernel gives them


def checked_words(command: str | Sequence[str]) -> tuple[str, ...]:
    """The arguments of a command; a text is for bash.

    Raises:
        UsageError: There are none, or one of them cannot be an argument.
    """
    if not isinstance(command, str | Sequence) or isinstance(command, bytes):
        raise UsageError(f"The command is {told(command)}; give a text for bash, or a list of texts.")
    words = ("/bin/bash", "-c", "--", command) if isinstance(command, str) else tuple(command)
    if not words or not words[0]:
        raise UsageError("The command is empty; give a program and its arguments.")
    for word in words:
        if not isinstance(word, str) or not is_passable(word):
            raise UsageError(f"The command has an argument that is no text, or has a NUL: {str(word)[:40]!r}.")
    if len(words) > _MOST_WORDS:
        problem = f"The command has {len(words)} arguments, of {_MOST_WORDS} that it may have"
        raise UsageError(f"{problem}; write them into a file, for `xargs`.")
    _demand_short("The command", words)
    return words


def demand_line(command: object) -> None:
    """Raises a `UsageError` unless a shell that stays can read this command."""
    if not isinstance(command, str):
        raise UsageError(f"The command is {told(command)}; give a text for the shell.")
    if not is_passable(command):
        raise UsageError("The command has a NUL or half a character, which no shell can read; leave it out.")


def checked_cwd(path: str) -> str:
    """Where a command begins.

    Raises:
        UsageError: It is no absolute, plain path.
    """
    text = path_text(path)
    if not is_plain_path(text):
        raise UsageError(f"cwd is {told(path)}; give an absolute path without `.`, `..` and NUL.")
    return str(text)


def demand_texts(environment: object) -> None:
    """Raises a `UsageError` unless all variables are texts; their values are not told."""
    if not isinstance(environment, Mapping):
        raise UsageError(f"The environment is a {type(environment).__name__}; give a dict of texts by name.")
    for name, value in environment.items():
        if not isinstance(name, str) or not isinstance(value, str):
            kinds = f"{told(name)} with a {type(value).__name__}"
            raise UsageError(f"The environment has the variable {kinds}; give texts, such as {{'N': '1'}}.")


def checked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment variables.

    Raises:
        UsageError: One of them cannot be one, or together they are too long.
    """
    demand_texts(environment)
    for name, value in environment.items():
        if not name or "=" in name or not is_passable(name + value):
            raise UsageError(f"The environment variable {name!r} has no name, or a NUL or `=`; rename it.")
    _demand_short("The environment", [f"{name}={value}" for name, value in environment.items()])
    return dict(environment)


def checked_stdin(stdin: bytes) -> bytes:
    """What a command reads.

    Raises:
        UsageError: It is no bytes.
    """
    if not isinstance(stdin, (bytes, bytearray, memoryview)):
        raise UsageError(f"stdin is a {type(stdin).__name__}; give bytes (`text.encode()`).")
    return bytes(stdin)


def checked_seconds(seconds: float) -> float:
    """How long a command may take.

    Raises:
        UsageError: It is no number.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or math.isnan(seconds):
        raise UsageError(f"wall_s is {told(seconds)}; give seconds, or leave it out for those of the limits.")
    return seconds


def _demand_short(what: str, texts: Sequence[str]) -> None:
    sizes = [len(text.encode()) + 1 for text in texts]
    if max(sizes, default=0) > _LONGEST or sum(sizes) > _MOST:
        raise UsageError(f"{what} is too long for the kernel: {sum(sizes)} bytes; write it into a file first.")
