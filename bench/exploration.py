"""Microseconds a position of `explore` over the bare fold of the same events, and bytes a position."""

import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from _machines import Count, Review
from _measure import SHORT, bar, median, ratio, rounds

from machines import CoinflipPoet, OpenBook, PlannerReviewerExecutor, Reflexion, SingleAgent, TryAgain
from tinysmith import Reply, Strategy
from tinysmith._alphabet import Alphabet, alphabet
from tinysmith._beginnings import first_boards
from tinysmith.exploration import Bounds, Exploration, searched
from tinysmith.messages import Event
from tinysmith.position import Position
from tinysmith.strategy import plan_of

POSITIONS = 1_000 if SHORT else 5_000
ROUNDS = 3 if SHORT else 9
GALLERY: tuple[type[Strategy[Any]], ...] = (
    CoinflipPoet, TryAgain, SingleAgent, OpenBook, Reflexion, PlannerReviewerExecutor,
)  # fmt: skip


def bounded() -> Alphabet:
    """Two replies for each agent of Review."""
    replies = {name: [Reply("ok"), Reply("well")] for name in ("planner", "reviewer", "executor")}
    return alphabet(plan_of(Review), replies=replies, has_failures=False)


def found(strategy: Strategy[Any], letters: Alphabet, boards: Any, visit: Any = None) -> Exploration[Any]:
    """A search without walks."""
    return searched(strategy, boards, letters, bounds=Bounds(60, POSITIONS, 0), visit=visit)


def transitions(strategy: Strategy[Any], letters: Alphabet, boards: Any) -> list[tuple[Position[Any], Event]]:
    """Every position of a search with each event that it was answered with."""
    pairs: list[tuple[Position[Any], Event]] = []
    found(strategy, letters, boards, lambda before, _request, event, _after, _trail: pairs.append((before, event)))
    return pairs


def fold(strategy: Strategy[Any], pairs: list[tuple[Position[Any], Event]]) -> float:
    """Microseconds a transition of the bare fold."""
    advance = strategy.advance
    begin = time.perf_counter()
    for position, event in pairs:
        advance(position, event)
    return (time.perf_counter() - begin) / len(pairs) * 1e6


def search(strategy: Strategy[Any], letters: Alphabet, boards: Any, count: int) -> float:
    """Microseconds a transition of the search that comes by the same."""
    begin = time.perf_counter()
    found(strategy, letters, boards)
    return (time.perf_counter() - begin) / count * 1e6


def held(strategy: Strategy[Any], letters: Alphabet, boards: Any) -> tuple[int, float, float]:
    """How many positions a search keeps, and how many bytes each takes, once it is over and at most."""
    tracemalloc.start()
    kept = found(strategy, letters, boards)
    size, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept.positions, size / kept.positions, most / kept.positions


def main() -> None:
    """Measures and prints."""
    subjects: dict[str, tuple[Strategy[Any], Alphabet, Any]] = {
        "a small board": (Review(), bounded(), [Count()]),
        "TryAgain": (TryAgain(), alphabet(plan_of(TryAgain)), first_boards(TryAgain())),
    }
    cases: dict[str, Callable[[], float]] = {}
    for name, subject in subjects.items():
        pairs = transitions(*subject)
        cases[f"{name}: the fold"] = partial(fold, subject[0], pairs)
        cases[f"{name}: explore"] = partial(search, *subject, len(pairs))
    measured = rounds(cases, ROUNDS)
    for name, values in measured.items():
        print(f"{name:28} {median(values):9.2f} µs a transition")
    for name in subjects:
        times = ratio(measured, f"{name}: explore", f"{name}: the fold")
        bar(f"explore over the fold, {name}", times, 2.0, " x")
    for kind in GALLERY:
        strategy = kind()
        count, size, most = held(strategy, alphabet(plan_of(kind)), first_boards(strategy))
        print(f"{kind.__name__:28} {size:9.0f} B a position, of {count:,}; {most:.0f} B while it goes on")


if __name__ == "__main__":
    main()
