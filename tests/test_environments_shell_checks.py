"""What checks say of tasks in a shell."""

import asyncio
from typing import Any

import pytest
from sandboxes import needs_sandbox
from shells import checked, graded, played

from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import Grade
from tinysmith.sandbox import Sandbox, SandboxLimits


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

    def test_that_do_not_end(self) -> None:
        """A check that the agent's files hold up is ended, and the task is not solved."""
        task = ShellTask("t", "Do it.", check="cat /work/pipe; true", cwd="/work")
        assert not graded(task, "mkfifo pipe", limits=SandboxLimits(wall_s=1.0)).solved

    @pytest.mark.parametrize(
        ("verdict", "grade"),
        [
            (True, Grade(1.0, solved=True)),
            (False, Grade(0.0, solved=False)),
            (0.25, Grade(0.25, solved=False)),
            (1, Grade(1.0, solved=True)),
            (Grade(0.7, solved=True, parts={"a": 7.0}), Grade(0.7, solved=True, parts={"a": 7.0})),
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

    @pytest.mark.parametrize(
        "error",
        [SystemExit(1), asyncio.CancelledError(), TimeoutError(), StopIteration(), pytest.fail.Exception()],
    )
    def test_that_raise_what_others_must_not_meet(self, error: BaseException) -> None:
        """An exit, a cancellation that nobody asked for, and what no future can hold are told like the others."""

        def check(sandbox: Sandbox, _: str) -> bool:
            raise error

        async def waiting(sandbox: Sandbox, _: str) -> bool:
            raise error

        name = type(error).__name__
        with pytest.raises(EnvironmentLost, match=f"the check of the task 't' raised {name} in test_env") as told:
            checked(check, "submit")
        assert told.value.__cause__ is error
        if not isinstance(error, StopIteration):  # which an async function cannot raise
            with pytest.raises(
                EnvironmentLost, match=f"of the task 't' raised {name} in test_env.*mend the check"
            ):
                checked(waiting, "submit")

    def test_that_are_cancelled(self) -> None:
        """A check during which the step is cancelled is ended with it, and the episode goes on."""

        async def play(environment: ShellEnvironment) -> tuple[bool, str]:
            doing = asyncio.ensure_future(environment.step("submit"))
            await begun.wait()
            doing.cancel()
            await asyncio.wait([doing])
            return doing.cancelled(), (await environment.step("echo on")).observation

        async def check(sandbox: Sandbox, _: str) -> bool:
            begun.set()
            return await asyncio.Event().wait()

        begun = asyncio.Event()
        assert played(play, ShellTask("t", "Do it.", check=check)) == (True, "on")

    def test_that_are_interrupted(self) -> None:
        """Ctrl-C while a check runs is nothing of the check's."""

        def check(sandbox: Sandbox, _: str) -> bool:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            checked(check)

    def test_whose_sandbox_dies(self) -> None:
        """A sandbox that is lost while a check looks at it is said as it is."""

        def check(sandbox: Sandbox, _: str) -> bool:
            raise EnvironmentLost("The sandbox is dead.")

        with pytest.raises(EnvironmentLost, match=r"^The sandbox is dead\.$"):
            checked(check)

    @pytest.mark.parametrize(
        ("verdict", "what"),
        [
            (None, "a NoneType"),
            (1.5, "a float"),
            (float("nan"), "a float"),
            (Grade(7.0, solved=True), "a Grade whose score is not from 0 to 1"),
            (Grade(-0.1, solved=False), "a Grade whose score is not from 0 to 1"),
            (Grade(float("nan"), solved=False), "a Grade whose score is not from 0 to 1"),
            (Grade("1", solved=True), "a Grade whose score is not from 0 to 1"),  # type: ignore[arg-type]  # on purpose
        ],
    )
    def test_that_say_nothing(self, verdict: Any, what: str) -> None:
        """A verdict that is none is told."""
        said = (
            f"the check of the task 't' answered with {what}; give a truth value, a number from 0 to 1, or a Grade"
        )
        with pytest.raises(UsageError, match=said):
            checked(lambda *_: verdict)
