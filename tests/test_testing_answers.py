"""What an unhelpful model, world and tool answer."""

from typing import Any

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from sketches import Lookup, Once, Round

from tinysmith import Failed, Observation, Reply, Result
from tinysmith.errors import UsageError
from tinysmith.strategy import plan_of
from tinysmith.testing._answers import NASTY, REWARDS, answers, drawn_from

DRAWN = settings(max_examples=3_000, database=None, phases=[Phase.generate], derandomize=True)


def moods(name: str, *, strategy: Any = Round, **given: Any) -> tuple[st.SearchStrategy[Any], ...]:
    """How a node of a strategy may be answered."""
    options = {"replies": {}, "observations": {}, "results": {}, **given}
    return answers(plan_of(strategy), **options)[name].moods


def reaches(drawn: st.SearchStrategy[Any], wanted: Any) -> bool:
    """Whether something is drawn that is wanted; raises where it is not."""
    return bool(wanted(find(drawn, wanted, settings=DRAWN)))


class TestModel:
    def test_good_moods(self) -> None:
        """In the first mood an agent only hears its samples."""
        drawn = moods("writer", strategy=Once)[0]
        assert all(reaches(drawn, lambda event, text=text: event.text == text) for text in Once.writer.samples)
        with pytest.raises(NoSuchExample):
            find(drawn, lambda event: event.text not in Once.writer.samples, settings=DRAWN)

    def test_bad_moods(self) -> None:
        """In the second one it hears all sorts of things, up to 100 kB."""
        drawn = moods("writer", strategy=Once)[1]
        assert reaches(drawn, lambda event: event.text == "good")
        assert reaches(drawn, lambda event: event.text == "GOOD")
        assert reaches(drawn, lambda event: event.text == NASTY[5])
        assert max(map(len, NASTY)) == 100_000

    def test_moods_that_go_round(self) -> None:
        """For each sample there is a mood in which an agent hears nearly the same words again and again."""
        alike = moods("writer", strategy=Once)[2:5]
        for drawn, sample in zip(alike, ("good", "fair", "bad line"), strict=True):
            assert reaches(drawn, lambda event, sample=sample: event.text == f"{sample} 7")

    @pytest.mark.parametrize("kind", ["timeout", "rate_limit", "context_overflow", "max_seconds"])
    def test_failing_moods(self, kind: str) -> None:
        """In the last ones requests fail, and replies are cut off or withheld."""
        drawn = moods("writer", strategy=Once)[-1]
        assert reaches(drawn, lambda event: isinstance(event, Failed) and event.kind == kind)
        assert reaches(drawn, lambda event: isinstance(event, Reply) and event.finish == "length")

    def test_given(self) -> None:
        """What is given is what is heard, beside failures in a mood of its own."""
        usual, failing = moods("writer", replies={"writer": ["a", Reply("b"), Failed("server", "No.")]})
        assert reaches(usual, lambda event: event == Reply("b"))
        assert reaches(usual, lambda event: isinstance(event, Failed))
        assert reaches(failing, lambda event: isinstance(event, Failed) and event.kind == "timeout")


class TestWorld:
    def test_shows_anything(self) -> None:
        """A world shows any text and reward, errors too, and is over or lost in one of its moods."""
        plain, goes_on, ends = moods("eye")
        assert reaches(plain, lambda event: event.terminated and event.reward == 1.0)
        assert reaches(goes_on, lambda event: event.text.startswith("Traceback"))
        for reward in REWARDS:
            assert reaches(goes_on, lambda event, reward=reward: repr(event.reward) == repr(reward))
        assert reaches(ends, lambda event: isinstance(event, Observation) and event.truncated)
        assert reaches(ends, lambda event: isinstance(event, Failed) and event.kind == "environment")

    def test_given(self) -> None:
        """What is given is what is shown."""
        usual, _ = moods(
            "eye", observations={"eye": ["x", Observation("y", reward=2.0), Failed("environment", "No.")]}
        )
        assert reaches(usual, lambda event: event == Observation("x"))
        assert reaches(usual, lambda event: isinstance(event, Failed))


class TestTool:
    def test_returns_its_type(self) -> None:
        """A tool returns values of its declared type, or what is given, and fails in its other moods."""
        assert all(reaches(drawn, lambda event: isinstance(event, Result)) for drawn in moods("fetch"))
        assert reaches(moods("fetch", strategy=Lookup)[1], lambda event: isinstance(event, Failed))
        given = [Result("whole"), "x", Failed("tool", "No.")]
        usual, *_ = moods("fetch", results={"fetch": given})
        assert reaches(usual, lambda event: event == Result("x"))
        assert reaches(usual, lambda event: event == given[2])


class TestDrawnFrom:
    def test_strategies_and_lists(self) -> None:
        """A Hypothesis strategy is drawn from as it is, and a list of values as it stands."""
        drawn = st.integers()
        assert drawn_from(drawn, "x") is drawn
        assert find(drawn_from((4, 5), "x"), lambda value: value > 4, settings=DRAWN) == 5

    @pytest.mark.parametrize("given", ["text", [], 3, None])
    def test_else(self, given: Any) -> None:
        """What is neither is refused with what to give."""
        with pytest.raises(
            UsageError, match=r"What critic is drawn from is .*\. Give a Hypothesis strategy, or a list"
        ):
            drawn_from(given, "critic")
