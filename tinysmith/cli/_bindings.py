"""`--index` and `--notebook`: what the strategy's retrieval and memory nodes are bound to."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tinysmith.errors import UsageError
from tinysmith.memory import Note, Notebook, Recall
from tinysmith.nodes import Node, Tool
from tinysmith.retrieval import Retrieve, open_index
from tinysmith.strategy import Strategy, plan_of

N = TypeVar("N", bound=Node[Any])


def bindings(arguments: argparse.Namespace, strategy: type[Strategy[Any]]) -> Mapping[str, Callable[..., Any]]:
    """What `--index` and `--notebook` name, by the names of the nodes that use it.

    Raises:
        UsageError: A node needs what is not given, or what is given no node uses.
        DataError: A file cannot be used.
    """
    return {**_index(arguments, strategy), **_notebook(arguments, strategy)}


def _index(arguments: argparse.Namespace, strategy: type[Strategy[Any]]) -> dict[str, Callable[..., Any]]:
    plan = plan_of(strategy)
    nodes = _nodes(strategy, Retrieve)
    if arguments.index is None:
        for name, node in nodes.items():
            if type(node).call is Tool.call:
                raise UsageError(
                    f"{plan.name}.{name} looks things up. Add --index FILE, which `tinysmith index` makes."
                )
        for option in ("base_url", "api_key_env"):
            if getattr(arguments, f"index_{option}") is not None:
                flag = f"--index-{option.replace('_', '-')}"
                raise UsageError(f"{flag} is of an index of embeddings. Name it with --index, or leave this out.")
        return {}
    if not nodes:
        raise UsageError(f"{plan.name} has no Retrieve node that would use an index. Leave out --index.")
    index = open_index(arguments.index, base_url=arguments.index_base_url, api_key_env=arguments.index_api_key_env)
    return dict.fromkeys(nodes, index)


def _notebook(arguments: argparse.Namespace, strategy: type[Strategy[Any]]) -> dict[str, Callable[..., Any]]:
    if arguments.notebook is None:
        return {}
    reading, writing = _nodes(strategy, Recall), _nodes(strategy, Note)
    if not reading and not writing:
        name = plan_of(strategy).name
        raise UsageError(f"{name} has no Recall or Note node that would use a notebook. Leave out --notebook.")
    notebook = Notebook(arguments.notebook)
    return {**dict.fromkeys(reading, notebook.recall), **dict.fromkeys(writing, notebook.note)}


def _nodes(strategy: type[Strategy[Any]], kind: type[N]) -> dict[str, N]:
    return {name: node for name, node in plan_of(strategy).nodes.items() if isinstance(node, kind)}
