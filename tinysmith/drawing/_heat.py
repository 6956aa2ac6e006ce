"""What each node of a run cost, took, or got wrong."""

from collections import Counter
from collections.abc import Callable, Mapping
from math import floor, log10
from typing import Any

from attrs import frozen

from tinysmith.messages import Failed, Reply
from tinysmith.run import Run, Step


@frozen
class Heat:
    """How a quantity is shared among the nodes of a run.

    Attributes:
        total: The whole, in words.
        badges: What each node has of it, in words.
        shares: What each node has of it, from 0 to 1; a node whose amount is not known has none.
    """

    total: str
    badges: Mapping[str, str]
    shares: Mapping[str, float]


def heat_of(run: Run[Any], quantity: str) -> Heat:
    """How one of `QUANTITIES` is shared among the nodes of a run."""
    return QUANTITIES[quantity](run)


def _cost(run: Run[Any]) -> Heat:
    amounts = {node: usage.cost_usd for node, usage in run.usage.by_node.items()}
    known = {node: amount for node, amount in amounts.items() if amount is not None}
    total = "price unknown" if run.usage.cost_usd is None else _dollars(run.usage.cost_usd)
    badges = {node: "price unknown" if amount is None else _dollars(amount) for node, amount in amounts.items()}
    return _shared(total, badges, known)


def _tokens(run: Run[Any]) -> Heat:
    amounts = {node: usage.tokens for node, usage in run.usage.by_node.items()}
    badges = {node: _counted(amount, "token") for node, amount in amounts.items()}
    return _shared(_counted(run.usage.tokens, "token"), badges, amounts)


def _seconds(run: Run[Any]) -> Heat:
    waited: dict[str, float] = {}
    for step in run.steps:
        waited[step.node] = waited.get(step.node, 0.0) + step.event.elapsed_s
    badges = {node: f"{amount:.3g} s" for node, amount in waited.items()}
    return _shared(f"{sum(waited.values()):.3g} s", badges, waited)


def _failures(run: Run[Any]) -> Heat:
    failed = Counter(step.node for step in run.steps if isinstance(step.event, Failed))
    bad = Counter(step.node for step in run.steps if _is_bad_reply(step))
    amounts = {step.node: failed[step.node] + bad[step.node] for step in run.steps}
    badges = {node: _faults(failed[node], bad[node]) for node in amounts}
    return _shared(_faults(failed.total(), bad.total()), badges, amounts)


def _is_bad_reply(step: Step[Any]) -> bool:
    return isinstance(step.event, Reply) and (step.asked_again or step.outcome == "max_errors")


QUANTITIES: dict[str, Callable[[Run[Any]], Heat]] = {
    "cost": _cost,
    "tokens": _tokens,
    "seconds": _seconds,
    "failures": _failures,
}
"""What heat may show."""


def _shared(total: str, badges: Mapping[str, str], amounts: Mapping[str, float]) -> Heat:
    """Shares of the amounts that are known; none where all of them are nothing."""
    whole = sum(amounts.values())
    shares = {node: amount / whole for node, amount in amounts.items()} if whole else {}
    said = {
        node: f"{badge} ({100 * shares[node]:.0f} %)" if node in shares else badge
        for node, badge in badges.items()
    }
    return Heat(total, said, shares)


def _dollars(amount: float) -> str:
    """Cents, or of less than ten of them the first two digits that say something."""
    places = max(2, 1 - floor(log10(amount))) if amount else 2
    return f"${amount:,.{places}f}"


def _counted(amount: int, noun: str) -> str:
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def _faults(failed: int, bad: int) -> str:
    parts = [f"{failed} failed"] if failed else []
    parts += [f"{bad} bad repl{'y' if bad == 1 else 'ies'}"] if bad else []
    return ", ".join(parts) or "no failure"
