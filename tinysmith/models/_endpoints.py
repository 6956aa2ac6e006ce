"""Where a request goes and with which key; nothing here knows LiteLLM.

Two rules. A key from the environment goes where the environment or the provider says, never to a host that
was named as `base_url`. And what is found missing is said before anything is sent.
"""

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import urlsplit

from attrs import field, frozen

from tinysmith.errors import AuthenticationError, BadRequestError, UnknownModelError, UsageError
from tinysmith.models._failures import Failure
from tinysmith.models._secrets import Secret

NO_KEY = Secret("not-needed")
"""What a server of the user's own is sent where no key is given; without one, LiteLLM reads the environment."""


@frozen
class Provider:
    """What the environment may say about a provider.

    Attributes:
        key: The variable that holds its key.
        bases: The variables that send its requests elsewhere, as LiteLLM reads them; the first that is set
            counts.
        is_own: Whether it stands for a server of the user's own: no host of its own, no need of a key.
    """

    key: str
    bases: tuple[str, ...]
    is_own: bool = field(default=False, kw_only=True)


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": Provider("OPENAI_API_KEY", ("OPENAI_BASE_URL", "OPENAI_API_BASE")),
        "mistral": Provider("MISTRAL_API_KEY", ("MISTRAL_AZURE_API_BASE",)),
        "groq": Provider("GROQ_API_KEY", ("GROQ_API_BASE",)),
        "hosted_vllm": Provider("HOSTED_VLLM_API_KEY", ("HOSTED_VLLM_API_BASE",), is_own=True),
    }
)
"""Those whose protocol is OpenAI's and whose environment is read here. LiteLLM reads for all others."""

_HEADER_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "OPENAI_ORG_ID": "OpenAI-Organization",
        "OPENAI_ORGANIZATION": "OpenAI-Organization",
        "OPENAI_PROJECT_ID": "OpenAI-Project",
    }
)

_GUESSES = (
    ("mistral", re.compile(r"(mi|mini|code|magi|pix)stral|open-mi", re.IGNORECASE)),
    ("groq", re.compile(r"llama|qwen|gemma", re.IGNORECASE)),
    ("openai", re.compile(r"", re.IGNORECASE)),
)


@frozen
class Endpoint:
    """Where a request goes.

    Attributes:
        base_url: None where LiteLLM knows the provider's own.
        key: None where LiteLLM reads the environment.
        omitted: Headers that OpenAI's client would add from the environment, and that must not be sent there.
    """

    base_url: str | None
    key: Secret | None
    omitted: tuple[str, ...] = ()

    @property
    def is_loopback(self) -> bool:
        """Whether requests stay on this computer."""
        return self.base_url is not None and is_loopback(self.base_url)


def prefix_of(model: str) -> str:
    """`groq` of `groq/llama-3.1-8b-instant`.

    Raises:
        UsageError: There is none.
    """
    prefix, _, name = model.partition("/")
    if prefix and name:
        return prefix
    bare = prefix or name or "gpt-4o"
    guess = next(provider for provider, looks in _GUESSES if looks.search(bare))
    raise UsageError(
        f"The model {model!r} does not say whose it is. Write it with its provider, e.g. '{guess}/{bare}', "
        f"or 'hosted_vllm/{bare}' with base_url= for a server of your own."
    )


def normalised(base_url: str, prefix: str) -> str:
    """The URL that `/chat/completions` is appended to.

    Raises:
        UsageError: It is no URL of a server, or holds a password.
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"base_url {_without_user(base_url)!r} is no URL. Write e.g. 'http://localhost:8000/v1'.")
    if parts.username or parts.password:
        raise UsageError("base_url holds a user name or a password, which logs would show. Give api_key= instead.")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    if not path and prefix in PROVIDERS:
        path = "/v1"  # where every server of OpenAI's protocol has it; a path that is given stays as it is
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this computer itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def find(model: str, base_url: str | None, api_key: Secret | None, api_key_env: str | None) -> Endpoint | Failure:
    """Reads the environment for what was not given."""
    prefix = prefix_of(model)
    provider = PROVIDERS.get(prefix)
    base = base_url or _base_from_environment(provider, prefix)
    if base is None and provider is not None and provider.is_own:
        return Failure(
            BadRequestError,
            f"{prefix}/ means a server of your own. Say where it is: base_url='http://localhost:8000/v1'.",
            model=model,
        )
    key = _given_key(model, base_url, api_key, api_key_env)
    if key is None and base_url is not None:
        key = NO_KEY
    elif key is None and provider is not None:
        key = _provider_key(model, provider)
    if isinstance(key, Failure):
        return key
    return Endpoint(base, key, _omitted() if prefix == "openai" and base_url is not None else ())


def no_key(model: str, name: str) -> Failure:
    """The key is neither given nor in the environment."""
    problem = f"There is no key. Set the environment variable {name}, or give api_key=."
    return Failure(AuthenticationError, problem, model=model)


def unknown_provider(model: str, known: Sequence[str]) -> Failure:
    """The prefix is none of those that LiteLLM knows."""
    prefix = prefix_of(model)
    near = [*dict.fromkeys([*get_close_matches(prefix, known, 3), *PROVIDERS])]
    problem = (
        f"There is no provider {prefix!r}. Write the model with one such as {', '.join(near)}; "
        f"for a server of your own 'hosted_vllm/{model}' with base_url=."
    )
    return Failure(UnknownModelError, problem, model=model)


def _without_user(url: str) -> str:
    return url.rpartition("@")[2]


def _base_from_environment(provider: Provider | None, prefix: str) -> str | None:
    for name in provider.bases if provider is not None else ():
        if value := os.environ.get(name):
            return normalised(value, prefix)
    return None


def _given_key(
    model: str, base_url: str | None, api_key: Secret | None, api_key_env: str | None
) -> Secret | Failure | None:
    if api_key_env is not None:
        return _key_from_environment(model, api_key_env)
    if api_key is None or not api_key.is_lost:
        return api_key
    if base_url is None:
        return None
    problem = "Its api_key was left behind when it was pickled. Name an environment variable: api_key_env=."
    return Failure(AuthenticationError, problem, model=model)


def _provider_key(model: str, provider: Provider) -> Secret | Failure:
    if provider.is_own and not os.environ.get(provider.key):
        return NO_KEY
    return _key_from_environment(model, provider.key)


def _key_from_environment(model: str, name: str) -> Secret | Failure:
    key = Secret(os.environ.get(name, "").strip())
    if key.is_sendable and key.reveal():
        return key
    if not key.reveal():
        return no_key(model, name)
    problem = f"The environment variable {name} holds what no HTTP header can carry. Set it to the key alone."
    return Failure(AuthenticationError, problem, model=model)


def _omitted() -> tuple[str, ...]:
    """The headers that OpenAI's client makes of the environment, which are no business of another host."""
    named = [header for name, header in _HEADER_VARIABLES.items() if name in os.environ]
    custom = os.environ.get("OPENAI_CUSTOM_HEADERS", "")
    return (*named, *(line.partition(":")[0].strip() for line in custom.split("\n") if ":" in line))
