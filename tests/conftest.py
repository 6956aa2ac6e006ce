"""What the tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def intercode_data() -> Path:
    """The folder with InterCode's data files, or a skip that says why."""
    folder = os.environ.get("INTERCODE_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("INTERCODE_DATA names no folder with InterCode's data")
    return Path(folder)
