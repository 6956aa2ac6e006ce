"""The hands of a run: what it is bound to, checked before it begins, and carried out."""

import asyncio
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sketches import Ballot, Fetch, Look, Lookup, Once, Pad, Refine, Round, added
from worlds import Echo, Says

from tinysmith import Limits, Model, Recorded, Run, Scripted, Strategy, Task, Tool, arun, run
from tinysmith.errors import UsageError


def both(strategy: Strategy[Pad], **options: Any) -> list[Run[Pad]]:
    """The same run, blocking and asynchronously."""
    return [run(strategy, Pad(), **options), asyncio.run(arun(strategy, Pad(), **options))]


class Remote(Tool[Pad, str]):
    """A tool that is awaited."""

    def arguments(self, pad: Pad, /) -> Mapping[str, Any]:
        return {"key": "", "deep": [1, {"two": 2}]}

    def receive(self, pad: Pad, result: str, /) -> Pad:
        return added(pad, result)

    async def call(self, key: str, deep: list[Any]) -> str:
        await asyncio.sleep(0)
        return f"remote {deep[1]['two']}"


class Distant(Lookup):
    """Its tool is awaited."""

    fetch = Remote()


class Unmade(Tool[Pad, str]):
    """A tool that must be bound."""

    def arguments(self, pad: Pad, /) -> Mapping[str, Any]:
        return {}

    def receive(self, pad: Pad, result: str, /) -> Pad:
        return pad


class Unbound(Lookup):
    """Its tool must be bound."""

    fetch: Tool[Pad, Any] = Unmade()


class Index:
    """A callable object that is awaited."""

    async def __call__(self, key: str, deep: list[Any]) -> str:
        return f"index {key!r}"


async def search(**arguments: object) -> str:
    """An asynchronous tool."""
    return f"searched {sorted(arguments)}"


def thread_of(**arguments: object) -> str:
    """The thread that it is called in."""
    return threading.current_thread().name


class TestModels:
    def test_one_for_all(self) -> None:
        """One model answers all agents and panels."""
        result = run(Round(), Pad(), model=Scripted(["line", "aye", "nay"]), environment=Echo())
        assert result.board.lines[:3] == ("line", "aye", "nay")

    def test_by_name(self) -> None:
        """A mapping binds a model to a node, and * to the rest."""
        models: Mapping[str, Model] = {"critic": Says(lambda ask: "good"), "*": Says(lambda ask: ask.node)}
        assert run(Refine(), Pad(left=1), model=models).board.lines == ("writer", "good")

    def test_what_raises_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """A tool that raises is warned of, since a failure edge may go on without it; keys are not shown."""
        with caplog.at_level(logging.WARNING, logger="tinysmith"):
            run(Lookup(), Pad(), tools={"fetch": lambda wrong: wrong})
        (record,) = caplog.records
        assert record.getMessage().startswith("fetch raised TypeError: ")

    def test_wrong_name(self) -> None:
        """A name that is no agent's is refused, with near names."""
        with pytest.raises(UsageError, match=r"names 'critc', which is no agent of Refine\. Did you mean critic"):
            run(Refine(), Pad(), model={"critc": Scripted([]), "*": Scripted([])})

    @pytest.mark.parametrize("model", [None, {"critic": Scripted([])}])
    def test_missing(self, model: Mapping[str, Model] | None) -> None:
        """An agent without a model is refused before anything is asked."""
        with pytest.raises(UsageError, match=r"Refine\.writer has no model\. Give the run model="):
            run(Refine(), Pad(), model=model)

    @pytest.mark.parametrize("model", ["groq/llama", object()])
    def test_no_model(self, model: Any) -> None:
        """What cannot be asked is refused as a model, before anything is asked."""
        with pytest.raises(UsageError, match=r"The model of Once\.writer is .* Give a model"):
            run(Once(), Pad(), model=model)

    def test_of_an_episode(self, tmp_path: Path) -> None:
        """A model that keeps many episodes is asked for that of the run's task."""
        path = tmp_path / "two.jsonl"
        path.write_text('{"task_id": "a", "actions": ["from a"]}\n{"task_id": "b", "actions": ["from b"]}\n')
        for name in ("a", "b"):
            result = run(Once(), Pad(), model=Recorded(path), task=Task(name))
            assert result.board.lines == (f"from {name}",)

    def test_no_episode_without_a_task(self, tmp_path: Path) -> None:
        """A recording of many episodes needs a task, which is the caller's mistake and no failure of a model."""
        path = tmp_path / "two.jsonl"
        path.write_text('{"task_id": "a", "actions": ["x"]}\n{"task_id": "b", "actions": ["x"]}\n')
        for limits in (Limits(), Limits(max_seconds=30)):
            with pytest.raises(UsageError, match=r"has 2 episodes; say which one with run\(\.\.\., task=\.\.\.\)"):
                run(Once(), Pad(), model=Recorded(path), limits=limits)
            with pytest.raises(UsageError, match="has 2 episodes"):
                asyncio.run(arun(Ballot(), Pad(), model=Recorded(path), limits=limits))


