"""gymnasium's environments as ours."""

import asyncio
import re
import subprocess
import sys
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import pytest

pytest.importorskip("gymnasium", reason="gymnasium is not installed")

import gymnasium
import numpy as np
from booths import WAYS, Booth, begun

from machines import SingleAgent
from tinysmith import EnvironmentStep, Limits, Samples, Scripted, Task, run
from tinysmith.environments import Tasks
from tinysmith.environments._plain import told
from tinysmith.environments.gymnasium import from_gymnasium
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.protocols import title


class WordSize(StrEnum):
    BIG = "big"


class TestEpisode:
    def test_real(self) -> None:
        """Observations are texts; rewards and ends are the environment's own, also where it cuts one off."""
        lake = from_gymnasium(gymnasium.make("FrozenLake-v1", is_slippery=False, max_episode_steps=3))
        assert asyncio.run(lake.reset(seed=1))[0] == "0"
        right = EnvironmentStep("1", 0.0, False, False, {"prob": 1.0, "action_executed": True})
        assert asyncio.run(lake.step("2")) == right
        assert asyncio.run(lake.step("5")).observation == (
            'This is no action here, and nothing was done: "5". Write a whole number from 0 to 3.'
        )
        asyncio.run(lake.step("2"))
        assert asyncio.run(lake.step("2"))[1:4] == (0.0, False, True)
        with pytest.raises(UsageError, match=r"FrozenLake-v1\.step: the episode is over"):
            asyncio.run(lake.step("2"))
        asyncio.run(lake.close())

    def test_arrays(self) -> None:
        """Arrays are shown as JSON, in as many digits as their precision has."""
        pole = begun(lambda: gymnasium.make("CartPole-v1"))
        text, info = asyncio.run(pole.reset(seed=1))
        assert (text, info) == ("[0.0011821624,0.04504637,-0.03558404,0.044864945]", {})
        assert asyncio.run(pole.step(" 1 ")).reward == 1.0
        asyncio.run(pole.close())

    def test_is_called_by_its_id(self) -> None:
        """In journals one environment of gymnasium's is told from another one: by its id, else by its class."""
        assert title(from_gymnasium(gymnasium.make("CartPole-v1"))) == "SyncEnvironment (CartPole-v1)"
        assert title(from_gymnasium(Booth())) == "SyncEnvironment (Booth)"

    def test_a_strategy_wins(self) -> None:
        """A strategy walks over the lake, by words, and reaches the gift."""
        lake = from_gymnasium(gymnasium.make("FrozenLake-v1", is_slippery=False), act=WAYS)
        replies = [f"Command: {way}" for way in ("down", "Down", "right", "right", "jump", "down", "RIGHT")]
        ended = run(SingleAgent(), model=Scripted({"agent": replies}), environment=lake, seed=3)
        assert (ended.outcome, ended.board.reward, ended.board.output) == ("solved", 1.0, "15")
        assert '"jump". Did you mean up?' in ended.board.memory.exchanges[4].output

    def test_a_strategy_babbles(self) -> None:
        """A strategy that says nothing of use is told so until its steps are used up."""
        ended = run(
            SingleAgent(),
            model=Samples(SingleAgent),
            environment=from_gymnasium(gymnasium.make("Blackjack-v1")),
            limits=Limits(max_steps=6),
        )
        assert ended.outcome == "max_steps"
        assert "Write a whole number from 0 to 1." in ended.board.output

    def test_seed_and_options(self) -> None:
        """The seed is the environment's, a task's data are the options, and its id is told."""
        booth = Booth()
        environment = from_gymnasium(booth, tasks=[Task("far", data={"start": [1, 2]}), Task("near")])
        tasks: Tasks = environment.tasks
        assert asyncio.run(environment.reset(task=tasks["far"], seed=5)) == ("seen", {"task_id": "far"})
        asyncio.run(environment.reset(task=tasks["near"]))
        asyncio.run(environment.reset())
        assert booth.done == [(5, {"start": [1, 2]}), (None, None), (None, None)]
        with pytest.raises(UsageError, match=r"Booth: the seed is -1; gymnasium takes none below 0\."):
            asyncio.run(environment.reset(seed=-1))

    def test_what_it_says_of_itself(self) -> None:
        """It has the tasks that it was given, or none, and is replayable if somebody says so."""
        tasks = Tasks([Task("a")])
        environment = from_gymnasium(Booth(), tasks=tasks, is_replayable=True)
        assert (environment.tasks, environment.is_replayable) == (tasks, True)
        assert from_gymnasium(Booth(), tasks={"a": Task("a")}).tasks.ids == ("a",)
        assert not hasattr(from_gymnasium(Booth()), "tasks")
        assert not from_gymnasium(Booth()).is_replayable

    def test_reward(self) -> None:
        """A reward is as exact as it was given; numpy's booleans are booleans."""
        step = asyncio.run(begun(Booth()).step("1"))
        assert step == EnvironmentStep("seen", float(np.float32(0.1)), False, False, {"action_executed": True})
        assert step.terminated is False

    def test_info(self) -> None:
        """Of `info` all that is JSON data is kept, and nothing of it overrides what we say."""
        info = {"at": np.array([1, 2]), "who": object(), 3: 4, "action_executed": False, "p": np.float64(0.5)}
        environment = begun(Booth(info=info))
        assert asyncio.run(environment.step("1")).info == {"at": (1, 2), "action_executed": True, "p": 0.5}
        assert asyncio.run(environment.reset())[1] == {"at": (1, 2), "action_executed": False, "p": 0.5}

    def test_factory(self) -> None:
        """What makes an environment makes another one after it was closed."""
        made: list[Booth] = []

        def another() -> Booth:
            made.append(Booth())
            return made[-1]

        environment = begun(another)
        asyncio.run(environment.close())
        asyncio.run(environment.reset())
        assert [booth.done for booth in made] == [[(None, None), "close"], [(None, None)]]


