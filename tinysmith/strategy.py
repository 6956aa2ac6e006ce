"""`Strategy`: a class that declares a finite-state machine over nodes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import attrs

from tinysmith import _engine, _fold, _saved
from tinysmith._codec import codec
from tinysmith._declare import Declaration, read
from tinysmith._enter import KINDS
from tinysmith._soundness import soundness
from tinysmith._turn import Plan, Wishes
from tinysmith._watch import WATCHERS
from tinysmith.errors import DefinitionError, UsageError
from tinysmith.limits import Limits
from tinysmith.mapping import freeze
from tinysmith.messages import Event
from tinysmith.nodes import Agent, Edge, Halt, Node
from tinysmith.position import B as BoardOfPosition
from tinysmith.position import Hop, Position
from tinysmith.protocols import Task

if TYPE_CHECKING:
    from tinysmith.coverage import Coverage
    from tinysmith.run import Run

B = TypeVar("B")


class Strategy(Generic[B]):
    """A finite-state machine over nodes that share a board.

    A subclass names its nodes as attributes, the `initial` one, and its `edges`; it is checked and compiled
    when the class is created. An instance holds nothing: one object serves any number of runs at once.

    Attributes:
        initial: Where a run begins.
        edges: The ways from node to node. Those that leave one node are tried in their order.
        allow: Checks that do not apply to this class, by code or by `code:node`, each with the reason.
        machine: The compiled engine, a `transitions` machine, to be looked at.

    Raises:
        DefinitionError: When a subclass is created that is no sound machine; all findings at once.
    """

    initial: Node[B]
    edges: tuple[Edge[B], ...] = ()
    allow: ClassVar[Mapping[str, str]] = {}
    machine: ClassVar[_engine.MarkupMachine]
    __plan__: ClassVar[Plan]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if getattr(cls, "__parameters__", ()):
            return  # a base for strategies over several boards: whoever names the board is checked
        declared = read(cls, Strategy)
        findings = soundness(declared, cls.allow)
        if findings:
            raise DefinitionError(findings)
        cls.__plan__ = _compile(declared, declared.board_type, declared.initial)
        cls.machine = cls.__plan__.engine.machine

    def start(self, board: B, limits: Limits | None = None) -> Position[B]:
        """The first position of a run.

        Args:
            board: The first board.
            limits: How much the run may spend; None for no limits.

        Raises:
            RunError: A node's method, a guard or the board is at fault.
        """
        position = _fold.start(self.__plan__, board, limits)
        for watcher in WATCHERS:
            watcher(self, position)
        return position

    def advance(self, position: Position[B], event: Event) -> Position[B]:
        """The position after an event. The same input gives the same output, and nothing is mutated.

        Raises:
            RunError: The event answers nothing that is pending, or a node's method or a guard is at fault; the
                position given still stands.
        """
        after = _fold.advance(self.__plan__, position, event)
        for watcher in WATCHERS:
            watcher(self, after)
        return after

    def brief(self, task: Task, observation: str, /) -> B:  # for those who override it
        """The first board, from a task and the environment's first observation.

        With it a strategy can be run by name. The default is a board with nothing but default values.

        Raises:
            UsageError: The board has fields without a default; override this method, or give a board.
        """
        board_type = self.__plan__.board_type
        needed = [part.name for part in attrs.fields(board_type) if part.init and part.default is attrs.NOTHING]
        if needed:
            name = type(self).__name__
            problem = f"{name} cannot make its first board: {board_type.__name__} needs {', '.join(needed)}."
            raise UsageError(f"{problem} Define {name}.brief(task, observation), or give a board.")
        board: B = board_type()
        return board

    def dumps(self, position: Position[B]) -> str:
        """A position as one line of JSON.

        Raises:
            BoardError: The board holds a value that its type does not allow.
        """
        return _saved.dumps(self.__plan__, position)

    def loads(self, text: str) -> Position[B]:
        """The position that `dumps` wrote. Reading is strict, and runs no code that the text names.

        Raises:
            DecodeError: The text is not a position of this strategy; nothing of it was used.
        """
        return _saved.loads(self.__plan__, text)

    @classmethod
    def draw(
        cls,
        format: str = "mermaid",  # noqa: A002  # what everybody calls it
        *,
        at: str | Position[Any] | None = None,
        run: "Run[Any] | None" = None,
        coverage: "Coverage | None" = None,
        heat: str = "",
    ) -> str | bytes:
        """A picture of this strategy: bytes for `png`, text for all other formats.

        Args:
            format: "mermaid", "text" or "dot"; with Graphviz's program `dot` also "svg", "png" or "html".
            at: The current node, by name or as a position.
            run: A run of this strategy, whose path is painted, with counts.
            coverage: What of this strategy was seen; not together with `run`.
            heat: With `run`: "cost", "tokens", "seconds" or "failures", by which the nodes are shaded.

        Raises:
            UsageError: There is no such format, node or heat; the overlays do not fit; or Graphviz is missing.
        """
        from tinysmith.drawing import draw  # noqa: PLC0415  # the pictures stand above what they draw

        return draw(cls, format, at=at, run=run, coverage=coverage, heat=heat)

    def __format__(self, spec: str) -> str:
        """The picture in a format of text, as in `f"{Refine():mermaid}"`."""
        from tinysmith.drawing import as_text  # noqa: PLC0415  # as above

        return as_text(self, spec) if spec else str(self)

    @classmethod
    def _repr_mimebundle_(cls, **_: Any) -> dict[str, str]:
        """What notebooks show for the class, and for its objects."""
        from tinysmith.drawing import mimebundle  # noqa: PLC0415  # as above

        return mimebundle(cls)

    @classmethod
    def graph_machine(cls, **options: Any) -> Any:
        """A throw-away `transitions` `GraphMachine` of this strategy, for that library's diagram engines.

        Args:
            options: Passed on, such as `graph_engine="graphviz"`, which needs the `graphviz` package.
        """
        return _engine.graph_machine(cls.machine, **options)


def plan_of(strategy: Strategy[Any] | type[Strategy[Any]]) -> Plan:
    """The compiled form of a strategy, for the parts of this package that run, draw and test it.

    Raises:
        UsageError: It is no strategy, or one that names no board.
    """
    plan = getattr(strategy, "__plan__", None)
    if not isinstance(plan, Plan):
        raise UsageError(f"{strategy!r} is no strategy. Give an object of a Strategy[...] class.")
    return plan


def _compile(declared: Declaration, board_type: Any, initial: Any) -> Plan:
    nodes = declared.nodes
    ways = {name: [(arrow.target, arrow.guard) for arrow in declared.leaving(name)] for name in nodes}
    failures = {
        name: (Hop(name, -1, (), declared.leaving(name, on_failure=True)[0].target),)
        for name in nodes
        if declared.leaving(name, on_failure=True)
    }
    hops = {name: _hops(name, leaving) for name, leaving in ways.items()}
    halts = frozenset(name for name, node in nodes.items() if isinstance(node, Halt))
    failing = {name: hop.target for name, (hop,) in failures.items()}
    board = codec(board_type, board_type.__name__)
    return Plan(
        name=declared.name,
        board_type=board_type,
        initial=initial,
        nodes=nodes,
        kinds={name: next(kind for kind in KINDS if isinstance(node, kind)) for name, node in nodes.items()},
        guards={name: tuple(guard for _, guard in leaving if guard) for name, leaving in ways.items()},
        wishes={name: _wishes(node) for name, node in nodes.items()},
        hops=hops,
        taken={name: tuple((hop,) for hop in leaving) for name, leaving in hops.items()},
        failures=failures,
        engine=_engine.Engine(initial, ways, failing, halts=halts),
        codec=codec(Position, "position", bindings={BoardOfPosition: board}, any_json=True),
    )


def _wishes(node: Node[Any]) -> Wishes:
    return (freeze(node.schema), freeze(tuple(node.tools))) if isinstance(node, Agent) else (None, ())


def _hops(source: str, leaving: list[tuple[str, Any]]) -> tuple[Hop, ...]:
    hops = []
    tried: tuple[tuple[str, bool], ...] = ()
    for index, (target, guard) in enumerate(leaving):
        if guard is None:
            hops.append(Hop(source, index, tried, target))
        else:
            hops.append(Hop(source, index, (*tried, (guard.__name__, True)), target))
            tried = (*tried, (guard.__name__, False))
    return tuple(hops)
