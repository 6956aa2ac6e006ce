"""Twelve planted faults, each caught at the default settings, and told with where, what and what to do.

No sound strategy raises a false alarm.
"""

import re
from collections.abc import Callable
from typing import Any

import faulty
import pytest
from attrs import evolve, field, frozen
from faulty import Draft

import machines
from tinysmith import Agent, Halt, Rule, Strategy
from tinysmith.checks import check
from tinysmith.errors import DefinitionError
from tinysmith.testing import strategy_test

GALLERY: list[type[Strategy[Any]]] = [getattr(machines, name) for name in machines.__all__]


def played(strategy: type[Strategy[Draft]], *invariants: Callable[..., bool]) -> str:
    """What a three-line property test says of a strategy."""
    with pytest.raises(AssertionError) as caught:
        strategy_test(strategy, invariants=invariants, max_examples=500)().test_every_run()
    return str(caught.value)


def checked(strategy: type[Strategy[Draft]], code: str) -> str:
    """What a check says of a strategy under a code, all findings of it."""
    told = [finding for finding in check(strategy).findings if finding.code == code]
    assert told, f"{code} was not found"
    return "\n".join(f"{finding.level}: {finding}\n{finding.example}" for finding in told)


class Tidy(Rule[Draft]):
    """Takes the notes off."""

    def apply(self, draft: Draft, /) -> Draft:
        """Empties them."""
        return evolve(draft, notes=())


def unreachable() -> type[Strategy[Draft]]:
    """A strategy with a node that no edge leads to."""

    class Unreachable(Strategy[Draft]):
        """A node is never come to."""

        writer, critic, tidy = faulty.Writer(), faulty.Critic(), Tidy()
        accepted, gave_up = Halt(success=True), Halt()
        initial = writer
        edges = (
            writer.to(critic),
            critic.to(accepted, when=faulty.is_accepted),
            critic.to(gave_up),
            tidy.to(writer),
        )

    return Unreachable


@frozen
class Jotter:
    """A board that could not be saved."""

    notes: list[str] = field(factory=list)


def unsaved() -> type[Strategy[Jotter]]:
    """A strategy whose board holds a list."""

    class Jotting(Agent[Jotter]):
        """Jots."""

        def prompt(self, jotter: Jotter, /) -> str:
            """Asks."""
            return "Jot."

        def parse(self, jotter: Jotter, reply: str, /) -> Jotter:
            """Jots it down."""
            return evolve(jotter, notes=[*jotter.notes, reply])

    class Jots(Strategy[Jotter]):
        """Its board is no board."""

        jotting = Jotting()
        done = Halt()
        initial = jotting
        edges = (jotting.to(done),)

    return Jots


def without_otherwise() -> type[Strategy[Draft]]:
    """A strategy with a node whose guards leave boards out."""

    class Stuck(Strategy[Draft]):
        """A node has no otherwise."""

        writer, critic = faulty.Writer(), faulty.Critic()
        accepted, gave_up = Halt(success=True), Halt()
        initial = writer
        edges = (
            writer.to(critic),
            critic.to(accepted, when=faulty.is_accepted),
            critic.to(gave_up, when=faulty.is_spent),
        )

    return Stuck


class TestClassCreation:
    def test_an_unreachable_node(self) -> None:
        """A node that no edge leads to is refused."""
        with pytest.raises(
            DefinitionError, match=r"Unreachable\.tidy: no edges lead to it from the initial node writer"
        ):
            unreachable()

    def test_a_board_that_cannot_be_saved(self) -> None:
        """A board with a list is refused, and told what to use instead."""
        with pytest.raises(
            DefinitionError, match=r"notes: a list can be changed in place\. Use tuple\[T, \.\.\.\]\."
        ):
            unsaved()

    def test_a_missing_otherwise(self) -> None:
        """A node whose edges all have guards is refused."""
        with pytest.raises(
            DefinitionError, match=r"Stuck\.critic: a run is stuck there where no guard holds \(is_acc"
        ):
            without_otherwise()


