"""`check` beyond runs: boards that the type allows, first boards that are generated, what cannot be proved."""

from typing import ClassVar, Literal

import planted_boards as boards
import pytest
from attrs import evolve, frozen
from checking import SMALL, found, only
from planted import Draft
from planted_boards import Coin
from planted_cycles import Votes

from tinysmith import Agent, Halt, Strategy
from tinysmith.checks import check
from tinysmith.checks._type_checks import simpler
from tinysmith.errors import UsageError


@frozen
class Asserting:
    """A board that asserts what goes together."""

    text: str = ""
    side: Literal["heads", "tails"] = "heads"
    is_over: bool = False

    def __attrs_post_init__(self) -> None:
        assert not (self.is_over and self.side == "heads"), "it is over when tails came"


class AssertingFlip(Agent[Asserting]):
    samples: ClassVar[tuple[str, ...]] = ("heads", "tails")

    def prompt(self, coin: Asserting, /) -> str:
        return f"Flip {coin.text}."

    def parse(self, coin: Asserting, reply: str, /) -> Asserting:
        return evolve(coin, side="tails", is_over=reply == "tails")


def is_asserted_over(coin: Asserting) -> bool:
    return coin.is_over


def is_asserted_open(coin: Asserting) -> bool:
    return not coin.is_over


class Asserted(Strategy[Asserting]):
    """Nothing is wrong with it, and its board refuses cases by an assertion."""

    flip, done, gave_up = AssertingFlip(), Halt(success=True), Halt()
    initial = flip
    edges = (flip.to(done, when=is_asserted_over), flip.to(gave_up, when=is_asserted_open))
    allow: ClassVar[dict[str, str]] = {"no-otherwise": "one is the other's opposite"}


class AssertedStuck(Strategy[Asserting]):
    """No guard holds where it is over."""

    flip, done = AssertingFlip(), Halt()
    initial = flip
    edges = (flip.to(done, when=is_asserted_open),)
    allow: ClassVar[dict[str, str]] = {"no-otherwise": "planted"}


class TestTypes:
    def test_a_narrow_board_proves_that_a_guard_always_holds(self) -> None:
        """Where the fields that guards read have few values, all are tried, and nothing is left to be proved."""
        report = check(boards.Narrow, boards=[Coin("heads")], **SMALL)
        assert {each.code for each in report.findings} == {"field-never-read"}

    def test_a_wide_board_proves_nothing(self) -> None:
        """Where they have many, that is said."""
        report = check(boards.Wide, boards=[Coin("heads")], **SMALL)
        (finding,) = [each for each in report.findings if each.code == "not-proved"]
        assert finding.where == "Wide.flip"
        assert finding.problem.startswith("that one of its guards always holds: it did on ")

    def test_cases_that_the_class_refuses_do_not_count(self) -> None:
        """All cases of a few fields are tried, but for those that the board's class refuses."""
        assert "not-proved" not in {each.code for each in check(boards.FewCases, **SMALL).findings}

    def test_a_class_may_refuse_cases_with_anything(self) -> None:
        """Cases and simpler boards that a class refuses by an assertion do not count either."""
        assert found(Asserted) == ()
        assert "not-proved" not in {each.code for each in check(Asserted, **SMALL).findings}
        finding = only(AssertedStuck)
        assert finding.code == "no-guard-holds"
        assert "side='tails'" in finding.example

    @pytest.mark.parametrize("name", ["ManyCases", "SealedNarrow"])
    def test_too_many_cases_prove_nothing(self, name: str) -> None:
        """Where there are too many cases, or what is read cannot be told, that is said."""
        findings = check(getattr(boards, name), **SMALL).findings
        assert "that one of its guards always holds: " in " ".join(each.problem for each in findings)

    @pytest.mark.untraced
    def test_a_type_that_allows_more_than_the_reason_says(self) -> None:
        """A board to which no run comes, but which the type allows, refutes an allowance of no-otherwise."""
        finding = only(boards.OneSided, boards=[Coin("heads")])
        assert (finding.code, finding.board) == ("no-guard-holds", "possible")
        assert finding.problem == "none of its guards holds (tried is_gold) on a board that its type allows."
        assert "metal='silver'" in finding.example

    def test_one_case_of_few_that_is_left_out(self) -> None:
        """Of a narrow board, the one case without a guard is found."""
        finding = only(boards.TwoOfThree)
        assert (finding.code, finding.board) == ("no-guard-holds", "possible")
        assert "Light.AMBER" in finding.example

    def test_a_guard_that_raises_on_boards_of_the_type(self) -> None:
        """A guard that raises on a board to which no run comes is at fault, too."""
        finding = only(boards.RaisingElsewhere)
        assert (finding.code, finding.board) == ("guard-raises", "possible")
        assert finding.example == "board: Draft()"

    def test_a_guard_that_wavers_on_boards_of_the_type(self) -> None:
        """What is wrong only now and then is told with a generated board as it is."""
        finding = only(boards.WaveringElsewhere)
        assert (finding.code, finding.board) == ("guard-wavers", "possible")


class TestSimpler:
    def test_what_the_class_refuses_stays(self) -> None:
        """Fields have their defaults as far as the class takes them, and what was seen still is."""
        board = Asserting("a text", "tails", is_over=True)
        assert simpler(board, lambda other: other.is_over) == Asserting("", "tails", is_over=True)


class TestBeginnings:
    @pytest.mark.untraced
    def test_boards_without_defaults_are_generated(self) -> None:
        """Where no first board can be made, the search begins from generated ones."""
        assert found(boards.Narrow) == ()

    def test_a_brief_that_wants_more_than_a_plain_task(self) -> None:
        """A brief that a plain task is not enough for is done without."""
        assert found(boards.Picky) == ()
        (finding,) = [each for each in check(boards.Picky, **SMALL).findings if each.code == "not-proved"]
        assert "of a plain task it raised KeyError: 'text'. Generated boards were searched" in finding.problem
        assert finding.remedy == "Give boards=, or let `brief` take a plain task."

    @pytest.mark.untraced
    def test_an_object_is_as_good_as_its_class(self) -> None:
        """`check` takes the class or an object of it."""
        assert str(check(Votes(), **SMALL)) == str(check(Votes, **SMALL))

    def test_what_is_no_strategy_is_refused(self) -> None:
        """Something else, or a node that is not there, is misuse."""
        with pytest.raises(UsageError, match="is no strategy"):
            check(Draft)  # type: ignore[arg-type]  # the mistake
        with pytest.raises(UsageError, match="replies= names 'writr'"):
            check(Votes, replies={"writr": ["good"]})

    def test_a_board_of_which_nothing_can_be_generated(self) -> None:
        """Where validators refuse every board, that is said, and nothing else is claimed."""
        report = check(boards.Impossible)
        assert [each.code for each in report.findings] == ["not-searched"]
        assert "nothing was searched." in report.findings[0].problem

    def test_what_cannot_be_watched_is_said(self) -> None:
        """Where no spy can be made of a board, that fields are written in time is not proved."""
        report = check(boards.Unwatchable, **SMALL)
        (finding,) = report.findings
        assert finding.code == "not-proved"
        assert finding.problem.startswith(
            "that no field is read before it is written: no class can be derived from"
        )
