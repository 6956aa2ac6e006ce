"""`Samples`: a model that draws among the replies that each agent declares as good ones."""

import copy
import random
from typing import Any

from tinysmith.errors import UsageError
from tinysmith.messages import FREE, Ask, Reply
from tinysmith.models._at_once import AtOnce
from tinysmith.nodes import Agent, Panel
from tinysmith.protocols import Task
from tinysmith.strategy import Strategy, plan_of


class Samples(AtOnce):
    """Draws among the `samples` of the agent that asks, so that any strategy runs offline.

    The draw depends on the seed, the task, the node and the ask's number, and on nothing else: the same run is
    drawn again, whatever runs beside it.

    Args:
        strategy: Whose agents are spoken for.
        seed: Another seed, other draws.

    Raises:
        UsageError: An agent declares no samples.
    """

    def __init__(self, strategy: Strategy[Any] | type[Strategy[Any]], *, seed: int = 0) -> None:
        plan = plan_of(strategy)
        asking = {name: node for name, node in plan.nodes.items() if isinstance(node, Agent | Panel)}
        silent = [name for name, node in asking.items() if not node.samples]
        if silent:
            problem = f"{plan.name}: {', '.join(silent)} has no samples to draw from."
            raise UsageError(f'{problem} Declare some: samples = ("…", "…").')
        self._samples = {name: node.samples for name, node in asking.items()}
        self._seed = seed
        self._task = ""

    def episode(self, task: Task, /) -> "Samples":
        """The same model, with draws of its own for that task."""
        model = copy.copy(self)
        model._task = task.id  # noqa: SLF001  # its own class
        return model

    def ask(self, request: Ask, /) -> Reply:
        """Answers with one of the node's samples."""
        draw = random.Random(f"{self._seed}/{self._task}/{request.node}/{request.number}")  # noqa: S311  # no secret
        return Reply(draw.choice(self._samples[request.node]), usage=FREE, model="samples")
