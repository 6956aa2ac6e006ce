"""`strategy_test`: a property test of a whole strategy in three lines. The one door to Hypothesis."""

import re
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

from tinysmith._referee import Invariant, Referee, said
from tinysmith._shown import near
from tinysmith._turn import Plan
from tinysmith.errors import UsageError
from tinysmith.limits import Limits
from tinysmith.messages import Event, Failed, Observation, Reply, Result
from tinysmith.nodes import Agent, Panel, Tool, World
from tinysmith.strategy import Strategy, plan_of
from tinysmith.typed import Typed

B = TypeVar("B")
By: TypeAlias = Mapping[str, SearchStrategy[Any]]

TEST_LIMITS = Limits(max_asks=30, max_steps=20, max_calls=20)

Mutation: TypeAlias = Callable[[str, int], str]

_MUTATIONS: tuple[Mutation, ...] = (
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
_VALUE = re.compile(r":[^,}\]]*")
_JSON_MUTATIONS: tuple[Mutation, ...] = (
    lambda text, _at: re.sub(r"([}\]])", r",\1", text),
    lambda text, _at: text.replace('"', "'"),
    lambda text, _at: text.replace("{", '{"extra": [null], ', 1),
    lambda text, _at: _VALUE.sub(": 3", text, count=1),
    lambda text, _at: _VALUE.sub(": NaN", text, count=1),
    lambda text, _at: f"{{}}\n{text}",
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
        replies: By agent or panel: texts. By default its `samples`, mutations of them, and any text;
            of a `Typed` agent also values of its reply type, and near-JSON.
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
    play = _Play(Referee(strategy(), invariants, limits), answers, max_steps)
    return _test_class(plan.name, play, first, max_examples)


def _test_class(name: str, play: "_Play", first: SearchStrategy[Any], max_examples: int) -> type[Any]:
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
    return st.one_of(good, good, _spoilt(good, _MUTATIONS), st.text(max_size=40))


def _spoilt(good: SearchStrategy[str], mutations: Sequence[Mutation]) -> SearchStrategy[str]:
    return st.builds(
        lambda text, mutate, at: mutate(text, at), good, st.sampled_from(mutations), st.integers(0, 200)
    )


def typed_replies(kind: Any) -> SearchStrategy[str]:
    """Values of a type as JSON, and what a careless model makes of them."""
    good = _written(kind)
    return st.one_of(good, good, _spoilt(good, (*_MUTATIONS, *_JSON_MUTATIONS)))


def _texts(node: Agent[Any] | Panel[Any]) -> SearchStrategy[str]:
    texts = mutations(node.samples)
    return texts | typed_replies(node.reply_type) if isinstance(node, Typed) else texts


@st.composite
def _written(draw: st.DrawFn, kind: Any) -> str:
    from tinysmith._replies import written  # noqa: PLC0415  # msgspec, which few programs need

    try:
        return written(draw(st.from_type(kind)))
    except ValueError:  # of a validator; what it refuses, no reply can be
        return "{}"


def _rarely(usual: SearchStrategy[Any], rare: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.integers(0, 24).flatmap(lambda draw: rare if draw == 24 else usual)


def _failures(*kinds: str) -> SearchStrategy[Event]:
    return st.builds(Failed, st.sampled_from(kinds), st.just("It failed."))


def _replies(plan: Plan, given: Mapping[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Event]]:
    answers = {}
    for name, node in plan.nodes.items():
        if isinstance(node, Agent | Panel):
            texts = given.get(name, _texts(node))
            whole = texts.map(lambda text: text if isinstance(text, Reply) else Reply(text))
            spoilt = st.builds(evolve, whole, finish=st.sampled_from(["length", "content_filter"]))
            rare = st.one_of(spoilt, _failures("server", "context_overflow", "recording_over", "max_seconds"))
            answers[name] = _rarely(whole, rare)
    return answers


def _observations(plan: Plan, given: Mapping[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Event]]:
    rewards = st.sampled_from([0.0, 1.0, 0.5]) | st.floats(-1, 1)
    usual = st.builds(
        Observation, st.text(max_size=40), reward=rewards, terminated=st.integers(0, 7).map(lambda draw: draw == 7)
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


def _result_type(tool: object) -> SearchStrategy[Any]:
    for kind in type(tool).__mro__:
        for base in vars(kind).get("__orig_bases__", ()):
            result = get_args(base)[1] if get_origin(base) is Tool else Any
            if result is not Any and not isinstance(result, TypeVar):
                return st.from_type(result)
    return st.text(max_size=40)


class _Play:
    """Plays one run from drawn events, and checks every step of it."""

    def __init__(self, referee: Referee, answers: Mapping[str, SearchStrategy[Event]], max_steps: int) -> None:
        self.referee = referee
        self.answers = answers
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
        position = self.referee.strategy.start(board, self.referee.limits)
        self.referee.check(position)
        events: list[Event] = []
        seen = {position.node}
        while position.done is None and position.step < self.max_steps:
            request: Any = position.requests[0]
            if len(position.requests) > 1:
                request = data.draw(st.sampled_from(position.requests), label="which")
            event = _addressed(data.draw(self.answers[request.node], label=request.id), request.id)
            events.append(event)
            position = self.referee.advance(position, request, event)
            seen |= {hop.target for hop in position.hops}
        target(float(len(seen)), label="nodes seen")
        self.referee.check_replay(board, events, position)


def _addressed(event: Any, answers: str) -> Event:
    addressed: Event = evolve(event, answers=answers)
    note(f"{answers}: {said(addressed)}")
    return addressed
