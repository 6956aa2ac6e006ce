"""Arguments that name what a run is bound to, and how much it may spend."""

import argparse
from typing import Any, TypeVar

from attrs import fields

from tinysmith.limits import Limits

N = TypeVar("N", int, float)

_LIMIT_HELP = {
    "max_errors": "bad replies in a row that are forgiven",
    "max_asks": "questions to models in an episode",
    "max_steps": "steps in the environment in an episode",
    "max_calls": "calls of tools in an episode",
    "max_hops": "edges taken between two requests",
    "max_total_tokens": "tokens read and written in an episode",
    "max_cost_usd": "US dollars in an episode",
    "max_seconds": "seconds of an episode",
}


def add_bindings(command: argparse.ArgumentParser) -> None:
    """Adds --model, --index, --notebook, --env and what goes to the environment."""
    _add_environment(command)
    command.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="[NODE=]MODEL",
        help="provider/model as LiteLLM names it, recorded:FILE, scripted:FILE, scripted (the task's own script), "
        "samples or human; with NODE= for one agent only",
    )
    command.add_argument(
        "--index", metavar="FILE", help="what Retrieve nodes look things up in; see `tinysmith index`"
    )
    command.add_argument(
        "--notebook", metavar="FILE", help="where the strategy keeps lessons; made if it is not there"
    )


def _add_environment(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--env",
        help="demo, shell, intercode-bash, intercode-python, intercode-sql, intercode-ctf, stdin, or a factory: "
        "package.module:name or path.py:name; needed where the strategy acts in an environment",
    )
    command.add_argument("--data", metavar="DIR", help="the folder with the environment's data")
    command.add_argument("--assets", metavar="DIR", help="of intercode-ctf: the folder with the tasks' files")
    command.add_argument(
        "--fidelity",
        choices=["intercode", "strict"],
        help="of intercode-bash, -python and -ctf: bug for bug, to compare with published numbers (default), or "
        "without those bugs",
    )
    command.add_argument(
        "--sandbox",
        choices=["auto", "bubblewrap", "docker", "unsafe-local"],
        help="where commands run: the first of bubblewrap and docker that works here (auto, default), one of "
        "them, or unsafe-local, which is no sandbox",
    )


def add_server(group: Any, prefix: str = "") -> None:
    """Adds --base-url and --api-key-env."""
    group.add_argument(f"--{prefix}base-url", metavar="URL", help="of a self-hosted, OpenAI-compatible server")
    group.add_argument(
        f"--{prefix}api-key-env", metavar="NAME", help="the environment variable that holds the key"
    )


def add_llm(command: argparse.ArgumentParser) -> None:
    """Adds what language models and embedders are asked with."""
    group = command.add_argument_group("language models")
    add_server(group)
    group.add_argument("--temperature", type=float, metavar="T")
    group.add_argument("--top-p", type=float, metavar="P")
    group.add_argument("--max-tokens", type=int, metavar="N", help="of one reply")
    group.add_argument("--seed", type=int, metavar="N", help="also seeds `samples` and the environment")
    add_server(command.add_argument_group("embeddings", "Where --index is of embeddings."), prefix="index-")


def add_limits(command: argparse.ArgumentParser, *, is_again: bool = False) -> None:
    """Adds the limits.

    Args:
        command: The command.
        is_again: Whether a run that has limits goes on, so that only those that are given change.
    """
    group = command.add_argument_group(
        "limits", "A number, or none for no limit; a limit that is reached ends the run."
    )
    for limit in fields(Limits):
        kind = _amount if limit.name in {"max_cost_usd", "max_seconds"} else _count
        otherwise = "no limit" if limit.default is None else limit.default
        group.add_argument(
            f"--{limit.name.replace('_', '-')}",
            type=kind,
            default=argparse.SUPPRESS if is_again else limit.default,
            metavar="N",
            help=f"{_LIMIT_HELP[limit.name]} (default: {'as the run had' if is_again else otherwise})",
        )


def _count(text: str) -> int | None:
    return _limit(text, int)


def _amount(text: str) -> float | None:
    return _limit(text, float)


def _limit(text: str, kind: type[N]) -> N | None:
    try:
        return None if text.lower() == "none" else kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number, and not none") from None
