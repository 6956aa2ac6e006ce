"""Sandboxes: where commands that a model wrote may run."""

from tinysmith.sandbox.bubblewrap import Bubblewrap
from tinysmith.sandbox.choosing import backend
from tinysmith.sandbox.docker import Docker
from tinysmith.sandbox.sandbox import Backend, Sandbox, Session, Stop, Stopped
from tinysmith.sandbox.spec import Availability, Bind, Executed, SandboxLimits, SandboxSpec
from tinysmith.sandbox.tree import Entry, Tree
from tinysmith.sandbox.unsafe_local import UnsafeLocal

__all__ = [
    "Availability",
    "Backend",
    "Bind",
    "Bubblewrap",
    "Docker",
    "Entry",
    "Executed",
    "Sandbox",
    "SandboxLimits",
    "SandboxSpec",
    "Session",
    "Stop",
    "Stopped",
    "Tree",
    "UnsafeLocal",
    "backend",
]
