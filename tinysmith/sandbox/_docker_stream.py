"""A connection that an engine has given up to a process: what goes in, and what comes out of it, in frames."""

import select
import socket
import struct
import time
from contextlib import suppress
from typing import Any

from tinysmith.sandbox.sandbox import Stop

STDOUT, STDERR = 1, 2
"""The numbers of those streams."""

_HEAD = struct.Struct(">BxxxL")  # the stream, and how many bytes of it follow
_CHUNK = 1 << 16  # more than one record of TLS, so that none is left where `poll` does not see it
_PATIENCE_S = 60.0
_SHORTEST_S = 0.01  # with none at all, a socket sends what goes in at once, or nothing


class Stream:
    """The two directions of a process, as the engine's API has them where there is no terminal.

    Args:
        connection: What the SDK gives for it.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # A `SocketIO` that can only read, around the socket; with TLS and ssh it is the thing itself.
        self._socket: socket.socket = getattr(connection, "_sock", connection)
        self._socket.settimeout(_PATIENCE_S)
        self._raw = bytearray()
        self._number = 0
        self._left = 0
        self._is_over = False

    def send(self, data: bytes, seconds: float = _PATIENCE_S) -> None:
        """Sends all of it within some seconds; where nobody reads any more, that shows at the other end."""
        with suppress(OSError):
            try:
                self._socket.settimeout(max(_SHORTEST_S, min(seconds, _PATIENCE_S)))
                self._socket.sendall(data)
            finally:
                self._socket.settimeout(_PATIENCE_S)

    def wait(self, deadline: float, stop: Stop | None = None) -> bool | None:
        """Whether there is something to read before a moment of the monotonic clock; None where it was stopped."""
        if self._is_over:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if stop is not None:
            poll.register(stop, select.POLLIN)
        ready = {found for found, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
        return None if stop is not None and stop.fileno() in ready else bool(ready)

    def read(self) -> list[tuple[int, bytes]] | None:
        """What has come, each part with the number of its stream; None at the end."""
        try:
            read = b"" if self._is_over else self._socket.recv(_CHUNK)
        except OSError:
            read = b""
        if not read:
            self._is_over = True
            return None
        self._raw += read
        found = []
        while self._raw and (self._left or self._has_begun_frame()):
            part = bytes(self._raw[: self._left])
            del self._raw[: self._left]
            self._left -= len(part)
            found.append((self._number, part))
        return found

    def close(self) -> None:
        """Gives its file descriptors back; the engine takes that for the end of what goes in."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._is_over = True
        self._connection.close()
        self._socket.close()

    def _has_begun_frame(self) -> bool:
        if len(self._raw) < _HEAD.size:
            return False
        self._number, self._left = _HEAD.unpack_from(self._raw)
        del self._raw[: _HEAD.size]
        return True
