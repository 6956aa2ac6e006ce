"""Tasks for a shell, done in Bash: InterCode's environment, in sandboxes of our own.

Source: Yang, Prabhakar, Narasimhan, Yao, "InterCode: Standardizing and Benchmarking Interactive Coding with
Execution Feedback", 2023, arXiv:2306.14898.
"""

import asyncio
import shlex
from pathlib import Path
from typing import get_args

from attrs import define, field

from tinysmith._arguments import action_text, path
from tinysmith._shown import encodable
from tinysmith._threads import in_thread
from tinysmith.environments._bash_reward import Ended, Fidelity, Likeness, likeness
from tinysmith.environments._bash_tasks import as_git_leaves_it, dated, load_data
from tinysmith.environments._listing import Listing, first_listing, listing, stamps
from tinysmith.environments._sandboxed import Episode, Episodes, info_of, observed, refusal, run_fresh
from tinysmith.environments.tasks import Tasks, chosen_task
from tinysmith.errors import EnvironmentLost, SandboxError, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task
from tinysmith.sandbox import Backend, Executed, Sandbox, SandboxLimits, SandboxSpec
from tinysmith.sandbox.spec import limits_of
from tinysmith.sandbox.tree import is_plain_path

_CD = "cd"
_NOT_STARTED = 126


@define(eq=False)
class _Episode(Episode):
    """Two sandboxes: the agent's, and that in which the right command is run.

    Attributes:
        output: What the last command printed.
        before: The first files.
        stamped: What tells whether the agent touched one.
        grading: Whose turn it is to grade: there is one second sandbox.
        is_right_begun: Whether the right command has begun there, to its end or not.
        right: Where it ended, once it has.
        graded: The grade that the episode ended with.
    """

    output: str = ""
    before: Listing = field(factory=dict, repr=False)
    stamped: bytes = field(default=b"", repr=False)
    grading: asyncio.Lock = field(factory=asyncio.Lock, repr=False)
    is_right_begun: bool = False
    right: Ended | None = field(default=None, repr=False)
    graded: Grade | None = None


