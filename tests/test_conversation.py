"""`Conversation`: the events of a run, folded again and told."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import Ballot, Look, Lookup, Once, Pad, Refine, Spin, Writer

from tinysmith import Failed, Halt, Limits, Observation, Reply, Result, Run, Scripted, Strategy, run
from tinysmith._source import Source
from tinysmith.conversation import LONGEST_ROUND, Conversation, answered, as_call, said, told, way
from tinysmith.errors import EventError
from tinysmith.messages import Event


class Mute(Writer):
    """Cannot be asked."""

    def prompt(self, pad: Pad, /) -> str:
        raise KeyError("\x1b[2J")


class Muted(Strategy[Pad]):
    """Its second node cannot be asked."""

    writer = Writer()
    mute = Mute()
    done = Halt()

    initial = writer
    edges = (writer.to(mute), mute.to(done))


class Dumb(Strategy[Pad]):
    """Cannot begin."""

    mute = Mute()
    done = Halt()

    initial = mute
    edges = (mute.to(done),)


def refined() -> Run[Pad]:
    """A run of Refine in four replies, one of them asked for again."""
    return run(Refine(), Pad(left=2), model=Scripted(["bad one", "fair", "fair", "x", "good"]))


def spelt_out(path: str) -> list[str]:
    """A path of `way`, every round written out."""
    found: list[str] = []
    for whole, around, times, node in re.findall(r"(\(([^)]*)\) ×(\d+)|([^ ()→×]+))", path):
        assert whole
        found += around.split(" → ") * int(times) if around else [node]
    return found


class TestConversation:
    def test_of_a_run_it_is_the_run_again(self) -> None:
        """Folded again, the events of a run lead to its positions, its steps and its path."""
        ended = refined()
        again = Conversation.of(ended)
        positions = list(again.positions())
        assert positions[-1] == ended.position
        assert tuple(again.steps()) == ended.steps
        assert again.path == ("writer", "critic", "writer", "critic", "accepted")
        assert again.limits == Limits()

    def test_of_a_run_it_may_be_the_beginning(self) -> None:
        """The first steps of a run are a conversation too."""
        first = Conversation.of(refined(), 2)
        assert [position.step for position in first.positions()] == [0, 1, 2]
        assert first.path == ("writer", "critic")

    def test_without_limits_nothing_ends_it_but_the_strategy(self) -> None:
        """By default a conversation may be of any length."""
        many = Conversation(Once(), Pad(), (*[Reply("bad")] * 200, Reply("good")))
        assert list(many.steps())[-1].outcome == "done"

    def test_a_strategy_that_is_over_at_once_has_a_path(self) -> None:
        """Hops before the first step are part of the path."""
        assert Conversation(Spin(), Pad(left=2)).path == ("count", "count", "done")

    def test_it_is_told_step_by_step(self) -> None:
        """Written out, each step is a line, and the path is the last one."""
        assert str(Conversation.of(refined())).splitlines() == [
            "Refine, from Pad(left=2)",
            "    1 writer: 'bad one'  ↺ asks again",
            "    2 writer: 'fair'  → critic",
            "    3 critic: 'fair'  → writer (has_left)",
            "    4 writer: 'x'  → critic",
            "    5 critic: 'good'  → accepted (is_good)",
            "path: (writer → critic) ×2 → accepted",
        ]

    def test_what_raised_is_told_at_its_step(self) -> None:
        """Where an event cannot be folded, the error stands in its line, escaped, after what came before it."""
        lines = str(Conversation(Muted(), Pad(), (Reply("bad"), Reply("\x1b[2Jfair")))).splitlines()
        assert lines[1:] == ["    1 writer: 'bad'  ↺ asks again", r"    2 '\x1b[2Jfair'  ✗ KeyError: '\x1b[2J'"]
        assert str(Conversation(Dumb(), Pad())).splitlines()[1:] == [r"    0 ✗ KeyError: '\x1b[2J'"]
        with pytest.raises(EventError):
            list(Conversation(Once(), Pad(), (Result(1),)).positions())

    def test_it_names_its_strategy(self) -> None:
        """A conversation's repr says the strategy's name, not where the object is."""
        assert repr(Conversation(Once(), Pad())).startswith("Conversation(strategy=Once, board=Pad(")


class TestTold:
    def test_an_environment_is_told_with_what_was_done(self) -> None:
        """A step in the environment says the action, what was seen, the reward, and that it is over."""
        seen = (Observation("a\x1b[2J", reward=0.5), Observation("b", truncated=True), Failed("server", "gone"))
        lines = [told(step) for step in Conversation(Look(), Pad(), seen).steps()]
        assert lines == [
            r"    1 eye: $ look 0 ⇒ 'a\\x1b[2J' [reward 0.5]  → eye (otherwise)",
            "    2 eye: $ look 1 ⇒ 'b' [reward 0, over]  → writer (is_over)",
            "    3 writer: 'server: gone'  ■ model_failed",
        ]

    def test_tools_and_seats_are_told(self) -> None:
        """A tool's result is told as its repr; a seat that others wait for, by its panel."""
        (line,) = [told(step) for step in Conversation(Lookup(), Pad(), (Result("x"),)).steps()]
        assert line == """    1 fetch: "'x'"  → count → done (otherwise)"""
        votes = (Reply("aye", answers="vote[1]"), Reply("nay", answers="vote[0]"))
        assert [told(step) for step in Conversation(Ballot(), Pad(), votes).steps()] == [
            "    1 vote: 'aye'  … waits for the others",
            "    2 vote: 'nay'  → done",
        ]


