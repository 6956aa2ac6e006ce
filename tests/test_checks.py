"""`check`: each planted fault is found, told so that a new user understands it, and nothing sound is."""

import planted as faults
import planted_boards as boards
import planted_cycles as cycles
import planted_nodes as nodes
import pytest
import sketches
from checking import SMALL, found, only, planted
from planted_boards import Coin
from sketches import Pad

import machines
from tinysmith.checks import RULES, check
from tinysmith.checks._codes import SEARCHED

FAULTS = [
    ("Stuck", "no-guard-holds", "writer: none of its guards holds (tried is_good).", "reachable"),
    (
        "Raising",
        "guard-raises",
        "writer: its guard is_noted raised IndexError: tuple index out of range.",
        "reachable",
    ),
    ("Truthy", "guard-not-bool", "is_worded answered 'good', which is neither True nor False.", "reachable"),
    (
        "Mutating",
        "guard-mutates",
        "its guard is_spoilt changed the board: text from 'good' to 'good!'.",
        "reachable",
    ),
    ("Wavering", "guard-wavers", "is_lucky answered False, then True, on the same board.", "reachable"),
    (
        "NeverHeld",
        "guard-never-held",
        "is_perfect never held. Searched: 1 position, all that there are ",
        "possible",
    ),
    ("Contradiction", "guard-never-held", " Nor did it on any board that was generated.", ""),
    (
        "Always",
        "edge-never-taken",
        "writer: its edge writer → gave_up (otherwise) was never taken. Searched: ",
        "",
    ),
    ("Endless", "max-hops", "rule: rules lead to rules for ever: 10,000 hops without a request.", "reachable"),
    (
        "Long",
        "max-hops",
        "rules take 100 hops in a row, and by default a run ends after 50, as max_hops.",
        "reachable",
    ),
    ("Trap", "live-lock", "hand: after writer → hand no answer leads to a halt any more.", "reachable"),
    (
        "Ring",
        "unbounded-cycle",
        "a run can go other → writer → other for ever: it comes back to the ",
        "reachable",
    ),
    (
        "Growing",
        "unbounded-cycle",
        "a run can stay in writer for 200 hops and more without meeting a ",
        "reachable",
    ),
    ("Counting", "hidden-state", "writer: its attribute calls was 0 before the search, and is ", ""),
    (
        "Dicing",
        "hidden-state",
        "the same answer, folded twice from the same position, made the field text '",
        "reachable",
    ),
    (
        "Unsaved",
        "not-json",
        "cannot be saved: position.board.rounds_left holds 'good', which is no int.",
        "reachable",
    ),
    (
        "Unhashable",
        "not-json",
        "writer: after it a position does not survive JSON: it cannot be saved: position.board.notes ",
        "reachable",
    ),
    ("Leaking", "node-raises", "writer: it raised KeyError: 'fair'.", "reachable"),
    (
        "Complaining",
        "node-raises",
        "it raised ParseError: Show something else, though nobody's reply ",
        "reachable",
    ),
    (
        "Mute",
        "bad-prompt",
        "other: what it asks for cannot be sent: its prompt is empty. Return some text.",
        "reachable",
    ),
    ("TooEarly", "read-unwritten", "hand: action reads the field text, which is still '' there: only writer ", ""),
    (
        "Forgotten",
        "read-unwritten",
        "prompt reads the field notes, which is still () there: no node writes it.",
        "",
    ),
    (
        "Paid",
        "paid-after-end",
        "writer: a model is asked after the environment has said that the episode ",
        "reachable",
    ),
]


