"""What the command line says to misuse."""

import json
from pathlib import Path

import pytest

from tinysmith.cli import main

HERE = Path(__file__).parent / "strategies_for_cli.py"
PIN, WALL = f"{HERE}:Pin", f"{HERE}:Wall"

MISUSES = [
    (
        "machines:TryAgian --env demo --model scripted",
        "machines has no strategy 'TryAgian'. Did you mean TryAgain?",
    ),
    (
        "machine:TryAgain --env demo --model scripted",
        "There is no module 'machine' for the strategy. Check the spelling.",
    ),
    (
        "TryAgain --env demo --model scripted",
        "'TryAgain' names no strategy. Write module:Name, such as",
    ),
    (
        "no_file.py:X --env demo --model scripted",
        "There is no file no_file.py. Check the path.",
    ),
    (
        f"{HERE}:Note --env demo --model scripted",
        "is no strategy. Name a class that derives from",
    ),
    (
        "machines:TryAgain --env demos --model scripted",
        "There is no environment 'demos'. Did you mean demo?",
    ),
    (
        "machines:TryAgain --env intercode-sql --model scripted",
        "--env intercode-sql needs its data: add --data DIR",
    ),
    (
        "machines:TryAgain --env intercode-sql --data /none --model scripted --all",
        "/none",
    ),
    (
        "machines:TryAgain --env demo --model scripted",
        "--env demo has 18 tasks: add --all, --split questions, or --task count-boats.",
    ),
    (
        "machines:TryAgain --env demo --model scripted --split question",
        "There is no split 'question'. Did you mean questions",
    ),
    (
        "machines:TryAgain --env demo --model scripted --task count-boat",
        "Did you mean count-boats",
    ),
    (
        "machines:TryAgain --env demo --model scripted --all --set turn_left=3",
        "'turn_left', which is no field of Trial. Did you mean turns_left",
    ),
    (
        "machines:TryAgain --env demo --model scripted --all --set turns_left",
        "is not of the form FIELD=VALUE.",
    ),
    (
        "machines:TryAgain --env demo --model scripted --all --set turns_left=many",
        "--set turns_left=many: the value does not fit int.",
    ),
    (
        "machines:TryAgain --env demo --model scripted:none.json --all",
        "none.json: the script cannot be read",
    ),
    (
        "machines:TryAgain --env demo --model recorded:none.jsonl --all",
        "none.jsonl: the recording cannot be read",
    ),
    (
        "machines:TryAgain --env demo --model gpt-4o --all",
        "gpt-4o",
    ),
    (
        "machines:TryAgain --env demo --model scripted --model samples --all",
        "--model is given twice for the same agents.",
    ),
    (
        "machines:TryAgain --env demo --model player=scripted --model player=samples --all",
        "--model is given twice for player.",
    ),
    (
        "machines:TryAgain --env demo --model playr=scripted --all",
        "--model names 'playr', which is no agent of TryAgain. Did you mean player?",
    ),
    (
        f"{HERE}:Mute --env demo --model samples --all",
        "Mute: writer has no samples to draw from.",
    ),
    (
        f"{PIN} --env {WALL} --model samples --all",
        "has no tasks of its own; leave out --task, --split and --all.",
    ),
    (
        f"{PIN} --env {WALL} --model scripted",
        "A bundled script needs a task of an --env that has some; or name a scripted:FILE.",
    ),
    (
        "machines:TryAgain --env demo --all --model sampels",
        "There is no model 'sampels'. Did you mean samples?",
    ),
    (
        "machines:TryAgain --env demo --all --model recorded",
        "There is no model 'recorded'. Did you mean recorded:FILE?",
    ),
    (
        f"{PIN} --env {HERE}:nothing --model samples",
        "made a object, which is no environment: it has no `async def reset`.",
    ),
    (
        f"{PIN} --env {HERE}:NUMBER --model samples",
        "cannot be called. Name a class or a function that makes an environment.",
    ),
    (
        f"{PIN} --env {WALL} --model samples --max-asks 0",
        "Limits: max_asks is 0",
    ),
]


class TestMisuse:
    @pytest.mark.parametrize(("command", "said"), MISUSES, ids=[said[:40] for _, said in MISUSES])
    def test_is_told_in_one_line(self, command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Misuse gives exit code 2 and one line that says what to do."""
        assert main(["run", *command.split(" ")]) == 2
        err = capsys.readouterr().err
        assert err.startswith("tinysmith: ")
        assert err.count("\n") == 1
        assert said in err

    def test_a_broken_line_of_a_recording_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A broken line of a recording is named with its number."""
        path = tmp_path / "broken.jsonl"
        path.write_text('{"task_id": 0, "actions": ["SELECT 1"]}\n{"task_id": 1,\n')
        assert main(["run", "machines:TryAgain", "--env", "demo", "--all", "--model", f"recorded:{path}"]) == 2
        assert f"{path}:2: this line is no recorded episode" in capsys.readouterr().err

    def test_a_script_for_nobody_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A script that names what is no agent of the strategy is refused, with the near names."""
        path = tmp_path / "script.json"
        path.write_text('{"*": [], "playr": ["Action: submit"]}')
        assert main(["run", "machines:TryAgain", "--env", "demo", "--all", "--model", f"scripted:{path}"]) == 2
        said = f"{path}: the script names 'playr', which is no agent of TryAgain. Did you mean player?"
        assert capsys.readouterr().err == f"tinysmith: {said}\n"

    def test_a_task_without_a_script_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A task without a bundled script says which model to use instead."""
        data = tmp_path / "data"
        data.mkdir()
        record = {"db": "shop", "gold": "SELECT 1", "query": "One?", "hardness": "easy", "db_tables": {}}
        (data / "ic_spider_dev.json").write_text(json.dumps([record]))
        (data / "ic_spider_dbs.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS `shop`;\nUSE `shop`;\nCREATE TABLE `t` (\n  `a` int NOT NULL\n);\n"
        )
        run = ["run", "machines:TryAgain", "--env", "intercode-sql", "--data", str(data), "--all"]
        assert main([*run, "--model", "scripted"]) == 2
        out, err = capsys.readouterr()
        assert "Task '0' has no bundled script. Use --model scripted:FILE" in err
        assert out == ""  # it is known before the first task is begun
