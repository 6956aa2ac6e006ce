"""Tasks of one's own in a shell: any file tree, any check."""

import asyncio
import inspect
import re
import traceback
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field

from tinysmith._arguments import action_text, count, path, several
from tinysmith._shown import encodable
from tinysmith._threads import in_thread
from tinysmith.environments._sandboxed import (
    NOWHERE,
    Episode,
    Episodes,
    info_of,
    observed,
    refusal,
    run_fresh,
)
from tinysmith.environments._shell_tasks import Check, ShellTask, read_tasks, unquoted
from tinysmith.environments.tasks import Tasks, chosen_task
from tinysmith.errors import EnvironmentLost, SandboxError, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task
from tinysmith.sandbox import Backend, Executed, Sandbox, SandboxLimits, Session
from tinysmith.sandbox.sandbox import Stop, stoppable
from tinysmith.sandbox.spec import limits_of

_SUBMIT = re.compile(r"submit(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)
_MOST_ANSWER = 10_000  # characters; more is no answer that anybody wants, and no environment variable
_MOST_FORKS = 3  # of files that a command which was left running may change meanwhile
# A check enters its folder itself, so that no back end begins it elsewhere; by a relative path, since the root may
# be a folder of the host.
_IN_ITS_FOLDER = 'cd -- ".$1" && exec /bin/bash -c -- "$2"'
# So that no file of the agent's steers bash, Git or Python in a check: nobody can have put one beneath /dev/null.
_UNSTEERED = {
    "HOME": "/dev/null",
    "BASH_ENV": "",
    "ENV": "",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
}
_FOLDER_LOST = "The folder is gone. This command began in the first one."
_SHELL_LOST = (
    "The shell ended. The next command meets a new one, without variables, in the first folder, or in / if that "
    "is gone."
)

_ACT = (
    "You act on a Linux machine without network. One action is one command for bash, or several lines of them, "
    "and you see what it prints. "
)
_STAYS = "The shell stays: its folder, variables and functions are there for the next action. "
_FRESH = "Each action has a shell of its own: only the folder, changed with `cd`, is there for the next one. "
_END = (
    "The action `submit` ends the task, `submit ANSWER` where an answer is asked for; `skip` gives up. Nobody "
    "types: a command that waits for input gets none."
)


@define(eq=False)
class _Episode(Episode):
    session: Session | None = field(default=None, repr=False)
    answer: str = field(default="", repr=False)
    seen: str = field(default="", repr=False)
    is_shell_lost: bool = False
    graded: Grade | None = None


class ShellEnvironment:
    """Gives tasks in a shell, each in a sandbox with its files.

    An action is a command for bash; its output, both streams in their order, is the observation, the middle cut
    out where it is too long. `submit` ends the episode with its grade as the reward, `submit ANSWER` also answers,
    `skip` gives up with 0; any other action earns 0. `info` holds `exit_code`, `action_executed` (whether that is
    0), `timed_out`, `output_truncated`, `duration_s`, and `shell_lost` or `folder_lost`.

    The grade is what the task's check says of the files as they are; it looks at a copy, so that a check which
    changes something changes nothing, and sees no process of the shell. Before `submit`, what wants an answer is
    worth 0. So is what cannot be checked through the agent's own doing: files that cannot be copied in three
    attempts, since something changes them or their paths are too long, or, where the check is a text, a folder of
    the task that is gone or that nobody may enter. `submit` ends the shell, and what it left running, before the
    files are copied.

    The same actions show the same again, except for what tells time, or chance, or numbers of processes; so it may
    be brought back by them, and where it shows something else, that is noticed.

    Args:
        tasks: The tasks, each with an id of its own.
        splits: Ids of tasks by the name of the split, as in `Tasks`.
        backend: What makes sandboxes: `auto` (the best that works here), another name, or a back end.
        limits: What an action, and the files together, may use.
        is_session: Whether one shell stays for the whole episode; else each action has its own, and only the
            folder is remembered.
        character_limit: Characters of an output that are shown.

    Raises:
        UsageError: Two tasks have one id, a split names a task that is not there, or something else is none of
            these.
    """

    is_replayable = True

    def __init__(
        self,
        tasks: Iterable[ShellTask],
        *,
        splits: Mapping[str, Iterable[str]] | None = None,
        backend: Backend | str = "auto",
        limits: SandboxLimits | None = None,
        is_session: bool = True,
        character_limit: int = 20_000,
    ) -> None:
        tasks = several(tasks, ShellTask, "ShellEnvironment: tasks", "a list of ShellTask objects")
        instructions = f"{_ACT}{_STAYS if is_session else _FRESH}{_END}"
        self._tasks = Tasks([each.task(instructions) for each in tasks], splits=splits)
        self._own = {each.id: each for each in tasks}
        self._limits = limits_of(limits, "ShellEnvironment")
        self._is_session = is_session
        self._character_limit = count(character_limit, "ShellEnvironment: character_limit")
        self._episodes = Episodes("ShellEnvironment", _Episode, backend)

    @classmethod
    def read(cls, folder: Path | str, **options: Any) -> "ShellEnvironment":
        """The tasks in a folder's `tasks.json`, with what the constructor takes besides.

        Raises:
            DataError: The folder or one of its files is missing or broken; the message says which row.
        """
        return cls(read_tasks(path(folder, "ShellEnvironment.read: folder")), **options)

    @property
    def tasks(self) -> Tasks:
        """All tasks, in their order."""
        return self._tasks

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode in a sandbox with the task's files, and returns the task's query.

        Args:
            task: One of `tasks`; without one, `seed` alone chooses it.
            seed: The same seed chooses the same task.

        Raises:
            UsageError: The task is none of these.
            SandboxUnavailable: No sandbox can be had here.
        """
        task = chosen_task(self.tasks, task, seed)
        own = self._own[task.id]
        await self._episodes.begin(task, own.spec(self._limits))
        return task.query, {"task_id": task.id, "cwd": own.cwd}

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action: a command, `submit` or `skip`. Cancelling it ends the command, or the check.

        Where a `submit` that is to be checked is cancelled, or raises, the next command meets a new shell.

        Raises:
            UsageError: There is no episode, or it is over; or the task's check is none.
            EnvironmentLost: The environment was closed or reset meanwhile, the sandbox died, or the check raised.
        """
        episode = self._episodes.playing
        word = action_text(action, "ShellEnvironment").strip()
        if submitted := _SUBMIT.fullmatch(word):
            answer = unquoted(submitted[1] or "")[:_MOST_ANSWER]
            grade = await self._episodes.during(episode, self._grade(episode, answer, is_submitted=True))
            episode.answer, episode.graded = answer, grade
            return self._over(episode, action, "Submitted.", grade.score)
        if word.lower() == "skip":
            episode.graded = Grade(0.0, solved=False)
            return self._over(episode, action, "Given up.", 0.0)
        done, text, info = await self._episodes.during(episode, self._run(episode, action))
        episode.seen = done.text
        return self._episodes.stepped(episode, action, text, info)

    async def grade(self) -> Grade:
        """How the episode stands now; once it is over, how it ended.

        Raises:
            UsageError: There is no episode, or the task's check is none.
            EnvironmentLost: The environment was closed or reset meanwhile, the sandbox died, or the check raised.
        """
        episode = self._episodes.current
        if episode.graded is not None:
            return episode.graded
        return await self._episodes.during(episode, self._grade(episode, "", is_submitted=False))

    async def close(self) -> None:
        """Ends the episode and whatever runs; a closed environment may be reset again."""
        await self._episodes.close()

    def _over(self, episode: _Episode, action: str, text: str, reward: float) -> EnvironmentStep:
        return self._episodes.stepped(episode, action, text, self._info(), reward=reward, is_over=True)

    async def _run(self, episode: _Episode, action: str) -> tuple[Executed, str, Info]:
        (sandbox,) = episode.sandboxes
        if self._is_session:
            done = await self._run_in_session(episode, sandbox, action)
            is_lost, note = done.is_session_new, _SHELL_LOST
        else:
            ran = await run_fresh(sandbox, action, episode.cwd)
            done, episode.cwd = ran.done, ran.cwd
            is_lost, note = ran.is_folder_lost, _FOLDER_LOST
        notes = (note,) if is_lost else ()
        text, is_cut = observed(done, self._limits, character_limit=self._character_limit, notes=notes)
        return done, text, self._info(done, is_cut=is_cut, is_lost=is_lost)

    def _info(self, done: Executed | None = None, *, is_cut: bool = False, is_lost: bool = False) -> Info:
        return info_of(done, is_cut=is_cut) | {"shell_lost" if self._is_session else "folder_lost": is_lost}

    async def _run_in_session(self, episode: _Episode, sandbox: Sandbox, action: str) -> Executed:
        if refused := refusal(action):
            return refused
        if episode.is_shell_lost:
            try:
                await sandbox.aexec(["/usr/bin/true"], cwd="/")
            except SandboxError:
                return NOWHERE
        episode.is_shell_lost = True  # unless the command comes to its end
        if episode.session is None:
            episode.session = await stoppable(lambda _: sandbox.open_session())
        done = await episode.session.arun(encodable(action))
        episode.is_shell_lost = done.is_session_new
        return done

    async def _grade(self, episode: _Episode, answer: str, *, is_submitted: bool) -> Grade:
        own = self._own[episode.task.id]
        if own.answer is not None:
            return _grade_of(own, is_submitted and own.is_answered_by(answer))
        (sandbox,) = episode.sandboxes
        if is_submitted and episode.session is not None:
            session, episode.session, episode.is_shell_lost = episode.session, None, True
            await stoppable(lambda _: session.close())  # nothing that it left running changes the files any more
        copies: list[Sandbox] = []
        try:
            for _ in range(_MOST_FORKS):
                try:
                    await stoppable(lambda stop: copies.append(sandbox.fork(stop=stop)))
                except SandboxError:  # the files change, or their paths are longer than any program can name
                    continue
                return await _checked(copies[0], own, answer, episode.seen)
            return _grade_of(own, 0)
        finally:
            for copy in copies:
                await stoppable(partial(_close, copy))


def _close(sandbox: Sandbox, _: Stop) -> None:
    sandbox.close()


async def _checked(copy: Sandbox, own: ShellTask, answer: str, seen: str) -> Grade:
    if isinstance(own.check, str):
        return await _passes(copy, own, own.check, answer)
    check: Any = own.check
    return await _judged(copy, own, check, answer or seen.rstrip("\n"))


async def _passes(sandbox: Sandbox, own: ShellTask, check: str, answer: str) -> Grade:
    environment = {**_UNSTEERED, "ANSWER": encodable(answer.replace("\0", ""))}
    command = ["/bin/bash", "-c", _IN_ITS_FOLDER, "bash", own.cwd, check]
    try:
        done = await sandbox.aexec(command, environment=environment, cwd="/")
    except SandboxError:  # not even the root can be entered
        return _grade_of(own, 0)
    return _grade_of(own, done.exit_code == 0 and not done.ended_by)


async def _judged(sandbox: Sandbox, own: ShellTask, check: Check, output: str) -> Grade:
    try:
        verdict, problem = await in_thread(partial(_called, check, sandbox, output))
        if problem is not None:
            raise problem  # noqa: TRY301  # so that it is told as what an async check raises
        return _grade_of(own, await verdict if inspect.isawaitable(verdict) else verdict)
    except (SandboxError, AssertionError):
        return _grade_of(own, 0)
    except (EnvironmentLost, UsageError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # the border: SystemExit, too, is the check's
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        # What it says may hold the answer.
        raised = f"the check of the task {own.id!r} raised {type(error).__name__} in {where}"
        raise EnvironmentLost(f"ShellEnvironment: {raised}; mend the check.") from error


def _called(check: Check, sandbox: Sandbox, output: str) -> tuple[object, BaseException | None]:
    """What a check answers or raises; some exceptions do not come through a future."""
    try:
        return check(sandbox, output), None
    except BaseException as error:  # noqa: BLE001  # raised again where it is awaited
        return None, error


def _is_cancelled() -> bool:
    """Whether somebody cancels the work; else it was a check that raised a `CancelledError`."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _grade_of(own: ShellTask, verdict: object) -> Grade:
    score = verdict.score if isinstance(verdict, Grade) else verdict
    if isinstance(score, int | float) and 0 <= score <= 1:
        return verdict if isinstance(verdict, Grade) else Grade(float(score), solved=score == 1)
    what = f"a {type(verdict).__name__}"
    if isinstance(verdict, Grade):
        what += " whose score is not from 0 to 1"
    problem = f"the check of the task {own.id!r} answered with {what}"
    raise UsageError(f"ShellEnvironment: {problem}; give a truth value, a number from 0 to 1, or a Grade.")
