"""One step of a run as the source of a test, which passes as it stands and fails once the strategy is changed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st
from journaled import REPLIES, Again, Numbered
from refereed import run_source
from sketches import Ballot, Lookup, Once, Pad, Refine, Rescue
from worlds import Broken, Echo, Marked

from tinysmith import Agent, Halt, Journal, Limits, Run, Scripted, Strategy, Tool, fork, replay, resume, run
from tinysmith.cli._load import load_strategy
from tinysmith.errors import UsageError
from tinysmith.testing import to_pytest

POEM = (Path(__file__).parent / "poem_to_pin.py").read_text(encoding="utf-8")


@frozen
class Gauge:
    """A board with a number."""

    value: float = 0.0


class Reader(Tool[Gauge, float]):
    """Reads a number that need not be one."""

    def arguments(self, gauge: Gauge, /) -> dict[str, Any]:
        return {"text": "nan"}

    def call(self, text: str) -> float:
        return float(text)

    def receive(self, gauge: Gauge, result: float, /) -> Gauge:
        return evolve(gauge, value=result)


class Repeater(Reader):
    """Sends what was read."""

    def arguments(self, gauge: Gauge, /) -> dict[str, Any]:
        return {"text": gauge.value}


class Measure(Strategy[Gauge]):
    """A number is read twice."""

    reader = Reader()
    again = Reader()
    done = Halt()

    initial = reader
    edges = (reader.to(again), again.to(done))


class Counting(Agent[Pad]):
    """Keeps something of its own."""

    def __init__(self) -> None:
        self.count = 0

    def prompt(self, pad: Pad, /) -> str:
        return "Count."

    def parse(self, pad: Pad, reply: str, /) -> Pad:
        self.count += 1
        return evolve(pad, left=self.count)


class Repeat(Measure):
    """What was read is sent."""

    again = Repeater()


class Hidden(Strategy[Pad]):
    """Has a state that is not on the board."""

    writer = Counting()
    done = Halt()

    initial = writer
    edges = (writer.to(done),)


class Sized(Once):
    """Is made with an argument."""

    def __init__(self, size: int = 1) -> None:
        self.size = size


class Needy(Once):
    """Cannot be made without an argument."""

    def __init__(self, size: int) -> None:
        self.size = size


def refined(*replies: str) -> Run[Pad]:
    """A run of a writer and a critic."""
    return run(Refine(), Pad(left=2), model=Scripted(replies))


class TestTheSource:
    def test_pins_the_last_step(self) -> None:
        """The events up to the step, and then where the run stands, are told; the last step is the default."""
        ended = refined("line", "good")
        assert to_pytest(ended).splitlines() == [
            "from sketches import Pad, Refine",
            "from tinysmith import Done, Limits, Reply, Usage",
            "from tinysmith.testing import replay",
            "",
            "",
            "def test_refine_step_2() -> None:",
            '    """Refine, step 2: → accepted (is_good)."""',
            "    position = replay(",
            "        Refine,",
            "        Pad(left=2),",
            "        [",
            "            Reply('line', usage=Usage(cost_usd=0.0), model='scripted'),",
            "            Reply('good', usage=Usage(cost_usd=0.0), model='scripted'),",
            "        ],",
            "        limits=Limits(),",
            "    )",
            "    assert position.step == 2",
            "    assert position.node == 'accepted'",
            "    assert [hop.target for hop in position.hops] == ['accepted']",
            "    assert position.board == Pad(('line', 'good'), left=1)",
            "    assert position.done == Done('accepted', success=True, node='accepted')",
        ]
        assert to_pytest(ended, 2) == to_pytest(ended)

    def test_pins_what_is_asked_next(self) -> None:
        """Of agents and seats the last message is told, of a world the action, of a tool the arguments."""
        ended = run(Rescue(), Pad(left=1), model=Numbered(), environment=Again(), limits=Limits(max_asks=20))
        sources = [to_pytest(ended, step) for step in range(len(ended.steps) + 1)]
        told = "\n".join(sources)
        assert "assert prompts == ['Write line 0.']" in sources[0]
        assert "assert prompts == ['Seat 0, vote.', 'Seat 1, vote.']" in told
        assert "assert actions == ['look " in told
        assert "assert calls == [FrozenDict({'key': " in told

    def test_says_what_came_before_the_first_step(self) -> None:
        """Step 0 pins the start."""
        source = to_pytest(refined("line", "good"), 0, name="test_the_start")
        assert "def test_the_start() -> None:" in source
        assert '"""Refine, before the first step."""' in source
        assert "        []," in source
        run_source(source)

    def test_seconds_count_only_where_they_are_limited(self) -> None:
        """What was waited is left out, unless the run has a limit on that."""
        timed = run(Once(), Pad(), model=Scripted(["good"]), limits=Limits(max_seconds=60))
        assert "elapsed_s=" in to_pytest(timed)
        assert "elapsed_s=" not in to_pytest(refined("line", "good"))
        run_source(to_pytest(timed))

    def test_what_is_not_equal_to_itself(self) -> None:
        """Numbers that are none are compared by how they are written."""
        ended = run(Measure(), Gauge())
        source = to_pytest(ended, 1)
        assert 'assert repr(position.board) == repr(Gauge(float("nan")))' in source
        run_source(source)
        with pytest.raises(UsageError, match=r"a test of it would fail as the strategy is: .* not JSON compliant"):
            to_pytest(run(Repeat(), Gauge()), 1)

    def test_keys_stay_masked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the journal masked is masked in the test, which passes; a key that was not masked is refused."""
        monkeypatch.setenv("CANARY_KEY", "kanarienvogel-17")
        model = Scripted(["kanarienvogel-17 said", "good"])
        with Journal(tmp_path / "runs.db") as journal:
            kept = run(Refine(), Pad(left=2), model=model, journal=journal)
            source = to_pytest(replay(journal, kept.run_id, Refine()))
        assert "Reply('*** said'" in source
        assert "kanarienvogel" not in source
        run_source(source)
        with pytest.raises(UsageError, match="step 1: the test would hold a secret") as caught:
            to_pytest(refined("kanarienvogel-17 said", "good"), 1)
        assert "kanarienvogel" not in str(caught.value)


