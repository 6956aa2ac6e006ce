"""What `check` finds in small searches, and the planted strategies by name."""

from typing import Any

import planted as faults
import planted_boards as boards
import planted_cycles as cycles
import planted_nodes as nodes

from tinysmith import Strategy
from tinysmith.checks import check
from tinysmith.errors import Finding

SMALL: dict[str, Any] = {"max_positions": 300, "walks": 30}


def found(strategy: type[Strategy[Any]], **options: Any) -> tuple[Finding, ...]:
    """What is found, but for information."""
    findings = check(strategy, **SMALL | options).findings
    return tuple(finding for finding in findings if finding.level != "information")


def only(strategy: type[Strategy[Any]], **options: Any) -> Finding:
    """The one thing that is found."""
    (finding,) = found(strategy, **options)
    return finding


def planted(name: str) -> Any:
    """The planted strategy of a name."""
    return next(getattr(module, name) for module in (faults, cycles, boards, nodes) if hasattr(module, name))
