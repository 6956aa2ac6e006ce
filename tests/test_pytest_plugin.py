"""The pytest plugin, by real pytest runs in processes of their own."""

import re
from pathlib import Path

import pytest

from tinysmith._watch import WATCHERS

pytest_plugins = ["pytester"]

TEAM = '''
from attrs import evolve, frozen
from tinysmith import Agent, Halt, ParseError, Strategy

@frozen
class Draft:
    text: str = ""
    left: int = 1

def is_good(draft): return draft.text == "good"
def has_left(draft): return draft.left > 0

class Writer(Agent[Draft]):
    samples = ("good", "fair\\x1b[2J")
    def prompt(self, draft, /): return "write"
    def parse(self, draft, reply, /):
        if reply == "bad":
            raise ParseError("no")
        return evolve(draft, text=reply, left=draft.left - 1)

class Refine(Strategy[Draft]):
    writer = Writer()
    accepted, gave_up = Halt(success=True), Halt()
    initial = writer
    edges = (writer.to(accepted, when=is_good), writer.to(writer, when=has_left), writer.to(gave_up))

class Other(Refine):
    """A strategy that nobody plays."""

@frozen
class Needy:
    number: int

class Speaker(Agent[Needy]):
    samples = ("yes",)
    def prompt(self, needy, /): return f"{needy.number}?"
    def parse(self, needy, reply, /): return needy

def is_odd(needy): return needy.number % 2 == 1

class Ask(Strategy[Needy]):
    speaker = Speaker()
    said, odd = Halt(), Halt()
    initial = speaker
    edges = (speaker.to(odd, when=is_odd), speaker.to(said))
    def brief(self, task, observation, /): return Needy(int(task.query))
'''

PLAYS = """
import pytest
from team import Ask, Draft, Needy, Refine
from tinysmith import Scripted, run

def play(*replies, left=1):
    return run(Refine(), Draft(left=left), model=Scripted(list(replies)))
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a module of strategies, and tests to be written."""
    pytester.makepyfile(team=TEAM)
    pytester.makeini("[pytest]\npythonpath = .\n")
    return pytester


def lines(result: pytest.RunResult) -> str:
    """What a run printed from the coverage on."""
    text = result.stdout.str()
    return text[text.index("strategy coverage") :] if "strategy coverage" in text else ""


