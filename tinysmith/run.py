"""`Run` and `Step`: what a run was, and what each of its steps did."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from attrs import field, frozen

from tinysmith._shown import one_line
from tinysmith._talk import complaint_in
from tinysmith.mapping import FrozenDict
from tinysmith.messages import FREE, Act, Ask, Done, Event, Failed, Observation, Reply, Request, Result, Usage
from tinysmith.position import Hop, Position
from tinysmith.protocols import Grade
from tinysmith.strategy import Strategy

if TYPE_CHECKING:
    from tinysmith.explanation import Explanation, WhyNot

B = TypeVar("B")


@frozen(weakref_slot=False)
class Step(Generic[B]):
    """One event folded.

    Attributes:
        number: From 1.
        request: What was waited for.
        event: What answered it.
        hops: The edges that it made the run take, each with the guards tried and their verdicts.
        board: The board after it.
        outcome: How the run ended, if it ended here; else empty.
        asked_again: Whether the same node asks again.
        complaint: What was wrong with the reply then, or that the prompt was too long.
    """

    number: int
    request: Request
    event: Event
    hops: tuple[Hop, ...]
    board: B
    outcome: str = ""
    asked_again: bool = False
    complaint: str = ""

    @property
    def way(self) -> str:
        """Where the run went, and why, in words."""
        if self.hops:
            return " ".join(f"→ {hop.target}" + (f" ({hop.why})" if hop.why else "") for hop in self.hops)
        if self.outcome:
            return f"■ {self.outcome}"
        return "↺ asks again" if self.asked_again else "… waits for the others"

    @property
    def node(self) -> str:
        """The node whose request was answered."""
        return "" if isinstance(self.request, Done) else self.request.node

    def said(self, width: int = 100) -> str:
        """What the event says, in one line of at most so many characters, control characters escaped."""
        match self.event:
            case Reply(text=text) | Observation(text=text):
                return one_line(text, width)
            case Result(value=value):
                return one_line(repr(value), width)
            case failed:
                return one_line(f"{failed.kind}: {failed.message}", width)


@frozen
class RunUsage:
    """What a run's replies cost.

    Attributes:
        total: All together.
        by_model: By the name of the model that answered.
        by_node: By agent or panel.
    """

    total: Usage
    by_model: FrozenDict[str, Usage]
    by_node: FrozenDict[str, Usage]

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.total.tokens

    @property
    def cost_usd(self) -> float | None:
        """US dollars; None if the price of any reply is not known."""
        return self.total.cost_usd


@frozen
class Run(Generic[B]):
    """A run that has ended, or that is paused.

    Attributes:
        strategy: The strategy's name.
        position: Where it ended.
        steps: Every step.
        task: The task's id; empty where there was none.
        opening: The environment's first observation.
        first_hops: The hops before the first step, where rules come first.
        grade: The environment's grade: of the best turn, where the strategy was shown the grades, else of the
            end; None where nothing grades.
        oracle: Whether the strategy was shown the environment's grade during the episode.
        declared: The strategy that ran.
        first_board: The board that it began with.
        run_id: Its id in the journal; empty where it was not journaled.
        is_paused: Whether it waits for a person, who decides about what `position.requests` says.
    """

    strategy: str
    position: Position[B]
    steps: tuple[Step[B], ...] = field(repr=lambda steps: f"<{len(steps)} steps>")
    task: str = field(default="", kw_only=True)
    opening: str = field(default="", kw_only=True, repr=False)
    first_hops: tuple[Hop, ...] = field(default=(), kw_only=True, repr=False)
    grade: Grade | None = field(default=None, kw_only=True)
    oracle: bool = field(default=False, kw_only=True)
    declared: Strategy[B] | None = field(default=None, kw_only=True, repr=False, eq=False)
    first_board: B | None = field(default=None, kw_only=True, repr=False)
    run_id: str = field(default="", kw_only=True, eq=False)
    is_paused: bool = field(default=False, kw_only=True)

    @property
    def outcome(self) -> str:
        """How it ended: the name of the halt, of the limit, or of what failed; "paused" while a person decides."""
        done = self.position.done
        return ("paused" if self.is_paused else "") if done is None else done.outcome

    @property
    def success(self) -> bool:
        """Whether it ended in a halt that says that this is what was wanted."""
        done = self.position.done
        return done is not None and done.success

    @property
    def solved(self) -> bool:
        """Whether the task is solved: the environment's grade alone decides; where nothing grades, the halt."""
        return self.success if self.grade is None else self.grade.solved

    @property
    def board(self) -> B:
        """The last board."""
        return self.position.board

    @property
    def error(self) -> Failed | None:
        """The failure that ended the run, if one did."""
        return self.position.error

    @property
    def seconds(self) -> float:
        """Seconds of waiting for models, environment and tools."""
        return self.position.spent.seconds

    @cached_property
    def usage(self) -> RunUsage:
        """Tokens and cost, by model and by node."""
        total = FREE
        by_model: dict[str, Usage] = {}
        by_node: dict[str, Usage] = {}
        for step in self.steps:
            if isinstance(step.event, Reply):
                usage = step.event.usage
                total += usage
                by_model[step.event.model] = by_model.get(step.event.model, FREE) + usage
                by_node[step.node] = by_node.get(step.node, FREE) + usage
        return RunUsage(total, FrozenDict(by_model), FrozenDict(by_node))

    def explain(self, step: int | None = None) -> "Explanation":
        """Why the run, or one step of it, went as it did; the answer's `str` is what a person reads.

        At every edge taken: the candidates in their order, what each guard says, and the values that it reads.
        The run is folded once more, and guards that were not asked in it are asked now, and told as such.

        Args:
            step: The step's number, or 0 for what came before the first step; None for all.

        Raises:
            UsageError: There is no such step, the run does not hold its strategy, or folding it once more comes
                out differently, since a node or a guard keeps something of its own.
        """
        from tinysmith._explainer import explain  # noqa: PLC0415  # explanations stand above what they explain

        return explain(self, step)

    def why_not(self, name: str) -> "WhyNot":
        """Why the run never came to a node, or did not end as asked; the answer's `str` is what a person reads.

        It names the guards at which the run turned off: on the edges that lead to the node or, where the run came
        to none of the nodes that these leave, on the edges that lead nearest.

        Args:
            name: A node, most often a halt; or an outcome, such as "max_asks".

        Raises:
            UsageError: There is no such node or outcome, or the run cannot be folded once more, as in `explain`.
        """
        from tinysmith._why_not import why_not  # noqa: PLC0415  # as above

        return why_not(self, name)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What notebooks show: the strategy with this run's path."""
        from tinysmith.drawing import mimebundle  # noqa: PLC0415  # the pictures stand above what they draw

        return {"text/plain": repr(self)} if self.declared is None else mimebundle(self.declared, run=self)


