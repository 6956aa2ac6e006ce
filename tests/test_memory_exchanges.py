"""What an agent did lately: remembered in order, none too long, and no more than are kept."""

import asyncio
from typing import Any

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from worlds import Echo

from tinysmith import Agent, Ask, Field, Halt, Observation, Reply, Scripted, Strategy, World, arun, run
from tinysmith.errors import UsageError
from tinysmith.memory import Exchange, Memory, Remember, fitted
from tinysmith.testing import strategy_test

EXCHANGES = st.builds(Exchange, st.text(max_size=9), st.text(max_size=9))


@frozen
class Log:
    """The board."""

    command: str = ""
    output: str = ""
    memory: Memory = field(default=Memory())
    turns_left: int = 4


def latest(log: Log) -> Exchange:
    """The last command and its output."""
    return Exchange(log.command, log.output)


def has_turns_left(log: Log) -> bool:
    """Another command may be run."""
    return log.turns_left > 0


MEMORY: Field[Log, Memory] = Field(lambda log: log.memory, lambda log, memory: evolve(log, memory=memory))


class Typist(Agent[Log]):
    samples = ("ls",)

    def prompt(self, log: Log, /) -> str:
        return f"{log.memory.text}\n\nNext?"

    def parse(self, log: Log, reply: str, /) -> Log:
        return evolve(log, command=reply, turns_left=log.turns_left - 1)


class Shell(World[Log]):
    def action(self, log: Log, /) -> str:
        return log.command

    def observe(self, log: Log, seen: Observation, /) -> Log:
        return evolve(log, output=seen.text)


class Keeps(Strategy[Log]):
    """Types a few commands, and remembers the last two."""

    typist = Typist()
    shell = Shell()
    remember = Remember(MEMORY, latest, keep=2)
    done = Halt()

    initial = typist
    edges = (
        typist.to(shell),
        shell.to(remember),
        remember.to(typist, when=has_turns_left),
        remember.to(done),
    )


def holds_two_short_ones(board: Log) -> bool:
    """Never more than two exchanges are remembered, and none of them is too long for a prompt."""
    exchanges = board.memory.exchanges
    return len(exchanges) <= 2 and all(exchange.output.strip() for exchange in exchanges)


TestKeeps = strategy_test(Keeps, invariants=[holds_two_short_ones])


class TestFitted:
    @given(st.text())
    def test_a_short_output_is_shown_as_it_is(self, output: str) -> None:
        """An output that is neither blank nor too long comes out word for word."""
        assert fitted(output) == (output if output.strip() else "(no output)")

    @pytest.mark.parametrize("output", ["", " ", "\n\n\t", "\N{NO-BREAK SPACE}", "\x1f"])
    def test_nothing_is_said_to_be_nothing(self, output: str) -> None:
        """An output without a visible character is shown as none."""
        assert fitted(output) == "(no output)"

    def test_too_many_words(self) -> None:
        """More than 1,000 words become a hint that says how many they were."""
        assert fitted("word " * 1_000) == "word " * 1_000
        hint = "(1,001 words of output, too many to show: filter it, such as by a narrower command)"
        assert fitted("word " * 1_001) == hint
        assert fitted("a b c", max_words=2).startswith("(3 words of output")
        assert fitted("a b", max_words=2) == "a b"

    def test_too_many_characters(self) -> None:
        """More than 20,000 characters become a hint too, since one word may be as long as a file."""
        assert fitted("x" * 20_000) == "x" * 20_000
        hint = "(20,001 characters of output, too many to show: filter it, such as by a narrower command)"
        assert fitted("x" * 20_001) == hint
        assert fitted("x" * 1_000_000).startswith("(1,000,000 characters")
        assert fitted("abcd", max_words=1, max_characters=3).startswith("(4 characters")
        assert fitted("abc", max_characters=3) == "abc"

    @given(st.text(), st.integers(0, 20), st.integers(0, 20))
    def test_never_too_long(self, output: str, max_words: int, max_characters: int) -> None:
        """What comes out is never longer than both limits allow, but for a hint of one line."""
        shown = fitted(output, max_words=max_words, max_characters=max_characters)
        is_hint = shown == "(no output)" or "of output, too many to show" in shown
        assert is_hint or (len(shown.split()) <= max_words and len(shown) <= max_characters)
        assert not is_hint or len(shown) < 120


