"""Model names on the command line become models."""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tinysmith.environments
from tinysmith._shown import near
from tinysmith.cli._journal import is_journal, opened
from tinysmith.errors import UsageError
from tinysmith.models.human import Human
from tinysmith.models.llm import LLM
from tinysmith.models.recorded import Recorded
from tinysmith.models.samples import Samples
from tinysmith.models.scripted import Scripted
from tinysmith.nodes import Agent, Panel
from tinysmith.protocols import Model, Task
from tinysmith.strategy import Strategy, plan_of

_FOR_NODE = re.compile(r"([A-Za-z_]\w*)=(.+)", re.DOTALL)

NAMES = {"samples": "samples", "human": "human", "scripted": "scripted:FILE", "recorded": "recorded:FILE"}
"""What is no provider's model, and how it is written."""

LLM_OPTIONS = ("base_url", "api_key_env", "temperature", "top_p", "max_tokens", "seed")


TEAMS = Path(tinysmith.environments.__file__).parent / "demo" / "teams"
"""Scripts of bundled tasks for a team, each named after its task; a list of replies for each node of the team."""


class ScriptOfTask:
    """The script bundled with each task, or one script from a file, begun anew for every episode.

    Args:
        path: A file with the one script.
        strategy: What plays; where it has the nodes that a bundled team's script names, it is given that one.
        teams: The folder of teams' scripts; None where there are none for these tasks.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        strategy: type[Strategy[Any]] | None = None,
        teams: Path | None = None,
    ) -> None:
        self._path = path
        self._teams = teams
        self._agents = frozenset[str]() if strategy is None else _agents(strategy)
        if path is not None and strategy is not None:  # what is wrong with it is said before a run begins
            for name in sorted(Scripted.from_file(path).nodes - self._agents):
                problem = f"{path}: the script names {name!r}, which is no agent of {strategy.__name__}"
                raise UsageError(f"{problem}. {near(name, self._agents)}")

    def episode(self, task: Task, /) -> Model:
        """The script for one episode.

        Raises:
            UsageError: The task has none, or there is no task.
        """
        if self._path is not None:
            return Scripted.from_file(self._path)
        if not task.id:
            raise UsageError("A bundled script needs a task of an --env that has some; or name a scripted:FILE.")
        if team := self._team(task):
            return Scripted(team)
        if not task.script:
            raise UsageError(
                f"Task {task.id!r} has no bundled script. Use --model scripted:FILE, or another model."
            )
        return Scripted(task.script)

    def check(self, tasks: Sequence[Task]) -> None:
        """Sees whether there is a script for all of these, before the first is begun.

        Raises:
            UsageError: One has none.
        """
        for task in tasks:
            self.episode(task)

    def _team(self, task: Task) -> dict[str, list[str]]:
        path = None if self._teams is None else self._teams / f"{task.id}.json"
        if path is None or not path.is_file():
            return {}
        script: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
        return script if self._agents.issuperset(script) else {}


def models(arguments: argparse.Namespace, strategy: type[Strategy[Any]]) -> Mapping[str, Any]:
    """The models that `--model` names, by node, "*" for the rest.

    Raises:
        UsageError: One is named twice, or cannot be made.
    """
    agents = _agents(strategy)
    made: dict[str, Any] = {}
    for text in arguments.model:
        for_node = _FOR_NODE.fullmatch(text)
        node, name = (for_node[1], for_node[2]) if for_node else ("*", text)
        if node in made:
            raise UsageError(f"--model is given twice for {'the same agents' if node == '*' else node}.")
        if node not in {"*", *agents}:
            problem = f"--model names {node!r}, which is no agent of {strategy.__name__}"
            raise UsageError(f"{problem}. {near(node, agents)}")
        made[node] = _model(name, arguments, strategy)
    return made


def _agents(strategy: type[Strategy[Any]]) -> frozenset[str]:
    return frozenset(name for name, kind in plan_of(strategy).kinds.items() if kind in {Agent, Panel})


def _recorded(place: str) -> Recorded:
    """A file of episodes; or a journal, whose runs may be named behind it: `runs.db#1798,2b04`."""
    path, _, runs = place.partition("#")
    if not is_journal(path):
        return Recorded(place)
    with opened(path, read_only=True) as journal:
        return Recorded.from_journal(journal, runs.split(",") if runs else ())


def _model(name: str, arguments: argparse.Namespace, strategy: type[Strategy[Any]]) -> Any:
    kind, _, rest = name.partition(":")
    if kind == "recorded" and rest:
        return _recorded(rest)
    if kind == "scripted":
        teams = TEAMS if arguments.env == "demo" else None
        return ScriptOfTask(Path(rest) if rest else None, strategy=strategy, teams=teams)
    if name == "samples":
        return Samples(strategy, seed=arguments.seed or 0)
    if name == "human":
        return Human(stdout=sys.stderr)  # standard output is for results
    if "/" not in name and (close := get_close_matches(kind, NAMES, n=1)):
        raise UsageError(f"There is no model {name!r}. Did you mean {NAMES[close[0]]}?")
    options = {option: getattr(arguments, option) for option in LLM_OPTIONS}
    return LLM(name, **{option: value for option, value in options.items() if value is not None})