class TestObservations:
    @pytest.mark.parametrize(
        ("observation", "text"),
        [
            ("as it is\n", "as it is\n"),
            (np.str_("word"), "word"),
            (np.int64(3), "3"),
            (True, "true"),
            ((HTTPStatus.OK, WordSize.BIG), '[200,"big"]'),
            (np.bool_(True), "true"),
            (np.float32(0.1), "0.1"),
            (np.array([0.1, np.nan, -np.inf], dtype=np.float16), "[0.1,NaN,-Infinity]"),
            (np.array([[1, 2], [3, 4]], dtype=np.uint8), "[[1,2],[3,4]]"),
            (np.array(1 / 3), "0.3333333333333333"),
            (np.array([1, "é", None], dtype=object), '[1,"é",null]'),
            ({"at": (1, np.int8(2)), "who": ["a"]}, '{"at":[1,2],"who":["a"]}'),
            (np.longdouble(0.5), "0.5"),
        ],
    )
    def test_told(self, observation: Any, text: str) -> None:
        """Text is shown as it is, numpy's values as compact JSON."""
        assert asyncio.run(from_gymnasium(Booth(shows=observation)).reset())[0] == text
        assert type(told(observation)) is str

    @pytest.mark.parametrize(
        ("observation", "said"),
        [
            (object(), "An observation cannot be told: a object is no JSON data. Give from_gymnasium `tell`."),
            ({1: 2}, "the key 1 is no text"),
            (np.array([b"x"]), "an array of bytes8 is no JSON data"),
            (
                np.zeros(60_000, dtype=np.int8),
                "has 120001 characters as JSON, too many for a model to read (100000",
            ),
        ],
    )
    def test_untold(self, observation: Any, said: str) -> None:
        """What is no data, or more than can be read, needs `tell`, and one sentence says so."""
        with pytest.raises(UsageError, match=re.escape(said)):
            begun(Booth(shows=observation))
        assert (
            asyncio.run(begun(Booth(shows=observation), tell=lambda _: "a picture").step("1")).observation
            == "a picture"
        )

    def test_tell_that_fails(self) -> None:
        """What `tell` makes must be a text."""
        with pytest.raises(EnvironmentLost, match=r"Booth\.reset: its observation is a int\. Return a text\."):
            begun(Booth(), tell=lambda _: 3)


class TestRefused:
    @pytest.mark.parametrize(
        ("env", "said"),
        [
            (3, "a int is no gymnasium.Env. Give one, or what makes one."),
            (lambda: 3, "a int is no gymnasium.Env. Give one, or what makes one."),
            ("FrozenLake-v1", "a str is no gymnasium.Env. Give gymnasium.make('FrozenLake-v1')."),
        ],
    )
    def test_no_environment(self, env: Any, said: str) -> None:
        """What is no gymnasium environment, nor makes one, is refused, and a name told by what makes it."""
        with pytest.raises(UsageError) as told:
            from_gymnasium(env)
        assert str(told.value) == f"from_gymnasium: {said}"

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"act": ["left"]}, "act is ['left']; give a function, or a dict of actions by their words."),
            ({"act": "left"}, "act is 'left'; give a function, or a dict of actions by their words."),
            ({"act": {3: 1}}, "act has the word 3, which is no text; write it as one."),
            ({"tell": None}, "tell is None; give a function of an observation."),
        ],
    )
    def test_what_reads_and_tells(self, options: dict[str, Any], said: str) -> None:
        """What cannot read an action or tell an observation is refused at once, not in the first episode."""
        with pytest.raises(UsageError) as told:
            from_gymnasium(Booth(), **options)
        assert str(told.value) == f"from_gymnasium: {said}"

    def test_old_ones(self) -> None:
        """An environment that returns what gymnasium's do not is lost, and one sentence says why."""
        environment = begun(Booth(step=("seen", 0.0, False, {})))
        with pytest.raises(
            EnvironmentLost, match=r"Booth\.step: it returned a tuple of 4\. Return the tuple \(obs"
        ):
            asyncio.run(environment.step("1"))
        with pytest.raises(EnvironmentLost, match=r"Booth\.reset: it returned a str\. Return the tuple \(obs"):
            begun(Booth(reset="seen"))

    def test_missing_package(self) -> None:
        """Without gymnasium one sentence names it; nothing else of ours needs it."""
        code = (
            "import sys; sys.modules['gymnasium'] = None\n"
            "import tinysmith.environments.gymnasium as ours\n"
            "for adapt in (ours.from_gymnasium, ours.to_gymnasium):\n"
            "    try:\n        adapt(None)\n"
            "    except ours.UsageError as error:\n        print(error)\n"
            "print('numpy' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True)
        needs = "needs gymnasium, which is missing. Run `pip install gymnasium`."
        assert done.stdout.splitlines() == [f"from_gymnasium {needs}", f"to_gymnasium {needs}", "False"]
