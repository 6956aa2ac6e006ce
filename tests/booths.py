"""Environments of gymnasium's that do what a test tells them. Importing it needs gymnasium."""

import asyncio
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from tinysmith import EnvironmentStep
from tinysmith.environments.gymnasium import from_gymnasium
from tinysmith.environments.sync import SyncEnvironment

COIN = spaces.Discrete(2)
WAYS = {"left": 0, "down": 1, "right": 2, "up": 3}
"""Actions of FrozenLake, by their words."""


class Booth(gymnasium.Env[Any, Any]):
    """Shows, earns and ends as it is told, and notes what was done.

    Args:
        space: Of the actions.
        shows: Every observation.
        answers: What `reset` and `step` return, and what `info` is, where it is not the ordinary.
    """

    def __init__(self, space: spaces.Space[Any] = COIN, shows: Any = "seen", **answers: Any) -> None:
        self.action_space = space
        self.shows = shows
        self.answers = answers
        self.done: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.done.append((seed, options))
        return self.answers.get("reset", (self.shows, self.answers.get("info", {})))

    def step(self, action: Any) -> Any:
        self.done.append(action)
        ordinary = (self.shows, np.float32(0.1), np.bool_(False), False, self.answers.get("info", {}))
        return self.answers.get("step", ordinary)

    def close(self) -> None:
        self.done.append("close")


def begun(env: Any, **options: Any) -> SyncEnvironment:
    """The environment as ours, in an episode."""
    environment = from_gymnasium(env, **options)
    asyncio.run(environment.reset())
    return environment


def acted(space: spaces.Space[Any], text: str, **options: Any) -> tuple[list[Any], EnvironmentStep]:
    """What a text did in a booth with such actions, and what was seen."""
    booth = Booth(space)
    step = asyncio.run(begun(booth, **options).step(text))
    return booth.done[1:], step
