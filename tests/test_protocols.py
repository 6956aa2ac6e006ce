"""The seams: what is known of whoever is given there."""

import json
from pathlib import Path
from typing import Any

import pytest
from blocking import Clerk, Teacher
from python_episodes import TWICE

import tinysmith.environments
from tinysmith.environments.bash import BashEnvironment
from tinysmith.environments.ctf import CtfEnvironment
from tinysmith.environments.python import PythonEnvironment
from tinysmith.environments.sql import SqlEnvironment
from tinysmith.environments.sync import from_sync
from tinysmith.protocols import title

FERRY = Path(tinysmith.environments.__file__).parent / "demo"


class Plain:
    """An environment of which there is one only."""


class Grown(Plain):
    """One whose `variant` is something else."""

    variant = 3


class Strict(Teacher):
    """One of which there are several."""

    variant = "strict"


class TestTitle:
    @pytest.mark.parametrize(("environment", "said"), [(None, ""), (Plain(), "Plain"), (Grown(), "Grown")])
    def test_is_the_class(self, environment: Any, said: str) -> None:
        """Where there is no variant an environment is called by its class; none has no title."""
        assert title(environment) == said

    @pytest.mark.parametrize("kind", [BashEnvironment, PythonEnvironment, CtfEnvironment])
    def test_tells_the_fidelity(self, kind: Any, tmp_path: Path) -> None:
        """Grades in InterCode's fidelity do not compare with strict ones, and the title says which they are."""
        rows = [{**TWICE, "task_id": 1, "tags": []}]
        for name, data in {"a.json": rows, "a.tree.json": [], "ic_mbpp.json": rows, "ic_ctf.json": rows}.items():
            (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
        assert title(kind(tmp_path)) == f"{kind.__name__} (intercode)"
        assert title(kind(tmp_path, fidelity="strict")) == f"{kind.__name__} (strict)"

    def test_tells_whether_order_is_graded(self) -> None:
        """Where the order of rows is not graded the title says it."""
        assert title(SqlEnvironment(FERRY)) == "SqlEnvironment"
        assert title(SqlEnvironment(FERRY, is_order_graded=False)) == "SqlEnvironment (order not graded)"

    def test_tells_what_is_behind_an_adapter(self) -> None:
        """A blocking environment is told from another one behind the same adapter."""
        assert title(from_sync(Clerk())) == "SyncEnvironment (Clerk)"
        assert title(from_sync(Strict())) == "GradedSyncEnvironment (Strict (strict))"
