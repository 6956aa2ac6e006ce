"""The SQL environment: episodes, grades, limits, many at once."""

import asyncio
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith.environments import SqlEnvironment
from tinysmith.errors import DataError, EnvironmentLost, UsageError
from tinysmith.protocols import Environment, EnvironmentStep, Grade, Graded, HasTasks, Task, Taskset

DUMP = """
CREATE DATABASE Seeds;
USE Seeds;
CREATE TABLE beds (id int NOT NULL, name text, PRIMARY KEY (id));
INSERT INTO beds VALUES (1, 'south'), (2, 'north'), (3, 'west');
"""
ROWS: list[dict[str, Any]] = [
    {"db": "Seeds", "query": "Which beds?", "gold": "SELECT name FROM beds ORDER BY id", "hardness": "easy"},
    {"db": "seeds", "query": "None?", "gold": "SELECT name FROM beds WHERE id > 9", "db_tables": {"beds": ["id"]}},
    {"db": "seeds", "query": "Broken?", "gold": "SELECT secretcolumn FROM beds"},
    {"db": "seeds", "query": "Endless?", "gold": "SELECT * FROM beds a, beds b, beds c", "id": "big"},
]
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "ic_spider_dev.json").write_text(json.dumps(ROWS), encoding="utf-8")
    (tmp_path / "ic_spider_dbs.sql").write_text(DUMP, encoding="utf-8")
    return tmp_path


async def play(environment: SqlEnvironment, task_id: str, *actions: str) -> tuple[list[EnvironmentStep], Grade]:
    """Plays an episode."""
    await environment.reset(task=environment.tasks[task_id])
    steps = [await environment.step(action) for action in actions]
    return steps, await environment.grade()


class TestProtocols:
    def test_satisfied(self, folder: Path) -> None:
        """It is an environment that grades and knows its tasks."""
        environment: Environment = SqlEnvironment(folder)
        assert isinstance(environment, Graded)
        assert isinstance(environment, HasTasks)
        assert isinstance(environment.tasks, Taskset)


