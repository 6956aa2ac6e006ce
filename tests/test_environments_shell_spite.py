"""What an agent does to its shell and its files costs it the grade, and never voids it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from back_ends import on_each_back_end
from sandboxes import Maker, needs_sandbox
from shells import checked, graded, played, stepped

from tinysmith.environments._bash_reward import Fidelity
from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.bash import BashEnvironment
from tinysmith.environments.ctf import CtfEnvironment
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.errors import EnvironmentLost, SandboxError
from tinysmith.protocols import EnvironmentStep, Grade
from tinysmith.sandbox import Availability, Executed, Sandbox, SandboxSpec, Tree
from tinysmith.sandbox.bubblewrap import Bubblewrap, BubblewrapSandbox
from tinysmith.sandbox.sandbox import Stop

NOWHERE = "bash: no folder can be entered any more, not even /"
NOTHING = Grade(0.0, solved=False)
EASY = ShellTask("t", "Do nothing.", check="true", cwd="/work")
MANY = "seq -f f%g 800 | xargs touch; touch done"
RENAMING = "(while :; do for i in f*; do mv $i g$i; done; for i in g*; do mv $i ${i#g}; done; done) &> /dev/null &"
USER_SITE = "d=$(python3 -m site --user-site)"
QUITS = "echo 'import os; os._exit(0)'"
DEEP = "n=$(printf 'd%.0s' {1..250}); for i in {1..20}; do mkdir $n; cd $n; done; cd /work"


class Spoilt(BubblewrapSandbox):
    """A sandbox that an agent has spoilt as its back end says."""

    spoils: "Spoils"

    def exec(self, *arguments: Any, **options: Any) -> Executed:
        """Runs a command, unless no folder can be entered any more."""
        if self.spoils.is_locked:
            raise SandboxError("The command cannot begin in that folder.")
        return super().exec(*arguments, **options)

    def fork(self, *, stop: Stop | None = None) -> BubblewrapSandbox:
        """A copy, when that has failed often enough."""
        self.spoils.forks_failing -= 1
        if self.spoils.forks_failing >= 0:
            raise SandboxError("The sandbox's files changed while they were copied.")
        copy = Spoilt(self.spec, self.program, copied=self, stop=stop)
        copy.spoils = self.spoils
        return copy


class Spoils:
    """Makes sandboxes that are spoilt."""

    def __init__(self, *, forks_failing: int = 0) -> None:
        self.forks_failing = forks_failing
        self.is_locked = False

    def probe(self) -> Availability:
        """As of bubblewrap."""
        return Bubblewrap().probe()

    def create(self, spec: SandboxSpec) -> Sandbox:
        """One that is not locked yet."""
        sandbox = Spoilt(spec)
        sandbox.spoils = self
        return sandbox


def locked(environment: BashEnvironment | CtfEnvironment, spoils: Spoils) -> EnvironmentStep:
    """What a command gives where no folder can be entered."""

    async def play() -> EnvironmentStep:
        await environment.reset(seed=0)
        spoils.is_locked = True
        step = await environment.step("ls")
        spoils.is_locked = False
        await environment.close()
        return step

    return asyncio.run(play())


@needs_sandbox
class TestLock:
    @pytest.mark.parametrize("is_session", [True, False])
    @pytest.mark.parametrize("ends", [(), ("ls",), ("exit", "ls"), ("submit",), ("ls", "exit", "submit")])
    def test_of_the_root(self, ends: tuple[str, ...], is_session: bool) -> None:
        """An agent that takes away the rights on the root plays on, and is graded."""
        task = ShellTask("t", "Make it.", check="test -e /work/it", cwd="/work")
        assert graded(task, "chmod 0 /", *ends, is_session=is_session) == NOTHING

    @pytest.mark.parametrize("is_session", [True, False])
    @pytest.mark.parametrize("cwd", ["/", "/work"])
    @pytest.mark.parametrize("action", ["", "submit"])
    def test_of_all_folders(self, action: str, cwd: str, is_session: bool) -> None:
        """Where no folder can be entered no command begins, as it is told, and the task is not solved."""
        spoils = Spoils()

        async def play(environment: ShellEnvironment) -> tuple[EnvironmentStep, Grade]:
            await environment.step("exit")
            spoils.is_locked = True
            step = await environment.step("ls")
            if action:
                assert (await environment.step(action)).reward == 0.0
            return step, await environment.grade()

        task = ShellTask("t", "Do nothing.", check="true", cwd=cwd)
        step, grade = played(play, task, backend=spoils, is_session=is_session)
        lost = "shell_lost" if is_session else "folder_lost"
        assert (step.observation, step.info["exit_code"], step.info[lost]) == (NOWHERE, 126, False)
        assert grade == NOTHING

    def test_that_a_check_meets(self) -> None:
        """A check in Python that finds no folder to begin in says that the task is not solved."""

        def check(sandbox: Sandbox, _: str) -> bool:
            sandbox.exec("true", cwd="/none")
            return True

        assert checked(check, "chmod 0 /", "submit") == NOTHING

    def test_in_the_bash_environment(self, tmp_path: Path) -> None:
        """The strict Bash environment tells that no command can begin, and so does the other in its own words."""
        (tmp_path / "one.json").write_text(json.dumps([{"query": "What?", "gold": "ls"}]), encoding="utf-8")
        (tmp_path / "one.tree.json").write_text("[]", encoding="utf-8")
        words: dict[Fidelity, str] = {"strict": NOWHERE, "intercode": "There is no working directory /\n"}
        for fidelity, said in words.items():
            spoils = Spoils()
            step = locked(BashEnvironment(tmp_path, fidelity=fidelity, backend=spoils), spoils)
            assert (step.observation, step.info["exit_code"]) == (said, 126)

    def test_in_the_ctf_environment(self, tmp_path: Path) -> None:
        """Both fidelities of the CTF environment tell that no command can begin."""
        rows = [{"query": "Find it.", "gold": "x", "tags": []}]
        (tmp_path / "ic_ctf.json").write_text(json.dumps(rows), encoding="utf-8")
        fidelities: tuple[Fidelity, ...] = ("strict", "intercode")
        for fidelity in fidelities:
            spoils = Spoils()
            step = locked(CtfEnvironment(tmp_path, fidelity=fidelity, backend=spoils), spoils)
            assert (step.observation, step.info["exit_code"]) == (NOWHERE, 126)


@needs_sandbox
class TestCopies:
    @pytest.mark.parametrize("ends", [(), ("submit",)])
    def test_of_what_is_too_deep(self, ends: tuple[str, ...]) -> None:
        """Files that no program can copy are worth nothing."""
        assert graded(EASY, DEEP, *ends) == NOTHING

    def test_of_what_is_left_running(self) -> None:
        """To submit ends what was left running, and then the files are copied as they are."""
        assert checked("test -e done && test $(ls | wc -l) = 801", MANY, RENAMING, "submit").solved

    @pytest.mark.parametrize(("times", "score"), [(2, 1.0), (3, 0.0)])
    def test_of_what_runs_on(self, times: int, score: float) -> None:
        """A grade in between copies up to three times, is worth nothing then, and leaves the shell as it is."""

        async def play(environment: ShellEnvironment) -> tuple[float, str]:
            await environment.step("x=7")
            grade = await environment.grade()
            return grade.score, (await environment.step("echo $x")).observation

        assert played(play, EASY, backend=Spoils(forks_failing=times)) == (score, "7")

    def test_after_which_there_is_no_grade(self) -> None:
        """Where a check raises, the episode goes on in a new shell."""

        def check(sandbox: Sandbox, _: str) -> bool:
            raise KeyError

        async def play(environment: ShellEnvironment) -> str:
            await environment.step("x=7; cd /")
            with pytest.raises(EnvironmentLost, match="raised KeyError"):
                await environment.step("submit")
            return (await environment.step("pwd; echo $x")).observation

        assert played(play, ShellTask("t", "Do it.", check=check, cwd="/work")) == "/work"

    def test_are_not_seen(self) -> None:
        """What was left running sees neither a check's text nor its variables, although it looks all the time."""
        spying = "(while :; do cat /proc/[0-9]*/{cmdline,environ} | tr '\\0' ' ' >> log; done) 2> /dev/null &"
        check = ": s3cret; sleep 0.2; true"

        async def play(environment: ShellEnvironment) -> str:
            await environment.step(spying)
            assert (await environment.grade()).solved
            counting = "grep -aq PATH= log && echo looked; grep -ac '[A]NSWER=' log; grep -ac '[s]3cret' log"
            return (await environment.step(f"kill $!; {counting}")).observation

        assert played(play, ShellTask("t", "Do it.", check=check, cwd="/work")) == "looked\n0\n0"


