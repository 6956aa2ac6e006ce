"""What a search answers each node with: finite sets of replies, observations and results, by node."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs
from attrs import evolve, frozen

from tinysmith._generated import CannotGenerateError, result_values, typed_texts
from tinysmith._shown import near
from tinysmith._turn import Plan
from tinysmith.errors import UsageError
from tinysmith.messages import Event, Failed, Observation, Reply, Result
from tinysmith.nodes import Agent, Node, Panel, Tool, World
from tinysmith.typed import Typed

Given: TypeAlias = Mapping[str, Any]

SEEN = (
    Observation("ok"),
    Observation("", reward=1.0),
    Observation("Error: there is no such thing"),
    Observation("ok", reward=1.0, terminated=True),
    Observation("", terminated=True),
)
"""What an environment shows: something, nothing, an error; with and without a reward; over or not."""

MOST_WORDS = 6
LONGEST_WORD = 60
"""In characters."""

MOST_VALUES = 6
"""Values of a type that stand for all of them."""


@frozen
class Alphabet:
    """What each node may be answered with.

    Attributes:
        narrow: By node, what an exhaustive search tries; failures last.
        wide: By node, what walks draw from: careless variants of the samples too.
    """

    narrow: Mapping[str, tuple[Event, ...]]
    wide: Mapping[str, tuple[Event, ...]]


def alphabet(
    plan: Plan,
    *,
    replies: Given | None = None,
    observations: Given | None = None,
    results: Given | None = None,
    has_failures: bool = True,
) -> Alphabet:
    """The alphabet of a strategy; what is given for a node is all that the node is answered with.

    Raises:
        UsageError: A mapping names a node that is not there, or of another kind; or nothing is known of what a
            node could be answered with.
    """
    check_names(plan, replies or {}, "replies", Agent, Panel)
    check_names(plan, observations or {}, "observations", World)
    check_names(plan, results or {}, "results", Tool)
    given = {**(replies or {}), **(observations or {}), **(results or {})}
    narrow, wide = {}, {}
    for name, node in plan.nodes.items():
        kind = plan.kinds[name]
        if kind in _WAYS_TO_FAIL:
            few, many = _answers(plan, name, given.get(name))
            failures = _failures(node, kind) if has_failures else ()
            narrow[name] = (*few, *failures)
            wide[name] = (*many, *failures)
    return Alphabet(narrow, wide)


def words(plan: Plan, *readers: Callable[..., Any]) -> tuple[str, ...]:
    """Texts that guards and other readers speak of, as in `"PASSED" in board.output`: some are waited for."""
    guards = [guard for leaving in plan.guards.values() for guard in leaving]
    found = (text for reader in (*guards, *readers) for text in _constants(reader))
    fields = {part.name for part in attrs.fields(plan.board_type)}  # what calls name is among the constants
    short = (text for text in found if 0 < len(text) <= LONGEST_WORD and text not in fields)
    return tuple(dict.fromkeys(short))[:MOST_WORDS]


def _constants(function: Callable[..., Any]) -> Iterator[str]:
    code = getattr(function, "__code__", None)
    stack: list[Any] = list(getattr(code, "co_consts", ()))
    while stack:
        value = stack.pop(0)
        if isinstance(value, str) and value != function.__doc__:
            yield value
        elif isinstance(value, tuple | frozenset):
            stack += sorted(value, key=repr)


def addressed(events: Sequence[Event], request: Any) -> Sequence[Event]:
    """The events as answers to a request, which of a panel is one of several."""
    return [evolve(event, answers=request.id) for event in events] if request.id != request.node else events


def check_names(plan: Plan, given: Given, argument: str, *kinds: type[Node[Any]]) -> None:
    """Refuses what is given for nodes that are not there, or of another kind."""
    known = [name for name, kind in plan.kinds.items() if kind in kinds]
    for name in given:
        if name not in known:
            raise UsageError(
                f"{argument}= names {name!r}, which {plan.name} does not have so. {near(name, known)}"
            )


def variants(text: str) -> tuple[str, ...]:
    """What a careless model makes of a reply: cut off, lengthened, doubled, in another case, talked around."""
    cut = [text[:-count] for count in range(1, 5) if len(text) > count]
    longer = [f"{text} {number}" for number in range(2, 6)]
    return (*cut, *longer, f"{text}\n{text}", text.lower(), text.upper(), f"Sure! Here it is:\n\n{text}")


_WAYS_TO_FAIL: dict[type[Node[Any]], str] = {
    Agent: "server",
    Panel: "server",
    World: "environment",
    Tool: "tool",
}
"""The kinds of node that wait for an answer, each with how its request fails."""


def _failures(node: Any, kind: type[Node[Any]]) -> tuple[Event, ...]:
    failed: Event = Failed(_WAYS_TO_FAIL[kind], "It failed.")
    shortens = kind in (Agent, Panel) and type(node).shorten not in (Agent.shorten, Panel.shorten)
    return (failed, Failed("context_overflow", "The prompt is too long.")) if shortens else (failed,)


def _answers(plan: Plan, name: str, given: Any) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """The few answers and the many."""
    kind = plan.kinds[name]
    node: Any = plan.nodes[name]
    if given is not None:
        exactly = tuple(_event(kind, value, name) for value in _listed(given, name))
        return exactly, exactly
    if kind is World:
        seen = (*SEEN, *map(Observation, words(plan, node.observe)))
        return seen, seen
    if kind is Tool:
        results = tuple(Result(value) for value in _generated(_results(node), "result", name))
        return results, results
    texts = _generated(_texts(node), "reply", name)
    few = tuple(map(Reply, texts))
    return few, (*few, *(Reply(other) for text in texts for other in variants(text)))


def _generated(values: Sequence[Any], what: str, name: str) -> Sequence[Any]:
    if values:
        return values
    problem = f"No {what} of {name} could be generated, since its type refuses all that were tried"
    many = {"reply": "replies", "result": "results"}[what]
    raise CannotGenerateError(f"{problem}: give some by {many}={{{name!r}: […]}}.")


def _listed(given: Any, name: str) -> Sequence[Any]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"What {name} is answered with is a {type(given).__name__}. Give a list of answers.")
    listed = tuple(given)
    if not listed:
        raise UsageError(f"The list of what {name} is answered with is empty. Give one answer at least.")
    return listed


def _event(kind: type[Node[Any]], value: Any, name: str) -> Event:
    event: Any = Observation if kind is World else Result if kind is Tool else Reply
    if isinstance(value, event | Failed):
        answer: Event = value
        return answer
    if event is not Result and not isinstance(value, str):
        problem = f"{name} is answered with {value!r:.80}"
        raise UsageError(f"{problem}. Give texts, or objects of {event.__name__} or Failed.")
    made: Event = event(value)
    return made


def _texts(node: Any) -> Sequence[str]:
    if node.samples or not isinstance(node, Typed):
        return tuple(node.samples) or ("yes", "no", "Some text.")
    return typed_texts(node.reply_type, MOST_VALUES)


def _results(node: Any) -> Sequence[Any]:
    return result_values(node, MOST_VALUES)
