"""What is painted on pictures: places, paths, coverage and heat."""

import pytest
from attrs import evolve, frozen
from sketches import Lookup, Pad, Refine, Rescue, Spin
from worlds import Echo

from tinysmith import Ask, Limits, Model, Reply, Run, Usage, run
from tinysmith.coverage import Coverage, coverage_of
from tinysmith.drawing import Mark, Scene, draw
from tinysmith.drawing._overlay import overlaid
from tinysmith.errors import ServerError, UsageError


@frozen
class Priced:
    """A model that answers from a list, and takes its price and its time for it."""

    replies: list[str]

    def ask(self, request: Ask, /) -> Reply:
        text = self.replies.pop(0)
        if text == "lost":
            raise ServerError("gone")
        cost = None if text == "unpriced" else 0.25
        return Reply(text, usage=Usage(900, 100, cost), model="priced")

    async def aask(self, request: Ask, /) -> Reply:
        return self.ask(request)


def played(*replies: str, limits: Limits = Limits()) -> Run[Pad]:  # noqa: B008  # frozen
    """A run of Refine with these replies."""
    model: Model = Priced(list(replies))
    return run(Refine(), Pad(left=3), model=model, limits=limits)


def marks(scene: Scene) -> dict[str, Mark]:
    """The marks of a scene, by node, and by edge as source > target."""
    boxes = {box.name: box.mark for box in scene.boxes}
    return boxes | {f"{arrow.source} > {arrow.target}": arrow.mark for arrow in scene.arrows}


class TestAt:
    def test_a_name_or_a_position(self) -> None:
        """The current node is marked, by its name or by a position that stands there."""
        for at in ("critic", played("fair", "good").position):
            scene = overlaid(Refine, at=at)
            name = at if isinstance(at, str) else "accepted"
            assert marks(scene)[name] == Mark(tone="current")
            assert scene.caption == f"at {name}"
            assert sum(mark != Mark() for mark in marks(scene).values()) == 1

    def test_an_unknown_node_is_refused(self) -> None:
        """For a wrong name near ones are offered."""
        with pytest.raises(UsageError, match=r"Refine has no node 'critics'. Did you mean critic\?"):
            draw(Refine, at="critics")


class TestRun:
    def test_the_path_is_counted_and_the_rest_is_faint(self) -> None:
        """Nodes and edges say how often they were come by; what was not taken is faint."""
        scene = overlaid(Refine, run=played("fair", "fair", "fair", "good"))
        assert scene.caption == "a run of 4 steps, accepted"
        assert marks(scene) == {
            "writer": Mark("×2", tone="seen"),
            "critic": Mark("×2", tone="seen"),
            "accepted": Mark("×1", tone="seen"),
            "gave_up": Mark(tone="faint"),
            "writer > critic": Mark("×2", tone="seen"),
            "critic > accepted": Mark("×1", tone="seen"),
            "critic > writer": Mark("×1", tone="seen"),
            "critic > gave_up": Mark(tone="faint"),
        }

    def test_where_it_stopped_is_told(self) -> None:
        """Of a run that a limit ended, the picture says which one, and where."""
        ended = played("fair", limits=Limits(max_asks=1))
        assert overlaid(Refine, run=ended).caption == "a run of 1 step, max_asks at critic"

    def test_a_run_that_goes_on_is_told(self) -> None:
        """Of a run that has not ended the picture says so."""
        ended = played("fair", "good")
        going_on = evolve(ended, position=Refine().start(Pad()), steps=())
        assert overlaid(Refine, run=going_on).caption == "a run of 0 steps, not over"

    def test_failure_edges_and_first_hops_are_on_it(self) -> None:
        """The path has the hops before the first step, and failure edges."""
        painted = marks(overlaid(Spin, run=run(Spin(), Pad(left=2))))
        assert painted["count"] == Mark("×2", tone="seen")
        ended = run(Rescue(), Pad(), model=Priced(["lost"]), environment=Echo())
        assert marks(overlaid(Rescue, run=ended))["writer > count"] == Mark("×1", tone="seen")

    def test_it_goes_with_a_place(self) -> None:
        """The current node keeps its count."""
        assert marks(overlaid(Refine, run=played("fair", "good"), at="critic"))["critic"] == Mark(
            "×1", tone="current"
        )


class TestCoverage:
    def test_guards_tell_both_outcomes(self) -> None:
        """An edge with a guard says how often it held and did not; what was never seen is missing."""
        scene = overlaid(Refine, coverage=Coverage.of(played("fair", "fair", "fair", "good")))
        assert scene.caption == "75 % of nodes, edges and guard outcomes seen, 3 missing"
        assert marks(scene) == {
            "writer": Mark("×2", tone="seen"),
            "critic": Mark("×2", tone="seen"),
            "accepted": Mark("×1", tone="seen"),
            "gave_up": Mark("never", tone="missing"),
            "writer > critic": Mark("×2", tone="seen"),
            "critic > accepted": Mark("true ×1, false ×1", tone="seen"),
            "critic > writer": Mark("true ×1, never false", tone="partly"),
            "critic > gave_up": Mark("never", tone="missing"),
        }

    def test_what_was_never_tried_is_told_from_what_never_held(self) -> None:
        """A guard that was never asked is told from one that never held."""
        assert marks(overlaid(Refine, coverage=coverage_of(Refine)))["critic > accepted"].badge == "never tried"
        painted = marks(overlaid(Refine, coverage=Coverage.of(played("fair", "fair", "fair", "good"))))
        assert painted["critic > gave_up"].badge == "never"
        once = marks(overlaid(Refine, coverage=Coverage.of(played("fair", "fair", limits=Limits(max_asks=2)))))
        assert once["critic > accepted"] == Mark("never true, false ×1", tone="missing")