class TestReference:
    def test_gold_is_hidden(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The reference is in no task, representation, log or observation."""
        caplog.set_level(logging.DEBUG)
        environment = SqlEnvironment(folder)
        steps, _ = asyncio.run(play(environment, "0", "SELECT 1", "submit"))
        with pytest.raises(DataError) as error:
            asyncio.run(play(environment, "2", "SELECT 1"))
        shown = [repr(environment.tasks["0"]), repr(environment._data), repr(environment._episode), repr(steps)]
        text = " ".join([*shown, repr(list(environment.tasks)), caplog.text, str(error.value)])
        assert "ORDER BY" not in text
        assert "secretcolumn" not in text
        assert "episode begins" in text


class TestEpisode:
    def test_reset(self, folder: Path) -> None:
        """An episode begins with the question."""
        environment = SqlEnvironment(folder)
        observation, info = asyncio.run(environment.reset(task=Task("0")))
        assert observation == "Which beds?"
        assert info == {"task_id": "0", "database": "Seeds"}

    def test_seed(self, folder: Path) -> None:
        """The same seed chooses the same task, and all tasks are chosen."""
        environment = SqlEnvironment(folder)
        chosen = [asyncio.run(environment.reset(seed=seed))[1]["task_id"] for seed in range(30)]
        assert chosen == [asyncio.run(environment.reset(seed=seed))[1]["task_id"] for seed in range(30)]
        assert set(chosen) == {"0", "1", "2", "big"}
        assert asyncio.run(environment.reset())[1]["task_id"] in chosen

    def test_rows(self, folder: Path) -> None:
        """A statement's rows are the observation; it is worth nothing yet."""
        steps, grade = asyncio.run(play(SqlEnvironment(folder), "0", "SELECT name FROM beds WHERE id < 3"))
        (step,) = steps
        assert step.observation == "[('south',), ('north',)]"
        assert (step.reward, step.terminated, step.truncated) == (0.0, False, False)
        assert step.info == {"action_executed": True, "timed_out": False, "output_truncated": False}
        assert grade == Grade(0.67, solved=False, parts={"iou": 2 / 3, "tau": 1.0})

    def test_submit(self, folder: Path) -> None:
        """To submit ends the episode with the last output's grade."""
        steps, grade = asyncio.run(
            play(SqlEnvironment(folder), "0", "SELECT name FROM beds ORDER BY 1 + id", " Submit it ")
        )
        assert (steps[-1].reward, steps[-1].terminated) == (1.0, True)
        assert steps[-1].observation == "[('south',), ('north',), ('west',)]"
        assert steps[-1].info["action_executed"]
        assert grade == Grade(1.0, solved=True, parts={"iou": 1.0, "tau": 1.0})

    def test_grades(self, folder: Path) -> None:
        """A grade can be had after each step, and changes nothing."""
        environment = SqlEnvironment(folder)

        async def graded() -> list[float]:
            await environment.reset(task=environment.tasks["0"])
            scores = []
            for condition in ("id < 3", "id < 9", "id > 9", "id = 1"):
                await environment.step(f"SELECT name FROM beds WHERE {condition}")
                scores.append((await environment.grade()).score)
            return scores

        assert asyncio.run(graded()) == [0.67, 1.0, 0.0, 0.33]

    def test_late(self, folder: Path) -> None:
        """A statement that ends after the episode changes nothing of its grade, and does not reopen it."""
        environment = SqlEnvironment(folder)

        async def act() -> Grade:
            await environment.reset(task=environment.tasks["0"])
            late = asyncio.ensure_future(environment.step("SELECT name FROM beds"))
            await asyncio.sleep(0)
            await environment.step("skip")
            await late
            with pytest.raises(UsageError, match="is over"):
                await environment.step("SELECT 1")
            return await environment.grade()

        assert asyncio.run(act()).score == 0.0

    def test_skip(self, folder: Path) -> None:
        """To skip ends the episode with nothing, also after the right output; so does its grade say."""
        steps, grade = asyncio.run(play(SqlEnvironment(folder), "0", "SELECT name FROM beds", "skip"))
        assert (steps[-1].reward, steps[-1].terminated) == (0.0, True)
        assert grade == Grade(0.0, solved=False)

    def test_error(self, folder: Path) -> None:
        """An error is an observation, and forgets the output before it."""
        steps, grade = asyncio.run(
            play(SqlEnvironment(folder), "0", "SELECT name FROM beds", "SELECT colour FROM beds")
        )
        assert steps[-1].observation == "Error executing query: Unknown column 'colour' in 'field list'"
        assert not steps[-1].info["action_executed"]
        assert grade.score == 0.0

    def test_empty(self, folder: Path) -> None:
        """No rows where none are right is solved; nothing done is not."""
        assert asyncio.run(play(SqlEnvironment(folder), "1", "SELECT 1 FROM beds WHERE 0"))[1].solved
        assert asyncio.run(play(SqlEnvironment(folder), "1"))[1].score == 0.0

    def test_order(self, folder: Path) -> None:
        """The right rows in another order are worth less, and are no solution."""
        _, grade = asyncio.run(play(SqlEnvironment(folder), "0", "SELECT name FROM beds ORDER BY id DESC"))
        assert grade == Grade(0.33, solved=False, parts={"iou": 1.0, "tau": 1 / 3})

    def test_order_ignored(self, folder: Path) -> None:
        """Where the order is not graded, the right rows in any order are the solution."""
        environment = SqlEnvironment(folder, is_order_graded=False)
        _, grade = asyncio.run(play(environment, "0", "SELECT name FROM beds ORDER BY id DESC"))
        assert grade == Grade(1.0, solved=True, parts={"iou": 1.0, "tau": 1 / 3})

    def test_over(self, folder: Path) -> None:
        """After the end, and before the beginning, there is nothing to act on."""
        environment = SqlEnvironment(folder)
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.step("SELECT 1"))
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.grade())
        with pytest.raises(UsageError, match="is over"):
            asyncio.run(play(environment, "0", "submit", "SELECT 1"))

    def test_close(self, folder: Path) -> None:
        """A closed environment may be reset again."""
        environment = SqlEnvironment(folder)
        asyncio.run(play(environment, "0", "SELECT 1"))
        asyncio.run(environment.close())
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.step("SELECT 1"))
        assert asyncio.run(play(environment, "1", "SELECT 1 WHERE 0"))[1].solved

    @settings(deadline=None)  # threads on a busy machine have none
    @given(st.lists(st.text(max_size=30) | st.sampled_from(["SHOW TABLES", "SELECT * FROM boats"]), max_size=4))
    def test_any_actions(self, actions: list[str]) -> None:
        """Whatever is done, each step is an observation and the grade a number from -1 to 1."""
        environment = SqlEnvironment.demo()

        async def episode() -> Grade:
            await environment.reset(seed=1)
            for action in actions:
                if (await environment.step(action)).terminated:
                    break
            return await environment.grade()

        assert -1.0 <= asyncio.run(episode()).score <= 1.0


