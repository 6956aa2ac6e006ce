"""The two nodes of retrieval, alone and in a strategy."""

import asyncio
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Agent, Field, Halt, ParseError, Run, Scripted, Strategy, arun, run
from tinysmith.errors import UsageError
from tinysmith.retrieval import LexicalIndex, Passage, Retrieve, WriteQueries
from tinysmith.testing import strategy_test

GUIDE = (
    Passage("The boats lie in the harbour of Rostock.", "boats.md:1"),
    Passage("The average delay of the ferries was 12 minutes.", "delays.md:7"),
)


@frozen
class Inquiry:
    """A question, what is looked up for it, what is found, and the answer."""

    question: str
    queries: tuple[str, ...] = ()
    knowledge: tuple[Passage, ...] = ()
    answer: str = ""


QUERIES = Field[Inquiry, tuple[str, ...]](lambda at: at.queries, lambda at, new: evolve(at, queries=new))
KNOWLEDGE = Field[Inquiry, tuple[Passage, ...]](lambda at: at.knowledge, lambda at, new: evolve(at, knowledge=new))


def has_knowledge(inquiry: Inquiry) -> bool:
    """Something was found."""
    return bool(inquiry.knowledge)


class Writer(Agent[Inquiry]):
    """Answers from what was found."""

    samples = ("It was 12 minutes.",)

    def prompt(self, inquiry: Inquiry, /) -> str:
        found = "\n".join(passage.text for passage in inquiry.knowledge)
        return f"Answer: {inquiry.question}\n\n{found}"

    def parse(self, inquiry: Inquiry, reply: str, /) -> Inquiry:
        return evolve(inquiry, answer=reply)


class Inquire(Strategy[Inquiry]):
    """Looks up what a question needs, and answers it."""

    librarian = WriteQueries[Inquiry](lambda inquiry: inquiry.question, QUERIES)
    retriever = Retrieve[Inquiry](lambda inquiry: inquiry.queries, KNOWLEDGE, most=2)
    writer = Writer()
    answered = Halt(success=True)
    unknown = Halt()

    initial = librarian
    edges = (
        librarian.to(retriever),
        retriever.to(writer, when=has_knowledge),
        retriever.to(unknown),
        retriever.on_failure(unknown),
        writer.to(answered),
    )


def is_in_bounds(board: Inquiry) -> bool:
    """As many queries and passages as were asked for, none twice."""
    texts = [passage.text for passage in board.knowledge]
    return len(board.queries) <= 3 and len(texts) == len(set(texts)) <= 2


TestInquire = strategy_test(Inquire, invariants=[is_in_bounds])

LIBRARIAN, RETRIEVER = Inquire.librarian, Inquire.retriever
BOARD = Inquiry("How late are the ferries?")


def parsed(reply: str, most: int = 3) -> tuple[str, ...]:
    """The queries of a reply."""
    node = WriteQueries[Inquiry](lambda inquiry: inquiry.question, QUERIES, most=most)
    return node.parse(BOARD, reply).queries


class TestWriteQueries:
    def test_asks_with_the_question(self) -> None:
        """The prompt has the question, and says how many queries may be written."""
        prompt = LIBRARIAN.prompt(evolve(BOARD, question="{{ late }} <ferries> & boats"))
        assert "{{ late }} <ferries> & boats" in prompt
        assert "at most 3 short search queries, one a line" in prompt
        single = WriteQueries[Inquiry](lambda inquiry: inquiry.question, QUERIES, most=1).prompt(BOARD)
        assert "Write one short search query\nthat" in single

    @pytest.mark.parametrize(
        ("reply", "queries"),
        [
            ("boats\nharbours of Rostock", ("boats", "harbours of Rostock")),
            ("1. boats\n2. harbours\n3. delays", ("boats", "harbours", "delays")),
            ("1) boats\n(2) harbours\n 3: delays", ("boats", "harbours", "delays")),
            ("- boats\n* harbours\n•delays", ("boats", "harbours", "delays")),
            ("- 1. boats\r\n+ `harbours`", ("boats", "harbours")),
            ("\"boats\"\n'harbours'\n“delays”", ("boats", "harbours", "delays")),
            ("1. **boats**\n\n> «harbours»", ("boats", "harbours")),
            ("Here are the queries:\n\nboats\nboats\n", ("boats",)),
            ("```\nboats\n```", ("boats",)),
            ("1987. Storms", ("1987. Storms",)),
            ("12 minutes\n1.5 knots\n-5 degrees", ("12 minutes", "1.5 knots", "-5 degrees")),
            ('the "Titanic"', ('the "Titanic"',)),
        ],
    )
    def test_takes_lists_as_models_write_them(self, reply: str, queries: tuple[str, ...]) -> None:
        """Numbers, bullets, quotes, fences and announcements are no part of a query; all else is."""
        assert parsed(reply) == queries

    @pytest.mark.parametrize("reply", ["", " \n ", "```\n```", "Queries:", "1.\n2.\n-", '""'])
    def test_asks_again_where_there_is_none(self, reply: str) -> None:
        """A reply without a query is complained of."""
        with pytest.raises(
            ParseError, match=r"Write 1 to 3 queries, one a line, and nothing else; your reply has 0\."
        ):
            parsed(reply)

    def test_asks_again_where_there_are_too_many(self) -> None:
        """A reply with more queries than may be is complained of with their number."""
        assert len(parsed("a\nb\nc")) == 3
        with pytest.raises(ParseError, match=r"Write 1 to 3 queries, .* your reply has 4\."):
            parsed("a\nb\nc\nd")
        with pytest.raises(ParseError, match=r"Write one query and nothing else; your reply has 2\."):
            parsed("a\nb", most=1)

    def test_asks_again_where_one_is_long(self) -> None:
        """A query that is an essay is complained of."""
        assert parsed("x" * 300) == ("x" * 300,)
        with pytest.raises(ParseError, match="a few words each, none longer than 300 characters"):
            parsed("a\n" + "x" * 301)

    @given(st.text() | st.lists(st.sampled_from([*"-*+>•\"'`().:1 \n", "12", "boats"])).map("".join))
    def test_takes_queries_or_complains(self, reply: str) -> None:
        """Whatever is replied, there are one to three different queries with something in them, or a complaint."""
        try:
            queries = parsed(reply)
        except ParseError:
            return
        assert 1 <= len(queries) == len(set(queries)) <= 3
        assert all(any(char.isalnum() for char in query) and len(query) <= 300 for query in queries)
        assert all(query in reply for query in queries)

    def test_bears_long_replies(self) -> None:
        """A reply of 100 kB is taken or complained of like another."""
        assert parsed("x\n" * 50_000) == ("x",)
        for reply in ('"' * 100_000 + "x", "- " * 50_000, "1. " * 30_000):
            with pytest.raises(ParseError):
                parsed(reply)

    def test_may_not_be_none(self) -> None:
        """A node that may write no query is refused when it is made."""
        with pytest.raises(UsageError, match=r"WriteQueries: most is 0\. Give at least 1\."):
            WriteQueries[Inquiry](lambda inquiry: inquiry.question, QUERIES, most=0)


