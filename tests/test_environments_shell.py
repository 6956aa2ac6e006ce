"""Tasks of one's own in a shell."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sandboxes import needs_sandbox

from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.errors import DataError, EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.protocols import EnvironmentStep, Grade, Graded, HasTasks, Replayable
from tinysmith.sandbox import Availability, Sandbox, SandboxLimits, SandboxSpec, Tree

R = TypeVar("R")
SUM = ShellTask("sum", "Add up the numbers in /n.", Tree.of({"/n": "40\n2\n"}), answer=" 42 ", cwd="/work")


def played(play: Callable[[ShellEnvironment], Coroutine[Any, Any, R]], task: ShellTask = SUM, **options: Any) -> R:
    """What comes of playing a task."""

    async def run() -> R:
        environment = ShellEnvironment([task], **options)
        try:
            await environment.reset(task=environment.tasks[task.id])
            return await play(environment)
        finally:
            await environment.close()

    return asyncio.run(run())


def stepped(*actions: str, task: ShellTask = SUM, **options: Any) -> list[EnvironmentStep]:
    """The steps of some actions."""

    async def play(environment: ShellEnvironment) -> list[EnvironmentStep]:
        return [await environment.step(action) for action in actions]

    return played(play, task, **options)


def graded(task: ShellTask, *actions: str, **options: Any) -> Grade:
    """The grade after some actions."""

    async def play(environment: ShellEnvironment) -> Grade:
        for action in actions:
            await environment.step(action)
        return await environment.grade()

    return played(play, task, **options)


def checked(check: Any, *actions: str) -> Grade:
    """What a check says after some actions."""
    return graded(ShellTask("t", "Do it.", check=check, cwd="/work"), *actions)


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
            "[The shell ended. The next command meets a new one, in the first folder and without variables.]"
        )
        assert (ended.info["shell_lost"], after.info["shell_lost"]) == (True, False)
        assert after.observation == "/work"

    def test_are_bounded(self) -> None:
        """A command that takes too long is ended, a long output is cut, both are said, and the next one works."""
        limits = SandboxLimits(wall_s=0.4)
        long, much, after = stepped("sleep 9", "seq 10 99", "echo b", limits=limits, character_limit=6)
        assert long.observation.endswith("[The command was ended: it ran for more than 0.4 s.]")
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


@needs_sandbox
class TestChecks:
    def test_in_the_shell_s_words(self) -> None:
        """A text is run in the task's folder, and says by its exit code whether the task is solved."""
        assert checked("test -f done && test $PWD = /work") == Grade(0.0, solved=False)
        assert checked("test -f done && test $PWD = /work", "touch done").solved

    def test_may_look_at_the_answer(self) -> None:
        """A text finds what was submitted in `$ANSWER`, whatever characters it has."""
        check = 'test "$ANSWER" = "$(cat /work/it)"\'; true \udcff\''.replace(
            "\udcff", "\N{REPLACEMENT CHARACTER}"
        )
        assert not checked(check, "echo x > it").solved
        assert checked(check, "echo x > it", "submit x; true \0\udcff").solved

    def test_change_nothing(self) -> None:
        """A check works on a copy of the files."""
        check = "echo checked >> /work/log; test $(wc -l < /work/log) = 1"

        async def play(environment: ShellEnvironment) -> tuple[Grade, Grade, str]:
            await environment.step("cat /n")
            return await environment.grade(), await environment.grade(), (await environment.step("ls")).observation

        first, second, seen = played(play, ShellTask("t", "Do it.", check=check, cwd="/work"))
        assert (first.solved, second.solved, seen) == (True, True, "")

    def test_where_the_folder_is_gone(self) -> None:
        """A text is run although the task's folder is gone."""
        assert checked("test ! -e /work", "rm -r /work").solved

    def test_that_do_not_end(self) -> None:
        """A check that the agent's files hold up is ended, and the task is not solved."""
        task = ShellTask("t", "Do it.", check="cat /work/pipe; true", cwd="/work")
        assert not graded(task, "mkfifo pipe", limits=SandboxLimits(wall_s=0.4)).solved

    @pytest.mark.parametrize(
        ("verdict", "grade"),
        [
            (True, Grade(1.0, solved=True)),
            (False, Grade(0.0, solved=False)),
            (0.25, Grade(0.25, solved=False)),
            (1, Grade(1.0, solved=True)),
            (Grade(7.0, solved=True, parts={"a": 1.0}), Grade(7.0, solved=True, parts={"a": 1.0})),
        ],
    )
    def test_in_python(self, verdict: Any, grade: Grade) -> None:
        """A callable, blocking or async, answers with a truth value, a number or a grade."""

        async def waiting(sandbox: Sandbox, _: str) -> Any:
            assert await sandbox.aread_file("/work/a") == b"x\n"
            return verdict

        def blocking(sandbox: Sandbox, _: str) -> Any:
            return verdict if sandbox.read_file("/work/a") == b"x\n" else None

        assert checked(blocking, "echo x > a") == grade
        assert checked(waiting, "echo x > a") == grade

    def test_are_given_what_was_said(self) -> None:
        """A callable is given what was submitted, and else what the last command printed."""
        given = []

        def check(_: Sandbox, output: str) -> bool:
            given.append(output)
            return True

        checked(check, "echo a; echo b")
        checked(check, "echo a", "submit c")
        checked(check, "echo a", "submit")
        checked(check)
        assert given == ["a\nb", "c", "a", ""]

    @pytest.mark.parametrize("path", ["/work/none", "/work"])
    def test_that_find_no_file(self, path: str) -> None:
        """A file that is not there, and a failed assertion, say that the task is not solved."""

        def check(sandbox: Sandbox, _: str) -> bool:
            return bool(sandbox.read_file(path))

        def asserting(sandbox: Sandbox, output: str) -> bool:
            assert output == "secret"
            return True

        assert checked(check) == Grade(0.0, solved=False)
        assert checked(asserting, "echo x") == Grade(0.0, solved=False)

    def test_that_raise(self) -> None:
        """A check that raises is a fault of the machinery, whose message does not tell what it knows."""

        def check(sandbox: Sandbox, _: str) -> bool:
            raise KeyError("the secret answer")

        with pytest.raises(
            EnvironmentLost, match=r"the check of the task 't' raised KeyError in test_env"
        ) as told:
            checked(check)
        assert "secret" not in str(told.value)
        assert isinstance(told.value.__cause__, KeyError)

    def test_whose_sandbox_dies(self) -> None:
        """A sandbox that is lost while a check looks at it is said as it is."""

        def check(sandbox: Sandbox, _: str) -> bool:
            raise EnvironmentLost("The sandbox is dead.")

        with pytest.raises(EnvironmentLost, match=r"^The sandbox is dead\.$"):
            checked(check)

    @pytest.mark.parametrize(("verdict", "kind"), [(None, "NoneType"), (1.5, "float"), (float("nan"), "float")])
    def test_that_say_nothing(self, verdict: Any, kind: str) -> None:
        """A verdict that is none is told."""
        with pytest.raises(
            UsageError, match=f"the check of the task 't' answered with a {kind}; give a truth value"
        ):
            checked(lambda *_: verdict)


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

    def test_misuse(self) -> None:
        """Tasks of one id, a limit of nothing and unknown tasks are refused."""
        with pytest.raises(UsageError, match="Two tasks have the id 'sum'"):
            ShellEnvironment([SUM, SUM])
        with pytest.raises(UsageError, match="character_limit is 0; give 1 or more"):
            ShellEnvironment([SUM], character_limit=0)
        environment = ShellEnvironment([SUM])
        with pytest.raises(UsageError, match="There is no task 'none'"):
            asyncio.run(environment.reset(task=ShellTask("none", "", answer="1").task("")))


