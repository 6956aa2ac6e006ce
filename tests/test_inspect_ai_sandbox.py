"""Inspect's sandbox as one of ours; here it is our own as Inspect's, so that no Docker is needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from evaluations import evaluate, in_sample, model, output, sample_of
from inspect_ai.solver import TaskState
from inspect_ai.util import ExecResult, LimitExceededError, OutputLimitExceededError, SandboxEnvironment
from sandboxes import needs_sandbox

from machines import SingleAgent
from tinysmith._threads import in_thread
from tinysmith.environments import ShellEnvironment, ShellTask
from tinysmith.errors import EnvironmentLost, SandboxError, UsageError
from tinysmith.inspect_ai import (
    InspectBackend,
    InspectSandbox,
    TinysmithSandboxEnvironment,
    run_scorer,
    samples,
    strategy_solver,
)
from tinysmith.inspect_ai._files import kept
from tinysmith.inspect_ai._waiting import Ended, Home
from tinysmith.sandbox import Backend, Bind, Entry, Sandbox, SandboxLimits, SandboxSpec, Tree

R = TypeVar("R")
FILES = Tree((Entry("/work/a.txt", data=b"alpha\n"), Entry("/work/on", "link", target="a.txt"), Entry("/var/own")))
SPEC = SandboxSpec(FILES, cwd="/work", limits=SandboxLimits(output_bytes=5000))


@asynccontextmanager
async def made(spec: SandboxSpec = SPEC) -> AsyncIterator[InspectSandbox]:
    """One in a sandbox of Inspect's."""
    kind = TinysmithSandboxEnvironment
    environments = await kind.sample_init("task", None, {})
    box = InspectSandbox(spec, environments["default"], Home(), user=None, paths=kept(spec))
    try:
        await box.unpack()
        yield box
    finally:
        await kind.sample_cleanup("task", None, environments, interrupted=False)


def within(work: Callable[[InspectSandbox], Awaitable[R]], spec: SandboxSpec = SPEC) -> R:
    """What is done with one."""

    async def main() -> R:
        async with made(spec) as box:
            return await work(box)

    return asyncio.run(main())


@needs_sandbox
class TestCommands:
    def test_what_a_command_is_given_and_gives(self) -> None:
        """A command has the spec's files, folder and variables, what it reads, and its streams apart or merged."""

        async def work(box: InspectSandbox) -> Any:
            plain = await box.aexec(
                "cat a.txt on -; pwd; echo $WORD >&2; exit 3", stdin=b"in\n", environment={"WORD": "w"}
            )
            merged = await box.aexec(["bash", "-c", "echo a; echo b >&2"], merges_stderr=True, cwd="/")
            killed = await box.aexec("kill -9 $$")
            return plain, merged, killed, await box.aexec(["no-such"]), await box.aexec(["/etc/passwd"])

        plain, merged, killed, missing, forbidden = within(work)
        assert (plain.text, plain.error_text, plain.exit_code) == ("alpha\nalpha\nin\n/work\n", "w\n", 3)
        assert plain.duration_s > 0
        assert (merged.text, merged.error_text, merged.exit_code) == ("a\nb\n", "", 0)
        assert (killed.exit_code, missing.exit_code, forbidden.exit_code) == (137, 127, 126)

    def test_limits(self) -> None:
        """A command that takes too long or prints too much is ended, and what it printed is kept."""

        async def work(box: InspectSandbox) -> Any:
            late = await box.aexec("echo so far; sleep 60", wall_s=0.4)
            much = await box.aexec("head -c 4000 /dev/zero; head -c 2000 /dev/zero >&2")
            return late, much

        late, much = within(work)
        assert (late.text, late.ended_by, late.exit_code) == ("so far\n", "wall_s", 137)
        assert (len(much.stdout), len(much.stderr), much.ended_by) == (4000, 1000, "output_bytes")

    def test_a_folder_that_is_gone(self) -> None:
        """A command that cannot begin in its folder is told from one that fails in it."""

        async def work(box: InspectSandbox) -> int:
            with pytest.raises(SandboxError, match="cannot begin in /gone"):
                await box.aexec(["pwd"], cwd="/gone")
            return (await box.aexec("exit 126")).exit_code

        assert within(work) == 126

    def test_no_shell_stays(self) -> None:
        """A session is refused, with what to give instead."""

        async def work(box: InspectSandbox) -> None:
            box.open_session()

        with pytest.raises(SandboxError, match=r"give is_session=False, or leave out backend=\."):
            within(work)