class BashEnvironment:
    """Tasks for a shell, one command line an action.

    An action that begins with `submit` ends the episode with its grade as the reward, `skip` ends it with 0; any
    other is run by a Bash of its own, rewarded with 0, and the observation is what it printed, errors too. Nothing
    of a shell is kept for the next but its working directory, which is / at first.

    The grade is InterCode's: 0.01, and 0.33 each for the same changed paths, for the same content of what was
    added, and for the same words in the last output, as the right command leaves them; each is rounded to two
    places, so it is 1 only where all are the same, or nearly. The right command is run in a second sandbox, once
    an episode, and again from the first files on where it was ended before its end.

    Fidelity "intercode" keeps what InterCode's released numbers were made with, its faults too: an action is sent
    as the text `/bin/bash -c "…"`, split as the Docker SDK does, so that quotes and backslashes change their
    meaning; only an action that begins with `cd` moves the working directory, to what follows as it stands;
    changes in paths with a blank are misread, added paths without a dot are always the same, so is what is in a
    modified file, and a tree's empty folders are not there, since git keeps none. With "strict" an action is what
    it says, one that ends in another folder leads there, what is in modified files counts as what was added does,
    and none of these faults is kept.

    Differs from InterCode: there is no network, and with Bubblewrap no container: /usr is the host's and
    read-only, root has no capabilities. An episode never sees what another one left, processes end with their
    action, and the right command has as much time as an action. Limits on output and files end a command. With
    Docker an action may replace the programs that a grade is made with, so only with Bubblewrap is a grade of
    what may be hostile sound.

    Any number of environments share one copy of a folder's data; each has its own two sandboxes. Files that
    their tree does not date are as old as the episode.

    Args:
        data: A folder with pairs of files like InterCode's `nl2bash_fs_1.json` and `nl2bash_fs_1.tree.json`.
        fidelity: "intercode" to compare with published numbers, "strict" without InterCode's faults.
        backend: What makes the sandboxes, or its name; "auto" is the best that works here.
        limits: What an action may use; ten seconds among them unless given.

    Raises:
        DataError: The folder or one of its files is missing or broken.
        UsageError: There is no such fidelity.
    """

    # The harm ends with the sandbox. What a clock, a process number or chance shows may come otherwise; a run that
    # is resumed compares each observation, and is not restored where one differs.
    is_replayable = True

    def __init__(
        self,
        data: Path | str,
        *,
        fidelity: Fidelity = "intercode",
        backend: Backend | str = "auto",
        limits: SandboxLimits | None = None,
    ) -> None:
        if fidelity not in get_args(Fidelity):
            raise UsageError(f"BashEnvironment: fidelity is {fidelity!r}; give 'intercode' or 'strict'.")
        self._data = load_data(path(data, "BashEnvironment: data"))
        self._fidelity = fidelity
        self.variant: str = fidelity
        self._limits = limits_of(limits, "BashEnvironment")
        self._episodes = Episodes("BashEnvironment", _Episode, backend)

    @property
    def tasks(self) -> Tasks:
        """All tasks, in their files' order, with a split for each file tree; an id is `nl2bash_fs_1/0`."""
        return self._data.tasks

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode on the task's file tree, and returns what is to be done.

        Args:
            task: One of `tasks`; without one, `seed` alone chooses it.
            seed: The same seed chooses the same task.

        Raises:
            UsageError: The task is none of these.
            SandboxUnavailable: No sandbox can be had here.
        """
        task = chosen_task(self.tasks, task, seed)
        tree = dated(self._data.trees[task.data["file_system"]])
        if self._fidelity == "intercode":
            tree = as_git_leaves_it(tree)
        spec = SandboxSpec(tree=tree, limits=self._limits)
        episode = await self._episodes.begin(task, spec, spec)
        episode.output = task.query  # as in InterCode: what is graded where nothing was done
        episode.before = first_listing(tree)
        episode.stamped = await self._episodes.during(episode, self._stamps(episode.sandboxes[0]))
        return task.query, {"task_id": task.id, "file_system": task.data["file_system"]}

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action: a command line, `submit` or `skip`.

        Cancelling it ends the command. `info` holds `exit_code`, `action_executed`, `timed_out`,
        `output_truncated` and `duration_s`.

        Raises:
            UsageError: There is no episode, or it is over.
            EnvironmentLost: The environment was closed meanwhile, or a sandbox died.
        """
        episode = self._episodes.playing
        action = action_text(action, "BashEnvironment").strip()
        word = action.lower()
        if word.startswith("submit"):
            grade = episode.graded = await self.grade()
            return self._episodes.stepped(
                episode, action, episode.output, info_of(), reward=grade.score, is_over=True
            )
        if word == "skip":
            episode.graded = Grade(0.0, solved=False)
            return self._episodes.stepped(episode, action, episode.output, info_of(), is_over=True)
        done, cwd = await self._episodes.during(episode, self._done(episode, action))
        episode.cwd = cwd
        episode.output, is_cut = self._shown(done)
        return self._episodes.stepped(episode, action, episode.output, info_of(done, is_cut=is_cut))

    async def grade(self) -> Grade:
        """The grade of the episode as it stands, solved exactly at 1; once it is over, as it ended.

        Its parts, each 0 to 1, are `file_diff`, `file_changes` and `answer_similarity`; `skip` leaves 0 without.

        Raises:
            UsageError: There is no episode.
            EnvironmentLost: The environment was closed meanwhile, or a sandbox died.
        """
        episode = self._episodes.current
        if episode.graded is not None:
            return episode.graded
        found = await self._episodes.during(episode, self._likeness(episode))
        parts = {
            "file_diff": found.file_diff,
            "file_changes": found.file_changes,
            "answer_similarity": found.answer_similarity,
        }
        return Grade(found.score, found.score == 1.0, parts)

    async def close(self) -> None:
        """Ends the episode and whatever runs, and gives the sandboxes back; it may be reset again."""
        await self._episodes.close()

    async def _done(self, episode: _Episode, action: str) -> tuple[Executed, str]:
        """What an action gave, and where the next one begins."""
        sandbox = episode.sandboxes[0]
        if self._fidelity == "strict":
            ran = await run_fresh(sandbox, action, episode.cwd)
            return ran.done, ran.cwd
        if not (action.startswith(_CD) and f"{_CD} " in action):
            return await _sent(sandbox, action, episode.cwd), episode.cwd
        # The rest of the line is taken for a path, and one is made of it with the last one, although it may be
        # `x && ls`: then no later command can begin there, as in InterCode.
        folder = _joined(episode.cwd, action.partition(f"{_CD} ")[2].strip())
        done = await _sent(sandbox, f"{_CD} {folder}", "/")
        return done, episode.cwd if done.exit_code else folder

    async def _likeness(self, episode: _Episode) -> Likeness:
        async with episode.grading:
            right = episode.right = episode.right or await self._right(episode)
            files = await listing(episode.sandboxes[0], episode.before, episode.stamped)
        mine = Ended(files, episode.output)
        return await in_thread(lambda: likeness(mine, right, episode.before, self._fidelity))

    async def _right(self, episode: _Episode) -> Ended:
        sandbox, gold = episode.sandboxes[1], self._data.golds[episode.task.id]
        if episode.is_right_begun:  # and was ended before its end, with the grade that wanted it
            await sandbox.areset()
        episode.is_right_begun = True
        stamped = await self._stamps(sandbox)
        if self._fidelity == "strict":
            done = (await run_fresh(sandbox, gold, "/")).done
        else:
            done = await _sent(sandbox, gold, "/")
        files = await listing(sandbox, episode.before, stamped)
        return Ended(_demanded(files, episode.task.id), self._shown(done)[0])

    async def _stamps(self, sandbox: Sandbox) -> bytes:
        # InterCode's repository has read each file when an episode begins, which `find -atime` tells.
        return await stamps(sandbox, reads=self._fidelity == "intercode")

    def _shown(self, done: Executed) -> tuple[str, bool]:
        """What is shown of a command, and graded; and whether that is not all of it."""
        if self._fidelity == "strict":
            return observed(done, self._limits, character_limit=self._limits.output_bytes)
        if done.is_timed_out:
            return "Command timed out", False
        try:
            return done.stdout.decode(), done.ended_by == "output_bytes"
        except UnicodeDecodeError:
            return "Malformed command", False


def _demanded(files: Listing | None, task_id: str) -> Listing:
    if files is None:
        problem = f"the right command of {task_id!r} leaves files that cannot be listed"
        raise EnvironmentLost(f"BashEnvironment: {problem} within the limits; raise them.")
    return files


async def _sent(sandbox: Sandbox, action: str, cwd: str) -> Executed:
    """Runs an action as the text that InterCode sends; the Docker SDK splits it."""
    if refusal(action):
        return Executed(b"Malformed command", b"", _NOT_STARTED)
    try:
        words = shlex.split(f'/bin/bash -c "{encodable(action)}"')
    except ValueError:  # a quotation that is not closed
        return Executed(b"Malformed command", b"", _NOT_STARTED)
    lost = Executed(encodable(f"There is no working directory {cwd}\n").encode(), b"", _NOT_STARTED)
    if not is_plain_path(cwd):
        return lost
    try:
        return await sandbox.aexec(words, cwd=cwd, merges_stderr=True)
    except SandboxError:
        return lost


def _joined(cwd: str, path: str) -> str:
    """A folder and a path from it, without `.` and `..`; links are not followed."""
    parts: list[str] = []
    for part in f"{'' if path.startswith('/') else cwd}/{path}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
