"""The built-in strategy of one agent that looks things up first."""

import asyncio
import re

import pytest
from worlds import Echo, Exam, Says

import machines.open_book
from machines.open_book import OpenBook
from machines.single_agent import Challenge, SingleAgent
from tinysmith import Ask, Limits, Run, Scripted, Task, arun, run
from tinysmith.environments import SqlEnvironment
from tinysmith.errors import ServerError
from tinysmith.retrieval import LexicalIndex, Passage
from tinysmith.strategy import plan_of
from tinysmith.testing import strategy_test

TestOpenBook = pytest.mark.untraced(strategy_test(OpenBook))

QUERIES, LOOK, SUBMIT = "home ports\nwhat a boat is", "I look.\nCommand: ls", "Command: submit"
PORTS = Passage("The home port of a boat is in the column home_port_id.", "guide.md:7")
CREW = Passage("The crew sleeps ashore.", "guide.md:9")
INDEX = LexicalIndex.of([CREW, PORTS])


def shut(*, queries: list[str], most: int) -> list[dict[str, str]]:
    """An index that cannot be read."""
    raise OSError(f"No {most} passages on {queries}.")


def played(*replies: str, environment: Echo, board: Challenge | None = None) -> Run[Challenge]:
    """A run with the index, on a script of which every reply is used."""
    model = Scripted(replies)
    board = board or Challenge("q")
    ended = run(OpenBook(), board, model=model, environment=environment, tools={"retriever": INDEX})
    model.assert_complete()
    return ended


def counts(ended: Run[Challenge]) -> tuple[str, int, int, int]:
    """How a run ended, and its model calls, environment steps and tool calls."""
    spent = ended.position.spent
    return ended.outcome, spent.asks, spent.steps, spent.calls


class TestPrompts:
    def test_what_was_found_goes_into_every_prompt_of_the_agent(self) -> None:
        """The questioner reads the question, and the agent what was found, with its source, at every command."""
        asked: list[Ask] = []
        script = Scripted([QUERIES, LOOK, SUBMIT])

        def answer(request: Ask) -> str:
            asked.append(request)
            return script.ask(request).text

        board = Challenge("Which port?")
        run(OpenBook(), board, model=Says(answer), environment=Exam(), tools={"retriever": INDEX})
        prompts = [request.messages[-1].content for request in asked]
        assert [request.node for request in asked] == ["questioner", "agent", "agent"]
        assert "Which port?" in prompts[0]
        assert PORTS.text not in prompts[0]
        assert all(f"[guide.md:7]\n{PORTS.text}" in prompt for prompt in prompts[1:])


class TestRuns:
    def test_solved(self) -> None:
        """The queries and the passages that fit them are on the board; looking up costs one model call."""
        ended = played(QUERIES, LOOK, SUBMIT, environment=Exam())
        assert counts(ended) == ("solved", 3, 2, 1)
        assert (ended.success, ended.oracle) == (True, False)
        assert ended.board.queries == ("home ports", "what a boat is")
        assert ended.board.knowledge == (PORTS,)

    def test_ended(self) -> None:
        """A submission that earns less than the full reward ends it as ended."""
        assert counts(played(QUERIES, SUBMIT, environment=Exam(reward=0.5))) == ("ended", 2, 1, 1)

    def test_out_of_steps(self) -> None:
        """With the steps used up it ends as out_of_steps, after one call a step and one."""
        ended = played(QUERIES, LOOK, LOOK, environment=Exam(), board=Challenge("q", steps_left=2))
        assert counts(ended) == ("out_of_steps", 3, 2, 1)

    def test_a_reply_asked_again_costs_a_call(self) -> None:
        """Too many queries, or no command, cost one more call and nothing else."""
        ended = played("one\ntwo\nthree\nfour", QUERIES, "ls", SUBMIT, environment=Exam())
        assert counts(ended) == ("solved", 4, 1, 1)

    def test_goes_on_without_knowledge(self) -> None:
        """An index that fails, or finds nothing, leaves a single agent."""
        for retriever in (shut, LexicalIndex.of([])):
            model = Scripted([QUERIES, LOOK, SUBMIT])
            tools = {"retriever": retriever}
            ended = run(OpenBook(), Challenge("q"), model=model, environment=Exam(), tools=tools)
            assert (*counts(ended), ended.error) == ("solved", 3, 2, 1, None)
            assert ended.board.knowledge == ()

    def test_solves_a_bundled_task(self) -> None:
        """What it found decides: it solves a task by a passage, through either door, and not without it."""
        environment = SqlEnvironment.demo()
        task = environment.tasks["count-boats"]

        def answer(request: Ask) -> str:
            prompt = request.messages[-1].content
            if request.node == "questioner":
                return "table of boats"
            told = re.search(r"Boats are in the table (\w+)\.", prompt)
            command = f"SELECT COUNT(*) FROM {told[1] if told else 'ships'}"
            return SUBMIT if f"Command: {command}\n" in prompt else f"Command: {command}"

        told, untold = LexicalIndex.of([Passage("Boats are in the table boats."), CREW]), LexicalIndex.of([CREW])
        with_it = run(
            OpenBook(), model=Says(answer), environment=environment, task=task, tools={"retriever": told}
        )
        without = asyncio.run(
            arun(OpenBook(), model=Says(answer), environment=environment, task=task, tools={"retriever": untold})
        )
        assert [(ended.outcome, ended.solved) for ended in (with_it, without)] == [
            ("solved", True),
            ("ended", False),
        ]

    def test_limits_and_failures(self) -> None:
        """A limit and a dead model are outcomes as in any run."""

        def refuse(request: Ask) -> str:
            raise ServerError(f"No answer for {request.node}.")

        tools = {"retriever": INDEX}
        limited = run(
            OpenBook(),
            Challenge("q"),
            model=Scripted([QUERIES]),
            environment=Exam(),
            tools=tools,
            limits=Limits(max_asks=1),
        )
        dead = run(OpenBook(), Challenge("q"), model=Says(refuse), environment=Exam(), tools=tools)
        assert [ended.outcome for ended in (limited, dead)] == ["max_asks", "model_failed"]


class TestBrief:
    def test_is_the_single_agents(self) -> None:
        """It begins with the single agent's board, from the task or from what the environment shows first."""
        assert OpenBook().brief(Task("1", "Which?", instructions="Use SQL."), "x") == Challenge(
            "Which?", "Use SQL."
        )
        model = Scripted([QUERIES, SUBMIT])
        assert (
            run(OpenBook(), model=model, environment=Exam(), tools={"retriever": INDEX}).board.query
            == "What is it?"
        )


class TestMachine:
    def test_is_the_single_agent_and_two_nodes(self) -> None:
        """It has the single agent's nodes and edges, and before them two nodes and three edges."""
        theirs, ours = plan_of(SingleAgent), plan_of(OpenBook)
        assert set(ours.nodes) - set(theirs.nodes) == {"questioner", "retriever"}
        assert {name: ours.hops[name] for name in theirs.hops} == dict(theirs.hops)
        assert [edge.on_failure for edge in OpenBook.edges[:3]] == [False, False, True]

    def test_picture_names_every_node_and_guard(self) -> None:
        """The picture in the module's docstring names every node and every guard, and nothing else."""
        plan = plan_of(OpenBook)
        picture = re.findall(r"\w+", (machines.open_book.__doc__ or "").split("\n\n")[1])
        guards = {guard.__name__ for leaving in plan.guards.values() for guard in leaving}
        assert set(picture) == {*plan.nodes, *guards, "otherwise", "fails"}
