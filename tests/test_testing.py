"""The property test of a whole strategy: sound strategies pass, whatever is drawn for them."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest
from attrs import field, frozen, validators
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from sketches import (
    Ballot,
    Look,
    Lookup,
    Once,
    Pad,
    Refine,
    Rescue,
    Round,
    Spin,
    Vote,
    Watched,
    added,
)

from tinysmith import Agent, Halt, Limits, Observation, Position, Reply, Strategy, Tool, Typed
from tinysmith._turn import Plan
from tinysmith._watch import WATCHERS
from tinysmith.errors import UsageError
from tinysmith.testing import mutations, strategy_test, typed_replies


def played(strategy: type[Strategy[Any]], **options: Any) -> None:
    """Plays the strategy's property test as pytest would."""
    test = strategy_test(strategy, **options)
    assert test.__name__ == f"Test{strategy.__name__}"
    test().test_every_run()


class Pair(Vote):
    """Counts on as many replies as it has seats."""

    def parse(self, pad: Pad, replies: Sequence[str], /) -> Pad:
        first, second = replies
        return added(pad, first, second)

    def shorten(self, pad: Pad, /) -> Pad | None:
        return None


class Paired(Strategy[Pad]):
    """A panel with a failure edge, whose parser counts on all replies."""

    vote = Pair()
    done = Halt()
    failed = Halt()

    initial = vote
    edges = (vote.to(done), vote.on_failure(failed))


class Anything(Tool[Pad, Any]):
    """Takes whatever a tool returns."""

    def arguments(self, pad: Pad, /) -> Mapping[str, Any]:
        return {}

    def receive(self, pad: Pad, result: Any, /) -> Pad:
        return added(pad, repr(result))


class Taking(Lookup):
    """Its tool returns anything."""

    fetch: Tool[Pad, Any] = Anything()


class Numbers(Tool[Pad, tuple[int, ...]]):
    """Takes numbers, and would fail on anything else."""

    def arguments(self, pad: Pad, /) -> Mapping[str, Any]:
        return {}

    def receive(self, pad: Pad, result: tuple[int, ...], /) -> Pad:
        return added(pad, str(sum(result)))


class MoreNumbers(Numbers):
    """Inherits what it takes."""


class Summing(Lookup):
    """Its tool returns numbers."""

    fetch: Tool[Pad, Any] = MoreNumbers()


@frozen
class Needy:
    """A board with a field without a default."""

    task: str
    left: int


class Speaker(Agent[Needy]):
    """Has no samples."""

    def prompt(self, needy: Needy, /) -> str:
        return "Say."

    def parse(self, needy: Needy, reply: str, /) -> Needy:
        return needy


class Speaking(Strategy[Needy]):
    """Its board must be generated."""

    speaker = Speaker()
    done = Halt()

    initial = speaker
    edges = (speaker.to(done),)


@frozen
class Score:
    """What a judge replies."""

    points: Literal[3, 4] = field(validator=validators.ge(4))
    reason: Literal["", "none"] = ""


class Judge(Typed[Pad, Score]):
    """Has no samples, and would fail on anything but a score."""

    def prompt(self, pad: Pad, /) -> str:
        return "Judge."

    def accept(self, pad: Pad, score: Score, /) -> Pad:
        return added(pad, f"{score.points + 1}")


class Judged(Once):
    """Its agent is a typed one."""

    writer = Judge()  # type: ignore[assignment]  # another kind of agent under the inherited name


