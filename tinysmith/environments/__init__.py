"""What strategies act on."""

from tinysmith.environments.sql import SqlEnvironment
from tinysmith.environments.stdin import StdinEnvironment

__all__ = ["SqlEnvironment", "StdinEnvironment"]