class TestTheTest:
    @given(
        replies=st.lists(st.sampled_from(REPLIES), min_size=1, max_size=9), left=st.integers(0, 2), data=st.data()
    )
    def test_passes_as_it_stands(self, replies: list[str], left: int, data: st.DataObject) -> None:
        """Whatever a run of every kind of node was, any step's test passes against the same strategy."""
        environment = data.draw(
            st.sampled_from([Again(), Marked(0.5, 1.0), Broken(OSError("gone"), "step"), Echo(lasts=1)])
        )
        ended = run(
            Rescue(), Pad(left=left), model=Numbered(replies), environment=environment, limits=Limits(max_asks=20)
        )
        run_source(to_pytest(ended, data.draw(st.integers(0, len(ended.steps)))))

    def test_of_a_panel_that_is_answered_in_part(self) -> None:
        """Between the answers of two seats the other seat is what is waited for."""
        ended = run(Ballot(), Pad(), model=Scripted(["aye", "nay"]))
        source = to_pytest(ended, 1)
        assert "assert prompts == ['Seat 1, vote.']" in source
        run_source(source)

    def test_of_an_environment_that_was_lost_at_the_end(self) -> None:
        """That nothing could be graded is no step, so the step's own end is pinned."""
        environment = Broken(OSError("gone"), "grade")
        ended = run(Once(), Pad(), model=Scripted(["good"]), environment=environment)
        assert ended.outcome == "environment_lost"
        source = to_pytest(ended)
        assert "Done('done', success=True, node='done')" in source
        run_source(source)

    @pytest.mark.untraced
    def test_in_a_file_of_its_own(self, tmp_path: Path) -> None:
        """It passes in a process of its own, and fails with another edge, or another prompt."""
        versions = {
            "poem": POEM,
            "other_edge": POEM.replace("when=is_good), poet.to(poet)", "when=is_good), poet.to(done)"),
            "other_prompt": POEM.replace("Write better than", "Write worse than"),
        }
        for name, source in versions.items():
            (tmp_path / f"{name}.py").write_text(source)
        poem: Any = load_strategy(f"{tmp_path / 'poem.py'}:Poem")
        ended = run(poem(), model=Scripted(["fair", "good"]))
        for name in versions:
            pinned = to_pytest(ended, 1).replace("from poem import", f"from {name} import")
            (tmp_path / f"test_{name}.py").write_text(pinned, encoding="utf-8")
        assert outcomes(tmp_path) == {
            "test_poem.py": "PASSED",
            "test_other_edge.py": "FAILED",
            "test_other_prompt.py": "FAILED",
        }


