"""The tools of a server: as it lists them, as a board holds them, and as an agent declares them to its model."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict

from attrs import field, frozen

from tinysmith._arguments import is_text, several
from tinysmith._shown import near, one_line
from tinysmith.errors import UsageError
from tinysmith.mapping import JSON, FrozenDict, freeze
from tinysmith.mcp._texts import cleaned, cleaned_json, cut

MOST_TOOLS = 256
MOST_PAGES = 64
_LONGEST_DESCRIPTION = 4_000
_LONGEST_SCHEMA = 20_000
_DEEPEST_SCHEMA = 128
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")
_DECLARABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ANYTHING = '{"type": "object"}'

_MISNAMED = "have names with other characters than letters, digits and `_-./`, or more than 128"
_TWICE = "have the name of one before them"
_UNDESCRIBED = "have a description that is no text"
_NO_SCHEMA = "have no JSON schema of an object"
_TOO_DEEP = f"have a schema of more than {_DEEPEST_SCHEMA} levels"
_TOO_LARGE = f"have a schema of more than {_LONGEST_SCHEMA:,} characters"


class Listed(TypedDict):
    """A tool as a `ListTools` node receives it."""

    name: str
    description: str
    schema: str


@frozen
class McpTool:
    """A tool of a server. Its texts are the server's words, and no more to be trusted than a web page.

    Attributes:
        name: Its name.
        description: What it does, as the server says; cut where that is long.
        schema: The JSON schema of its arguments, as JSON text.
    """

    name: str = field(validator=is_text)
    description: str = field(default="", validator=is_text)
    schema: str = field(default=_ANYTHING, validator=is_text)


def declarations(
    tools: Iterable[McpTool], *, only: Collection[str] | None = None
) -> tuple[FrozenDict[str, JSON], ...]:
    """What an agent's `tools` may be, so that its model can call these.

    Args:
        tools: A server's.
        only: The names of those to declare; None for all.

    Raises:
        UsageError: A tool has a name that providers refuse, a schema that is no object's, or one that is too long;
            or `only` names one that is not there.
    """
    chosen: dict[str, FrozenDict[str, JSON]] = {}
    tools = several(tools, McpTool, "declarations: tools", "a list of McpTool, such as a server's tools")
    only = None if only is None else named(only, "only=")
    known = {tool.name: tool for tool in tools}
    check_names(only, known)
    for tool in known.values() if only is None else [known[name] for name in only]:
        if not _DECLARABLE.fullmatch(tool.name):
            problem = (
                f"The tool '{one_line(tool.name)}' cannot be declared: providers take names of 1 to 64 letters,"
            )
            raise UsageError(f"{problem} digits, `_` and `-`. Leave it out: only=(…).")
        described = {"name": tool.name, "description": tool.description, "parameters": _parameters(tool)}
        chosen[tool.name] = freeze({"type": "function", "function": described})
    return tuple(chosen.values())


def named(names: Collection[str], what: str) -> tuple[str, ...]:
    """Some names as a tuple; what they are is not told, since it may be a key given by mistake.

    Raises:
        UsageError: They are something else.
    """
    is_collection = isinstance(names, Collection) and not isinstance(names, str | bytes | Mapping)
    if is_collection and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise UsageError(
        f"{what} is a {type(names).__name__}, or holds what is no text. Give a sequence of names: (name,)."
    )


def check_names(only: Collection[str] | None, taken: Collection[str], known: Collection[str] = ()) -> None:
    """Raises a `UsageError` if `only` names a tool that is not taken, and offers those that are known."""
    for name in only or ():
        if name not in taken:
            raise UsageError(f"only= names {name!r}, which is no tool of the server. {near(name, known or taken)}")


class Listing:
    """The tools that are taken from a server's list, and in words what is not.

    Args:
        only: The names of those to take; None for all.

    Attributes:
        tools: Those that are taken, by name.
        names: Of all that have a sound one.
    """

    def __init__(self, only: Collection[str] | None) -> None:
        self.tools: dict[str, McpTool] = {}
        self.names: set[str] = set()
        self._only = only
        self._room = MOST_TOOLS
        self._left_out: dict[str, list[str]] = {}
        self._cut_short = ""

    def add(self, tools: Sequence[object]) -> None:
        """Takes a page of the list, whose tools may be anything."""
        for tool in tools[: self._room]:
            self._take(tool)
        self._room -= len(tools)
        if self._room < 0:
            self.cut_short(f"It lists more than {MOST_TOOLS} tools; those beyond are left out.")

    def cut_short(self, why: str) -> None:
        """Takes no more."""
        self._cut_short = why

    def check(self) -> None:
        """Raises a `UsageError` if a tool that is wanted is not taken."""
        for why, names in self._left_out.items():
            for name in self._only or ():
                if name in names and name not in self.tools:
                    problem = f"only= names {name!r}, which is left out with the tools of the server that {why}"
                    raise UsageError(f"{problem}. Name others.")
        check_names(self._only, self.tools, self.names)

    @property
    def is_cut_short(self) -> bool:
        """Whether no more is taken."""
        return bool(self._cut_short)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was left out, a sentence a reason."""
        told = [
            f"{len(names)} of its tools {why}: {', '.join(names[:3])}{', …' * (len(names) > 3)}. Left out."
            for why, names in self._left_out.items()
        ]
        return (*told, self._cut_short) if self._cut_short else tuple(told)

    def _take(self, tool: object) -> None:
        told: dict[str, Any] = tool if isinstance(tool, dict) else {}
        name = told.get("name")
        if not isinstance(name, str):
            return self._leave_out(_MISNAMED, "(none)")
        if not _NAME.fullmatch(name):
            return self._leave_out(_MISNAMED, one_line(name, 40) or "(empty)")
        if name in self.names:
            return self._leave_out(_TWICE, name)
        self.names.add(name)
        if self._only is None or name in self._only:
            self._keep(name, told.get("description", ""), told.get("inputSchema"))
        return None

    def _keep(self, name: str, description: object, schema: Any) -> None:
        if not isinstance(description, str | None):
            return self._leave_out(_UNDESCRIBED, name)
        if not _is_of_object(schema):
            return self._leave_out(_NO_SCHEMA, name)
        if _is_deep(schema):
            return self._leave_out(_TOO_DEEP, name)
        text = json.dumps(cleaned_json(schema), ensure_ascii=False)
        if len(text) > _LONGEST_SCHEMA:
            return self._leave_out(_TOO_LARGE, name)
        self.tools[name] = McpTool(name, cut(cleaned(description or ""), _LONGEST_DESCRIPTION), text)
        return None

    def _leave_out(self, why: str, name: str) -> None:
        self._left_out.setdefault(why, []).append(name)


def _is_of_object(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "object"


def _is_deep(schema: JSON) -> bool:
    level: list[Any] = [schema]
    for _ in range(_DEEPEST_SCHEMA):
        level = [item for value in level for item in _items(value)]
    return bool(level)


def _items(value: JSON) -> Iterable[JSON]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _parameters(tool: McpTool) -> JSON:
    try:
        schema = json.loads(tool.schema) if len(tool.schema) <= _LONGEST_SCHEMA else None
    except (ValueError, RecursionError):
        schema = None
    if not _is_of_object(schema) or _is_deep(schema):
        problem = (
            f"The tool '{one_line(tool.name)}' cannot be declared: its schema is no JSON schema of an object,"
        )
        bounds = f"{_LONGEST_SCHEMA:,} characters or {_DEEPEST_SCHEMA} levels"
        raise UsageError(f"{problem} or has more than {bounds}. Leave it out: only=(…).")
    return schema
