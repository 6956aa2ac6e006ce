"""The bundled tasks as one environment, and the errands among them: their scripts solve them."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from sandboxes import needs_sandbox

import tinysmith.environments
from machines import PlannerReviewerExecutor
from tinysmith import Scripted, run
from tinysmith.environments.demonstration import DemoEnvironment
from tinysmith.errors import SandboxUnavailable, UsageError
from tinysmith.protocols import EnvironmentStep, Task
from tinysmith.sandbox import Availability, Sandbox, SandboxSpec

DEMO = Path(tinysmith.environments.__file__).parent / "demo"
TEAMS = sorted((DEMO / "teams").glob("*.json"))
ERRANDS = list(DemoEnvironment().tasks.split("errands"))


class Nowhere:
    """A back end that cannot be used."""

    def probe(self) -> Availability:
        return Availability(ok=False, reason="It is missing.")

    def create(self, spec: SandboxSpec) -> Sandbox:
        raise SandboxUnavailable("There is no sandbox here. Install one.")


def action_of(reply: str) -> str:
    """The action of a demonstration's reply."""
    assert re.search(r"^Action: ", reply, re.MULTILINE), reply
    return re.split(r"^Action: ", reply, maxsplit=1, flags=re.MULTILINE)[1]


class TestErrands:
    def test_are_twelve(self) -> None:
        """There are twelve errands after six questions, each with a script, and none tells its answer."""
        environment = DemoEnvironment()
        questions = environment.tasks.split("questions")
        assert (len(environment.tasks), len(questions), len(ERRANDS)) == (18, 6, 12)
        assert (next(iter(environment.tasks)).id, ERRANDS[0].id) == ("count-boats", "hidden-flag")
        assert all(task.script and task.query and task.instructions for task in environment.tasks)
        for row in json.loads((DEMO / "shell" / "tasks.json").read_text()):
            told = repr(environment.tasks[row["id"]])
            assert row.get("check", f"answer={row.get('answer')!r}") not in told
            assert len(str(row.get("answer", ""))) < 3 or row["answer"] not in told

    @needs_sandbox
    @pytest.mark.parametrize("task", ERRANDS, ids=lambda task: str(task.id))
    def test_script(self, task: Task) -> None:
        """A script solves its errand with its last reply and not before it, after a command that failed."""

        async def replay() -> tuple[list[EnvironmentStep], list[bool]]:
            environment = DemoEnvironment()
            try:
                await environment.reset(task=task)
                seen = [await environment.step(action_of(reply)) for reply in task.script[:-1]]
                solved = [(await environment.grade()).solved]
                seen.append(await environment.step(action_of(task.script[-1])))
                return seen, [*solved, (await environment.grade()).solved]
            finally:
                await environment.close()

        seen, solved = asyncio.run(replay())
        assert solved == [False, True]
        assert any(step.info["exit_code"] for step in seen[:-1])


class TestTeams:
    @needs_sandbox
    @pytest.mark.parametrize("path", TEAMS, ids=lambda path: str(path.stem))
    def test_script(self, path: Path) -> None:
        """A team's script solves its task by a plan that was sent back once, and every reply is used."""
        environment = DemoEnvironment()
        script = Scripted.from_file(path)
        task = environment.tasks[path.stem]
        result = run(PlannerReviewerExecutor(), model=script, environment=environment, task=task)
        assert (result.outcome, result.grade and result.grade.solved) == ("solved", True)
        assert result.board.rejects_left == 1
        script.assert_complete()
        asyncio.run(environment.close())

    def test_are_of_tasks(self) -> None:
        """Each team's script is of a task, the hidden flag's among them."""
        tasks = DemoEnvironment().tasks
        assert all(path.stem in tasks for path in TEAMS)
        assert {"hidden-flag", "late-islanders"} < {path.stem for path in TEAMS}


class TestDemoEnvironment:
    def test_questions_need_no_sandbox(self) -> None:
        """A question is answered where there is no sandbox; an errand says what to install and does not begin."""
        environment = DemoEnvironment(backend=Nowhere())

        async def play() -> None:
            with pytest.raises(UsageError, match="DemoEnvironment: there is no episode"):
                await environment.step("SHOW TABLES")
            question, info = await environment.reset(task=environment.tasks["count-boats"])
            assert (question, info["database"]) == ("How many boats does the ferry line have?", "ferry_line")
            assert (await environment.step("SELECT COUNT(*) FROM boats")).observation == "[(7,)]"
            assert (await environment.grade()).solved
            with pytest.raises(SandboxUnavailable, match="Install one"):
                await environment.reset(task=environment.tasks["hidden-flag"])
            with pytest.raises(UsageError, match="there is no episode"):
                await environment.grade()
            with pytest.raises(UsageError, match="There is no task 'none'"):
                await environment.reset(task=Task("none"))

        asyncio.run(play())

    @needs_sandbox
    def test_goes_from_one_kind_to_the_other(self) -> None:
        """An errand and a question may follow each other in any order; a seed chooses among all."""
        environment = DemoEnvironment()
        assert environment.is_replayable

        async def play() -> None:
            for _ in range(2):
                await environment.reset(task=environment.tasks["hidden-flag"])
                assert (await environment.step("ls flags")).observation == "april.txt"
                await environment.reset(task=environment.tasks["count-boats"])
                assert "boats" in (await environment.step("SHOW TABLES")).observation
            chosen = {(await environment.reset(seed=seed))[1]["task_id"] for seed in range(4)}
            assert len(chosen) > 1
            await environment.close()
            with pytest.raises(UsageError, match="there is no episode"):
                await environment.step("ls")

        asyncio.run(play())
