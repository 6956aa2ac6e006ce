"""What the strategy that reflects keeps from one trial to the next."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from worlds import Exam, Says

from machines.reflexion import Reflexion, Trial
from tinysmith import Ask, Run, Scripted, arun, run
from tinysmith.environments import SqlEnvironment
from tinysmith.memory import Notebook

LOOK, SUBMIT = "Command: ls", "Command: submit"


class Shelf:
    """A store in memory, one or both of whose doors may be stuck."""

    def __init__(self, *stuck: str) -> None:
        self.stuck = stuck
        self.asked: list[dict[str, str | int]] = []

    def recall(self, *, topic: str, most: int) -> list[str]:
        self._open("recall", topic=topic, most=most)
        return ["Look at the files first."]

    def note(self, *, topic: str, text: str) -> int:
        self._open("note", topic=topic, text=text)
        return 1

    def _open(self, door: str, **arguments: str | int) -> None:
        self.asked.append(arguments)
        if door in self.stuck:
            raise OSError("The shelf is stuck.")


class TestStore:
    def played(self, shelf: Shelf) -> Run[Trial]:
        """A run that repeats itself, then submits what is wrong."""
        model = Scripted({"actor": [LOOK, LOOK, SUBMIT], "reflector": ["One.", "Two."]})
        tools = {"recall": shelf.recall, "note": shelf.note}
        return run(Reflexion(), Trial("q"), model=model, environment=Exam(reward=0), tools=tools)

    def test_reads_once_and_writes_every_reflection(self) -> None:
        """The store is read once, by the question, and every reflection is written under it."""
        shelf = Shelf()
        ended = self.played(shelf)
        assert shelf.asked == [
            {"topic": "q", "most": 3},
            {"topic": "q", "text": "One."},
            {"topic": "q", "text": "Two."},
        ]
        assert (ended.outcome, ended.board.lessons, ended.board.reflections) == (
            "failed",
            ("Look at the files first.",),
            ("One.", "Two."),
        )

    def test_goes_on_where_the_store_is_lost(self) -> None:
        """A store that cannot be read or written changes neither the outcome nor what the trial learns."""
        ended = self.played(Shelf("recall", "note"))
        spent = ended.position.spent
        assert (ended.outcome, spent.asks, spent.steps, spent.calls) == ("failed", 5, 3, 3)
        assert (ended.error, ended.board.lessons, ended.board.reflections) == (None, (), ("One.", "Two."))


def novice(request: Ask) -> str:
    """A model that guesses a column, unless it was told one; it remembers nothing but what its prompt says."""
    prompt = request.messages[-1].content
    if request.node == "reflector":
        found = re.search(r"'(\w+_port_id)'", prompt)
        return f"The column is called {found[1]}." if found else "I guessed; look at the columns first."
    told = re.search(r"The column is called (\w+)\.", prompt)
    commands = ["SELECT port, COUNT(*) FROM boats GROUP BY port", "DESCRIBE boats"]
    if told:
        join = f"ports AS p JOIN boats AS b ON b.{told[1]} = p.port_id"
        commands = [f"SELECT p.name, COUNT(*) FROM {join} GROUP BY p.port_id ORDER BY p.name"]
    fresh = (command for command in commands if f"Command: {command}\n" not in prompt)
    return f"Command: {next(fresh, 'submit')}"


def one_trial(path: str) -> Run[Trial]:
    """A trial at one task of the bundled database, with the notebook in that file, or with none."""
    environment = SqlEnvironment.demo()
    notebook = Notebook(path) if path else None
    tools = {"recall": notebook.recall, "note": notebook.note} if notebook else {}
    task = environment.tasks["boats-per-port"]
    return run(Reflexion(), model=Says(novice), environment=environment, task=task, tools=tools)


class TestLearning:
    def test_a_second_trial_solves_what_the_first_failed(self, tmp_path: Path) -> None:
        """A trial in another process reads the first one's reflections from the disk, and so solves the task."""
        path = str(tmp_path / "lessons.db")
        first = one_trial(path)
        assert (first.outcome, first.solved, first.oracle, first.board.lessons) == ("failed", False, False, ())
        script = (
            "import sys; from test_machines_reflexion_learning import one_trial; end = one_trial(sys.argv[1]); "
        )
        script += "print(end.outcome, end.solved, *end.board.lessons, sep='\\n')"
        second = subprocess.run(
            [sys.executable, "-c", script, path],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
        assert second.stdout.splitlines() == ["solved", "True", *first.board.reflections]
        assert first.board.reflections == (
            "I guessed; look at the columns first.",
            "The column is called home_port_id.",
        )

    def test_it_is_the_lesson_that_solves_it(self, tmp_path: Path) -> None:
        """The same trial fails again where no notebook, or one about something else, is bound."""
        other = Notebook(tmp_path / "other.db")
        other.note(topic="Another question?", text="The column is called home_port_id.")
        assert [one_trial(path).outcome for path in ("", "", str(other.path))] == ["failed"] * 3

    def test_asynchronously(self, tmp_path: Path) -> None:
        """Trials learn from one another through the asynchronous door too."""
        notebook = Notebook(tmp_path / "lessons.db")

        async def trials() -> list[str]:
            environment = SqlEnvironment.demo()
            task = environment.tasks["boats-per-port"]
            tools = {"recall": notebook.recall, "note": notebook.note}
            return [
                (
                    await arun(Reflexion(), model=Says(novice), environment=environment, task=task, tools=tools)
                ).outcome
                for _ in range(2)
            ]

        assert asyncio.run(trials()) == ["failed", "solved"]