class TestFaults:
    @pytest.mark.parametrize(("name", "code", "said", "board"), FAULTS, ids=[row[0] for row in FAULTS])
    def test_each_is_found_alone(self, name: str, code: str, said: str, board: str) -> None:
        """A planted fault is found, and nothing else: with what, where, how to mend it, and what shows it."""
        finding = only(planted(name))
        assert (finding.code, finding.board) == (code, board)
        assert said in f"{finding.where}: {finding.problem}"
        assert finding.remedy.endswith((".", "!"))
        assert finding.level == RULES[code].level

    def test_every_code_is_planted(self) -> None:
        """Each check that a search makes is tried here."""
        tried = {code for _, code, *_ in FAULTS}
        assert set(SEARCHED) - tried == {"order-decides", "field-never-read", "not-proved", "not-searched"}

    def test_a_deadlock_is_told_as_the_shortest_conversation(self) -> None:
        """The run that is stuck is shown with the answer that led there, and its board."""
        assert only(faults.Stuck).example == "\n".join(
            [
                "Stuck, from Draft()",
                "    1 writer: 'fair'",
                "path: writer",
                "board: Draft('fair', rounds_left=1)",
            ]
        )

    def test_it_may_be_stuck_when_it_begins(self) -> None:
        """A rule that comes first is followed by no guard that holds."""
        (finding,) = [each for each in found(cycles.StuckAtOnce) if each.code == "no-guard-holds"]
        assert finding.where == "StuckAtOnce.rule"
        assert finding.example == "StuckAtOnce, from Draft()\nboard: Draft('nothing')"

    def test_a_guard_may_raise_behind_rules(self) -> None:
        """The board on which it raised is that after the rules."""
        finding = only(cycles.RaisingBehindRules)
        assert (finding.code, finding.where) == ("guard-raises", "RaisingBehindRules.last")
        assert finding.example.endswith("path: writer\nboard: Draft('nothing', rounds_left=1)")

    def test_a_guard_that_is_not_asked_in_runs_raises_too(self) -> None:
        """A guard behind one that always holds is asked all the same."""
        findings = {each.code: each for each in found(faults.RaisingLater)}
        assert set(findings) == {"guard-raises", "edge-never-taken"}
        assert findings["guard-raises"].board == "reachable"

    def test_a_guard_must_not_ask_which_object_it_is(self) -> None:
        """A guard that answers otherwise on an equal board, read from JSON, is found."""
        findings = {each.code: each for each in found(faults.ByIdentity)}
        assert set(findings) == {"guard-wavers", "edge-never-taken"}
        said = "its guard is_default answered True, and False on an equal board that went through JSON."
        assert findings["guard-wavers"].problem == said
        assert findings["guard-wavers"].remedy.startswith("Compare values by ==, never by `is`.")

    def test_an_edge_may_stand_behind_a_guard_that_covers_it(self) -> None:
        """Of an edge whose guard held, but behind another, that is said, with the board."""
        first, _ = found(faults.Shadowed)
        assert first.code == "edge-never-taken"
        assert "where is_good holds, an earlier guard does, too." in first.problem
        assert first.example == "board: Draft('good', rounds_left=8)"

    def test_the_smallest_board_on_which_a_guard_would_hold(self) -> None:
        """Of a guard that never held, the smallest board of its type on which it does is shown."""
        assert only(faults.NeverHeld).example == "board: Draft(rounds_left=6)"

    def test_a_counter_that_nothing_stops_is_no_bound(self) -> None:
        """A counter that a guard waits for, but which has passed it, bounds nothing."""
        assert {each.code for each in found(cycles.Below)} == {"guard-never-held", "unbounded-cycle"}

    def test_a_long_example_is_cut_in_its_middle(self) -> None:
        """Of a long run, its beginning and its end are shown."""
        finding = only(cycles.Late, **SMALL | {"depth": 60, "walks": 5})
        lines = finding.example.splitlines()
        assert finding.code == "no-guard-holds"
        assert len(lines) <= 26
        assert "  …" in lines
        assert all(len(line) <= 400 for line in lines)

    def test_what_was_answered_is_shown_whoever_answered(self) -> None:
        """The last line of a run that raises says what was received: a tool's result, or a failure."""
        first, second = found(nodes.Receiving, results={"fetch": ["", "a page"]})
        assert first.example.splitlines()[1] == "    1 fetch: 'a page'"
        assert second.example.splitlines()[2] == "    2 writer: failed (context_overflow)"

    def test_a_guard_that_raises_the_second_time(self) -> None:
        """A guard that answers once and then raises wavers."""
        wavers = [each for each in found(faults.Tired) if each.code == "guard-wavers"]
        assert "then raised ValueError, on the same board." in wavers[0].problem

    def test_a_guard_that_spoils_the_board(self) -> None:
        """A guard after which the board cannot be saved changed it."""
        spoils = [each for each in found(faults.Spoiling) if each.code == "guard-mutates"]
        assert spoils[0].problem == "its guard is_listed changed the board, so that it cannot be saved any more."

    def test_what_only_a_walk_finds_is_shown_as_short_as_it_can_be(self) -> None:
        """Of a long walk the events are left out that are not needed."""
        finding = only(faults.Paid, max_positions=1, walks=40)
        assert len(finding.example.splitlines()) == 4
        assert "over]" in finding.example

    def test_a_field_is_told_once_a_node(self) -> None:
        """A field that prompt and guard read too early is one finding."""
        assert only(faults.Twice).code == "read-unwritten"


