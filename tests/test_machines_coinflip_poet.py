"""The first built-in strategy: a coin, a poet and a shell."""

import re

import pytest
from worlds import Broken, Echo

import machines.coinflip_poet
from machines.coinflip_poet import Coin, CoinflipPoet, Flipper, Poet
from tinysmith import Ask, Limits, ParseError, Samples, Scripted, run
from tinysmith.errors import EnvironmentLost
from tinysmith.strategy import plan_of
from tinysmith.testing import strategy_test

ROUND = ["heads", "echo 'Up'"]

TestCoinflipPoet = strategy_test(CoinflipPoet)


class TestParse:
    @pytest.mark.parametrize(
        ("reply", "side"), [("heads", "heads"), ("It is TAILS.", "tails"), ("Tails, tails!", "tails")]
    )
    def test_flipper_takes_one_side(self, reply: str, side: str) -> None:
        """The flipper takes the one side that a reply names, in any case."""
        assert Flipper().parse(Coin(), reply) == Coin(side=side)

    @pytest.mark.parametrize("reply", ["edge", "heads or tails", ""])
    def test_flipper_refuses_the_rest(self, reply: str) -> None:
        """A reply that names no side, or both, is refused."""
        with pytest.raises(ParseError, match=r"Answer either heads or tails\."):
            Flipper().parse(Coin(), reply)

    def test_poet_takes_an_echo(self) -> None:
        """The poet takes one echo command, without the space around it."""
        assert Poet().parse(Coin(side="heads"), " echo 'Up'\n") == Coin("heads", "echo 'Up'")

    @pytest.mark.parametrize("reply", ["rm -rf /", "echo a\necho b", "echo", "Here: echo a"])
    def test_poet_refuses_the_rest(self, reply: str) -> None:
        """A reply that is no single echo command is refused."""
        with pytest.raises(ParseError, match=r"Answer with one line that begins with echo\."):
            Poet().parse(Coin(), reply)


class TestRuns:
    def test_environment_over(self) -> None:
        """It goes on until the environment is over; a round costs two model calls and one step."""
        world = Echo(lasts=2)
        result = run(CoinflipPoet(), Coin(), model=Scripted(ROUND * 3), environment=world)
        assert result.outcome == "environment_over"
        assert world.actions == ["echo 'Up'"] * 2
        spent = result.position.spent
        assert (spent.asks, spent.steps) == (2 * 2 + 2, 2)
        assert result.board == Coin("heads", "echo 'Up'", "did echo 'Up'")

    def test_max_asks(self) -> None:
        """It goes on until a limit is reached."""
        limits = Limits(max_asks=4)
        result = run(CoinflipPoet(), model=Samples(CoinflipPoet), environment=Echo(), limits=limits)
        assert (result.outcome, result.position.spent.steps) == ("max_asks", 2)

    def test_prompt_shows_the_coin(self) -> None:
        """The poet is told what the coin shows."""
        result = run(CoinflipPoet(), model=Scripted(ROUND), environment=Echo())
        assert result.outcome == "recording_over"
        assert isinstance(result.steps[1].request, Ask)
        assert "A coin shows heads." in result.steps[1].request.messages[0].content

    def test_environment_lost(self) -> None:
        """A shell that dies ends it as environment_lost."""
        world = Broken(EnvironmentLost("It died."), "step")
        assert run(CoinflipPoet(), model=Scripted(ROUND), environment=world).outcome == "environment_lost"


class TestPicture:
    def test_names_every_node(self) -> None:
        """The picture in the module's docstring names every node, in the order of its edges."""
        picture = (machines.coinflip_poet.__doc__ or "").split("\n\n")[1]
        words = re.findall(r"\w+", picture)
        assert set(words) == set(plan_of(CoinflipPoet).nodes)
        assert words == ["flipper", "poet", "shell", "flipper"]
