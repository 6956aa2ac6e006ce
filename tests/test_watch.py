"""Who looks on at runs: `Strategy.start` and `advance` tell of every position."""

from collections.abc import Iterator
from typing import Any

import pytest
from sketches import Once, Pad

from tinysmith import Observation, Reply, Scripted, run
from tinysmith._watch import WATCHERS
from tinysmith.errors import EventError


@pytest.fixture
def seen() -> Iterator[list[tuple[Any, Any]]]:
    """What a watcher was told."""
    told: list[tuple[Any, Any]] = []

    def watcher(strategy: Any, position: Any) -> None:
        told.append((strategy, position))

    WATCHERS.append(watcher)
    yield told
    WATCHERS.remove(watcher)


class TestWatchers:
    def test_are_told_of_every_position(self, seen: list[tuple[Any, Any]]) -> None:
        """Each position that is returned is shown once, with the strategy."""
        strategy = Once()
        first = strategy.start(Pad())
        last = strategy.advance(first, Reply("good"))
        assert seen == [(strategy, first), (strategy, last)]

    def test_are_told_nothing_of_what_raised(self, seen: list[tuple[Any, Any]]) -> None:
        """A step that is illegal makes no position, so there is nothing to be shown."""
        strategy = Once()
        first = strategy.start(Pad())
        with pytest.raises(EventError):
            strategy.advance(first, Observation("no"))
        assert seen == [(strategy, first)]

    def test_look_on_at_drivers(self, seen: list[tuple[Any, Any]]) -> None:
        """Whoever drives a run, its positions are shown."""
        ended = run(Once(), Pad(), model=Scripted(["bad", "good"]))
        assert [position.step for _, position in seen] == [0, 1, 2]
        assert seen[-1][1] == ended.position
