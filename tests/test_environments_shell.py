"""Tasks of one's own in a shell: commands, answers and episodes."""

import asyncio
from typing import Any

import pytest
from sandboxes import needs_sandbox
from shells import SUM, graded, played, stepped

from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.protocols import Grade, Graded, HasTasks, Replayable
from tinysmith.sandbox import Availability, Sandbox, SandboxLimits, SandboxSpec


@needs_sandbox
class TestCommands:
    def test_share_a_shell(self) -> None:
        """Folder, variables and functions stay, and both streams are shown in their order."""
        first, second = stepped("cd /tmp; x=7; f() { echo $x; echo err >&2; return 3; }", "pwd; f")
        assert first == ("", 0.0, False, False, first.info)
        assert second.observation == "/tmp\n7\nerr"
        assert (second.info["exit_code"], second.info["action_executed"]) == (3, False)

    def test_may_have_shells_of_their_own(self) -> None:
        """Without a session the folder alone stays."""
        steps = stepped("mkdir a; cd a; x=7", 'pwd; echo "<$x>"', "rmdir ../a", "pwd", is_session=False)
        assert steps[1].observation == "/work/a\n<>"
        assert steps[3].observation == "/work\n[The folder is gone. This command began in the first one.]"
        assert [step.info["folder_lost"] for step in steps] == [False, False, False, True]

    def test_may_end_the_shell(self) -> None:
        """A shell that ends is replaced, which is said."""
        ended, after = stepped("cd /tmp; x=7; exit 3", "pwd; echo $x")
        assert ended.observation == (
            "[The shell ended. The next command meets a new one, without variables, in the first folder, or in / "
            "if that is gone.]"
        )
        assert (ended.info["shell_lost"], after.info["shell_lost"]) == (True, False)
        assert after.observation == "/work"

    def test_are_bounded(self) -> None:
        """A command that takes too long is ended, a long output is cut, both are said, and the next one works."""
        limits = SandboxLimits(wall_s=1.0)
        long, much, after = stepped("sleep 9", "seq 10 99", "echo b", limits=limits, character_limit=6)
        assert long.observation.endswith("[The command was ended: it ran for more than 1 s.]")
        assert (long.info["timed_out"], long.info["exit_code"]) == (True, 137)
        assert much.observation == "10\n\n[263 characters are left out here.]\n\n99"
        assert much.info["output_truncated"]
        assert (after.observation, after.info["output_truncated"]) == ("b", False)

    def test_that_no_shell_can_be_given(self) -> None:
        """A NUL is refused in the observation, and the shell is as it was."""
        _, refused, after = stepped("x=7", "x=8\0", "echo $x")
        assert refused.observation == "bash: a command cannot hold a NUL character"
        assert after.observation == "7"

    def test_show_the_same_again(self) -> None:
        """The same actions in the same tree show the same."""
        actions = ("ls -l /n | cut -c1-10; cat /n", "cat none", "exit", "echo $$ > /dev/null; ls /")
        assert [step.observation for step in stepped(*actions)] == [step.observation for step in stepped(*actions)]


@needs_sandbox
class TestAnswers:
    @pytest.mark.parametrize("action", ["submit 42", "SUBMIT\n 42\n", "submit '42'", 'submit " 42"'])
    def test_solve(self, action: str) -> None:
        """What was asked for solves the task, as a shell would take it, and ends the episode."""
        (step,) = stepped(action)
        assert step[:4] == ("Submitted.", 1.0, True, False)
        assert step.info["action_executed"] is True

    @pytest.mark.parametrize(
        "action", ["submit", "submit 43", "submit 42 43", "submit '42", "submit " + "4" * 20_000]
    )
    def test_do_not_solve(self, action: str) -> None:
        """Anything else ends the episode with 0."""
        assert stepped(action)[0][1:3] == (0.0, True)

    @pytest.mark.parametrize("action", ['submit "x"', "submit x", "submit '\"x\"'"])
    def test_may_have_quotes(self, action: str) -> None:
        """An answer in quotes is the same with and without them."""
        assert graded(ShellTask("t", "Say it.", answer=' "x" '), action).solved

    def test_are_worth_nothing_before_they_are_submitted(self) -> None:
        """What a command prints is no answer; nor does `submit` in a command's name submit."""
        assert graded(SUM, "echo 42", "submit-42", "submits 42") == Grade(0.0, solved=False)
        assert graded(SUM, "submit 42") == Grade(1.0, solved=True)

    def test_can_be_refused(self) -> None:
        """`skip` gives up with 0, whatever the files are worth."""
        task = ShellTask("t", "Do nothing.", check="true")
        assert graded(task) == Grade(1.0, solved=True)
        assert graded(task, "skip") == Grade(0.0, solved=False)
        assert stepped(" Skip\n", task=task)[0][:3] == ("Given up.", 0.0, True)

    def test_end_the_episode(self) -> None:
        """After the end there is no other step."""
        with pytest.raises(UsageError, match=r"ShellEnvironment\.step: the episode is over"):
            stepped("submit 42", "submit 42")


