"""What is tested before anything is drawn."""

from typing import Any

import pytest
from sketches import Ballot, Once, Pad, Refine, Round

from machines import OpenBook, TryAgain
from tinysmith import Failed, Observation, Reply, Strategy
from tinysmith.coverage import Tally
from tinysmith.strategy import plan_of
from tinysmith.testing import strategy_test
from tinysmith.testing._answers import NASTY, SEEN_TEXTS
from tinysmith.testing._seeds import seeds


def answered(strategy: Strategy[Any], max_steps: int = 50) -> dict[str, list[Any]]:
    """The last event of each seed, by the node that it answers."""
    found: dict[str, list[Any]] = {}
    for seed in seeds(strategy, max_steps):
        *_, last = list(seed.positions())[:-1]
        found.setdefault(last.node, []).append(seed.events[-1])
    return found


class TestSeeds:
    @pytest.mark.parametrize("strategy", [Once, Ballot, TryAgain, OpenBook])
    def test_cover_everything(self, strategy: type[Strategy[Any]]) -> None:
        """The seeds alone take every edge."""
        tally = Tally(plan_of(strategy))
        for seed in seeds(strategy(), 50):
            for position in seed.positions():
                tally.add(position)
        edges = [item for item in tally.coverage().items if item.kind == "edge"]
        assert [item.name for item in edges if not item.seen] == []

    def test_nasty_answers(self) -> None:
        """Every agent hears every nasty reply, world nodes see every nasty text, and every request fails once."""
        found = answered(Round())
        texts = {event.text for event in found["writer"] if isinstance(event, Reply)}
        assert set(NASTY) <= texts
        assert {event.finish for event in found["writer"] if isinstance(event, Reply)} >= {
            "length",
            "content_filter",
        }
        assert set(SEEN_TEXTS) <= {event.text for event in found["eye"] if isinstance(event, Observation)}
        for name in ("writer", "vote", "eye", "fetch"):
            assert any(isinstance(event, Failed) for event in found[name])

    def test_every_seat_of_a_panel(self) -> None:
        """A panel hears a nasty reply from every seat."""
        nasty = [seed.events for seed in seeds(Ballot(), 50) if seed.events[-1:] and len(seed.events) == 2]
        both = [events for events in nasty if {event.answers for event in events} == {"vote[0]", "vote[1]"}]
        assert {event.text for events in both for event in events if isinstance(event, Reply)} >= set(NASTY)

    def test_are_no_longer_than_runs(self) -> None:
        """No seed has more events than a run may have."""
        assert max(len(seed.events) for seed in seeds(Refine(), 1)) == 1

    def test_play_only_where_nothing_is_given(self) -> None:
        """Where replies or boards are given, nothing else is played."""
        texts: set[str] = set()

        def notes(pad: Pad) -> None:
            texts.update(pad.lines)

        strategy_test(Once, replies={"writer": ["fair"]}, invariants=[notes], max_examples=10)().test_every_run()
        assert texts == {"fair"}
        strategy_test(Once, invariants=[notes], max_examples=1)().test_every_run()
        assert set(NASTY) - {"", " \n\t"} <= texts