@needs_sandbox
class TestFiles:
    def test_bytes_and_modes(self) -> None:
        """Files are bytes, with their permissions; a link is replaced, not followed."""

        async def work(box: InspectSandbox) -> Any:
            await box.awrite_file("/work/on", b"\xff\x00", mode=0o700)
            said = await box.aexec("stat -c %a on; cat a.txt")
            return await box.aread_file("/work/on", most_bytes=2), said.text

        assert within(work) == (b"\xff\x00", "700\nalpha\n")

    def test_what_cannot_be_read_or_written(self) -> None:
        """A file that is not there, too large, or a folder is an error that names it."""

        async def work(box: InspectSandbox) -> None:
            for path, why in (
                ("/none", "No such file"),
                ("/work", "directory"),
                ("/work/a.txt", "more than 3 bytes"),
            ):
                with pytest.raises(SandboxError, match=f"{path} .*{why}"):
                    await box.aread_file(path, most_bytes=3)
            with pytest.raises(SandboxError, match="/work cannot be used"):
                await box.awrite_file("/work", b"")
            with pytest.raises(SandboxError, match="/proc/x cannot be written"):
                await box.awrite_file("/proc/x", b"")
            for path in ("work", "/work/../etc", "/"):
                with pytest.raises(UsageError, match="no file's path"):
                    await box.aread_file(path)

        within(work)

    def test_a_fork_is_lent(self) -> None:
        """A fork has the files, the first takes no commands meanwhile, and closing the fork brings them back."""

        async def work(box: InspectSandbox) -> Any:
            await box.aexec("echo beta > b.txt")
            fork = await box.afork()
            await fork.aexec("rm a.txt; echo more >> b.txt; mkdir -p sub/folder; rm /var/own")
            with pytest.raises(UsageError, match="lent to a fork"):
                await box.aexec(["ls"])
            seen = (await fork.aexec("cat b.txt; ls")).text
            await fork.aclose()
            await fork.aclose()
            with pytest.raises(UsageError, match="closed"):
                await fork.aexec(["ls"])
            return seen, (await box.aexec("cat b.txt a.txt; ls; ls /var/own")).text

        assert within(work) == ("beta\nmore\nb.txt\non\nsub\n", "beta\nalpha\na.txt\nb.txt\non\n/var/own\n")

    def test_a_reset(self) -> None:
        """A reset brings the folders of the tree back to what they were, and leaves the rest."""

        async def work(box: InspectSandbox) -> str:
            await box.aexec("rm a.txt; mkdir x; echo > x/y; echo kept > /tmp/z; rm /var/own")
            await box.areset()
            return (await box.aexec("ls; cat /tmp/z; ls /var/own; ls -A /tmp")).text

        assert within(work) == "a.txt\non\nkept\n/var/own\nz\n"

    def test_nothing_to_copy(self) -> None:
        """Where nothing says which folders are the task's, neither fork nor reset is possible."""

        async def work(box: InspectSandbox) -> None:
            with pytest.raises(SandboxError, match="cannot be copied"):
                await box.afork()
            with pytest.raises(SandboxError, match="cannot be reset"):
                await box.areset()
            await box.aclose()

        within(work, SandboxSpec())

    def test_which_folders_are_copied(self) -> None:
        """They are the outermost ones, and of the system's folders the files alone."""
        paths = ("/etc/app/x", "/srv/www/page", "/home/me/b/c", "/home-made/a", "/a.txt")
        tree = Tree((Entry("/etc/app", "dir"), *map(Entry, paths)))
        wanted = ("/a.txt", "/etc/app/x", "/home", "/home-made", "/srv/www/page")
        assert kept(SandboxSpec(tree, cwd="/home/me")) == wanted
        assert kept(SandboxSpec(cwd="/usr")) == ()


@needs_sandbox
class TestThreads:
    def test_the_blocking_methods(self) -> None:
        """In another thread each method blocks while Inspect's loop does the work."""

        def use(box: Sandbox) -> Any:
            box.write_file("/work/b.txt", b"beta")
            fork = box.fork()
            fork.exec("rm b.txt")
            fork.close()
            read = box.read_file("/work/b.txt"), box.exec(["ls"]).text
            box.reset()
            return *read, box.exec(["ls"]).text

        seen = within(lambda box: in_thread(lambda: use(box)))
        assert seen == (b"beta", "a.txt\nb.txt\non\n", "a.txt\non\n")

    def test_another_event_loop(self) -> None:
        """In another event loop each method hands the work to Inspect's."""

        async def use(box: Sandbox) -> Any:
            await box.awrite_file("/work/b.txt", b"beta")
            fork = await box.afork()
            await fork.aclose()
            read = await box.aread_file("/work/b.txt")
            await box.areset()
            return read, (await box.aexec(["ls"])).text

        assert within(lambda box: in_thread(lambda: asyncio.run(use(box)))) == (b"beta", "a.txt\non\n")


