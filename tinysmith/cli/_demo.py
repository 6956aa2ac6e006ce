"""`tinysmith demo`: a first look, offline and without a key."""

import asyncio
from collections.abc import Callable
from textwrap import indent
from typing import Any

from attrs import frozen

from tinysmith._shown import one_line
from tinysmith.cli._load import load_strategy
from tinysmith.cli._models import TEAMS, ScriptOfTask
from tinysmith.cli._report import Report
from tinysmith.cli._run import Play, exit_code
from tinysmith.drawing import outline
from tinysmith.environments.demonstration import DemoEnvironment
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import SandboxUnavailable
from tinysmith.sandbox import Backend
from tinysmith.sandbox.choosing import backend
from tinysmith.strategy import Strategy

_MACHINE = """\
The strategy {name} is this machine (guards in brackets, tried in this order):

{outline}"""

_TEAM = """\
It now {works}, with a script in the place of each model. A line is a step of the
machine: its number, the node, the edge taken and why, and what was said, or done ($) and seen (⇒).

  $ tinysmith run machines:PlannerReviewerExecutor --env demo --task {task} --model scripted
"""

_ALONE = """\
It is a single agent that sees its reward; here on all {tasks},
a line an episode.

"""

_NEXT = """
Next:
  tinysmith draw machines:PlannerReviewerExecutor         the machine as a Mermaid diagram
  tinysmith run machines:TryAgain --env demo --task {task} --model human
                                                          play the model yourself
  GROQ_API_KEY=... tinysmith run machines:PlannerReviewerExecutor --env demo --task {task} \\
    --model groq/llama-3.3-70b-versatile --model executor=groq/llama-3.1-8b-instant \\
    --model wrap_up=groq/llama-3.1-8b-instant
                                                          a large and a small model as a team
"""


@frozen
class _Scene:
    """What can be shown here."""

    environment: DemoEnvironment
    tasks: Tasks
    task: str
    works: str
    of_tasks: str
    missing: str = ""


def demo_command(find: Callable[[], Backend] = backend) -> int:
    """Runs bundled tasks by their scripts, and returns the exit code.

    Args:
        find: Finds what makes sandboxes.
    """
    scene = _scene(find)
    print("tinysmith: multi-agent LLM strategies as explicit state machines.\n")
    if scene.missing:
        print(f"{scene.missing}\n")
    team = _introduced("machines:PlannerReviewerExecutor", _TEAM.format(works=scene.works, task=scene.task))
    play = Play(team(), scene.environment, {"*": ScriptOfTask(strategy=team, teams=TEAMS)}, Report(as_json=False))
    episodes = asyncio.run(play.all([scene.tasks[scene.task]]))
    print()
    alone = _introduced("machines:TryAgain", _ALONE.format(tasks=scene.of_tasks))
    play = Play(alone(), scene.environment, {"*": ScriptOfTask()}, Report(as_json=False, quiet=True))
    episodes += asyncio.run(play.all(list(scene.tasks)))
    print(_NEXT.format(task=scene.task), end="")
    return exit_code(episodes, every=False)


def _scene(find: Callable[[], Backend]) -> _Scene:
    """Everything where a sandbox works; else what needs none, and why it is not more."""
    try:
        found = find()
    except SandboxUnavailable as error:
        environment = DemoEnvironment()
        return _Scene(
            environment,
            environment.tasks.split("questions"),
            "late-islanders",
            "works on a small bundled database",
            "questions to that database that are bundled",
            f"Errands in a shell are left out, since they need a sandbox. {one_line(str(error), 600)}",
        )
    environment = DemoEnvironment(backend=found)
    return _Scene(
        environment,
        environment.tasks,
        "hidden-flag",
        "looks for a flag in a sandbox",
        "bundled tasks, six questions to a database and twelve errands in a shell",
    )


def _introduced(name: str, what_follows: str) -> type[Strategy[Any]]:
    """The strategy of that name, after its machine is printed."""
    strategy = load_strategy(name)
    print(_MACHINE.format(name=strategy.__name__, outline=indent(outline(strategy), "  ")))
    print(what_follows, end="")
    return strategy