def outcomes(folder: Path) -> dict[str, str]:
    """What pytest, in a process of its own, says of the tests of a folder."""
    command = [sys.executable, "-B", "-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines() if "::test_" in line and "%]" in line]
    return {name.partition("::")[0]: verdict for name, verdict, *_ in lines}


class TestRefusals:
    @pytest.mark.parametrize("step", [-1, 3, 1.0, True])
    def test_a_step_that_is_not_there(self, step: Any) -> None:
        """A step that the run does not have is refused, with those that it has."""
        with pytest.raises(UsageError, match=rf"has no step {step!r}\. Give one from 1 to 2, or 0 for what came"):
            to_pytest(refined("line", "good"), step)

    @pytest.mark.parametrize("name", ["", "refine", "test_of Refine", "test-x", "class"])
    def test_a_name_that_is_none(self, name: str) -> None:
        """A name that pytest would not find is refused."""
        with pytest.raises(UsageError, match=r"is no name of a test\. Give one that begins with test_"):
            to_pytest(refined("line", "good"), name=name)

    def test_a_run_without_its_strategy(self) -> None:
        """A run that does not hold its strategy cannot be played again."""
        bare = evolve(refined("line", "good"), declared=None)
        with pytest.raises(UsageError, match="does not hold the strategy that ran"):
            to_pytest(bare)

    @pytest.mark.parametrize("strategy", [Sized(2), Needy(1)])
    def test_a_strategy_with_arguments(self, strategy: Once) -> None:
        """A strategy that its class alone does not make again is refused."""
        ended = run(strategy, Pad(), model=Scripted(["good"]))
        with pytest.raises(UsageError, match="was made with arguments"):
            to_pytest(ended)
        run_source(to_pytest(run(Sized(), Pad(), model=Scripted(["good"]))))

    def test_a_strategy_of_a_function(self) -> None:
        """A strategy that nothing can import is refused."""

        class Local(Once):
            """Of this function."""

        ended = run(Local(), Pad(), model=Scripted(["good"]))
        with pytest.raises(UsageError, match="would need Local, which is defined in a function, and nothing can"):
            to_pytest(ended)

    def test_two_things_of_one_name(self) -> None:
        """Where the strategy's module and ours have a name in common, the test would be of the wrong one."""
        ended = run(Lookup(), Pad(), limits=Limits(max_calls=1))
        clashing: Any = type("Done", (Lookup,), {"__module__": __name__})
        again = evolve(ended, declared=clashing())
        with pytest.raises(UsageError, match="would need two things named Done"):
            to_pytest(again)

    def test_a_run_that_was_forked_with_another_board(self, tmp_path: Path) -> None:
        """A board that no event led to cannot be reached by events; the steps before it can be pinned."""
        with Journal(tmp_path / "runs.db") as journal:
            kept = run(Refine(), Pad(left=2), model=Scripted(["line", "fair", "line", "good"]), journal=journal)
            name = fork(journal, kept.run_id, Refine(), step=1, board=Pad(("new",), left=1))
            forked = resume(journal, name, Refine(), model=Scripted(["line", "good"]))
        run_source(to_pytest(forked, 1))
        with pytest.raises(UsageError, match="step 2: played again, the same events lead elsewhere"):
            to_pytest(forked, 2)

    @pytest.mark.parametrize("changed", ["hops", "board", "step"])
    def test_a_run_that_comes_out_otherwise(self, changed: str) -> None:
        """Other edges, another board, or an end that comes earlier are told before a test is made of them."""
        ended = refined("line", "good")
        last = ended.steps[-1]
        other = {
            "hops": (ended.steps[0], evolve(last, hops=())),
            "board": (ended.steps[0], evolve(last, board=Pad())),
            "step": (*ended.steps, last),
        }[changed]
        with pytest.raises(UsageError, match="played again, the same events lead elsewhere"):
            to_pytest(evolve(ended, steps=other))

    def test_a_strategy_that_is_at_fault(self) -> None:
        """A test that would fail as the strategy is gets refused, with what does not hold."""
        ended = run(Hidden(), Pad(), model=Scripted(["good"]))
        with pytest.raises(
            UsageError, match=r"step 1: a test of it would fail as the strategy is: .* Mend that first"
        ):
            to_pytest(ended)
