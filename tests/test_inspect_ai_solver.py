"""The solver: a strategy evaluated by Inspect, with its mock model."""

import re
import shlex
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import frozen
from evaluations import Asking, Quiz, Voting, evaluate, evaluate_task, model, output, sample_of
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from sandboxes import needs_sandbox

from machines import SingleAgent
from tinysmith import EnvironmentStep, Limits, Reply, Scripted, Task, run
from tinysmith.environments.tasks import Tasks
from tinysmith.errors import EnvironmentLost, UsageError
from tinysmith.inspect_ai import answer_of, run_scorer, samples, strategy_solver
from tinysmith.protocols import Grade

BAD_REQUEST = 400


NAMED = """
from tinysmith import EnvironmentStep

class World:
    def __init__(self, name):
        self.name = name

    async def reset(self, *, task=None, seed=None):
        return task.query, {}

    async def step(self, action):
        return EnvironmentStep(f"went from {self.name}", 0.0, terminated=True, truncated=False, info={})

    async def close(self):
        pass

def world_of(state):
    return World(state.sample_id)
"""
"""A file with an environment."""


class Refused(Exception):
    """What a provider raises."""

    status_code = BAD_REQUEST


def speak(question: str) -> Any:
    """What the mock model says."""
    if question.startswith(("fail", "one fail", "two fail")):
        raise Refused("no such parameter")
    if question == "too long":
        return output("the prompt has 9 tokens too many", "model_length")
    if question == "stutter":
        return output("bad")
    return output("fine" if question.endswith("right?") else f"Paris for {question}")


class World:
    """Says what it is told; grades with the number of steps."""

    def __init__(self, *tasks: Task) -> None:
        self.tasks = Tasks(tasks)
        self.seen: list[str] = []
        self.is_closed = False

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        assert task is not None
        self.seen = [task.id]
        return task.query, {}

    async def step(self, action: str) -> EnvironmentStep:
        if action == "break":
            raise EnvironmentLost("The world is gone.")
        self.seen.append(action)
        return EnvironmentStep(f"did {action}", 0.0, terminated=True, truncated=False, info={})

    async def close(self) -> None:
        await anyio.sleep(0.01)  # what is cancelled is cancelled here
        self.is_closed = True

    async def grade(self) -> Grade:
        return Grade(0.5, solved=False, parts={"size": 0.5})


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EvalLog:
    """The log of one evaluation of several samples, each of which goes another way."""
    asked = [
        Sample("France?", id="plain", target="Paris", metadata={"level": 1}),
        Sample("stutter", id="stutter"),
        Sample("fail at once", id="failing"),
        Sample("too long", id="long"),
        Sample("Odd?", id="odd", metadata={"when": {1: 2}}),
    ]
    plan = strategy_solver(Asking(), limits=Limits(max_errors=1))
    scorers = [includes(), run_scorer()]
    return evaluate(
        tmp_path_factory.mktemp("inspect"), plan, asked, model(speak), scorer=scorers, fail_on_error=False
    )


def told(sample: EvalSample) -> Any:
    return sample.store["tinysmith"]


