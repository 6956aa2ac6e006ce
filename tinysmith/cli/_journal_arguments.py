"""Arguments of what has to do with journals."""

import argparse
import re
from datetime import timedelta
from typing import Any

from tinysmith.approval import Refuse
from tinysmith.cli._binding_arguments import add_bindings, add_limits, add_llm

_HOURS = {"h": 1, "d": 24, "w": 168}
_STRATEGY = "package.module:Class or path.py:Class; never taken from the file"
_RUN = "the run's id, or how it begins"
_EXPORT_CODES = "Exit code 0, 2 for misuse, 3 where a run is damaged, also where it was left out."


def add_journaling(run: argparse.ArgumentParser) -> None:
    """Adds what `run` keeps, and whom it asks."""
    run.add_argument("--journal", metavar="FILE", help="where the runs are kept; made if it is not there")
    run.add_argument(
        "--continue",
        dest="goes_on",
        action="store_true",
        help="tell of tasks whose run in the journal has ended, and run only the others; those that were "
        "interrupted, or that machinery broke, begin anew",
    )
    _add_approve(run)


def add_journal_commands(commands: Any) -> None:
    """Adds the commands that read and go on with journals."""
    runs = _command(commands, "runs", "list the runs of a journal")
    _add_json(runs)
    show = _command(commands, "show", "show a run of a journal, row by row; its strategy is not needed")
    show.add_argument("run", metavar="RUN", help=_RUN)
    _add_json(show)
    _add_resume(_command(commands, "resume", "go on with a run of a journal", "Exit codes are those of `run`."))
    replay = _command(
        commands,
        "replay",
        "tell whether saved runs are still legal",
        "Exit code 0 where all are the same, 1 where one is not, 2 for misuse.",
    )
    replay.add_argument(
        "runs", nargs="*", metavar="RUN", help=f"{_RUN}; every run of the journal if none is named"
    )
    replay.add_argument("--against", required=True, metavar="STRATEGY", help=_STRATEGY)
    _add_json(replay)
    fork = _command(commands, "fork", "make a new run that shares the past of another; `resume` goes on with it")
    fork.add_argument("run", metavar="RUN", help=_RUN)
    fork.add_argument("strategy", metavar="STRATEGY", help=_STRATEGY)
    fork.add_argument("--step", type=int, metavar="N", help="how many steps are shared (default: all)")
    fork.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of the board at that step"
    )
    test = _command(commands, "to-pytest", "print a test for pytest that pins a step of a run")
    test.add_argument("run", metavar="RUN", help=_RUN)
    test.add_argument("strategy", metavar="STRATEGY", help=_STRATEGY)
    test.add_argument("--step", type=int, metavar="N", help="the step; 0 for the start (default: the last)")
    gc = _command(commands, "gc", "delete old runs of a journal, and give the space back")
    gc.add_argument("--older-than", required=True, type=_age, metavar="AGE", help="such as 12h, 30d or 8w")
    gc.add_argument("--dry-run", action="store_true", help="only tell what would be deleted")
    _add_exchange(commands)


def _add_exchange(commands: Any) -> None:
    export = _command(commands, "export", "write runs of a journal as JSON Lines", _EXPORT_CODES, nargs="?")
    export.add_argument(
        "runs", nargs="*", metavar="RUN", help=f"{_RUN}; every run of the journal if none is named"
    )
    export.add_argument("-o", "--output", metavar="OUT", help="the file to write; - for standard output (default)")
    export.add_argument(
        "--skip-damaged", action="store_true", help="leave out runs that cannot be read, and say which"
    )
    export.add_argument("--schema", action="store_true", help="print the JSON schema of a line instead")
    take_in = _command(commands, "import", "take runs that were exported into a journal")
    take_in.add_argument("file", metavar="IN", help="what `export` wrote; - for standard input")


def _command(
    commands: Any, name: str, what: str, epilog: str | None = None, **more: Any
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=what, epilog=epilog)
    command.add_argument("journal", metavar="FILE", help="the journal", **more)
    command.add_argument("--traceback", action="store_true", help="show where an error came from")
    return command


def _add_resume(resume: argparse.ArgumentParser) -> None:
    resume.add_argument("run", metavar="RUN", help=_RUN)
    resume.add_argument("strategy", metavar="STRATEGY", help=_STRATEGY)
    add_bindings(resume)
    _add_approve(resume)
    decision = resume.add_mutually_exclusive_group()
    decision.add_argument("--approve-pending", action="store_true", help="carry out what the paused run waits for")
    decision.add_argument(
        "--edit", metavar="TEXT", help="carry this out instead: an action, a prompt, or arguments as a JSON object"
    )
    decision.add_argument(
        "--refuse", nargs="?", const=Refuse().reason, metavar="REASON", help="do not carry it out; say why"
    )
    resume.add_argument(
        "--leave-environment", action="store_true", help="go on with the environment as it is, which is not reset"
    )
    _add_json(resume)
    resume.add_argument("--quiet", "-q", action="store_true", help="print how the run ended instead of every step")
    add_llm(resume)
    add_limits(resume, is_again=True)


def _add_approve(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--approve",
        action="append",
        default=[],
        metavar="NODE",
        help="ask at the terminal before what this node wants is carried out; may be given several times",
    )


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON object a line")


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; give a number of hours, days or weeks, such as 30d")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])
