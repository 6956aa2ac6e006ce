"""What the tests share."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from browser import Browser, mermaid_page, program
from hypothesis import settings
from podman import Podman, missing
from postgres import Server
from postgres import program as postgres_program
from stores import Opened, opened_at

from tinysmith.journal._rows import Store

os.environ["COLUMNS"] = "160"  # what is printed is cut to the width of the terminal

# The profile of tests/thorough.py; a test that asks for a number of its own keeps it.
settings.register_profile(
    "thorough", max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "1000")), deadline=None
)
# A slow machine is no fault of the code; speed is measured in bench/. Where a change is judged it is judged by the
# same examples every time; new ones are found on the way, and by tests/thorough.py.
settings.register_profile("default", deadline=None, print_blob=True, derandomize="CI" in os.environ)
# Where coverage is measured few examples are enough to come by every line; the others follow without.
settings.register_profile("traced", settings.get_profile("default"), max_examples=10)
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
def podman() -> Iterator[Podman]:
    """A Podman service of the tests' own, or a skip that says why there is none."""
    if lacking := missing():
        pytest.skip(lacking)
    with Podman() as service:
        yield service
        assert service.containers() == []
        assert len(service.images()) == 1


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server of the tests' own, or a skip that says that there is none."""
    if postgres_program("postgres") is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    # Not below pytest's own folder, which the server's user may not enter.
    with TemporaryDirectory(prefix="tinysmith-postgres-") as folder, Server(Path(folder)) as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Server) -> Server:
    """The server, with an empty database."""
    postgres_server.run("DROP SCHEMA IF EXISTS tinysmith CASCADE")
    return postgres_server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a journal may be, by each kind of store."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.db")
    server: Server = request.getfixturevalue("postgres")
    return server.url()


@pytest.fixture
def open_one(place: str) -> Iterator[Opened]:
    """Opens the same journal, as often as it is called."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(opened_at(place)))


@pytest.fixture
def store(open_one: Opened) -> Store:
    """One journal of each kind."""
    return open_one()


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