class TestSound:
    @pytest.mark.parametrize(
        "strategy",
        [Once, Refine, Ballot, Look, Watched, Lookup, Round, Rescue, Paired, Taking, Summing, Speaking],
    )
    def test_passes(self, strategy: type[Strategy[Any]]) -> None:
        """A sound strategy of any kind of node passes, in runs that fail, overflow and end early too."""
        boards = st.builds(Pad, left=st.integers(0, 4)) if strategy is not Speaking else None
        played(strategy, boards=boards, max_examples=40)

    def test_rule_first(self) -> None:
        """A strategy that is over before anything is asked passes."""
        played(Spin, boards=st.builds(Pad, left=st.integers(0, 200)))

    def test_own_limits(self) -> None:
        """The limits and the number of events of a run can be chosen."""
        limits = Limits(max_asks=None, max_steps=9, max_calls=None, max_hops=None)
        positions: list[Position[Any]] = []

        def watcher(plan: Plan, position: Position[Any]) -> None:
            positions.append(position)

        WATCHERS.append(watcher)
        try:
            played(Look, limits=limits, max_steps=5, max_examples=30)
        finally:
            WATCHERS.remove(watcher)
        assert max(position.step for position in positions) == 5
        assert {position.limits for position in positions if position.limits.max_steps} == {limits}

    def test_own_answers(self) -> None:
        """Replies, observations and results can be given, as texts or whole, and are what the run gets."""
        given: set[str] = set()

        def noted(pad: Pad) -> None:
            given.update(pad.lines)

        played(
            Round,
            boards=st.builds(Pad, left=st.just(2)),
            replies={"writer": st.just(Reply("whole")), "vote": st.just("aye")},
            observations={"eye": st.sampled_from(["seen", Observation("all seen", reward=1)])},
            results={"fetch": st.just("fetched")},
            invariants=[noted],
            max_examples=50,
        )
        assert given == {"whole", "aye", "seen", "all seen", "fetched"}

    def test_typed_replies(self) -> None:
        """A typed agent without samples is given values of its type, which its board then shows."""
        lines: set[str] = set()
        played(Judged, invariants=[lambda pad: lines.update(pad.lines)])
        assert "5" in lines


class TestNames:
    @pytest.mark.parametrize("number", [{"max_steps": 0}, {"max_examples": 0}, {"max_examples": -1}])
    def test_nothing_to_play_is_refused(self, number: dict[str, Any]) -> None:
        """A test that would play nothing is refused when it is made."""
        with pytest.raises(
            UsageError, match=r"max_steps=-?\d+ and max_examples=.* play nothing\. Give 1 or more\."
        ):
            strategy_test(Once, **number)

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (
                {"replies": {"writr": st.text()}},
                r"replies= names 'writr', which Round does not have so\. Did you mean w",
            ),
            ({"replies": {"eye": st.text()}}, r"replies= names 'eye'"),
            ({"observations": {"writer": st.text()}}, r"observations= names 'writer'.* There is eye\."),
            ({"results": {"vote": st.text()}}, r"results= names 'vote'.* There is fetch\."),
        ],
    )
    def test_wrong_ones_are_refused(self, options: dict[str, Any], problem: str) -> None:
        """A name of no node, or of one of another kind, is refused with near names."""
        with pytest.raises(UsageError, match=problem):
            strategy_test(Round, **options)


class TestHypothesis:
    def test_is_asked_for_by_name(self) -> None:
        """Without Hypothesis the module cannot be imported, and says what to install."""
        code = "import sys; sys.modules['hypothesis'] = None; import tinysmith.testing"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert "ImportError: tinysmith.testing needs the package hypothesis; install it." in ended.stderr


class TestMutations:
    @pytest.mark.parametrize(
        "text",
        [
            "good",
            "go",
            "od",
            "GOOD",
            "good\n",
            "good good",
            "good\ngood",
            "```\ngood\n```",
            "Sure! Here it is:\n\ngood\n\nShall I go on?",
            "",
        ],
    )
    def test_reach(self, text: str) -> None:
        """The sample itself, pieces of it, other cases, fences and talk around it are all reached."""
        options = settings(max_examples=5_000, database=None, phases=[Phase.generate])
        assert find(mutations(["good"]), lambda found: found == text, settings=options) == text

    @pytest.mark.parametrize(
        "text",
        [
            '{"points": 4, "reason": ""}',
            '{"points": 4, "reason": "",}',
            "{'points': 4, 'reason': ''}",
            '{"extra": [null], "points": 4, "reason": ""}',
            '{"points": NaN, "reason": ""}',
            '{}\n{"points": 4, "reason": ""}',
            '{"points": 4, "re',
            "{}",
        ],
    )
    def test_reach_typed(self, text: str) -> None:
        """Of a typed agent, values and near-JSON are reached; what a validator refuses is an empty object."""
        options = settings(max_examples=20_000, database=None, phases=[Phase.generate])
        assert find(typed_replies(Score), lambda found: found == text, settings=options) == text

    def test_without_samples(self) -> None:
        """Without samples any text is reached."""
        options = settings(max_examples=5_000, database=None)
        assert find(mutations(()), lambda found: len(found) > 3, settings=options)