class TestLoading:
    def test_without_its_options_nothing_is_imported(self, pytester: pytest.Pytester) -> None:
        """A test run that does not ask for it imports neither tinysmith nor what tinysmith needs."""
        pytester.makepyfile(
            """
            import sys

            def test_modules():
                assert "tinysmith_pytest" in sys.modules
                names = {"tinysmith", "transitions", "hypothesis", "attrs", "attr", "msgspec", "litellm"}
                assert names & set(sys.modules) == set()
            """
        )
        result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist")
        result.assert_outcomes(passed=1)
        assert lines(result) == ""

    def test_with_them_hypothesis_is_not(self, project: pytest.Pytester) -> None:
        """Collecting needs no Hypothesis."""
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\ndef test_z():\n    import sys\n"
                           "    assert 'hypothesis' not in sys.modules\n")  # fmt: skip
        result = project.runpytest_subprocess("-p", "no:hypothesispytest", "--strategy-coverage")
        result.assert_outcomes(passed=2)
        assert "team:Refine" in lines(result)

    @pytest.mark.parametrize("number", ["101", "-1", "much", "nan"])
    def test_a_wrong_percentage_is_told(self, pytester: pytest.Pytester, number: str) -> None:
        """What is no percentage is misuse, on the command line and in the file."""
        said = f"'{number}' is no percentage. Give a number from 0 to 100."
        result = pytester.runpytest_subprocess(f"--strategy-coverage-fail-under={number}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert said in result.stderr.str()
        pytester.makeini(f"[pytest]\nstrategy_coverage_fail_under = {number}\n")
        result = pytester.runpytest_subprocess()
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert f"strategy_coverage_fail_under: {said}" in result.stderr.str()


class TestReport:
    def test_it_says_what_is_missing_and_how_to_reach_it(self, project: pytest.Pytester) -> None:
        """A line a strategy, and for each thing that is missing the shortest conversation to it, escaped."""
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\n")
        result = project.runpytest_inprocess("--strategy-coverage")
        assert result.ret == pytest.ExitCode.OK
        text = lines(result)
        assert re.search(r"team:Refine +2/3 +1/3 +1/4 +40%", text)
        assert "Missing of team:Refine:" in text
        assert (
            "  writer → writer (has_left); writer: has_left is True\n"
            "      not found by a search of 1 positions; is it possible at all? See `tinysmith check team:Refine`."
        ) in text
        assert (
            "  gave_up; writer → gave_up (otherwise); writer: is_good is False; writer: has_left is False\n"
            r"      reach it from Draft(): writer: 'fair\x1b[2J'"
        ) in text
        assert "\x1b[2J" not in text
        assert "Other" not in text

    def test_all_of_it_is_a_hundred(self, project: pytest.Pytester) -> None:
        """What many tests saw together counts, and the limit that it meets is met."""
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\ndef test_b(): play('x', 'y', left=2)\n")
        result = project.runpytest_inprocess("--strategy-coverage-fail-under=100")
        assert result.ret == pytest.ExitCode.OK
        assert re.search(r"team:Refine +3/3 +3/3 +4/4 +100%", lines(result))
        assert "Missing" not in lines(result)
        assert "FAIL" not in lines(result)

    def test_what_is_too_little_fails_the_session(self, project: pytest.Pytester) -> None:
        """Where a strategy is under the limit, the session fails, and one line says which and by how much."""
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\n")
        result = project.runpytest_inprocess("--strategy-coverage-fail-under=40.5")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        line = "FAIL Required strategy coverage of 40.5 % not reached: team:Refine has 40%."
        assert lines(result).count("FAIL") == 1
        assert line in lines(result)
        result.assert_outcomes(passed=1)
        enough = project.runpytest_inprocess("--strategy-coverage-fail-under=40")
        assert enough.ret == pytest.ExitCode.OK

    def test_it_looks_on_no_longer_than_it_lasts(self, project: pytest.Pytester) -> None:
        """After the session nobody looks on who did not before."""
        before = list(WATCHERS)
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\n")
        project.runpytest_inprocess("--strategy-coverage")
        assert before == WATCHERS

    def test_nothing_played_is_too_little(self, project: pytest.Pytester) -> None:
        """Where no strategy is played, no limit is met; a mere collection is not judged."""
        project.makepyfile("def test_nothing(): pass")
        result = project.runpytest_inprocess("--strategy-coverage-fail-under=1")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert "No strategy was played." in lines(result)
        assert "coverage of 1 % not reached: no strategy was played." in lines(result)
        collected = project.runpytest_inprocess("--strategy-coverage-fail-under=1", "--collect-only")
        assert collected.ret == pytest.ExitCode.OK
        assert lines(collected) == ""

    def test_failed_tests_stay_failed(self, project: pytest.Pytester) -> None:
        """An exit status that says more is left alone."""
        project.makepyfile(PLAYS + "\ndef test_a():\n    play('good')\n    raise KeyboardInterrupt\n")
        result = project.runpytest_subprocess("--strategy-coverage-fail-under=100")
        assert result.ret == pytest.ExitCode.INTERRUPTED

    def test_searches_are_no_plays(self, project: pytest.Pytester) -> None:
        """What a search comes by in a test, or at the end, was not played."""
        project.makepyfile(
            PLAYS + "\nfrom tinysmith.exploration import explore\n"
            "def test_a():\n    play('good')\n    assert explore(Refine).coverage.share > 0.5\n"
        )
        assert re.search(
            r"team:Refine +2/3 +1/3 +1/4 +40%", lines(project.runpytest_inprocess("--strategy-coverage"))
        )

    def test_boards_of_the_tests_are_searched_from(self, project: pytest.Pytester) -> None:
        """A strategy is searched from the boards that the tests gave it, too."""
        project.makepyfile(PLAYS + "\ndef test_a():\n    Ask().start(Needy(3))\n    Ask().start(Needy(4))\n")
        text = lines(project.runpytest_inprocess("--strategy-coverage"))
        assert "said; speaker → said (otherwise); speaker: is_odd is False" in text
        assert "reach it from Needy(4): speaker: 'yes'" in text

    def test_strategies_made_in_tests_count(self, project: pytest.Pytester) -> None:
        """A class made inside a test has a line of its own; two of one name that are the same, one together."""
        project.makepyfile(
            PLAYS
            + """
@pytest.mark.parametrize("reply", ["good", "x", "wide"])
def test_made(reply):
    class Local(Refine):
        if reply == "wide":
            from tinysmith import Halt
            wide = Halt()
            edges = (Refine.writer.to(wide),)
            allow = {"unused-node": "the others are not needed"}
    run(Local(), Draft(), model=Scripted([reply]))
"""
        )
        text = lines(project.runpytest_inprocess("--strategy-coverage"))
        rows = re.findall(r"^\S+:test_made\.<locals>\.Local +(\S+ +\S+ +\S+ +\S+)$", text, re.MULTILINE)
        assert sorted(row.split() for row in rows) == [["2/4", "1/1", "0/0", "60%"], ["3/3", "2/3", "3/4", "80%"]]
        assert "is it possible at all?\n" in text
        assert "tinysmith check test_" not in text


class TestInclude:
    def test_patterns_say_which(self, project: pytest.Pytester) -> None:
        """Of several patterns, any will do; what fits none is neither told nor judged."""
        project.makepyfile(PLAYS + "\ndef test_a():\n    play('good')\n    Ask().start(Needy(3))\n")
        text = lines(project.runpytest_inprocess("--strategy-coverage", "--strategy-coverage-include=*:As?"))
        assert "team:Ask" in text
        assert "team:Refine" not in text
        both = ["--strategy-coverage-include=team:R*", "--strategy-coverage-include=team:Ask"]
        assert "team:Refine" in lines(project.runpytest_inprocess("--strategy-coverage", *both))

    def test_a_pattern_alone_is_enough(self, project: pytest.Pytester) -> None:
        """Whoever says of what wants to collect; patterns in the file only say of what, if it is wanted."""
        project.makepyfile(PLAYS + "\ndef test_a():\n    play('good')\n")
        assert "team:Refine" in lines(project.runpytest_inprocess("--strategy-coverage-include=team:*"))
        project.makeini("[pytest]\npythonpath = .\nstrategy_coverage_include =\n    team:*\n")
        assert "team:Refine" not in lines(project.runpytest_inprocess())

    def test_the_file_says_the_same(self, project: pytest.Pytester) -> None:
        """All options are settings of the configuration file too; the command line overrides them."""
        project.makeini(
            "[pytest]\npythonpath = .\nstrategy_coverage = true\nstrategy_coverage_fail_under = 90\n"
            "strategy_coverage_include =\n    team:Ref*\nstrategy_coverage_pictures = pictures\n"
        )
        project.makepyfile(PLAYS + "\ndef test_a():\n    play('good')\n    Ask().start(Needy(3))\n")
        result = project.runpytest_inprocess()
        assert "coverage of 90 % not reached: team:Refine has 40%." in lines(result)
        assert [path.stem for path in (project.path / "pictures").iterdir()] == ["team.Refine"]
        result = project.runpytest_inprocess("--strategy-coverage-fail-under=10")
        assert result.ret == pytest.ExitCode.OK


class TestPictures:
    def test_each_strategy_is_drawn_with_what_was_seen(self, project: pytest.Pytester) -> None:
        """A picture a strategy, with what was seen painted on it; a folder that is not there is made."""
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\n")
        result = project.runpytest_inprocess("--strategy-coverage-pictures=a/b")
        (picture,) = (project.path / "a" / "b").iterdir()
        assert f"Picture of team:Refine: {Path('a/b/team.Refine.svg')}" in lines(result)
        drawn = picture.read_text(encoding="utf-8")
        assert drawn.rstrip().endswith("</svg>")
        assert "gave_up" in drawn

    def test_without_graphviz_it_is_mermaid(
        self, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there is no `dot`, the picture is drawn as Mermaid."""
        monkeypatch.setenv("PATH", "")
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\n")
        project.runpytest_inprocess("--strategy-coverage-pictures=pictures")
        (picture,) = (project.path / "pictures").iterdir()
        assert picture.name == "team.Refine.mmd"
        assert picture.read_text(encoding="utf-8").startswith("---\ntitle: ")

    def test_a_folder_that_cannot_be_is_told(self, project: pytest.Pytester) -> None:
        """Where no picture can be written, a line says so, and the rest is still reported."""
        project.makepyfile(PLAYS + "\ndef test_a(): play('good')\n")
        (project.path / "taken").write_text("a file")
        text = lines(project.runpytest_inprocess("--strategy-coverage-pictures=taken"))
        assert "No picture of team:Refine: taken" in text
        assert "cannot be written" in text
        assert "Missing of team:Refine" in text


class TestWorkers:
    def test_what_several_processes_played_is_added_up(self, project: pytest.Pytester) -> None:
        """Under pytest-xdist the counts of all workers make one table, and one judgement."""
        project.makepyfile(
            test_one=PLAYS + "\ndef test_a(): play('good')\ndef test_b(): play('x', left=1)\n",
            test_two=PLAYS + "\ndef test_c(): play('x', 'good', left=2)\ndef test_d(): pass\n",
        )
        result = project.runpytest_subprocess("-n", "2", "--strategy-coverage-fail-under=100")
        assert result.ret == pytest.ExitCode.OK
        assert re.search(r"team:Refine +3/3 +3/3 +4/4 +100%", lines(result))
        less = project.runpytest_subprocess("-n", "2", "--strategy-coverage-fail-under=100", "-k", "not test_b")
        assert less.ret == pytest.ExitCode.TESTS_FAILED
        assert "reach it from Draft(): writer: 'fair" in lines(less)

    def test_what_cannot_be_imported_here_is_still_told(self, project: pytest.Pytester) -> None:
        """Of a class that only the workers know there is a table, and a word why there is no more."""
        project.makepyfile(
            PLAYS
            + """
def test_a():
    class Mine(Refine):
        pass
    run(Mine(), Draft(), model=Scripted(["good"]))
"""
        )
        text = lines(project.runpytest_subprocess("-n", "2", "--strategy-coverage-pictures=pictures"))
        assert re.search(r":test_a.<locals>.Mine +2/3 +1/3 +1/4 +40%", text)
        assert "how to reach it cannot be worked out: the class cannot be imported in this process." in text
        assert "No picture of " in text

    def test_boards_that_only_workers_know_are_asked_for(self, project: pytest.Pytester) -> None:
        """A strategy that needs a board can be searched only where one was given."""
        project.makepyfile(PLAYS + "\ndef test_a(): Ask().start(Needy(3))\n")
        text = lines(project.runpytest_subprocess("-n", "1", "--strategy-coverage"))
        assert "how to reach it cannot be worked out: Ask.brief raised ValueError: invalid" in text

    def test_a_worker_that_broke_down_is_told(self, project: pytest.Pytester) -> None:
        """What was played in a process that died is lost, and that is said."""
        project.makepyfile(PLAYS + "\nimport os\ndef test_a():\n    play('good')\n    os._exit(3)\n")
        text = lines(project.runpytest_subprocess("-n", "1", "--strategy-coverage", "--max-worker-restart=0"))
        assert "1 worker process broke down; what was played there is not counted." in text
