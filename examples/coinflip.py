"""The first lesson: two agents, a world node, and no model at all.

    python examples/coinflip.py
    python examples/coinflip.py --model groq/llama-3.1-8b-instant     # with GROQ_API_KEY set

The strategy is `machines/coinflip_poet.py`. The environment is a class of our own that understands one command,
echo; it ends after three commands.
"""

import argparse
import shlex
import sys

from machines import CoinflipPoet
from machines.coinflip_poet import Coin
from tinysmith import LLM, EnvironmentStep, Limits, Samples, Step, Task, run
from tinysmith.protocols import Info


class EchoShell:
    """Prints what `echo` is given, and is over after three commands."""

    def __init__(self) -> None:
        self.left = 3

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins again."""
        self.left = 3
        return "", {}

    async def step(self, action: str) -> EnvironmentStep:
        """Understands echo, and nothing else: what a model wrote is never run here."""
        self.left -= 1
        return EnvironmentStep(echoed(action), 0.0, terminated=self.left == 0, truncated=False, info={})

    async def close(self) -> None:
        """Has nothing to give back."""


def echoed(command: str) -> str:
    """What a shell would print: a bad command is something to be seen, not an error of the program's."""
    try:
        words = shlex.split(command)
    except ValueError as error:  # a poem with an apostrophe
        return f"syntax error: {error}"
    return " ".join(words[1:]) if words[:1] == ["echo"] else "command not found"


def show(step: Step[Coin]) -> None:
    """Prints where the run went, and what was said or seen."""
    print(f"{step.number:>2} {step.node:<7} {step.way:<20} {step.said()}")


def main() -> None:
    """Runs the strategy and prints how it ended."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", help="provider/model; without one, samples are drawn")
    name = arguments.parse_args().model
    model = LLM(name) if name else Samples(CoinflipPoet, seed=1)
    result = run(
        CoinflipPoet(), model=model, environment=EchoShell(), limits=Limits(max_asks=20), listeners=[show]
    )
    print(f"ended as {result.outcome} after {len(result.steps)} steps, {result.usage.tokens} tokens")
    print(f"the last board: {result.board}")
    if result.error:
        sys.exit(result.error.message)


if __name__ == "__main__":
    main()
