"""What is drawn for a strategy under test: its first boards, and the answers to its nodes."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tinysmith._beginnings import boards_of, first_boards, needs_boards
from tinysmith._possible import needed
from tinysmith.limits import Limits
from tinysmith.messages import Event
from tinysmith.protocols import Task
from tinysmith.strategy import Strategy, plan_of
from tinysmith.testing._answers import Given, Moods, answers, drawn_from
from tinysmith.testing._play import Play
from tinysmith.testing._properties import Properties
from tinysmith.testing._referee import Referee

QUERIES = (
    "Do it.",
    "List the files.\nThen count them.",
    "{{ 7 * 7 }} %s {0}",
    "Que faire ? 何を?",
    "a " * 2_000,
)


@frozen
class Table:
    """What is drawn for a strategy."""

    strategy: Strategy[Any]
    boards: SearchStrategy[Any]
    moods: Mapping[str, Moods]
    limits: Limits
    is_default: bool

    @classmethod
    def of(
        cls, strategy: type[Strategy[Any]], boards: Any, given: tuple[Given, Given, Given], limits: Limits
    ) -> "Table":
        """What is drawn for a strategy, given or derived."""
        plan, made = plan_of(strategy), strategy()
        drawn = _boards(made) if boards is None else drawn_from(boards, "the first board")
        is_default = boards is None and not any(given)
        return cls(made, drawn, answers(plan, *given), limits, is_default)

    def referee(self, properties: Properties) -> Referee:
        """Who checks the runs."""
        return Referee(self.strategy, properties, self.limits)

    def drawn(self, play: Play, moods: dict[str, SearchStrategy[Event]], data: st.DataObject) -> Event:
        """An answer to one of the requests that are pending, in the mood that this run has for the node."""
        requests: Any = play.position.requests
        request = requests[0] if len(requests) == 1 else data.draw(st.sampled_from(requests), label="which")
        name = request.node
        if name not in moods:
            options = self.moods[name].moods
            moods[name] = options[data.draw(st.integers(0, len(options) - 1), label=f"mood of {name}")]
        event: Event = evolve(data.draw(moods[name], label=request.id), answers=request.id)
        return event


def _boards(strategy: Strategy[Any]) -> SearchStrategy[Any]:
    """The board that `brief` makes of plain tasks; or what the type allows, where there is no such board."""
    if needs_boards(strategy):
        drawn: SearchStrategy[Any] = boards_of(strategy, st) | needed(st, plan_of(strategy).board_type, {})
        return drawn
    first_boards(strategy)
    tasks = st.sampled_from([Task("task", query, instructions="Do it well.") for query in QUERIES])
    return tasks.map(lambda task: strategy.brief(task, ""))
