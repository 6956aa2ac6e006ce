"""What environments in sandboxes share: an episode with its sandboxes, and an action in a fresh shell.

Charter: whose turn it is, what is reused, what ends when; not what an action means, nor what it is worth. An
action is hostile text: whatever it does to its shell, its folder or its files, the next one begins somewhere.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from tinysmith._arguments import told
from tinysmith._shown import encodable, escaped
from tinysmith._threads import in_thread
from tinysmith.errors import EnvironmentLost, SandboxError, UsageError
from tinysmith.protocols import EnvironmentStep, Info, Task
from tinysmith.sandbox import Backend, Executed, Sandbox, SandboxLimits, SandboxSpec, choosing
from tinysmith.sandbox.choosing import demand_name
from tinysmith.sandbox.sandbox import stoppable
from tinysmith.sandbox.tree import is_plain_path

_log = logging.getLogger("tinysmith.environments")
R = TypeVar("R")

MOST_ACTION_BYTES = 100_000
"""How long an action may be: Linux takes no argument of more than 128 KiB."""

NOWHERE = Executed(b"bash: no folder can be entered any more, not even /\n", b"", 126)
"""What an action gives after one that took away the rights on the root: that is the agent's own doing."""

# The folder goes to the standard error, from which the action's own errors are led away. A trap tells it however
# the action ends; one that replaces the trap, the shell or the file descriptor keeps the folder that it had. The
# action is shifted out of `$1`, which must be as empty as in a shell of its own. It is one line, since bash counts
# lines in what it says of errors.
_TRACKED = (
    "exec 9>&2 2>&1; trap 'builtin pwd >&9 2>/dev/null; builtin printf \"\\0\" >&9' EXIT; "
    '_action=$1; shift; eval "$_action"'
)


@define(eq=False)
class Episode:
    """One episode of an environment; environments derive theirs from it.

    Attributes:
        task: What is to be done.
        sandboxes: One for each spec that it was begun with.
        cwd: Where the next action in a fresh shell begins.
        steps: Steps so far.
        is_over: Whether it has ended.
    """

    task: Task
    sandboxes: tuple[Sandbox, ...] = field(repr=False)
    cwd: str = "/"
    steps: int = 0
    is_over: bool = False


E = TypeVar("E", bound=Episode)


