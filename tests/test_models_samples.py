"""A model that draws among the replies that each agent declares as good ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import Ballot, Pad, Refine, Round
from worlds import Echo

from tinysmith import Agent, Halt, Limits, Run, Samples, Strategy, Task, run
from tinysmith.errors import UsageError


class Speechless(Agent[Pad]):
    """Declares no samples."""

    def prompt(self, pad: Pad, /) -> str:
        return "Speak."

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        return pad


class Wordless(Strategy[Pad]):
    """Its agent declares no samples."""

    writer = Speechless()
    done = Halt()

    initial = writer
    edges = (writer.to(done),)


def drawn(seed: int, task: Task | None = None) -> tuple[str, ...]:
    """What is said in a run with that seed."""
    result: Run[Pad] = run(Refine(), Pad(left=9), model=Samples(Refine, seed=seed), task=task, limits=Limits())
    return result.board.lines


class TestSamples:
    @settings(max_examples=20, deadline=None)
    @given(st.integers(), st.text(max_size=5))
    def test_same_seed_same_run(self, seed: int, task: str) -> None:
        """The same seed and task always give the same run."""
        assert drawn(seed, Task(task)) == drawn(seed, Task(task))

    def test_differ_by_seed(self) -> None:
        """Other seeds give other runs."""
        assert len({drawn(seed) for seed in range(20)}) > 3

    def test_differ_by_task(self) -> None:
        """Each task has draws of its own."""
        assert len({drawn(0, Task(str(number))) for number in range(20)}) > 3

    def test_are_the_nodes_own(self) -> None:
        """An agent or a panel says what it declares, at no cost."""
        result = run(Round(), Pad(), model=Samples(Round()), environment=Echo(), limits=Limits())
        said = {step.node: step.event for step in result.steps}
        assert getattr(said["vote"], "text", "") in Ballot.vote.samples
        assert getattr(said["writer"], "text", "") in Round.writer.samples
        assert (result.usage.cost_usd, set(result.usage.by_model)) == (0.0, {"samples"})

    def test_missing(self) -> None:
        """A strategy with an agent that declares none is refused by the agent's name."""
        with pytest.raises(
            UsageError, match=r"Wordless: writer has no samples to draw from\. Declare some: samples ="
        ):
            Samples(Wordless)
