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

    def test_a_board_without_defaults_is_generated(self) -> None:
        """Where fields have no default some boards are made, with a plain text and all other defaults."""

        @frozen
        class Query:
            text: str
            tries: int
            left: int = 3

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
        boards = first_boards(Ask())
        assert 1 < len(boards) <= 3
        assert {(board.text, board.left) for board in boards} == {("Do it.", 3)}
        assert len({board.tries for board in boards}) == len(boards)

    def test_a_brief_that_raises_is_told(self) -> None:
        """What a brief raises on a plain task is told with its name."""
        with pytest.raises(UsageError, match=r"Careless\.brief raised IndexError: list index out of range, when"):
            first_boards(Careless())