class TestOrder:
    def test_two_guards_that_hold(self) -> None:
        """Where two guards hold and lead to different nodes, that is told with the first board."""
        findings = check(cycles.Votes, **SMALL).findings
        (finding,) = [each for each in findings if each.code == "order-decides"]
        assert (
            finding.problem == "is_good and has_rounds_left both hold, so the order of the edges decides for done."
        )
        assert finding.example.endswith("board: Draft('good', rounds_left=1)")
        assert finding.level == "information"

    def test_not_where_both_lead_to_the_same_node(self) -> None:
        """Where it makes no difference which holds first, nothing is told."""
        assert "order-decides" not in {each.code for each in check(faults.Alike, **SMALL).findings}

    def test_on_boards_that_are_only_possible(self) -> None:
        """Where no run comes to such a board, a small one of its type is shown."""
        findings = check(boards.NeverBoth, **SMALL).findings
        (finding,) = [each for each in findings if each.code == "order-decides"]
        assert finding.board == "possible"
        assert finding.example == "board: Draft('good', is_over=True)"


class TestFields:
    def test_what_a_rule_reads_is_read(self) -> None:
        """A field that only a rule reads is not among those that nothing reads, which are told at once."""
        (finding,) = check(cycles.Reading, **SMALL).findings
        assert finding.code == "field-never-read"
        assert finding.problem == "no node and no guard reads the fields text, is_over of its board."


class TestSound:
    @pytest.mark.parametrize("name", ["Once", "Refine", "Ballot", "Lookup", "Spin"])
    def test_sketches(self, name: str) -> None:
        """Nothing is wrong with a small sound strategy."""
        pads = [Pad(("x",), left=2), Pad(left=1), Pad(("a", "b"))]
        report = check(getattr(sketches, name), boards=pads, max_positions=500, walks=100)
        assert report.is_clean, str(report)

    @pytest.mark.parametrize("name", ["Look", "Watched", "Round", "Rescue"])
    def test_sketches_that_ask_after_the_end(self, name: str) -> None:
        """Of a strategy that reflects after the end, that is all that is told."""
        pads = [Pad(("x",), left=2), Pad(left=1), Pad(("a", "b"))]
        assert {each.code for each in found(getattr(sketches, name), boards=pads, max_positions=1_500)} == {
            "paid-after-end"
        }

    @pytest.mark.parametrize(
        "name",
        [
            "Slow",
            "Bushy",
            *(pytest.param(name, marks=pytest.mark.untraced) for name in ("CountsUp", "FillsUp", "WorksOff")),
        ],
    )
    def test_a_bound_may_be_a_count_of_what_grows(self, name: str) -> None:
        """Cycles end by a counter that grows, by notes that are enough, or by a plan that is worked off."""
        assert found(planted(name), walks=5) == ()

    def test_a_bound_may_be_in_a_class_within_the_board(self) -> None:
        """A counter counts wherever it is on the board; one whose end is missed does not."""
        assert found(cycles.Nested, walks=5) == ()
        assert {each.code for each in found(cycles.NestedBelow, walks=5)} == {"unbounded-cycle"}

    def test_a_panel_is_checked_as_well(self) -> None:
        """A panel's seats are answered one by one."""
        assert found(cycles.Votes) == ()


class TestAllow:
    def test_what_is_allowed_is_kept_apart(self) -> None:
        """An allowed finding is none, but is in the report with its reason."""
        report = check(machines.CoinflipPoet)
        allowed = [each for each in report.located if each.reason]
        assert {each.finding.code for each in allowed} == {"paid-after-end"}
        assert not set(report.findings).intersection(each.finding for each in allowed)

    def test_at_one_node(self) -> None:
        """`code:node` allows a check at that node alone."""
        (finding,) = found(faults.PaidTwice)
        assert (finding.code, finding.where) == ("paid-after-end", "PaidTwice.other")

    def test_a_run_refutes_the_reason(self) -> None:
        """That no guard holds may be allowed on boards that are only possible, never where a run comes to one."""
        assert found(boards.OneSidedForAReason, boards=[Coin("heads")]) == ()
        assert only(faults.StuckForNoReason).code == "no-guard-holds"
