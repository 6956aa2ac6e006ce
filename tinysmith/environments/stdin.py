"""A person plays the environment at the terminal."""

import logging
import math
import sys
from typing import TextIO

from tinysmith._shown import escaped
from tinysmith._threads import in_thread
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import EnvironmentStep, Info, Task

_log = logging.getLogger("tinysmith.environments")
_END = ":end"
_HELP = "(Type what is seen; an empty line ends it. `:end 1.0` ends the episode with that reward.)"


class StdinEnvironment:
    """Asks a person what the strategy sees.

    An observation is one or more lines; an empty line ends it, and so does the end of the input. A line `:end`,
    alone or with a number, ends the episode; the number is the reward, 0 without one, and lines typed before it
    are the last observation. `:end` with anything else is a line like any other. An input that is at its end
    before a line was typed raises `EnvironmentLost`.

    Reading waits in a thread, so other runs go on. A wait that is cancelled leaves that thread reading until the
    person has typed, since a terminal's reading cannot be interrupted; what is typed then is lost.

    Args:
        stdin: Where the person types; by default `sys.stdin` at the time of reading.
        stdout: Where tasks and actions are shown; by default `sys.stdout` at the time of writing.
    """

    def __init__(self, *, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._is_open = False
        self._steps = 0

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Shows the task and asks for the first observation; `:end` is no observation here and is asked again.

        Raises:
            EnvironmentLost: The input is at its end.
        """
        self._steps = 0
        self._is_open = True
        shown = "A new episode" if task is None else f"Task {task.id}: {task.query}"
        if task is not None and not task.id:
            shown = f"Task: {task.query}" if task.query else "A new episode"
        await self._show(f"{shown}\n{_HELP}")
        reward: float | None = 0.0
        while reward is not None:
            observation, reward = await in_thread(self._read)  # `:end` before there is anything to end
        return observation, {} if task is None else {"task_id": task.id}

    async def step(self, action: str) -> EnvironmentStep:
        """Shows the action, control characters escaped, and reads what the person types.

        Raises:
            UsageError: There is no episode, or it is over.
            EnvironmentLost: The input is at its end.
        """
        if not self._is_open:
            raise UsageError("StdinEnvironment.step: there is no episode, or it is over; reset it first.")
        await self._show(f"Action: {action}")
        observation, reward = await in_thread(self._read)
        self._steps += 1
        self._is_open = reward is None
        _log.info("stdin step %d: reward %s", self._steps, reward)
        _log.debug("stdin step %d: %r gave %s", self._steps, action, escaped(observation))
        return EnvironmentStep(
            observation,
            reward or 0.0,
            terminated=reward is not None,
            truncated=False,
            info={"action_executed": True},
        )

    async def close(self) -> None:
        """Ends the episode. The streams are the caller's and stay open."""
        self._is_open = False

    async def _show(self, text: str) -> None:
        def write() -> None:
            stream = sys.stdout if self._stdout is None else self._stdout
            stream.write(escaped(text) + "\n")
            stream.flush()

        await in_thread(write)

    def _read(self) -> tuple[str, float | None]:
        """The typed text, and the reward if the person ends the episode; blocks."""
        stream = sys.stdin if self._stdin is None else self._stdin
        lines: list[str] = []
        while line := stream.readline():
            line = line.rstrip("\r\n")
            if not line:
                return "\n".join(lines), None
            reward = _reward_of(line)
            if reward is not None:
                return "\n".join(lines), reward
            lines.append(line)
        if not lines:
            raise EnvironmentLost("StdinEnvironment: the input is at its end; nobody is there to answer.")
        return "\n".join(lines), None


def _reward_of(line: str) -> float | None:
    word, _, number = line.strip().partition(" ")
    if word != _END:
        return None
    try:
        reward = float(number or 0.0)
    except ValueError:
        return None
    return reward if math.isfinite(reward) else None
