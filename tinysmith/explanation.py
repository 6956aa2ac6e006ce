"""Why a run went as it did, and why it did not go elsewhere: what `Run.explain` and `Run.why_not` answer."""

from collections import Counter

from attrs import field, frozen

from tinysmith.mapping import FrozenDict


@frozen
class Candidate:
    """An edge that might have been taken.

    Attributes:
        index: Which of the node's edges it is, from 0, in declared order; -1 for the failure edge.
        label: The guard's name, or "otherwise", "always" or "fails".
        target: Where it leads.
        verdict: The guard's answer; None where there is no guard, or where it raised.
        misbehaved: What a guard did that was not asked in the run and cannot answer: `raises ValueError`.
        reads: The board's fields that the guard reads, in its order, each with its value in one line.
        doc: The first line of the guard's docstring.
        asked: Whether the run asked the guard; it asks none behind the edge that it takes.
        taken: Whether the run took it.
    """

    index: int
    label: str
    target: str
    verdict: bool | None = None
    misbehaved: str = field(default="", kw_only=True)
    reads: FrozenDict[str, str] = field(default=FrozenDict(), kw_only=True)
    doc: str = field(default="", kw_only=True)
    asked: bool = field(default=False, kw_only=True)
    taken: bool = field(default=False, kw_only=True)

    @property
    def answer(self) -> str:
        """What the guard says, in words; of an edge without one, whether it was taken."""
        if self.verdict is None and not self.misbehaved:
            return "taken" if self.taken else "not needed"
        said = self.misbehaved or ("yes" if self.verdict else "no")
        return said if self.asked else f"{said}, not asked in the run"


@frozen
class ExplainedHop:
    """One edge taken, and those that were not.

    Attributes:
        step: The step's number.
        source: The node that the run left.
        target: The node that it came to.
        candidates: The edges that leave the source, in the order in which they are tried; where its request
            failed, the failure edge alone.
    """

    step: int
    source: str
    target: str
    candidates: tuple[Candidate, ...]

    @property
    def taken(self) -> Candidate:
        """The edge that was taken."""
        return next(candidate for candidate in self.candidates if candidate.taken)

    @property
    def lines(self) -> tuple[str, ...]:
        """The hop, and the candidates, a line each; the one taken is marked."""
        way = f"{self.source} → {self.target}"
        if len(self.candidates) == 1 and self.taken.verdict is None:
            return (f"{way}, its {'failure' if self.taken.index < 0 else 'only'} edge",)
        return (way, *(f"  {row}" for row in self.rows))

    @property
    def rows(self) -> tuple[str, ...]:
        """The candidates, a line each."""
        cells = [(f"{place}. {each.label}", each) for place, each in enumerate(self.candidates, start=1)]
        widths = [
            max(map(len, column))
            for column in zip(*((label, each.target, each.answer) for label, each in cells), strict=True)
        ]
        return tuple(
            f"{'▸' if each.taken else ' '} {label:<{widths[0]}} → {each.target:<{widths[1]}}  "
            f"{each.answer:<{widths[2]}}  {_shown(each.reads)}".rstrip()
            for label, each in cells
        )