class TestRetrieve:
    def test_calls_with_the_queries(self) -> None:
        """The arguments are the board's queries, as JSON data, and the number of passages."""
        board = evolve(BOARD, queries=("delay", "boats"))
        assert RETRIEVER.arguments(board) == {"queries": ["delay", "boats"], "most": 2}

    def test_keeps_the_first_passages(self) -> None:
        """At most so many passages are put on the board, in their order, and no text twice."""
        result: Any = [{"text": text, "source": source} for text, source in ("a1", "a2", "b3", "c4")]
        assert RETRIEVER.receive(BOARD, result).knowledge == (Passage("a", "1"), Passage("b", "3"))
        assert RETRIEVER.receive(BOARD, ()).knowledge == ()

    def test_a_source_may_be_left_out(self) -> None:
        """A passage whose source is not known needs none."""
        result: Any = [{"text": "a"}]
        assert RETRIEVER.receive(BOARD, result).knowledge == (Passage("a"),)

    def test_passages_are_no_json(self) -> None:
        """Who binds an index's search is told to bind the index."""
        result: Any = [Passage("a", "b")]
        with pytest.raises(TypeError, match=r"no JSON data\. Bind the index itself, not its search\.$"):
            RETRIEVER.receive(BOARD, result)

    @pytest.mark.parametrize(
        ("result", "shown"),
        [
            (None, "None"),
            ("passages", "'passages'"),
            ({"text": "a", "source": "b"}, "{'text': 'a', 'source': 'b'}"),
            (["a"], "'a'"),
            ([{"source": "a"}], "{'source': 'a'}"),
            ([{"text": "a", "source": "b"}, {"text": 1, "source": "b"}], "{'text': 1, 'source': 'b'}"),
            ([{"text": "a", "source": None}], "{'text': 'a', 'source': None}"),
        ],
    )
    def test_refuses_what_are_no_passages(self, result: Any, shown: str) -> None:
        """What the bound callable returned is shown, and what it should return."""
        with pytest.raises(TypeError) as raised:
            RETRIEVER.receive(BOARD, result)
        said = str(raised.value)
        assert said == (
            f"Retrieve: what it is bound to returned {shown}. "
            'Return a list of passages, each {"text": "…", "source": "…"}.'
        )

    def test_shows_little_of_what_it_refuses(self) -> None:
        """Of a long result only the beginning is shown."""
        result: Any = "x" * 100_000
        with pytest.raises(TypeError, match=r"returned 'x{79}\. Return"):
            RETRIEVER.receive(BOARD, result)

    def test_may_not_find_none(self) -> None:
        """A node that may find no passage is refused when it is made."""
        with pytest.raises(UsageError, match=r"Retrieve: most is -1\. Give at least 1\."):
            Retrieve[Inquiry](lambda inquiry: inquiry.queries, KNOWLEDGE, most=-1)


class TestStrategy:
    def ended(self, reply: str) -> Run[Inquiry]:
        """The run whose librarian replies so."""
        with LexicalIndex.of(GUIDE) as index:
            return run(Inquire(), BOARD, model=Scripted([reply, "12 minutes"]), tools={"retriever": index})

    def test_knowledge_reaches_the_prompt(self) -> None:
        """What the queries find is in the prompt of the agent that answers."""
        result = self.ended("1. ferry delays")
        assert (result.outcome, result.board.answer) == ("answered", "12 minutes")
        assert result.board.knowledge == (GUIDE[1],)
        assert GUIDE[1].text in str(result.steps[2].request)

    def test_may_find_nothing(self) -> None:
        """Queries that find nothing lead on with no knowledge."""
        assert self.ended("submarines").outcome == "unknown"

    def test_is_bound_in_an_event_loop_too(self) -> None:
        """The index answers in `arun`, many runs at once, from other threads."""

        async def crowd(index: LexicalIndex) -> list[Run[Inquiry]]:
            runs = (
                arun(Inquire(), BOARD, model=Scripted(["ferry delays", "12"]), tools={"retriever": index})
                for _ in range(20)
            )
            return await asyncio.gather(*runs)

        with LexicalIndex.of(GUIDE) as index:
            assert {ended.board.knowledge for ended in asyncio.run(crowd(index))} == {(GUIDE[1],)}
