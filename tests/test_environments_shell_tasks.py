"""Tasks for a shell: what they are, and how they are read from a folder."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sandboxes import become, needs_root, needs_sandbox
from shells import SUM, graded, stepped

from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.errors import DataError, UsageError
from tinysmith.sandbox import Bind, Tree


class TestTasks:
    def test_say_how_to_act(self) -> None:
        """A task says how to act in the kind of shell that there is, unless it has words of its own."""
        own = ShellTask("own", "Do it.", check="true", instructions="Speak French.", data={"level": 2})
        first, second = ShellEnvironment([SUM, own]).tasks
        assert "The shell stays" in first.instructions
        assert (second.instructions, second.data["level"]) == ("Speak French.", 2)
        (fresh,) = ShellEnvironment([SUM], is_session=False).tasks
        assert "a shell of its own" in fresh.instructions

    @needs_sandbox
    def test_keep_their_secrets(self, caplog: pytest.LogCaptureFixture) -> None:
        """Neither answers nor checks are in a task, an observation, an info, a log or a representation."""
        caplog.set_level("DEBUG", "tinysmith")
        checked_task = ShellTask("t", "Do it.", Tree.of({"/a": "s3cret"}), check="test $ANSWER = s3cret")
        answered = ShellTask("u", "Do it.", answer="s3cret", script=("submit s3cret",))
        shown = [repr((checked_task, answered)), repr(list(ShellEnvironment([checked_task, answered]).tasks))]
        for task in (checked_task, answered):
            shown.append(repr(stepped("ls", "submit 1", task=task)))
        assert "s3cret" not in "".join([*shown, caplog.text])
        assert "s3cret" in repr(stepped("cat /a", task=checked_task))

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({}, "'t': give it either a check or an answer"),
            ({"check": "true", "answer": "1"}, "'t': give it either a check or an answer"),
            ({"check": " "}, "'t': its check is empty"),
            ({"answer": "\n"}, "'t': its answer is empty"),
            ({"answer": "' '"}, "'t': its answer is empty"),
            ({"answer": "1", "cwd": "work"}, "cwd is 'work'; give an absolute path"),
            ({"answer": "1", "cwd": 3}, "cwd is 3; give an absolute path"),
            ({"answer": 42}, "'t': its answer is a int; give a text"),
            ({"check": 42}, "'t': its check is 42; give a text for bash, or a function"),
            ({"check": ["test", "-f", "/a"]}, "give a text for bash, or a function"),
            ({"check": lambda _: True}, "its check does not take two arguments; let it take the sandbox and what"),
            ({"answer": "1", "instructions": None}, "ShellTask: instructions is None; give a text"),
            ({"answer": "1", "script": "submit 1"}, "Task: script is 'submit 1'; give a list of texts"),
            ({"answer": "1", "data": ["a"]}, "ShellTask: data is a list that cannot be kept; give a dict"),
            ({"answer": "1", "environment": {"A": 1}}, "the variable 'A' with a int; give texts"),
            ({"answer": "1", "environment": ["A=1"]}, "The environment is a list; give a dict"),
            ({"answer": "1", "binds": Bind("/srv", "/srv")}, "give a tuple of Bind"),
            ({"answer": "1", "tree": {"/a": "x"}}, "tree is {'/a': 'x'}; give a Tree, such as Tree"),
        ],
    )
    def test_that_are_none(self, wrong: dict[str, Any], said: str) -> None:
        """A task has one way to be solved, begins in a folder, and is made of what it is said to be made of."""
        with pytest.raises(UsageError, match=said):
            ShellTask("t", "Do it.", **wrong)

    @pytest.mark.parametrize("wrong", [{"id": 3}, {"id": None}, {"query": None}, {"query": ["Do it."]}])
    def test_that_have_no_name_or_no_words(self, wrong: dict[str, Any]) -> None:
        """Id and query are texts."""
        with pytest.raises(UsageError, match=r"^ShellTask: (id|query) is .*; give a text\.$"):
            ShellTask(**{"id": "t", "query": "Do it.", "answer": "1", **wrong})

    def test_that_can_be_hashed(self) -> None:
        """Lists are taken as tuples, and a path as a text, so a task never changes."""
        listed = ShellTask("t", "?", answer="1", script=["a"], binds=[Bind("/srv", "/srv")], cwd=Path("/a"))
        assert hash(listed) == hash(evolve(listed, script=("a",), cwd="/a"))

    @pytest.mark.parametrize("check", [min, max, partial(pow, 2), lambda *given: given])
    def test_whose_check_s_arguments_nobody_knows(self, check: Any) -> None:
        """Whatever may take a sandbox and what was submitted is a check."""
        assert ShellTask("t", "Do it.", check=check).check is check

    @pytest.mark.parametrize("bad", ["\0", "\ud800"])
    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("check", lambda text: {"check": text}),
            ("answer", lambda text: {"answer": text}),
            ("query", lambda text: {"answer": "1", "query": text}),
            ("instructions", lambda text: {"answer": "1", "instructions": text}),
            ("environment variable 'A'", lambda text: {"answer": "1", "environment": {"A": text}}),
        ],
    )
    def test_that_no_program_can_be_given(self, name: str, wrong: Callable[[str], Any], bad: str) -> None:
        """A text with a NUL or half of a surrogate pair is refused by its name, and not told."""
        with pytest.raises(UsageError) as told:
            ShellTask(**{"id": "t", "query": "Do it.", **wrong(f"s3cret {bad}")})
        said = f"'t': in its {name} is a NUL or half of a surrogate pair, which no program can be given; write"
        assert said in str(told.value)
        assert "s3cret" not in str(told.value)

    @needs_sandbox
    def test_that_are_as_long_as_can_be(self) -> None:
        """A check and a variable may have the 128 KiB that the kernel takes, and one byte more is refused."""
        check, variable = "test ${#A} = 131069 #".ljust(131_071, "x"), "x" * 131_069
        assert graded(ShellTask("t", "Do it.", check=check, environment={"A": variable})).solved
        said = "has 131072 bytes, of which a program can be given 131071 at most; shorten it."
        with pytest.raises(UsageError) as told:
            ShellTask("t", "Do it.", check=f"{check}x")
        assert str(told.value) == f"ShellTask 't': its check {said}"
        with pytest.raises(UsageError) as told:
            ShellTask("t", "Do it.", answer="1", environment={"A": f"{variable}x"})
        assert str(told.value) == f"ShellTask 't': its environment variable 'A' {said}"

    @needs_sandbox
    def test_see_what_they_are_given(self) -> None:
        """A task's environment variables are those of its commands and of its check."""
        task = ShellTask("t", "Do it.", check='test "$A" = b', environment={"A": "b"})
        assert stepped("echo $A", task=task)[0].observation == "b"
        assert graded(task).solved


