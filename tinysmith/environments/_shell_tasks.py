"""Tasks for a shell, written in Python or read from a folder; what solves them is kept apart from the tasks."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from attrs import field, frozen

from tinysmith import _arguments
from tinysmith._arguments import is_text, path_text, told
from tinysmith._shown import encodable, near
from tinysmith.environments._task_file import kind_at, refuse_equal_ids
from tinysmith.errors import DataError, UsageError
from tinysmith.mapping import EMPTY, JSON, FrozenDict, freeze
from tinysmith.protocols import Grade, Script, Task, script_of
from tinysmith.sandbox import Bind, Sandbox, SandboxLimits, SandboxSpec, Tree
from tinysmith.sandbox._words import demand_texts
from tinysmith.sandbox.spec import binds_of, limits_of
from tinysmith.sandbox.tree import is_passable

Verdict: TypeAlias = bool | float | Grade
Check: TypeAlias = Callable[[Sandbox, str], Verdict | Awaitable[Verdict]]

_TEXTS = ("query", "check", "answer", "instructions", "cwd")
_KEYS = (*_TEXTS, "id", "tree", "data", "environment", "script")
_MOST_BYTES = 131_071  # of an argument, or a variable with its name: the kernel's limit


def _data(value: Mapping[str, JSON]) -> FrozenDict[str, JSON]:
    return _arguments.data(value, "ShellTask: data")


def _variables(environment: Mapping[str, str]) -> FrozenDict[str, str]:
    demand_texts(environment)
    return FrozenDict(environment)


@frozen
class ShellTask:
    """A task for a shell. Either `check` or `answer` says when it is solved; no strategy sees them.

    Attributes:
        id: Its name within its set, as on the command line.
        query: What is to be done, in words.
        tree: The files that an episode begins with.
        check: What looks at the files: a text for bash, which says by exit code 0 that the task is solved, and
            finds what was submitted in `$ANSWER`; it begins in `cwd`, and where that cannot be entered, the task
            is not solved. Or a callable, blocking or async, which is given a sandbox and what was submitted
            (before that, and where that is nothing, what the last command printed), and answers with a truth
            value, a number from 0 to 1, where 1 is solved, or a `Grade` with one. A `SandboxError`, such as for a
            file that is not there, and an `AssertionError` of it say that the task is not solved. It should ask
            for what has to be there, not only for what has to be gone: who closes a folder hides what is in it.
        answer: What is to be submitted; blanks around it do not count, nor does one pair of quotes.
        instructions: How to act, for prompts; the environment's own unless given.
        cwd: The folder in which an episode begins.
        data: More that a strategy may see. Never the answer.
        binds: What of the host is shown, read-only.
        environment: More environment variables of the commands.
        script: Replies that solve it, for demonstrations without a model; no strategy sees them.
    """

    id: str = field(validator=is_text)
    query: str = field(validator=is_text)
    tree: Tree = field(factory=Tree, repr=False)
    check: str | Check | None = field(default=None, kw_only=True, repr=False)
    answer: str | None = field(default=None, kw_only=True, repr=False)
    instructions: str = field(default="", kw_only=True, validator=is_text)
    cwd: str = field(default="/", kw_only=True, converter=path_text)
    data: FrozenDict[str, JSON] = field(default=EMPTY, kw_only=True, converter=_data)
    binds: tuple[Bind, ...] = field(default=(), kw_only=True, converter=binds_of)
    environment: FrozenDict[str, str] = field(default=EMPTY, kw_only=True, converter=_variables, repr=False)
    script: Script = field(default=(), kw_only=True, repr=False, converter=script_of)

    def __attrs_post_init__(self) -> None:
        if (self.check is None) == (self.answer is None):
            raise UsageError(f"ShellTask {self.id!r}: give it either a check or an answer.")
        if not isinstance(self.answer, str | None):
            raise UsageError(f"ShellTask {self.id!r}: its answer is a {type(self.answer).__name__}; give a text.")
        if not isinstance(self.check, str | None):
            _demand_check(self.id, self.check)
        for name, text in (("check", self.check), ("answer", self.answer and unquoted(self.answer))):
            if isinstance(text, str) and not text.strip():
                raise UsageError(f"ShellTask {self.id!r}: its {name} is empty; write another.")
        given = {"check": self.check} if isinstance(self.check, str) else {}
        given |= {f"environment variable {name!r}": f"{name}={text}" for name, text in self.environment.items()}
        shown = {name: getattr(self, name) or "" for name in ("id", "query", "instructions", "answer")}
        for name, text in {**shown, **given}.items():
            if not is_passable(text):
                problem = f"in its {name} is a NUL or half of a surrogate pair, which no program can be given"
                raise UsageError(f"ShellTask {self.id!r}: {problem}; write another.")
            if name in given and (size := len(text.encode())) > _MOST_BYTES:
                problem = f"its {name} has {size} bytes, of which a program can be given {_MOST_BYTES} at most"
                raise UsageError(f"ShellTask {self.id!r}: {problem}; shorten it.")
        self.spec(None)

    def task(self, instructions: str) -> Task:
        """What strategies see of it; with these instructions where it has none of its own."""
        return Task(
            self.id, self.query, instructions=self.instructions or instructions, data=self.data, script=self.script
        )

    def is_answered_by(self, submitted: str) -> bool:
        """Whether a text, as `unquoted` gives it, is the answer; the answer's own quotes may be there or not."""
        return self.answer is not None and submitted in (self.answer.strip(), unquoted(self.answer))

    def spec(self, limits: SandboxLimits | None) -> SandboxSpec:
        """What its sandbox is made of."""
        return SandboxSpec(
            self.tree,
            binds=self.binds,
            environment=self.environment,
            cwd=self.cwd,
            limits=limits_of(limits, "ShellTask"),
        )