class TestEpisodes:
    def test_protocols(self) -> None:
        """It has tasks, grades, and may be brought back."""
        environment = ShellEnvironment([SUM])
        assert isinstance(environment, Graded)
        assert isinstance(environment, HasTasks)
        assert isinstance(environment, Replayable)
        assert environment.is_replayable

    @needs_sandbox
    def test_begin_anew(self) -> None:
        """A reset brings back the files and the shell; the same seed chooses the same task."""
        tasks = [SUM, *(ShellTask(f"t{number}", "Do it.", check="true") for number in range(9))]
        environment = ShellEnvironment(tasks)

        async def play() -> None:
            assert await environment.reset(task=environment.tasks["sum"]) == (
                "Add up the numbers in /n.",
                {"task_id": "sum", "cwd": "/work"},
            )
            await environment.step("x=7; rm /n; touch a")
            await environment.reset(task=environment.tasks["sum"])
            assert (await environment.step("echo $x; ls; cat /n")).observation == "\n40\n2"
            _, first = await environment.reset(seed=3)
            _, second = await environment.reset(seed=3)
            assert first == second
            await environment.close()
            with pytest.raises(UsageError, match="there is no episode"):
                await environment.grade()

        asyncio.run(play())

    @needs_sandbox
    def test_end_while_a_command_runs(self) -> None:
        """Closing ends the command at once, and whoever waits for it is told; cancelling leaves the episode."""

        async def play(environment: ShellEnvironment) -> None:
            doing = asyncio.ensure_future(environment.step("touch /tmp/begun; sleep 9"))
            await asyncio.sleep(0.2)
            doing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doing
            assert (await environment.step("echo on")).observation == "on"
            doing = asyncio.ensure_future(environment.step("sleep 9"))
            await asyncio.sleep(0.1)
            await environment.close()
            with pytest.raises(EnvironmentLost, match="ShellEnvironment: it was closed or reset"):
                await doing

        played(play)

    def test_where_there_is_no_sandbox(self) -> None:
        """Without a sandbox no episode begins, and the reason is told."""

        class Nowhere:
            def probe(self) -> Availability:
                return Availability(ok=False)

            def create(self, spec: SandboxSpec) -> Sandbox:
                raise SandboxUnavailable("Install one.")

        environment = ShellEnvironment([SUM], backend=Nowhere())
        with pytest.raises(SandboxUnavailable, match="Install one"):
            asyncio.run(environment.reset())

    def test_tasks_and_their_splits(self) -> None:
        """Tasks may come from anything that gives them once; splits are those of `Tasks`."""
        environment = ShellEnvironment((each for each in (SUM,)), splits={"test": ["sum"], "train": []})
        assert asyncio.run(environment.reset(task=SUM.task("")))[1]["task_id"] == "sum"
        asyncio.run(environment.close())
        assert environment.tasks.split("test").ids == ("sum",)
        with pytest.raises(UsageError, match=r"The split 'dev' names the task 'sun'.*\. Did you mean sum"):
            ShellEnvironment([SUM], splits={"dev": ["sun"]})

    def test_misuse(self) -> None:
        """Tasks of one id, a limit of nothing and unknown tasks are refused."""
        with pytest.raises(UsageError, match="Two tasks have the id 'sum'"):
            ShellEnvironment([SUM, SUM])
        with pytest.raises(UsageError, match="character_limit is 0; give a whole number above 0"):
            ShellEnvironment([SUM], character_limit=0)
        wrong: Any
        for wrong in (SUM, {"sum": SUM}, [SUM.task("")], [{"id": "sum"}], "sum", None):
            with pytest.raises(UsageError, match=r"ShellEnvironment: tasks is .*; give a list of ShellTask"):
                ShellEnvironment(wrong)
        limit: Any
        for limit in (0, {"wall_s": 3}, SandboxLimits):
            with pytest.raises(UsageError, match=r"ShellEnvironment: limits is .*; give SandboxLimits\(wall_s="):
                ShellEnvironment([SUM], limits=limit)
        with pytest.raises(UsageError, match=r"ShellEnvironment\.read: folder is None; give a path"):
            ShellEnvironment.read(None)  # type: ignore[arg-type]  # the mistake that is meant
        environment = ShellEnvironment([SUM])
        with pytest.raises(UsageError, match="There is no task 'none'"):
            asyncio.run(environment.reset(task=ShellTask("none", "", answer="1").task("")))
