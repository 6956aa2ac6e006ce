"""The property test of strategies whose types have validators."""

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import field, frozen, validators
from sketches import Once, Pad, added

from tinysmith import Halt, Strategy, Tool, Typed
from tinysmith.testing import strategy_test


@frozen
class Bounded:
    """A board with bounds, and a field that nothing needs."""

    goal: str
    left: int = field(validator=validators.ge(1))
    note: str = ""

    def __attrs_post_init__(self) -> None:
        assert self.left < 50, "too much is left"


@frozen
class Share:
    """What a tool returns."""

    part: float = field(validator=validators.and_(validators.ge(0.0), validators.le(1.0)))


class Weigh(Tool[Bounded, Share]):
    """Weighs."""

    def arguments(self, board: Bounded, /) -> Mapping[str, Any]:
        return {}

    def receive(self, board: Bounded, result: Share, /) -> Bounded:
        assert 0 <= result.part <= 1
        return board


class Weighing(Strategy[Bounded]):
    """Its boards and results have validators."""

    weigh = Weigh()
    done = Halt()

    initial = weigh
    edges = (weigh.to(done),)


@frozen
class Code:
    """What hardly anything fits."""

    code: str = field(validator=validators.matches_re(r"[A-Z]{3}-\d{9}"))


class Coder(Typed[Pad, Code]):
    """Wants a code, and has no samples."""

    def prompt(self, pad: Pad, /) -> str:
        return "Give the code."

    def accept(self, pad: Pad, code: Code, /) -> Pad:
        return added(pad, code.code)


class Coding(Once):
    """Its agent's replies can hardly be generated."""

    writer = Coder()  # type: ignore[assignment]  # another kind of agent under the inherited name


class TestValidators:
    @pytest.mark.parametrize("strategy", [Weighing, Coding])
    def test_are_honoured(self, strategy: type[Strategy[Any]]) -> None:
        """What validators refuse is not drawn; where hardly anything is left, the test still runs."""
        strategy_test(strategy, max_examples=20)().test_every_run()
