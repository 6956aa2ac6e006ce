"""What strategies act on."""

from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.bash import BashEnvironment
from tinysmith.environments.ctf import CtfEnvironment
from tinysmith.environments.demonstration import DemoEnvironment
from tinysmith.environments.python import PythonEnvironment
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.environments.sql import SqlEnvironment
from tinysmith.environments.stdin import StdinEnvironment
from tinysmith.environments.sync import from_sync
from tinysmith.environments.tasks import Tasks

__all__ = [
    "BashEnvironment",
    "CtfEnvironment",
    "DemoEnvironment",
    "PythonEnvironment",
    "ShellEnvironment",
    "ShellTask",
    "SqlEnvironment",
    "StdinEnvironment",
    "Tasks",
    "from_sync",
]
