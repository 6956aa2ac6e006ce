"""The seams: what a model, an environment and a set of tasks must be able to do. No base class is needed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from tinysmith import _arguments
from tinysmith._arguments import is_text, several
from tinysmith.mapping import EMPTY, JSON, FrozenDict, freeze
from tinysmith.messages import Ask, Reply

Info: TypeAlias = Mapping[str, JSON]
Script: TypeAlias = tuple[str, ...]


@runtime_checkable
class Model(Protocol):
    """Whatever answers a prompt: a language model, a script, a recording, a person.

    Both methods raise a `ModelError` where no answer can be had.
    """

    def ask(self, request: Ask, /) -> Reply:
        """Answers, blocking."""
        ...

    async def aask(self, request: Ask, /) -> Reply:
        """Answers, asynchronously. Cancelling it ends the request."""
        ...


def script_of(replies: Iterable[str]) -> Script:
    """Replies in their order, as a tuple."""
    return several(replies, str, "Task: script", "a list of texts")


def _data(value: Mapping[str, JSON]) -> FrozenDict[str, JSON]:
    return _arguments.data(value, "Task: data")


@frozen
class Task:
    """One task of an environment.

    Attributes:
        id: Its name within its set, as on the command line.
        query: What is to be done, in words.
        instructions: How to act in the environment, for prompts; empty where nothing needs saying.
        data: More that a strategy may see. Never the answer.
        script: Replies that solve it, for demonstrations without a model; no strategy sees them.
    """

    id: str = field(validator=is_text)
    query: str = field(default="", validator=is_text)
    instructions: str = field(default="", kw_only=True, validator=is_text)
    data: FrozenDict[str, JSON] = field(default=EMPTY, kw_only=True, converter=_data)
    script: Script = field(default=(), kw_only=True, repr=False, converter=script_of)


@runtime_checkable
class Episodic(Protocol):
    """A model that answers differently for each task, such as a recording of many episodes."""

    def episode(self, task: Task, /) -> Model:
        """The model for one episode of that task."""
        ...


@runtime_checkable
class Taskset(Protocol):
    """The tasks of an environment, in their order."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Task]: ...

    def __getitem__(self, task_id: str, /) -> Task:
        """The task of that id.

        Raises:
            UsageError: There is none; the message offers near names.
        """
        ...


@frozen
class Grade:
    """How well an episode stands.

    Attributes:
        score: The environment's measure; higher is better, and its range is the environment's.
        solved: Whether that is a full success.
        parts: Named parts of the score.
    """

    score: float
    solved: bool
    parts: FrozenDict[str, float] = field(default=EMPTY, converter=freeze)


class EnvironmentStep(NamedTuple):
    """What a step in an environment gives; unpacks as gymnasium's five."""

    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: Info


class Environment(Protocol):
    """What a strategy acts on, in gymnasium's sense.

    A command's time-out or cut output is an observation plus `info`. A fault of the machinery raises
    `EnvironmentLost`, so that it is never scored as a wrong answer.
    """

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, Info]:
        """Begins an episode and returns the first observation."""
        ...

    async def step(self, action: str) -> EnvironmentStep:
        """Does one action."""
        ...

    async def close(self) -> None:
        """Gives everything back; a closed environment may be reset again."""
        ...


@runtime_checkable
class Graded(Protocol):
    """An environment that says how well the episode stands, at any time, without ending it."""

    async def grade(self) -> Grade:
        """The grade of the episode so far."""
        ...


@runtime_checkable
class Replayable(Protocol):
    """An environment that says whether doing an episode's actions once more brings the episode back.

    Attributes:
        is_replayable: Whether the same actions, after a reset with the same task and seed, do no harm when they
            are done again, and show the same.
    """

    is_replayable: bool


@runtime_checkable
class Varied(Protocol):
    """An environment that may be made in several ways, whose grades do not compare.

    Attributes:
        variant: Which one it is, in a few words; empty for the usual one.
    """

    variant: str


def title(environment: object, name: str = "") -> str:
    """What an environment is called in journals: by its class, or its name, and its variant; empty for None."""
    if environment is None:
        return ""
    variant = environment.variant if isinstance(environment, Varied) else ""
    name = name or type(environment).__name__
    return f"{name} ({variant})" if isinstance(variant, str) and variant else name


@runtime_checkable
class HasTasks(Protocol):
    """An environment that knows its tasks."""

    @property
    def tasks(self) -> Taskset:
        """All tasks, in their order."""
        ...