class TestLimits:
    def test_time(self, folder: Path) -> None:
        """A statement that takes too long is an observation."""
        (step,), _ = asyncio.run(play(SqlEnvironment(folder, time_limit_s=0.1), "0", ENDLESS))
        assert step.info["timed_out"]
        assert not step.info["action_executed"]
        assert "time limit of 0.1 seconds" in step.observation

    def test_rows(self, folder: Path) -> None:
        """A long output is cut, and said to be."""
        (step,), _ = asyncio.run(play(SqlEnvironment(folder, row_limit=3), "0", "SELECT 1 FROM beds a, beds b"))
        assert step.observation == "[(1,), (1,), (1,)]"
        assert step.info["output_truncated"]

    def test_reference(self, folder: Path) -> None:
        """A reference that exceeds the limits is no wrong answer."""
        with pytest.raises(DataError, match="'big': its reference answer cannot be run within the limits"):
            asyncio.run(play(SqlEnvironment(folder, row_limit=3), "big", "SELECT 1"))

    def test_bad(self, folder: Path) -> None:
        """A limit is positive."""
        with pytest.raises(UsageError, match="SqlEnvironment: row_limit is 0; give a whole number above 0"):
            SqlEnvironment(folder, row_limit=0)


class TestConcurrency:
    def test_loop_goes_on(self, folder: Path) -> None:
        """While a statement runs, the event loop does other things."""

        async def race() -> int:
            environment = SqlEnvironment(folder, time_limit_s=0.3)
            await environment.reset(task=Task("0"))
            step = asyncio.create_task(environment.step(ENDLESS))
            turns = 0
            while not step.done():
                await asyncio.sleep(0)
                turns += 1
            return turns

        assert asyncio.run(race()) > 10

    def test_cancel(self, folder: Path) -> None:
        """A cancelled step ends its statement and leaves no thread at work; the episode goes on."""

        async def cancel() -> EnvironmentStep:
            environment = SqlEnvironment(folder, time_limit_s=600.0)
            await environment.reset(task=Task("0"))
            step = asyncio.create_task(environment.step(ENDLESS))
            done, _ = await asyncio.wait({step}, timeout=0.05)
            assert not done
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
            assert not environment._running
            return await environment.step("SELECT 1")

        begin = time.monotonic()
        assert asyncio.run(cancel()).observation == "[(1,)]"
        assert time.monotonic() - begin < 30

    def test_close(self, folder: Path) -> None:
        """Closing ends a statement that runs; whoever waits for it learns that the environment is gone."""

        async def close() -> None:
            environment = SqlEnvironment(folder, time_limit_s=600.0)
            await environment.reset(task=Task("0"))
            step = asyncio.create_task(environment.step(ENDLESS))
            done, _ = await asyncio.wait({step}, timeout=0.05)
            assert not done
            await environment.close()
            with pytest.raises(EnvironmentLost, match="closed or reset while an action ran"):
                await step

        asyncio.run(close())

    def test_thousand(self, folder: Path) -> None:
        """A thousand environments in one process do not disturb each other, and share their data."""

        async def all_at_once() -> list[tuple[list[EnvironmentStep], Grade]]:
            environments = [SqlEnvironment(folder) for _ in range(1000)]
            assert len({id(environment._data) for environment in environments}) == 1
            return await asyncio.gather(
                *(play(each, "0", f"SELECT {number}") for number, each in enumerate(environments))
            )

        before = set(threading.enumerate())
        results = asyncio.run(all_at_once())
        assert [steps[0].observation for steps, _ in results] == [f"[({number},)]" for number in range(1000)]
        assert set(threading.enumerate()) <= before
