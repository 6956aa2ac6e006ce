"""What strategies act on."""

from tinysmith.environments.sql import SqlEnvironment
from tinysmith.environments.stdin import StdinEnvironment
from tinysmith.environments.tasks import Tasks

__all__ = ["SqlEnvironment", "StdinEnvironment", "Tasks"]
