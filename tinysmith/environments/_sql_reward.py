"""InterCode's reward for SQL: how much two results have in common, and how alike their order is.

Source: Yang, Prabhakar, Narasimhan, Yao, "InterCode: Standardizing and Benchmarking Interactive Coding with
Execution Feedback", 2023, arXiv:2306.14898. Kendall's tau-b: Kendall, "The treatment of ties in ranking problems",
Biometrika, 1945.
"""

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence

from attrs import frozen


@frozen
class Likeness:
    """How alike a result is to the reference.

    Attributes:
        score: The reward, -1 to 1, rounded to two places; 1 only where the results are the same.
        iou: Rows in common over rows in either, each counted as often as it occurs, 0 to 1.
        tau: Kendall's tau-b of the common rows' texts at equal places, -1 to 1; 1 for the same order, and where
            it is not defined. As in InterCode it ranks texts, so a reversed order need not be -1.
    """

    score: float
    iou: float
    tau: float


NOTHING = Likeness(0.0, 0.0, 1.0)
"""What an output that is no list of rows is worth."""


def likeness(rows: Sequence[str] | None, reference: Sequence[str], *, is_order_graded: bool = True) -> Likeness:
    """Compares a result with the reference, rows as text.

    Args:
        rows: The result; None stands for an output that is no list of rows.
        reference: The rows that are right.
        is_order_graded: Whether tau is a factor of the score.
    """
    if rows is None:
        return NOTHING
    if not rows and not reference:
        return Likeness(1.0, 1.0, 1.0)
    mine, theirs = Counter(rows), Counter(reference)
    common = mine & theirs
    iou = common.total() / (mine | theirs).total()
    tau = kendall_tau(_firsts(rows, common), _firsts(reference, common))
    tau = 1.0 if tau is None else tau
    score = iou * tau if is_order_graded else iou
    # A reward of 1 means "solved": 0.997 must not become it by rounding.
    return Likeness(score if score == 1.0 else min(round(score, 2), 0.99), iou, tau)


def _firsts(rows: Sequence[str], wanted: Counter[str]) -> list[str]:
    """The wanted rows in their order, each as often as it is wanted."""
    left = Counter(wanted)
    found = []
    for row in rows:
        if left[row] > 0:
            left[row] -= 1
            found.append(row)
    return found


def kendall_tau(left: Sequence[str], right: Sequence[str]) -> float | None:
    """Kendall's tau-b of two equally long sequences; None where one of them has no two different values.

    Takes time like sorting, not like comparing all pairs.
    """
    pairs = sorted(zip(left, right, strict=True))
    total = _pairs(len(pairs))
    ties_left, ties_right = _ties(Counter(left)), _ties(Counter(right))
    if total in (ties_left, ties_right):
        return None
    swaps = _inversions([second for _, second in pairs])
    concordant_less_discordant = total - ties_left - ties_right + _ties(Counter(pairs)) - 2 * swaps
    return concordant_less_discordant / math.sqrt((total - ties_left) * (total - ties_right))


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _ties(counts: "Counter[str] | Counter[tuple[str, str]]") -> int:
    return sum(_pairs(count) for count in counts.values())


def _inversions(values: Sequence[str]) -> int:
    """How many pairs stand in falling order."""
    seen: list[str] = []
    found = 0
    for value in reversed(values):
        found += bisect_left(seen, value)
        insort(seen, value)
    return found
