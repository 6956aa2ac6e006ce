"""Passages of documents, and several rankings of them made one."""

from collections.abc import Hashable, Sequence
from typing import TypedDict, TypeVar

from attrs import frozen

T = TypeVar("T", bound=Hashable)

_DAMPING = 60


@frozen
class Passage:
    """A piece of a document.

    Attributes:
        text: What it says.
        source: Where it is from, such as the file's path and line; empty where that is not known.
    """

    text: str
    source: str = ""


class Found(TypedDict):
    """A passage as a tool returns it."""

    text: str
    source: str


def fused(rankings: Sequence[Sequence[T]], most: int) -> list[T]:
    """Makes several rankings one, and names nothing twice.

    First comes what is first in any of them, then what is second, and so on: the best of each gets in. What is
    equal in that is ordered by reciprocal rank fusion (Cormack, Clarke, Büttcher: "Reciprocal Rank Fusion
    Outperforms Condorcet and Individual Rank Learning Methods", SIGIR 2009), so that what several rankings name
    comes before what one names; then the earlier ranking goes first.
    """
    places: dict[T, int] = {}
    scores: dict[T, float] = {}
    for ranking in rankings:
        for place, item in enumerate(ranking, start=1):
            places[item] = min(place, places.get(item, place))
            scores[item] = scores.get(item, 0.0) + 1 / (_DAMPING + place)
    return sorted(places, key=lambda item: (places[item], -scores[item]))[:most]
