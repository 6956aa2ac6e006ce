"""The command line's arguments."""

import argparse
from collections.abc import Callable
from typing import Any

from tinysmith.cli._binding_arguments import add_bindings, add_limits, add_llm, add_server
from tinysmith.cli._journal_arguments import add_journal_commands, add_journaling
from tinysmith.cli._parser import Parser
from tinysmith.exploration import DEPTH, MAX_POSITIONS, WALKS

_RUNS = (
    "For example: `tinysmith run machines:TryAgain --env demo --task count-boats --model scripted`. Exit code 0 "
    "when solved (with --all or --split: when every episode came to a graded end), 1 when not, 2 for misuse, "
    "3 when machinery failed."
)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = Parser(
        prog="tinysmith",
        description="Multi-agent LLM strategies as explicit state machines.",
        epilog="Begin with `tinysmith demo`: it needs no key and no network.",
    )
    top.add_argument("--version", action="store_true", help="print the version and end")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("demo", help="run strategies on bundled tasks, in a sandbox where one works, offline")
    _add_draw(commands.add_parser("draw", help="draw a strategy: Mermaid, text, DOT, SVG, PNG or HTML"))
    _add_diff(
        commands.add_parser(
            "diff",
            help="tell in what two strategies differ",
            description="Tells in what two strategies differ: boards, nodes, edges, guards and code.",
            epilog="Exit code 0 where they do not differ, 1 where they do, 2 for misuse.",
        )
    )
    _add_check(
        commands.add_parser(
            "check",
            help="search strategies for what can go wrong",
            description="Searches strategies' runs, and boards of their type, for what can go wrong.",
            epilog="Exit code 0 where nothing as bad as --fail-on was found, 1 where it was, 2 for misuse. A "
            'class switches a check off by its code, with the reason: allow = {"paid-after-end": "it reflects"}.',
        )
    )
    _add_explore(commands)
    _add_run(
        commands.add_parser(
            "run",
            help="run a strategy on tasks of an environment",
            epilog=_RUNS,
        )
    )
    _add_index(commands)
    _add_intercode(commands)
    add_journal_commands(commands)
    return top


def _add_draw(draw: argparse.ArgumentParser) -> None:
    draw.add_argument("strategy", metavar="STRATEGY", help="package.module:Class or path.py:Class")
    draw.add_argument(
        "-f",
        "--format",
        help="mermaid, text or dot; with Graphviz installed also svg, png or html; by default what the suffix of "
        "FILE says, else mermaid",
    )
    draw.add_argument("-o", "--output", metavar="FILE", help="the file to write; - for standard output (default)")
    draw.add_argument("--at", metavar="NODE", help="mark this node as the current one")


def _add_diff(diff: argparse.ArgumentParser) -> None:
    diff.add_argument("before", metavar="STRATEGY", help="package.module:Class or path.py:Class")
    diff.add_argument("after", metavar="STRATEGY", help="what it is compared with")
    diff.add_argument(
        "-f",
        "--format",
        help="text (default), or a picture: mermaid or dot; with Graphviz installed also svg, png or html",
    )
    diff.add_argument("-o", "--output", metavar="FILE", help="the file to write; - for standard output (default)")


def _add_check(check: argparse.ArgumentParser) -> None:
    check.add_argument(
        "strategies",
        nargs="+",
        metavar="STRATEGY",
        help="package.module:Class or path.py:Class; without a class, every strategy that is defined there",
    )
    check.add_argument(
        "-f", "--format", choices=["text", "json", "sarif"], default="text", help="text (default), json or sarif"
    )
    check.add_argument("-o", "--output", metavar="FILE", help="the file to write; - for standard output (default)")
    check.add_argument(
        "--fail-on",
        choices=["error", "warning", "information", "never"],
        default="error",
        help="the least that counts as a failure (default: error)",
    )
    _add_bounds(check, "random walks that follow the search")
    check.add_argument("--traceback", action="store_true", help="show where an error came from")


def _add_bounds(command: argparse.ArgumentParser, walks: str) -> None:
    bounds = (
        ("--depth", 1, DEPTH, "events that a run has at most"),
        ("--max-positions", 1, MAX_POSITIONS, "positions that are kept at most"),
        ("--walks", 0, WALKS, walks),
    )
    for name, least, default, what in bounds:
        command.add_argument(
            name, type=_at_least(least), default=default, metavar="N", help=f"{what} (default: {default})"
        )