class TestStrategySolver:
    def test_the_answer_is_the_output(self, log: EvalLog) -> None:
        """The board's answer is the sample's output, which Inspect's scorers judge."""
        sample = sample_of(log, "plain")
        assert log.status == "success"
        assert sample.output.completion == "Paris for France?"
        assert sample.scores is not None
        assert sample.scores["includes"].value == "C"
        assert sample.scores["run_scorer"].value == 1
        assert sample.scores["run_scorer"].explanation == "Asking ended as done after 2 steps."

    def test_the_store_says_what_the_run_was(self, log: EvalLog) -> None:
        """Outcome, steps and usage, by model and by node, are in the store."""
        run = told(sample_of(log, "plain"))
        usage = {"input_tokens": 7, "output_tokens": 3}
        both = {"input_tokens": 14, "output_tokens": 6}
        assert (run["strategy"], run["task"], run["outcome"]) == ("Asking", "plain", "done")
        assert (run["success"], run["solved"], run["steps"], run["grade"], run["error"]) == (
            True, True, 2, None, None,
        )  # fmt: skip
        assert run["usage"]["total"] == both
        assert run["usage"]["by_model"] == {"mockllm/model": both}
        assert run["usage"]["by_node"] == {"writer": usage, "critic": usage}

    def test_the_messages_are_the_steps(self, log: EvalLog) -> None:
        """The sample's messages are its input, and each prompt and reply, told by node and step."""
        messages = sample_of(log, "plain").messages
        assert [(message.role, message.text, message.metadata) for message in messages] == [
            ("user", "France?", None),
            ("user", "France?", {"node": "writer", "step": 1}),
            ("assistant", "Paris for France?", {"node": "writer", "step": 1}),
            ("user", "Is Paris for France? right?", {"node": "critic", "step": 2}),
            ("assistant", "fine", {"node": "critic", "step": 2}),
        ]

    def test_what_is_asked_again_is_told_once(self, log: EvalLog) -> None:
        """Of a prompt that is asked again only what is new is added; a limit of the run is an outcome."""
        sample = sample_of(log, "stutter")
        assert [message.text for message in sample.messages[1:]] == [
            "stutter", "bad", "Say something better.", "Paris for Say something better.",
            "Is Paris for Say something better. right?", "fine",
        ]  # fmt: skip
        assert told(sample)["outcome"] == "done"

    def test_a_failure_is_no_wrong_answer(self, log: EvalLog) -> None:
        """A provider's error makes the sample an error, which is not scored, and says what happened."""
        sample = sample_of(log, "failing")
        assert sample.error is not None
        assert (
            "Asking ended as model_failed: mockllm/model: Inspect's model raised Refused" in sample.error.message
        )
        assert not sample.scores
        assert told(sample)["error"]["kind"] == "bad_request"

    def test_a_context_that_is_too_long_is_an_outcome(self, log: EvalLog) -> None:
        """A prompt that is too long for the model ends the run as context_overflow, worth 0."""
        sample = sample_of(log, "long")
        assert told(sample)["outcome"] == "context_overflow"
        assert sample.scores is not None
        assert sample.scores["run_scorer"].value == 0

    def test_metadata_that_is_no_json_is_refused(self, log: EvalLog) -> None:
        """Metadata that no task can hold makes an error that says so."""
        error = sample_of(log, "odd").error
        assert error is not None
        assert "the metadata of the sample 'odd' is no JSON data" in error.message

    def test_models_by_name_object_and_role(self, tmp_path: Path) -> None:
        """An agent asks the model that is named for it, Inspect's or ours, else that of the role of its name."""
        ours = Scripted([Reply("ours", model="scripted")])
        plan = strategy_solver(Asking(), models={"writer": ours})
        critic = model(lambda _: output("by role"))
        log = evaluate(tmp_path, plan, [Sample("x", id=1)], model_roles={"critic": critic})
        assert [message.text for message in sample_of(log).messages[2::2]] == ["ours", "by role"]
        named = strategy_solver(Asking(), models={"*": model(speak), "critic": "mockllm/other"}, brief=two_words)
        log = evaluate(tmp_path, named, [Sample("x", id=1)], scorer=run_scorer())
        assert sample_of(log).messages[2].text == "Paris for a b"
        assert told(sample_of(log))["usage"]["by_node"]["writer"] == {"input_tokens": 7, "output_tokens": 3}

    def test_a_strategy_may_be_named(self, tmp_path: Path) -> None:
        """A strategy is found by its module and name, with near names offered for a wrong one."""
        world = World(Task("first", "Do it."))
        plan = strategy_solver("machines:SingleAgent", environment=lambda _: world)
        speaking = model(lambda _: output("Command: go"))
        log = evaluate(tmp_path, plan, samples(world.tasks), speaking, scorer=run_scorer())
        sample = sample_of(log)
        assert world.seen == ["first", "go"]
        assert world.is_closed
        assert sample.messages[-1].text == "did go"
        assert sample.scores is not None
        assert (sample.scores["run_scorer"].value, sample.scores["run_scorer"].metadata) == (
            0.5,
            {"parts": {"size": 0.5}},
        )
        with pytest.raises(UsageError, match="Did you mean SingleAgent"):
            strategy_solver("machines:SingelAgent")

    def test_an_environment_may_be_named(self, tmp_path: Path) -> None:
        """What makes a sample's environment is found by its file and name, with near names for a wrong one."""
        (tmp_path / "worlds.py").write_text(NAMED, encoding="utf-8")
        place = f"{tmp_path / 'worlds.py'}"
        plan = strategy_solver("machines:SingleAgent", environment=f"{place}:world_of")
        log = evaluate(tmp_path, plan, [Sample("x", id="a")], model(lambda _: output("Command: go")))
        assert sample_of(log).messages[-1].text == "went from a"
        with pytest.raises(UsageError, match="Did you mean world_of"):
            strategy_solver(SingleAgent(), environment=f"{place}:worldof")

    def test_a_lost_environment_is_an_error(self, tmp_path: Path) -> None:
        """A world that is lost makes the sample an error, and is closed all the same."""
        world = World(Task("a"))
        plan = strategy_solver(SingleAgent(), environment=lambda _: world, task=lambda state: Task("a", "Go."))
        log = evaluate(tmp_path, plan, [Sample("x", id="a")], model(lambda _: output("Command: break")))
        error = sample_of(log).error
        assert error is not None
        assert "SingleAgent ended as environment_lost: The world is gone." in error.message
        assert world.is_closed