def _demand_check(task_id: str, check: object) -> None:
    """Raises a `UsageError` unless a check can be called with what it will be called with."""
    if not callable(check):
        problem = f"its check is {told(check)}; give a text for bash, or a function"
        raise UsageError(f"ShellTask {task_id!r}: {problem}.")
    try:
        inspect.signature(check).bind(None, "")
    except TypeError:
        problem = "its check does not take two arguments; let it take the sandbox and what was submitted"
        raise UsageError(f"ShellTask {task_id!r}: {problem}.") from None
    except ValueError:  # of what is built in, nobody knows
        return


def unquoted(answer: str) -> str:
    """An answer as a shell would take it: without blanks, and one pair of quotes, around it."""
    answer = answer.strip()
    is_quoted = len(answer) > 1 and answer[0] == answer[-1] and answer[0] in "'\""
    return answer[1:-1].strip() if is_quoted else answer


def read_tasks(folder: Path) -> list[ShellTask]:
    """The tasks of a folder's `tasks.json`, as `docs/environments.md` says.

    Raises:
        DataError: The folder, the file or one of its trees is missing or broken; the message says which row.
    """
    path = folder / "tasks.json"
    if kind_at(folder) != "dir":
        raise DataError(f"{folder}: there is no such folder; name one that holds tasks.json.")
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: it cannot be read: {error.strerror}; put the tasks there.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: this is not JSON: {error}; write a list of objects.") from None
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{path}: this is no list of tasks; write a list of objects.")
    trees: dict[str, Tree] = {}
    tasks = [_read_task(path, number, row, trees) for number, row in enumerate(rows)]
    refuse_equal_ids(path, (task.id for task in tasks))
    return tasks


def _read_task(path: Path, number: int, row: Any, trees: dict[str, Tree]) -> ShellTask:
    place = f"{path}: row {number}"
    problem = _wrong(row)
    if problem:
        raise DataError(f"{place} {problem}")
    texts = {name: row[name] for name in _TEXTS if name in row}
    try:
        return ShellTask(
            str(row.get("id", number)),
            tree=_tree(place, row.get("tree", {}), path.parent, trees),
            data=freeze(row.get("data", {})),
            environment=freeze(row.get("environment", {})),
            script=tuple(row.get("script", ())),
            **texts,
        )
    except UsageError as error:
        raise DataError(f"{place}: {error}") from None
    except RecursionError:
        raise DataError(f"{place} has data that lie too deep in each other; write flatter ones.") from None


def _wrong(row: Any) -> str:
    """What is wrong with the types of a row, and what to do; empty where they are right."""
    if not isinstance(row, dict) or "query" not in row:
        return "lacks its query; give it one."
    for name in row:
        if name not in _KEYS:
            return f"has {name!r}, which nothing reads. {near(name, _KEYS)}"
    for name in _TEXTS:
        if name in row and not isinstance(row[name], str):
            return f"has no text for its {name}; write one."
    if type(row.get("id", "")) not in (str, int):
        return "has no text for its id; write one."
    for name in ("data", "environment"):
        if not isinstance(row.get(name, {}), dict):
            return f"has no object for its {name}; write one."
    script = row.get("script", [])
    if not isinstance(script, list) or not _are_texts(script):
        return "has no list of texts for its script; write one."
    if not _are_texts(row.get("environment", {}).values()):
        return "has no text for a variable of its environment; write one."
    return ""


def _tree(place: str, given: Any, folder: Path, trees: dict[str, Tree]) -> Tree:
    """The tree of a row: in a file of the folder, which is read once, or as texts by path."""
    if isinstance(given, dict) and _are_texts(given.values()):
        for name, text in given.items():
            if text != encodable(text):
                problem = f"has half of a surrogate pair in {name!r}, a file of its tree"
                raise DataError(f"{place} {problem}; write another.")
        return Tree.of(given)
    if not isinstance(given, str) or not is_passable(given) or Path(given).name != given:
        problem = "names no tree: give the name of a tree.json file in this folder, or an object of texts by path"
        raise DataError(f"{place} {problem}.")
    if given not in trees:
        try:
            trees[given] = Tree.read(folder / given)
        except DataError as error:
            raise DataError(f"{place}: {error}") from error
    return trees[given]


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)
