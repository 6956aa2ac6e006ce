"""The checks that a strategy's class must pass: each finding, and which of them may be allowed."""

import functools
from types import new_class
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Agent, DefinitionError, Edge, Halt, Observation, Rule, Strategy, World
from tinysmith._soundness import ALLOWABLE, CHECKED, OUTCOMES, guard_fault
from tinysmith.errors import Finding
from tinysmith.limits import LIMIT_NAMES


@frozen
class Draft:
    """The board."""

    text: str = ""


@frozen
class Lists:
    """No board: two of its fields can be changed in place."""

    items: list[int]
    names: set[str]


class Plain:
    """No board: attrs does not know it."""


def is_clean(draft: Draft) -> bool:
    """The draft needs no more work."""
    return not draft.text


def is_long(draft: Draft) -> bool:
    """The draft is long."""
    return len(draft.text) > 9


def is_better(draft: Draft, other: Draft) -> bool:
    """The draft is better than another."""
    return draft.text > other.text


def is_always() -> bool:
    """Looks at no board."""
    return True


def is_by_name(*, draft: Draft) -> bool:
    """Takes its board by name."""
    return is_clean(draft)


def is_strict(draft: Draft, strict: bool = True) -> bool:
    """Needs no more than the board."""
    return is_clean(draft) and strict


async def is_later(draft: Draft) -> bool:
    """Answers with a promise."""
    return is_clean(draft)


class Writer(Agent[Draft]):
    def prompt(self, draft: Draft, /) -> str:
        return "Write."

    def parse(self, draft: Draft, reply: str, /) -> Draft:
        return evolve(draft, text=reply)


class Shell(World[Draft]):
    def action(self, draft: Draft, /) -> str:
        return draft.text

    def observe(self, draft: Draft, seen: Observation, /) -> Draft:
        return evolve(draft, text=seen.text)


class Trim(Rule[Draft]):
    def apply(self, draft: Draft, /) -> Draft:
        return evolve(draft, text=draft.text.strip())


writer, critic, shell, trim, done, gave_up = Writer(), Writer(), Shell(), Trim(), Halt(success=True), Halt()
SOUND: dict[str, Any] = {
    "writer": writer,
    "critic": critic,
    "done": done,
    "initial": writer,
    "edges": (writer.to(critic), critic.to(done, when=is_clean), critic.to(writer)),
}


def findings(base: Any = Strategy[Draft], /, **body: object) -> tuple[Finding, ...]:
    """The findings on a class `Faulty` of this body; none, if it is sound."""
    try:
        new_class("Faulty", (base,), exec_body=lambda namespace: namespace.update(body))
    except DefinitionError as error:
        return error.findings
    return ()


def edges(*more: Edge[Draft], **body: object) -> dict[str, Any]:
    """The sound body with these edges instead of its own."""
    return SOUND | {"edges": more} | body


