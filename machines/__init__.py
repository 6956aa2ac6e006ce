"""The built-in strategies, each one readable file."""

from machines.coinflip_poet import CoinflipPoet
from machines.try_again import TryAgain

__all__ = ["CoinflipPoet", "TryAgain"]
