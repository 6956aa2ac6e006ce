"""Seconds for 100 examples of at most 50 steps: `strategy_test`, and a bare Hypothesis state machine.

The bare machine draws the same replies, in the same moods, and folds them; it checks nothing. Hypothesis chooses
a rule at every step of a state machine, also once the run is over; `strategy_test` is no state machine, which pays
for its checks and for the search before them.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from _measure import SHORT, bar, median, ratio, rounds
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import machines
from tinysmith import Strategy
from tinysmith._beginnings import first_boards
from tinysmith.strategy import plan_of
from tinysmith.testing import TEST_LIMITS, strategy_test
from tinysmith.testing._answers import answers

ROUNDS = 3 if SHORT else 7
EXAMPLES, STEPS = 100, 50
NAMES = ("TryAgain",) if SHORT else ("TryAgain", "SingleAgent", "PlannerReviewerExecutor", "Reflexion")


def bare(strategy: Strategy[Any]) -> Callable[[], None]:
    """A state machine that draws and folds, and nothing else."""
    moods = answers(plan_of(strategy), {}, {}, {})
    (board,) = first_boards(strategy)

    class Bare(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.position = strategy.start(board, TEST_LIMITS)
            self.moods: dict[str, Any] = {}

        @precondition(lambda self: self.position.done is None)
        @rule(data=st.data())
        def answer(self, data: st.DataObject) -> None:
            name = self.position.requests[0].node
            if name not in self.moods:
                options = moods[name].moods
                self.moods[name] = options[data.draw(st.integers(0, len(options) - 1))]
            self.position = strategy.advance(self.position, data.draw(self.moods[name]))

        @precondition(lambda self: self.position.done is not None)
        @rule()
        def over(self) -> None:
            pass

    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return partial(run_state_machine_as_test, Bare, settings=chosen)


def ours(strategy: type[Strategy[Any]]) -> Callable[[], None]:
    """The property test, as pytest runs it."""
    test = strategy_test(strategy, max_steps=STEPS, max_examples=EXAMPLES)
    return lambda: test().test_every_run()


def seconds(work: Callable[[], None]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    """Measures and prints."""
    for name in NAMES:
        strategy = getattr(machines, name)
        cases = {"bare machine": bare(strategy()), "strategy_test": ours(strategy)}
        measured = rounds({case: partial(seconds, work) for case, work in cases.items()}, ROUNDS)
        for case, values in measured.items():
            print(f"{name:26} {case:16} {median(values):6.2f} s for {EXAMPLES} examples")
        bar(
            f"{name}: strategy_test over a bare machine", ratio(measured, "strategy_test", "bare machine"), 2, " x"
        )


if __name__ == "__main__":
    main()