TO_CRITIC = writer.to(critic)
TO_GAVE_UP = (*SOUND["edges"], writer.on_failure(gave_up))
CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("reserved-outcome", edges(*TO_GAVE_UP, max_asks=gave_up), "max_asks", "outcome of that name", "Rename"),
    ("reserved-outcome", edges(*TO_GAVE_UP, model_failed=gave_up), "model_failed", "of that name", "Rename"),
    (
        "edge-from-halt", edges(*SOUND["edges"], Edge(done, writer)), "done",
        "an edge leaves a halt", "Remove it.",
    ),
    (
        "second-failure-edge", edges(*SOUND["edges"], writer.on_failure(done), writer.on_failure(critic)),
        "writer", "it has two failure edges", "Keep one.",
    ),
    (
        "edge-after-otherwise", edges(TO_CRITIC, critic.to(writer), critic.to(done, when=is_clean)), "critic",
        "its edge to done stands after the one without a guard", "Put the edge without `when` last.",
    ),
    (
        "edge-after-otherwise", edges(TO_CRITIC, critic.to(done), critic.to(writer)), "critic",
        "its edge to writer stands after", "Put the edge without `when` last.",
    ),
    (
        "no-otherwise", edges(TO_CRITIC, critic.to(done, when=is_clean), critic.to(writer, when=is_long)),
        "critic", "stuck there where no guard holds (is_clean, is_long)", "e.g. `critic.to(done)`.",
    ),
    (
        "no-edges", edges(writer.to(critic, when=is_clean), writer.to(done)), "critic",
        "no edge leaves it", "e.g. `critic.to(done)`.",
    ),
    (
        "same-guard-twice",
        edges(TO_CRITIC, critic.to(done, when=is_clean), critic.to(writer, when=is_clean), critic.to(writer)),
        "critic", "its guard is_clean stands on two edges", "Remove one, or ask something else.",
    ),
    ("unused-node", SOUND | {"spare": trim}, "spare", "no edge mentions it", "Add an edge to it, or remove it."),
    (
        "unreachable-node", edges(*SOUND["edges"], trim.to(done), trim=trim), "trim",
        "no edges lead to it from the initial node writer", "Add an edge to it, or remove it.",
    ),
]  # fmt: skip


class TestFindings:
    @pytest.mark.parametrize(("code", "body", "node", "problem", "remedy"), CASES)
    def test_a_fault_is_told(self, code: str, body: dict[str, Any], node: str, problem: str, remedy: str) -> None:
        """A faulty machine is refused, with strategy, node, what is wrong and what to do."""
        (finding,) = (found for found in findings(**body) if found.code != "no-exit")
        assert finding.code == code
        assert finding.where == f"Faulty.{node}"
        assert problem in finding.problem
        assert remedy in finding.remedy

    def test_no_exit(self) -> None:
        """A machine that could never end is refused, node by node."""
        found = findings(writer=writer, critic=critic, initial=writer, edges=(TO_CRITIC, critic.to(writer)))
        assert [(finding.code, finding.where) for finding in found] == [
            ("no-exit", "Faulty.writer"),
            ("no-exit", "Faulty.critic"),
        ]
        assert "neither a halt nor a world node" in found[0].problem

    def test_the_remedy_names_a_halt_even_where_there_is_none(self) -> None:
        """A class without a halt is shown what an edge to one looks like."""
        found = findings(writer=writer, initial=writer, edges=(writer.to(writer, when=is_clean),))
        assert "e.g. `writer.to(gave_up)`" in next(x.remedy for x in found if x.code == "no-otherwise")

    def test_a_sound_class_has_none(self) -> None:
        """The body that the faulty ones are made of is sound itself."""
        assert findings(**SOUND) == ()

    def test_a_world_is_an_exit(self) -> None:
        """A cycle through a world node may end with its environment."""
        assert (
            findings(writer=writer, shell=shell, initial=writer, edges=(writer.to(shell), shell.to(writer))) == ()
        )

    def test_a_failure_edge_is_a_way(self) -> None:
        """A node to which only a failure edge leads is reachable."""
        body = SOUND | {"gave_up": gave_up, "edges": (*SOUND["edges"], writer.on_failure(gave_up))}
        assert findings(**body) == ()

    def test_all_come_at_once(self) -> None:
        """Every fault of a machine is told together, in one message."""
        body = edges(TO_CRITIC, critic.to(done, when=is_long), trim.to(trim), trim=trim, max_hops=gave_up)
        with pytest.raises(DefinitionError) as caught:
            new_class("Faulty", (Strategy[Draft],), exec_body=lambda namespace: namespace.update(body))
        codes = {finding.code for finding in caught.value.findings}
        assert codes == {"reserved-outcome", "no-otherwise", "unused-node", "unreachable-node", "no-exit"}
        assert str(caught.value).startswith("5 findings:\n  Faulty.max_hops: ")

    def test_all_come_at_once_beside_what_cannot_be_read(self) -> None:
        """Board, halts, guards and edges are checked also where the body could not be read to its end."""
        body = SOUND | {"initial": None, "max_asks": gave_up, "edges": (writer.to(done, when=lambda _: True),)}
        codes = [finding.code for finding in findings(Strategy[Lists], **body)]
        assert codes == ["no-initial", "board-type", "board-type", "reserved-outcome", "bad-guard", "no-otherwise"]

    def test_an_edge_that_cannot_be_read_is_no_second_finding(self) -> None:
        """A node whose way out is misspelt is not told to lack one; the others are checked all the same."""
        elsewhere = Halt()
        body = {"writer": writer, "critic": critic, "done": done, "initial": writer}
        ways = (writer.to(critic, when=is_long), writer.to(elsewhere), critic.to(done, when=is_long))
        found = [(finding.code, finding.where) for finding in findings(Strategy[Draft], **body, edges=ways)]
        assert found == [("unknown-node", "Faulty.writer"), ("no-otherwise", "Faulty.critic")]

    @pytest.mark.parametrize("name", sorted(OUTCOMES))
    def test_no_halt_is_named_like_another_end(self, name: str) -> None:
        """A halt cannot have the name of a limit, nor of any other outcome."""
        assert "reserved-outcome" in [finding.code for finding in findings(**SOUND | {name: gave_up})]
        assert LIMIT_NAMES < OUTCOMES


