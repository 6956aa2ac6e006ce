"""Strategies in Inspect AI: a solver, a scorer, and sandboxes both ways; needs the package `inspect_ai`."""

from tinysmith.inspect_ai.provider import SandboxConfig, TinysmithSandboxEnvironment
from tinysmith.inspect_ai.sandbox import InspectBackend, InspectSandbox
from tinysmith.inspect_ai.scorer import run_scorer, samples
from tinysmith.inspect_ai.solver import answer_of, strategy_solver, task_of

__all__ = [
    "InspectBackend",
    "InspectSandbox",
    "SandboxConfig",
    "TinysmithSandboxEnvironment",
    "answer_of",
    "run_scorer",
    "samples",
    "strategy_solver",
    "task_of",
]
