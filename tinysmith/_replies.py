"""Types of replies: their JSON schema, and replies into their values. The one file that imports msgspec.

It is imported when the first `Typed` class is made, since few programs have one.
"""

import inspect
import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache, reduce
from operator import getitem
from typing import Any, get_origin, get_type_hints

import attrs
import msgspec

from tinysmith._markup import parted
from tinysmith._near_json import read
from tinysmith._shown import one_line
from tinysmith.errors import ParseError
from tinysmith.mapping import JSON

WIDTH = 60
"""How much of a wrong value the model is shown, in characters."""

_DEFINED = "#/$defs/"
_KINDS = {"object": dict, "array": list}
_PLAIN = frozenset({"string", "integer", "number", "boolean", "null"})
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
_PLACE = re.compile(r"(.*) - at (`key` in )?`\$([^`]*)`", re.DOTALL)
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
    if _is_plain(schema):
        return _read_plain(kind, text, schema)
    wanted = [_KINDS[schema["type"]]] if schema.get("type") in _KINDS else []
    value = read(text, *wanted)
    try:
        return msgspec.convert(value, kind, str_keys=True)
    except msgspec.ValidationError as error:
        faults = [*_field_faults(kind, value, schema)] or [_fault(error, kind, value, schema)]
    raise ParseError(f"{' '.join(faults)} Write the whole JSON again, with this mended.")


def _is_plain(schema: dict[str, JSON]) -> bool:
    """Whether a type's values have no parts, so that a reply needs no JSON to say one."""
    ways: list[dict[str, JSON]] = schema.get("anyOf", [])
    return "enum" in schema or schema.get("type") in _PLAIN or (bool(ways) and all(map(_is_plain, ways)))


def _read_plain(kind: Any, text: str, schema: dict[str, JSON]) -> Any:
    """A value without parts: `yes` as well as `"yes"`, `True` as well as `true`."""
    said = parted(text)[1].strip()
    readings: list[JSON] = []
    for reading in (said, said.lower()):
        with suppress(ParseError):  # no JSON: plain text, then
            readings.append(read(reading))
    fault = ""
    for value in (*readings, said):
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            fault = fault or _fault(error, kind, value, schema)
    raise ParseError(f"{fault} Reply with the value alone.")


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
    """What is wrong with each field of a class; msgspec itself stops at the first.

    The fields of a generic class have no types of their own.
    """
    if not (attrs.has(kind) and get_origin(kind) is None and isinstance(value, dict)):
        return
    hints = get_type_hints(kind)
    for field in attrs.fields(kind):
        if field.name in value:
            try:
                msgspec.convert(value[field.name], hints[field.name], str_keys=True)
            except msgspec.ValidationError as error:
                yield _fault(error, hints[field.name], value[field.name], schema, field.name)
        elif field.name in schema["required"]:
            yield f"{field.name}: it is missing."


def _fault(
    error: msgspec.ValidationError, kind: Any, value: JSON, schema: dict[str, JSON], field: str = ""
) -> str:
    """A fault as a sentence that begins with where it is: `tasks[0].title: expected a text, but it is 3.`"""
    said = str(error).removeprefix(str(error.__cause__ or ""))  # a validator may say what looks like a place
    place = _PLACE.fullmatch(said)
    problem, is_key, path = (place[1], bool(place[2]), place[3]) if place else (said, False, "")
    steps = _STEP.findall(path)
    keys = _keys(kind, value, [*steps, ("", "...")] if is_key else steps, str(error))
    where = (field + "".join(map(_step, steps, keys))).lstrip(".")
    if missing := _MISSING.fullmatch(problem):
        return f"{where}.{missing[1]}".lstrip(".") + ": it is missing."
    where = where or "your reply"
    if error.__cause__ is not None:  # a validator of the class; its error's text may be all its arguments
        said = (*error.__cause__.args, "it is not allowed")[0]
        return f"{where}: {one_line(str(said), 2 * WIDTH).rstrip('.')}."
    shown = _shown(value, keys)
    if is_key:
        where, shown = f"a key of {where}", "another" if keys[-1] is None else _json(keys[-1])
    if problem.startswith("Invalid enum value"):
        if is_key:  # no schema says which are allowed
            return f"{where}: {shown} is not allowed."
        options = _options(schema, schema, [*([(field, "")] if field else []), *steps])
        return f"{where}: expected one of {', '.join(map(_json, options))}, but it is {shown}."
    expected = _KIND.sub(_words, _GOT.sub("", problem))
    return f"{where}: {expected[:1].lower()}{expected[1:]}, but it is {shown}."


def _words(kinds: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds[1].split(" | "))


def _json(value: JSON) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), WIDTH)


def _step(step: tuple[str, str], key: str | int | None) -> str:
    name, _ = step
    return f".{name}" if name else f"[{'…' if key is None else _json(key)}]"


def _shown(value: JSON, keys: Sequence[str | int | None]) -> str:
    """The part of a value that keys lead to; "another", where one of them is not known."""
    if None in keys:
        return "another"
    return _json(reduce(getitem, keys, value))


def _keys(kind: Any, value: JSON, steps: Sequence[tuple[str, str]], said: str) -> list[str | int | None]:
    """The keys and indices along a fault's path, where `[...]` is any key of a mapping; None for one not known."""
    found: list[str | int] = []
    for name, index in steps:
        if index == "...":
            key = _wrong_key(kind, value, found, said)
            if key is None:
                return [*found, *[None] * (len(steps) - len(found))]
            value = _with(value, found, {key: reduce(getitem, found, value)[key]})
            found.append(key)
        else:
            found.append(name or int(index))
    return [*found]


def _wrong_key(kind: Any, value: JSON, keys: Sequence[str | int], said: str) -> str | None:
    """The key of a mapping's first entry that is at fault; none, if that entry alone has another fault."""
    entries = list(reduce(getitem, keys, value).items())

    def has_fault(some: Sequence[tuple[str, JSON]]) -> bool:
        try:
            msgspec.convert(_with(value, keys, dict(some)), kind, str_keys=True)
        except msgspec.ValidationError as error:
            return str(error) == said
        return False

    first = bisect_left(range(1, len(entries)), 1, key=lambda count: has_fault(entries[:count]))
    name, part = entries[first]
    return name if has_fault([(name, part)]) else None


def _with(value: JSON, keys: Sequence[str | int], part: JSON) -> JSON:
    """A value with another part where keys lead."""
    if not keys:
        return part
    first, *rest = keys
    inner = _with(value[first], rest, part)
    if isinstance(first, int):
        return [*value[:first], inner, *value[first + 1 :]]
    return {**value, first: inner}


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
