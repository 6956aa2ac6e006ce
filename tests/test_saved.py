"""Saved positions, beyond what tests/test_strategy_saved.py asks of them: names that stand twice."""

import pytest
from sketches import Ballot, Pad

from machines import CoinflipPoet
from machines.coinflip_poet import Coin
from tinysmith.errors import DecodeError


class TestLoads:
    @pytest.mark.parametrize("name", ["format", "position", "side", "messages"])
    def test_a_name_twice_is_refused(self, name: str) -> None:
        """An object with a name twice is refused at every depth: readers differ on which of the two they take."""
        saved = CoinflipPoet().dumps(CoinflipPoet().start(Coin()))
        with pytest.raises(DecodeError, match="an object has a name twice"):
            CoinflipPoet().loads(saved.replace(f'"{name}": ', f'"{name}": null, "{name}": ', 1))

    def test_a_seat_twice_is_refused(self) -> None:
        """A panel's seat cannot be waited for twice."""
        saved = Ballot().dumps(Ballot().start(Pad()))
        with pytest.raises(DecodeError, match="waits at vote for what that node never asks"):
            Ballot().loads(saved.replace("vote[1]", "vote[0]"))