class TestWay:
    @given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60))
    def test_it_spells_out_to_the_path(self, path: list[str]) -> None:
        """Whatever is folded into rounds, written out it is the path."""
        assert spelt_out(way(path)) == path

    @given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4, unique=True), st.integers(2, 30))
    def test_rounds_are_written_once(self, around: list[str], times: int) -> None:
        """What comes several times in a row is written once, with how often."""
        assert way([*around * times, "end"]) == f"({' → '.join(around)}) ×{times} → end"

    def test_a_path_of_thousands_is_told(self) -> None:
        """Long rounds are written out, so that long paths are told in no time."""
        names = [f"n{number}" for number in range(LONGEST_ROUND + 1)]
        assert way(names * 2) == " → ".join(names * 2)
        assert way(["a", "b"] * 5000) == "(a → b) ×5000"

    def test_nothing_is_nothing(self) -> None:
        """An empty path is an empty text."""
        assert way([]) == ""


class TestAnswered:
    @given(st.sampled_from(["vote[0]", "vote[1]", "", "vote[9]"]))
    @settings(max_examples=8)
    def test_it_is_the_request_that_is_named(self, name: str) -> None:
        """The pending request of that name is meant; else the first."""
        position = Ballot().start(Pad())
        expected = name if name in {"vote[0]", "vote[1]"} else "vote[0]"
        assert answered(position, Reply("aye", answers=name)).id == expected


class TestAsCall:
    def test_events_are_lines_of_source(self) -> None:
        """Each event is one line, with what it needs imported."""
        source = Source()
        text = as_call(source, (Reply("a" * 300), Observation("b", 1.0)), "    ")
        assert text == "    Reply('a' * 300),\n    Observation('b', reward=1.0),\n"
        assert source.imports == ("from tinysmith import Observation, Reply",)


class TestSaid:
    @pytest.mark.parametrize(
        ("event", "words"),
        [
            (Reply("a\nb"), r"'a\nb'"),
            (Observation("seen"), "'seen'"),
            (Result([1]), "[1]"),
            (Failed("server", "It failed."), "a failure (server)"),
            (Reply("x" * 200), "'" + "x" * 58 + "…"),
        ],
    )
    def test_in_one_short_line(self, event: Event, words: str) -> None:
        """An event is told in a few words."""
        assert said(event) == words
