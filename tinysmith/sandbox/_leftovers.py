"""What killed processes have left of their sandboxes' files, which whoever makes one later takes away.

A place has a file that its process holds a lock on, which ends with that process, however it ended. The lock is no
number of a process, which would say nothing where others number them, as containers that share `/tmp` do.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PREFIX = "tinysmith-"
"""What the names of places begin with."""

OWNED = "owned"
"""The file that says whether somebody owns a place."""

_UNOWNED = f"not-yet-{OWNED}"  # nobody looks for it before it is locked

_LONG_S = 3600.0  # more than anybody takes from making a place to owning it


def own(place: Path) -> int:
    """Says of a new place that it is ours; returns the file descriptor by which it is, to be closed at its end."""
    import fcntl  # noqa: PLC0415  # there is none on Windows, where this file is imported, too

    unseen = place / _UNOWNED
    lock = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with suppress(OSError):  # a file system without locks: then nobody takes it away
        fcntl.flock(lock, fcntl.LOCK_EX)
        unseen.rename(place / OWNED)
    return lock


def leftovers(temporary: Path) -> Iterator[Path]:
    """Our user's places in a temporary folder whose process has ended; nobody else is given one meanwhile."""
    places: list[Path] = []
    with suppress(OSError):  # it may not be ours to list
        places = [place for place in temporary.iterdir() if place.name.startswith(PREFIX)]
    for place in places:
        with suppress(OSError):  # it is no place, has something in it, or is just being made
            _remove_if_never_owned(place)
        with suppress(OSError):  # it is gone meanwhile, is no place, or is owned
            lock = _owned_by_nobody(place)
            try:
                yield place
            finally:
                os.close(lock)


def _made_s(place: Path) -> float:
    """When something was last made in our place.

    Raises:
        OSError: It is none.
    """
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise NotADirectoryError(place)
    return found.st_mtime


def _remove_if_never_owned(place: Path) -> None:
    """Takes a place away whose process was killed before it owned it, and put anything there."""
    if time.time() - _made_s(place) > _LONG_S:
        (place / _UNOWNED).unlink(missing_ok=True)
        place.rmdir()


def _owned_by_nobody(place: Path) -> int:
    """A lock on the place of a process that has ended.

    Raises:
        OSError: It is none.
    """
    import fcntl  # noqa: PLC0415  # as above

    _made_s(place)
    lock = os.open(place / OWNED, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
