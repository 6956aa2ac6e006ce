"""The environment that a person plays."""

import asyncio
import io
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith.environments import StdinEnvironment
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import Environment, Task


def played(typed: str) -> tuple[StdinEnvironment, io.StringIO]:
    shown = io.StringIO()
    return StdinEnvironment(stdin=io.StringIO(typed), stdout=shown), shown


class TestReset:
    def test_task(self) -> None:
        """The task is shown, and the first observation read up to the empty line."""
        environment, shown = played("You are in\na maze.\n\n")
        assert asyncio.run(environment.reset(task=Task("7", "Find the exit."))) == (
            "You are in\na maze.",
            {"task_id": "7"},
        )
        assert shown.getvalue().startswith("Task 7: Find the exit.\n")
        assert ":end" in shown.getvalue()

    def test_no_task(self) -> None:
        """Without a task, an episode begins all the same; an empty line is an empty observation."""
        environment, shown = played("\n")
        assert asyncio.run(environment.reset(seed=3)) == ("", {})
        assert shown.getvalue().startswith("A new episode\n")

    def test_end_too_early(self) -> None:
        """The end is not taken as the first observation."""
        environment, _ = played(":end 1\nhello\n\n")
        assert asyncio.run(environment.reset()) == ("hello", {})

    def test_protocol(self) -> None:
        """It is an environment."""
        environment: Environment = played("")[0]
        asyncio.run(environment.close())


class TestStep:
    def test_observation(self) -> None:
        """What is typed is the observation; the end of the input ends it, too."""
        environment, shown = played("\nopened\r\n\n closed ")
        asyncio.run(environment.reset())
        step = asyncio.run(environment.step("open door"))
        assert (step.observation, step.reward, step.terminated, step.truncated) == ("opened", 0.0, False, False)
        assert shown.getvalue().endswith("Action: open door\n")
        assert asyncio.run(environment.step("close door")).observation == " closed "

    @pytest.mark.parametrize(
        ("typed", "observation", "reward"),
        [(":end 1.0", "", 1.0), ("Bravo!\n:end -0.5", "Bravo!", -0.5), (":end", "", 0.0)],
    )
    def test_end(self, typed: str, observation: str, reward: float) -> None:
        """The person ends the episode and gives the reward."""
        environment, _ = played(f"\n{typed}\n")
        asyncio.run(environment.reset())
        step = asyncio.run(environment.step("go"))
        assert (step.observation, step.reward, step.terminated) == (observation, reward, True)
        with pytest.raises(UsageError, match="is over"):
            asyncio.run(environment.step("go"))

    @pytest.mark.parametrize("line", [":end well", ":ending", ":end nan", ":end inf"])
    def test_not_the_end(self, line: str) -> None:
        """A line that only looks like the end is an observation."""
        environment, _ = played(f"\n{line}\n\n")
        asyncio.run(environment.reset())
        step = asyncio.run(environment.step("go"))
        assert (step.observation, step.terminated) == (line, False)

    @pytest.mark.parametrize(
        ("task", "shown"),
        [
            (Task("seven", "Open it."), "Task seven: Open it."),
            (Task("", "Open it."), "Task: Open it."),
            (Task(""), "A new episode"),
            (None, "A new episode"),
        ],
    )
    def test_what_is_asked(self, task: Task | None, shown: str) -> None:
        """A person is told the task, as far as there is one."""
        environment, told = played("\n")
        asyncio.run(environment.reset(task=task))
        assert told.getvalue().splitlines()[0] == shown

    def test_nobody(self) -> None:
        """An input that is over is a fault, not an observation."""
        environment, _ = played("\n")
        asyncio.run(environment.reset())
        with pytest.raises(EnvironmentLost, match="at its end"):
            asyncio.run(environment.step("go"))

    def test_before_reset(self) -> None:
        """Without an episode there is nothing to act on."""
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(played("hello\n")[0].step("go"))

    def test_closed(self) -> None:
        """A closed environment may be reset again; its streams stay open."""
        environment, shown = played("\n\n")
        asyncio.run(environment.reset())
        asyncio.run(environment.close())
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.step("go"))
        assert asyncio.run(environment.reset()) == ("", {})
        assert not shown.closed

    @settings(deadline=None)  # threads on a busy machine have none
    @given(st.text())
    def test_escaped(self, action: str) -> None:
        """No action can steer the terminal."""
        environment, shown = played("\n\n")
        asyncio.run(environment.reset())
        asyncio.run(environment.step(action))
        assert all(char in "\n\t" or char.isprintable() for char in shown.getvalue())
        assert "\x1b" not in shown.getvalue()

    def test_escapes_are_shown(self) -> None:
        """Control characters are shown as escapes, line ends and tabs as they are."""
        environment, shown = played("\n\n")
        asyncio.run(environment.reset())
        asyncio.run(environment.step("\x1b[2J\u202eé\n\t\ud800"))
        assert shown.getvalue().endswith("Action: \\x1b[2J\\u202eé\n\t\\ud800\n")


class TestStreams:
    def test_pipe(self) -> None:
        """While a person thinks, the event loop does other things."""
        read, write = os.pipe()

        async def race(stdin: Any) -> tuple[int, str]:
            environment = StdinEnvironment(stdin=stdin, stdout=io.StringIO())
            reset = asyncio.create_task(environment.reset())
            turns = 0
            while not reset.done():
                await asyncio.sleep(0)
                turns += 1
                if turns == 100:
                    os.write(write, b"seen\n\n")
            return turns, (await reset)[0]

        with os.fdopen(read, encoding="utf-8") as stdin:
            turns, observation = asyncio.run(race(stdin))
        os.close(write)
        assert turns > 100
        assert observation == "seen"

    def test_standard(self) -> None:
        """Without other streams, those of the process are used."""
        code = (
            "import asyncio; from tinysmith.environments import StdinEnvironment as E; "
            "print(asyncio.run(E().reset()))"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], input="hello\n\n", capture_output=True, text=True, check=True, timeout=60
        )
        assert run.stdout.startswith("A new episode\n")
        assert run.stdout.endswith("('hello', {})\n")
