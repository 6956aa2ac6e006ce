"""A coin is flipped, a poet writes about it, the shell prints the poem; again and again.

    flipper --> poet --> shell --> flipper

The first lesson: two agents and a world node, no guard, no halt. It runs until a limit or the environment ends
it. Source: the first example of TinyAgentSmith (Python, 2025).
Costs: `2 * n` model calls and n environment steps for n poems; each reply that is asked again costs one call more.
"""

from typing import ClassVar

from attrs import evolve, frozen

from tinysmith import Agent, Observation, ParseError, Strategy, World


@frozen
class Coin:
    """The board that flipper and poet share.

    Attributes:
        side: What the coin shows, "heads" or "tails"; written by the flipper, empty before the first flip.
        command: What the shell shall run; written by the poet.
        printed: What the shell printed last.
    """

    side: str = ""
    command: str = ""
    printed: str = ""


class Flipper(Agent[Coin]):
    """Flips a coin."""

    samples = ("heads", "It is tails.")

    def prompt(self, coin: Coin, /) -> str:
        """Asks for one of two words."""
        return 'Flip a coin. Answer only with "heads" or "tails".'

    def parse(self, coin: Coin, reply: str, /) -> Coin:
        """Takes the one side that the reply names."""
        sides = [side for side in ("heads", "tails") if side in reply.lower()]
        if len(sides) != 1:
            raise ParseError("Answer either heads or tails.")
        return evolve(coin, side=sides[0])


class Poet(Agent[Coin]):
    """Writes a command that prints a poem about the coin."""

    samples = ("echo 'Heads up, says the coin'", "echo 'Tails, and the tale ends'")

    def prompt(self, coin: Coin, /) -> str:
        """Asks for one echo command."""
        return f"A coin shows {coin.side}. Answer with one shell command that echoes a one-line poem about it."

    def parse(self, coin: Coin, reply: str, /) -> Coin:
        """Takes a reply that is one echo command."""
        command = reply.strip()
        if not command.startswith("echo ") or "\n" in command:
            raise ParseError("Answer with one line that begins with echo.")
        return evolve(coin, command=command)


class Shell(World[Coin]):
    """Runs the poet's command."""

    def action(self, coin: Coin, /) -> str:
        """The poet's command."""
        return coin.command

    def observe(self, coin: Coin, seen: Observation, /) -> Coin:
        """Keeps what was printed."""
        return evolve(coin, printed=seen.text)


class CoinflipPoet(Strategy[Coin]):
    """A coin is flipped, a poet writes about it, the shell prints the poem; again and again."""

    flipper = Flipper()
    poet = Poet()
    shell = Shell()

    initial = flipper
    edges = (
        flipper.to(poet),
        poet.to(shell),
        shell.to(flipper),
    )
    allow: ClassVar = {"paid-after-end": "it has no guards; the next action ends the run, two asks later"}
