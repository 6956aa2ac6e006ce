"""A small server that answers as a Docker engine does, for what a real one cannot be made to do."""

import json
import re
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any, TypeAlias

Frames: TypeAlias = list[tuple[int, bytes]]
Talk: TypeAlias = Callable[[bytes], Frames | None]
"""What a process says to a line that it reads; None for its end."""

_UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


class Engine:
    """An engine on a socket, with one image and one container.

    Args:
        folder: Where the socket is made.

    Attributes:
        answers: By method and the end of the path, the status and the body of what is not answered with `{}`.
        asked: The method and path of each request, without the version.
        keeper: What a container's first process says.
        command: What a command says.
    """

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/engine"
        self.answers: dict[str, Iterator[tuple[int, Any]] | tuple[int, Any]] = {
            "GET /_ping": (200, "OK"),
            "POST /containers/create": (201, {"Id": "box"}),
            "POST /containers/box/exec": (201, {"Id": "run"}),
            "GET /containers/json": (200, [{"SizeRw": 1}]),
        }
        self.asked: list[str] = []
        self.keeper: Talk = obedient
        self.command: Talk = idle
        self._server = ThreadingUnixStreamServer(f"{folder}/engine", self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                key = f"{self.command} {re.sub(r'^/v[0-9.]+', '', self.path).partition('?')[0]}"
                engine.asked.append(key)
                answer = engine.answers.get(key, (200, {}))
                status, body = answer if isinstance(answer, tuple) else next(answer)
                if status == 200 and key.endswith(("/attach", "/start")) and not key.endswith("box/start"):
                    self._talk(engine.keeper if key.endswith("/attach") else engine.command)
                    return
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # as the class above wants them

            def _talk(self, talk: Talk) -> None:
                self.wfile.write(_UPGRADED)
                self.close_connection = True
                for line in self.rfile:
                    frames = talk(line)
                    if frames is None:
                        return
                    try:
                        self.wfile.write(b"".join(map(framed, frames)))
                    except OSError:
                        return

        return Handler


def framed(frame: tuple[int, bytes]) -> bytes:
    """A part of what a process prints, as an engine sends it."""
    return struct.pack(">BxxxL", frame[0], len(frame[1])) + frame[1]


def obedient(line: bytes) -> Frames:
    """A first process that does what it is told."""
    return [(1, b"%b yes\n" % (line.split() or [b"0"])[0])]


def idle(line: bytes) -> Frames:
    """A command that prints nothing and ends."""
    mark = line.split()[-1] if line.strip() else b""
    return [(1, b"7\n%b<\n%b>0\n" % (mark, mark)), (2, b"%b<\n%b>0\n" % (mark, mark))] if mark else []