class TestFolder:
    @on_each_back_end
    def test_that_a_check_cannot_enter(self, back_end: Maker) -> None:
        """Where the task's folder is shut, gone or something else, the check is run nowhere, and is not passed."""
        files = Tree.of({"/data/secret": "x"})
        task = ShellTask("t", "Remove the secret.", files, check="! test -e secret", cwd="/data")
        away = "cd ..; chmod 700 data; rm -r data"
        assert graded(task, "rm secret", "submit", backend=back_end.back_end).solved
        for act in ("chmod 0 .", away, f"{away}; ln -s none data", f"{away}; touch data"):
            assert graded(task, act, "submit", backend=back_end.back_end) == NOTHING, act

    @on_each_back_end
    def test_in_which_a_check_is(self, back_end: Maker) -> None:
        """A check is bash's own text, whatever it begins with, in the task's folder, whatever that is called."""
        for cwd in ("/", "/-a 'b'", "/a/b"):
            task = ShellTask("t", "Touch it.", check='-l 2>&-; test -f it -a $0 = /bin/bash -a -z "$1"', cwd=cwd)
            assert graded(task, "touch it", backend=back_end.back_end).solved, cwd

    @needs_sandbox
    def test_that_is_closed_or_gone(self, tmp_path: Path) -> None:
        """The check that the documentation shows is passed by who does the task, not by who hides the files."""
        page = Path(__file__).parent.parent / "docs" / "environments.md"
        _, _, rest = page.read_text(encoding="utf-8").partition("```json\n")
        files = {"/attic/deed": "Mine.\n", "/attic/map": "North.\n", "/attic/dust": "", "/attic/.lint": ""}
        (tmp_path / "tasks.json").write_text(rest.partition("```")[0], encoding="utf-8")
        (tmp_path / "attic.tree.json").write_text(Tree.of(files).json(), encoding="utf-8")

        async def score(action: str) -> float:
            environment = ShellEnvironment.read(tmp_path)
            await environment.reset(task=environment.tasks["1"])
            await environment.step(action)
            step = await environment.step("submit")
            await environment.close()
            return step.reward

        assert asyncio.run(score("find /attic -type f -empty -delete")) == 1.0
        for action in ("true", "chmod 0 /attic", "rm -rf /attic", "rm /attic/*", "rm /attic/dust; : > /attic/map"):
            assert asyncio.run(score(action)) == 0.0, action


@needs_sandbox
class TestSteering:
    @pytest.mark.parametrize(
        ("act", "check"),
        [
            (
                f"d=$(python3 -m site --user-site); mkdir -p $d; {QUITS} > $d/usercustomize.py",
                "python3 -c 'exit(1)'",
            ),
            (f"{QUITS} > json.py", "python3 -c 'import json; exit(1)'"),
            ("touch ~/.rc", "test -e ~/.rc"),
            ("echo exit > rc", "bash -c false"),
        ],
    )
    def test_of_checks(self, act: str, check: str) -> None:
        """Files by which an agent steers its own programs do not steer those of a check in the shell's words."""
        task = ShellTask("t", "Do it.", check=check, cwd="/work", environment={"BASH_ENV": "/work/rc"})
        assert stepped(act, check, task=task)[1].info["exit_code"] == 0
        assert graded(task, act, "submit") == NOTHING


@needs_sandbox
class TestShell:
    def test_whose_first_folder_is_gone(self) -> None:
        """A new shell begins in the root where the first folder is gone."""
        ended, after = stepped("cd /; rm -rf /work; exit", "pwd", task=EASY)
        assert ended.info["shell_lost"]
        assert (after.observation, after.info["exit_code"]) == ("/", 0)