@frozen
class ExplainedStep:
    """Why a step did what it did.

    Attributes:
        number: From 1; 0 for what came before the first step.
        said: Who was answered, with what, in one line.
        hops: The edges that it made the run take; none where the run stayed.
        reason: Why it went no further, where no edge tells it: what was wrong with the reply, the limit that was
            reached, the failure.
    """

    number: int
    said: str
    hops: tuple[ExplainedHop, ...]
    reason: str = ""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Those of all its hops."""
        return tuple(candidate for hop in self.hops for candidate in hop.candidates)

    @property
    def lines(self) -> tuple[str, ...]:
        """The hops with their candidates, and the reason, a line each."""
        lines = tuple(line for hop in self.hops for line in hop.lines)
        return (*lines, self.reason) if self.reason else lines


@frozen
class Explanation:
    """Why a run, or one step of it, went as it did; its `str` is what a person reads.

    Attributes:
        strategy: The strategy's name.
        steps: What is explained, step by step.
    """

    strategy: str
    steps: tuple[ExplainedStep, ...] = field(repr=lambda steps: f"<{len(steps)} steps>")

    @property
    def hops(self) -> tuple[ExplainedHop, ...]:
        """Those of all its steps."""
        return tuple(hop for step in self.steps for hop in step.hops)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Those of all its hops."""
        return tuple(candidate for hop in self.hops for candidate in hop.candidates)

    def __str__(self) -> str:
        blocks = (
            [f"{self.strategy}, step {step.number}: {step.said}", *(f"  {line}" for line in step.lines)]
            for step in self.steps
        )
        return "\n".join(line for block in blocks for line in block)


@frozen
class Miss:
    """An edge that a run would have had to take, and the times when it might have.

    Attributes:
        source: The node that the edge leaves.
        target: Where it leads.
        index: Which of the source's edges it is, from 0; -1 for the failure edge.
        label: Its guard's name, or "otherwise", "always" or "fails".
        doc: The first line of the guard's docstring.
        times: The hops by which the run left the source instead, in order.
        stayed: Why the run did not leave the source, the last time; empty if it did.
    """

    source: str
    target: str
    index: int
    label: str
    doc: str
    times: tuple[ExplainedHop, ...]
    stayed: str = ""

    def kept(self, hop: ExplainedHop) -> str:
        """What kept a hop from taking this edge, in words."""
        taken = hop.taken
        if self.index < 0:
            return f"{self.source} did not fail"
        if taken.index < 0:
            return f"{self.source} failed"
        return f"{self.label} said no" if hop.candidates[self.index].asked else f"{taken.label} came before it"

    @property
    def lines(self) -> tuple[str, ...]:
        """The edge, the latest time in full, and the earlier ones counted."""
        words = {
            "always": "is its only edge",
            "otherwise": "needs that no guard before it holds",
            "fails": f"needs that {self.source} fails",
        }
        doc = f": {self.doc}" if self.doc else ""
        lines = [f"{self.source} → {self.target} {words.get(self.label, f'needs {self.label}')}{doc}"]
        if self.times:
            *earlier, latest = self.times
            when = f"step {latest.step}" if latest.step else "before step 1"
            lines += (f"  {when}, {self.kept(latest)}:", *(f"    {line}" for line in latest.lines))
            for kept, count in Counter(map(self.kept, earlier)).items():
                lines.append(f"  before that, {kept} {count} time{'s' * (count != 1)}")
        if self.stayed:
            lines.append(f"  {self.stayed}")
        return tuple(lines)


@frozen
class WhyNot:
    """Why a run never came to a node, or did not end as asked; its `str` is what a person reads.

    Attributes:
        strategy: The strategy's name.
        name: The node, or the outcome, that is asked about.
        happened: Whether the run did come there, or did end so.
        answer: The whole answer in one or two sentences.
        visits: The steps at which the run came to the node; 0 stands for what came before the first.
        way: The nodes from the nearest one that the run came to, to the one that is asked about.
        misses: The edges that the run did not take on such ways.
        unreached: The nodes from which an edge leads to it, and to which the run never came.
    """

    strategy: str
    name: str
    happened: bool
    answer: str
    visits: tuple[int, ...] = ()
    way: tuple[str, ...] = ()
    misses: tuple[Miss, ...] = ()
    unreached: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self.answer, *(f"  {line}" for miss in self.misses for line in miss.lines)]
        lines += (f"  {source} → {self.name}: the run never came to {source}" for source in self.unreached)
        return "\n".join(lines)


def _shown(reads: FrozenDict[str, str]) -> str:
    return "  ".join(f"{name}={value}" for name, value in reads.items())
