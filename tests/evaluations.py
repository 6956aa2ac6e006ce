"""What the tests of Inspect AI share: strategies, its mock model, and evaluations in a test's own folder."""

import gc
import os
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import evolve, frozen

pytest.importorskip("inspect_ai", reason="inspect_ai is not installed")

from inspect_ai import Task as Evaluation  # after the skip
from inspect_ai import eval as inspect_eval  # as above
from inspect_ai.dataset import Sample  # as above
from inspect_ai.log import EvalLog, EvalSample  # as above
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model  # as above
from inspect_ai.solver import Generate, Solver, TaskState, solver  # as above

from tinysmith import Agent, Halt, Panel, ParseError, Strategy, Task  # as above

R = TypeVar("R")


@frozen
class Quiz:
    """A question, and what was answered."""

    question: str = ""
    answer: str = ""
    notes: tuple[str, ...] = ()


class Writer(Agent[Quiz]):
    def prompt(self, quiz: Quiz, /) -> str:
        return quiz.question

    def parse(self, quiz: Quiz, reply: str, /) -> Quiz:
        if reply == "bad":
            raise ParseError("Say something better.")
        return evolve(quiz, answer=reply)


class Critic(Agent[Quiz]):
    def prompt(self, quiz: Quiz, /) -> str:
        return f"Is {quiz.answer} right?"

    def parse(self, quiz: Quiz, reply: str, /) -> Quiz:
        return evolve(quiz, notes=(reply,))


class Crowd(Panel[Quiz]):
    def prompts(self, quiz: Quiz, /) -> tuple[str, ...]:
        return (f"one {quiz.question}", f"two {quiz.question}")

    def parse(self, quiz: Quiz, replies: Any, /) -> Quiz:
        return evolve(quiz, notes=tuple(replies))


class Asking(Strategy[Quiz]):
    """Asks once, and has the answer looked at."""

    writer = Writer()
    critic = Critic()
    done = Halt(success=True)

    initial = writer
    edges = (writer.to(critic), critic.to(done))

    def brief(self, task: Task, observation: str, /) -> Quiz:
        return Quiz(task.query)


class Voting(Strategy[Quiz]):
    """Asks two at once."""

    crowd = Crowd()
    done = Halt()
    down = Halt()

    initial = crowd
    edges = (crowd.to(done), crowd.on_failure(down))

    def brief(self, task: Task, observation: str, /) -> Quiz:
        return Quiz(task.query)


def output(text: str, stop: Any = "stop") -> ModelOutput:
    """An output that says what it cost; Inspect would fetch a tokenizer from the network to count it."""
    said = ModelOutput.from_content("mockllm/model", text, stop_reason=stop)
    said.usage = ModelUsage(input_tokens=7, output_tokens=3, total_tokens=10)
    return said


def model(answer: Callable[[str], Any]) -> Model:
    """Inspect's mock model, which answers the last message of a conversation."""
    return get_model("mockllm/model", custom_outputs=lambda messages, *_: answer(messages[-1].text), memoize=False)


def evaluate(
    folder: Path, plan: Solver, samples: list[Sample], asked: Model | None = None, **options: Any
) -> EvalLog:
    """The log of an evaluation."""
    more = {name: options.pop(name) for name in ("scorer", "sandbox") if name in options}
    task = Evaluation(dataset=samples, solver=plan, **more)
    return evaluate_task(folder, task, asked or model(output), **options)


def evaluate_task(folder: Path, task: Evaluation | str, asked: Model, **options: Any) -> EvalLog:
    """The log of the evaluation of a task, or of the one that a file holds."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of memory streams that Inspect leaves open
        warnings.simplefilter("ignore", DeprecationWarning)  # of tenacity, which Inspect calls in an older way
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.delenv("INSPECT_ASYNC_BACKEND", raising=False)
        (log,) = inspect_eval(
            task,
            model=asked,
            log_dir=os.fspath(folder / "logs"),
            display="none",
            ctl_server=False,
            **options,
        )
        gc.collect()
    return log


def sample_of(log: EvalLog, name: str = "") -> EvalSample:
    """The sample of an id; the only one, where none is given."""
    assert log.samples
    return next(sample for sample in log.samples if name in ("", sample.id))


def in_sample(folder: Path, work: Callable[[TaskState], Awaitable[R]], **options: Any) -> R:
    """What work gives that is done as the solver of a sample; what it raises is raised here."""
    given: list[R] = []

    @solver
    def working() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            given.append(await work(state))
            return state

        return solve

    sample = options.pop("sample", None) or Sample("Do it.", id="one")
    log = evaluate(folder, working(), [sample], **options)
    told = sample_of(log)
    assert told.error is None, told.error.traceback
    return given[0]
