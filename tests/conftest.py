"""What the tests share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser, mermaid_page, program
from hypothesis import settings

os.environ["COLUMNS"] = "160"  # what is printed is cut to the width of the terminal

# The profile of tests/thorough.py; a test that asks for a number of its own keeps it.
settings.register_profile(
    "thorough", max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "1000")), deadline=None
)
# A slow machine is no fault of the code; speed is measured in bench/. Where a change is judged it is judged by the
# same examples every time; new ones are found on the way, and by tests/thorough.py.
settings.register_profile("default", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("default")


@pytest.fixture
def intercode_data() -> Path:
    """The folder with InterCode's data files, or a skip that says why."""
    folder = os.environ.get("INTERCODE_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("INTERCODE_DATA names no folder with InterCode's data")
    return Path(folder)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium, or a skip that says that there is none."""
    path = program()
    if path is None:
        pytest.skip("there is no chromium on the PATH")
    with Browser(path, tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="session")
def mermaid_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the real Mermaid, or a skip that says that there is none."""
    folder = os.environ.get("MERMAID_DIR", "")
    if not folder or not (Path(folder) / "dist" / "mermaid.min.js").is_file():
        pytest.skip("MERMAID_DIR names no folder with npm's mermaid")
    return mermaid_page(tmp_path_factory.mktemp("mermaid"), Path(folder))


@pytest.fixture
def dot_that(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program named dot, with a script for the shell, before the real one, if there is one."""

    def put_on_path(script: str) -> None:
        program = tmp_path_factory.mktemp("bin") / "dot"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    return put_on_path
