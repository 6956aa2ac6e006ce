"""One strategy object serves thousands of runs at once, and none sees another."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from sketches import Pad, Refine, Round
from worlds import Echo, Says

from tinysmith import Ask, Run, Scripted, arun, run

MANY = 2000
ROUND = Round()
REFINE = Refine()


def script(number: int) -> Scripted:
    """A script of its own for every run."""
    return Scripted({"writer": [f"{number}a", f"{number}b"], "critic": [f"{number}c", "good"]})


def echo(request: Ask) -> str:
    """Says what it was asked, so that an answer to another run's question would show."""
    return request.messages[-1].content


def check(number: int, result: Run[Pad]) -> None:
    """A run ended with exactly its own data."""
    assert result.board.lines == (f"{number}", f"{number}a", f"{number}c", f"{number}b", "good")
    assert (result.outcome, len(result.steps), result.position.spent.asks) == ("accepted", 4, 4)


@pytest.mark.untraced
class TestManyAtOnce:
    def test_in_one_loop(self) -> None:
        """Two thousand runs in one loop each end with their own board and script."""

        async def crowd() -> list[Run[Pad]]:
            boards = [Pad((str(number),), left=2) for number in range(MANY)]
            runs = [arun(REFINE, board, model=script(number)) for number, board in enumerate(boards)]
            return await asyncio.gather(*runs)

        for number, result in enumerate(asyncio.run(crowd())):
            check(number, result)

    def test_that_take_turns(self) -> None:
        """Runs that share a model and give way to each other at every ask keep apart too."""

        async def crowd() -> list[Run[Pad]]:
            boards = [Pad((str(number),), left=1 + number % 3, seats=1 + number % 2) for number in range(300)]
            return await asyncio.gather(
                *(arun(ROUND, board, model=Says(echo), environment=Echo()) for board in boards)
            )

        for number, result in enumerate(asyncio.run(crowd())):
            rounds, seats = 1 + number % 3, 1 + number % 2
            assert result.board.lines[0] == str(number)
            assert len(result.board.lines) == 1 + rounds * (3 + seats)
            assert len(result.steps) == rounds * (3 + seats)

    def test_in_threads(self) -> None:
        """Two thousand runs in sixteen threads each end with their own board and script."""
        with ThreadPoolExecutor(16) as threads:
            results = threads.map(
                lambda number: run(REFINE, Pad((str(number),), left=2), model=script(number)), range(MANY)
            )
            for number, result in enumerate(results):
                check(number, result)