class TestBoard:
    def test_every_field_is_told(self) -> None:
        """A board that can be changed in place is refused, field by field, with what to use instead."""
        found = findings(Strategy[Lists], **SOUND)
        assert [(finding.code, finding.where) for finding in found] == [
            ("board-type", "Faulty: Lists.items"),
            ("board-type", "Faulty: Lists.names"),
        ]
        assert found[0].remedy == "Use tuple[T, ...]."

    @pytest.mark.parametrize("board", [int, str, tuple, dict, Plain])
    def test_a_board_is_an_attrs_class(self, board: type) -> None:
        """A board that attrs does not know is refused, also where its values could be saved."""
        (finding,) = findings(Strategy[board], **SOUND)  # type: ignore[valid-type]  # what is tested
        assert finding.code == "board-type"
        assert finding.where.startswith("Faulty")


class Holds:
    """A callable without a name."""

    def __call__(self, draft: Draft) -> bool:
        return True


GUARDS: list[tuple[Any, str]] = [
    (True, "its guard is True, which is no function; a guard is named, not called."),
    ("is_clean", "its guard is 'is_clean', which is no function"),
    ([is_clean], "which is no function"),
    (lambda draft: True, "one of its guards has no name"),
    (functools.partial(is_better, Draft()), "one of its guards has no name"),
    (Holds(), "one of its guards has no name"),
    (is_later, "its guard is_later is async"),
    (is_better, "its guard is_better does not take exactly one board"),
    (is_always, "its guard is_always does not take exactly one board"),
    (is_by_name, "its guard is_by_name does not take exactly one board"),
]


class TestGuards:
    @pytest.mark.parametrize(("guard", "problem"), GUARDS, ids=[problem for _, problem in GUARDS])
    def test_a_guard_that_is_none(self, guard: Any, problem: str) -> None:
        """What is no plain named predicate over one board is refused, with the node that it stands at."""
        found = findings(**edges(TO_CRITIC, critic.to(done, when=guard), critic.to(writer)))
        assert [(finding.code, finding.where) for finding in found] == [("bad-guard", "Faulty.critic")]
        assert problem in found[0].problem
        assert found[0].remedy == "Name a module-level function: def is_ready(board: Board) -> bool."

    @pytest.mark.parametrize(("guard", "problem"), GUARDS, ids=[problem for _, problem in GUARDS])
    def test_a_guard_that_is_none_twice(self, guard: Any, problem: str) -> None:
        """The same bad guard on two edges is told on each, not raised as another error."""
        body = edges(TO_CRITIC, critic.to(done, when=guard), critic.to(writer, when=guard), critic.to(writer))
        codes = [finding.code for finding in findings(**body)]
        assert codes.count("bad-guard") == 2

    @pytest.mark.parametrize("guard", [is_clean, is_strict])
    def test_a_sound_guard(self, guard: Any) -> None:
        """A named function that one board suffices for has no fault."""
        assert guard_fault(guard) is None