def two_words(task: Task, observation: str) -> Quiz:
    return Quiz("a b")


class TestLimits:
    @pytest.mark.parametrize("strategy", [Asking(), Voting()], ids=["agent", "panel"])
    def test_tokens(self, tmp_path: Path, strategy: Any) -> None:
        """Inspect's token limit ends the sample as such, whatever the strategy would do with a failure."""
        plan = strategy_solver(strategy)
        log = evaluate(tmp_path, plan, [Sample("x", id=1)], model(speak), token_limit=5, scorer=run_scorer())
        sample = sample_of(log)
        assert sample.limit is not None
        assert sample.limit.type == "token"
        assert "tinysmith" not in sample.store
        assert sample.scores is not None
        assert sample.scores["run_scorer"].explanation == "The run was ended before its end."

    def test_messages(self, tmp_path: Path) -> None:
        """Inspect's message limit counts the messages of all agents, and keeps those until then."""
        log = evaluate(tmp_path, strategy_solver(Asking()), [Sample("x", id=1)], model(speak), message_limit=4)
        sample = sample_of(log)
        assert sample.limit is not None
        assert sample.limit.type == "message"
        assert [message.text for message in sample.messages] == ["x", "x", "Paris for x"]
        assert sample.output.completion == "Paris for x"

    def test_time(self, tmp_path: Path) -> None:
        """Inspect's time limit cancels what the model is doing, and the environment is closed."""
        world, ends = World(Task("a")), []

        async def sleep(messages: Any, *_: Any) -> Any:
            try:
                await anyio.sleep(60)
            finally:
                ends.append(len(messages))

        plan = strategy_solver(SingleAgent(), environment=lambda _: world)
        slow = get_model("mockllm/model", custom_outputs=sleep, memoize=False)
        log = evaluate(tmp_path, plan, samples(world.tasks), slow, time_limit=1)
        sample = sample_of(log)
        assert sample.limit is not None
        assert sample.limit.type == "time"
        assert len(ends) == 1
        assert world.is_closed

    def test_a_failure_may_have_an_edge(self, tmp_path: Path) -> None:
        """A strategy that goes on after a failure has an outcome, and is no error."""
        log = evaluate(tmp_path, strategy_solver(Voting()), [Sample("fail", id=1)], model(speak))
        assert sample_of(log).error is None
        assert told(sample_of(log))["outcome"] == "down"


class TestAnswer:
    def test_the_boards_answer_comes_first(self) -> None:
        """The answer is the board's own, else the last reply, else nothing."""
        answered = run(Asking(), Quiz("q"), model=Scripted(["Rome", "no"]))
        assert answer_of(answered) == "Rome"
        voted = run(Voting(), Quiz("q"), model=Scripted(["Rome", "Paris"]))
        assert answer_of(voted) == "Paris"
        assert answer_of(run(Voting(), Quiz("q"), model=Scripted([]))) == ""

    def test_any_other_value_is_told_as_text(self) -> None:
        """An answer that is no text is told as Python prints it."""
        assert answer_of(_With(_Number(42))) == "42"  # type: ignore[arg-type]  # only its board is looked at


@needs_sandbox
class TestPage:
    def test_the_page_shows_what_works(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The page's task is found in its file, and is done as it is and with what its command names."""
        text = (Path(__file__).parent.parent / "docs" / "inspect.md").read_text(encoding="utf-8")
        (shown,) = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        (command,) = re.findall(r"^```sh\n(inspect eval my_task\.py .*?)^```$", text, re.MULTILINE | re.DOTALL)
        (tmp_path / "my_task.py").write_text(shown, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        words = shlex.split(command)
        named: Any = dict(word.split("=") for flag, word in pairwise(words) if flag == "-S")
        assert words[words.index("--solver") + 1] == "tinysmith/strategy_solver"
        for options in ({}, {"solver": strategy_solver(**named)}):
            says = iter(["Command: sort -o names.txt names.txt", "Command: submit"])
            speaking = model(partial(lambda says, _: output(next(says)), says))
            log = evaluate_task(tmp_path, "my_task.py", speaking, **options)
            scores = sample_of(log).scores
            assert scores is not None
            assert scores["run_scorer"].value == 1


@frozen
class _Number:
    answer: int


@frozen
class _With:
    board: _Number
