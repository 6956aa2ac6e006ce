"""A summary that takes up the older exchanges."""

import asyncio

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Agent, Field, Halt, ParseError, Scripted, Strategy, arun, run
from tinysmith.errors import UsageError
from tinysmith.memory import Exchange, Memory, Summarise
from tinysmith.testing import strategy_test


@frozen
class Log:
    """The board."""

    memory: Memory = field(default=Memory())
    said: str = ""


MEMORY: Field[Log, Memory] = Field(lambda log: log.memory, lambda log, memory: evolve(log, memory=memory))
PAST = tuple(Exchange(f"look {number}", f"{number} boats") for number in range(5))
EXCHANGES = st.lists(st.builds(Exchange, st.text(max_size=9), st.text(max_size=9)), max_size=6).map(tuple)


def has_past(log: Log) -> bool:
    """There is more than the last two exchanges."""
    return len(log.memory.exchanges) > 2


class Reporter(Agent[Log]):
    samples = ("All is well.",)

    def prompt(self, log: Log, /) -> str:
        return f"{log.memory.text}\nReport."

    def parse(self, log: Log, reply: str, /) -> Log:
        return evolve(log, said=reply)


class Reports(Strategy[Log]):
    """Reports, once what is old was summarised."""

    reporter = Reporter()
    summarise = Summarise(MEMORY, keep=2)
    done = Halt()

    initial = reporter
    edges = (reporter.to(summarise, when=has_past), reporter.to(done), summarise.to(reporter))


def is_bounded(log: Log) -> bool:
    """The summary never has more words, or characters, than it may."""
    summary = log.memory.summary
    return len(summary.split()) <= 300 and len(summary) <= 6_000


TestReports = strategy_test(
    Reports, boards=st.builds(Log, st.builds(Memory, EXCHANGES)), invariants=[is_bounded], max_examples=50
)


class TestPrompt:
    def test_shows_the_old_summary_and_the_older_exchanges(self) -> None:
        """The prompt has the summary so far, and what is older than `keep`, and no more."""
        text = Summarise(MEMORY, keep=2, max_words=50).prompt(Log(Memory(PAST, "Boats came.")))
        assert "Notes so far:\nBoats came.\n" in text
        assert "since:\nCommand: look 0\nOutput: 0 boats\nCommand: look 1\n" in text
        assert "look 2" in text
        assert "look 3" not in text
        assert "in at most 50 words" in text

    @pytest.mark.parametrize(("keep", "past"), [(0, ()), (5, PAST), (9, PAST)])
    def test_with_nothing_to_summarise(self, keep: int, past: tuple[Exchange, ...]) -> None:
        """Where nothing is older than `keep`, the prompt says so, and asks for the notes as they are."""
        text = Summarise(MEMORY, keep=keep).prompt(Log(Memory(past)))
        assert "Notes so far:\n(none yet)\n" in text
        assert "since:\n(nothing; repeat the notes so far)\n" in text

    @given(st.text(), st.text())
    def test_hostile_text_is_only_text(self, command: str, output: str) -> None:
        """Whatever was done and printed stands in the prompt as it is."""
        text = Summarise(MEMORY).prompt(Log(Memory((Exchange(command, output),), output)))
        assert f"Command: {command}\nOutput: {output}" in text


class TestParse:
    @given(EXCHANGES, st.integers(0, 4))
    def test_takes_the_reply_for_what_was_older(self, past: tuple[Exchange, ...], keep: int) -> None:
        """The reply becomes the summary and the last `keep` stay; where nothing was older, nothing changes."""
        log = Log(Memory(past, "old"), "said")
        recent = past[len(past) - min(keep, len(past)) :]
        expected = Memory(recent, "new") if len(past) > keep else log.memory
        assert Summarise(MEMORY, keep=keep).parse(log, " new\n") == Log(expected, "said")

    @pytest.mark.parametrize("reply", ["", " \n", "\N{NO-BREAK SPACE}"])
    def test_refuses_nothing(self, reply: str) -> None:
        """A blank reply never wipes out a summary."""
        with pytest.raises(ParseError, match=r"There are no notes in your reply\."):
            Summarise(MEMORY).parse(Log(Memory(PAST)), reply)

    @pytest.mark.parametrize("reply", ["a " * 4, "x" * 61])
    def test_refuses_what_is_too_long(self, reply: str) -> None:
        """A reply of too many words is asked for again, as is one whose words are no words."""
        node = Summarise(MEMORY, max_words=3)
        with pytest.raises(ParseError, match=r"^Your notes are too long\. Write at most 3 words\.$"):
            node.parse(Log(Memory(PAST)), reply)
        assert node.parse(Log(Memory(PAST)), "a b " + "c" * 56).memory.summary.endswith("c")


class TestConstruction:
    @pytest.mark.parametrize(("numbers", "said"), [({"keep": -1}, "Give 0 or"), ({"max_words": 0}, "Give 1 or")])
    def test_refuses_numbers_that_cannot_be(self, numbers: dict[str, int], said: str) -> None:
        """A negative `keep`, or a summary without a word, is refused when the node is made."""
        with pytest.raises(UsageError, match=f"{next(iter(numbers))}=.* is too small. {said} more"):
            Summarise(MEMORY, **numbers)
        Summarise(MEMORY, keep=0, max_words=1)


class TestRuns:
    def test_summarises_once_what_is_old(self) -> None:
        """Two edges make a strategy summarise, for one model call, in blocking and in asynchronous runs."""
        replies = {"reporter": ["first", "second"], "summarise": ["Boats came."]}
        for result in (
            run(Reports(), Log(Memory(PAST)), model=Scripted(replies)),
            asyncio.run(arun(Reports(), Log(Memory(PAST)), model=Scripted(replies))),
        ):
            assert result.board == Log(Memory(PAST[3:], "Boats came."), "second")
            assert result.position.spent.asks == 3

    def test_what_is_too_long_is_asked_again(self) -> None:
        """A summary that is too long costs one more call, and the next one is taken."""
        replies = {"reporter": ["first", "second"], "summarise": ["a " * 301, "Boats came."]}
        result = run(Reports(), Log(Memory(PAST)), model=Scripted(replies))
        assert (result.board.memory.summary, result.position.spent.asks) == ("Boats came.", 4)
