"""Functions to write, read from a folder."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tinysmith.environments._python_tasks import HiddenTest, Reference, load_data
from tinysmith.errors import DataError

INTERCODE = os.environ.get("INTERCODE_DATA", "")
GOLD = "def aid(x):\n    return x\n\n\ndef twice (x):\n    return 2 * aid(x)\n"
ROW: dict[str, Any] = {"query": "Double it.", "gold": GOLD, "tests": ["assert twice(2) == 4"], "task_id": 11}


def folder(place: Path, rows: Any) -> Path:
    (place / "ic_mbpp.json").write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return place


class TestHiddenTest:
    @pytest.mark.parametrize(
        ("text", "question", "answer", "expected"),
        [
            ("assert f(1) == [1, -2.0]", "f(1)", "[1, -2.0]", "[i1,i-2]"),
            ("assert f('==') == 'a', 'wrong'", "f('==')", "'a'", '"a"'),
            ("assert f(1) == g(2)", "f(1)", "g(2)", ""),
            ("assert f(1) == ...", "f(1)", "...", ""),
            ("assert f(1) == {[]: 1}", "f(1)", "{[]: 1}", ""),
            ("assert 4 == f(2)", "f(2)", "4", "i4"),
            ("assert not f(1)", "bool(not f(1))", "True", "i1"),
            ("assert 1 < f(1) < 3", "bool(1 < f(1) < 3)", "True", "i1"),
        ],
    )
    def test_read(self, text: str, question: str, answer: str, expected: str) -> None:
        """A test is an expression to ask for, and what its value must be."""
        test = HiddenTest.read(text)
        assert (test.question, test.answer, test.expected) == (question, answer, expected)
        assert repr(test) == f"HiddenTest(question={question!r})"

    @pytest.mark.parametrize("text", ["f(1)", "assert f(1); assert f(2)", "", "assert", "assert f(("])
    def test_none(self, text: str) -> None:
        """What is no single assert statement is no test."""
        with pytest.raises((ValueError, SyntaxError)):
            HiddenTest.read(text)


class TestReference:
    def test_read(self) -> None:
        """It knows the function that is defined first, and the one that the tests call, and shows neither."""
        reference = Reference.read(GOLD, "", ["assert twice(2) == 4"])
        assert (reference.first, reference.asked) == ("aid", "twice")
        assert repr(reference) == "Reference()"

    @pytest.mark.parametrize(
        ("gold", "first"),
        [
            ("def aid (x): ...\ndef twice(x): ...", "twice"),
            ("def aid(x): ...\ndef twice (x): ...", "aid"),
            ("def aid (x): ...\ndef twice (x): ...", "twice"),
        ],
    )
    def test_first(self, gold: str, first: str) -> None:
        """As for InterCode, no blank is between name and parenthesis; where it finds no name, it is the tested."""
        assert Reference.read(gold, "", ["assert twice(2) == 4"]).first == first

    def test_counted(self) -> None:
        """Of tests with one text InterCode counts the last."""
        tests = ["assert twice(1) == 2", "assert twice(1)==2", "assert twice(1) == 2"]
        assert Reference.read(GOLD, "", tests).counted == (2, 1)


class TestLoadData:
    def test_tasks(self, tmp_path: Path) -> None:
        """A task's id is its row's index; it has MBPP's number, and MBPP's splits."""
        rows = [{**ROW, "task_id": number} for number in (10, 11, 600, 974, 975)]
        data = load_data(folder(tmp_path, [*rows, {key: ROW[key] for key in ("query", "gold", "tests")}]))
        assert [(task.id, task.data["mbpp"]) for task in data.tasks] == [
            ("0", 10), ("1", 11), ("2", 600), ("3", 974), ("4", 975), ("5", 6),
        ]  # fmt: skip
        splits = {name: [task.id for task in data.tasks.split(name)] for name in data.tasks.splits}
        assert splits == {"prompt": ["0", "5"], "test": ["1"], "validation": ["2"], "train": ["3"]}
        assert "twice" not in repr(data) + repr(list(data.tasks))

    def test_shared(self, tmp_path: Path) -> None:
        """A folder is read once."""
        assert load_data(folder(tmp_path, [ROW])) is load_data(tmp_path)

    @pytest.mark.parametrize(
        ("rows", "problem"),
        [
            ("[", "no JSON file"),
            ("[" * 100_000, "no JSON file"),
            ([], "no list of tasks"),
            ({}, "no list of tasks"),
            ([ROW, 1], "row 1 lacks one of the texts query and gold"),
            ([{**ROW, "gold": None}], "row 0 lacks"),
            ([{**ROW, "tests": []}], "row 0 has no list of tests"),
            ([{**ROW, "tests": [1]}], "row 0 has no list of tests"),
            ([{**ROW, "task_id": "1"}], "row 0 has a task_id or test_setup_code of another type"),
            ([{**ROW, "test_setup_code": None}], "row 0 has a task_id or test_setup_code of another type"),
            ([{**ROW, "tests": ["assert secret(("]}], r"row 0 cannot be used \(SyntaxError\)"),
            ([{**ROW, "tests": ["assert secret(1) == 2"]}], r"row 0 cannot be used \(ValueError\)"),
        ],
    )
    def test_broken(self, tmp_path: Path, rows: Any, problem: str) -> None:
        """What cannot be read is told with its row, and without its tests."""
        with pytest.raises(DataError, match=problem) as error:
            load_data(folder(tmp_path, rows))
        assert "secret" not in str(error.value)

    def test_missing(self, tmp_path: Path) -> None:
        """A folder without the file is told."""
        with pytest.raises(DataError, match=r"ic_mbpp\.json: there is no such file"):
            load_data(tmp_path)

    @pytest.mark.skipif(not INTERCODE, reason="INTERCODE_DATA names no folder with InterCode's data")
    def test_intercode(self) -> None:
        """Of InterCode's 974 tasks all can be read, and all tests but three compare with a literal."""
        data = load_data(Path(INTERCODE) / "python")
        tests = [test for reference in data.references.values() for test in reference.tests]
        assert (len(data.tasks), len(tests), sum(not test.expected for test in tests)) == (974, 2938, 3)
        references = data.references.values()
        assert sum(len(each.counted) for each in references) == 2932
        assert sum(each.first != each.asked for each in references) == 40
        assert [len(data.tasks.split(name)) for name in data.tasks.splits] == [10, 500, 90, 374]
