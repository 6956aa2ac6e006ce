"""A real Podman service of the tests' own, with an image of the machine's programs."""

import importlib
import importlib.util
import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from contextlib import suppress
from pathlib import Path

IMAGE = "localhost/tinysmith-test"

_PROGRAMS = (
    *("basename", "bash", "cat", "chmod", "dd", "env", "head", "id", "ln", "ls", "mkdir", "printf", "readlink"),
    *("rm", "setsid", "sleep", "stat", "tail", "touch", "tr", "true", "yes"),
)
_FOLDERS = {".": 0o755, "etc": 0o755, "home": 0o755, "root": 0o700, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755}
_LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "usr/bin/sh": "bash"}
_CONFIGURATION = """\
[containers]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
exit_command_delay = 1
runtime = "crun"
[engine.runtimes]
crun = ["{crun}"]
"""
# Podman asks for more processes than a machine may have that has no right to raise its limits.
_CRUN = """\
#!/bin/sh
limit='"type":"RLIMIT_NPROC","hard":'
for word in "$@"; do
    case $last in
        --bundle | -b) file=$word/config.json ;;
        --process | -p) file=$word ;;
        *) file= ;;
    esac
    [ -n "$file" ] && sed -i "s/$limit[0-9]*,\\"soft\\":[0-9]*/${limit}4096,\\"soft\\":4096/" "$file"
    last=$word
done
exec crun "$@"
"""
# A hybrid hierarchy of control groups is more than crun expects.
_SERVE = """\
! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
exec podman --root "$1/root" --runroot "$1/run" --tmpdir "$1/tmp" system service --time 0 "unix://$1/socket"
"""


def missing() -> str:
    """What the machine lacks; empty where it has all."""
    if os.geteuid() != 0:
        return "only root can start a Podman service of its own"
    if importlib.util.find_spec("docker") is None:
        return "docker is not installed"
    lacking = [name for name in ("podman", "crun", "unshare", *_PROGRAMS) if shutil.which(name) is None]
    return f"the machine lacks {', '.join(lacking)}" if lacking else ""


class Podman:
    """A service on a socket, without control groups."""

    def __init__(self) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="tinysmith-podman-"))
        crun = folder / "crun"
        crun.write_text(_CRUN, encoding="ascii")
        crun.chmod(0o755)
        configuration = folder / "containers.conf"
        configuration.write_text(_CONFIGURATION.format(crun=crun), encoding="utf-8")
        self.url = f"unix://{folder}/socket"
        said = folder / "log"
        with said.open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "bash", "-c", _SERVE, "bash", str(folder)],
                env={**os.environ, "CONTAINERS_CONF": str(configuration)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not (folder / "socket").exists():
            assert self._process.poll() is None, said.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.02)
        self.client = importlib.import_module("docker").APIClient(base_url=self.url, version="1.41")
        self.client.import_image_from_data(_image(), repository=IMAGE, tag="latest")

    def __enter__(self) -> "Podman":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        for process in Path("/proc").glob("[1-9]*"):  # it leaves a helper of each command behind, for a while
            with suppress(OSError):
                if str(self._folder).encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
        deadline = time.monotonic() + 10.0
        while self._folder.exists():  # what cleans up after the last container may still be at it
            shutil.rmtree(self._folder, ignore_errors=time.monotonic() < deadline)

    def containers(self) -> list[str]:
        """Those that it has."""
        return [each["Id"] for each in self.client.containers(all=True)]

    def images(self) -> list[str]:
        """Those that it has."""
        return [each["Id"] for each in self.client.images(all=True)]


def _image() -> bytes:
    """Some programs of the machine, with the libraries that they need."""
    programs = [Path(str(shutil.which(name))).resolve() for name in _PROGRAMS]
    told = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=True).stdout
    words = [word for line in told.splitlines() for word in line.split() if not word.endswith(":")]
    libraries = {Path(word) for word in words if word.startswith("/")}
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, mode in _FOLDERS.items():
            _add(tar, name, tarfile.DIRTYPE, mode)
        for name, target in _LINKS.items():
            _add(tar, name, tarfile.SYMTYPE, target=target)
        for path in (*programs, *sorted(libraries)):
            name = str(path).removeprefix("/")
            _add(
                tar,
                name if name.startswith("usr/") else f"usr/{name}",
                tarfile.REGTYPE,
                0o755,
                data=path.read_bytes(),
            )
        _add(tar, "etc/passwd", tarfile.REGTYPE, data=b"root:x:0:0:root:/root:/bin/bash\n")
    return sink.getvalue()


def _add(
    tar: tarfile.TarFile, name: str, kind: bytes, mode: int = 0o644, *, target: str = "", data: bytes = b""
) -> None:
    head = tarfile.TarInfo(name)
    head.type, head.mode, head.linkname, head.size = kind, mode, target, len(data)
    tar.addfile(head, io.BytesIO(data))
