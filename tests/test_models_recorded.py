"""A model that says what a real one said, from a file of recorded episodes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sketches import Once, Pad, Refine

from tinysmith import Ask, Message, Recorded, Task, run
from tinysmith.errors import DataError, RecordingOver, UsageError
from tinysmith.journal._header import named
from tinysmith.models.recorded import RecordedTurns

GOOD = {"task_id": "a", "actions": ["one", "two"]}


def recorded(tmp_path: Path, *episodes: Any) -> Recorded:
    """The recording of these objects, or lines."""
    path = tmp_path / "runs.jsonl"
    lines = [episode if isinstance(episode, str) else json.dumps(episode) for episode in episodes]
    path.write_text("\n".join(lines))
    return Recorded(path)


def asking(number: int = 0) -> Ask:
    """A question with a number."""
    return Ask((Message("user", "Go."),), id="writer", node="writer", number=number)


class TestRead:
    def test_actions(self, tmp_path: Path) -> None:
        """An episode of actions alone says each action; blank lines between episodes are nothing."""
        model = recorded(tmp_path, GOOD, "", "  ", {**GOOD, "task_id": 7})
        assert model.task_ids == ("a", "7")
        assert model.turns("a") == RecordedTurns("a", "", ("one", "two"), ())

    def test_thoughts(self, tmp_path: Path) -> None:
        """Recorded thoughts are said before their actions, on lines of their own."""
        model = recorded(tmp_path, {**GOOD, "thoughts": ["I look.", "I know."]})
        assert model.turns("a").replies == ("Thought: I look.\nAction: one", "Thought: I know.\nAction: two")

    def test_rewards_and_query(self, tmp_path: Path) -> None:
        """Recorded rewards are numbers, the query a text; null is as good as left out."""
        model = recorded(tmp_path, {**GOOD, "rewards": [0, 0.5], "query": "Why?"})
        assert (model.turns("a").rewards, model.turns("a").query) == ((0.0, 0.5), "Why?")
        empty = recorded(tmp_path, {**GOOD, "rewards": None, "query": None, "thoughts": None})
        assert empty.turns("a") == RecordedTurns("a", "", ("one", "two"), ())

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("{", "Expecting"),
            ("[" * 100_000, "recursion"),
            ("[]", "it is not a JSON object"),
            ({"actions": []}, "it has no task_id"),
            ({"task_id": True, "actions": []}, "it has no task_id"),
            ({"task_id": 1.5, "actions": []}, "it has no task_id"),
            ({"task_id": "b"}, "it has no actions"),
            ({"task_id": "b", "actions": "x"}, "its actions are no list of texts"),
            ({"task_id": "b", "actions": [1]}, "its actions are no list of texts"),
            ({"task_id": "b", "actions": ["x"], "thoughts": [None]}, "its thoughts are no list of texts"),
            ({"task_id": "b", "actions": ["x"], "thoughts": []}, "it has 0 thoughts for 1 actions"),
            ({"task_id": "b", "actions": ["x"], "rewards": "x"}, "its rewards are no list of numbers"),
            ({"task_id": "b", "actions": ["x"], "rewards": [True]}, "its rewards are no list of numbers"),
            ({"task_id": "b", "actions": ["x"], "rewards": [10**400]}, "too large"),
            ({"task_id": "b", "actions": ["x"], "rewards": [0, 1]}, "it has 2 rewards for 1 actions"),
            ({"task_id": "b", "actions": ["x"], "query": ["x"]}, "its query is no text"),
            ({"task_id": "b", "actions": ["x"], "set": 1}, "its set is no text"),
        ],
    )
    def test_broken_line(self, line: Any, problem: str, tmp_path: Path) -> None:
        """A broken line is refused by file and line number, with what is wrong and what to do."""
        with pytest.raises(
            DataError, match=rf"runs\.jsonl:2: this line is no .*{problem}.* Mend or remove the line"
        ):
            recorded(tmp_path, GOOD, line)

    def test_twice(self, tmp_path: Path) -> None:
        """A task that is recorded twice is refused, also where one id is a number and one a text."""
        with pytest.raises(DataError, match=r"runs\.jsonl:3: task '7' is recorded twice\. Remove one\."):
            recorded(tmp_path, GOOD, {**GOOD, "task_id": 7}, {**GOOD, "task_id": "7"})

    @pytest.mark.parametrize("text", ["", "\n \n"])
    def test_empty(self, text: str, tmp_path: Path) -> None:
        """A recording without an episode is refused."""
        with pytest.raises(DataError, match=r"runs\.jsonl: the recording is empty\."):
            recorded(tmp_path, text)

    def test_missing(self, tmp_path: Path) -> None:
        """A file that is not there is named."""
        with pytest.raises(DataError, match=r"none\.jsonl: the recording cannot be read: .* Check the path\."):
            Recorded(tmp_path / "none.jsonl")

    def test_no_text(self, tmp_path: Path) -> None:
        """A file that is not UTF-8 is refused."""
        (tmp_path / "bytes").write_bytes(b"\xff\xfe")
        with pytest.raises(DataError, match=r"bytes: the recording is not UTF-8 text\."):
            Recorded(str(tmp_path / "bytes"))


class TestEpisode:
    def test_is_found_by_task(self, tmp_path: Path) -> None:
        """The model of an episode answers the run's ask of number n with turn n."""
        model = recorded(tmp_path, GOOD, {"task_id": "b", "actions": ["other"]}).episode(Task("a"))
        assert [model.ask(asking(number)).text for number in (1, 0)] == ["two", "one"]
        reply = asyncio.run(model.aask(asking()))
        assert (reply.text, reply.model, reply.usage.cost_usd) == ("one", "recorded", 0.0)

    def test_unknown_task(self, tmp_path: Path) -> None:
        """A task that was not recorded is refused, with near ids."""
        with pytest.raises(UsageError, match=r"has no recording of task 'task-2'\. Did you mean task-1\?"):
            recorded(tmp_path, {**GOOD, "task_id": "task-1"}).episode(Task("task-2"))

    def test_other_question(self, tmp_path: Path) -> None:
        """A recording of another question under the same id is refused, with the beginnings of both."""
        model = recorded(tmp_path, {**GOOD, "query": "Which boats?"})
        with pytest.raises(
            DataError, match=r"task 'a' was recorded with another question: 'Which boats\?', not 'W"
        ):
            model.episode(Task("a", "Which sailors?"))
        for same in (Task("a", " Which boats?\n"), Task("a")):
            assert model.episode(same).ask(asking()).text == "one"

    def test_used_up(self, tmp_path: Path) -> None:
        """A run that asks more than was recorded ends as recording_over, the work kept."""
        model = recorded(tmp_path, {"task_id": "a", "actions": ["line"]})
        result = run(Refine(), Pad(left=1), model=model, task=Task("a"))
        assert (result.outcome, result.board.lines) == ("recording_over", ("line",))
        assert result.error is not None
        assert "The recording of task a has 1 turns, and one more is asked." in result.error.message
        with pytest.raises(RecordingOver):
            model.ask(asking(1))


