"""tinysmith/_why_not.py: why a run never came to a node, or did not end as asked."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sketches import Count, Lookup, Once, Pad, Refine, Rescue, Spin, Writer, has_left
from worlds import Broken, Echo, Says

from tinysmith import Halt, Limits, Orchestrator, Reply, Samples, Scripted, Strategy, run
from tinysmith._soundness import OUTCOMES
from tinysmith.errors import EnvironmentLost, RateLimited, UsageError

REFINED = run(Refine(), Pad(left=2), model=Scripted(["line", "fair", "x", "y"]))


def refuses(_: object) -> Reply:
    """A model that always fails."""
    raise RateLimited("Too many requests.")


class Long(Strategy[Pad]):
    """A chain, in the middle of which runs turn off, with a halt that no edge leads to."""

    first = Writer()
    count = Count()
    second = Writer()
    third = Writer()
    done = Halt(success=True)
    gave_up = Halt()
    lost = Halt()
    allow = {"unused-node": "it is tested that no edges lead there"}
    initial = first
    edges = (
        first.to(count),
        count.to(second, when=has_left),
        count.to(gave_up),
        second.to(third),
        third.to(done),
    )


class TestNodes:
    def test_the_guard_that_kept_it_away(self) -> None:
        """Of a node that was missed, the guard is named; the latest time is told in full, earlier ones counted."""
        assert str(REFINED.why_not("accepted")) == (
            "Refine never came to accepted. The run ended as gave_up, after 4 steps.\n"
            "  critic → accepted needs is_good: The last line is the word good.\n"
            "    step 4, is_good said no:\n"
            "      critic → gave_up\n"
            "          1. is_good   → accepted  no     lines=('line', 'fair', 'x', 'y')\n"
            "          2. has_left  → writer    no     left=0\n"
            "        ▸ 3. otherwise → gave_up   taken\n"
            "    before that, is_good said no 1 time"
        )

    def test_an_edge_that_comes_earlier(self) -> None:
        """Where another edge comes first, that one is named."""
        ended = run(Refine(), Pad(left=3), model=Scripted(["a", "b", "c", "d", "e", "good"]))
        why = ended.why_not("gave_up")
        assert "critic → gave_up needs that no guard before it holds" in str(why)
        assert "step 6, is_good came before it:" in str(why)
        assert str(why).endswith("before that, has_left came before it 2 times")

    def test_where_the_run_was(self) -> None:
        """Of a node that the run came to, the steps are told; of very many, the first ones and the last."""
        assert str(REFINED.why_not("writer")) == (
            "Refine did come to writer, at its beginning and at step 2. The run ended as gave_up, after 4 steps."
        )
        assert REFINED.why_not("critic").visits == (1, 3)
        assert REFINED.why_not("critic").happened
        assert "at steps 1, 3. " in str(REFINED.why_not("critic"))
        often = run(Spin(), Pad(left=20)).why_not("count")
        assert often.visits == (0,) * 20
        assert str(often).startswith("Spin did come to count, at its beginning. The run ended as done, after 0 ")
        long = run(Refine(), Pad(left=20), model=Scripted(["x"] * 99)).why_not("critic")
        assert "at steps 1, 3, 5, 7, 9, 11, …, 39. " in str(long)

    def test_a_way_of_several_edges(self) -> None:
        """Where the run came to none of the sources, the answer goes back to where the run turned off."""
        why = run(Long(), Pad(), model=Scripted(["x"])).why_not("done")
        assert why.way == ("count", "second", "third", "done")
        assert [(miss.source, miss.target, miss.label) for miss in why.misses] == [("count", "second", "has_left")]
        assert str(why) == (
            "Long never came to done. The run ended as gave_up, after 1 step. The nearest that it came is count; "
            "from there the way is count → second → third → done.\n"
            "  count → second needs has_left: A round is left.\n"
            "    step 1, has_left said no:\n"
            "      count → gave_up\n"
            "          1. has_left  → second   no     left=-1\n"
            "        ▸ 2. otherwise → gave_up  taken"
        )

    def test_where_the_run_stayed(self) -> None:
        """A run that ended at a source tells why it ended there."""
        ended = run(Refine(), Pad(), model=Scripted(["bad"] * 4))
        (miss,) = ended.why_not("accepted").misses
        assert (miss.source, miss.target, miss.label, miss.times) == ("writer", "critic", "always", ())
        assert "as max_errors, after 4 bad replies in a row" in miss.stayed
        assert "writer → critic is its only edge\n    The run ended at writer" in str(ended.why_not("accepted"))

    def test_a_grade_that_was_lost(self) -> None:
        """A run that was lost after its last step says so where it stood."""
        lost = Broken(EnvironmentLost("The shell died."), "grade")
        ended = run(Once(), Pad(), model=Scripted(["x"]), environment=lost)
        assert ended.outcome == "environment_lost"
        assert str(ended.why_not("environment_lost")) == (
            "Once did end as environment_lost, after 1 step. The shell died."
        )
        short = run(Refine(), Pad(), model=Scripted(["bad"] * 4), environment=lost)
        assert "as max_errors" in short.why_not("critic").misses[0].stayed

    def test_a_run_that_goes_on(self) -> None:
        """A run that has not ended tells where it is."""
        orchestrator = Orchestrator(Rescue(), Pad(left=1), model=Scripted(["a", "aye", "nay"]))
        orchestrator.forward("")
        why = orchestrator.run.why_not("accepted")
        assert why.answer == "Rescue never came to accepted. The run has not ended, after 3 steps."
        assert why.misses[0].stayed == "The run is at eye now."

    def test_failures(self) -> None:
        """A failure edge needs a failure, and an ordinary one needs that there is none."""
        ended = run(Rescue(), Pad(left=1), model=Says(refuses), environment=Echo())
        why = str(ended.why_not("vote"))
        assert "writer → vote is its only edge\n    step 1, writer failed:" in why
        assert "      writer → count, its failure edge" in why
        calm = run(Rescue(), Pad(), model=Scripted(["a", "aye", "good"]), environment=Echo())
        assert "eye → rescued needs that eye fails\n    step 4, eye did not fail:" in str(calm.why_not("rescued"))

    def test_sources_that_were_never_come_to(self) -> None:
        """Edges from nodes that the run never came to are told beside those that it might have taken."""
        early = run(Rescue(), Pad(), model=Scripted([]), environment=Echo()).why_not("count")
        assert early.unreached == ("vote", "fetch")
        assert "vote → count: the run never came to vote" in str(early)

    def test_no_edges(self) -> None:
        """Of a node that no edges lead to, that is the answer."""
        why = run(Long(), Pad(), model=Scripted(["x"])).why_not("lost")
        assert str(why) == "Long never came to lost. The run ended as gave_up, after 1 step. No edges lead there."

    def test_before_the_first_step(self) -> None:
        """What was turned off before the first step says so."""
        ended = run(Refined(), Pad(), model=Scripted(["x"]))
        assert "    before step 1, has_left said no:" in str(ended.why_not("writer"))

    def test_unknown_names(self) -> None:
        """A name that is neither a node nor an outcome is refused, and near names are offered."""
        with pytest.raises(UsageError, match=r"no node 'acepted', .* Did you mean accepted\?"):
            REFINED.why_not("acepted")
        with pytest.raises(UsageError, match="Did you mean max_asks"):
            REFINED.why_not("max_ask")

    @given(st.integers(0, 200), st.integers(0, 3), st.sampled_from([*Rescue.__plan__.nodes, *sorted(OUTCOMES)]))
    def test_always_answers(self, seed: int, left: int, name: str) -> None:
        """Of any run and any name there is an answer; it happened exactly if the run was there, or ended so."""
        ended = run(Rescue(), Pad(left=left), model=Samples(Rescue, seed=seed), environment=Echo())
        why = ended.why_not(name)
        hops = [*ended.first_hops, *(hop for step in ended.steps for hop in step.hops)]
        visited = {"writer", ended.outcome, *(hop.target for hop in hops)}
        assert why.happened is (name in visited)
        assert why.happened or name in OUTCOMES or why.misses
        assert all(miss.times or miss.stayed for miss in why.misses)
        assert str(why)
        assert pickle.loads(pickle.dumps(why)) == why


class Refined(Strategy[Pad]):
    """A rule first."""

    count = Count()
    writer = Writer()
    done = Halt()
    initial = count
    edges = (count.to(writer, when=has_left), count.to(done), writer.to(done))


class TestOutcomes:
    def test_limits(self) -> None:
        """Of a limit, how much of it was spent is told, or that there was none."""
        assert str(REFINED.why_not("max_asks")) == (
            "Refine did not end as max_asks. The run ended as gave_up, after 4 steps. "
            "It came to 4 of at most 100 asks."
        )
        assert str(REFINED.why_not("max_cost_usd")).endswith("There was no such limit.")
        assert str(REFINED.why_not("max_errors")).endswith("There were never more than 3 bad replies in a row.")
        assert str(REFINED.why_not("max_hops")).endswith("never more than 50 hops in a row without a request.")

    def test_it_did(self) -> None:
        """Of the outcome that came, the reason is told."""
        ended = run(Refine(), Pad(left=9), model=Scripted(["x"] * 9), limits=Limits(max_asks=3))
        why = ended.why_not("max_asks")
        assert (why.happened, why.visits) == (True, (3,))
        assert str(why) == (
            "Refine did end as max_asks, after 3 steps. "
            "The run ended at critic as max_asks, after 3 of at most 3 asks, and critic would need more."
        )

    def test_failures(self) -> None:
        """Of a failure that did not come, that nothing failed is told, or that failure edges took the run on."""
        assert str(REFINED.why_not("model_failed")).endswith("No model failed for good.")
        assert str(REFINED.why_not("environment_over")).endswith("No node acted in an environment that was over.")
        ended = run(Rescue(), Pad(left=1), model=Says(refuses), environment=Echo())
        assert str(ended.why_not("model_failed")).endswith(
            "What failed was taken on by failure edges: step 1 writer → count."
        )

    def test_without_a_model(self) -> None:
        """A run that asks no model ends by its tools and rules, and tells so."""
        ended = run(Lookup(), Pad(left=3), limits=Limits(max_calls=2))
        assert "did end as max_calls" in str(ended.why_not("max_calls"))
