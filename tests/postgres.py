"""A real PostgreSQL server of the tests' own, from the packages that the machine has."""

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

USER = "tinysmith"
PASSWORD = "the-password-of-the-tests"


def program(name: str) -> str | None:
    """Where a program of PostgreSQL's is: on the PATH, or where Debian hides it."""
    hidden = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *hidden]))


class Server:
    """A server on loopback, with a folder of its own; its commits are not durable unless a client asks for it.

    Args:
        folder: Empty.
    """

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:  # the programs refuse to be root
            self._who = {"user": "nobody", "extra_groups": ()}
            shutil.chown(folder, "nobody")
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        asks = ["--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256", "--no-sync"]
        if os.geteuid() == 0:
            shutil.chown(secret, "nobody")
        self._call("initdb", ["--pgdata", str(self._data), *asks, "--encoding", "UTF8", "--locale", "C"])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, and returns when it takes connections."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(self.port)}
        options |= {"fsync": "off", "synchronous_commit": "off", "log_min_messages": "log"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [str(program("postgres")), "-D", str(self._data), *settings]
        self._process = subprocess.Popen(
            command, cwd="/", stderr=subprocess.PIPE, text=True, start_new_session=True, **self._who
        )
        assert self._process.stderr is not None
        said = ""
        for line in self._process.stderr:
            said += line
            if "ready to accept connections" in line:
                break
        else:
            raise AssertionError(said)
        self._drain = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._drain.start()

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: at once, without waiting for clients, unless told otherwise."""
        self._process.send_signal(how)
        self._process.wait()
        self._drain.join()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def url(self, database: str = "postgres", *, user: str = USER, password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs statements as the database's owner; what the last one finds."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _call(self, name: str, arguments: Sequence[str]) -> None:
        done = subprocess.run(
            [str(program(name)), *arguments], cwd="/", capture_output=True, text=True, check=False, **self._who
        )
        assert done.returncode == 0, done.stderr