class TestTasks:
    def test_say_how_to_act(self) -> None:
        """A task says how to act in the kind of shell that there is, unless it has words of its own."""
        own = ShellTask("own", "Do it.", check="true", instructions="Speak French.", data={"level": 2})
        first, second = ShellEnvironment([SUM, own]).tasks
        assert "The shell stays" in first.instructions
        assert (second.instructions, second.data["level"]) == ("Speak French.", 2)
        (fresh,) = ShellEnvironment([SUM], is_session=False).tasks
        assert "a shell of its own" in fresh.instructions

    @needs_sandbox
    def test_keep_their_secrets(self, caplog: pytest.LogCaptureFixture) -> None:
        """Neither answers nor checks are in a task, an observation, an info, a log or a representation."""
        caplog.set_level("DEBUG", "tinysmith")
        checked_task = ShellTask("t", "Do it.", Tree.of({"/a": "s3cret"}), check="test $ANSWER = s3cret")
        answered = ShellTask("u", "Do it.", answer="s3cret", script=("submit s3cret",))
        shown = [repr((checked_task, answered)), repr(list(ShellEnvironment([checked_task, answered]).tasks))]
        for task in (checked_task, answered):
            shown.append(repr(stepped("ls", "submit 1", task=task)))
        assert "s3cret" not in "".join([*shown, caplog.text])
        assert "s3cret" in repr(stepped("cat /a", task=checked_task))

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({}, "'t': give it either a check or an answer"),
            ({"check": "true", "answer": "1"}, "'t': give it either a check or an answer"),
            ({"check": " "}, "'t': its check is empty or has a NUL"),
            ({"answer": "\n"}, "'t': its answer is empty or has a NUL"),
            ({"answer": "a\0"}, "'t': its answer is empty or has a NUL"),
            ({"answer": "1", "cwd": "work"}, "cwd is 'work'; give an absolute path"),
        ],
    )
    def test_that_are_none(self, wrong: dict[str, Any], said: str) -> None:
        """A task has one way to be solved, and begins in a folder."""
        with pytest.raises(UsageError, match=said):
            ShellTask("t", "Do it.", **wrong)

    @needs_sandbox
    def test_see_what_they_are_given(self) -> None:
        """A task's environment variables are those of its commands and of its check."""
        task = ShellTask("t", "Do it.", check='test "$A" = b', environment={"A": "b"})
        assert stepped("echo $A", task=task)[0].observation == "b"
        assert graded(task).solved


