"""`tinysmith show`, as a user types it."""

from pathlib import Path

import pytest
from journaled import Again, Numbered
from journals_for_cli import BOATS, HUSH, PIN, SAY, WALL, newest, objects, said, script, types
from sketches import Rescue

from tinysmith import Journal, Limits, run
from tinysmith.cli import main

HERE = Path(__file__).parent / "strategies_for_cli.py"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A journal's path."""
    return str(tmp_path / "runs.db")


def shown(file: str, run_id: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `show` prints of a run, however it is set in columns."""
    capsys.readouterr()
    assert main(["show", file, run_id]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


class TestShow:
    def test_shows_a_run_row_by_row(self, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What was known at first, then each row: node, edge, guard, what was done and said, and the board."""
        main(["run", *BOATS, "--task", "count-boats", "--journal", file, "-q", "--max-asks", "9"])
        run_id = newest(file)
        lines = shown(file, run_id, capsys)
        assert lines[0].startswith(f"run {run_id}: TryAgain, solved, begun 20")
        assert "task count-boats: How many boats does the ferry line have?" in lines
        assert "models: player=Scripted" in lines
        assert "environment: DemoEnvironment" in lines
        assert "limits: max_asks=9" in lines
        assert any(line.startswith("versions: python=") for line in lines)
        assert "1 player → shell Thought: I do not know the tables yet.…" in lines
        assert "action = 'SHOW TABLES'" in lines
        assert "4 shell → solved (is_solved) $ SELECT COUNT(*) FROM boats ⇒ [(7,)] [reward 1]" in lines
        assert lines[-1] == "5 · ended: solved (success), score 1.0"

    def test_no_code_of_the_strategy_is_needed(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A strategy whose file is gone is shown as before."""
        gone = tmp_path / "gone.py"
        gone.write_text(HERE.read_text())
        main(["run", f"{gone}:Say", "--model", script(tmp_path, "bad", "four"), "--journal", file])
        gone.unlink()
        lines = shown(file, newest(file)[:6], capsys)
        assert "1 writer … bad" in lines
        assert "3 count → said $ {'text': 'four'} ⇒ 4" in lines
        assert "rounds_left = 4" in lines

    def test_hostile_text_is_escaped(self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """No control character of a reply or an observation comes to the terminal."""
        main(["run", PIN, "--env", WALL, "--model", script(tmp_path, "a\x1b[2J\u202e"), "--journal", file])
        text = "\n".join(shown(file, newest(file), capsys))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "$ a\\x1b[2J\\u202e ⇒ pinned: a\\x1b[2J\\u202e\\x1b[2J" in text

    @pytest.mark.parametrize(("strategy", "told"), [(SAY, ""), (HUSH, " the strategy has been changed;")])
    def test_tells_in_words_what_else_happened(
        self,
        tmp_path: Path,
        file: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        *,
        strategy: str,
        told: str,
    ) -> None:
        """Pauses, decisions, resumptions and ends are told, with what was asked again."""
        types(monkeypatch, "")
        run_id = said(tmp_path, "four", more=("--approve", "count"))
        model = ["--model", f"scripted:{tmp_path / 'script.json'}"]
        main(["resume", file, run_id, strategy, *model, "--refuse", "Not now.", "--max-asks", "9"])
        lines = shown(file, run_id, capsys)
        assert lines[-5:] == [
            "2 · paused before count",
            f"3 · resumed; asked again: nothing;{told} limits: max_asks=9",
            "4 · count: refuse 'Not now.'",
            "5 count … $ {'text': 'four'} ⇒ refused: Not now.",
            "6 · ended: tool_failed; {'kind': 'refused', 'message': 'Not now.'}",
        ]

    def test_tells_where_the_strategy_raised(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What the strategy raised is told, and that the row counts once it is mended."""
        run_id = said(tmp_path, "bug")
        lines = shown(file, run_id, capsys)
        assert lines[-2:] == ["the strategy raised KeyError: 'planted'", "2 · interrupted"]
        main(["resume", file, run_id, f"{HERE}:Mended", "--model", script(tmp_path, "bug")])
        told = [line for line in shown(file, run_id, capsys) if "resumed" in line]
        assert "; row 1, at which the strategy had raised, counts now; the strategy has" in told[0]

    def test_tells_of_a_fork(self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A fork says of which run it is, and where the shared past ends."""
        run_id = said(tmp_path, "four")
        for more, told in ([], "forked at step 1"), (["--set", "text=x"], "forked at step 1, with another board"):
            main(["fork", file, run_id, SAY, "--step", "1", *more])
            lines = shown(file, newest(file), capsys)
            assert lines[1] == f"forked from {run_id}"
            assert lines[-1] == f"2 · {told}"

    def test_tells_what_a_row_of_a_board_gained(self, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Of a long row that grows, what is new is shown."""
        with Journal(file, synchronous="NORMAL") as journal:
            model = Numbered(("fair",))
            done = run(Rescue(), model=model, environment=Again(), journal=journal, limits=Limits(max_asks=9))
        lines = "\n".join(shown(file, done.run_id, capsys))
        assert 'lines[0:4] + ["did' in lines

    def test_a_failure_edge_is_shown(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An edge that a failure took says so."""
        types(monkeypatch, "n\n")
        model = ["--model", script(tmp_path, "four")]
        main(["run", f"{HERE}:Spare", *model, "--approve", "writer", "--journal", file])
        assert any("writer → silent (failed)" in line for line in shown(file, newest(file), capsys))

    def test_an_edge_that_the_graph_lacks_is_told(
        self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that a changed strategy went on with may have taken edges that the first one had not."""
        types(monkeypatch, "")
        run_id = said(tmp_path, "four", more=("--approve", "count"))
        model = ["--model", f"scripted:{tmp_path / 'script.json'}"]
        main(["resume", file, run_id, f"{HERE}:Forked", *model, "--approve-pending"])
        assert any("5 count → edge 1 (not in the graph)" in line for line in shown(file, run_id, capsys))

    def test_prints_json(self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """With --json the first object is what was known at first, and every other one is a row."""
        run_id = said(tmp_path, "four")
        capsys.readouterr()
        assert main(["show", file, run_id, "--json"]) == 0
        begun, first, second, ended = objects(capsys.readouterr().out)
        assert (begun["run_id"], begun["strategy"], begun["limits"]["max_asks"]) == (run_id, "Say", 100)
        assert begun["board"] == {"text": "", "rounds_left": 1, "tags": []}
        assert first["reply"]["text"] == "four"
        assert first["hops"] == [{"target": "count", "guard": ""}]
        assert second["did"] == {"text": "four"}
        assert second["changes"] == [["rounds_left", 4]]
        assert ended["data"]["outcome"] == "said"

    def test_a_run_that_is_not_there(self, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Of an unknown id the known ones are offered."""
        run_id = said(tmp_path, "four")
        assert main(["show", file, f"{run_id[:-1]}x"]) == 2
        assert f"Did you mean {run_id}?" in capsys.readouterr().err
