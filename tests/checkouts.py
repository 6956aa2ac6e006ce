"""What the tests of InterCode's import share: a small checkout like its own, and sandboxes that say anything."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tinysmith.sandbox import Availability, Executed, Sandbox, SandboxSpec, Session, Stop

NOTHING = b"1700000000\0end\0"
"""What a sandbox says of its files that has none."""

SOUTH = "cat /garden/beds/south.txt"
ROWS = [{"query": "What grows in the south?", "gold": SOUTH}, {"query": "Who?", "gold": "id"}]
MBPP = [{"query": "Double it.", "gold": "def twice(x):\n    return 2 * x", "tests": ["assert twice(2) == 4"]}]
SPIDER = [{"db": "Seeds", "query": "Which beds?", "gold": "SELECT id FROM beds"}]
DUMP = "CREATE DATABASE Seeds;\nUSE Seeds;\nCREATE TABLE beds (id int NOT NULL);\nINSERT INTO beds VALUES (1);\n"

_DATA: dict[str, Any] = {
    "data/nl2bash/nl2bash_fs_1.json": ROWS,
    "data/nl2bash/nl2bash_fs_2.json": ROWS[:1],
    "data/nl2bash/nl2bash_fs_3.json": ROWS,
    "data/nl2bash/nl2bash_fs_4.json": [],
    "data/python/mbpp/ic_mbpp.json": MBPP,
    "data/ctf/ic_ctf.json": [{"query": "Find it.", "gold": "picoCTF{Hidden}"}],
    "data/sql/spider/ic_spider_dev.json": SPIDER,
}
_SCRIPTS = (
    "mkdir -p /garden/beds; echo roses > /garden/beds/south.txt; touch -t 202301010000 /garden/old",
    "mkdir /shed; touch /shed/spade; printf 'no \\033[31mrake\\n\\n' >&2; exit 3",
    "ln -s /pond/deep /pond",
    "export ponds=4",
)


def checkout(folder: Path) -> Path:
    """A checkout with four file trees: of 4, 2, 1 and no entries."""
    files = {name: json.dumps(rows) for name, rows in _DATA.items()}
    files["data/sql/spider/ic_spider_dbs.sql"] = DUMP
    for number, script in enumerate(_SCRIPTS, 1):
        files[f"docker/bash_scripts/setup_nl2b_fs_{number}.sh"] = f"#!/bin/bash\n{script}\n"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """What is in all files beneath a folder, by path from there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@frozen
class Says:
    """Makes sandboxes that run nothing, and say what they were told to.

    Attributes:
        after: What one says of its files at the end.
        read: What one says when files are read.
    """

    after: bytes = NOTHING
    read: bytes = b""

    def probe(self) -> Availability:
        """That it can be used."""
        return Availability(ok=True)

    def create(self, spec: SandboxSpec) -> Sandbox:
        """One of these sandboxes."""
        return _Says(spec, [NOTHING, b"", self.after, self.read])


class _Says(Sandbox):
    def __init__(self, spec: SandboxSpec, answers: list[bytes]) -> None:
        self.spec = spec
        self._answers = answers

    def exec(
        self,
        command: str | Sequence[str],
        *,
        stdin: bytes = b"",
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        merges_stderr: bool = False,
        wall_s: float | None = None,
        stop: Stop | None = None,
    ) -> Executed:
        return Executed(self._answers.pop(0), b"", 0)

    def open_session(self) -> Session:
        raise NotImplementedError

    def fork(self, *, stop: Stop | None = None) -> Sandbox:
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        return
