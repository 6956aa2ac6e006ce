"""The kinds of node that a strategy is made of, and the edges between them.

A node is told from another by identity, holds no state that changes, and does not know its own name: the
strategy's class gives it one. Only `Tool.call` may do anything but compute.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from attrs import field, frozen

from tinysmith.mapping import JSON
from tinysmith.messages import Message, Observation, Reply

B = TypeVar("B")
R = TypeVar("R")
V = TypeVar("V")

Guard: TypeAlias = Callable[[B], bool]
Prompt: TypeAlias = str | Sequence[Message]


@frozen(eq=False)
class Edge(Generic[B]):
    """One way from a node to another.

    Attributes:
        source: Where it leaves.
        target: Where it leads.
        guard: The condition on the board; None means "otherwise".
        on_failure: Whether it is taken when the source's request fails for good, and only then.
    """

    source: "Node[B]"
    target: "Node[B]"
    guard: Guard[B] | None = None
    on_failure: bool = field(default=False, kw_only=True)


class Node(ABC, Generic[B]):
    """One state of the machine. Use one of its kinds."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__eq__ = object.__eq__  # type: ignore[method-assign]  # identity, also where a user adds attrs
        cls.__hash__ = object.__hash__  # type: ignore[method-assign]  # as above


class _Source(Node[B]):
    """A node that a run may leave."""

    def to(self, target: Node[B], /, *, when: Guard[B] | None = None) -> Edge[B]:
        """An edge to `target`, taken if `when` holds; without `when`, otherwise.

        Args:
            target: The node to go to.
            when: A plain module-level predicate over the board: pure, total, answering True or False.
        """
        return Edge(self, target, when)


class _Asking(_Source[B]):
    """A node whose request may fail."""

    def on_failure(self, target: Node[B], /) -> Edge[B]:
        """The edge that is taken when this node's request failed for good."""
        return Edge(self, target, on_failure=True)


class Agent(_Asking[B]):
    """Asks a model once, and puts what it replied on the board.

    Attributes:
        samples: A few good replies: documentation, offline runs, and seeds for the tests.
        tools: Tools that the model may call, each in OpenAI's form; `receive` reads them from `reply.calls`.
        schema: A JSON schema for the reply, sent where the provider takes one.
        takes_flawed: Whether a reply that is empty, refused or cut off is received as any other is, instead of
            being asked for again.
    """

    samples: ClassVar[tuple[str, ...]] = ()
    tools: ClassVar[Sequence[Mapping[str, JSON]]] = ()
    schema: ClassVar[Mapping[str, JSON] | None] = None
    takes_flawed: ClassVar[bool] = False

    @abstractmethod
    def prompt(self, board: B, /) -> Prompt:
        """What the model reads: a text, or whole messages."""

    @abstractmethod
    def parse(self, board: B, reply: str, /) -> B:
        """The board with the reply on it.

        Raises:
            ParseError: The reply cannot be used; the agent is asked again with the error's message.
        """

    def receive(self, board: B, reply: Reply, /) -> B:
        """The board with the whole reply on it; only agents whose model calls tools need more than `parse`."""
        return self.parse(board, reply.text)

    def shorten(self, board: B, /) -> B | None:  # the argument is for those who override it
        """A board whose prompt is shorter, asked once when the model's context overflows; None for none."""
        return None


class Panel(_Asking[B]):
    """Asks several prompts in one step, and puts all replies on the board together.

    Attributes:
        samples: A few good replies, as an agent's.
    """

    samples: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def prompts(self, board: B, /) -> Sequence[Prompt]:
        """One prompt a seat; at least one."""

    @abstractmethod
    def parse(self, board: B, replies: Sequence[str], /) -> B:
        """The board with the replies, one a seat and in the seats' order, on it.

        Raises:
            ParseError: Replies cannot be used; the seats that it names, or all, are asked again.
        """

    def shorten(self, board: B, /) -> B | None:  # the argument is for those who override it
        """A board whose prompts are shorter, as an agent's."""
        return None


class World(_Asking[B]):
    """Acts in the environment once, and puts what it showed on the board.

    Attributes:
        oracle: Whether the observation's reward is the environment's grade of the episode so far. A run that
            was shown it is marked, and its score is that of its best turn.
    """

    oracle: ClassVar[bool] = False

    @abstractmethod
    def action(self, board: B, /) -> str:
        """What to do in the environment, such as a command."""

    @abstractmethod
    def observe(self, board: B, seen: Observation, /) -> B:
        """The board with the observation on it."""


class Tool(_Asking[B], Generic[B, R]):
    """Calls Python: a retriever, a store, a calculator. The only node that may do more than compute."""

    @abstractmethod
    def arguments(self, board: B, /) -> Mapping[str, JSON]:
        """What to call the tool with, by name; JSON data."""

    def call(self, *args: Any, **arguments: Any) -> Any:
        """Does the work. A subclass gives it a typed signature; it may be async.

        Where `run(..., tools={name: callable})` names this node, that callable is called instead; a node that
        does not define this needs one.
        """
        raise NotImplementedError(f"{type(self).__name__} has no call of its own")

    @abstractmethod
    def receive(self, board: B, result: R, /) -> B:
        """The board with the tool's result on it."""


class Rule(_Source[B]):
    """Changes the board without asking anybody."""

    @abstractmethod
    def apply(self, board: B, /) -> B:
        """The changed board."""


class Halt(Node[Any]):
    """Ends the run; the name of the node is the outcome.

    Args:
        success: Whether this is what was wanted.
    """

    def __init__(self, *, success: bool = False) -> None:
        self.success = success


@frozen
class Field(Generic[B, V]):
    """A lens: how a node that does not know its board reads and writes one value of it.

    Attributes:
        get: Reads the value from a board.
        put: Makes a board with another value.
    """

    get: Callable[[B], V]
    put: Callable[[B, V], B]
