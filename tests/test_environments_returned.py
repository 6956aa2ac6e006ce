"""What somebody's environment returned, checked strictly."""

import asyncio
import re
from typing import Any

import pytest
from blocking import Does

from tinysmith import Task
from tinysmith.environments.sync import SyncEnvironment, from_sync
from tinysmith.errors import EnvironmentLost


def begun(clerk: Does) -> SyncEnvironment:
    environment = from_sync(clerk)
    asyncio.run(environment.reset())
    return environment


class TestReturned:
    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            (
                ("seen", 0.0, True, {}),
                "a tuple of 4. Return the tuple (observation, reward, terminated, truncated, ",
            ),
            (["seen", 0.0, True, False, {}], "it returned a list. Return the tuple (observation, reward, "),
            (None, "it returned a NoneType."),
            ((3, 0.0, True, False, {}), "its observation is a int. Return a text."),
            ((b"seen", 0.0, True, False, {}), "its observation is a bytes. Return a text."),
            (("seen", True, True, False, {}), "its reward is a bool. Return a number."),
            (("seen", "1", True, False, {}), "its reward is a str. Return a number."),
            (("seen", float("nan"), True, False, {}), "its reward is nan. Return a finite number."),
            (("seen", 1, 1, False, {}), "its terminated is a int. Return True or False."),
            (("seen", 1, True, None, {}), "its truncated is a NoneType. Return True or False."),
            (("seen", 1, True, False, None), "its info is a NoneType. Return a dict."),
            (("seen", 1, True, False, ()), "its info is a tuple. Return a dict."),
            (("seen", 1, True, False, {"at": {1}}), "its info holds what is no JSON data: a set is no JSON data."),
            (("seen", 1, True, False, {1: 1}), "its info holds what is no JSON data: 1 is no text"),
            (("seen", Task("a"), True, False, {}), "its reward is a tinysmith.protocols.Task. Return a number."),
        ],
    )
    def test_step(self, returned: Any, said: str) -> None:
        """A step that returns something else is a loss, and one sentence says what it should be."""
        environment = begun(Does(step=lambda: returned))
        with pytest.raises(EnvironmentLost, match=f"^Does\\.step: .*{re.escape(said)}"):
            asyncio.run(environment.step("a"))

    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            ("seen", "it returned a str. Return the tuple (observation, info)."),
            ((None, {}), "its observation is a NoneType. Return a text."),
            (("seen", []), "its info is a list. Return a dict."),
        ],
    )
    def test_reset(self, returned: Any, said: str) -> None:
        """So is a reset that returns something else."""
        with pytest.raises(EnvironmentLost, match=f"^Does\\.reset: {re.escape(said)}"):
            begun(Does(reset=lambda: returned))

    def test_grade(self) -> None:
        """So is a grade that is none."""
        environment: Any = begun(Does(grade=lambda: 1.0))
        with pytest.raises(EnvironmentLost, match=r"^Does\.grade: it returned a float\. Return a Grade\."):
            asyncio.run(environment.grade())