class TestEnvironment:
    def test_missing(self) -> None:
        """A strategy with a world node needs an environment."""
        with pytest.raises(UsageError, match=r"Look\.eye acts in an environment\. Give the run environment="):
            run(Look(), Pad(), model=Scripted([]))

    @pytest.mark.parametrize("task", ["sum", 3, {"id": "sum"}])
    def test_a_task_is_a_task(self, task: Any) -> None:
        """An id in its place is refused before anything is reset, and the message says how to come by the task."""
        world = Echo()
        with pytest.raises(UsageError, match=r"^Look: task is .*; give a Task, such as environment\.tasks\[id\]"):
            run(Look(), Pad(), model=Scripted([]), environment=world, task=task)
        assert world.resets == []

    @pytest.mark.parametrize("seed", ["7", 1.5, True])
    def test_a_seed_is_a_whole_number(self, seed: Any) -> None:
        """Anything else is refused before anything is reset."""
        world = Echo()
        with pytest.raises(UsageError, match=r"^seed is .*; give a whole number, or leave it out"):
            run(Look(), Pad(), model=Scripted([]), environment=world, seed=seed)
        assert world.resets == []

    def test_not_needed(self) -> None:
        """A strategy without one may be given an environment all the same; it is reset and not acted on."""
        world = Echo("Unread.")
        result = run(Once(), Pad(), model=Scripted(["x"]), environment=world)
        assert (result.opening, world.actions, len(world.resets)) == ("Unread.", [], 1)


class TestTools:
    def test_own_call(self) -> None:
        """A tool's own call gets plain lists and dicts of its arguments, by name."""
        for result in both(Lookup()):
            assert result.board.lines == ("=[1, {'two': 2}]",)

    @pytest.mark.parametrize(
        ("tool", "line"),
        [
            (search, "searched ['deep', 'key']"),
            (lambda key, deep: f"bound {deep[0]}", "bound 1"),
            (Index(), "index ''"),
            (Remote(), "remote 2"),
            (Fetch(), "=[1, {'two': 2}]"),
        ],
    )
    def test_bound(self, tool: Any, line: str) -> None:
        """A bound callable, or a bound object's call, is used instead of the node's own; it may be awaited."""
        for result in both(Lookup(), tools={"fetch": tool}):
            assert result.board.lines == (line,)

    def test_asynchronous_call(self) -> None:
        """A tool whose own call is asynchronous is awaited, blocking too."""
        for result in both(Distant()):
            assert result.board.lines == ("remote 2",)

    def test_asynchronous_call_that_raises(self) -> None:
        """What an asynchronous tool raises is a failure of the tool."""

        async def fail(**arguments: object) -> str:
            raise LookupError("no such key")

        for result in both(Lookup(), tools={"fetch": fail}):
            assert result.outcome == "tool_failed"
            assert result.error is not None
            assert result.error.message == "fetch raised LookupError: no such key"

    def test_coroutine_unawaited(self) -> None:
        """A plain function that hands out a coroutine has failed, and is told why."""
        for result in both(Lookup(), tools={"fetch": lambda **arguments: search(**arguments, more=1)}):
            assert result.outcome == "tool_failed"
            assert result.error is not None
            assert "gave a coroutine" in result.error.message

    def test_thread(self) -> None:
        """A blocking tool is called in a thread in arun, and at once in run."""
        here, there = (result.board.lines[0] for result in both(Lookup(), tools={"fetch": thread_of}))
        assert here == threading.current_thread().name
        assert there != here

    def test_the_loop_goes_on(self) -> None:
        """While a blocking tool is called, other runs of the loop go on."""

        async def side_by_side() -> list[str]:
            opened = threading.Event()
            blocked = arun(Lookup(), Pad(), tools={"fetch": lambda **_: str(opened.wait(30))})
            opener = arun(Lookup(), Pad(), tools={"fetch": lambda **_: opened.set()})
            return [result.board.lines[0] for result in await asyncio.gather(blocked, opener)]

        assert asyncio.run(side_by_side()) == ["True", "None"]

    def test_without_call(self) -> None:
        """A tool without a call that is not bound is refused before the run begins, with what to do."""
        problem = r"Unbound\.fetch has nothing to call\. Bind it: run\(\.\.\., tools=\{'fetch': callable\}\)\."
        with pytest.raises(UsageError, match=problem):
            run(Unbound(), Pad())
        with pytest.raises(NotImplementedError, match="has no call of its own"):
            Unbound.fetch.call()

    def test_wrong_name(self) -> None:
        """A name that is no tool's is refused, with near names."""
        with pytest.raises(UsageError, match=r"names 'fetsh', which is no tool of Lookup\. Did you mean fetch\?"):
            run(Lookup(), Pad(), tools={"fetsh": search})

    def test_not_callable(self) -> None:
        """What cannot be called is refused."""
        with pytest.raises(UsageError, match=r"tools\['fetch'\] is 7\. Give something that can be called\."):
            run(Lookup(), Pad(), tools={"fetch": 7})