TREE = json.dumps([{"path": "/n", "type": "file", "mode": "0o600", "text": "42"}])


def folder(path: Path, *rows: Any) -> Path:
    """A folder with these tasks, and a tree."""
    (path / "tasks.json").write_text(json.dumps(rows))
    (path / "some.tree.json").write_text(TREE)
    return path


class TestRead:
    @needs_sandbox
    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder's tasks have trees from files or in their rows, checks or answers, and ids by their number."""
        rows = (
            {"id": "a", "query": "A?", "tree": "some.tree.json", "answer": "42", "script": ["submit 42"]},
            {"query": "B?", "tree": {"/w/x": "y", "/e/": ""}, "check": "test -e z", "cwd": "/w"},
            {"id": 7, "query": "C?", "check": "test $K = v", "environment": {"K": "v"}, "data": {"n": [1]}},
            {"id": "d", "query": "D?", "tree": "some.tree.json", "answer": "x", "instructions": "Act."},
        )
        environment = ShellEnvironment.read(folder(tmp_path, *rows), is_session=False)

        async def play(name: str, *actions: str) -> list[str]:
            await environment.reset(task=environment.tasks[name])
            seen = [(await environment.step(action)).observation for action in actions]
            seen.append(str((await environment.grade()).score))
            await environment.close()
            return seen

        tasks = list(environment.tasks)
        assert [task.id for task in tasks] == ["a", "1", "7", "d"]
        assert (tasks[0].script, tasks[2].data["n"], tasks[3].instructions) == (("submit 42",), (1,), "Act.")
        assert asyncio.run(play("a", "stat -c %a /n", "cat /n", "submit 42")) == ["600", "42", "Submitted.", "1.0"]
        assert asyncio.run(play("1", "pwd; ls / | grep ^e", "touch z")) == ["/w\ne\netc", "", "1.0"]
        assert asyncio.run(play("7")) == ["1.0"]

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            (3, "row 1 lacks its query; give it one."),
            ({"answer": "1"}, "row 1 lacks its query; give it one."),
            ({"query": "?", "anwser": "1"}, "row 1 has 'anwser', which nothing reads. Did you mean answer?"),
            ({"query": 3}, "row 1 has no text for its query; write one."),
            ({"query": "?", "check": ["a"]}, "row 1 has no text for its check; write one."),
            ({"query": "?", "data": 3}, "row 1 has no object for its data; write one."),
            ({"query": "?", "environment": []}, "row 1 has no object for its environment; write one."),
            (
                {"query": "?", "environment": {"A": 3}},
                "row 1 has no text for a variable of its environment; write one.",
            ),
            ({"query": "?", "script": "submit"}, "row 1 has no list of texts for its script; write one."),
            ({"query": "?", "script": [3]}, "row 1 has no list of texts for its script; write one."),
            (
                {"query": "?", "answer": "1", "tree": "../x"},
                "row 1 names no tree: give the name of a tree.json file",
            ),
            ({"query": "?", "answer": "1", "tree": ["x"]}, "row 1 names no tree"),
            ({"query": "?", "answer": "1", "tree": {"/a": 3}}, "row 1 names no tree"),
            ({"query": "?", "answer": "1", "tree": {"a": ""}}, "row 1: Entry: 'a' is no path of a tree"),
            ({"query": "?", "answer": "1", "tree": "none.tree.json"}, "none.tree.json: there is no such file"),
            ({"query": "?"}, "row 1: ShellTask '1': give it either a check or an answer."),
            (
                {"query": "?", "answer": "1", "environment": {"": "x"}},
                "row 1: SandboxSpec: the environment variable",
            ),
        ],
    )
    def test_a_row_that_is_none(self, row: Any, said: str, tmp_path: Path) -> None:
        """What is wrong with a row is told with its number."""
        with pytest.raises(DataError) as told:
            ShellEnvironment.read(folder(tmp_path, {"query": "?", "answer": "1"}, row))
        assert said in str(told.value)
        assert str(tmp_path) in str(told.value)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "tasks.json: this is not JSON: "),
            ("[" * 100_000, "tasks.json: this is not JSON: "),
            ("{}", "tasks.json: this is no list of tasks; write a list of objects."),
            ("[]", "tasks.json: this is no list of tasks; write a list of objects."),
        ],
    )
    def test_a_file_that_is_none(self, text: str, said: str, tmp_path: Path) -> None:
        """A file that holds no tasks is told."""
        (tmp_path / "tasks.json").write_text(text)
        with pytest.raises(DataError) as told:
            ShellEnvironment.read(tmp_path)
        assert said in str(told.value)

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        """A folder that is not there, or that holds no tasks, is told."""
        with pytest.raises(DataError, match=r"none: there is no such folder; name one that holds tasks\.json\."):
            ShellEnvironment.read(tmp_path / "none")
        with pytest.raises(DataError, match=r"tasks\.json: it cannot be read: No such file or directory"):
            ShellEnvironment.read(tmp_path)
