"""The sandbox of a Docker-compatible engine: engines that are missing, lacking or odd, and what they send."""

import io
import socket
import sys
import tarfile
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from engines import Engine, Frames, Talk, framed

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox import SandboxSpec, Tree
from tinysmith.sandbox._docker_stream import Stream
from tinysmith.sandbox._docker_tree import archive
from tinysmith.sandbox.choosing import backend
from tinysmith.sandbox.docker import IMAGE, Docker

pytest.importorskip("docker", reason="docker is not installed")

MISSING = (404, {"message": "no such image"})
BROKEN = (500, {"message": "it is broken\nreally"})
IMAGE_JSON = f"GET /images/{IMAGE}/json"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as made:
        yield made


def refused(engine: Engine, *, pulls: bool = False) -> str:
    """Why no sandbox can be made."""
    with pytest.raises(SandboxUnavailable) as caught:
        Docker(base_url=engine.url, pulls=pulls).create(SandboxSpec())
    return str(caught.value)


def once(frames: Frames | None) -> Talk:
    """A command that says something, and ends with the next line."""
    said = iter([frames])
    return lambda _: next(said, None)


class TestReaching:
    def test_without_the_sdk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without Docker's SDK the back end says what to install."""
        monkeypatch.setitem(sys.modules, "docker", None)  # as if it were not installed
        found = Docker().probe()
        assert not found.ok
        assert "needs the package docker; install it with `pip install 'tinysmith-fsm[docker]'`" in found.reason

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("unix:///missing/socket", "No such file or directory"),
            ("tcp://user:canary@127.0.0.1:1", "DockerException"),
            ("tcp://canary@127.0.0.1:1", "Connection refused"),
            ("canary://x", "DockerException"),
        ],
    )
    def test_an_engine_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
        """An engine that cannot be reached is said to be so, with what to do, and without its address."""
        monkeypatch.setenv("DOCKER_HOST", url)
        with pytest.raises(SandboxUnavailable, match=f"cannot be reached: .*{why}.* Start Docker") as caught:
            backend("docker")
        assert "canary" not in str(caught.value)
        assert "canary" not in repr(Docker(base_url=url))

    def test_what_an_engine_lacks_is_a_feature(self, engine: Engine) -> None:
        """The probe tells the engine's version, its runtime, and which limits it does not hold."""
        told = {"ServerVersion": "9\x1b[0m", "DefaultRuntime": "runc", "MemoryLimit": False, "PidsLimit": False}
        engine.answers["GET /info"] = (200, told)
        found = Docker(base_url=engine.url).probe()
        lacking = ("no limit of memory in all", "no limit of processes")
        assert found.features == ("Docker 9\\x1b[0m", "runtime runc", *lacking, f"image {IMAGE}")
        assert engine.asked[-1] == "DELETE /containers/box"


class TestMaking:
    def test_an_image_is_pulled_only_if_that_is_allowed(self, engine: Engine) -> None:
        """A missing image is not downloaded unawares; where it may be, it is."""
        engine.answers[IMAGE_JSON] = MISSING
        assert f"Pull it with `docker pull {IMAGE}`" in refused(engine)
        assert "POST /images/create" not in engine.asked
        engine.answers[IMAGE_JSON] = chain([MISSING], repeat((200, {"Id": "x"})))
        with Docker(base_url=engine.url, pulls=True).create(SandboxSpec()) as box:
            assert box.exec("true").exit_code == 0
        assert "POST /images/create" in engine.asked
        engine.answers[IMAGE_JSON] = MISSING
        assert "cannot be pulled: no such image. Pull it by hand" in refused(engine, pulls=True)

    @pytest.mark.parametrize(
        ("request_", "why"),
        [
            (IMAGE_JSON, "cannot say whether it has"),
            ("POST /containers/create", "cannot make a container"),
            ("POST /containers/box/attach", "cannot make a container"),
            ("POST /containers/box/start", "cannot make a container"),
        ],
    )
    def test_an_engine_that_fails(self, engine: Engine, request_: str, why: str) -> None:
        """What an engine cannot do is said in its own words, in one line, also if it cannot clean up either."""
        engine.answers[request_] = engine.answers["DELETE /containers/box"] = BROKEN
        said = refused(engine)
        assert why in said
        assert "it is broken…" in said

    def test_a_container_that_cannot_be_taken_away(self, engine: Engine) -> None:
        """Where a container stays, closing says so; one that is gone already is fine."""
        engine.answers["DELETE /containers/box"] = BROKEN
        box = Docker(base_url=engine.url).create(SandboxSpec())
        with pytest.raises(EnvironmentLost, match="cannot be taken away: it is broken"):
            box.close()
        engine.answers["DELETE /containers/box"] = MISSING
        Docker(base_url=engine.url).create(SandboxSpec()).close()

    def test_a_tree_has_nothing_where_the_container_has_its_own(self) -> None:
        """What the engine would mount over is refused."""
        for path in ("/proc/x", "/dev", "/etc/hosts"):
            with pytest.raises(UsageError, match="which is the container's own"):
                archive(Tree.of({path: ""}))
        assert archive(Tree.of({"/etc/hosts.d/x": "", "/process": ""}))

    def test_nothing_follows_the_end_of_an_archive(self) -> None:
        """An archive is over at the two blocks of zeros that end it, after which nobody needs to read on."""
        made = archive(Tree.of({"/a/": ""}))
        assert (made[-1024:], any(made[-1536:-1024])) == (bytes(1024), True)
        with tarfile.open(fileobj=io.BytesIO(made)) as tar:
            assert tar.getnames() == ["a"]


