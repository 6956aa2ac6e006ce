"""The sandbox of a Docker-compatible engine: Docker, or Podman's service; it needs the package `docker`.

Its guarantees, and what it does not promise, are in `docs/sandbox.md`.
"""

import threading
import time
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox._docker_container import Container
from tinysmith.sandbox._docker_engine import connect, features, find_image, remove_image, ulimits
from tinysmith.sandbox._docker_reading import Answer, Meter
from tinysmith.sandbox._docker_scripts import SHELL, beginning
from tinysmith.sandbox._docker_session import DockerSession
from tinysmith.sandbox._invocation import ENVIRONMENT
from tinysmith.sandbox._marks import Reading
from tinysmith.sandbox._words import (
    checked_cwd,
    checked_environment,
    checked_seconds,
    checked_stdin,
    checked_words,
)
from tinysmith.sandbox.sandbox import Sandbox, Session, Stop, Stopped
from tinysmith.sandbox.spec import Availability, Executed, SandboxSpec, demand_spec

IMAGE = "buildpack-deps:bookworm-scm"
"""Debian 12 with Bash, coreutils, Git and Python 3.11, which is about 130 MB to download."""

_KILLED = 137


@frozen
class Docker:
    """Makes sandboxes in containers: no network, no capabilities, no host files but the spec's binds.

    Attributes:
        image: What a sandbox's files are, below the spec's tree; it has bash, coreutils, and what commands need.
        base_url: Where the engine listens, such as `unix:///run/podman/podman.sock`; unless given, where
            DOCKER_HOST says, or where Docker does.
        runtime: One of the engine's, such as `runsc`; its default unless given.
        pulls: Whether an image that the engine lacks is downloaded.
    """

    image: str = IMAGE
    base_url: str | None = field(default=None, kw_only=True, repr=False)
    runtime: str | None = field(default=None, kw_only=True)
    pulls: bool = field(default=False, kw_only=True)

    def probe(self) -> Availability:
        """Whether the engine can make a sandbox; it makes one to find out."""
        try:
            sandbox = self.create(SandboxSpec())
            with sandbox:
                sandbox.exec(["/usr/bin/env"])
                return Availability(ok=True, features=(*sandbox.features(), f"image {self.image}"))
        except (SandboxUnavailable, EnvironmentLost) as error:
            return Availability(ok=False, reason=str(error))

    def create(self, spec: SandboxSpec) -> "DockerSandbox":
        """A sandbox.

        Raises:
            SandboxUnavailable: The SDK, the engine or the image is missing.
            UsageError: A bind's source is not there, or the tree cannot be made in the image.
        """
        demand_spec(spec)
        return DockerSandbox(spec, self)


