"""Tasks: by id, in their order, by split, filter and chance."""

import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.environments import Tasks
from tinysmith.environments.tasks import chosen_task
from tinysmith.errors import UsageError
from tinysmith.protocols import Task, Taskset

IDS = st.lists(st.text(max_size=3), unique=True, max_size=12)
SEEDS = st.integers(0, 2**32)
FARM = Tasks(
    [Task("sow", "Sow the beds."), Task("hoe", "Hoe them."), Task("reap", data={"hardness": "hard"})],
    splits={"test": ["reap", "sow"], "none": []},
)


def tasks_of(ids: list[str]) -> Tasks:
    """Tasks of those ids; every second one is in the split `half`."""
    return Tasks([Task(each, str(at)) for at, each in enumerate(ids)], splits={"half": ids[1::2]})


def is_part_in_order(part: Tasks, whole: Tasks) -> bool:
    """Whether a set has the very tasks of the other, or some of them, in their order there."""
    return list(part) == [task for task in whole if task.id in part]


class TestMaking:
    def test_it_is_a_taskset(self) -> None:
        """It has a length, an order, and each task by its id."""
        taskset: Taskset = FARM
        assert isinstance(FARM, Taskset)
        assert (len(taskset), [task.id for task in taskset]) == (3, ["sow", "hoe", "reap"])
        assert taskset["hoe"].query == "Hoe them."
        assert FARM.ids == ("sow", "hoe", "reap")
        assert ("hoe" in FARM, "mow" in FARM, 1 in FARM) == (True, False, False)

    def test_from_any_iterable(self) -> None:
        """Tasks and the ids of splits are read once, from whatever gives them."""
        tasks = Tasks((Task(each) for each in "ab"), splits={"test": iter("b")})
        assert (tasks.ids, tasks.split("test").ids, tasks.split("test").ids) == (("a", "b"), ("b",), ("b",))

    @pytest.mark.parametrize(
        ("tasks", "splits", "said"),
        [
            ([Task("a"), Task("a")], None, "Two tasks have the id 'a'; give each its own."),
            ([Task("a"), "b"], None, "These tasks hold 'b'; give Task objects."),
            (
                [Task("sow")],
                {"dev": ["sow", "sov"]},
                "The split 'dev' names the task 'sov', which is not there. Did",
            ),
            (Task("a"), None, "These tasks are Task(id='a'"),
            (None, None, "These tasks are None; give a list of Task objects."),
            ([Task("a")], {"dev": [7]}, "The split 'dev' is (7,); give a list of ids of tasks."),
            ([Task("a"), Task("b")], {"dev": "ab"}, "The split 'dev' is 'ab'; give a list of ids of tasks."),
            ([Task("a")], {"dev": None}, "The split 'dev' is None; give a list of ids of tasks."),
            ([Task("a")], {"dev": [["a"]]}, "The split 'dev' is (['a'],); give a list of ids of tasks."),
            ([Task("a")], ["dev"], "The splits are ['dev']; give a dict of lists of ids by name."),
        ],
    )
    def test_refused(self, tasks: Any, splits: Any, said: str) -> None:
        """Tasks with one id, things that are none, and splits that imagine some are refused in one sentence."""
        with pytest.raises(UsageError, match=re.escape(said)):
            Tasks(tasks, splits=splits)

    def test_repr(self) -> None:
        """Its repr counts, and shows nothing of the tasks."""
        assert repr(FARM) == "<Tasks: 3, 2 in 'test', 0 in 'none'>"
        assert repr(Tasks([])) == "<Tasks: 0>"

    def test_it_travels(self) -> None:
        """A set can be sent to another process."""
        there = pickle.loads(pickle.dumps(FARM))
        assert (list(there), there.split("test").ids) == (list(FARM), FARM.split("test").ids)


class TestById:
    def test_wrong(self) -> None:
        """A wrong id is answered with near ones, or with those there are."""
        with pytest.raises(UsageError, match=r"no task 'reep' among these 3\. Did you mean reap\?"):
            FARM["reep"]
        with pytest.raises(UsageError, match=r"There is hoe, reap, sow\."):
            FARM["nothing at all"]
        with pytest.raises(UsageError, match=r"no task 'x' among these 0\. There is none\."):
            Tasks([])["x"]

    @pytest.mark.parametrize("wrong", [0, slice(2), None])
    def test_no_text(self, wrong: Any) -> None:
        """An index is no id, and is told so."""
        with pytest.raises(UsageError, match=f"ids, which are texts, and this is a {type(wrong).__name__}: "):
            FARM[wrong]

    @given(st.text(min_size=1, max_size=5), st.text(max_size=5))
    def test_hostile_ids(self, known: str, asked: str) -> None:
        """No id can steer the terminal on which the message is shown."""
        if known != asked:
            with pytest.raises(UsageError) as caught:
                Tasks([Task(known)])[asked]
            assert all(char in "\n\t" or char.isprintable() for char in str(caught.value))