class TestRemember:
    @given(st.lists(EXCHANGES, max_size=12), st.none() | st.integers(0, 8))
    def test_keeps_the_last_in_order(self, done: list[Exchange], keep: int | None) -> None:
        """There are never more than `keep` exchanges, and they are the last, oldest first."""
        remember, log = Remember(MEMORY, latest, keep=keep), Log(memory=Memory(summary="before"))
        for exchange in done:
            log = remember.apply(evolve(log, command=exchange.command, output=exchange.output))
            assert keep is None or len(log.memory.exchanges) <= keep
        shown = [Exchange(exchange.command, fitted(exchange.output)) for exchange in done]
        expected = shown if keep is None else shown[max(0, len(shown) - keep) :]
        assert log.memory == Memory(tuple(expected), "before")

    def test_limits(self) -> None:
        """Its own limits of words and characters decide what is too long."""
        log = Log("ls", "a b c")
        for remember, said in (
            (Remember(MEMORY, latest, max_words=2), "(3 words of output"),
            (Remember(MEMORY, latest, max_characters=4), "(5 characters of output"),
            (Remember(MEMORY, latest, max_words=3, max_characters=5), "a b c"),
        ):
            assert remember.apply(log).memory.exchanges[0].output.startswith(said)

    @pytest.mark.parametrize("name", ["keep", "max_words", "max_characters"])
    def test_refuses_negative_numbers(self, name: str) -> None:
        """A negative number is refused when the node is made; none and zero are not."""
        numbers: dict[str, Any] = {name: -1}
        with pytest.raises(UsageError, match=rf"^{name}=-1 is too small\. Give 0 or more\.$"):
            Remember(MEMORY, latest, **numbers)
        Remember(MEMORY, latest, **{name: 0})


class TestText:
    def test_is_what_a_prompt_shows(self) -> None:
        """Summary and exchanges stand in order, an empty line between them."""
        memory = Memory((Exchange("ls", "a\nb"), Exchange("pwd", "/")), "Began.")
        assert memory.text == "Began.\n\nCommand: ls\nOutput: a\nb\n\nCommand: pwd\nOutput: /"
        assert Memory(memory.exchanges[1:]).text == "Command: pwd\nOutput: /"
        assert Memory().text == ""


class TestRuns:
    def test_two_edges_make_a_strategy_remember(self) -> None:
        """The prompt after the third command shows the last two, in blocking and in asynchronous runs."""
        blocking = run(Keeps(), Log(), model=Scripted(list("abcd")), environment=Echo())
        later = asyncio.run(arun(Keeps(), Log(), model=Scripted(list("abcd")), environment=Echo()))
        for result in (blocking, later):
            assert result.outcome == "done"
            assert result.board.memory.exchanges == (Exchange("c", "did c"), Exchange("d", "did d"))
            asks = [request for step in result.steps for request in (step.request,) if isinstance(request, Ask)]
            shown = "Command: b\nOutput: did b\n\nCommand: c\nOutput: did c\n\nNext?"
            assert asks[-1].messages[0].content == shown

    def test_a_giant_output_costs_a_line(self) -> None:
        """An output of a million characters in one word does not reach the next prompt."""
        strategy = Keeps()
        position = strategy.advance(strategy.start(Log()), Reply("base64 disk"))
        position = strategy.advance(position, Observation("x" * 1_000_000))
        assert "(1,000,000 characters of output" in position.board.memory.text
        assert len(position.board.memory.text) < 150
