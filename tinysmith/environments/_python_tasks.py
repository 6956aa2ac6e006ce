"""Functions to write, with their tests, read from a folder; gold code and tests are kept apart from the tasks."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tinysmith.environments._python_worker import canonical
from tinysmith.environments._task_file import TaskFile
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import DataError
from tinysmith.mapping import freeze
from tinysmith.protocols import Task

FILE = "ic_mbpp.json"
SPLITS = {"prompt": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
"""MBPP's own splits, by its first and last number."""

INSTRUCTIONS = (
    "You act on a Python 3 interpreter that keeps what you define. One action is Python code, and you see what it "
    "prints, or an error; there is no network and no package but the standard library, and code may run for ten "
    "seconds. Write the function that is asked for under a name of your own. The action `submit <function>` ends "
    "the task with that function as the answer; hidden tests judge it. `skip` gives up."
)


@frozen
class HiddenTest:
    """A test: an expression, and what its value must be.

    Attributes:
        question: The expression, evaluated where the agent's code is.
        answer: The expression for what it must equal; never evaluated there.
        expected: The canonical text of the answer; empty where it is no literal.
    """

    question: str
    answer: str = field(repr=False)
    expected: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> "HiddenTest":
        """The test of an `assert` statement.

        Raises:
            ValueError: It is none.
            SyntaxError: It is no code.
        """
        (statement,) = ast.parse(text).body
        if not isinstance(statement, ast.Assert):
            raise ValueError("it is no assert statement")  # noqa: TRY004  # of a text that is a value
        asked = statement.test
        if isinstance(asked, ast.Compare) and len(asked.ops) == 1 and isinstance(asked.ops[0], ast.Eq):
            question, answer = asked.left, asked.comparators[0]
            if _literal(question):  # which is the value, on whichever side it stands
                question, answer = answer, question
        else:
            question, answer = ast.parse(f"bool({ast.unparse(asked)})", mode="eval").body, ast.Constant(value=True)
        return cls(ast.unparse(question), ast.unparse(answer), _literal(answer))


def _literal(expression: ast.expr) -> str:
    """The canonical text of a literal; empty for what is none."""
    try:
        return canonical(ast.literal_eval(expression))
    except (ValueError, TypeError):  # such as OpaqueValue; a key that cannot be hashed
        return ""


@frozen
class Reference:
    """What a task is judged by.

    Attributes:
        gold: The right code.
        setup: What is run before the tests.
        tests: The tests.
        counted: Indices of the tests that InterCode counts: of those with one text, the last.
        first: The function that the gold code defines first, by InterCode's expression, which binds the submitted
            one to it; `asked`, where it finds none.
        asked: The function of the gold code that the tests call.
    """

    gold: str = field(repr=False)
    setup: str = field(repr=False)
    tests: tuple[HiddenTest, ...] = field(repr=False)
    counted: tuple[int, ...] = field(repr=False)
    first: str = field(repr=False)
    asked: str = field(repr=False)

    @classmethod
    def read(cls, gold: str, setup: str, tests: list[str]) -> "Reference":
        """The reference of a row of the file.

        Raises:
            ValueError: A test is no `assert` statement, or the gold code has no function that is tested.
            SyntaxError: A test is no code.
        """
        read = tuple(map(HiddenTest.read, tests))
        names = re.findall(r"\bdef\s+(\w+)\s*\(", gold)
        called = {node.id for node in ast.walk(ast.parse(read[0].question)) if isinstance(node, ast.Name)}
        asked = next((name for name in names if name in called), None)
        if asked is None:
            raise ValueError("its gold code defines nothing that its first test calls")
        found = re.search(r"def (\w+)\(", gold)  # InterCode's expression, without blanks before the parenthesis
        counted = {text: index for index, text in enumerate(tests)}
        return cls(gold, setup, read, tuple(counted.values()), found[1] if found else asked, asked)


@frozen(eq=False)
class PythonData:
    """A folder's tasks, shared by all environments on that folder.

    Attributes:
        tasks: What is to be written, with MBPP's splits.
        references: What each is judged by; they never leave this package.
    """

    tasks: Tasks
    references: Mapping[str, Reference] = field(repr=False)


def _made(path: Path, rows: list[Any]) -> PythonData:
    tasks: list[Task] = []
    references: dict[str, Reference] = {}
    splits: dict[str, list[str]] = {name: [] for name in SPLITS}
    for index, row in enumerate(rows):
        number = _number(row, index, path)
        try:
            reference = Reference.read(row["gold"], row.get("test_setup_code", ""), row["tests"])
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            kind = type(error).__name__  # whose words may quote a test
            raise DataError(f"{path}: the tests of row {index} cannot be used ({kind}); fetch it again.") from None
        task = Task(str(index), row["query"], instructions=INSTRUCTIONS, data=freeze({"mbpp": number}))
        tasks.append(task)
        references[task.id] = reference
        for name, (first, last) in SPLITS.items():
            if first <= number <= last:
                splits[name].append(task.id)
    return PythonData(Tasks(tasks, splits=splits), references)


def _number(row: Any, index: int, path: Path) -> int:
    """MBPP's number of a row, which is looked at for what it lacks."""
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("query", "gold")):
        raise DataError(f"{path}: row {index} lacks one of the texts query and gold; fetch the file again.")
    tests = row.get("tests")
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) for test in tests):
        raise DataError(f"{path}: row {index} has no list of tests; fetch the file again.")
    number = row.get("task_id", index + 1)
    if type(number) is not int or not isinstance(row.get("test_setup_code", ""), str):
        raise DataError(f"{path}: row {index} has a task_id or test_setup_code of another type; fetch it again.")
    return number


TASKS = TaskFile(FILE, _made)

load_data = TASKS.load
"""The data of a folder; a DataError where the folder, or its file, is missing or broken."""
