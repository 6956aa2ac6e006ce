"""`tinysmith demo`: a first look, offline and without a key."""

import asyncio

from tinysmith.cli._load import load_strategy
from tinysmith.cli._models import ScriptOfTask
from tinysmith.cli._report import Report
from tinysmith.cli._run import exit_code, play
from tinysmith.environments import SqlEnvironment

_INTRO = """\
tinysmith: multi-agent LLM strategies as explicit state machines.

This is the strategy TryAgain on a small bundled database, answered by scripts instead of a model:
every line below is one step of the machine: number, node, edge taken (and the guard that opened it).
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
    print(_INTRO, end="")
    strategy = load_strategy("machines:TryAgain")
    environment = SqlEnvironment.demo()
    report = Report(as_json=False)
    try:
        episodes = [
            play(strategy(), environment, task, {"*": ScriptOfTask()}, report=report) for task in environment.tasks
        ]
    finally:
        asyncio.run(environment.close())
    report.summary(episodes)
    print(_NEXT, end="")
    return exit_code(episodes, every=False)
