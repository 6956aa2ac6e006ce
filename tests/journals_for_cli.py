"""What the tests of the command line's journals share: runs that it keeps, and what it prints of them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tinysmith import Journal
from tinysmith.cli import main

HERE = Path(__file__).parent / "strategies_for_cli.py"
PIN, SAY, WALL = f"{HERE}:Pin", f"{HERE}:Say", f"{HERE}:Wall"
HUSH, FUSSY = f"{HERE}:Hush", f"{HERE}:Fussy"
BOATS = ("machines:TryAgain", "--env", "demo", "--model", "scripted")


def script(folder: Path, *replies: str) -> str:
    """A script file's model name."""
    path = folder / "script.json"
    path.write_text(json.dumps(replies))
    return f"scripted:{path}"


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of an output, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def types(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Has a person type this."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def said(folder: Path, *replies: str, more: tuple[str, ...] = ()) -> str:
    """A run that a writer and a tool make, in the folder's journal; its id."""
    file = str(folder / "runs.db")
    main(["run", SAY, "--model", script(folder, *replies), "--journal", file, "-q", *more])
    return newest(file)


def newest(file: str) -> str:
    """The id of the run that was begun last."""
    with Journal(file, read_only=True) as journal:
        return journal.runs()[-1].run_id
