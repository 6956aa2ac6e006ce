"""The command line's entry: one command, one exit code, and one clear line where something is wrong."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import TextIOWrapper

from tinysmith._shown import escaped
from tinysmith.cli._arguments import parser
from tinysmith.cli._check import check_command
from tinysmith.cli._demo import demo_command
from tinysmith.cli._diff import diff_command
from tinysmith.cli._draw import draw_command
from tinysmith.cli._ending import as_if_interrupted, open_streams
from tinysmith.cli._explore import explore_command
from tinysmith.cli._export import export_command
from tinysmith.cli._fork import fork_command
from tinysmith.cli._gc import gc_command
from tinysmith.cli._import import import_command
from tinysmith.cli._index import index_command
from tinysmith.cli._intercode import intercode_command
from tinysmith.cli._replay import replay_command
from tinysmith.cli._report import told
from tinysmith.cli._resume import resume_command
from tinysmith.cli._run import run_command
from tinysmith.cli._runs import runs_command
from tinysmith.cli._show import show_command
from tinysmith.cli._to_pytest import to_pytest_command
from tinysmith.errors import DataError, DefinitionError, TinysmithError, UsageError

SOLVED, UNSOLVED, MISUSED, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": lambda _: demo_command(),
    "draw": draw_command,
    "diff": diff_command,
    "check": check_command,
    "explore": explore_command,
    "run": run_command,
    "index": index_command,
    "intercode": intercode_command,
    "runs": runs_command,
    "show": show_command,
    "resume": resume_command,
    "replay": replay_command,
    "fork": fork_command,
    "to-pytest": to_pytest_command,
    "gc": gc_command,
    "export": export_command,
    "import": import_command,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments; the process's own, if None.

    Returns:
        0 when solved (with `--all`: when every episode came to a graded end), 1 when not, 2 for misuse, 3 when
        machinery failed. `diff` returns 1 where the strategies differ, `check` and `explore` where they find
        faults, `replay` where a saved run is no longer legal. 130 when interrupted by Ctrl-C, 143 by SIGTERM, 129
        by SIGHUP.
    """
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe's encoding need not have our arrows
    arguments = parser().parse_args(argv)
    with as_if_interrupted() as came:
        code = _done(arguments)
    return 128 + came[0] if came and code == INTERRUPTED else code


def _done(arguments: argparse.Namespace) -> int:
    """Does the command, and returns its exit code."""
    try:
        if arguments.version:
            print(f"tinysmith {version('tinysmith-fsm')}")
            return SOLVED
        if arguments.command is not None:
            code = _COMMANDS[arguments.command](arguments)
            sys.stdout.flush()  # so that a reader who has gone is noticed here
            return code
    except (UsageError, DataError, DefinitionError) as error:
        return _say(error, MISUSED, arguments)
    except TinysmithError as error:
        return _say(error, BROKEN, arguments)
    except KeyboardInterrupt:
        print("tinysmith: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, e.g. `| head`; what is left of it goes nowhere, also when we end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN
    except Exception as error:  # noqa: BLE001  # a strategy's own fault; --traceback shows it whole
        return _say(told(error), BROKEN, arguments)
    parser().print_help()
    return MISUSED


def _say(problem: object, code: int, arguments: object) -> int:
    if getattr(arguments, "traceback", False):
        traceback.print_exc()
    text = str(problem) if isinstance(problem, DefinitionError) else str(problem).replace("\n", "\\n")
    print(f"tinysmith: {escaped(text)}", file=sys.stderr)
    return code
