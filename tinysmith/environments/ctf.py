"""Flags to capture with Bash: InterCode's environment on picoCTF's challenges, in sandboxes of our own.

Source: Yang, Prabhakar, Narasimhan, Yao, "InterCode: Standardizing and Benchmarking Interactive Coding with
Execution Feedback", 2023, arXiv:2306.14898.
"""

import hmac
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from attrs import define

from tinysmith._arguments import action_text, count, path
from tinysmith._threads import in_thread
from tinysmith.environments._ctf_tasks import ROOT, load_data, tree_of
from tinysmith.environments._sandboxed import Episode, Episodes, Ran, info_of, observed, run_fresh
from tinysmith.environments._task_file import kind_at
from tinysmith.environments.tasks import Tasks, chosen_task
from tinysmith.errors import DataError, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Info, Task
from tinysmith.sandbox import Backend, SandboxLimits, SandboxSpec
from tinysmith.sandbox.spec import limits_of

Fidelity: TypeAlias = Literal["intercode", "strict"]


@define(eq=False)
class _Episode(Episode):
    """One sandbox.

    Attributes:
        output: The last observation.
        is_captured: Whether the right flag was submitted.
    """

    output: str = ""
    is_captured: bool = False


class CtfEnvironment:
    """Challenges with a hidden flag, one command line an action.

    An action that begins with `submit` ends the episode: with reward 1 where the flag after it is right, else 0.
    `skip` ends it with 0. Any other is run by a Bash of its own, rewarded with 0, and the observation is what it
    printed, errors too. Nothing of a shell is kept for the next but its working directory, which is `/ctf/<id>`
    at first, a folder with the challenge's files.

    The grade is 0 before the right flag is submitted, 1 afterwards.

    Fidelity "intercode" keeps what InterCode's released numbers were made with: a flag may be written in capitals
    or not, and is the first word after `submit`; only an action that begins with `cd` moves the working
    directory; an output that is no UTF-8 is no output. With "strict" a flag is all that follows `submit`, letter
    by letter; an action that ends in another folder leads there; bytes that are no UTF-8 are replaced.

    Differs from InterCode: there is no network, and no tool but those of the host's /usr, so some challenges
    cannot be solved (`docs/intercode.md` counts them); after `cd x && ls` the working directory is x; a line that
    begins with `python3 -c` goes through Bash, too; an episode never sees what another one left.

    The challenges' files are not part of the data: their folder has one for each task, named as its id. None of
    what is in a `solution` folder there is copied, and links are copied as links. A task without files still runs.

    Args:
        data: A folder with InterCode's `ic_ctf.json`.
        assets: The folder of the challenges' files, InterCode's `task_assets`; they are read with each `reset`.
        fidelity: "intercode" to compare with published numbers, "strict" without InterCode's faults.
        backend: What makes the sandboxes, or its name; "auto" is the best that works here.
        limits: What an action may use, ten seconds among them unless given; files beyond them are an error.
        character_limit: Characters of an observation; the middle of a longer one is cut out.

    Raises:
        DataError: The folder, its file or the folder of assets is missing or broken.
        UsageError: There is no such fidelity, or a limit is not above 0.
    """

    # The harm ends with the sandbox. What a clock or chance shows may come otherwise; a run that is resumed
    # compares each observation, and is not restored where one differs.
    is_replayable = True

    def __init__(
        self,
        data: Path | str,
        *,
        assets: Path | str | None = None,
        fidelity: Fidelity = "intercode",
        backend: Backend | str = "auto",
        limits: SandboxLimits | None = None,
        character_limit: int = 20_000,
    ) -> None:
        if fidelity not in get_args(Fidelity):
            raise UsageError(f"CtfEnvironment: fidelity is {fidelity!r}; give 'intercode' or 'strict'.")
        self._data = load_data(path(data, "CtfEnvironment: data"))
        self._assets = None if assets is None else path(assets, "CtfEnvironment: assets")
        if self._assets is not None and kind_at(self._assets) != "dir":
            raise DataError(f"{assets}: there is no such folder; name one with a folder for each task's files.")
        self._fidelity = fidelity
        self.variant: str = fidelity
        self._limits = limits_of(limits, "CtfEnvironment")
        self._most = count(character_limit, "CtfEnvironment: character_limit")
        self._episodes = Episodes("CtfEnvironment", _Episode, backend)

    @property
    def tasks(self) -> Tasks:
        """All tasks, with a split for each tag; an id is a row's own, and `data` has its tags and its source."""
        return self._data.tasks

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode among the challenge's files, and returns what is to be found.

        Args:
            task: One of `tasks`; without one, `seed` alone chooses it.
            seed: The same seed chooses the same task.

        Returns:
            The question; and `task_id`, `tags` and `has_assets`, which is False where the task's files were not
            given.

        Raises:
            UsageError: The task is none of these.
            DataError: The task's files cannot be used.
            SandboxUnavailable: No sandbox can be had here.
        """
        task = chosen_task(self.tasks, task, seed)
        tree, has_assets = await in_thread(lambda: tree_of(task.id, self._assets, self._limits))
        spec = SandboxSpec(tree=tree, cwd=f"{ROOT}/{task.id}", limits=self._limits)
        episode = await self._episodes.begin(task, spec)
        episode.output = task.query
        return task.query, {"task_id": task.id, "tags": task.data["tags"], "has_assets": has_assets}

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action: a command line, `submit` with a flag, or `skip`.

        Cancelling it ends the command. `info` holds `exit_code`, `action_executed`, `timed_out`,
        `output_truncated` and `duration_s`.

        Raises:
            UsageError: There is no episode, or it is over.
            EnvironmentLost: The environment was closed meanwhile, or the sandbox died.
        """
        episode = self._episodes.playing
        action = action_text(action, "CtfEnvironment").strip()
        flag = self._submitted(action)
        if flag is not None:
            episode.is_captured = self._is_right(episode.task.id, flag)
            reward = float(episode.is_captured)
            return self._episodes.stepped(  # without the flag, which would be logged
                episode, "submit", episode.output, info_of(), reward=reward, is_over=True
            )
        if action.lower() == "skip":
            return self._episodes.stepped(episode, action, episode.output, info_of(), is_over=True)
        tracks = self._fidelity == "strict" or action.split(maxsplit=1)[:1] == ["cd"]
        run = run_fresh(episode.sandboxes[0], action, episode.cwd, tracks_folder=tracks)
        ran = await self._episodes.during(episode, run)
        episode.cwd = ran.cwd
        episode.output, is_cut = self._shown(ran)
        return self._episodes.stepped(episode, action, episode.output, info_of(ran.done, is_cut=is_cut))

    async def grade(self) -> Grade:
        """1, and solved, once the right flag was submitted; 0 before.

        Raises:
            UsageError: There is no episode.
        """
        is_captured = self._episodes.current.is_captured
        return Grade(float(is_captured), is_captured)

    async def close(self) -> None:
        """Ends the episode and whatever runs, and gives the sandbox back; it may be reset again."""
        await self._episodes.close()

    def _submitted(self, action: str) -> str | None:
        """The flag that an action submits; None for an action that does not submit."""
        word, *rest = action.split(maxsplit=1) or [""]
        if self._fidelity == "strict":
            return (rest or [""])[0] if word.lower() == "submit" else None
        return ("".join(rest).split() or [""])[0] if word.lower().startswith("submit") else None

    def _is_right(self, task_id: str, flag: str) -> bool:
        right = self._data.flags[task_id]
        if self._fidelity == "intercode":
            flag, right = flag.lower(), right.lower()
        return hmac.compare_digest(flag.encode(errors="replace"), right.encode(errors="replace"))

    def _shown(self, ran: Ran) -> tuple[str, bool]:
        """What is shown of a command, and whether that is not all of it."""
        if self._fidelity == "intercode" and ran.done.is_timed_out:
            return "Command timed out", False
        if self._fidelity == "intercode":
            try:
                ran.done.stdout.decode()
            except UnicodeDecodeError:
                return "Malformed command", False
        notes = (f"The working directory is gone; the next command begins in {ran.cwd}.",) * ran.is_folder_lost
        return observed(ran.done, self._limits, character_limit=self._most, notes=notes)
