"""`tinysmith run --explain`, as a user types it."""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sketches import Pad, Refine

from tinysmith import Scripted, run
from tinysmith.cli import main
from tinysmith.cli._explain import Explaining

HERE = Path(__file__).parent
SKETCHES = HERE / "sketches.py"


def script(folder: Path, *replies: str) -> str:
    """A script file's model name."""
    path = folder / "script.json"
    path.write_text(json.dumps(replies))
    return f"scripted:{path}"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `tinysmith run --explain` prints."""
    main(["run", *arguments, "--explain"])
    return capsys.readouterr().out


class TestExplain:
    def test_a_solved_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """After a step's line stand its candidates, where there is a choice; nothing was missed at the end."""
        model = script(tmp_path, "line", "good")
        out = printed(capsys, f"{SKETCHES}:Refine", "--model", model, "--set", "left=1")
        lines = out.splitlines()
        place = next(place for place, line in enumerate(lines) if "critic → accepted (is_good)" in line)
        assert "1 writer → critic" in lines[place - 1]
        assert [line.split() for line in lines[place + 1 : place + 5]] == [
            ["critic", "→", "accepted"],
            ["▸", "1.", "is_good", "→", "accepted", "yes", "lines=('',", "'',", "'line',", "'good')"],
            ["2.", "has_left", "→", "writer", "no,", "not", "asked", "in", "the", "run", "left=0"],
            ["3.", "otherwise", "→", "gave_up", "not", "needed"],
        ]
        assert "✓ solved (accepted)" in lines[place + 5]
        assert "never came to" not in out

    def test_an_unsolved_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """After an episode that is not solved stands why each success was missed, also with -q."""
        arguments = [f"{SKETCHES}:Refine", "--model", script(tmp_path, "bad", "line", "x"), "--set", "left=1"]
        out = printed(capsys, *arguments)
        assert "↳ Do not write 'bad'." in out
        assert "asks again, after" not in out  # the complaint says so already
        assert "  Refine never came to accepted. The run ended as gave_up, after 3 steps.\n" in out
        assert "  accepted needs is_good" not in out
        assert "    critic → accepted needs is_good: The last line is the word good.\n" in out
        short = printed(capsys, *arguments, "-q")
        assert "▸ 3. otherwise" in short
        assert "1 writer" not in short

    def test_a_run_that_a_limit_ends(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A step at which a limit is reached says so, with its figure."""
        model = script(tmp_path, "line", "x", "y")
        out = printed(capsys, f"{SKETCHES}:Refine", "--model", model, "--set", "left=9", "--max-asks", "2")
        assert "The run ended at writer as max_asks, after 2 of at most 2 asks, and writer would need more." in out

    def test_what_comes_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What rules do before the first step is explained, too, but not with -q."""
        arguments = [f"{SKETCHES}:Spin", "--model", "samples", "--set", "left=1"]
        out = printed(capsys, *arguments)
        assert "       count → done\n" in out
        assert "▸ 2. otherwise → done   taken" in out
        assert "otherwise" not in printed(capsys, *arguments, "-q")

    def test_as_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """With --json a step's object has its candidates, and an episode's what was missed."""
        model = script(tmp_path, "line", "x")
        out = printed(capsys, f"{SKETCHES}:Refine", "--model", model, "--set", "left=1", "--json")
        first, second, episode, _ = map(json.loads, out.splitlines())
        assert [each["label"] for each in first["candidates"]] == ["always"]
        assert second["candidates"][1] == {
            "hop": 0,
            "index": 1,
            "label": "has_left",
            "target": "writer",
            "verdict": False,
            "misbehaved": "",
            "asked": True,
            "taken": False,
            "reads": {"left": "0"},
        }
        assert second["reason"] == ""
        assert episode["why_not"]["accepted"].startswith("Refine never came to accepted.")

    def test_as_json_before_the_first_step(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With --json, hops before the first step are an object of their own."""
        out = printed(capsys, f"{SKETCHES}:Spin", "--model", "samples", "--set", "left=1", "--json")
        start = json.loads(out.splitlines()[0])
        assert start["event"] == "start"
        assert [(each["label"], each["taken"]) for each in start["candidates"]][:2] == [
            ("has_left", False),
            ("otherwise", True),
        ]

    def test_several_episodes(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each episode is explained from its own first board."""
        tasks = ["--task", "count-boats", "idle-boats"]
        out = printed(capsys, "machines:TryAgain", "--env", "demo", *tasks, "--model", "scripted")
        assert "turns_left=9" in out
        assert "2 episodes, 2 solved" in out

    @pytest.mark.parametrize(
        ("strategy", "problem"),
        [("Moody", "the same event does something else"), ("Breaking", "it raises KeyError: 'planted'")],
    )
    def test_a_node_that_keeps_something(
        self, strategy: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A strategy that comes out differently when it is folded along is told so once, and runs to its end."""
        model = script(tmp_path, "x", "y", "z")
        arguments = ["run", f"{HERE}/moody_for_cli.py:{strategy}", "--model", model]
        assert main([*arguments, "--explain"]) == 1
        out = capsys.readouterr().out
        assert out.count("From here on nothing can be explained") == 1
        assert f"folded again, {problem}, so a node or a guard keeps something of its own." in out
        assert "✗ not solved (gave_up)" in out

    def test_a_fault(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """An episode that breaks has nothing that was missed."""
        wall: list[Any] = [f"{HERE / 'strategies_for_cli.py'}:Say", "--model", script(tmp_path, "bug")]
        assert "✗ not solved (broken)" in printed(capsys, *wall)

    def test_a_run_that_cannot_be_folded_again(self) -> None:
        """Where nobody can tell what was missed, that is told instead."""
        ended = evolve(run(Refine(), Pad(), model=Scripted(["x", "y"])), declared=None)
        missed = Explaining(Refine(), None).missed(ended)
        assert list(missed) == ["accepted"]
        assert "does not hold the strategy that ran" in missed["accepted"]