def step_between(before: Position[B], request: Request, event: Event, after: Position[B]) -> Step[B]:
    """What the event that answers `request` did between two positions."""
    done = after.done
    asked_again = not after.hops and after.spent.asks > before.spent.asks
    return Step(
        after.step,
        request,
        event,
        after.hops,
        after.board,
        "" if done is None else done.outcome,
        asked_again,
        _complaint(request, before, after) if asked_again else "",
    )


def _complaint(request: Request, before: Position[B], after: Position[B]) -> str:
    """Why a node asks again; of a panel, what is wrong with this seat's reply, or with the first bad one."""
    again = next((other for other in after.requests if other.id == request.id), after.requests[0])
    if after.shortened and not before.shortened:
        return "The prompt was too long."
    return complaint_in(cast("Ask", request).messages, cast("Ask", again).messages)


def best_grade(steps: tuple[Step[B], ...], last: Grade | None) -> tuple[Grade | None, bool]:
    """A run's grade (its best turn's, if it was shown grades; else the last), and whether it was shown any."""
    best = None
    oracle = False
    for step in steps:
        if isinstance(step.request, Act) and step.request.grade and isinstance(step.event, Observation):
            shown = step.event.info.get("grade")
            oracle = oracle or shown is not None
            if shown is not None and (best is None or shown["score"] > best.score):
                best = Grade(shown["score"], shown["solved"], shown["parts"])
    return (last if best is None else best), oracle