class TestChoosing:
    def test_split(self) -> None:
        """A split is a set of its own, in the order of the tasks, not of the split."""
        assert FARM.splits == ("test", "none")
        assert FARM.split("test").ids == ("sow", "reap")
        assert FARM.split("none").ids == ()
        with pytest.raises(UsageError, match=r"There is no split 'tset'\. Did you mean test\?"):
            FARM.split("tset")

    def test_where(self) -> None:
        """A filter sees the whole task; what it leaves keeps its splits, as far as they go."""
        hard = FARM.where(lambda task: task.data.get("hardness") == "hard")
        assert (hard.ids, hard.splits, hard.split("test").ids) == (("reap",), ("test", "none"), ("reap",))
        assert FARM.ids == ("sow", "hoe", "reap")

    @given(IDS, SEEDS, st.data())
    def test_in_their_order(self, ids: list[str], seed: int, data: st.DataObject) -> None:
        """Whatever chooses, it chooses the same tasks in their order, and of each split exactly its part."""
        tasks = tasks_of(ids)
        kept = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
        count = data.draw(st.integers(0, len(ids)))
        for chosen in (tasks.split("half"), tasks.where(lambda t: t.id in kept), tasks.sample(count, seed=seed)):
            assert is_part_in_order(chosen, tasks)
            assert chosen.split("half").ids == tuple(each for each in ids[1::2] if each in chosen)
        assert set(tasks.where(lambda t: t.id in kept).ids) == kept
        assert tasks.split("half").ids == tuple(ids[1::2])

    @given(IDS, SEEDS, st.data())
    def test_the_same_seed_takes_the_same(self, ids: list[str], seed: int, data: st.DataObject) -> None:
        """A sample has as many tasks as told, and the same seed takes the same ones from the same tasks again."""
        count = data.draw(st.integers(0, len(ids)))
        sample = tasks_of(ids).sample(count, seed=seed)
        assert len(sample) == count
        assert sample.ids == tasks_of(ids).sample(count, seed=seed).ids
        if ids:
            assert tasks_of(ids).any(seed) == tasks_of(ids).any(seed)
            assert tasks_of(ids).any(None).id in ids

    def test_seeds_differ(self) -> None:
        """Every task comes up under some seed, in a sample and alone."""
        seeds = range(50)
        assert {FARM.any(seed).id for seed in seeds} == set(FARM.ids)
        assert {FARM.sample(1, seed=seed).ids for seed in seeds} == {("sow",), ("hoe",), ("reap",)}

    @pytest.mark.parametrize("count", [-1, 4, 1.0, "1", True])
    def test_too_many(self, count: int) -> None:
        """More tasks than there are, or fewer than none, cannot be taken."""
        with pytest.raises(UsageError, match=f"Cannot take {count!r} of 3 tasks; take 0 to 3."):
            FARM.sample(count, seed=1)

    @pytest.mark.parametrize("seed", ["1", 1.0, True, [1], float("nan")])
    def test_a_seed_is_a_whole_number(self, seed: Any) -> None:
        """Another seed, some of which would choose otherwise each time, is refused."""
        with pytest.raises(UsageError, match=r"^The seed is .*; give a whole number"):
            FARM.any(seed)
        with pytest.raises(UsageError, match=r"^The seed is .*; give a whole number"):
            FARM.sample(1, seed=seed)

    @pytest.mark.parametrize("task", ["sow", 3, {"id": "sow"}])
    def test_the_task_of_an_episode_is_a_task(self, task: Any) -> None:
        """An id in its place is refused, and the message says how to come by the task."""
        with pytest.raises(UsageError, match=r"^The task of an episode is .*; give a Task, such as environment"):
            chosen_task(FARM, task, None)

    @pytest.mark.parametrize("holds", ["test", None, True])
    def test_a_filter_is_a_function(self, holds: Any) -> None:
        """The name of a split in its place is refused."""
        with pytest.raises(UsageError, match=r"^where: holds is .*; give a function of a task, or use split"):
            FARM.where(holds)

    def test_what_cannot_be_hashed_is_not_there(self) -> None:
        """A list is in no tasks, and names no split."""
        assert ["sow"] not in FARM
        with pytest.raises(UsageError, match=r"There is no split \['test'\]"):
            FARM.split(["test"])  # type: ignore[arg-type]  # the mistake that is meant

    def test_none(self) -> None:
        """Nothing can be chosen from nothing."""
        with pytest.raises(UsageError, match="no tasks to choose from"):
            FARM.split("none").any(1)


class TestTask:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"id": 3}, "Task: id is 3; give a text."),
            ({"query": None}, "Task: query is None; give a text."),
            ({"instructions": ["Act."]}, "Task: instructions is ['Act.']; give a text."),
            ({"data": "abc"}, "Task: data is a str that cannot be kept; give a dict of JSON data."),
            (
                {"data": {"a": {1}}},
                "Task: data is a dict that cannot be kept (a set is no JSON data); give a dict",
            ),
            ({"script": "abc"}, "Task: script is 'abc'; give a list of texts."),
            ({"script": [3]}, "Task: script is (3,); give a list of texts."),
        ],
    )
    def test_is_made_of_texts_and_data(self, wrong: dict[str, Any], said: str) -> None:
        """A value of another kind is refused when the task is made; a text is no list of letters."""
        with pytest.raises(UsageError, match=f"^{re.escape(said)}"):
            Task(**{"id": "a", **wrong})

    def test_a_list_is_a_script(self) -> None:
        """It becomes a tuple, so that a task never changes and can be hashed."""
        assert Task("a", script=["x", "y"]) == Task("a", script=("x", "y"))
        assert hash(Task("a", script=["x"])) == hash(Task("a", script=("x",)))
