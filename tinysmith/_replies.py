"""Types of replies: their JSON schema, and replies into their values. The one file that imports msgspec.

It is imported when the first `Typed` class is made, since few programs have one.
"""

import inspect
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, get_type_hints

import attrs
import msgspec

from tinysmith._near_json import read
from tinysmith._shown import one_line
from tinysmith.errors import ParseError
from tinysmith.mapping import JSON

WIDTH = 60
"""How much of a wrong value the model is shown, in characters."""

_DEFINED = "#/$defs/"
_KINDS = {"object": dict, "array": list}
_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_KIND = re.compile(r"`(\w+(?: \| \w+)*)`")
_GOT = re.compile(r", got .*")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


@cache
def schema_of(kind: Any) -> dict[str, JSON]:
    """The JSON schema of a type, with the type's own part at its root, where providers want it.

    Raises:
        TypeError: The type has none, or one that allows anything in some place.
    """
    if getattr(kind, "__parameters__", ()):
        raise TypeError("it has an open type variable")
    text = msgspec.json.encode(msgspec.json.schema(kind)).decode()  # as JSON: its defaults are values of the types
    schema: dict[str, JSON] = json.loads(text)
    for path, part in _parts(schema, ""):
        if not part.keys() - {"default", "description", "title"}:
            raise TypeError(f"{path or 'it'} may be anything")
        if "description" in part:
            part["description"] = inspect.cleandoc(part["description"])
    if "$ref" not in schema:
        return schema
    root, others = _target(schema, schema["$ref"]), schema["$defs"]
    if text.count(f'"{schema["$ref"]}"') == 1:  # else the type holds itself
        del others[schema["$ref"].removeprefix(_DEFINED)]
    return {**root, "$defs": others} if others else root


def read_reply(kind: Any, text: str) -> Any:
    """The value that a reply holds, in valid JSON or near to it. What the type has no field for is ignored.

    Raises:
        ParseError: It holds none, or one that does not fit; the message names each field that is wrong, and how.
    """
    schema = schema_of(kind)
    wanted = [_KINDS[schema["type"]]] if schema.get("type") in _KINDS else []
    value = read(text, *wanted)
    try:
        return msgspec.convert(value, kind, str_keys=True)
    except msgspec.ValidationError as error:
        faults = [*_field_faults(kind, value, schema)] or [_fault(error, value, schema, "")]
    raise ParseError(f"{' '.join(faults)} Write the whole JSON again, with this mended.")


def written(value: Any) -> str:
    """A value of a reply's type as the JSON text that a model might have written."""
    return json.dumps(msgspec.to_builtins(value, str_keys=True), ensure_ascii=False)


def _parts(schema: JSON, path: str) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The schema and all schemas in it, each with where it is."""
    yield path, schema
    for name, part in {**schema.get("$defs", {}), **schema.get("properties", {})}.items():
        yield from _parts(part, f"{path}.{name}" if path else name)
    for part in schema.get("anyOf", ()):
        yield from _parts(part, path)
    for part in (*schema.get("prefixItems", ()), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict) and part:
            yield from _parts(part, f"{path}[…]")


def _target(schema: dict[str, JSON], reference: str) -> dict[str, JSON]:
    found: dict[str, JSON] = schema["$defs"][reference.removeprefix(_DEFINED)]
    return found


def _field_faults(kind: Any, value: JSON, schema: dict[str, JSON]) -> Iterator[str]:
    """What is wrong with each field of a class; msgspec itself stops at the first."""
    if not (attrs.has(kind) and isinstance(value, dict)):
        return
    hints = get_type_hints(kind)
    for field in attrs.fields(kind):
        if field.name in value:
            try:
                msgspec.convert(value[field.name], hints[field.name], str_keys=True)
            except msgspec.ValidationError as error:
                yield _fault(error, value, schema, f".{field.name}")
        elif field.name in schema["required"]:
            yield f"{field.name}: it is missing."


def _fault(error: msgspec.ValidationError, value: JSON, schema: dict[str, JSON], path: str) -> str:
    """A fault as a sentence that begins with where it is: `tasks[0].title: expected a text, but it is 3.`"""
    problem, _, rest = str(error).partition(" - at ")
    path += rest.rpartition("$")[2].rstrip("`")
    where = path.replace("[...]", "[…]").lstrip(".")
    if missing := _MISSING.fullmatch(problem):
        return f"{where}.{missing[1]}".lstrip(".") + ": it is missing."
    where = where or "the whole"
    if error.__cause__ is not None:  # a validator of the class; its error's text may be all its arguments
        said = (*error.__cause__.args, "it is not allowed")[0]
        return f"{where}: {one_line(str(said), 2 * WIDTH).rstrip('.')}."
    if rest.startswith("`key`"):
        where, path = f"a key of {where}", "[...]"
    shown = _shown(value, path)
    if problem.startswith("Invalid enum value"):
        options = ", ".join(map(_json, _options(schema, schema, _STEP.findall(path))))
        return f"{where}: expected one of {options}, but it is {shown}."
    expected = _KIND.sub(_words, _GOT.sub("", problem))
    return f"{where}: {expected[:1].lower()}{expected[1:]}, but it is {shown}."


def _words(kinds: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds[1].split(" | "))


def _json(value: JSON) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), WIDTH)


def _shown(value: JSON, path: str) -> str:
    """The part of a value that a path leads to; "another", where the path does not say which of many."""
    if "[...]" in path:
        return "another"
    for name, index in _STEP.findall(path):
        value = value[int(index) if index else name]
    return _json(value)


def _options(schema: dict[str, JSON], part: dict[str, JSON], steps: Sequence[tuple[str, str]]) -> list[JSON]:
    """What is allowed where a path leads."""
    if "$ref" in part:
        return _options(schema, _target(schema, part["$ref"]), steps)
    if "anyOf" in part:
        return [option for way in part["anyOf"] for option in _options(schema, way, steps)]
    if not steps:
        return list(part.get("enum", ()))
    (name, index), *rest = steps
    if name:
        return _options(schema, part.get("properties", {}).get(name, {}), rest)
    places = part.get("prefixItems", ())
    at = int(index) if index.isdigit() else len(places)
    inner = places[at] if at < len(places) else part.get("items") or part.get("additionalProperties") or {}
    return _options(schema, inner, rest)
