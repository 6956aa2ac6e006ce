"""Requests and events as JSON data: short when written, strict when read.

What is a default is left out. What is read is checked, field by field, as a saved position is.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import attrs

from tinysmith._codec import codec
from tinysmith._scalars import Codec, MisfitError, named
from tinysmith.mapping import JSON, thaw
from tinysmith.messages import Act, Ask, Call, Event, Failed, Observation, Reply, Request, Result, Usage

ASKED_SIZE = 8
"""Bytes of a request's digest."""

_KINDS: dict[str, type[Any]] = {"reply": Reply, "observation": Observation, "result": Result, "failed": Failed}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_ANY = frozenset({"info", "value"})
"""Fields of arbitrary JSON data, which is copied as it is: the journal keeps numbers that JSON lacks."""


def _read_usage(data: JSON, at: str) -> Usage:
    if type(data) is not list or len(data) != 3 or type(data[0]) is not int or type(data[1]) is not int:
        raise MisfitError(f"{at} is saved as {named(data)}, which is no usage")
    if data[2] is not None and type(data[2]) not in {int, float}:
        raise MisfitError(f"{at} is saved with the cost {named(data[2])}, which is no number")
    return Usage(*data)


def _write_usage(usage: Any, at: str) -> JSON:
    _USAGE_CHECK.encode(usage, at)
    return [usage.input_tokens, usage.output_tokens, usage.cost_usd]


_USAGE_CHECK = codec(Usage, "usage")
_USAGE = Codec(_write_usage, _read_usage)  # by its place, not by name, since every reply has one
_NO_USAGE = Usage()


def _fields(kind: type[Any]) -> dict[str, tuple[Any, Codec]]:
    """For each field, its default and its codec."""
    codecs = attrs.fields(kind)
    hints = {field.name: field.type for field in codecs}
    return {
        name: (
            _default(field),
            _USAGE if name == "usage" else codec(Any if name in _ANY else hints[name], name, any_json=True),
        )
        for name, field in ((field.name, field) for field in codecs)
    }


def _default(field: "attrs.Attribute[Any]") -> Any:
    return attrs.NOTHING if field.default is attrs.NOTHING else field.default


_FIELDS: dict[type[Any], dict[str, tuple[Any, Codec]]] = {kind: _fields(kind) for kind in _KINDS.values()}


def event_data(event: Event) -> dict[str, JSON]:
    """An event as JSON data: its kind, and what differs from the defaults.

    Raises:
        MisfitError: A field holds what it must not.
    """
    kind = type(event)
    if isinstance(event, Reply) and _is_plain(event):  # most events are, so this is spelt out
        return {"reply": _plain(event)}
    data: dict[str, JSON] = {}
    for name, (default, each) in _FIELDS[kind].items():
        value = getattr(event, name)
        if value is not default and (name in _ANY or value != default):
            data[name] = thaw(value) if name in _ANY else each.encode(value, name)
    return {_NAMES[kind]: data}


def _is_plain(reply: Reply) -> bool:
    """Whether nothing of a reply needs to be looked into."""
    return (
        not reply.calls
        and type(reply.text) is type(reply.thinking) is type(reply.finish) is type(reply.model) is str
        and type(reply.answers) is str
        and type(reply.elapsed_s) is float
        and (reply.text.isascii() and reply.thinking.isascii())
    )


def _plain(reply: Reply) -> dict[str, JSON]:
    data: dict[str, JSON] = {"text": reply.text}
    if reply.finish != "stop":
        data["finish"] = reply.finish
    if reply.usage != _NO_USAGE:
        data["usage"] = _USAGE.encode(reply.usage, "usage")
    if reply.model:
        data["model"] = reply.model
    if reply.thinking:
        data["thinking"] = reply.thinking
    if reply.answers:
        data["answers"] = reply.answers
    if reply.elapsed_s:
        data["elapsed_s"] = reply.elapsed_s
    return data


def event_of(data: JSON) -> Event:
    """The event that was written.

    Raises:
        MisfitError: It is none.
    """
    if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in _KINDS:
        raise MisfitError(f"the event is saved as {named(data)}, which is no event")
    ((name, given),) = data.items()
    kind = _KINDS[name]
    fields = _FIELDS[kind]
    if not isinstance(given, dict) or not given.keys() <= fields.keys():
        raise MisfitError(f"the {name} is saved as {named(given)}, which has other fields")
    if not isinstance(given.get("info", {}), dict):
        raise MisfitError(f"its info is saved as {named(given['info'])}, which is no mapping")
    missing = [each for each, (default, _) in fields.items() if default is attrs.NOTHING and each not in given]
    if missing:
        raise MisfitError(f"the {name} lacks {', '.join(missing)}")
    parts = {each: value if each in _ANY else fields[each][1].decode(value, each) for each, value in given.items()}
    event: Event = kind(**parts)
    return event


def done_data(request: Request) -> JSON:
    """What a request does to the outside, as JSON data; None for a question, whose prompt is not kept."""
    if isinstance(request, Act):
        return request.action
    return thaw(request.arguments) if isinstance(request, Call) else None


def asked(request: Request) -> bytes:
    """The digest of a request: of what it asks or does, not of its number, nor of the time that is left."""
    digest = blake2b(digest_size=ASKED_SIZE)
    if type(request) is Ask:
        parts = [request.id]
        for message in request.messages:
            parts += (message.role, message.content)
            if message.calls or message.call_id:
                parts += (repr(message.calls), message.call_id)
        if request.schema is not None or request.tools:
            parts.append(repr((_sorted(request.schema), _sorted(request.tools))))
    elif type(request) is Act:
        parts = [request.id, request.action, "grade" if request.grade else ""]
    elif type(request) is Call:
        parts = [request.id, repr(_sorted(request.arguments))]
    else:
        return b""
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.digest()


def _sorted(value: JSON) -> JSON:
    """JSON data as a value whose `repr` is the same wherever it was equal."""
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
