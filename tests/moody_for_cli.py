"""Strategies with a node that remembers, which no node may do; the command line's tests load them by name."""

from itertools import count
from typing import Any

from attrs import evolve, frozen

from tinysmith import Agent, Edge, Halt, Strategy


@frozen
class Slip:
    """A board."""

    rounds_left: int = 3
    is_lucky: bool = False


def is_lucky(slip: Slip) -> bool:
    """Luck has it."""
    return slip.is_lucky


def is_spent(slip: Slip) -> bool:
    """No round is left."""
    return slip.rounds_left == 0


class Gambler(Agent[Slip]):
    """Is lucky at the fifth reply that it ever hears: that of the second step, when it is folded along."""

    def __init__(self) -> None:
        self.heard = count(1)

    def prompt(self, slip: Slip, /) -> str:
        return "Say something."

    def parse(self, slip: Slip, reply: str, /) -> Slip:
        return evolve(slip, rounds_left=slip.rounds_left - 1, is_lucky=next(self.heard) == 5)


class Brittle(Gambler):
    """Breaks where that one would be lucky."""

    def parse(self, slip: Slip, reply: str, /) -> Slip:
        slip = super().parse(slip, reply)
        if slip.is_lucky:
            raise KeyError("planted")
        return slip


class Moody(Strategy[Slip]):
    """A gambler plays until it is lucky, or spent."""

    gambler: Agent[Slip] = Gambler()
    won = Halt(success=True)
    gave_up = Halt()
    initial = gambler
    edges: tuple[Edge[Any], ...] = (
        gambler.to(won, when=is_lucky),
        gambler.to(gave_up, when=is_spent),
        gambler.to(gambler),
    )


class Breaking(Moody):
    """As Moody, with a gambler that breaks."""

    gambler = Brittle()
