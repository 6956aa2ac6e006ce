"""What a run begins with where nobody says it."""

import pytest
from attrs import frozen
from sketches import Once, Pad, Refine

from tinysmith import Agent, Halt, Strategy, Task
from tinysmith._beginnings import first_boards, needs_boards
from tinysmith.errors import UsageError


class Careless(Once):
    """Counts on a query in brackets."""

    def brief(self, task: Task, observation: str, /) -> Pad:
        return Pad(lines=(task.query.split("[")[1],))


class TestFirstBoards:
    def test_defaults_make_one(self) -> None:
        """Without a brief, the board is made of its defaults."""
        assert first_boards(Once()) == (Pad(),)
        assert not needs_boards(Once())

    def test_a_brief_is_given_a_plain_task(self) -> None:
        """A brief makes the board of a task and an empty observation."""
        assert first_boards(Refine()) == (Pad(lines=("Do it.", ""), left=1),)
        assert not needs_boards(Refine())

    def test_a_board_without_defaults_is_told(self) -> None:
        """Where fields have no default, the message says to give boards."""

        @frozen
        class Query:
            text: str

        class Asker(Agent[Query]):
            def prompt(self, query: Query, /) -> str:
                return query.text

            def parse(self, query: Query, reply: str, /) -> Query:
                return query

        class Ask(Strategy[Query]):
            asker = Asker()
            done = Halt()
            initial = asker
            edges = (asker.to(done),)

        assert needs_boards(Ask())
        with pytest.raises(UsageError, match=r"Query needs text\. Define Ask\.brief.* Here: boards=\[…\]\."):
            first_boards(Ask())

    def test_a_brief_that_raises_is_told(self) -> None:
        """What a brief raises on a plain task is told with its name."""
        with pytest.raises(UsageError, match=r"Careless\.brief raised IndexError: list index out of range, when"):
            first_boards(Careless())
