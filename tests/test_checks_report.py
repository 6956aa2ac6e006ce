"""The report of a check: as text, as JSON, as SARIF, and what of it is a failure."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import planted
import planted_nodes
import pytest
from planted_boards import NeverBoth
from planted_cycles import Votes

import machines
from tinysmith import Agent, DefinitionError, Halt, Strategy
from tinysmith._soundness import CHECKED
from tinysmith.checks import RULES, Located, Report, check, refused
from tinysmith.checks._codes import DECLARED, SEARCHED
from tinysmith.checks._places import place_of
from tinysmith.errors import Finding

SMALL: dict[str, Any] = {"max_positions": 50, "walks": 0}
HERE = Path(__file__).parent
STUCK_LINE = next(
    number
    for number, line in enumerate((HERE / "planted.py").read_text(encoding="utf-8").splitlines(), start=1)
    if line.startswith("def is_noted")
)


@pytest.fixture(scope="module")
def report() -> Report:
    """A report with errors, warnings, informations and something allowed."""
    strategies = (planted.Raising, planted.Paid, Votes, machines.CoinflipPoet)
    return Report.joined(check(strategy, **SMALL) for strategy in strategies)


def refused_class() -> DefinitionError:
    """What the creation of an unsound class raises."""
    with pytest.raises(DefinitionError) as caught:

        class Faulty(Strategy[planted.Draft]):
            writer = planted.Writer()
            initial = writer

    return caught.value


class TestText:
    def test_it_is_what_a_person_reads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A finding has its code, its line, where it is, what is wrong, what to do, and the run that shows it."""
        monkeypatch.chdir(HERE.parent)
        assert str(check(planted.Raising, **SMALL)) == "\n".join(
            [
                "Raising: 1 error",
                f"  error [guard-raises] ({Path('tests') / 'planted.py'}:{STUCK_LINE})",
                "    Raising.writer: its guard is_noted raised IndexError: tuple index out of range.",
                "    A guard answers on every board: let it answer False where it cannot tell.",
                "    a run comes to it:",
                "      Raising, from Draft()",
                "          1 writer: 'good'",
                "      path: writer",
                "      board: Draft('good', rounds_left=1)",
                "",
                "1 strategy checked: 1 error.",
            ]
        )

    def test_what_is_for_information_is_short(self) -> None:
        """Of what is for information the board is shown, and no more."""
        lines = str(check(NeverBoth, **SMALL)).splitlines()
        at = next(number for number, line in enumerate(lines) if "[order-decides]" in line)
        assert lines[at + 1].endswith("so the order of the edges decides for done.")
        assert lines[at + 2] == "      board: Draft('good', is_over=True)"

    def test_it_counts(self, report: Report) -> None:
        """The last line says how much was checked and found; what is allowed is told with its reason."""
        *_, one, two, last = report.text().splitlines()
        assert last == "4 strategies checked: 1 error, 1 warning, 5 for information, 2 allowed."
        reason = "it has no guards; the next action ends the run, two asks later"
        assert one == f"allowed: CoinflipPoet.flipper [paid-after-end]: {reason}"
        assert two == f"allowed: CoinflipPoet.poet [paid-after-end]: {reason}"

    def test_nothing_found(self) -> None:
        """A report without findings says so."""
        assert str(Report(("Refine",))) == "1 strategy checked: nothing found."

    def test_it_has_colour_where_it_is_wanted(self, report: Report) -> None:
        """Levels are coloured on demand only, and nothing else is."""
        assert "\x1b" not in report.text()
        coloured = report.text(has_colour=True)
        assert "\x1b[31merror\x1b[0m [guard-raises]" in coloured
        assert coloured.count("\x1b[0m") == len(report.findings)

    def test_hostile_text_is_written_out(self) -> None:
        """What a model or an exception says cannot steer the terminal."""
        text = str(check(planted_nodes.Hostile, **SMALL))
        assert "\x1b" not in text
        assert "\\x1b[2J" in text

    def test_a_class_that_is_refused(self) -> None:
        """What the creation of a class finds is a report, with the line where the class begins."""
        text = str(refused(refused_class()))
        assert "Faulty.writer: no edge leaves it, so a run would be stuck there." in text
        assert "error [no-edges]" in text
        assert "test_checks_report.py:" in text


class TestPlaces:
    def test_what_the_user_wrote(self) -> None:
        """A node's own class is the place; of a node that this package makes, the strategy's class."""
        solver, memory = (place_of(machines.SingleAgent, node) for node in ("agent", "memory"))
        assert solver is not None
        assert memory is not None
        assert solver.file == memory.file
        assert Path(memory.file).name == "single_agent.py"
        assert solver.line < memory.line


class TestFailures:
    def test_errors_come_first(self, report: Report) -> None:
        """Findings are in the order of their levels, whatever they are of."""
        levels = [finding.level for finding in report.findings]
        assert levels == sorted(levels, key=["error", "warning", "information"].index)

    @pytest.mark.untraced
    def test_what_is_reached(self) -> None:
        """`reaches` says whether anything so bad, or worse, was found; clean is without errors and warnings."""
        error, warning = check(planted.Raising, **SMALL), check(planted.Paid, **SMALL)
        information, nothing = check(Votes, **SMALL), Report()
        assert [each.reaches("error") for each in (error, warning, information, nothing)] == [
            True,
            False,
            False,
            False,
        ]
        assert [each.reaches("warning") for each in (error, warning, information)] == [True, True, False]
        assert [each.reaches("information") for each in (warning, information, nothing)] == [True, True, False]
        assert [each.is_clean for each in (error, warning, information, nothing)] == [False, False, True, True]


