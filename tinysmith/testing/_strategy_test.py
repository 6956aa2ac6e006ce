"""`strategy_test`: a property test of a whole strategy in three lines."""

import unittest
from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from tinysmith._generated import CannotGenerateError
from tinysmith.errors import UsageError
from tinysmith.limits import Limits
from tinysmith.messages import Event
from tinysmith.strategy import Strategy, plan_of
from tinysmith.testing._answers import Given
from tinysmith.testing._play import FaultError, Play, replayed
from tinysmith.testing._properties import Invariant, Properties, marked
from tinysmith.testing._referee import TEST_LIMITS, Referee
from tinysmith.testing._seeds import seeds
from tinysmith.testing._shortening import shortened_fault
from tinysmith.testing._table import Table

B = TypeVar("B")


def strategy_test(
    strategy: type[Strategy[B]],
    *,
    boards: SearchStrategy[B] | Sequence[B] | None = None,
    replies: Given | None = None,
    observations: Given | None = None,
    results: Given | None = None,
    invariants: Sequence[Invariant] = (),
    limits: Limits = TEST_LIMITS,
    max_steps: int = 50,
    max_examples: int | None = None,
) -> type[Any]:
    """A test class, for pytest and unittest, that plays a strategy against an unhelpful model and world.

    What is checked of a run is in docs/testing.md. What fails is shrunk, and told as a conversation and as a test.

    Args:
        strategy: What is tested.
        boards: First boards; by default `brief`'s, or the board's defaults, or what its type allows.
        replies: By agent or panel: texts or `Reply`s. By default good, careless, hostile and any ones.
        observations: By world node: texts or `Observation`s. By default any text and reward, over or not.
        results: By tool: values. By default those of its declared type.
        invariants: Claims about boards `(board)`, transitions `(before, edge, after)`, or runs (`eventually(p)`,
            `never_after(p, q)`). Methods of a subclass that `@invariant` marks are claims, too.
        limits: How much a run may spend.
        max_steps: How many events a run has at most.
        max_examples: How many runs are drawn; by default as many as Hypothesis's profile says, which is 100.

    Raises:
        UsageError: A mapping names a node that is not there, or of another kind; a claim takes something else; or
            nothing would be played.
    """
    if max_steps < 1 or (max_examples is not None and max_examples < 1):
        raise UsageError(f"max_steps={max_steps} and max_examples={max_examples} play nothing. Give 1 or more.")
    table = Table.of(strategy, boards, (replies or {}, observations or {}, results or {}), limits)
    return _test_class(table, Properties(invariants), max_steps, max_examples)


def _test_class(table: Table, claims: Properties, max_steps: int, max_examples: int | None) -> type[Any]:
    name = plan_of(table.strategy).name

    def test_every_run(self: unittest.TestCase) -> None:
        """Whatever the model and the world say, the strategy keeps its promises."""
        __tracebackhide__ = True
        _run(table, Properties((*claims.given, *marked(self))), max_steps, max_examples)

    test_every_run.is_hypothesis_test = True  # type: ignore[attr-defined]  # as Hypothesis marks its own
    body = {"test_every_run": test_every_run, "__doc__": f"{name}, in any run.", "__module__": __name__}
    return type(f"Test{name}", (unittest.TestCase,), body)


def _run(table: Table, properties: Properties, max_steps: int, max_examples: int | None) -> None:
    """Plays what a search finds, and then as many drawn runs as are asked for."""
    __tracebackhide__ = True  # what failed is in the message; how it was looked for is of no use
    referee = table.referee(properties)
    first = _seeded(table, referee, max_steps)
    problem = ""

    def every_run(data: st.DataObject) -> None:
        nonlocal problem
        try:
            _one_run(table, referee, data, max_steps)
        except AssertionError as error:
            problem = problem or str(error)  # of a fault that comes and goes, Hypothesis shows none
            raise

    every_run.__name__ = f"every_run_of_{plan_of(table.strategy).name}"  # Hypothesis keeps failures by this name
    try:
        _settings(max_examples)(given(data=st.data())(every_run))()
    except Flaky:
        lines = problem or f"{plan_of(table.strategy).name}: the same run came out differently."
        told, _, rest = lines.partition("\n")
        raise AssertionError(f"{told} It depends on more than its board and the reply.\n{rest}") from None
    except FaultError as error:
        first = error  # it was made as small as Hypothesis can
    if first is not None:
        shortest = shortened_fault(referee, first)
        raise shortest.plainly() from shortest.__cause__


def _settings(max_examples: int | None) -> settings:
    profile: Any = settings.default
    return settings(
        max_examples=max_examples or profile.max_examples,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        print_blob=False,  # the report has a test instead
        report_multiple_bugs=False,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
            HealthCheck.filter_too_much,  # of validators that refuse most
        ],
    )


def _seeded(table: Table, referee: Referee, max_steps: int) -> FaultError | None:
    """Plays the conversations that a search finds, and returns the first failure."""
    if not table.is_default:
        return None
    try:
        for conversation in seeds(table.strategy, max_steps):
            replayed(referee, conversation.board, conversation.events)
    except CannotGenerateError:  # of a type that hardly any value fits; drawing goes on trying
        return None
    except FaultError as error:
        return error
    return None


def _one_run(table: Table, referee: Referee, data: st.DataObject, max_steps: int) -> None:
    play = Play(referee, data.draw(table.boards, label="board"))
    moods: dict[str, SearchStrategy[Event]] = {}
    while not play.is_over and len(play.events) < max_steps:
        play.answer(table.drawn(play, moods, data))
    play.finish(data.draw(st.integers(0, len(play.events)), label="pause"))
