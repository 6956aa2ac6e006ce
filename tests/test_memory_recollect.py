"""Retrieval over one's own past."""

import asyncio

import pytest
from attrs import evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith import Field, Halt, Scripted, Strategy, arun, run
from tinysmith.errors import UsageError
from tinysmith.memory import Exchange, Memory, Recollect
from tinysmith.retrieval import WriteQueries
from tinysmith.testing import strategy_test

PAST = (
    Exchange("SELECT name FROM boats", "Mary, Anna"),
    Exchange("SHOW TABLES", "boats, ports"),
    Exchange("SELECT city FROM ports", "Kiel"),
    Exchange("SHOW TABLES", "boats, ports"),
)


@frozen
class Search:
    """The board."""

    question: str = "Where does Anna live?"
    queries: tuple[str, ...] = ()
    memory: Memory = field(default=Memory())
    found: tuple[Exchange, ...] = ()


QUERIES: Field[Search, tuple[str, ...]] = Field(lambda own: own.queries, lambda own, new: evolve(own, queries=new))
FOUND: Field[Search, tuple[Exchange, ...]] = Field(lambda own: own.found, lambda own, new: evolve(own, found=new))


def recollecting(most: int = 5) -> Recollect[Search]:
    """The node, for that many exchanges."""
    return Recollect(lambda own: own.queries, lambda own: own.memory, FOUND, most=most)


class Remembers(Strategy[Search]):
    """Asks for queries, and looks them up in the past."""

    ask = WriteQueries(lambda own: own.question, QUERIES)
    recollect = recollecting(2)
    done = Halt()

    initial = ask
    edges = (ask.to(recollect), recollect.to(done))


TestRemembers = strategy_test(
    Remembers,
    boards=st.just(Search(memory=Memory(PAST))),
    results={"recollect": st.lists(st.integers(-2, 6), max_size=3)},
    invariants=[lambda board: set(board.found) <= set(PAST)],
    max_examples=50,
)


def places(*queries: str, past: tuple[str, ...], most: int = 5) -> list[int]:
    """The places that a node finds."""
    return list(recollecting().call(queries=queries, past=past, most=most))


class TestCall:
    def test_finds_what_bears_on_the_queries(self) -> None:
        """The best places come first, by the words that they share with the queries."""
        past = ("list the harbours", "boats: Anna", "nothing here", "Anna and the boats of Anna")
        assert set(places("anna", past=past)) == {1, 3}
        assert places("harbours", "nothing", past=past) == [0, 2]
        assert places("harbours", "nothing", past=past, most=1) == [0]

    def test_finds_nothing_in_nothing(self) -> None:
        """Without a past, without queries and without a word in common nothing is found."""
        assert places("anna", past=()) == []
        assert places(past=("anna",)) == []
        assert places("", "?!", past=("anna",)) == []
        assert places("mary", past=("anna",)) == []

    def test_what_happened_twice_is_found_once(self) -> None:
        """Of exchanges that are the same the first is found."""
        assert places("tables", past=("show tables", "x", "show tables")) == [0]

    @settings(max_examples=50)
    @given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=5), st.integers(1, 3))
    def test_whatever_was_said(self, queries: list[str], past: list[str], most: int) -> None:
        """Hostile queries and outputs find places that are there, none twice, and not too many."""
        hostile = ['" OR 1=1 --', "text: NEAR(", "\x00", "\ud800 anna", *queries]
        found = places(*hostile, past=("\ud800 anna", "\x00 or", *past), most=most)
        assert len(set(found)) == len(found) <= most
        assert all(0 <= place < len(past) + 2 for place in found)


class TestReceive:
    @given(st.lists(st.integers(-3, 9)))
    def test_is_in_the_order_of_the_past(self, result: list[int]) -> None:
        """The exchanges come in the order in which they happened, each once; a place that is none is left out."""
        found = recollecting().receive(Search(memory=Memory(PAST)), result).found
        assert found == tuple(exchange for place, exchange in enumerate(PAST) if place in result)

    def test_a_long_past(self) -> None:
        """The order is that of the past, however long it is."""
        past = tuple(Exchange(f"look {number}", "") for number in range(40))
        found = recollecting().receive(Search(memory=Memory(past)), [32, 1, 16, 0]).found
        assert [exchange.command for exchange in found] == ["look 0", "look 1", "look 16", "look 32"]


class TestConstruction:
    def test_finds_at_least_one(self) -> None:
        """Less than one exchange is refused when the node is made."""
        with pytest.raises(UsageError, match=r"^most=0 is too small\. Give 1 or more\.$"):
            recollecting(0)
        assert recollecting(1).arguments(Search())["most"] == 1


class TestRuns:
    def test_two_nodes_and_two_edges(self) -> None:
        """Queries that a model wrote bring the past to the board, in blocking and in asynchronous runs."""
        board = Search(memory=Memory(PAST))
        replies = ["name of the boats\ncity of the ports"]
        for result in (
            run(Remembers(), board, model=Scripted(replies)),
            asyncio.run(arun(Remembers(), board, model=Scripted(replies))),
        ):
            assert (result.outcome, result.position.spent.asks) == ("done", 1)
            assert result.board.found == (PAST[0], PAST[2])
