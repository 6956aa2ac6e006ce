"""tinysmith/_reasons.py: why a step went no further."""

from typing import Any

import pytest
from sketches import Ballot, Brief, Look, Lookup, Once, Pad, Refine, Rescue, Round, Spin
from worlds import Broken, Echo, Says

from tinysmith import Limits, Model, Reply, Run, Scripted, Strategy, Usage, run
from tinysmith._explainer import Explainer
from tinysmith.errors import ContextOverflow, EnvironmentLost, ModelTimeout
from tinysmith.strategy import plan_of

LINES = Scripted({"*": ["line"] * 50})


def late(_: object) -> Reply:
    """A model that never answers in time."""
    raise ModelTimeout("No answer in time.")


def overflowing(_: object) -> Reply:
    """A model whose context is too small for anything."""
    raise ContextOverflow("The prompt is too long.")


OVERFLOWN = (
    "The run ended at writer as context_overflow, since even the shorter board was too long, and no failure edge "
    "leaves it: The prompt is too long. Declare one, `writer.on_failure(gave_up)`, to go on."
)


class Bare(Strategy[Pad]):
    """An agent without a halt but success."""

    writer, done = Brief(), Once.done
    initial = writer
    edges = (writer.to(done),)


def last(strategy: type[Strategy[Pad]], model: Model | None = None, **options: Any) -> str:
    """Why the last step of a run went no further."""
    ended: Run[Pad] = run(strategy(), options.pop("board", Pad(left=9)), model=model, **options)
    return ended.explain().steps[-1].reason


class TestReason:
    def test_none_where_a_halt_tells_it(self) -> None:
        """A step that ends in a halt, or leads to the next node, needs no reason."""
        ended = run(Refine(), Pad(), model=Scripted(["line", "good"]))
        assert [step.reason for step in ended.explain().steps] == ["", ""]

    def test_the_seats_that_are_waited_for(self) -> None:
        """A panel's step tells the seats that have not answered yet."""
        ended = run(Ballot(), Pad(seats=3), model=Scripted(["aye", "nay", "aye"]))
        reasons = [step.reason for step in ended.explain().steps]
        assert reasons == ["It waits for vote[1], vote[2].", "It waits for vote[2].", ""]

    def test_a_reply_that_is_asked_for_again(self) -> None:
        """A node that asks again tells the complaint, and how many bad replies are forgiven."""
        ended = run(Once(), Pad(), model=Scripted(["bad", "x"]))
        told = "writer asks again, after bad reply 1 of at most 3 in a row: Do not write 'bad'."
        assert ended.explain(1).steps[0].reason == told
        free = run(Once(), Pad(), model=Scripted(["bad", "x"]), limits=None)
        assert "asks again, after bad reply 1 in a row: Do" in free.explain(1).steps[0].reason

    def test_a_shorter_board(self) -> None:
        """A node that asks again with a shorter board tells that the prompt was too long."""
        ended = run(Refine(), Pad(("line",)), model=Says(overflowing))
        assert [step.reason for step in ended.explain().steps] == [
            "writer asks again, with a shorter board: the prompt was too long for the model.",
            OVERFLOWN,
        ]
        assert "since it gave no shorter board, and no failure edge" in last(Once, Says(overflowing))

    def test_a_failure_without_a_failure_edge(self) -> None:
        """A failure that ended the run tells that a failure edge could be declared, to a halt that there is."""
        assert last(Refine, Says(late)) == (
            "The run ended at writer as model_failed, since no failure edge leaves it: No answer in time. "
            "Declare one, `writer.on_failure(gave_up)`, to go on."
        )
        assert last(Bare, Says(late)).endswith("Declare one, `writer.on_failure(…)`, to go on.")
        lost = Broken(EnvironmentLost("The shell died."), "step")
        assert "as environment_lost, since no failure edge leaves it: The shell died." in last(
            Look, LINES, environment=lost
        )

    @pytest.mark.parametrize(
        ("limits", "told"),
        [
            (Limits(max_asks=3), "at critic as max_asks, after 3 of at most 3 asks, and critic would need more."),
            (
                Limits(max_total_tokens=4),
                "at writer as max_total_tokens, after 6 of at most 4 tokens, and writer would need more.",
            ),
            (Limits(max_cost_usd=0.5), "at writer as max_cost_usd, after $0.75 of at most $0.5."),
            (Limits(max_seconds=0.2), "at writer as max_seconds, after 0.3 of at most 0.2 seconds."),
        ],
    )
    def test_limits_on_what_is_spent(self, limits: Limits, told: str) -> None:
        """A limit that was reached is told with its figure, and with what was spent of it."""
        explainer = Explainer(plan_of(Refine), Pad(left=9), limits)
        replies = [Reply("line", usage=Usage(2, 1, 0.375), elapsed_s=0.15)] * 3
        reasons = [explainer.step(reply).reason for reply in replies[: 3 if limits.max_asks == 3 else 2]]
        assert reasons[-1] == f"The run ended {told}"

    def test_limits_on_the_way(self) -> None:
        """So are the limits on steps, calls, hops and bad replies."""
        assert last(Look, LINES, limits=Limits(max_steps=2), environment=Echo()) == (
            "The run ended at eye as max_steps, after 2 of at most 2 steps, and eye would need more."
        )
        assert "max_calls, after 2 of at most 2 calls, and fetch would need more." in last(
            Lookup, limits=Limits(max_calls=2)
        )
        assert run(Spin(), Pad(left=99), limits=Limits(max_hops=5)).why_not("max_hops").answer == (
            "Spin did end as max_hops, after 0 steps. "
            "The run ended at count as max_hops, after 5 of at most 5 hops in a row."
        )
        assert last(Once, Scripted(["bad", "bad"]), limits=Limits(max_errors=1)) == (
            "The run ended at writer as max_errors, after 2 bad replies in a row, where at most 1 may be. "
            "Do not write 'bad'."
        )

    def test_a_price_that_is_not_known(self) -> None:
        """A limit on cost that cannot be kept tells why."""
        assert last(Refine, Says(lambda _: Reply("x")), limits=Limits(max_cost_usd=1)) == (
            "The run ended at critic as max_cost_usd, after an unknown amount of at most $1. The price of a reply "
            "is not known, so the limit on cost cannot be kept. Give the LLM its price per token."
        )

    def test_an_environment_that_is_over(self) -> None:
        """A node that would act in an environment that is over is told."""
        assert last(Look, LINES, environment=Echo(lasts=1)) == (
            "The run ended at eye as environment_over: it would act, but the environment has said that the "
            "episode is over."
        )

    def test_a_script_that_is_used_up(self) -> None:
        """A run whose model had no more replies tells that."""
        assert last(Rescue, Scripted([]), environment=Echo()) == (
            "The run ended at writer as recording_over: scripted: The script has no reply left for writer."
        )
        assert last(Round, Scripted(["x"]), environment=Echo()).startswith("The run ended at vote as recording")
