"""tinysmith/_explainer.py: guards that misbehave, boards that cannot be watched, nodes with hidden state."""

from itertools import count

import pytest
from attrs import evolve, frozen
from sketches import Count, Pad, Writer, has_left, is_good

from tinysmith import FrozenDict, Halt, Rule, Scripted, Strategy, run
from tinysmith.errors import UsageError


def is_empty(pad: Pad) -> bool:
    """Divides by the rounds left, so that it raises where there are none.

    A second paragraph, which is not shown.
    """
    return not pad.lines and 1 // pad.left > 5


def is_word(pad: Pad) -> bool:
    return pad.lines  # type: ignore[return-value]  # the mistake is meant


class Picky(Strategy[Pad]):
    """Behind the first guard are two that misbehave where they are asked late."""

    writer = Writer()
    accepted = Halt(success=True)
    gave_up = Halt()
    initial = writer
    edges = (
        writer.to(accepted, when=is_good),
        writer.to(gave_up, when=is_empty),
        writer.to(gave_up, when=is_word),
        writer.to(gave_up),
    )


class Blank(Rule[Pad]):
    """Forgets every line and round."""

    def apply(self, pad: Pad, /) -> Pad:
        return evolve(pad, lines=(), left=0)


def is_blank(pad: Pad) -> bool:
    """No line is left."""
    return not pad.lines


class Forget(Strategy[Pad]):
    """A guard that raises stands behind one that holds."""

    writer = Writer()
    blank = Blank()
    done = Halt(success=True)
    gave_up = Halt()
    initial = writer
    edges = (
        writer.to(blank),
        blank.to(done, when=is_blank),
        blank.to(gave_up, when=is_empty),
        blank.to(gave_up),
    )


@frozen
class Sealed:
    """A board whose class nobody may derive from."""

    a: int = 1

    def __init_subclass__(cls) -> None:
        raise TypeError("it is sealed")


def is_shut(sealed: Sealed) -> bool:
    """It is shut."""
    return sealed.a == 1


class Idle(Rule[Sealed]):
    def apply(self, sealed: Sealed, /) -> Sealed:
        return sealed


class Sealing(Strategy[Sealed]):
    """A rule over that board."""

    idle = Idle()
    done = Halt()
    failed = Halt()
    initial = idle
    edges = (idle.to(done, when=is_shut), idle.to(failed))


class TestExplainer:
    def test_guards_that_misbehave_when_they_are_asked_late(self) -> None:
        """What a guard raises or answers that was not asked in the run is its verdict, and is not thrown."""
        lines = str(run(Picky(), Pad(left=1), model=Scripted(["good"])).explain(1)).splitlines()
        assert "2. is_empty  → gave_up   no, not asked in the run" in lines[3]
        assert "3. is_word   → gave_up   answers ('good',), not asked in the run" in lines[4]
        forgotten = run(Forget(), Pad(left=1), model=Scripted(["good"]))
        assert "raises ZeroDivisionError, not asked in the run  lines=()  left=0" in str(forgotten.explain(1))
        assert forgotten.explain(1).candidates[2].verdict is None
        assert forgotten.explain(1).candidates[2].doc.startswith("Divides by the rounds left,")

    def test_a_board_that_cannot_be_watched(self) -> None:
        """Of a board whose class nobody may derive from, the verdicts are told without the values."""
        candidates = run(Sealing(), Sealed()).explain(0).candidates
        assert [(each.label, each.verdict, each.reads) for each in candidates] == [
            ("is_shut", True, FrozenDict()),
            ("otherwise", None, FrozenDict()),
        ]


class Moody(Count):
    """Counts how often it was asked, which a node must not do."""

    def __init__(self) -> None:
        self.calls = 0

    def apply(self, pad: Pad, /) -> Pad:
        self.calls += 1
        return evolve(pad, left=1 if self.calls == 1 else 0)


class Stubborn(Writer):
    """Breaks at the second reply that it ever hears."""

    def __init__(self) -> None:
        self.heard = 0

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        self.heard += 1
        return super().parse(pad, (reply, reply, 3)[self.heard])  # type: ignore[arg-type]  # meant


class TestHiddenState:
    def test_another_way(self) -> None:
        """A run that takes another way when it is folded again is told to keep something of its own."""

        class Unsteady(Strategy[Pad]):
            """A rule that remembers."""

            writer = Writer()
            moody = Moody()
            done = Halt()
            failed = Halt()
            initial = writer
            edges = (writer.to(moody), moody.to(done, when=has_left), moody.to(failed))

        ended = run(Unsteady(), Pad(), model=Scripted(["x"]))
        with pytest.raises(UsageError, match=r"Unsteady, step 1: folded again, .* Put it on the board"):
            ended.explain()

    def test_another_request(self) -> None:
        """A run of which a node raises when it is folded again is told so, too, whatever is raised."""

        class Hearing(Strategy[Pad]):
            """An agent that remembers."""

            stubborn = Stubborn()
            done = Halt()
            initial = stubborn
            edges = (stubborn.to(done),)

        ended = run(Hearing(), Pad(), model=Scripted(["x"]))
        with pytest.raises(UsageError, match="Hearing, step 1: folded again") as caught:
            ended.why_not("done")
        assert isinstance(caught.value.__cause__, AttributeError)

    def test_a_guard_that_changes_its_mind(self) -> None:
        """What a guard said in the run stands, whatever it says later."""
        asked = count(1)

        def is_early(_: Pad) -> bool:
            return bool(next(asked) <= 2)

        class Wavering(Strategy[Pad]):
            """A guard that remembers."""

            writer = Writer()
            done = Halt()
            failed = Halt()
            initial = writer
            edges = (writer.to(done, when=is_early), writer.to(failed))

        explained = run(Wavering(), Pad(), model=Scripted(["x"])).explain(1)
        assert (explained.candidates[0].verdict, explained.candidates[0].answer) == (True, "yes")