class TestPropertyTest:
    @pytest.mark.parametrize(
        ("strategy", "told"),
        [
            (
                faulty.Mutating,
                r"Mutating\.critic: its guard is_clean (changed Draft\(.*\) to Draft|answered True, then F)",
            ),
            (faulty.Raising, r"Raising\.critic.*: its guard is_long raised IndexError: tuple index out of range"),
            (
                faulty.Narrow,
                r"Narrow\.critic, step \d+: none of its guards holds \(tried is_accepted, is_spent\)\. End",
            ),
            (
                faulty.KeyErrors,
                r"KeyErrors\.critic: answering '.*' raised KeyError: .* A bad reply is told by raising Pars",
            ),
            (
                faulty.HiddenState,
                r"HiddenState: the same events gave another run\. A node keeps something of its own: put",
            ),
            (
                faulty.Unsaved,
                r"Unsaved\.\w+, step \d+: the position does not survive JSON: board\.notes holds \[.*\], whi",
            ),
        ],
    )
    def test_by_itself(self, strategy: type[Strategy[Draft]], told: str) -> None:
        """The fault is found by a property test of three lines, and told with a conversation and a test."""
        message = played(strategy)
        assert re.match(told, message), message
        assert (
            f"The conversation that shows it, the shortest that was found:\n{strategy.__name__}, from Draft("
            in message
        )
        assert "\n    def test_" in message

    @pytest.mark.parametrize(
        ("strategy", "claim", "steps"),
        [
            (faulty.BelowZero, faulty.rounds_are_counted, 3),
            (faulty.WrongHalt, faulty.only_accepted_poems_are_published, 3),
        ],
    )
    def test_with_one_claim(self, strategy: type[Strategy[Draft]], claim: Callable[..., bool], steps: int) -> None:
        """With one invariant given, the fault is found by the shortest conversation that there is."""
        message = played(strategy, claim)
        assert f"invariant {claim.__name__} does not hold" in message
        told = message.partition("path: ")[0]
        assert f"\n    {steps} " in told
        assert f"\n    {steps + 1} " not in told


class TestCheck:
    @pytest.mark.parametrize(
        ("strategy", "code", "told"),
        [
            (faulty.NeverTrue, "guard-never-held", r"error: NeverTrue\.critic: .*is_approved.* never held"),
            (faulty.Mutating, "guard-mutates", r"error: Mutating\.critic: .*is_clean"),
            (faulty.Raising, "guard-raises", r"error: Raising\.critic: .*is_long raise[sd] IndexError"),
            (faulty.Overlapping, "edge-never-taken", r"error: Overlapping\.critic: .*accepted"),
            (faulty.Narrow, "no-guard-holds", r"error: Narrow\.critic: .*(is_accepted, is_spent|no guard holds)"),
            (faulty.KeyErrors, "node-raises", r"error: KeyErrors\.critic: .*KeyError"),
            (faulty.Livelock, "unbounded-cycle", r"error: Livelock\..*writer"),
            (faulty.HiddenState, "hidden-state", r"error: HiddenState\.writer: .*poems"),
            (faulty.Unsaved, "not-json", r"error: Unsaved\.critic: .*notes"),
        ],
    )
    def test_finds(self, strategy: type[Strategy[Draft]], code: str, told: str) -> None:
        """The fault is an error of the check, with the node and what is wrong there."""
        assert re.match(told, checked(strategy, code))

    def test_overlapping_guards(self) -> None:
        """Two guards that hold together are told with a board on which they do."""
        told = checked(faulty.Overlapping, "order-decides")
        assert told.startswith(
            "information: Overlapping.critic: has_verdict and is_accepted both hold, so the order"
        )
        assert "board: Draft('Roses are red.', verdict='ACCEPT', rounds_left=2)" in told


@pytest.mark.untraced
class TestNoFalseAlarm:
    @pytest.mark.parametrize("strategy", GALLERY, ids=lambda strategy: strategy.__name__)
    def test_gallery(self, strategy: type[Strategy[Any]]) -> None:
        """No built-in strategy has an error or a warning, but those that it allows with a reason."""
        assert [str(found) for found in check(strategy).findings if found.level != "information"] == []
