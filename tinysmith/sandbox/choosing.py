"""Back ends by name."""

from collections.abc import Callable, Mapping

from tinysmith._arguments import told
from tinysmith._shown import near
from tinysmith.errors import SandboxUnavailable, UsageError
from tinysmith.sandbox.bubblewrap import Bubblewrap
from tinysmith.sandbox.docker import Docker
from tinysmith.sandbox.sandbox import Backend
from tinysmith.sandbox.unsafe_local import UnsafeLocal

BACKENDS: Mapping[str, Callable[[], Backend]] = {
    "bubblewrap": Bubblewrap,
    "docker": Docker,
    "unsafe-local": UnsafeLocal,
}
_AUTO = ("bubblewrap", "docker")


def backend(name: str = "auto") -> Backend:
    """The back end of a name; `auto` is the first one that works here, and never `unsafe-local`.

    Raises:
        UsageError: There is none of that name.
        SandboxUnavailable: It cannot be used here, or, with `auto`, none can; the message says what to install.
    """
    demand_name(name)
    names = _AUTO if name == "auto" else (name,)
    return first_of({each: BACKENDS[each]() for each in names})


def demand_name(name: object) -> None:
    """Raises a `UsageError` unless a back end has this name; it offers those that do."""
    if not isinstance(name, str) or name not in (*BACKENDS, "auto"):
        raise UsageError(f"There is no sandbox {told(name)}. {near(str(name), [*BACKENDS, 'auto'])}")


def first_of(made: Mapping[str, Backend]) -> Backend:
    """The first of some back ends that works here.

    Raises:
        SandboxUnavailable: None does; the message says for each what is missing.
    """
    reasons = []
    for name, each in made.items():
        found = each.probe()
        if found.ok:
            return each
        reasons.append(f"{name}: {found.reason}")
    raise SandboxUnavailable(f"No sandbox works here. {' '.join(reasons)}")