class TestSets:
    def test_found_by_either_id(self, tmp_path: Path) -> None:
        """A task of a recorded set is found by its set and id, and by its id alone."""
        model = recorded(tmp_path, {**GOOD, "task_id": 0, "set": "shell"}, {**GOOD, "set": None})
        assert model.task_ids == ("shell/0", "a", "0")
        for task_id in ("0", "shell/0"):
            assert model.turns(task_id).task_id == "shell/0"
            assert model.episode(Task(task_id)).ask(asking()).text == "one"

    def test_two_sets(self, tmp_path: Path) -> None:
        """Where two sets have a task of one id, it is found by set and id only; twice in one set is refused."""
        episodes = [{"set": name, "task_id": 0, "actions": [name]} for name in ("x", "y")]
        model = recorded(tmp_path, *episodes)
        assert model.task_ids == ("x/0", "y/0")
        assert model.turns("y/0").replies == ("y",)
        with pytest.raises(UsageError, match=r"no recording of task '0'\. "):
            model.turns("0")
        with pytest.raises(DataError, match=r"runs\.jsonl:3: task 'x/0' is recorded twice"):
            recorded(tmp_path, *episodes, episodes[0])

    def test_whole_id_first(self, tmp_path: Path) -> None:
        """An id without a set is rather a task that was recorded without one."""
        model = recorded(tmp_path, {**GOOD, "set": "x"}, {"task_id": "a", "actions": ["other"]})
        assert model.turns("a").replies == ("other",)
        assert model.task_ids == ("x/a", "a")


class TestName:
    def test_is_the_files(self, tmp_path: Path) -> None:
        """A journal calls a recording by its file's name, without its folder, with a task and without one."""
        model = recorded(tmp_path, GOOD)
        assert [*named({"a": model, "b": model.episode(Task("a"))}).values()] == ["recorded:runs.jsonl"] * 2


class TestOnlyEpisode:
    def test_needs_no_task(self, tmp_path: Path) -> None:
        """A recording of one episode answers without a task."""
        assert run(Once(), Pad(), model=recorded(tmp_path, GOOD)).board.lines == ("one",)

    def test_of_a_task_without_an_id(self, tmp_path: Path) -> None:
        """A task that has no id is answered from the only episode."""
        assert run(Once(), Pad(), model=recorded(tmp_path, GOOD), task=Task("")).board.lines == ("one",)

    def test_of_several(self, tmp_path: Path) -> None:
        """A recording of several episodes asks which."""
        with pytest.raises(UsageError, match=r"runs\.jsonl has 2 episodes; say which one with run\(\.\.\., task="):
            recorded(tmp_path, GOOD, {**GOOD, "task_id": "b"}).ask(asking())
