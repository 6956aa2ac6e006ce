"""Sandboxes: where commands that a model wrote may run."""

from tinysmith.sandbox.sandbox import Backend, Sandbox, Session
from tinysmith.sandbox.spec import Availability, Bind, Executed, SandboxLimits, SandboxSpec
from tinysmith.sandbox.tree import Entry, Tree

__all__ = [
    "Availability",
    "Backend",
    "Bind",
    "Entry",
    "Executed",
    "Sandbox",
    "SandboxLimits",
    "SandboxSpec",
    "Session",
    "Tree",
]
