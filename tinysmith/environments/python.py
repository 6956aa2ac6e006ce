"""Functions to write in Python: InterCode's environment on MBPP, in sandboxes of our own.

Source: Yang, Prabhakar, Narasimhan, Yao, "InterCode: Standardizing and Benchmarking Interactive Coding with
Execution Feedback", 2023, arXiv:2306.14898; Austin and others, "Program Synthesis with Large Language Models",
2021, arXiv:2108.07732.
"""

import asyncio
import re
import time
from pathlib import Path
from typing import get_args

from attrs import define, field

from tinysmith._arguments import action_text, count, path
from tinysmith.environments._python_reward import PRELUDE, Fidelity, Right, passed, right
from tinysmith.environments._python_session import Lost, PythonSession, Request
from tinysmith.environments._python_tasks import load_data
from tinysmith.environments._sandboxed import MOST_ACTION_BYTES, Episode, Episodes
from tinysmith.environments.tasks import Tasks, chosen_task
from tinysmith.errors import DataError, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task
from tinysmith.sandbox import Backend, SandboxLimits, SandboxSpec
from tinysmith.sandbox.spec import limits_of

_DEFINITION = re.compile(r"^(?:async\s+)?def\s+(\w+)\s*\(", re.MULTILINE)
_SUBMIT = re.compile(r"submit\b(?:\s+(\w+))?\s*", re.IGNORECASE)
_ANEW = "a new interpreter has begun, without what was defined, and with the files of the beginning"
_TESTS = 3  # so many times as long as an action may the tests take, about as long as InterCode waits for one
_BYTES_A_CHARACTER = 32  # more than a character of an observation can take on its way, on both streams


@define(eq=False)
class _Episode(Episode):
    """Two sandboxes: the agent's, and that in which functions are tested.

    Attributes:
        interpreter: The agent's; None while it runs something, and where it is lost.
        done: What it has done since it began.
        spent_s: Seconds that this took.
        function: What the last action that defined a function calls it.
        output: The last observation.
        right: What the gold code gives, once it is known.
        turn: Whose turn it is in the sandboxes, which take one action or one grade at a time.
        graded: The grade that it ended with.
    """

    interpreter: PythonSession | None = None
    done: list[Request] = field(factory=list, repr=False)
    spent_s: float = 0.0
    function: str = ""
    output: str = ""
    right: Right | None = field(default=None, repr=False)
    turn: asyncio.Lock = field(factory=asyncio.Lock, repr=False)
    graded: Grade | None = None