ALLOWED: dict[str, dict[str, Any]] = {code: body for code, body, *_ in CASES if code in ALLOWABLE} | {
    "no-exit": {"writer": writer, "initial": writer, "edges": (writer.to(writer),)}
}


class TestAllow:
    def test_every_allowable_check_is_tried(self) -> None:
        """The tests below allow everything that can be allowed."""
        assert set(ALLOWED) == ALLOWABLE

    @pytest.mark.parametrize("code", sorted(ALLOWABLE))
    def test_it_switches_off_one_check(self, code: str) -> None:
        """A check that is allowed with a reason finds nothing, and every other check finds what it did."""
        body = ALLOWED[code]
        before = findings(**body)
        after = findings(**body, allow={code: "it is right here"})
        assert code in {finding.code for finding in before}
        assert after == tuple(finding for finding in before if finding.code != code)

    @pytest.mark.parametrize("reason", ["", "  ", None])
    def test_it_wants_a_reason(self, reason: Any) -> None:
        """A check that is allowed without a reason is a finding."""
        (finding,) = findings(**SOUND, allow={"no-exit": reason})
        assert (finding.code, finding.where) == ("bad-allowance", "Faulty")
        assert finding.problem == "allow['no-exit'] gives no reason."

    @given(st.text() | st.sampled_from(["no-initial", "bad-guard", "no-edges", "edge-from-halt", "board-type"]))
    def test_it_refuses_what_cannot_be_allowed(self, code: str) -> None:
        """An unknown check, or one without which no machine could be built, cannot be allowed."""
        if code not in ALLOWABLE | CHECKED:
            (finding,) = findings(**SOUND, allow={code: "because"})
            assert finding.code == "bad-allowance"
            assert repr(code) in finding.problem
            assert "What can: edge-after-otherwise, no-exit, " in finding.remedy

    def test_it_may_name_a_node(self) -> None:
        """`code:node` allows a check at that node alone, and a node that is not there is told."""
        body = ALLOWED["unused-node"]
        (found,) = findings(**body)
        node = found.where.rpartition(".")[2]
        assert findings(**body, allow={f"unused-node:{node}": "kept"}) == ()
        assert findings(**body, allow={"unused-node:writer": "kept"}) == (found,)
        (wrong, _) = findings(**body, allow={f"unused-node:{node}s": "kept"})
        assert wrong.code == "bad-allowance"
        assert wrong.problem == f"allow names 'unused-node:{node}s', but there is no node '{node}s'."

    @pytest.mark.parametrize("code", sorted(CHECKED))
    def test_it_knows_what_a_search_finds(self, code: str) -> None:
        """The codes of `check` can be allowed in the class body."""
        assert findings(**SOUND, allow={code: "it is right here"}) == ()

    def test_what_cannot_be_allowed_is_told_all_the_same(self) -> None:
        """Naming a check that cannot be allowed does not hide what it finds."""
        found = findings(**SOUND | {"initial": None}, allow={"no-initial": "because"})
        assert [finding.code for finding in found] == ["bad-allowance", "no-initial"]

    def test_it_is_inherited(self) -> None:
        """What a class allows, its subclass allows too."""
        body = SOUND | {"spare": trim, "allow": {"unused-node": "kept for subclasses"}}
        base = new_class("Base", (Strategy[Draft],), exec_body=lambda namespace: namespace.update(body))
        assert findings(base) == ()
