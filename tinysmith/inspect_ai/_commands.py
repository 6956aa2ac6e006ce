"""The scripts with which files are read and written in our sandbox for Inspect, and what their exit codes say."""

import errno
import os
from typing import NoReturn

from tinysmith._shown import one_line
from tinysmith.sandbox.spec import Executed

NOT_FOUND, FOLDER, FORBIDDEN = 40, 41, 42

READ = f"""[ -e "$1" ] || exit {NOT_FOUND}
[ ! -d "$1" ] || exit {FOLDER}
[ -r "$1" ] || exit {FORBIDDEN}
exec /usr/bin/head -c "$2" -- "$1"
"""
"""Prints the first `$2` bytes of the file `$1`."""

WRITE = f"""trap '' XFSZ  # then a write fails, instead of ending who writes
[ ! -d "$1" ] || exit {FOLDER}
/bin/mkdir -p -- "${{1%/*}}/" || exit {FORBIDDEN}
[ ! -e "$1" ] || [ -w "$1" ] || exit {FORBIDDEN}
(: >> "$1") || exit {FORBIDDEN}
exec /bin/cat > "$1"
"""
"""Writes what it reads into the file `$1`, and makes its folders."""

_ERRORS = {NOT_FOUND: errno.ENOENT, FOLDER: errno.EISDIR, FORBIDDEN: errno.EACCES}
_TOO_LARGE = os.strerror(errno.EFBIG)


def demand_done(done: Executed, file: str, *, is_small: bool = False) -> None:
    """Raises what Inspect expects of a file that cannot be read or written.

    Args:
        done: What the script gave.
        file: The file's name.
        is_small: Whether it may be that large; where it is too large even so, the disk is full.

    Raises:
        FileNotFoundError: It is not there.
        IsADirectoryError: It is a folder.
        PermissionError: It may not be read or written.
        TimeoutError: That took too long, as with a pipe that nobody writes into.
        OSError: Anything else, such as a full disk.
    """
    if done.ended_by == "wall_s":
        raise TimeoutError(f"{file} could not be read or written in time.")
    if done.ended_by:
        _raise(errno.ENOSPC, file)
    if done.exit_code in _ERRORS:
        _raise(_ERRORS[done.exit_code], file)
    if done.exit_code:
        why = one_line(done.error_text, 200)
        if why.endswith(_TOO_LARGE):
            _raise(errno.ENOSPC if is_small else errno.EFBIG, file)
        raise OSError(errno.EIO, why or os.strerror(errno.EIO), file)


def _raise(code: int, file: str) -> NoReturn:
    raise OSError(code, os.strerror(code), file)