class DockerSandbox(Sandbox):
    """A container, in which the engine begins each command.

    Args:
        spec: What it is made of.
        docker: How.
        copied: An image of another sandbox's files, which goes with this one.
    """

    def __init__(self, spec: SandboxSpec, docker: Docker, *, copied: str | None = None) -> None:
        for bind in spec.binds:
            if not bind.source.exists():
                raise UsageError(f"Bind: there is no {bind.source} on the host; name what is there.")
        self.spec = spec
        self._docker = docker
        self._copied = copied
        self._lock = threading.Lock()
        self._sessions: set[DockerSession] = set()
        self._is_closed = False
        self._client = connect(docker.base_url)
        try:
            if copied is None:
                find_image(self._client, docker.image, pulls=docker.pulls)
            self._make(copied)
        except BaseException:
            self._client.close()
            raise

    def features(self) -> tuple[str, ...]:
        """What it is made with: the engine, and its runtime."""
        return features(self._client, self._docker.runtime)

    def exec(
        self,
        command: str | Sequence[str],
        *,
        stdin: bytes = b"",
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
        merges_stderr: bool = False,
        wall_s: float | None = None,
        stop: Stop | None = None,
    ) -> Executed:
        """Runs a command; whatever it started has ended when this returns."""
        words = self._words(checked_words(command), checked_environment(environment or {}))
        place = checked_cwd(self.spec.cwd if cwd is None else cwd)
        self._demand_open()
        seconds = self.spec.limits.wall_s if wall_s is None else checked_seconds(wall_s)
        how = _How(words, checked_stdin(stdin), place, merges_stderr, seconds, stop)
        try:
            return self._run(self._container, self._meter, how)
        except EnvironmentLost:
            if self._is_closed:
                raise EnvironmentLost("The sandbox was closed while a command ran; take one at a time.") from None
            raise

    def open_session(self) -> Session:
        """Starts a bash that stays."""
        with self._lock:
            self._demand_open()
            words = beginning(ulimits(self.spec.limits), "session", self.spec.cwd, self._words(SHELL, {}))
            limits, forget = self.spec.limits, self._sessions.discard
            session = DockerSession(self._container, self._meter, words, limits, forget=forget)
            self._sessions.add(session)
        return session

    def fork(self, *, stop: Stop | None = None) -> "DockerSandbox":
        """A second sandbox, of an image of the files that this one has now; `/dev/shm` is not copied.

        Args:
            stop: Ends nothing: an engine does not end what it has begun to copy.
        """
        self._demand_open()
        image = self._container.commit()
        try:
            return DockerSandbox(self.spec, self._docker, copied=image)
        except BaseException:
            remove_image(self._client, image)
            raise

    def reset(self) -> None:
        """Ends all that runs, and makes the container anew."""
        self._demand_open()
        self._end_all()
        self._make(None)

    def close(self) -> None:
        """Ends all that runs, and takes the container away."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._end_all()
            if self._copied is not None:
                remove_image(self._client, self._copied)
        finally:
            self._client.close()

    def _make(self, copied: str | None) -> None:
        image = self._docker.image if copied is None else copied
        runtime = self._docker.runtime
        self._container = Container.make(self._client, self.spec, image, runtime, has_tree=copied is not None)
        self._meter = Meter(self._container, self.spec.limits.disk_bytes)

    def _run(self, container: Container, meter: Meter, how: "_How") -> Executed:
        begin = time.monotonic()
        allowed = meter.allowed() + len(how.stdin)  # which is in a file of the container's
        limits = ulimits(self.spec.limits, takes_away=meter.is_full)
        most = self.spec.limits.output_bytes
        stdout = Reading.new(most)
        stderr = None if how.merges else Reading(stdout.mark, most)
        words = beginning(limits, "merged" if how.merges else "apart", how.cwd, how.words)
        running = container.begin(words, stdout.mark, how.stdin)
        try:
            answer = Answer(running.stream, most, stdout, stderr)
            answer.take(running.early)
            ended_by, is_stopped = answer.attend(time.monotonic() + how.wall_s, how.stop, meter, allowed)
        finally:
            try:
                container.end(running)
            finally:
                running.stream.close()
        if is_stopped:
            raise Stopped
        # Without an end, the command has killed the shell that waited for it, or made up another end.
        code = _KILLED if ended_by or answer.exit_code is None else answer.exit_code
        return Executed(answer.stdout(), answer.stderr(), code, ended_by, time.monotonic() - begin)

    def _words(self, words: Sequence[str], more: Mapping[str, str]) -> tuple[str, ...]:
        """A command with its environment, and nothing of the image's."""
        variables = {**ENVIRONMENT, **self.spec.environment, **more}
        if "=" in words[0]:  # which `env` would take for a variable
            words = ("/bin/bash", "-c", 'exec -- "$@"', "bash", *words)
        return ("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items()), *words)

    def _end_all(self) -> None:
        try:
            self._container.remove()
        finally:
            with self._lock:
                sessions = list(self._sessions)
            for session in sessions:
                session.close()

    def _demand_open(self) -> None:
        if self._is_closed:
            raise UsageError("The sandbox is closed; make another.")


@frozen
class _How:
    """How a command is run.

    Attributes:
        words: It, with its environment.
        stdin: What it reads.
        cwd: Where it begins.
        merges: Whether both streams are one.
        wall_s: Seconds that it may take.
        stop: Ends it when set.
    """

    words: tuple[str, ...]
    stdin: bytes = field(repr=False)
    cwd: str
    merges: bool
    wall_s: float
    stop: Stop | None
