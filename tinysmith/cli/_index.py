"""`tinysmith index`: a folder of documents becomes an index for `Retrieve` nodes."""

import argparse
import sys
import time
from pathlib import Path
from typing import Self, TextIO

from tinysmith._shown import escaped
from tinysmith.errors import DataError, UsageError
from tinysmith.models import Embedder
from tinysmith.retrieval import EmbeddingIndex, LexicalIndex, Passage, read_passages

_SHOWN_SKIPS = 10


def index_command(arguments: argparse.Namespace) -> int:
    """Builds the index, and returns the exit code."""
    begin = time.monotonic()
    embedder = _embedder(arguments)
    place = Path(arguments.output)
    _check(place)
    skipped: list[tuple[str, str]] = []
    passages = list(
        read_passages(arguments.folder, without=place, on_skip=lambda path, reason: skipped.append((path, reason)))
    )
    _tell_skipped(skipped, sys.stderr)
    if not passages:
        raise UsageError(f"{arguments.folder}: there is no text in it. Name a folder of text files.")
    with Progress(sys.stderr) as progress:
        if embedder is None:
            with LexicalIndex.build(place, passages, progress) as index:
                count = len(index)
        else:
            count = len(EmbeddingIndex.build(place, passages, embedder, progress))
    print(_summary(place, count, passages, len(skipped), time.monotonic() - begin))
    return 0


class Progress:
    """Says how far the building is: on a terminal in one line that changes, else in a line at every tenth.

    Args:
        stream: Where it is said.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tenths = 0
        self._is_amid_line = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_amid_line:
            print(file=self._stream)

    def __call__(self, done: int, total: int) -> None:
        """Says that so many of all passages are indexed."""
        said = f"{done} of {total} passages"
        if self._stream.isatty():
            print(f"\r{said}", end="", file=self._stream, flush=True)
            self._is_amid_line = True
        elif done * 10 // total > self._tenths:
            self._tenths = done * 10 // total
            print(said, file=self._stream, flush=True)


def _embedder(arguments: argparse.Namespace) -> Embedder | None:
    options = {"base_url": arguments.base_url, "api_key_env": arguments.api_key_env}
    if arguments.model is not None:
        return Embedder(arguments.model, **options)
    for option, value in options.items():
        if value is not None:
            raise UsageError(
                f"--{option.replace('_', '-')} is of an embedding model. Name it with --model, or leave this out."
            )
    return None


def _check(place: Path) -> None:
    """Says what is wrong with the file before the documents are read."""
    try:
        if place.is_dir():
            raise DataError(f"{place}: it is a folder. Name the file that the index is written to.")
        if not place.parent.is_dir():
            raise DataError(f"{place}: there is no folder {place.parent}. Make it, or name another file.")
    except OSError as error:
        raise DataError(f"{place}: no index can be written there: {error.strerror}. Name another file.") from None


def _tell_skipped(skipped: list[tuple[str, str]], stream: TextIO) -> None:
    for path, reason in skipped[:_SHOWN_SKIPS]:
        print(f"skipped {escaped(path)}: {escaped(reason)}", file=stream)
    if len(skipped) > _SHOWN_SKIPS:
        print(f"skipped {len(skipped) - _SHOWN_SKIPS} more", file=stream)


def _summary(place: Path, count: int, passages: list[Passage], skipped: int, seconds: float) -> str:
    files = len({passage.source.rpartition(":")[0] for passage in passages})
    size = place.stat().st_size / 1e3
    shown = f"{size:.0f} kB" if size < 1_000 else f"{size / 1e3:.1f} MB"
    return (
        f"{place}: {_counted(count, 'passage')} of {_counted(files, 'file')}, "
        f"{skipped} skipped, {seconds:.1f} s, {shown}"
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