TREE = json.dumps([{"path": "/n", "type": "file", "mode": "0o600", "text": "42"}])


def folder(path: Path, *rows: Any) -> Path:
    """A folder with these tasks, and a tree."""
    (path / "tasks.json").write_text(json.dumps(rows))
    (path / "some.tree.json").write_text(TREE)
    return path


class TestRead:
    @needs_sandbox
    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder's tasks have trees from files or in their rows, checks or answers, and ids by their number."""
        rows = (
            {"id": "a", "query": "A?", "tree": "some.tree.json", "answer": "42", "script": ["submit 42"]},
            {"query": "B?", "tree": {"/w/x": "y", "/e/": ""}, "check": "test -e z", "cwd": "/w"},
            {"id": 7, "query": "C?", "check": "test $K = v", "environment": {"K": "v"}, "data": {"n": [1]}},
            {"id": "d", "query": "D?", "tree": "some.tree.json", "answer": "x", "instructions": "Act."},
        )
        environment = ShellEnvironment.read(folder(tmp_path, *rows), is_session=False)

        async def play(name: str, *actions: str) -> list[str]:
            await environment.reset(task=environment.tasks[name])
            seen = [(await environment.step(action)).observation for action in actions]
            seen.append(str((await environment.grade()).score))
            await environment.close()
            return seen

        tasks = list(environment.tasks)
        assert [task.id for task in tasks] == ["a", "1", "7", "d"]
        assert (tasks[0].script, tasks[2].data["n"], tasks[3].instructions) == (("submit 42",), (1,), "Act.")
        assert asyncio.run(play("a", "stat -c %a /n", "cat /n", "submit 42")) == ["600", "42", "Submitted.", "1.0"]
        assert asyncio.run(play("1", "pwd; ls / | grep ^e", "touch z")) == ["/w\ne\netc", "", "1.0"]
        assert asyncio.run(play("7")) == ["1.0"]

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            (3, "row 1 lacks its query; give it one."),
            ({"answer": "1"}, "row 1 lacks its query; give it one."),
            ({"query": "?", "anwser": "1"}, "row 1 has 'anwser', which nothing reads. Did you mean answer?"),
            ({"query": 3}, "row 1 has no text for its query; write one."),
            ({"query": "?", "check": ["a"]}, "row 1 has no text for its check; write one."),
            ({"query": "?", "data": 3}, "row 1 has no object for its data; write one."),
            ({"query": "?", "environment": []}, "row 1 has no object for its environment; write one."),
            (
                {"query": "?", "environment": {"A": 3}},
                "row 1 has no text for a variable of its environment; write one.",
            ),
            ({"query": "?", "script": "submit"}, "row 1 has no list of texts for its script; write one."),
            ({"query": "?", "script": [3]}, "row 1 has no list of texts for its script; write one."),
            (
                {"query": "?", "answer": "1", "tree": "../x"},
                "row 1 names no tree: give the name of a tree.json file",
            ),
            ({"query": "?", "answer": "1", "tree": ["x"]}, "row 1 names no tree"),
            ({"query": "?", "answer": "1", "tree": {"/a": 3}}, "row 1 names no tree"),
            ({"query": "?", "answer": "1", "tree": {"a": ""}}, "row 1: Entry: 'a' is no path of a tree"),
            ({"query": "?", "answer": "1", "tree": "none.tree.json"}, "none.tree.json: there is no such file"),
            ({"query": "?", "answer": "1", "tree": "x" * 300}, "File name too long"),
            ({"query": "?", "answer": "1", "tree": "\ud800"}, "row 1 names no tree"),
            (
                {"query": "?", "answer": "1", "tree": {"/a": "\ud800"}},
                "row 1 has half of a surrogate pair in '/a', a file of its tree; write another.",
            ),
            ({"query": "?", "answer": "1", "id": "0"}, "row 1 has the id '0' of row 0; give each its own."),
            ({"query": "?", "answer": "1", "id": None}, "row 1 has no text for its id; write one."),
            ({"query": "?", "check": "s3cret \ud800"}, "row 1: ShellTask '1': in its check is a NUL or half of a"),
            (
                {"query": "?", "check": f"s3cret {'x' * 131_072}"},
                "row 1: ShellTask '1': its check has 131079 bytes",
            ),
            (
                {"query": "?", "answer": "1", "environment": {"A": "s3cret \0"}},
                "row 1: ShellTask '1': in its environment variable 'A' is a NUL",
            ),
            ({"query": "?"}, "row 1: ShellTask '1': give it either a check or an answer."),
            (
                {"query": "?", "answer": "1", "environment": {"": "x"}},
                "row 1: The environment variable",
            ),
        ],
    )
    def test_a_row_that_is_none(self, row: Any, said: str, tmp_path: Path) -> None:
        """What is wrong with a row is told with its number."""
        with pytest.raises(DataError) as told:
            ShellEnvironment.read(folder(tmp_path, {"query": "?", "answer": "1"}, row))
        assert f"{tmp_path}/tasks.json: row 1" in str(told.value)
        assert said in str(told.value)
        assert "s3cret" not in str(told.value)

    def test_data_that_lie_too_deep(self, tmp_path: Path) -> None:
        """Data that can be read, but are too deep to be kept, are told with the number of their row."""
        row = f'{{"query": "?", "answer": "1", "data": {{"a": {"[" * 600}{"]" * 600}}}}}'
        (tmp_path / "tasks.json").write_text(f"[{row}]")
        with pytest.raises(DataError, match="row 0 has data that lie too deep in each other; write flatter"):
            ShellEnvironment.read(tmp_path)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "tasks.json: this is not JSON: "),
            ("[" * 100_000, "tasks.json: this is not JSON: "),
            ("{}", "tasks.json: this is no list of tasks; write a list of objects."),
            ("[]", "tasks.json: this is no list of tasks; write a list of objects."),
        ],
    )
    def test_a_file_that_is_none(self, text: str, said: str, tmp_path: Path) -> None:
        """A file that holds no tasks is told."""
        (tmp_path / "tasks.json").write_text(text)
        with pytest.raises(DataError) as told:
            ShellEnvironment.read(tmp_path)
        assert said in str(told.value)

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        """A folder that is not there, or that holds no tasks, is told."""
        with pytest.raises(DataError, match=r"none: there is no such folder; name one that holds tasks\.json\."):
            ShellEnvironment.read(tmp_path / "none")
        with pytest.raises(DataError, match=r"tasks\.json: it cannot be read: No such file or directory"):
            ShellEnvironment.read(tmp_path)
        with pytest.raises(DataError, match="xxx: it cannot be read: File name too long; make it readable, or"):
            ShellEnvironment.read(tmp_path / ("x" * 300))

    @needs_root
    def test_a_folder_that_is_closed(self) -> None:
        """A folder beyond one that may not be passed is said to be closed, not to be missing."""

        def work() -> None:
            folder = Path(tempfile.mkdtemp())
            (folder / "within").mkdir()
            folder.chmod(0)
            with pytest.raises(DataError, match="within: it cannot be read: Permission denied; make it readable"):
                ShellEnvironment.read(folder / "within")
            folder.chmod(0o700)
            shutil.rmtree(folder)

        become("user", work)
