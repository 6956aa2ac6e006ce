"""The one file that imports Docker's SDK: lazily, for it is an extra. What it raises becomes an error of ours."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from tinysmith._shown import one_line, scrubbed
from tinysmith.errors import EnvironmentLost, SandboxUnavailable, TinysmithError
from tinysmith.sandbox.spec import MOST_CPU_S, SandboxLimits, SandboxSpec

_LABEL = {"tinysmith": "sandbox"}
_OPEN_FILES = 256
_SPARE_PROCESSES = 32  # for the container's first one, one of each command, and what the engine begins them with
_NO_SDK = "The sandbox `docker` needs the package docker; install it with `pip install 'tinysmith-fsm[docker]'`."
_UNREACHABLE = (
    "The engine cannot be reached: {why}. Start Docker, or Podman's service, or name where it listens with "
    "DOCKER_HOST or `base_url`, such as unix:///var/run/docker.sock."
)
_TIMEOUT_S = 60
_OLD = "1.41"  # of 2020: an engine that is as old does not tell its version with a ping
_DEEPEST = 20


def sdk() -> ModuleType:
    """Docker's SDK.

    Raises:
        SandboxUnavailable: It is not installed.
    """
    try:
        return importlib.import_module("docker")
    except ModuleNotFoundError:
        raise SandboxUnavailable(_NO_SDK) from None


@contextmanager
def told(kind: type[TinysmithError], text: str) -> Iterator[None]:
    """Whatever the SDK raises becomes an error with a text, in which `{why}` stands for the engine's words."""
    docker = sdk()
    http = importlib.import_module("urllib3.exceptions").HTTPError
    try:
        yield
    except (docker.errors.DockerException, http, OSError, ValueError) as error:
        # Not the SDK's own words: they may hold the engine's address, with a user and a password.
        raise kind(text.replace("{why}", _why(error))) from None


def connect(base_url: str | None) -> Any:
    """A client of the engine; DOCKER_HOST and its companions say where that is unless an address is given.

    Raises:
        SandboxUnavailable: The SDK is missing, or the engine cannot be reached.
    """
    docker = sdk()
    with told(SandboxUnavailable, _UNREACHABLE):
        where = docker.utils.kwargs_from_env() if base_url is None else {"base_url": base_url}
        first = docker.APIClient(**where, version=_OLD, timeout=_TIMEOUT_S)
        try:  # the SDK would ask for much more, which takes Podman a second and more
            version = first.get(f"{first.base_url}/_ping", timeout=_TIMEOUT_S).headers.get("Api-Version", _OLD)
        finally:
            first.close()
        return docker.APIClient(**where, version=version, timeout=_TIMEOUT_S)


def find_image(client: Any, image: str, *, pulls: bool) -> None:
    """Sees to it that the engine has an image.

    Raises:
        SandboxUnavailable: It has none, and may not or cannot pull it.
    """
    missing = sdk().errors.ImageNotFound
    with told(SandboxUnavailable, f"The engine cannot say whether it has {image!r}: {{why}}. Look after it."):
        try:
            client.inspect_image(image)
        except missing:
            is_missing = True
        else:
            is_missing = False
    if not is_missing:
        return
    if not pulls:
        problem = f"The engine has no image {image!r}. Pull it with `docker pull {image}`"
        raise SandboxUnavailable(f"{problem}, or let that be done with `Docker(pulls=True)`.")
    with told(SandboxUnavailable, f"The image {image!r} cannot be pulled: {{why}}. Pull it by hand."):
        client.pull(image)
        client.inspect_image(image)


def create(client: Any, spec: SandboxSpec, image: str, runtime: str | None, command: list[str]) -> str:
    """Makes a container, which is not started; it goes when it ends, and ends when its first process is alone.

    Returns:
        Its id.
    """
    made = client.create_container(
        image,
        command=[],
        entrypoint=command,
        user="0:0",
        hostname="sandbox",
        working_dir="/",
        stdin_open=True,
        labels=_LABEL,
        healthcheck={"test": ["NONE"]},  # an image's own would run commands beside ours
        host_config=_host(client, spec, runtime),
        use_config_proxy=False,  # else the user's proxies, with their passwords, would be in its environment
    )
    return str(made["Id"])


