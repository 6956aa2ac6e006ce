"""tinysmith/explanation.py, _explainer.py: why a run went as it did."""

import pickle
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sketches import Ballot, Count, Lookup, Pad, Refine, Rescue, Round, Spin, Writer, has_left
from worlds import Echo, Says

from tinysmith import (
    FrozenDict,
    Halt,
    Orchestrator,
    Reply,
    Run,
    Samples,
    Scripted,
    Strategy,
    run,
)
from tinysmith.errors import RateLimited, UsageError


def refuses(_: Any) -> Reply:
    """A model that always fails."""
    raise RateLimited("Too many requests.")


REFINED = run(Refine(), Pad(left=2), model=Scripted(["line", "bad one", "fair", "x", "y"]))


class TestExplain:
    def test_a_step_reads_as_a_table(self) -> None:
        """A step is told with what was said, the candidates in their order, the verdicts and what they read."""
        assert str(REFINED.explain(5)) == (
            "Refine, step 5: critic replied 'y'\n"
            "  critic → gave_up\n"
            "      1. is_good   → accepted  no     lines=('line', 'fair', 'x', 'y')\n"
            "      2. has_left  → writer    no     left=0\n"
            "    ▸ 3. otherwise → gave_up   taken"
        )

    def test_what_was_not_asked_is_asked_now(self) -> None:
        """A guard behind the edge taken is asked now, which is said; an otherwise that was not needed says so."""
        ended = run(Refine(), Pad(left=2), model=Scripted(["line", "good"]))
        assert str(ended.explain(2)) == (
            "Refine, step 2: critic replied 'good'\n"
            "  critic → accepted\n"
            "    ▸ 1. is_good   → accepted  yes                        lines=('line', 'good')\n"
            "      2. has_left  → writer    yes, not asked in the run  left=1\n"
            "      3. otherwise → gave_up   not needed"
        )

    def test_is_data(self) -> None:
        """An explanation holds the candidates as data: guard, verdict, target, docstring and values read."""
        first, second, last = REFINED.explain(3).candidates
        assert (first.index, first.label, first.target) == (0, "is_good", "accepted")
        assert (first.verdict, first.asked, first.taken, first.misbehaved) == (False, True, False, "")
        assert (first.doc, first.reads) == (
            "The last line is the word good.",
            FrozenDict(lines="('line', 'fair')"),
        )
        assert (second.verdict, second.taken, second.reads) == (True, True, FrozenDict(left="1"))
        assert (last.label, last.verdict, last.reads, last.doc) == ("otherwise", None, FrozenDict(), "")
        assert [hop.target for hop in REFINED.explain().hops] == ["critic", "writer", "critic", "gave_up"]
        assert [hop.step for hop in REFINED.explain().hops] == [1, 3, 4, 5]
        assert REFINED.explain().candidates[1:4] == REFINED.explain(3).candidates
        assert pickle.loads(pickle.dumps(REFINED.explain())) == REFINED.explain()
        assert "steps=<5 steps>" in repr(REFINED.explain())

    def test_all_steps(self) -> None:
        """Without a number every step is explained; an only edge, and a node that asks again, say so."""
        lines = str(REFINED.explain()).splitlines()
        assert lines[:4] == [
            "Refine, step 1: writer replied 'line'",
            "  writer → critic, its only edge",
            "Refine, step 2: critic replied 'bad one'",
            "  critic asks again, after bad reply 1 of at most 3 in a row: Do not write 'bad one'.",
        ]
        assert [line for line in lines if line.startswith("Refine")][-1] == "Refine, step 5: critic replied 'y'"

    def test_what_comes_before_the_first_step(self) -> None:
        """Rules that come first are explained as step 0, on the board of each hop; else it tells the beginning."""
        assert str(run(Spin(), Pad(left=2)).explain()) == (
            "Spin, step 0: the run begins at count\n"
            "  count → count\n"
            "    ▸ 1. has_left  → count  yes         left=1\n"
            "      2. otherwise → done   not needed\n"
            "  count → done\n"
            "      1. has_left  → count  no     left=0\n"
            "    ▸ 2. otherwise → done   taken"
        )
        assert str(REFINED.explain(0)) == "Refine, step 0: the run begins at writer"

    def test_rules_on_the_way(self) -> None:
        """Of a step with several hops, each is explained on the board that its own guards were asked about."""
        ended = run(Lookup(), Pad(("k",), left=2), tools={})
        (step,) = ended.explain(1).steps
        assert step.said == """fetch returned "k=[1, {'two': 2}]\""""
        assert [(hop.source, hop.target) for hop in step.hops] == [("fetch", "count"), ("count", "fetch")]
        assert step.candidates[1].reads == FrozenDict(left="1")

    def test_boards_between_hops(self) -> None:
        """A guard of an earlier hop is told with the values that it read then."""

        class Twice(Strategy[Pad]):
            """The same guard before and behind a rule."""

            writer = Writer()
            count = Count()
            done = Halt()
            initial = writer
            edges = (
                writer.to(count, when=has_left),
                writer.to(done),
                count.to(writer, when=has_left),
                count.to(done),
            )

        ended = run(Twice(), Pad(left=1), model=Scripted(["x"]))
        assert [each.reads for each in ended.explain(1).candidates if each.label == "has_left"] == [
            FrozenDict(left="1"),
            FrozenDict(left="0"),
        ]

    def test_a_failure(self) -> None:
        """A failure edge is the only candidate of a request that failed."""
        ended = run(Rescue(), Pad(left=1), model=Says(refuses), environment=Echo())
        (step,) = ended.explain(1).steps
        assert step.said == "writer failed, rate_limit: Too many requests."
        assert step.lines[0] == "writer → count, its failure edge"
        assert step.candidates[0].index == -1
        assert step.hops[1].target == "gave_up"

    def test_what_was_done_in_the_environment(self) -> None:
        """A step in the environment tells the action and what was seen."""
        ended = run(Round(), Pad(left=1), model=Scripted(["a", "aye", "nay"]), environment=Echo())
        assert ended.explain(4).steps[0].said == "eye did 'look 3' and saw 'did look 3'"
        assert ended.explain(2).steps[0].said == "vote[0] replied 'aye'"

    def test_hostile_text_is_escaped(self) -> None:
        """Control and bidirectional characters of replies and boards are written out, and long values are cut."""
        evil = "\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 200
        shown = str(run(Refine(), Pad(left=1), model=Scripted([evil, evil])).explain())
        assert all(char.isprintable() or char == "\n" for char in shown)
        assert max(map(len, shown.splitlines())) < 200

    def test_of_a_long_tuple_the_last_item_is_shown(self) -> None:
        """Of a tuple that is too long for a line, the last item is told, since what is new comes last."""
        ended = run(Refine(), Pad(("x" * 80,), left=1), model=Scripted(["line", "good"]))
        assert ended.explain(2).candidates[0].reads == FrozenDict(lines="(…, 'good')")
        ended = run(Refine(), Pad(("x",) * 99, left=1), model=Scripted(["line", "good"]))
        assert ended.explain(2).candidates[0].reads == FrozenDict(lines="(…, 'good')")

    def test_no_such_step(self) -> None:
        """A step that the run does not have is refused, with the steps that it has."""
        for number in (6, -1):
            with pytest.raises(UsageError, match=r"has no step .* Give one from 1 to 5, or 0"):
                REFINED.explain(number)

    def test_a_run_without_its_strategy(self) -> None:
        """A run that does not hold its strategy cannot be explained, and says what to do."""
        bare: Run[Pad] = evolve(REFINED, declared=None)
        for ask in (bare.explain, lambda: bare.why_not("accepted")):
            with pytest.raises(UsageError, match="does not hold the strategy"):
                ask()

    def test_a_run_that_goes_on(self) -> None:
        """A run that has not ended is explained as far as it came."""
        orchestrator = Orchestrator(Round(), Pad(left=1), model=Scripted(["a", "aye", "nay"]))
        orchestrator.forward("")
        assert [step.number for step in orchestrator.run.explain().steps] == [1, 2, 3]

    @given(st.integers(0, 500), st.integers(0, 3))
    def test_tells_what_the_run_did(self, seed: int, left: int) -> None:
        """Of any run, the hops explained are the run's, the guards asked have the run's verdicts, in its order."""
        ended = run(Rescue(), Pad(left=left), model=Samples(Rescue, seed=seed), environment=Echo())
        explained = [hop for step in ended.explain().steps for hop in step.hops]
        hops = [*ended.first_hops, *(hop for step in ended.steps for hop in step.hops)]
        assert [(hop.source, hop.taken.index, hop.target) for hop in explained] == [
            (hop.source, hop.index, hop.target) for hop in hops
        ]
        for told, hop in zip(explained, hops, strict=True):
            assert tuple((each.label, each.verdict) for each in told.candidates if each.asked) == hop.tried

    def test_a_panel_waits(self) -> None:
        """A seat that is not the last one tells who is waited for."""
        ended = run(Ballot(), Pad(), model=Scripted(["aye", "nay"]))
        assert str(ended.explain(1)) == "Ballot, step 1: vote[0] replied 'aye'\n  It waits for vote[1]."
