"""Writes docs/machines.md from the built-in strategies themselves: `python docs/make_machines.py`.

A test holds that the page is what this writes.
"""

import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import attrs

import machines
from tinysmith import Strategy, Task
from tinysmith.drawing import mermaid

PAGE = Path(__file__).parent / "machines.md"

HEAD = """\
# The built-in strategies

Each is one file in [machines/](../machines), meant to be read, and to be copied or subclassed. Any of them runs by
name:

```console
$ tinysmith run machines:SingleAgent --env demo --all --model groq/llama-3.1-8b-instant
$ tinysmith draw machines:SingleAgent
```

To copy one, copy its file and its folder in `machines/prompts`, where it has one. `OpenBook` looks things up in an
index, `--index FILE`, which `tinysmith index` makes; `Reflexion` keeps lessons in a notebook, `--notebook FILE`.

A field of the first board is set with `--set`, as in `--set is_few_shot=true --set steps_left=10`; each role has a
model of its own with `--model ROLE=MODEL`. The [examples](../examples) run several of them offline.

This page is written by `python docs/make_machines.py` from the strategies' own docstrings and edges.
"""


def page() -> str:
    """The whole page, from the smallest machine to the largest."""
    strategies = sorted((getattr(machines, name) for name in machines.__all__), key=size)
    return HEAD + "".join(f"\n{entry(strategy)}" for strategy in strategies)


def size(strategy: type[Strategy[Any]]) -> int:
    """How many nodes it has."""
    return len(strategy.machine.states)


def entry(strategy: type[Strategy[Any]]) -> str:
    """One strategy: what it is, its diagram, whence it is and what it costs, and its board."""
    module = sys.modules[strategy.__module__]
    summary, _picture, *rest = cleandoc(module.__doc__ or "").split("\n\n")
    board = type(strategy().brief(Task(""), ""))
    file = Path(module.__file__ or "").name
    parts = [
        f"## {strategy.__name__}",
        summary,
        f"```mermaid\n{mermaid(strategy)}```",
        "\n".join(facts(" ".join(rest))),
        f"[{file}](../machines/{file}); the board is a `{board.__name__}`:",
        "\n".join(["| field | default | |", "| --- | --- | --- |", *fields(board)]),
    ]
    return "\n\n".join(parts) + "\n"


def facts(text: str) -> Iterator[str]:
    """What it is, its source, where it differs and what it costs, as a list."""
    for fact in re.split(r"\s+(?=(?:Source|Differs from the paper|Costs): )", text):
        yield "- " + re.sub(r"^(Source|Differs from the paper|Costs): ", r"**\1**: ", " ".join(fact.split()))


def fields(board: type[Any]) -> Iterator[str]:
    """The rows of the table of a board's fields, with what its docstring says of each."""
    attributes = cleandoc(board.__doc__ or "").partition("Attributes:")[2]
    said = dict(re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE))
    for part in attrs.fields(board):
        default = repr(part.default).replace("|", "\\|")
        yield f"| `{part.name}` | `{default}` | {' '.join(said[part.name].split())} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
