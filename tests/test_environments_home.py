"""What a blocking environment raises on its thread."""

import asyncio
from typing import Any

import pytest
from blocking import Does, raising

from machines import SingleAgent
from tinysmith import Samples, run
from tinysmith.environments.sync import SyncEnvironment, from_sync
from tinysmith.errors import EnvironmentLost, UsageError


def begun(clerk: Any) -> SyncEnvironment:
    environment = from_sync(clerk)
    asyncio.run(environment.reset())
    return environment


class Mute(Exception):
    """What cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class TestLost:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (KeyError("door"), r"Does\.step raised KeyError: 'door'"),
            (SystemExit(3), r"Does\.step raised SystemExit: 3"),
            (StopIteration(), r"Does\.step raised StopIteration: "),
            (asyncio.CancelledError(), r"Does\.step raised CancelledError: "),
            (ValueError("\x1b[2J" + "x" * 999), r"Does\.step raised ValueError: \\x1b\[2Jx{292}…$"),
            (EnvironmentLost("The pipe is broken."), r"^The pipe is broken\.$"),
            (Mute(), r"^Does\.step raised Mute: what it says cannot be told \(RuntimeError\)$"),
        ],
    )
    def test_raised(self, error: BaseException, said: str) -> None:
        """Whatever the environment raises is a loss with its type and message, never a wrong answer."""
        environment = begun(Does(step=raising(error)))
        with pytest.raises(EnvironmentLost, match=said):
            asyncio.run(environment.step("a"))
        with pytest.raises(EnvironmentLost, match="is lost; reset it"):
            asyncio.run(environment.step("a"))
        asyncio.run(environment.reset())

    def test_secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A secret of the process's environment is not told with the message."""
        monkeypatch.setenv("SHOP_API_KEY", "open-sesame-123")
        environment = begun(Does(step=raising(OSError("bad key open-sesame-123"))))
        with pytest.raises(EnvironmentLost, match=r"bad key <SHOP_API_KEY>$"):
            asyncio.run(environment.step("a"))

    def test_usage(self) -> None:
        """A UsageError stays itself, and loses nothing."""
        environment = begun(Does(step=raising(UsageError("No such door."))))
        for _ in range(2):
            with pytest.raises(UsageError, match=r"^No such door\.$"):
                asyncio.run(environment.step("a"))
        closing = from_sync(Does(close=raising(UsageError("Leave it open."))))
        with pytest.raises(UsageError, match=r"^Leave it open\.$"):
            asyncio.run(closing.close())

    def test_reset(self) -> None:
        """An environment whose reset raised is lost, or has no episode if it was the caller's mistake."""
        environment = from_sync(Does(reset=raising(OSError("no port"))))
        with pytest.raises(EnvironmentLost, match=r"Does\.reset raised OSError: no port"):
            asyncio.run(environment.reset())
        with pytest.raises(EnvironmentLost, match="is lost"):
            asyncio.run(environment.step("a"))
        environment = from_sync(Does(reset=raising(UsageError("No such task."))))
        with pytest.raises(UsageError, match="No such task"):
            asyncio.run(environment.reset())
        with pytest.raises(UsageError, match="no episode"):
            asyncio.run(environment.step("a"))

    def test_close(self) -> None:
        """A closing that raises is a loss, too; one that is a lost environment's is nobody's matter."""
        environment = begun(Does(close=raising(OSError("still busy"))))
        with pytest.raises(EnvironmentLost, match=r"Does\.close raised OSError: still busy"):
            asyncio.run(environment.close())
        remade = begun(lambda: Does(step=raising(OSError("gone")), close=raising(OSError("still busy"))))
        with pytest.raises(EnvironmentLost, match="gone"):
            asyncio.run(remade.step("a"))
        assert asyncio.run(remade.reset())[0] == "task None, seed None"

    def test_a_run_tells(self) -> None:
        """A run on a broken environment ends as lost, not as a wrong answer."""
        environment = from_sync(Does(step=raising(OSError("no port"))))
        ended = run(SingleAgent(), model=Samples(SingleAgent), environment=environment)
        assert ended.outcome == "environment_lost"
        assert "Does.step raised OSError: no port" in str(ended.error)