def _host(client: Any, spec: SandboxSpec, runtime: str | None) -> dict[str, Any]:
    """What a container may have of the host."""
    docker = sdk()
    limits = spec.limits
    memory = limits.memory_bytes + limits.shm_bytes
    made: dict[str, Any] = client.create_host_config(
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        pids_limit=limits.processes + _SPARE_PROCESSES,
        mem_limit=memory,
        memswap_limit=memory,
        shm_size=limits.shm_bytes,
        ulimits=[
            docker.types.Ulimit(name=name, soft=most, hard=most)
            for name, most in {"core": 0, "nofile": _OPEN_FILES}.items()
        ],
        mounts=[
            docker.types.Mount(bind.target, str(bind.source), type="bind", read_only=True) for bind in spec.binds
        ],
        # else what is written to /proc/1/fd/1 fills the host's disk
        log_config=docker.types.LogConfig(type="none"),
        auto_remove=True,
        runtime=runtime,
    )
    return made


def demand_runtime(client: Any, container: str, runtime: str) -> None:
    """Sees to it that a container has the runtime that was asked for: Podman passes over what it is asked.

    Raises:
        SandboxUnavailable: It has another.
    """
    actual = client.inspect_container(container)["HostConfig"].get("Runtime")
    if actual != runtime:
        problem = f"The engine uses the runtime {actual!r}, although it was asked for {runtime!r}"
        raise SandboxUnavailable(f"{problem}; make that one the engine's default, and ask for none.")


def ulimits(limits: SandboxLimits, *, takes_away: bool = False) -> str:
    """The limits of each process, as options of bash's `ulimit`, which counts in KiB.

    Args:
        limits: The sandbox's.
        takes_away: Whether it may write nothing, since there is too much already.
    """
    file_kib = 0 if takes_away else limits.file_bytes // 1024
    return f"-c 0 -t {min(limits.cpu_s, MOST_CPU_S)} -v {-(-limits.memory_bytes // 1024)} -f {file_kib}"


def remove_image(client: Any, image: str) -> None:
    """Takes an image of a sandbox's files away, and those below it that nobody has a name for.

    One that others stand on stays until the last of them goes; the engine takes both away then.
    """
    with suppress(EnvironmentLost), told(EnvironmentLost, "{why}"):
        client.remove_image(image, force=True)


def features(client: Any, runtime: str | None) -> tuple[str, ...]:
    """What an engine is, and which limits it does not hold."""
    with told(EnvironmentLost, "The engine cannot say what it is: {why}. Look after it."):
        info = client.info()
    engine = f"{'Podman' if 'BuildahVersion' in info else 'Docker'} {info.get('ServerVersion')}"
    lacking = {"MemoryLimit": "no limit of memory in all", "PidsLimit": "no limit of processes"}
    found = [engine, f"runtime {runtime or info.get('DefaultRuntime')}"]
    found += [text for name, text in lacking.items() if info.get(name) is False]
    return tuple(one_line(text) for text in found)


def _why(error: BaseException) -> str:
    """The engine's words, or the system's, or the kind of the error."""
    explanation = getattr(error, "explanation", None)
    if explanation:
        text = explanation.decode(errors="replace") if isinstance(explanation, bytes) else str(explanation)
        return one_line(scrubbed(text), 300).rstrip(".")
    found: list[BaseException] = [error]
    for each in found:
        if isinstance(each, OSError) and each.strerror:
            return one_line(scrubbed(str(each.strerror)), 300).rstrip(".")
        more = (*each.args, each.__cause__, each.__context__, getattr(each, "reason", None))
        found += [one for one in more if isinstance(one, BaseException) and len(found) < _DEEPEST]
    return type(error).__name__