class PythonEnvironment:
    """Functions to write in Python, one piece of code an action.

    An action that begins with `submit` ends the episode with the grade of the function that it names as its
    reward, of the last one defined if it names none; `skip` ends it with 0. Any other is Python code, rewarded
    with 0, run by an interpreter that keeps its namespace; the observation is what it printed, or an error. Code
    that ends the interpreter, or is ended by a limit, loses the namespace and the files: the observation says so,
    and the next action meets a new interpreter.

    The grade is the share of hidden tests that the function passes. For it, all that the interpreter has done is
    done again in a second sandbox, from the beginning; so a grade changes nothing, and what depends on chance or
    the time may come otherwise. The agent's code never meets the gold code nor the values that the tests expect:
    it is asked for values, which are compared outside, and the lack of an error is worth nothing. A value counts
    where `==` between built-in types would hold; one of another type is never right.

    Fidelity "intercode" keeps what InterCode's released numbers were made with: an observation is its server's
    answer as a dict; an action that is no function and neither assigns, prints, imports nor asserts becomes the
    argument of a `print`; a test counts where it passes or fails as with the gold code, with the same output and
    error, so the gold code's own error is right; tests with one text count once; the submitted function takes the
    name of what the gold code defines first, or where InterCode finds none, which breaks it, the name that the
    tests call. With "strict" an observation is what is printed, with the value of a last expression; a test counts
    where its value is right; the function takes the name that the tests call; and only the word `submit`, alone or
    with a name, submits.

    Differs from InterCode: its grade leaves the gold code in the agent's namespace, so that an action that fails
    afterwards may be graded as the gold code; here nothing is left. Its actions have no time limit.

    Any number of environments share one copy of a folder's data; each has its own two sandboxes.

    Args:
        data: A folder with InterCode's `ic_mbpp.json`.
        fidelity: "intercode" to compare with published numbers, "strict" without InterCode's faults.
        backend: What makes the sandboxes, or its name; "auto" is the best that works here. There must be a
            /usr/bin/python3 in them, 3.10 or later.
        limits: What an action may use, ten seconds among them unless given; all tests of a grade together may take
            three times as long.
        character_limit: Characters of an observation; more is cut off.

    Raises:
        DataError: The folder or its file is missing or broken.
        UsageError: There is no such fidelity, or a limit is not above 0.
    """

    # The harm ends with the sandbox. What a clock or chance shows may come otherwise; a run that is resumed
    # compares each observation, and is not restored where one differs.
    is_replayable = True

    def __init__(
        self,
        data: Path | str,
        *,
        fidelity: Fidelity = "intercode",
        backend: Backend | str = "auto",
        limits: SandboxLimits | None = None,
        character_limit: int = 20_000,
    ) -> None:
        if fidelity not in get_args(Fidelity):
            raise UsageError(f"PythonEnvironment: fidelity is {fidelity!r}; give 'intercode' or 'strict'.")
        self._data = load_data(path(data, "PythonEnvironment: data"))
        self._fidelity: Fidelity = fidelity
        self.variant: str = fidelity
        self._spec = SandboxSpec(limits=limits_of(limits, "PythonEnvironment"))
        most = count(character_limit, "PythonEnvironment: character_limit")
        self._most = min(most, self._spec.limits.output_bytes // _BYTES_A_CHARACTER)
        self._episodes = Episodes("PythonEnvironment", _Episode, backend)

    @property
    def tasks(self) -> Tasks:
        """All tasks, with MBPP's splits; an id is a row's index from 0 as text, and `data` has MBPP's number."""
        return self._data.tasks

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode with a new interpreter, and returns what is to be written.

        Args:
            task: One of `tasks`; without one, `seed` alone chooses it.
            seed: The same seed chooses the same task.

        Raises:
            UsageError: The task is none of these.
            SandboxUnavailable: No sandbox can be had here.
            EnvironmentLost: There is no Python in the sandbox.
        """
        task = chosen_task(self.tasks, task, seed)
        episode = await self._episodes.begin(task, self._spec, self._spec)
        episode.output = task.query
        await self._episodes.during(episode, self._started(episode))
        return task.query, {"task_id": task.id, "mbpp": task.data["mbpp"]}

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action: Python code, `submit` with a function's name, or `skip`.

        Cancelling it ends the code, and loses the namespace. `info` holds `action_executed`, `timed_out`,
        `output_truncated` and `namespace_lost`.

        Raises:
            UsageError: There is no episode, or it is over.
            EnvironmentLost: The environment was closed meanwhile, or a sandbox died.
            DataError: The task's gold code gives nothing to compare with, within the limits.
        """
        episode = self._episodes.playing
        return await self._episodes.during(episode, self._stepped(episode, action))

    async def grade(self) -> Grade:
        """The grade of the function that the last action with one defines; once the episode is over, how it ended.

        Where that action defines several, it is the first in "intercode", as its evaluation has it, and the last
        in "strict". It is solved exactly at 1. The parts are `passed` and `tests`, both counts; after `skip` the
        score is 0, without parts. It waits until what else is done in the episode has ended.

        Raises:
            UsageError: There is no episode.
            EnvironmentLost: The environment was closed meanwhile, or a sandbox died.
            DataError: The task's gold code gives nothing to compare with, within the limits.
        """
        episode = self._episodes.current
        return await self._episodes.during(episode, self._stands(episode))

    async def close(self) -> None:
        """Ends the episode and whatever runs, and gives the sandboxes back; it may be reset again."""
        await self._episodes.close()

    def _submitted(self, word: str) -> str | None:
        """The function that an action submits, empty for the last one; None for an action that does not submit."""
        if self._fidelity == "intercode":
            _, function, *_ = *word.split(), "", ""
            return function if word.lower().startswith("submit") else None
        found = _SUBMIT.fullmatch(word)
        return None if found is None else found[1] or ""

    async def _stepped(self, episode: _Episode, action: str) -> EnvironmentStep:
        async with episode.turn:
            episode = self._episodes.playing  # which may have ended meanwhile
            word = action_text(action, "PythonEnvironment").strip()
            submitted = self._submitted(word)
            if submitted is not None:
                return self._over(episode, action, await self._graded(episode, submitted or episode.function))
            if word.lower() == "skip":
                return self._over(episode, action, Grade(0.0, solved=False))
            episode.output, info = await self._done(episode, action)
            return self._episodes.stepped(episode, action, episode.output, info)

    async def _stands(self, episode: _Episode) -> Grade:
        async with episode.turn:
            return episode.graded or await self._graded(episode, episode.function)

    def _over(self, episode: _Episode, action: str, grade: Grade) -> EnvironmentStep:
        episode.graded = grade
        return self._episodes.stepped(episode, action, episode.output, _info(), reward=grade.score, is_over=True)

    async def _started(self, episode: _Episode) -> PythonSession:
        interpreter = await PythonSession.open(episode.sandboxes[0])
        for request in PRELUDE[self._fidelity]:
            await interpreter.ask(request)
        episode.interpreter, episode.done = interpreter, list(PRELUDE[self._fidelity])
        episode.spent_s, episode.function = 0.0, ""
        return interpreter

    async def _restarted(self, episode: _Episode) -> PythonSession:
        await episode.sandboxes[0].areset()
        return await self._started(episode)

    async def _done(self, episode: _Episode, action: str) -> tuple[str, dict[str, bool]]:
        """What an action shows, and its info."""
        if len(action.encode(errors="replace")) > MOST_ACTION_BYTES:
            text = f"Error executing action: it is longer than {MOST_ACTION_BYTES} bytes"
            return text, _info(action_executed=False)
        was_lost = episode.interpreter is None  # an action before was cancelled
        interpreter = episode.interpreter or await self._restarted(episode)
        request = Request(self._fidelity, action, self._most)
        done = episode.done
        episode.interpreter, episode.done = None, []  # if this is cancelled, it is lost
        begin = time.monotonic()
        reply = await interpreter.ask(request)
        if isinstance(reply, Lost):
            await self._restarted(episode)
            info = _info(action_executed=False, timed_out=reply.is_timed_out, namespace_lost=True)
            return f"Error executing action: {reply.why}; {_ANEW}", info
        episode.interpreter, episode.done = interpreter, [*done, request]
        episode.spent_s += time.monotonic() - begin
        names = _DEFINITION.findall(action)
        if names:
            episode.function = names[0 if self._fidelity == "intercode" else -1]
        info = _info(action_executed=reply.is_ok, output_truncated=reply.is_cut, namespace_lost=was_lost)
        return reply.text, info

    async def _graded(self, episode: _Episode, function: str) -> Grade:
        reference = self._data.references[episode.task.id]
        sandbox = episode.sandboxes[1]
        tests_s = _TESTS * self._spec.limits.wall_s
        if episode.right is None:
            await sandbox.areset()
            episode.right = await right(sandbox, reference, self._fidelity, wall_s=tests_s)
        if episode.right is None:
            raise DataError(
                f"task {episode.task.id!r}: its gold code gives nothing to compare with within the limits; "
                "raise the environment's limits, or leave this task out."
            )
        await sandbox.areset()
        wall_s = tests_s + 2 * episode.spent_s
        found = episode.right
        held = await passed(sandbox, episode.done, function, reference=reference, found=found, wall_s=wall_s)
        count, tests = sum(held), len(held)
        return Grade(count / tests, count == tests, {"passed": float(count), "tests": float(tests)})


def _info(
    *,
    action_executed: bool = True,
    timed_out: bool = False,
    output_truncated: bool = False,
    namespace_lost: bool = False,
) -> dict[str, bool]:
    return {
        "action_executed": action_executed,
        "timed_out": timed_out,
        "output_truncated": output_truncated,
        "namespace_lost": namespace_lost,
    }
