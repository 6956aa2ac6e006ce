"""The one file that runs Graphviz's `dot`."""

import shutil
import subprocess

from tinysmith._shown import one_line
from tinysmith.errors import UsageError

TIMEOUT_S = 60.0
_INSTEAD = "Draw it as mermaid, text or dot, which need no Graphviz"


def is_there() -> bool:
    """Whether there is a `dot` to run."""
    return shutil.which("dot") is not None


def dot(source: str, output: str, *options: str, timeout_s: float = TIMEOUT_S) -> bytes:
    """What `dot` makes of a source.

    Args:
        source: In DOT.
        output: The format, as `dot -T` names it.
        options: More for its command line.
        timeout_s: How long it may take.

    Raises:
        UsageError: There is no `dot`, or it failed, or it took too long.
    """
    program = shutil.which("dot")
    if program is None:
        raise UsageError(
            f"{output} needs Graphviz, whose program dot is not on the PATH. Install the package "
            f"graphviz (apt-get install graphviz, brew install graphviz). {_INSTEAD}."
        )
    command = [program, f"-T{output}", *options]
    try:
        done = subprocess.run(  # noqa: S603  # no shell, and no part of the command is from a strategy
            command, input=source.encode(), capture_output=True, check=False, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"Graphviz's dot has not finished after {timeout_s:g} s. {_INSTEAD}.") from None
    if done.returncode:
        said = one_line(done.stderr.decode(errors="replace"), 200) or "nothing"
        raise UsageError(f"Graphviz's dot ended with code {done.returncode} and said: {said}. {_INSTEAD}.")
    return done.stdout
