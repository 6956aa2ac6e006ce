"""The nodes that read and write a notebook: what one trial learns, the next one knows."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tinysmith import Agent, Field, Halt, Result, Run, Scripted, Strategy, arun, run
from tinysmith.errors import UsageError
from tinysmith.memory import Note, Notebook, Recall
from tinysmith.testing import strategy_test


@frozen
class Trial:
    """The board."""

    question: str = "How many boats?"
    lessons: tuple[str, ...] = ()
    lesson: str = ""


LESSONS: Field[Trial, tuple[str, ...]] = Field(lambda own: own.lessons, lambda own, new: evolve(own, lessons=new))


def question(trial: Trial) -> str:
    """What the notes are about."""
    return trial.question


def lesson(trial: Trial) -> str:
    """What was learned."""
    return trial.lesson


class Thinker(Agent[Trial]):
    samples = ("Count the rows.",)

    def prompt(self, trial: Trial, /) -> str:
        return "\n".join((*trial.lessons, trial.question))

    def parse(self, trial: Trial, reply: str, /) -> Trial:
        return evolve(trial, lesson=reply)


class Learns(Strategy[Trial]):
    """Recalls what it noted in earlier trials, and notes what it thinks now."""

    recall = Recall(question, LESSONS, most=2)
    thinker = Thinker()
    note = Note(question, lesson)
    done = Halt()
    unread = Halt()

    initial = recall
    edges = (recall.to(thinker), recall.on_failure(unread), thinker.to(note), note.to(done))


def has_few_lessons(trial: Trial) -> bool:
    """Never more lessons than were wanted come to the board."""
    return len(trial.lessons) <= 2


TestLearns = strategy_test(
    Learns, results={"recall": st.lists(st.text(), max_size=4)}, invariants=[has_few_lessons], max_examples=50
)


def trial(notebook: Notebook, thought: str, *, later: bool) -> Run[Trial]:
    """One trial, in a blocking or in an asynchronous run."""
    tools = {"recall": notebook.recall, "note": notebook.note}
    model = Scripted([thought])
    if later:
        return asyncio.run(arun(Learns(), Trial(), model=model, tools=tools))
    return run(Learns(), Trial(), model=model, tools=tools)


class TestRuns:
    def test_a_trial_knows_what_the_earlier_ones_learned(self, tmp_path: Path) -> None:
        """Each trial reads the latest lessons of those before it from the disk, in blocking and in other runs."""
        known = [
            trial(Notebook(tmp_path / "notes.db"), thought, later=later).board.lessons
            for thought, later in (("a", False), ("b", True), ("c", False), ("d", True))
        ]
        assert known == [(), ("a",), ("a", "b"), ("b", "c")]
        assert Notebook(tmp_path / "notes.db").notes() == {"How many boats?": ["a", "b", "c", "d"]}

    def test_many_at_once(self, tmp_path: Path) -> None:
        """Many runs in one loop write to one notebook."""
        notebook = Notebook(tmp_path / "notes.db")
        tools = {"recall": notebook.recall, "note": notebook.note}

        async def all_of_them() -> None:
            model = Scripted([f"lesson {number}" for number in range(20)])
            await asyncio.gather(*(arun(Learns(), Trial(), model=model, tools=tools) for _ in range(20)))

        asyncio.run(all_of_them())
        assert len(notebook.recall(topic="How many boats?", most=99)) == 20

    def test_without_a_notebook(self) -> None:
        """Where none is bound there are no notes, and what is noted is lost."""
        for result in (
            run(Learns(), Trial(lessons=("old",)), model=Scripted(["a"])),
            asyncio.run(arun(Learns(), Trial(lessons=("old",)), model=Scripted(["a"]))),
        ):
            assert (result.outcome, result.board) == ("done", Trial(lesson="a"))
            assert [step.event.value for step in result.steps if isinstance(step.event, Result)] == [[], 0]

    def test_a_notebook_that_breaks(self, tmp_path: Path) -> None:
        """A notebook that cannot be used any more is a failure of the tool: its edge, or its outcome."""
        notebook = Notebook(tmp_path / "notes.db")
        notebook.path.write_bytes(b"Dear diary," * 99)
        lost = trial(notebook, "a", later=False)
        assert lost.outcome == "unread"
        half = run(Learns(), Trial(), model=Scripted(["a"]), tools={"note": notebook.note})
        assert (half.outcome, half.board.lesson) == ("tool_failed", "a")
        assert "notes.db: the notebook cannot be used: file is not a database." in str(half.error)


class TestRecall:
    @given(st.lists(st.text()), st.integers(0, 4))
    def test_takes_the_latest(self, result: list[str], most: int) -> None:
        """Whatever is bound returns, the last `most` notes come to the board."""
        board = Recall(question, LESSONS, most=most).receive(Trial(lessons=("old",)), result)
        assert board == Trial(lessons=tuple(result[len(result) - min(most, len(result)) :]))

    @pytest.mark.parametrize("result", ["a lesson", [1], 7, None])
    def test_refuses_what_is_no_list_of_texts(self, result: Any) -> None:
        """A result of another type is refused, and never taken apart into letters."""
        with pytest.raises(TypeError, match=r"Return a list of texts, as Notebook\.recall does\."):
            Recall(question, LESSONS).receive(Trial(), result)

    def test_refuses_a_negative_number(self) -> None:
        """Fewer than no notes are refused when the node is made; none may be wanted."""
        with pytest.raises(UsageError, match=r"^most=-1 is too small\. Give 0 or more\.$"):
            Recall(question, LESSONS, most=-1)
        assert Recall(question, LESSONS, most=0).arguments(Trial()) == {"topic": "How many boats?", "most": 0}


class TestNote:
    def test_says_what_it_is_bound_to_be_given(self) -> None:
        """The topic and the text go to the tool, and the board stays as it is."""
        note, board = Note(question, lesson), Trial(lesson="Count.")
        assert note.arguments(board) == {"topic": "How many boats?", "text": "Count."}
        assert note.receive(board, 7) is board
