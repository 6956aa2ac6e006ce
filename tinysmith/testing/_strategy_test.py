"""`strategy_test` and `strategy_machine`: property tests of a whole strategy."""

import unittest
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import SearchStrategy

from tinysmith._beginnings import boards_of, first_boards, needs_boards
from tinysmith.limits import Limits
from tinysmith.messages import Event
from tinysmith.protocols import Task
from tinysmith.strategy import Strategy, plan_of
from tinysmith.testing._answers import Given, Moods, answers, drawn_from
from tinysmith.testing._play import TEST_LIMITS, Play, replayed
from tinysmith.testing._properties import Invariant, Properties, marked
from tinysmith.testing._referee import Referee
from tinysmith.testing._seeds import seeds

B = TypeVar("B")

QUERIES = (
    "Do it.",
    "List the files.\nThen count them.",
    "{{ 7 * 7 }} %s {0}",
    "Que fait-on ? 何を?",
    "a " * 2_000,
)


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

    In every run: only declared edges are taken, and one is always open; guards are pure, total and boolean;
    parsers raise nothing but `ParseError`; limits and the bound on bad replies are kept; prompts are well formed;
    an illegal event raises and changes nothing; positions survive JSON; the same events give the same run, also
    after a restart at a drawn step, in a fresh object, and beside another run; and the invariants hold. What fails
    is shrunk, and told as a conversation and as a test.

    Where nothing but claims is given, the conversations that a search finds to every edge are played first, so
    that what can be covered is covered every time.

    Args:
        strategy: What is tested.
        boards: First boards; by default those that `brief` makes of plain tasks, or the board's defaults, or
            what the board's type allows where neither is enough.
        replies: By agent or panel: texts or `Reply`s. By default its `samples`, what a careless model makes of
            them, values of a `Typed` agent's type, refusals, injections, broken JSON and any text.
        observations: By world node: texts or `Observation`s. By default any text and reward, over or not.
        results: By tool: values. By default, what Hypothesis makes of the result's declared type.
        invariants: Claims: predicates over boards, or over transitions as `(before, edge, after)`, where the
            boards are those with which the edge's source was come to and left; `eventually(p)` and
            `never_after(p, q)`. Methods of a subclass that `@invariant` marks are claims, too.
        limits: How much a run may spend.
        max_steps: How many events a run has at most.
        max_examples: How many runs are drawn; by default as many as Hypothesis's profile says, which is 100.

    Raises:
        UsageError: A mapping names a node that is not there, or of another kind; or an invariant takes something
            else than a board or a transition.
    """
    table = _Table.of(strategy, boards, (replies or {}, observations or {}, results or {}), limits)
    Properties(invariants)
    name = plan_of(strategy).name

    def test_every_run(self: unittest.TestCase) -> None:
        """Whatever the model and the world say, the strategy keeps its promises."""
        __tracebackhide__ = True
        _run(table, Properties((*invariants, *marked(self))), max_steps, max_examples)

    test_every_run.is_hypothesis_test = True  # type: ignore[attr-defined]  # as Hypothesis marks its own
    body = {"test_every_run": test_every_run, "__doc__": f"{name}, in any run.", "__module__": __name__}
    return type(f"Test{name}", (unittest.TestCase,), body)


def strategy_machine(
    strategy: type[Strategy[B]],
    *,
    boards: SearchStrategy[B] | Sequence[B] | None = None,
    replies: Given | None = None,
    observations: Given | None = None,
    results: Given | None = None,
    invariants: Sequence[Invariant] = (),
    limits: Limits = TEST_LIMITS,
) -> type[RuleBasedStateMachine]:
    """The same test as a Hypothesis state machine, for those who add rules of their own.

    Its `play` has the run's `board`, `events` and `positions`. It is several times slower than `strategy_test`,
    since Hypothesis chooses among rules at every step, also when the run is over.

    The arguments are those of `strategy_test`.
    """
    table = _Table.of(strategy, boards, (replies or {}, observations or {}, results or {}), limits)
    referee = table.referee(Properties(invariants))

    class Machine(RuleBasedStateMachine):
        """One run; a rule answers what it waits for."""

        @initialize(data=st.data())
        def begin(self, data: st.DataObject) -> None:
            """Begins with a drawn board."""
            self.play = Play(referee, data.draw(table.boards, label="board"))
            self.moods: dict[str, SearchStrategy[Event]] = {}

        @precondition(lambda self: not self.play.is_over)
        @rule(data=st.data())
        def answer(self, data: st.DataObject) -> None:
            """Answers a request."""
            self.play.answer(table.drawn(self.play, self.moods, data))

        @precondition(lambda self: self.play.is_over)
        @rule()
        def over(self) -> None:
            """Nothing is left to be answered."""

        def teardown(self) -> None:
            """Checks the run as a whole."""
            if hasattr(self, "play") and not self.play.is_broken:
                self.play.finish(len(self.play.events) // 2)

    Machine.__name__ = Machine.__qualname__ = f"{plan_of(strategy).name}Machine"
    return Machine


@frozen
class _Table:
    """What is drawn for a strategy."""

    strategy: Strategy[Any]
    boards: SearchStrategy[Any]
    moods: Mapping[str, Moods]
    limits: Limits
    is_default: bool

    @classmethod
    def of(
        cls, strategy: type[Strategy[Any]], boards: Any, given: tuple[Given, Given, Given], limits: Limits
    ) -> "_Table":
        """What is drawn for a strategy, given or derived."""
        plan, made = plan_of(strategy), strategy()
        drawn = _boards(made) if boards is None else drawn_from(boards, "the first board")
        is_default = boards is None and not any(given)
        return cls(made, drawn, answers(plan, *given), limits, is_default)

    def referee(self, properties: Properties) -> Referee:
        """Who checks the runs."""
        return Referee(self.strategy, properties, self.limits)

    def drawn(self, play: Play, moods: dict[str, SearchStrategy[Event]], data: st.DataObject) -> Event:
        """An answer to one of the requests that are pending, in the mood that this run has for the node."""
        requests: Any = play.position.requests
        request = requests[0] if len(requests) == 1 else data.draw(st.sampled_from(requests), label="which")
        name = request.node
        if name not in moods:
            options = self.moods[name].moods
            moods[name] = options[data.draw(st.integers(0, len(options) - 1), label=f"mood of {name}")]
        event: Event = evolve(data.draw(moods[name], label=request.id), answers=request.id)
        return event


def _run(table: _Table, properties: Properties, max_steps: int, max_examples: int | None) -> None:
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
    except AssertionError as error:
        raise AssertionError(str(error)) from error.__cause__
    if first is not None:  # a drawn run that shows a fault is shorter, if there is one
        raise first


def _settings(max_examples: int | None) -> settings:
    profile: Any = settings.default
    return settings(
        max_examples=max_examples or profile.max_examples,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        print_blob=False,  # the report has a test instead
        report_multiple_bugs=False,
        suppress_health_check=[
            HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example,
        ],
    )  # fmt: skip


def _seeded(table: _Table, referee: Referee, max_steps: int) -> AssertionError | None:
    """Plays the conversations that a search finds, and returns the first failure."""
    if not table.is_default:
        return None
    for conversation in seeds(table.strategy, max_steps):
        try:
            replayed(referee, conversation.board, conversation.events)
        except AssertionError as error:
            return error
    return None


def _one_run(table: _Table, referee: Referee, data: st.DataObject, max_steps: int) -> None:
    play = Play(referee, data.draw(table.boards, label="board"))
    moods: dict[str, SearchStrategy[Event]] = {}
    while not play.is_over and len(play.events) < max_steps:
        play.answer(table.drawn(play, moods, data))
    play.finish(data.draw(st.integers(0, len(play.events)), label="pause"))


def _boards(strategy: Strategy[Any]) -> SearchStrategy[Any]:
    """The board that `brief` makes of plain tasks; or what the type allows, where there is no such board."""
    if needs_boards(strategy):
        return st.one_of(boards_of(strategy, st), st.builds(plan_of(strategy).board_type))
    first_boards(strategy)
    tasks = st.sampled_from([Task("task", query, instructions="Do it well.") for query in QUERIES])
    return tasks.map(lambda task: strategy.brief(task, ""))