class TestJson:
    def test_it_holds_everything(self, report: Report) -> None:
        """Every finding is there with all its parts, what is allowed apart with its reason."""
        read = json.loads(report.to_json())
        assert read["strategies"] == ["Raising", "Paid", "Votes", "CoinflipPoet"]
        assert [each["code"] for each in read["findings"]] == [each.code for each in report.findings]
        first = read["findings"][0]
        assert first.keys() == {"code", "where", "problem", "remedy", "level", "example", "board", "file", "line"}
        assert first["line"] == STUCK_LINE
        assert {each["reason"] for each in read["allowed"]} == {
            "it has no guards; the next action ends the run, two asks later"
        }


class TestSarif:
    def test_it_is_sarif(self, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
        """It has what SARIF 2.1.0 asks for: version, tool, rules, and results that point to rules and lines."""
        monkeypatch.chdir(HERE.parent)
        log = json.loads(report.to_sarif())
        assert log["version"] == "2.1.0"
        assert log["$schema"].endswith("sarif-schema-2.1.0.json")
        (run,) = log["runs"]
        driver = run["tool"]["driver"]
        assert driver["name"] == "tinysmith"
        for rule in driver["rules"]:
            assert rule["id"] in RULES
            assert rule["name"].isidentifier()
            assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
            for part in ("shortDescription", "fullDescription", "help"):
                assert rule[part]["text"].strip()
        assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
        assert len(run["results"]) == len(report.located)
        for result in run["results"]:
            check_result(result, driver["rules"])

    def test_what_is_allowed_is_suppressed(self, report: Report) -> None:
        """An allowance is a suppression in the source, with its reason."""
        results = json.loads(report.to_sarif())["runs"][0]["results"]
        suppressed = [result["suppressions"] for result in results if "suppressions" in result]
        reason = "it has no guards; the next action ends the run, two asks later"
        assert suppressed == [[{"kind": "inSource", "justification": reason}]] * 2

    def test_files_elsewhere_are_absolute(
        self, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file that is not below the working directory is named by a whole URI."""
        monkeypatch.chdir(tmp_path)
        first = json.loads(report.to_sarif())["runs"][0]["results"][0]
        artifact = first["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifact == {"uri": (HERE / "planted.py").as_uri()}

    def test_what_has_no_place(self) -> None:
        """A finding without a line has its name alone; what is only possible says so."""
        finding = Finding("no-guard-holds", "Made.writer", "stuck.", "Mend it.", board="possible")
        report = Report(("Made",), (Located(finding, None, "it is right here"),))
        (result,) = json.loads(report.to_sarif())["runs"][0]["results"]
        assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "Made.writer"}]}]
        assert result["properties"] == {"board": "possible"}
        assert json.loads(report.to_json())["allowed"][0]["line"] is None
        assert str(report).startswith("allowed: Made.writer")

    def test_what_stands_in_no_file(self) -> None:
        """Of a class that was made without a file, only its name is told."""
        names: dict[str, Any] = {"Agent": Agent, "Halt": Halt, "Strategy": Strategy, "Raising": planted.Raising}
        exec("class Made(Raising):\n    pass", names)  # the only way to have a class without a file
        assert place_of(names["Made"], "") is None
        made = json.loads(check(names["Made"], **SMALL).to_sarif())["runs"][0]["results"]
        assert made[-1]["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "Made.writer"}]


def check_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    """Checks one result against SARIF's section 3.27."""
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in {"error", "warning", "note"}
    assert result["message"]["text"].strip()
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert "\\" not in uri
    assert not uri.startswith("/")
    assert Path(unquote(uri)).is_file()
    assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert physical["region"]["startLine"] >= 1
    for suppression in result.get("suppressions", ()):
        assert suppression["kind"] in {"inSource", "external"}


class TestCodes:
    def test_what_is_searched_for_can_be_allowed(self) -> None:
        """The codes of a search are those that a class body may allow."""
        assert set(SEARCHED) == CHECKED

    def test_no_code_is_both(self) -> None:
        """A code is either of the creation of a class or of a search."""
        assert not set(SEARCHED) & set(DECLARED)
        source = "".join(
            (HERE.parent / "tinysmith" / name).read_text(encoding="utf-8")
            for name in ("_declare.py", "_soundness.py")
        )
        assert all(f'"{code}"' in source for code in DECLARED)

    def test_each_is_in_the_page(self) -> None:
        """docs/checking.md has a row for every code of a search."""
        page = (HERE.parent / "docs" / "checking.md").read_text(encoding="utf-8")
        for code, rule in SEARCHED.items():
            assert f"| `{code}` | {rule.level} |" in page, code


class TestWithoutHypothesis:
    def test_it_says_what_it_could_not_do(self) -> None:
        """Without Hypothesis a search is made all the same, and what needs it is said not to be proved."""
        code = (
            "import sys; sys.modules['hypothesis'] = None\n"
            "import machines; from planted_boards import Narrow; from tinysmith.checks import check\n"
            "for strategy in (machines.TryAgain, machines.OpenBook, Narrow):\n"
            "    for each in check(strategy, max_positions=50, walks=5).findings:\n"
            "        print(each)\n"
        )
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HERE, check=True)
        lines = ended.stdout.splitlines()
        assert any("TryAgain: what guards answer on boards that no run came to: " in line for line in lines)
        openbook = [line for line in lines if line.startswith("OpenBook")]
        assert len(openbook) == 1
        assert (
            "nothing was searched. To generate results of Retrieve, install the package hypothesis" in openbook[0]
        )
        assert any("first boards of Narrow, install the package hypothesis" in line for line in lines)
