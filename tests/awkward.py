"""A strategy whose every name and docstring is a word or a mark that some format of pictures reads as its own."""

from collections.abc import Callable
from types import new_class
from typing import Any

from sketches import Pad, Writer

from tinysmith import Edge, Halt, Strategy

NAMES = (
    "end", "default", "graph", "class", "subgraph", "style", "click", "classDef", "linkStyle", "flowchart", "TD",
    "node", "edge", "digraph", "strict", "o", "x", "_private_", "__dunder__", "критик",
)  # fmt: skip
"""Of nodes: words of Mermaid and of DOT."""

MARKS = (
    'a "quoted" word',
    "a bracket ] and a brace }",
    "%%{init: {'theme': 'dark'}}%%",
    "%% no comment",
    "an arrow --> to nowhere",
    "`backticks` and **stars**",
    "a back\\slash, \\n, \\N and a last one\\",
    "<script>window.harmed = true</script><b onclick=alert(1)>",
    "&lt; &amp; &#35; #quot; #35;",
    "emoji 😀 and a family 👨‍👩‍👧",
    "שלום \u202egnisrever\u202c عربي",
    "$$x^2$$ fa:fa-car :::class",
    "\x1b[2J\x00\ud800",
    "- a list",
    "1. a list",
    "# a title",
    "a|b;c~d^e'f",
    "---",
    "a <br/> break",
    "(round) [[square]] {{curly}} ((twice))",
)
"""Of guards: what breaks out of a label or of a tooltip that is not escaped."""


def guard(name: str, said: str) -> Callable[[Pad], bool]:
    """A guard of any name and docstring, which never holds."""

    def holds(pad: Pad) -> bool:
        return False

    holds.__name__ = name
    holds.__doc__ = said
    return holds


def awkward() -> type[Strategy[Any]]:
    """The strategy: every node leads to the next by a guard of a mark, and otherwise to the halt."""
    halt = Halt()
    nodes = {name: Writer() for name in NAMES}
    names = list(nodes)
    edges: list[Edge[Pad]] = []
    for place, name in enumerate(names):
        mark = MARKS[place % len(MARKS)]
        following = nodes[names[(place + 1) % len(names)]]
        said = f"{mark}\n\nA second paragraph: {mark}"
        edges += [nodes[name].to(following, when=guard(mark, said)), nodes[name].to(halt)]
    body = {**nodes, "over": halt, "initial": nodes["end"], "edges": tuple(edges), "__doc__": "Harmless."}
    return new_class("Awkward", (Strategy[Pad],), {}, lambda space: space.update(body))


Awkward = awkward()