class TestHeat:
    def test_tokens(self) -> None:
        """Nodes that asked say their tokens and their share."""
        scene = overlaid(Refine, run=played("fair", "fair", "fair", "good"), heat="tokens")
        assert marks(scene)["writer"] == Mark("×2, 2,000 tokens (50 %)", 0.5, "seen")
        assert marks(scene)["accepted"] == Mark("×1", tone="seen")
        assert scene.caption == "a run of 4 steps, accepted; heat by tokens: 4,000 tokens"

    def test_cost(self) -> None:
        """Nodes say what they cost; small amounts to two digits, large ones to the cent."""
        scene = overlaid(Refine, run=played("fair", "fair", "fair", "good"), heat="cost")
        assert marks(scene)["critic"] == Mark("×2, $0.50 (50 %)", 0.5, "seen")
        assert scene.caption.endswith("heat by cost: $1.00")

    @pytest.mark.parametrize(
        ("amount", "shown"),
        [(0.0, "$0.00"), (1234.5, "$1,234.50"), (0.034, "$0.034"), (0.0021, "$0.0021"), (1e-5, "$0.000010")],
    )
    def test_amounts(self, amount: float, shown: str) -> None:
        """Amounts are told in cents; small ones by their first two digits, never as a power."""
        ended = played("fair", "good")
        first = evolve(ended.steps[0], event=Reply("good", usage=Usage(1, 1, amount)))
        scene = overlaid(Refine, run=evolve(ended, steps=(first,)), heat="cost")
        assert scene.caption.endswith(f"heat by cost: {shown}")

    def test_a_price_that_is_not_known_is_said(self) -> None:
        """A node whose price is not known says so and has no heat; the shares are of what is known."""
        scene = overlaid(Refine, run=played("unpriced", "good"), heat="cost")
        assert marks(scene)["writer"] == Mark("×1, price unknown", None, "seen")
        assert marks(scene)["critic"] == Mark("×1, $0.25 (100 %)", 1.0, "seen")
        assert scene.caption.endswith("heat by cost: price unknown")

    def test_seconds(self) -> None:
        """Nodes say how long they were waited for."""
        ended = played("fair", "good")
        steps = tuple(
            evolve(step, event=evolve(step.event, elapsed_s=seconds))
            for step, seconds in zip(ended.steps, (1.5, 4.5), strict=True)
        )
        scene = overlaid(Refine, run=evolve(ended, steps=steps), heat="seconds")
        assert marks(scene)["writer"] == Mark("×1, 1.5 s (25 %)", 0.25, "seen")
        assert scene.caption.endswith("heat by seconds: 6 s")

    def test_failures(self) -> None:
        """Failures are failed requests, and bad replies that were asked for again or ended the run."""
        ended = played("bad", "fair", "bad", "bad", limits=Limits(max_errors=1))
        assert ended.outcome == "max_errors"
        scene = overlaid(Refine, run=ended, heat="failures")
        assert marks(scene)["writer"] == Mark("×1, 1 bad reply (33 %)", 1 / 3, "seen")
        assert marks(scene)["critic"] == Mark("×1, 2 bad replies (67 %)", 2 / 3, "seen")
        lost = overlaid(
            Rescue, run=run(Rescue(), Pad(), model=Priced(["lost"]), environment=Echo()), heat="failures"
        )
        assert marks(lost)["writer"] == Mark("×1, 1 failed (100 %)", 1.0, "seen")

    def test_nothing_is_shared_where_there_is_nothing(self) -> None:
        """Where all amounts are nothing, no node is hot."""
        scene = overlaid(Refine, run=played("fair", "good"), heat="failures")
        assert marks(scene)["writer"] == Mark("×1, no failure", None, "seen")
        tools = overlaid(Lookup, run=run(Lookup(), Pad(left=1)), heat="cost")
        assert tools.caption.endswith("heat by cost: $0.00")

    def test_one_token_is_one_token(self) -> None:
        """A single token is told in the singular."""
        ended = played("fair", "good")
        steps = tuple(evolve(step, event=Reply("good", usage=Usage(1, 0, 0.0))) for step in ended.steps)
        scene = overlaid(Refine, run=evolve(ended, steps=steps), heat="tokens")
        assert marks(scene)["writer"].badge == "×1, 1 token (50 %)"


class TestMisuse:
    def test_two_pictures_are_refused(self) -> None:
        """A path and a coverage do not go on one picture."""
        ended = played("fair", "good")
        with pytest.raises(UsageError, match="Draw two, or give"):
            draw(Refine, run=ended, coverage=Coverage.of(ended))

    def test_heat_needs_a_run(self) -> None:
        """Heat is of a run, and of one of four quantities."""
        with pytest.raises(UsageError, match=r"heat='cost' is of a run. Give run=, too"):
            draw(Refine, heat="cost")
        with pytest.raises(UsageError, match=r"There is no heat 'costs'. Did you mean cost"):
            draw(Refine, run=played("fair", "good"), heat="costs")

    def test_what_is_of_another_strategy_is_refused(self) -> None:
        """A run or a coverage of another strategy is refused by both names."""
        ended = played("fair", "good")
        with pytest.raises(UsageError, match="The run is of Refine, which is not the class Rescue that is drawn"):
            draw(Rescue, run=ended)
        with pytest.raises(UsageError, match="The run is of Refine"):
            draw(Refine, run=evolve(ended, declared=None))
        with pytest.raises(UsageError, match="The coverage is of Refine, which is not the class Rescue"):
            draw(Rescue, coverage=Coverage.of(ended))
