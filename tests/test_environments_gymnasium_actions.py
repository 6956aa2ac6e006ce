"""From a model's text to an action of a gymnasium space."""

import asyncio
import json
import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("gymnasium", reason="gymnasium is not installed")

import numpy as np
from booths import WAYS, Booth, acted, begun
from gymnasium import spaces

from tinysmith import ParseError
from tinysmith.environments.gymnasium import from_gymnasium
from tinysmith.errors import EnvironmentLost, UsageError

BOX = spaces.Box(np.array([-1, 0], dtype=np.float32), np.array([1, 9], dtype=np.float32))
PIXELS = spaces.Box(0, 255, (2, 2), dtype=np.uint8)
WIDE = spaces.Box(-1.0, 2.0, (17,))
DIALS = spaces.MultiDiscrete([3, 2], start=[0, -1])
SWITCHES = spaces.MultiBinary(2)
ENDLESS = spaces.Box(-np.inf, np.inf, (1,))
WORD = spaces.Text(3, charset="abc")
SPACES = (spaces.Discrete(3, start=-1), BOX, PIXELS, DIALS, SWITCHES, ENDLESS, WORD)


class TestActions:
    @pytest.mark.parametrize(
        ("space", "text", "action"),
        [
            (spaces.Discrete(3), "2", 2),
            (spaces.Discrete(3, start=-1), "\n-1 ", -1),
            (BOX, "[0.5, 9]", [0.5, 9.0]),
            (PIXELS, "[[0,255],\n[1,2]]", [[0, 255], [1, 2]]),
            (spaces.Box(0, 1, ()), "0.5", 0.5),
            (DIALS, "[2,-1]", [2, -1]),
            (SWITCHES, "[1,0]", [1, 0]),
            (WORD, "cab", "cab"),
        ],
    )
    def test_read(self, space: Any, text: str, action: Any) -> None:
        """A text is a number, a list or itself, as the space has it; the action is in the space."""
        (done,), step = acted(space, text)
        assert done in space
        assert np.array_equal(done, action)
        assert step.info["action_executed"] is True

    @pytest.mark.parametrize(
        ("space", "text", "hint"),
        [
            (spaces.Discrete(3, start=-1), "2", "Write a whole number from -1 to 1."),
            (spaces.Discrete(3), "1.0", "Write a whole number from 0 to 2."),
            (spaces.Discrete(3), "٢", "Write a whole number from 0 to 2."),
            (spaces.Discrete(3), "9" * 5000, "Write a whole number from 0 to 2."),
            (BOX, "[2, 0]", "Write a JSON list of the shape [2]: numbers from [-1.0,0.0] to [1.0,9.0]."),
            (BOX, "[0]", "of the shape [2]"),
            (BOX, "[0, [1]]", "of the shape [2]"),
            (BOX, '["0", "1"]', "of the shape [2]"),
            (BOX, "[true, 0]", "of the shape [2]"),
            (BOX, "[0, 1", "of the shape [2]"),
            (BOX, "[NaN, 0]", "of the shape [2]"),
            (BOX, "[" * 50_000, "of the shape [2]"),
            (BOX, "[0, 0]" + " " * 100_000, "of the shape [2]"),
            (ENDLESS, "[1e39]", "numbers from [-Infinity] to [Infinity]."),
            (ENDLESS, "[Infinity]", "of the shape [1]"),
            (WIDE, "[]", "of the shape [17]: numbers from -1.0 to 2.0."),
            (PIXELS, "[[0, 1.5], [0, 0]]", "of the shape [2, 2]: whole numbers from [[0,0],[0,0]] to [[255,255],"),
            (PIXELS, "[[0, 256], [0, 0]]", "of the shape [2, 2]"),
            (DIALS, "[3, 0]", "of the shape [2]: whole numbers from [0,-1] to [2,0]."),
            (DIALS, f"[0, {10**30}]", "of the shape [2]"),
            (SWITCHES, "[1, 2]", "of the shape [2]: whole numbers from 0 to 1."),
            (WORD, "abcd", "Write 1 to 3 characters of these: abc"),
            (WORD, "", "Write 1 to 3 characters of these: abc"),
        ],
    )
    def test_none(self, space: Any, text: str, hint: str) -> None:
        """What is no action of the space is not done; the observation says what to write, without a reward."""
        done, step = acted(space, text)
        assert done == []
        assert step[1:] == (0.0, False, False, {"action_executed": False})
        assert step.observation.startswith("This is no action here, and nothing was done: ")
        assert hint in step.observation
        assert len(step.observation) < 400

    @settings(max_examples=30)
    @given(
        st.sampled_from(SPACES),
        st.text() | st.recursive(st.integers() | st.floats() | st.booleans(), st.lists).map(json.dumps),
    )
    def test_any_text(self, space: spaces.Space[Any], text: str) -> None:
        """Any text is either an action of the space and done, or is not done; nothing is ever raised."""
        done, step = acted(space, text)
        assert step.info["action_executed"] is (len(done) == 1)
        assert all(action in space for action in done)
        assert all(char in "\n\t" or char.isprintable() for char in step.observation)

    def test_words(self) -> None:
        """Actions may have words, each its own; a wrong one is answered with near ones, or with all."""
        assert acted(spaces.Discrete(4), " Left\n", act=WAYS)[0] == [0]
        _, step = acted(spaces.Discrete(4), "rigth", act=WAYS)
        assert step.observation == ('This is no action here, and nothing was done: "rigth". Did you mean right?')
        _, step = acted(spaces.Discrete(4), "7", act=WAYS)
        assert step.observation.endswith("There is down, left, right, up.")
        with pytest.raises(UsageError, match=r"the action 3 of the word 'up' is not in Discrete\(3\)\."):
            from_gymnasium(Booth(spaces.Discrete(3)), act=WAYS)
        with pytest.raises(UsageError) as told:
            from_gymnasium(Booth(spaces.Discrete(4)), act={"left": 0, "up": 3, " LEFT": 1})
        assert str(told.value) == (
            "from_gymnasium: the words 'left' and ' LEFT' are one here, since case and blanks do not count; "
            "leave one out."
        )

    def test_act(self) -> None:
        """A function may read the actions of any space; what it cannot read, it says."""
        space = spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)])

        def act(text: str) -> Any:
            if text == "?":
                raise ParseError("Two numbers,\x1b please.")
            return tuple(int(each) for each in text.split())

        assert acted(space, "1 0", act=act)[0] == [(1, 0)]
        start = "This is no action here, and nothing was done: "
        for text, said in (
            ("?", '"?". Two numbers,\\x1b please.'),
            ("x", "\"x\". ValueError: invalid literal for int() with base 10: 'x'"),
            ("7 7", '"7 7".'),
        ):
            done, step = acted(space, text, act=act)
            assert (done, step.observation) == ([], start + said)
        done, step = acted(space, "y", act={"x": (0, 0)}.__getitem__)
        assert (done, step.observation) == ([], f"{start}\"y\". KeyError: 'y'")

    def test_act_that_fails(self) -> None:
        """What else a function raises is a fault of the machinery."""
        environment = begun(Booth(), act=operator.attrgetter("nonsense"))
        with pytest.raises(EnvironmentLost, match=r"Booth\.step raised AttributeError: "):
            asyncio.run(environment.step("1"))

    def test_other_spaces(self) -> None:
        """For other spaces somebody must say what a text means."""
        space = spaces.Dict({"a": spaces.Discrete(2)})
        with pytest.raises(
            UsageError, match=r"no text is usual for an action space Dict\. Give act=\.\.\., which"
        ):
            from_gymnasium(Booth(space))
