"""`strategy_test`: a property test of a whole strategy in three lines. The one door to Hypothesis."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, get_args, get_origin

try:
    from hypothesis import HealthCheck, given, note, settings, target
    from hypothesis import strategies as st
    from hypothesis.errors import Flaky
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise ImportError("tinysmith.testing needs the package hypothesis; install it.") from error

from attrs import evolve

from tinysmith._fold import seat_of
from tinysmith._scalars import MisfitError
from tinysmith._shown import near
from tinysmith._turn import Plan
from tinysmith.errors import DecodeError, ParseError, RunError, TinysmithError, UsageError
from tinysmith.limits import Limits
from tinysmith.messages import Act, Ask, Call, Event, Failed, Observation, Reply, Result
from tinysmith.nodes import Agent, Panel, Rule, Tool, World
from tinysmith.position import Hop, Position
from tinysmith.strategy import Strategy, plan_of

B = TypeVar("B")
Invariant: TypeAlias = Callable[[Position[Any]], bool | None]
By: TypeAlias = Mapping[str, SearchStrategy[Any]]

TEST_LIMITS = Limits(max_asks=30, max_steps=20, max_calls=20)

_MUTATIONS: tuple[Callable[[str, int], str], ...] = (
    lambda text, at: text[: at % (len(text) + 1)],  # cut off
    lambda text, at: text[at % (len(text) + 1) :],
    lambda text, _at: f"{text}\n",
    lambda text, _at: f"{text} {text}",
    lambda text, _at: f"{text}\n{text}",
    lambda text, _at: text.upper(),
    lambda text, _at: text.lower(),
    lambda text, _at: text.swapcase(),
    lambda text, _at: f"```\n{text}\n```",
    lambda text, _at: f"Sure! Here it is:\n\n{text}\n\nShall I go on?",
    lambda text, at: text[: at % (len(text) + 1)] + "\N{RIGHT-TO-LEFT OVERRIDE}\x00\N{PILE OF POO}" + text,
    lambda text, _at: text.replace(" ", "\N{NO-BREAK SPACE}"),
)


def strategy_test(
    strategy: type[Strategy[B]],
    *,
    boards: SearchStrategy[B] | None = None,
    replies: By | None = None,
    observations: By | None = None,
    results: By | None = None,
    invariants: Sequence[Invariant] = (),
    limits: Limits = TEST_LIMITS,
    max_steps: int = 50,
    max_examples: int = 100,
) -> type[Any]:
    """A test class, for pytest to collect, that plays a strategy against an unhelpful model and world.

    It checks that only declared edges are taken, guards are pure and total on the boards they meet, parsers raise
    nothing but `ParseError`, limits are kept, positions survive JSON, the same events give the same run, and the
    invariants hold.

    Args:
        strategy: What is tested.
        boards: First boards; by default, boards with generated values where a field has no default.
        replies: By agent or panel: texts. By default its `samples`, mutations of them, and any text.
        observations: By world node: texts or `Observation`s. By default any text, with rewards from 0 to 1.
        results: By tool: values. By default, what Hypothesis makes of the result's declared type.
        invariants: Predicates over positions, asked after every step; False is a failure.
        limits: How much a run may spend.
        max_steps: How many events a run has at most.
        max_examples: How many runs are played.

    Raises:
        UsageError: A mapping names a node that is not there, or of another kind.
    """
    plan = plan_of(strategy)
    answers = _answers(plan, replies or {}, observations or {}, results or {})
    first = st.builds(plan.board_type) if boards is None else boards
    play = _Play(strategy(), answers, tuple(invariants), limits, max_steps)
    return _test_class(play, first, max_examples)


def _test_class(play: "_Play", first: SearchStrategy[Any], max_examples: int) -> type[Any]:
    name = play.plan.name

    @settings(
        max_examples=max_examples, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(data=st.data())
    def every_run(data: st.DataObject) -> None:
        play(data.draw(first, label="board"), data)

    def test_every_run(self: object) -> None:  # noqa: ARG001  # pytest calls a method
        """Whatever the model and the world say, the strategy keeps its promises."""
        try:
            every_run()
        except Flaky as error:
            problem = play.problem or f"{name}: the same run came out differently"
            raise AssertionError(f"{problem}. It depends on more than its board and the reply.") from error

    return type(f"Test{name}", (), {"test_every_run": test_every_run, "__doc__": f"{name}, in any run."})


def _answers(plan: Plan, replies: By, observations: By, results: By) -> dict[str, SearchStrategy[Event]]:
    _check_names(plan, replies, "replies", Agent, Panel)
    _check_names(plan, observations, "observations", World)
    _check_names(plan, results, "results", Tool)
    return {**_replies(plan, replies), **_observations(plan, observations), **_results(plan, results)}


def _check_names(plan: Plan, given: By, argument: str, *kinds: type[Any]) -> None:
    known = [name for name, kind in plan.kinds.items() if kind in kinds]
    for name in given:
        if name not in known:
            raise UsageError(
                f"{argument}= names {name!r}, which {plan.name} does not have so. {near(name, known)}"
            )


def mutations(samples: Sequence[str]) -> SearchStrategy[str]:
    """The samples, what a careless model makes of them, and any text at all."""
    if not samples:
        return st.text()
    good = st.sampled_from(list(samples))
    spoilt = st.builds(
        lambda text, mutate, at: mutate(text, at), good, st.sampled_from(_MUTATIONS), st.integers(0, 200)
    )
    return st.one_of(good, good, spoilt, st.text(max_size=40))


def _rarely(usual: SearchStrategy[Any], rare: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.integers(0, 24).flatmap(lambda draw: rare if draw == 24 else usual)


def _failures(*kinds: str) -> SearchStrategy[Event]:
    return st.builds(Failed, st.sampled_from(kinds), st.just("It failed."))


def _replies(plan: Plan, given: Mapping[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Event]]:
    answers = {}
    for name, node in plan.nodes.items():
        if isinstance(node, Agent | Panel):
            texts = given.get(name, mutations(node.samples))
            whole = texts.map(lambda text: text if isinstance(text, Reply) else Reply(text))
            spoilt = st.builds(evolve, whole, finish=st.sampled_from(["length", "content_filter"]))
            rare = st.one_of(spoilt, _failures("server", "context_overflow", "recording_over", "max_seconds"))
            answers[name] = _rarely(whole, rare)
    return answers


def _observations(plan: Plan, given: Mapping[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Event]]:
    rewards = st.sampled_from([0.0, 1.0, 0.5]) | st.floats(-1, 1)
    usual = st.builds(
        Observation, st.text(max_size=40), reward=rewards, terminated=_rarely(st.just(value=False), st.booleans())
    )
    rare = _failures("environment", "max_seconds")
    return {
        name: _rarely(given[name].map(_observation) if name in given else usual, rare)
        for name, kind in plan.kinds.items()
        if kind is World
    }


def _observation(seen: Any) -> Observation:
    return seen if isinstance(seen, Observation) else Observation(seen)


def _results(plan: Plan, given: Mapping[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Event]]:
    return {
        name: _rarely(st.builds(Result, given.get(name, _result_type(plan.nodes[name]))), _failures("tool"))
        for name, kind in plan.kinds.items()
        if kind is Tool
    }


def _claim(holds: bool, problem: str) -> None:  # noqa: FBT001  # as `assert` has it, but also under -O
    if not holds:
        raise AssertionError(problem)


def _result_type(tool: object) -> SearchStrategy[Any]:
    for kind in type(tool).__mro__:
        for base in vars(kind).get("__orig_bases__", ()):
            result = get_args(base)[1] if get_origin(base) is Tool else Any
            if result is not Any and not isinstance(result, TypeVar):
                return st.from_type(result)
    return st.text(max_size=40)


class _Play:
    """Plays one run from drawn events, and checks every step of it."""

    def __init__(
        self,
        strategy: Strategy[Any],
        answers: Mapping[str, SearchStrategy[Event]],
        invariants: tuple[Invariant, ...],
        limits: Limits,
        max_steps: int,
    ) -> None:
        self.strategy = strategy
        self.plan = plan_of(strategy)
        self.answers = answers
        self.invariants = invariants
        self.limits = limits
        self.max_steps = max_steps
        self.problem = ""

    def __call__(self, board: Any, data: st.DataObject) -> None:
        """Plays from a board; the first problem is kept, for Hypothesis cannot show one that comes and goes."""
        try:
            self._play(board, data)
        except AssertionError as error:
            self.problem = self.problem or str(error)
            raise

    def _play(self, board: Any, data: st.DataObject) -> None:
        position = self.strategy.start(board, self.limits)
        self._check(position)
        events: list[Event] = []
        seen = {position.node}
        while position.done is None and position.step < self.max_steps:
            request: Any = position.requests[0]
            if len(position.requests) > 1:
                request = data.draw(st.sampled_from(position.requests), label="which")
            event = _addressed(data.draw(self.answers[request.node], label=request.id), request.id)
            events.append(event)
            position = self._advance(position, request, event)
            seen |= {hop.target for hop in position.hops}
        target(float(len(seen)), label="nodes seen")
        self._check_replay(board, events, position)

    def _advance(self, position: Position[Any], request: Ask | Act | Call, event: Event) -> Position[Any]:
        where = f"{self.plan.name}.{position.node}"
        try:
            after = self.strategy.advance(position, event)
        except TinysmithError:
            raise
        except Exception as error:
            problem = f"{where}: answering {_said(event)} raised {type(error).__name__}: {error}."
            raise AssertionError(f"{problem} A bad reply is told by raising ParseError.") from error
        self._check_hops(position, request, event, after)
        self._check(after)
        return after

    def _check(self, position: Position[Any]) -> None:
        where = f"{self.plan.name}.{position.node}, step {position.step}"
        try:
            again = self.strategy.loads(self.strategy.dumps(position))
        except (RunError, DecodeError, MisfitError) as error:
            raise AssertionError(f"{where}: the position does not survive JSON: {error}") from error
        _claim(self.strategy.dumps(again) == self.strategy.dumps(position), f"{where}: JSON changes the position")
        spent, limits = position.spent, self.limits
        for name, value in (("asks", spent.asks), ("steps", spent.steps), ("calls", spent.calls)):
            most = getattr(limits, f"max_{name}")
            _claim(most is None or value <= most, f"{where}: {value} {name} were spent of at most {most}")
        _claim(limits.max_hops is None or len(position.hops) <= limits.max_hops, f"{where}: too many hops")
        for invariant in self.invariants:
            name = getattr(invariant, "__name__", repr(invariant))
            _claim(invariant(position) is not False, f"{where}: invariant {name} does not hold: {position.board}")

    def _check_hops(self, before: Position[Any], request: Any, event: Event, after: Position[Any]) -> None:
        """Checks that the hops are declared, and asks each guard that could have been asked twice more."""
        node = before.node
        board: Any = before.board
        for place, hop in enumerate(after.hops):
            _claim(hop.source == node, f"{self.plan.name}: a hop leaves {hop.source}, but the run was at {node}")
            _claim(hop in self._declared(node), f"{self.plan.name}.{node}: {hop} is no declared edge")
            if place == 0 and hop.index >= 0:
                board = self._board_once_more(before, request, event)
            self._check_guards(hop, board)
            node = hop.target
            rule = self.plan.nodes[node]
            if isinstance(rule, Rule):
                board = rule.apply(board)

    def _declared(self, node: str) -> tuple[Hop, ...]:
        return (*self.plan.hops[node], *self.plan.failures.get(node, ()))

    def _board_once_more(self, before: Position[Any], request: Any, event: Event) -> Any:
        try:
            return self._board_after(before, request, event)
        except ParseError as error:
            where = f"{self.plan.name}.{before.node}"
            problem = f"{where}: {_said(event)} was taken once, then refused ({error})."
            raise AssertionError(f"{problem} The node keeps something of its own.") from error

    def _board_after(self, before: Position[Any], request: Any, event: Any) -> Any:
        node: Any = self.plan.nodes[before.node]
        match event:
            case Observation():
                return node.observe(before.board, event)
            case Result(value=value):
                return node.receive(before.board, value)
        if isinstance(node, Agent):
            return node.receive(before.board, event)
        heard = sorted([*before.heard, (request, event)], key=lambda pair: seat_of(pair[0]))
        return node.parse(before.board, tuple(reply.text for _, reply in heard if isinstance(reply, Reply)))

    def _check_guards(self, hop: Hop, board: Any) -> None:
        for guard in self.plan.guards[hop.source]:
            where = f"{self.plan.name}.{hop.source}: its guard {guard.__name__}"
            try:
                verdicts = [guard(board), guard(board)]
            except Exception as error:
                problem = f"{where} raised {type(error).__name__}: {error}, on {board}."
                raise AssertionError(f"{problem} A guard answers on every board.") from error
            _claim(verdicts[0] is verdicts[1], f"{where} answered {verdicts[0]}, then {verdicts[1]}, on {board}")
            _claim(type(verdicts[0]) is bool, f"{where} answered {verdicts[0]!r}, on {board}")

    def _check_replay(self, board: Any, events: Sequence[Event], last: Position[Any]) -> None:
        position = self.strategy.start(board, self.limits)
        for event in events:
            position = self.strategy.advance(position, event)
        same = self.strategy.dumps(position) == self.strategy.dumps(last)
        _claim(same, f"{self.plan.name}: the same events gave another run; a node keeps something of its own")


def _addressed(event: Any, answers: str) -> Event:
    addressed: Event = evolve(event, answers=answers)
    note(f"{answers}: {_said(addressed)}")
    return addressed


def _said(event: Event) -> str:
    match event:
        case Reply(text=text) | Observation(text=text):
            return repr(text)
        case Result(value=value):
            return repr(value)
        case failed:
            return f"a failure ({failed.kind})"
