"""`tinysmith demo`: a first look, offline and without a key."""

import asyncio
from pathlib import Path
from textwrap import indent
from typing import Any

import tinysmith.environments
from tinysmith.cli._load import load_strategy
from tinysmith.cli._models import ScriptOfTask
from tinysmith.cli._report import Report
from tinysmith.cli._run import Play, exit_code
from tinysmith.drawing import outline
from tinysmith.environments import SqlEnvironment
from tinysmith.strategy import Strategy

_TEAM_TASK = "late-islanders"
_TEAM_SCRIPT = Path(tinysmith.environments.__file__).parent / "demo" / "team.json"

_MACHINE = """\
The strategy {name} is this machine (guards in brackets, tried in this order):

{outline}"""

_TEAM = """\
It now works on a small bundled database, with a script in the place of each model. A line is a step of the
machine: its number, the node, the edge taken and why, and what was said, or done ($) and seen (⇒).
"""

_ALONE = """\
It is a single agent that sees its reward; here on all tasks of that database, a line an episode.

"""

_NEXT = """
Next:
  tinysmith draw machines:PlannerReviewerExecutor         the machine as a Mermaid diagram
  tinysmith run machines:TryAgain --env demo --all --model human -q
                                                          play the model yourself
  GROQ_API_KEY=... tinysmith run machines:PlannerReviewerExecutor --env demo --all \\
    --model groq/llama-3.3-70b-versatile --model executor=groq/llama-3.1-8b-instant \\
    --model wrap_up=groq/llama-3.1-8b-instant
                                                          a large and a small model as a team
"""


def demo_command() -> int:
    """Runs bundled tasks by their scripts, and returns the exit code."""
    environment = SqlEnvironment.demo()
    print("tinysmith: multi-agent LLM strategies as explicit state machines.\n")
    team = _introduced("machines:PlannerReviewerExecutor", _TEAM)
    play = Play(team(), environment, {"*": ScriptOfTask(_TEAM_SCRIPT)}, Report(as_json=False))
    episodes = asyncio.run(play.all([environment.tasks[_TEAM_TASK]]))
    print()
    alone = _introduced("machines:TryAgain", _ALONE)
    play = Play(alone(), environment, {"*": ScriptOfTask()}, Report(as_json=False, quiet=True))
    episodes += asyncio.run(play.all(list(environment.tasks)))
    print(_NEXT, end="")
    return exit_code(episodes, every=False)


def _introduced(name: str, what_follows: str) -> type[Strategy[Any]]:
    """The strategy of that name, after its machine is printed."""
    strategy = load_strategy(name)
    print(_MACHINE.format(name=strategy.__name__, outline=indent(outline(strategy), "  ")))
    print(what_follows, end="")
    return strategy