class Episodes(Generic[E]):
    """An environment's episodes, one at a time, each in sandboxes of its own.

    What begins and closes them waits for its turn, so that each finds what the one before has left, and nothing is
    left alive by a close that comes while an episode begins.

    Args:
        owner: The environment's class, for messages and logs.
        kind: What an episode is; it is made with its task, its sandboxes and the first one's folder.
        backend: What makes sandboxes, or its name; `auto` is the best that works here.

    Raises:
        UsageError: The back end is none.
    """

    def __init__(self, owner: str, kind: type[E], backend: Backend | str = "auto") -> None:
        if isinstance(backend, str):
            demand_name(backend)
        elif isinstance(backend, type) or not isinstance(backend, Backend):
            remedy = "give a name, such as 'auto', or a back end, such as Bubblewrap()"
            raise UsageError(f"{owner}: backend is {told(backend)}; {remedy}.")
        self._owner = owner
        self._kind = kind
        self._backend = backend
        self._episode: E | None = None
        self._held: list[Sandbox] = []
        self._running: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def begin(self, task: Task, *specs: SandboxSpec) -> E:
        """Ends the last episode, and begins one; a sandbox of the same spec is reset and used again.

        Raises:
            SandboxUnavailable: No sandbox can be had here.
        """
        async with self._turn():
            await self._end()
            sandboxes = await self._sandboxes(specs)
            episode = self._episode = self._kind(task, tuple(sandboxes), specs[0].cwd)
        _log.info("%s task %s: episode begins", self._owner, task.id)
        _log.debug("%s task %s: %s", self._owner, task.id, escaped(task.query))
        return episode

    @property
    def current(self) -> E:
        """The episode.

        Raises:
            UsageError: There is none.
        """
        if self._episode is None:
            raise UsageError(f"{self._owner}: there is no episode; reset the environment first.")
        return self._episode

    @property
    def playing(self) -> E:
        """The episode, of which another step may be taken.

        Raises:
            UsageError: There is none, or it is over.
        """
        episode = self.current
        if episode.is_over:
            raise UsageError(f"{self._owner}.step: the episode is over; reset the environment first.")
        return episode

    async def during(self, episode: E, work: Coroutine[Any, Any, R]) -> R:
        """Does work of an episode; cancelling it, and ending the episode meanwhile, ends the work first.

        Raises:
            EnvironmentLost: The environment was closed or reset meanwhile, or a sandbox died.
        """
        doing = asyncio.ensure_future(work)
        self._running.add(doing)
        try:
            await asyncio.wait([doing])
        except asyncio.CancelledError:
            await _ended({doing})
            raise
        finally:
            self._running.discard(doing)
        if self._episode is not episode:
            problem = "it was closed or reset while an action ran; take one at a time"
            raise EnvironmentLost(f"{self._owner}: {problem}.")
        return doing.result()

    def stepped(
        self, episode: E, action: str, text: str, info: Info, *, reward: float = 0.0, is_over: bool = False
    ) -> EnvironmentStep:
        """Counts and logs a step of an episode, and ends it if it is over."""
        episode.steps += 1
        episode.is_over |= is_over  # for good, although another step may end later
        place = (self._owner, episode.task.id, episode.steps)
        _log.info("%s task %s step %d: exit code %s, reward %s", *place, info.get("exit_code"), reward)
        _log.debug("%s task %s step %d: %r gave %s", *place, action, escaped(text))
        return EnvironmentStep(text, reward, terminated=is_over, truncated=False, info=info)

    async def close(self) -> None:
        """Ends the episode and whatever runs, and gives its sandboxes back; another may begin afterwards."""
        async with self._turn():
            await self._end()
            while self._held:
                await self._give_back(self._held[-1])

    def _turn(self) -> asyncio.Lock:
        """What is held while episodes begin and end; a lock is its event loop's, an environment is not."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock

    async def _end(self) -> None:
        self._episode = None
        await _ended(set(self._running))

    async def _sandboxes(self, specs: tuple[SandboxSpec, ...]) -> list[Sandbox]:
        unused = list(self._held)
        olds: list[Sandbox | None] = []
        for spec in specs:
            olds.append(next((each for each in unused if each.spec == spec), None))
            unused = [each for each in unused if each is not olds[-1]]
        for sandbox in unused:
            await self._give_back(sandbox)
        found = await self._found()
        return [await self._clean(found, old, spec) for old, spec in zip(olds, specs, strict=True)]

    async def _found(self) -> Backend:
        if isinstance(self._backend, str):
            self._backend = await in_thread(partial(choosing.backend, self._backend))
        return self._backend

    async def _clean(self, found: Backend, old: Sandbox | None, spec: SandboxSpec) -> Sandbox:
        if old is not None:
            try:
                await stoppable(lambda _: old.reset())
            except EnvironmentLost:
                await self._give_back(old)
            else:
                return old
        return await stoppable(lambda _: self._create(found, spec))

    async def _give_back(self, sandbox: Sandbox) -> None:
        self._held.remove(sandbox)
        await stoppable(lambda _: sandbox.close())

    def _create(self, found: Backend, spec: SandboxSpec) -> Sandbox:
        sandbox = found.create(spec)
        self._held.append(sandbox)  # here, so that it is given back although nobody waits for it any more
        return sandbox


async def _ended(running: set[asyncio.Future[Any]]) -> None:
    for each in running:
        each.cancel()
    if running:
        await asyncio.wait(running)
    for each in running:
        if not each.cancelled():
            each.exception()  # it is known: nobody waits for what it says


@frozen
class Ran:
    """What an action in a fresh shell gave.

    Attributes:
        done: What was executed; both streams are in its `stdout`.
        cwd: Where the next action begins.
        is_folder_lost: Whether the folder that it should have begun in was gone, and it began in another; False
            where it began in none.
    """

    done: Executed
    cwd: str
    is_folder_lost: bool = False


async def run_fresh(sandbox: Sandbox, action: str, cwd: str, *, tracks_folder: bool = True) -> Ran:
    """Runs an action in a shell of its own, from a folder on; where that is gone, from the sandbox's first.

    Where that is gone too, it begins in the root; where nobody may enter that either, nothing runs, and what is
    given is `NOWHERE`.

    Args:
        sandbox: Where.
        action: Text for bash.
        cwd: The folder.
        tracks_folder: Whether the next action begins where this one ended; else in the folder of this one. With
            False the action is exactly what `/bin/bash -c` is given.

    Raises:
        EnvironmentLost: The sandbox is dead.
    """
    if refused := refusal(action):
        return Ran(refused, cwd)
    arguments = [_TRACKED, "bash", encodable(action)] if tracks_folder else [encodable(action)]
    run = partial(sandbox.aexec, ["/bin/bash", "-c", *arguments], merges_stderr=not tracks_folder)
    done, began = await _first(run, list(dict.fromkeys((cwd, sandbox.spec.cwd, "/"))))
    told = _folder(done.stderr) if tracks_folder else ""
    return Ran(done, told or began, is_folder_lost=began != cwd)


async def _first(run: Any, folders: list[str]) -> tuple[Executed, str]:
    """What is run in the first folder that can be entered, and which that is; it stays the first if none can."""
    for folder in folders:
        try:
            return await run(cwd=folder), folder
        except SandboxError:
            continue
    return NOWHERE, folders[0]


def _folder(told: bytes) -> str:
    """The folder that a shell told last; empty where that is none which a command could begin in."""
    *_, said, end = [b"", *told.split(b"\0")]
    try:
        folder = said.removesuffix(b"\n").decode()
    except UnicodeDecodeError:
        return ""
    folder = folder[folder.startswith("//") :]  # which bash keeps
    return folder if not end and is_plain_path(folder) else ""


def refusal(action: str) -> Executed | None:
    """What an action gives that no shell can be given; None for all others."""
    if "\0" in action:
        problem = "a command cannot hold a NUL character"
    elif len(action.encode(errors="replace")) > MOST_ACTION_BYTES:
        problem = f"a command cannot be longer than {MOST_ACTION_BYTES} bytes"
    else:
        return None
    return Executed(f"bash: {problem}\n".encode(), b"", 126)


def observed(
    done: Executed, limits: SandboxLimits, *, character_limit: int, notes: tuple[str, ...] = ()
) -> tuple[str, bool]:
    """What is shown of a command, and whether that is not all of it.

    What it printed, without line breaks at the end, the middle cut out where it is too long; then, in brackets on
    lines of their own, what there is to say about it.
    """
    text = done.text.rstrip("\n")
    left_out = len(text) - character_limit
    if left_out > 0:
        head = (character_limit + 1) // 2
        tail = text[len(text) - (character_limit - head) :]
        text = f"{text[:head]}\n[{left_out} characters are left out here.]\n{tail}"
    ended = {
        "wall_s": f"it ran for more than {limits.wall_s:g} s",
        "output_bytes": f"it printed more than {limits.output_bytes} bytes",
        "disk_bytes": f"the files took more than {limits.disk_bytes} bytes",
        "files": f"there were more than {limits.files} files",
    }
    if done.ended_by:
        notes = (f"The command was ended: {ended[done.ended_by]}.", *notes)
    text = "\n".join((*([text] if text else []), *(f"[{note}]" for note in notes)))
    return text, left_out > 0 or done.ended_by == "output_bytes"


def info_of(done: Executed | None = None, *, is_cut: bool = False) -> dict[str, Any]:
    """A step's info: of what was executed, or of an action that executes nothing."""
    return {
        "exit_code": 0 if done is None else done.exit_code,
        "action_executed": done is None or done.exit_code == 0,
        "timed_out": done is not None and done.is_timed_out,
        "output_truncated": is_cut,
        "duration_s": 0.0 if done is None else done.duration_s,
    }