def _add_explore(commands: Any) -> None:
    explore = commands.add_parser(
        "explore",
        help="search everything that a strategy can do over finite sets of answers",
        description="Searches a strategy's positions, breadth first, and tells what it came by, the worst case, "
        "and how runs end.",
        epilog="Exit code 0; 1 where something raised, no guard held or no halt can be reached any more, or where "
        "what --reach names was not found; 2 for misuse.",
    )
    explore.add_argument("strategy", metavar="STRATEGY", help="package.module:Class or path.py:Class")
    _add_bounds(explore, "random walks that follow where the search is not complete")
    explore.add_argument(
        "--reach", metavar="NAME", help="a node, an outcome, or what a report names: print how to come to it"
    )
    for name in ("--reply", "--observation"):
        explore.add_argument(
            name,
            action="append",
            default=[],
            metavar="NODE=TEXT",
            help=f"{'an' if name == '--observation' else 'a'} {name[2:]} for this node instead of those that it "
            "would have; may be given several times",
        )
    explore.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of the first board"
    )
    explore.add_argument("--json", action="store_true", help="print one JSON object")
    explore.add_argument("--traceback", action="store_true", help="show where an error came from")


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("strategy", metavar="STRATEGY", help="package.module:Class or path.py:Class")
    which = run.add_mutually_exclusive_group()
    which.add_argument("--task", nargs="+", action="extend", metavar="ID", help="the tasks to run")
    which.add_argument("--all", action="store_true", help="run every task (of a recording: every recorded one)")
    which.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="run every task of these splits, as --all does: fs_1, test, hard, …",
    )
    add_bindings(run)
    run.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of the first board"
    )
    run.add_argument("--json", action="store_true", help="print one JSON object a line")
    run.add_argument("--quiet", "-q", action="store_true", help="print one line an episode instead of every step")
    run.add_argument(
        "--explain", action="store_true", help="show at every step why it went so, and at the end what was missed"
    )
    run.add_argument("--traceback", action="store_true", help="show where an error came from")
    add_journaling(run)
    add_llm(run)
    add_limits(run)


def _add_index(commands: Any) -> None:
    index = commands.add_parser(
        "index",
        help="make an index of a folder of documents",
        description="Makes an index of the text files in a folder, for strategies that look things up.",
        epilog="For example: `tinysmith index docs -o docs.db`, then `tinysmith run … --index docs.db`. Where "
        "the making of an index of embeddings is interrupted, the same command goes on where it stopped.",
    )
    index.add_argument("folder", metavar="DIR", help="the folder with the documents; hidden files are left out")
    index.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="the file to write; an index that is there is replaced",
    )
    index.add_argument(
        "--model",
        help="an embedding model as LiteLLM names it, such as mistral/mistral-embed; without one the index is of "
        "words, and needs neither a key nor a network",
    )
    add_server(index)


def _add_intercode(commands: Any) -> None:
    verbs = commands.add_parser(
        "intercode", help="take the tasks of InterCode from a checkout of it"
    ).add_subparsers(dest="verb", metavar="import", required=True)
    take = verbs.add_parser(
        "import",
        help="make a folder of data for --env intercode-bash, -python, -ctf and -sql",
        description="Makes a folder of data for --env intercode-bash, -python, -ctf and -sql from a checkout of "
        "InterCode. Its set-up scripts are run in a sandbox. What they say of errors is shown, and is no failure: "
        "some fail on Linux, in InterCode's own images too.",
        epilog="Where the same files were imported before, nothing is done.",
    )
    take.add_argument("checkout", metavar="CHECKOUT", help="the folder that InterCode was cloned to")
    take.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="the folder to make; by default tinysmith/intercode/… in $XDG_CACHE_HOME or ~/.cache",
    )
    take.add_argument("--force", action="store_true", help="make an import again that is there, and replace it")
    take.add_argument(
        "--sandbox",
        choices=["auto", "bubblewrap", "docker"],
        default="auto",
        help="where scripts run: the first of bubblewrap and docker that works here (auto), or one of them",
    )
    take.add_argument("--progress", action="store_true", help="say on standard error when a file tree is built")


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is too small; give {least} at least")
        return value

    return number
