"""`tinysmith demo`: a first look, offline and without a key."""

import asyncio
from textwrap import indent

from tinysmith.cli._load import load_strategy
from tinysmith.cli._models import ScriptOfTask
from tinysmith.cli._report import Report
from tinysmith.cli._run import Play, exit_code
from tinysmith.drawing import outline
from tinysmith.environments import SqlEnvironment

_INTRO = """\
tinysmith: multi-agent LLM strategies as explicit state machines.

The strategy TryAgain is this machine (guards in brackets, tried in this order):

{outline}
It now runs on a small bundled database, with scripts in the place of a model. A line is a step of the
machine: its number, the node, the edge taken and why, and what was said, or done ($) and seen (⇒).
"""

_NEXT = """
Next:
  tinysmith draw machines:TryAgain                        the machine as a Mermaid diagram
  tinysmith run machines:TryAgain --env demo --all --model human -q
                                                          play the model yourself
  GROQ_API_KEY=... tinysmith run machines:TryAgain --env demo --all --model groq/llama-3.1-8b-instant
                                                          the same with a real model
"""


def demo_command() -> int:
    """Runs the bundled tasks by their scripts, and returns the exit code."""
    strategy = load_strategy("machines:TryAgain")
    print(_INTRO.format(outline=indent(outline(strategy), "  ")), end="")
    environment = SqlEnvironment.demo()
    play = Play(strategy(), environment, {"*": ScriptOfTask()}, Report(as_json=False))
    episodes = asyncio.run(play.all(list(environment.tasks)))
    print(_NEXT, end="")
    return exit_code(episodes, every=False)