class TestRunning:
    def test_a_command_that_never_begins(self, engine: Engine) -> None:
        """Where an engine begins nothing, what it says instead is told, however much that is."""
        with Docker(base_url=engine.url).create(SandboxSpec()) as box:
            cases: dict[str, Frames | None] = {
                "the engine says nothing": None,
                "xxx": [(1, b"x" * 5000)],
                "exec failed: no bash": [(2, b"exec failed: no bash\n")],
            }
            for why, frames in cases.items():
                engine.command = once(frames)
                with pytest.raises(EnvironmentLost, match=f"Nothing can be run in the sandbox: {why}"):
                    box.exec("true")

    def test_files_that_cannot_be_measured(self, engine: Engine) -> None:
        """An engine that cannot say how much the files take does not keep commands from running."""
        engine.answers["GET /containers/json"] = BROKEN
        with Docker(base_url=engine.url).create(SandboxSpec()) as box:
            assert box.exec("true").exit_code == 0

    def test_a_first_process_that_is_drowned_out(self, engine: Engine) -> None:
        """What others print for the first process is heard up to a size; without an answer the sandbox is lost."""
        engine.keeper = lambda _: [(1, bytes(1 << 20))] * 20
        with pytest.raises(EnvironmentLost, match="has ended, or answers no more"):
            Docker(base_url=engine.url).create(SandboxSpec())


class TestStream:
    def test_frames_come_in_any_pieces(self) -> None:
        """However a connection cuts what is sent, the parts of each stream are the same."""
        sent = b"".join(map(framed, [(1, b"ab"), (2, b""), (2, b"c" * 300), (1, b"d")]))
        for size in (1, 2, 7, 8, 9, 100, len(sent)):
            ours, theirs = socket.socketpair()
            stream = Stream(ours)
            heard = {1: b"", 2: b""}
            for start in range(0, len(sent), size):
                theirs.sendall(sent[start : start + size])
                for number, part in stream.read() or []:
                    heard[number] += part
            assert heard == {1: b"abd", 2: b"c" * 300}
            theirs.close()
            assert stream.wait(0.0)
            assert stream.read() is None
            stream.send(b"to nobody")
            stream.close()
            stream.close()
            assert stream.wait(0.0)
            assert stream.read() is None

    def test_who_does_not_read_is_not_waited_for(self) -> None:
        """What goes in within some seconds is sent, at least a hundredth of one, and the rest is let go."""
        ours, theirs = socket.socketpair()
        stream = Stream(ours)
        sent = b"x" * 10_000_000
        for seconds in (0.05, 0.0):
            stream.send(sent, seconds)
        theirs.setblocking(False)
        assert 0 < len(theirs.recv(len(sent))) < len(sent)
        stream.close()
        theirs.close()

    def test_a_connection_that_breaks_is_at_its_end(self) -> None:
        """A reset is no error of ours: nothing more will come."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            theirs.close()
            stream = Stream(ours)
            assert stream.read() is None
            stream.close()
