"""`tinysmith draw`: a strategy's picture, printed or written to a file."""

import argparse
import os
import sys
from pathlib import Path

from tinysmith._shown import near
from tinysmith.cli._load import load_strategy
from tinysmith.drawing import FORMATS, draw
from tinysmith.errors import DataError, UsageError

_SUFFIXES = {
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".txt": "text",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
    ".png": "png",
    ".html": "html",
    ".htm": "html",
}


def draw_command(arguments: argparse.Namespace) -> int:
    """Draws the strategy, and returns the exit code."""
    output = None if arguments.output in (None, "-") else Path(arguments.output)
    format_ = arguments.format or format_of(output, "mermaid")
    put(draw(load_strategy(arguments.strategy), format_, at=arguments.at), output, format_)
    return 0


def put(picture: str | bytes, output: Path | None, format_: str) -> None:
    """Writes a picture to a file, or prints it.

    Raises:
        UsageError: It is no text, and would be printed on a terminal.
        DataError: The file cannot be written.
    """
    if output is not None:
        write_whole(output, picture.encode() if isinstance(picture, str) else picture)
    elif isinstance(picture, str):
        print(picture, end="")
    elif sys.stdout.isatty():
        raise UsageError(f"{format_} is no text for a terminal. Give -o FILE, or send it into a pipe.")
    else:
        sys.stdout.buffer.write(picture)


def write_whole(place: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all; one that is there is replaced.

    Raises:
        DataError: It cannot be written; nothing is left behind.
    """
    try:
        place = place.resolve()  # a link stays, what it points to is replaced
        if place.exists() and not place.is_file():
            place.write_bytes(content)  # a device such as /dev/null, or a folder, which refuses
            return
        unfinished = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(place)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{place}: it cannot be written: {error.strerror}. Name another file.") from error


def format_of(output: Path | None, default: str) -> str:
    """The format that a file's suffix names; the default, where there is no file.

    Raises:
        UsageError: The suffix names none.
    """
    if output is None:
        return default
    if output.suffix.lower() not in _SUFFIXES:
        known = near(output.suffix, _SUFFIXES)
        raise UsageError(f"{output}: its name tells no format. {known} Or give -f, with {', '.join(FORMATS)}.")
    return _SUFFIXES[output.suffix.lower()]