class Broken(SandboxEnvironment):
    """Inspect's sandbox of a provider that fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def exec(self, cmd: list[str], *_: Any, **__: Any) -> ExecResult[str]:
        raise self.error

    async def read_file(self, file: str, text: bool = True) -> Any:
        raise self.error

    async def write_file(self, file: str, contents: str | bytes) -> None:
        raise self.error

    @classmethod
    async def sample_cleanup(cls, *_: Any) -> None:
        pass


class TestFailures:
    @pytest.mark.parametrize("error", [RuntimeError("no \x1b engine"), ConnectionError("no \x1b engine")])
    def test_a_provider_that_fails(self, error: Exception) -> None:
        """What a provider raises is a lost environment, and no wrong answer."""

        async def work() -> None:
            box = InspectSandbox(SPEC, Broken(error), Home(), user=None, paths=())
            for doing in (box.aexec(["ls"]), box.aread_file("/a"), box.unpack()):
                with pytest.raises(EnvironmentLost, match=r"does not work: \w+Error: no \\x1b engine\.$"):
                    await doing

        asyncio.run(work())

    def test_what_ends_a_sample(self) -> None:
        """A limit of Inspect passes through."""
        limit = LimitExceededError("working", value=2, limit=1)

        async def work() -> None:
            await InspectSandbox(SPEC, Broken(limit), Home(), user=None, paths=()).aexec(["ls"])

        with pytest.raises(Ended) as caught:
            asyncio.run(work())
        assert caught.value.error is limit

    def test_output_that_a_provider_cut(self) -> None:
        """What a provider says of too long an output is what is left of it; of too large a file it is an error."""
        error = OutputLimitExceededError("1 KiB", "the end")

        async def work() -> Any:
            box = InspectSandbox(SPEC, Broken(error), Home(), user=None, paths=())
            with pytest.raises(SandboxError, match=r"/a cannot be read .*1 KiB"):
                await box.aread_file("/a")
            return await box.aexec(["ls"])

        done = asyncio.run(work())
        assert (done.text, done.ended_by) == ("the end", "output_bytes")

    def test_a_signal_that_a_provider_tells_as_python_does(self) -> None:
        """A negative exit code is that of a signal."""

        class Killed(Broken):
            async def exec(self, cmd: list[str], *_: Any, **__: Any) -> ExecResult[str]:
                return ExecResult(False, -15, "", "")

        async def work() -> int:
            box = InspectSandbox(SPEC, Killed(RuntimeError()), Home(), user=None, paths=())
            return (await box.aexec(["ls"])).exit_code

        assert asyncio.run(work()) == 143


@needs_sandbox
class TestEvaluation:
    def test_tasks_in_a_shell(self, tmp_path: Path) -> None:
        """A strategy acts in Inspect's sandbox; its check looks at what is lent, and the grade is the score."""
        check = 'grep -q beta /work/b.txt && rm -r /work/b.txt && [ "$ANSWER" = done ]'
        shell = ShellTask("one", "Write beta.", Tree.of({"/work/a.txt": "alpha"}), check=check, cwd="/work")
        says = iter(["Command: echo beta > b.txt", "Command: ls", "Command: submit done"])
        log = evaluate(
            tmp_path,
            strategy_solver(
                SingleAgent(),
                environment=lambda _: ShellEnvironment([shell], backend=InspectBackend(), is_session=False),
            ),
            samples([shell.task("")]),
            model(lambda _: output(next(says))),
            scorer=run_scorer(),
            sandbox="tinysmith",
        )
        sample = sample_of(log)
        assert sample.scores is not None
        assert sample.scores["run_scorer"].value == 1
        assert [message.text for message in sample.messages if message.text == "a.txt\nb.txt"] == ["a.txt\nb.txt"]

    def test_which_sandbox(self, tmp_path: Path) -> None:
        """The sample's sandbox is found by name; none, the host itself, and what it cannot give are refused."""

        async def work(_: TaskState) -> Any:
            with pytest.raises(UsageError, match="'other' is not a recognized"):
                InspectBackend("other")
            with pytest.raises(UsageError, match="'/' is no folder to copy"):
                InspectBackend(folders=["/"])
            back_end: Backend = InspectBackend(folders=["/work/deep", "/work"])
            made = await in_thread(lambda: back_end.create(SandboxSpec()))
            with pytest.raises(UsageError, match="shows no files of the host"):
                await in_thread(lambda: back_end.create(SandboxSpec(binds=(Bind("/etc", "/etc"),))))
            with pytest.raises(UsageError, match=r"has one sandbox, which is in use.* Leave out backend="):
                await in_thread(lambda: back_end.create(SandboxSpec()))
            await made.aclose()
            made = await in_thread(lambda: back_end.create(SandboxSpec()))
            await made.aexec("mkdir /work; echo > /work/x")
            await made.areset()
            return back_end.probe(), (await made.aexec(["ls", "-A", "/work"])).text

        available, left = in_sample(tmp_path, work, sandbox="tinysmith")
        assert (available.ok, available.features) == (True, ("TinysmithSandboxEnvironment",))
        assert left == ""

        async def on_the_host(_: TaskState) -> str:
            with pytest.raises(UsageError, match="is the host itself"):
                InspectBackend()
            return "refused"

        assert in_sample(tmp_path, on_the_host, sandbox="local") == "refused"
        with pytest.raises(UsageError, match="No sandbox environment has been provided"):
            InspectBackend()
