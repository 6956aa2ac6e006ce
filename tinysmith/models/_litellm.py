"""The one file that imports LiteLLM: lazily, at the first request, for it takes seconds.

What it imports and sets is done once a process. No callback is set, none of the user's is touched.
"""

import asyncio
import importlib
import inspect
import os
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from tinysmith.errors import UnknownModelError
from tinysmith.models._endpoints import no_key, prefix_of, unknown_provider
from tinysmith.models._failures import Failure, timeout
from tinysmith.models._translate import SPELT_OUT
from tinysmith.models._tries import A, Sendable
from tinysmith.models._watchdog import watching

Function: TypeAlias = Literal["completion", "embedding"]
"""LiteLLM's; its asynchronous twin has an `a` before its name."""

_WHILE_IMPORTING: Mapping[str, str] = MappingProxyType(
    {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else the import waits for a price list from GitHub
        "LITELLM_MODE": "PRODUCTION",  # else the import loads `.env` from the working directory
        "TIKTOKEN_CACHE_DIR": "",  # overwritten by the second import below, which else happens at some request
    }
)

_import_lock = threading.Lock()
_imported: ModuleType | None = None
_closers: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = WeakKeyDictionary()


def complete(call: Sendable[A], timeout_s: float, *, function: Function = "completion") -> A | Failure:
    """Sends the request and waits for the answer, not longer than told."""
    litellm = _litellm()
    if (lacking := _lacking(litellm, call)) is not None:
        return lacking
    with watching(timeout_s) as watch:
        try:
            response = getattr(litellm, function)(**_arguments(call))
        except Exception as error:  # noqa: BLE001  # the border: whatever LiteLLM raises becomes a failure
            return timeout(call.model, timeout_s) if watch.is_late else _failed(litellm, call, error)
        except BaseException as stop:  # noqa: BLE001  # raised again below
            raise _bare(stop)  # noqa: B904  # the same one; only its traceback is gone
    return call.answered(response)


async def acomplete(call: Sendable[A], timeout_s: float, *, function: Function = "completion") -> A | Failure:
    """Sends the request and awaits the answer, not longer than told. Cancelling ends the request."""
    litellm = _litellm() if _imported else await asyncio.to_thread(_litellm)
    if asyncio.get_running_loop() not in _closers:
        await anext(_closers.setdefault(asyncio.get_running_loop(), _closer(litellm)))
    if (lacking := _lacking(litellm, call)) is not None:
        return lacking
    try:
        async with asyncio.timeout(timeout_s) as limit:
            response = await getattr(litellm, f"a{function}")(**_arguments(call))
    except Exception as error:  # noqa: BLE001  # the border, as above
        return timeout(call.model, timeout_s) if limit.expired() else _failed(litellm, call, error)
    except BaseException as stop:  # noqa: BLE001  # raised again below
        raise _bare(stop)  # noqa: B904  # as above
    return call.answered(response)


async def _closer(litellm: ModuleType) -> AsyncGenerator[None, None]:
    """Closes LiteLLM's clients of this event loop when it ends; else each leaves complaints on stderr.

    `asyncio.run` closes all asynchronous generators before it closes its loop: no other hook runs in time.
    """
    try:
        yield
    finally:
        clients = litellm.in_memory_llm_clients_cache.cache_dict
        mine = f"-{id(asyncio.get_running_loop())}"  # how LiteLLM ends the names of this loop's clients
        for name in [name for name in tuple(clients) if name.endswith(mine)]:
            closing = clients.pop(name).close()
            if inspect.isawaitable(closing):  # somebody else's blocking clients are kept there too
                await closing


def _lacking(litellm: ModuleType, call: Sendable[object]) -> Failure | None:
    """Says that a key is missing where LiteLLM would find out by asking, or worse, ask without one."""
    if call.endpoint.key is not None or call.endpoint.base_url is not None:
        return None
    name = f"{prefix_of(call.model).upper()}_API_KEY"
    # Only this one: a cloud's list of names is also "missing" where the machine itself is trusted.
    if litellm.validate_environment(call.model)["missing_keys"] != [name]:
        return None
    return no_key(call.model, name)


def _failed(litellm: ModuleType, call: Sendable[object], error: BaseException) -> Failure:
    failure = call.failed(error)
    if failure.kind is not UnknownModelError or failure.status is not None:
        return failure
    known = sorted(str(getattr(name, "value", name)) for name in litellm.provider_list)
    return unknown_provider(call.model, known)


def _arguments(call: Sendable[object]) -> dict[str, Any]:
    """With the key: bound to no name in this file, so that no traceback can show it."""
    arguments = {**call.arguments}
    spelt_out = arguments.pop(SPELT_OUT, None)
    if spelt_out is not None and not _takes_schema(call.model):
        del arguments["response_format"]
        arguments["messages"] = spelt_out
    if call.endpoint.omitted:
        omit = importlib.import_module("openai").Omit()
        arguments["extra_headers"] = dict.fromkeys(call.endpoint.omitted, omit) | dict(
            arguments.get("extra_headers") or {}
        )
    if call.endpoint.base_url is not None:
        arguments["api_base"] = call.endpoint.base_url  # `embedding` takes no notice of `base_url`
    if call.endpoint.key is None:
        return arguments
    return arguments | {"api_key": call.endpoint.key.reveal()}


@cache
def _takes_schema(model: str) -> bool:
    return bool(_litellm().supports_response_schema(model))


def _bare(stop: BaseException) -> BaseException:
    """A cancellation without LiteLLM's frames, whose variables hold the key."""
    stop.__context__ = None
    return stop.with_traceback(None)


def _litellm() -> ModuleType:
    global _imported  # noqa: PLW0603  # once a process
    with _import_lock:
        if _imported is None:
            with _environment(_WHILE_IMPORTING):
                litellm = importlib.import_module("litellm")
                importlib.import_module("litellm.litellm_core_utils.default_encoding")
            litellm.suppress_debug_info = True  # type: ignore[attr-defined]  # else it prints to stdout
            litellm.disable_hf_tokenizer_download = True  # type: ignore[attr-defined]  # nor asks Hugging Face
            _imported = litellm
        return _imported


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Sets variables for the length of the block."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
