"""The one door to `transitions`: a strategy's nodes and edges become one `MarkupMachine`.

Charter: states are node names, every edge is a transition under the trigger `advance`, every failure edge one
under `fail`. The engine is built once per strategy class and never registers a model: a hop triggers it on a
throw-away cursor, which is as fast with ten thousand runs as with one, and safe in threads. Guards never run
twice: the condition that accepts an edge leaves the edge's index on the cursor.

Never `queued=True` (the queue belongs to the machine, not to the run), never `AsyncMachine` (it swallows
cancellation), no callback that does I/O.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from transitions import EventData
from transitions.extensions.markup import MarkupMachine

__all__ = ["Engine", "GuardMisbehaved", "MarkupMachine", "Way", "graph_machine"]

ADVANCE = "advance"
FAIL = "fail"


Way: TypeAlias = tuple[str, Callable[[Any], bool] | None]
"""An edge by names: where it leads, and the guard that opens it (None: otherwise)."""


class GuardMisbehaved(Exception):
    """A guard raised, or answered neither True nor False; the fold says where that was."""

    def __init__(self, guard: str, problem: str) -> None:
        super().__init__(problem)
        self.guard = guard
        self.problem = problem


class _Cursor:
    """Where one hop of one run stands: the engine's model, alive for that hop only."""

    __slots__ = ("board", "index", "state")

    def __init__(self, state: str, board: Any, index: int) -> None:
        self.state = state
        self.board = board
        self.index = index


def _condition(guard: Callable[[Any], bool], index: int) -> Callable[[EventData], bool]:
    name = guard.__name__

    def condition(event: EventData) -> bool:
        cursor: Any = event.model
        try:
            verdict = guard(cursor.board)
        except Exception as error:
            raise GuardMisbehaved(name, f"raised {type(error).__name__}: {error}") from error
        if verdict is True:
            cursor.index = index
            return True
        if verdict is False:
            return False
        # transitions would take a truthy string for false, silently.
        raise GuardMisbehaved(name, f"answered {repr(verdict)[:80]}, which is neither True nor False")

    condition.__name__ = name  # what the markup and the diagrams show
    condition.__doc__ = guard.__doc__
    return condition


class Engine:
    """The compiled machine of one strategy class.

    Args:
        initial: The name of the initial node.
        ways: For each node, in declared order, where its edges lead.
        failures: For each node that has one, where its failure edge leads.
        halts: The nodes that end a run.
    """

    __slots__ = ("_otherwise", "_trigger", "machine")

    def __init__(
        self,
        initial: str,
        ways: Mapping[str, Sequence[Way]],
        failures: Mapping[str, str],
        *,
        halts: frozenset[str],
    ) -> None:
        self.machine = MarkupMachine(
            model=None,
            states=[{"name": name, "final": name in halts} for name in ways],
            initial=initial,
            auto_transitions=False,
            send_event=True,
        )
        for source, leaving in ways.items():
            for index, (target, guard) in enumerate(leaving):
                condition = None if guard is None else _condition(guard, index)
                self.machine.add_transition(ADVANCE, source, target, conditions=condition)
        for source, target in failures.items():
            self.machine.add_transition(FAIL, source, target)
        self._trigger = self.machine.events[ADVANCE].trigger
        # The index that a cursor keeps where no guard holds: that of the edge without one.
        self._otherwise = {
            name: next((index for index, (_, guard) in enumerate(leaving) if guard is None), -1)
            for name, leaving in ways.items()
        }

    def hop(self, source: str, board: Any) -> int:
        """The index of the edge that is taken from `source`, or -1 where no guard holds."""
        cursor = _Cursor(source, board, self._otherwise[source])
        return cursor.index if self._trigger(cursor) else -1


def graph_machine(machine: MarkupMachine, **options: Any) -> Any:
    """A throw-away `GraphMachine` with the states and transitions of `machine`, for transitions' diagrams."""
    from transitions.extensions.diagrams import GraphMachine  # noqa: PLC0415  # slow to import, and rarely wanted

    markup: Any = machine.markup
    arrows = [
        {
            "trigger": arrow["trigger"],
            "source": arrow["source"],
            "dest": arrow["dest"],
            "conditions": list(arrow.get("conditions", ())),
        }
        for arrow in markup["transitions"]
    ]
    settings = {"show_conditions": True, "graph_engine": "mermaid", **options}
    return GraphMachine(
        states=[dict(state) for state in markup["states"]],
        initial=markup["initial"],
        transitions=arrows,
        auto_transitions=False,
        **settings,
    )
